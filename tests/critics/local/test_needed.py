"""What of a fix is needed."""

from momus.critics.local.fix import Fix
from momus.critics.local.needed import needed

CODE = "def f(n):\n    for i in range(0, n):\n        if n%i == 0:\n            return i\n"


def fix(*lines: str, first: int = 2, last: int = 3) -> Fix:
    rows = CODE.splitlines()
    code = "\n".join([*rows[: first - 1], *lines, *rows[last:]]) + "\n"
    return Fix(code=code, first=first, last=last, lines=lines, line=2, gain=3.0)


def test_a_line_that_is_only_written_otherwise_stays() -> None:
    found = needed(fix("    for i in range(2, n):", "        if not n % i:"), CODE)
    assert (found.first, found.last, found.lines) == (2, 2, ("    for i in range(2, n):",))
    assert found.code == CODE.replace("range(0, n)", "range(2, n)")
    found = needed(fix("    for i in range(n):", "        if n % i == 1:"), CODE)
    assert (found.first, found.last, found.lines) == (3, 3, ("        if n % i == 1:",))


def test_what_changes_the_meaning_is_kept() -> None:
    both = fix("    for i in range(2, n):", "        if n % i == 1:")
    assert needed(both, CODE) == both
    more = fix("    for i in range(2, n):", "        n = n + 1", "        if n % i == 0:")
    assert needed(more, CODE) == more
    one = fix("    for i in range(2, n):", last=2)
    assert needed(one, CODE) == one
