"""The least of a fix: without lines that it writes anew and that mean what stood there."""

from __future__ import annotations

from dataclasses import replace

from momus.critics.local.checks import meaning, parsed
from momus.critics.local.fix import Fix
from momus.critique import TextMap


def needed(fix: Fix, answer: str) -> Fix:
    """The fix with each line left as it was where the fixed code means the same without the change.

    A fix that puts another number of lines in the place of some stays as it is.
    """
    text = TextMap(answer)
    old = [text.line_text(n) for n in range(1, text.line_count + 1)]
    gone = old[fix.first - 1 : fix.last]
    tree = parsed(fix.code)
    if tree is None or len(gone) != len(fix.lines) or len(gone) < 2:
        return fix
    wanted, lines = meaning(tree), list(fix.lines)
    for at, line in enumerate(gone):
        tried = [*lines[:at], line, *lines[at + 1 :]]
        without = parsed(_code(answer, old, fix, tried)) if line != lines[at] else None
        if without is not None and meaning(without) == wanted:
            lines = tried
    first, last = fix.first, fix.last
    while lines and lines[0] == old[first - 1]:
        first, lines = first + 1, lines[1:]
    while lines and lines[-1] == old[last - 1]:
        last, lines = last - 1, lines[:-1]
    found = replace(fix, first=first, last=last, lines=tuple(lines))
    return replace(found, code=_code(answer, old, found, lines))


def _code(answer: str, old: list[str], fix: Fix, lines: list[str]) -> str:
    newline = "\r\n" if "\r\n" in answer else "\n"
    new = [*old[: fix.first - 1], *lines, *old[fix.last :]]
    return newline.join(new) + (newline if answer.endswith(("\n", "\r")) else "")
