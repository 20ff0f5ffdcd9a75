"""A rewrite held against the code: which lines are suspect, and what would have been written instead."""

from __future__ import annotations

import math

import pytest

from momus.critics.local.fix import fixes
from momus.critics.local.rewrite import code_of, rewrite
from momus.models.chat_replies import Token

CODE = "def total(xs):\n    s = 0\n    for x in xs:\n        s -= x\n    return s\n"


def sure(*texts: str) -> list[Token]:
    return [Token(text, -0.01, ((text, -0.01),)) for text in texts]


def typed(*parts: str | Token) -> list[Token]:
    return [part if isinstance(part, Token) else sure(part)[0] for part in parts]


CHOICE = Token("+=", -0.1, (("+=", -0.1), ("-=", -2.5), ("=", -4.0)))


def test_a_token_that_is_another_makes_its_line_suspect_and_holds_the_fix() -> None:
    found = rewrite(
        (1, 2, 3, 4, 5),
        "",
        CODE,
        typed("def total(xs):\n", "    s = 0\n", "    for x in xs", ":\n        s ", CHOICE, " x\n", "    return s\n"),
    )
    assert found is not None
    first, *others = found.suspicions()
    assert (first.line, first.score) == (4, 2.5) and all(other.score < 0.1 for other in others)
    [fix] = fixes(found, CODE, [4])
    assert fix.code == CODE.replace("-=", "+=") and (fix.first, fix.last, fix.lines) == (4, 4, ("        s += x",))
    assert fix.gain == pytest.approx(-0.1 - 0.01 + 2.5)


def test_a_copy_has_nothing_but_what_its_tokens_tell() -> None:
    doubtful = Token("0", -1.5, (("0", -1.5), ("1", -1.6)))
    found = rewrite((1, 2, 3, 4, 5), "", CODE, typed("def total(xs):\n    s = ", doubtful, CODE[24:]))
    assert found is not None and not found.changes
    assert found.suspicions()[0].line == 2 and found.suspicions()[0].score == 1.5


def test_what_is_not_among_the_likeliest_is_bounded() -> None:
    lone = Token("+=", math.log(0.9), (("+=", math.log(0.9)), ("=", math.log(0.08))))
    found = rewrite((1, 2, 3, 4, 5), "", CODE, typed(CODE[:47].rstrip("s -="), *typed_tail(lone)))
    assert found is not None
    assert found.scores[4] == pytest.approx(-math.log(0.02), rel=1e-3)
    bare = Token("+=", math.log(0.9))
    found = rewrite((1, 2, 3, 4, 5), "", CODE, typed(CODE[:47].rstrip("s -="), *typed_tail(bare)))
    assert found is not None and found.scores[4] == pytest.approx(-math.log(0.1), rel=1e-3)


def typed_tail(choice: Token) -> list[Token]:
    start = CODE[:47].rstrip("s -=")
    assert CODE.startswith(start)
    rest = CODE[len(start) : CODE.index("-=")]
    return typed(rest, choice, CODE[CODE.index("-=") + 2 :])


def test_lines_that_come_in_or_go_are_changes() -> None:
    before, after = CODE.split("    for x", 1)
    check = Token("    if", -0.3, (("    if", -0.3), ("    for", -1.4)))
    inserted = typed(before, check, " not xs:\n", "        return 0\n", "    for x" + after)
    found = rewrite((1, 2, 3, 4, 5), "", CODE, inserted)
    assert found is not None
    [change] = found.changes
    assert (change.line, change.first, change.back) == (3, 3, 3)
    assert change.new == ("    if not xs:", "        return 0") and found.scores[3] == 1.4
    gone = rewrite((1, 2, 3, 4, 5), "", CODE, typed(*CODE.replace("    s = 0\n", "").splitlines(keepends=True)))
    assert gone is not None and gone.changes[0].new == () and (gone.changes[0].first, gone.changes[0].back) == (2, 3)


def test_what_stands_before_the_code_is_repeated_and_not_spoken_of() -> None:
    head = "import math\nN = 3\n"
    changed = typed("import cmath\n", "N = 3\n", *CODE.splitlines(keepends=True))
    found = rewrite((7, 8, 9, 10, 11), "", CODE, changed, before=head)
    assert found is not None and not found.changes and set(found.scores) == {7, 8, 9, 10, 11}


@pytest.mark.parametrize("text", ["I can't help with that.", "", "x = 1\n" * 30, "def other():\n    pass\n"])
def test_what_is_no_copy_is_no_rewrite(text: str) -> None:
    code = CODE + "".join(f"def f{n}():\n    return {n}\n" for n in range(20))
    assert rewrite(tuple(range(1, 50)), "", code, sure(text)) is None


@pytest.mark.parametrize(
    ("reply", "code", "closed"),
    [
        ("```python\na = 1\n```", "a = 1\n", True),
        ("Here it is:\n\n```py\na = 1\n```\nDone.\n```\nb\n```", "a = 1\n", True),
        ("````python\na = '''\n```\n'''\n````\n", "a = '''\n```\n'''\n", True),
        ("a = 1\n", "a = 1\n", False),
        ("```python\na = 1\n", "a = 1\n", False),
    ],
)
def test_the_code_of_a_reply_is_its_first_block_token_by_token(reply: str, code: str, closed: bool) -> None:
    for width in (1, 3, 7, 100):
        tokens = sure(*(reply[at : at + width] for at in range(0, len(reply), width)))
        found, ended = code_of(tokens)
        assert "".join(token.text for token in found) == code and ended == closed


def test_tokens_that_were_read_say_how_likely_the_code_is() -> None:
    minus = Token(" -=", -3.0)
    read = typed("def total(xs):\n", "    s = 0\n", "    for x in xs:\n", "        s", minus, " x\n", "    return s")
    written = typed(
        "def total(xs):\n", "    s = 0\n", "    for x in xs:\n", "        s ", CHOICE, " x\n", "    return s\n"
    )
    found = rewrite((1, 2, 3, 4, 5), "", CODE, written, read=read)
    assert found is not None and found.scores[4] == 3.0 and found.scores[1] == pytest.approx(0.01)
    assert found.changes[0].gain == pytest.approx(-0.1 - 0.01 - (-3.0 - 0.01))
