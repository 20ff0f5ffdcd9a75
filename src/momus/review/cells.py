"""Which lines of a notebook are new: cell is held against cell, never text against text."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from momus.review.files import read
from momus.review.source import Source, Unreadable

_Told = tuple[str | None, list[str]]  # the id of a cell, and its lines


def new_lines(source: Source, before: bytes | None) -> set[int] | None:
    """The 1-based lines of a notebook's text that are not in the same cell of what it was before.

    None, all of them, where there was nothing before that can be read. A cell that only moved has none, and neither has
    one whose outputs or metadata alone have changed.
    """
    if before is None:
        return None
    try:
        older = read(source.path, before)
    except Unreadable:
        return None
    old, new = _cells(older), _cells(source)
    paired = _pairs(old, new)
    lines: set[int] = set()
    for at, (cell, (_, now)) in enumerate(zip(source.cells, new, strict=True)):
        then = old[paired[at]][1] if at in paired else []
        for tag, _, _, start, end in difflib.SequenceMatcher(None, then, now, autojunk=False).get_opcodes():
            if tag == "delete":  # what stands beside a gap is touched
                start, end = max(0, start - 1), min(len(now), start + 1)
            if tag != "equal":
                lines |= {cell.start_line + line for line in range(start, end)}
    return lines


def touched_cells(source: Source, touched: set[int]) -> set[int]:
    """All lines of the cells that have a touched line."""
    whole = (range(cell.start_line, cell.end_line + 1) for cell in source.cells)
    return {line for lines in whole if touched.intersection(lines) for line in lines}


def _cells(source: Source) -> list[_Told]:
    text = source.map
    return [
        (cell.id, [source.text[slice(*text.line_span(n))] for n in range(cell.start_line, cell.end_line + 1)])
        for cell in source.cells
    ]


def _pairs(old: Sequence[_Told], new: Sequence[_Told]) -> dict[int, int]:
    """For each new cell the old one that it was: of the same id, else of the same code, else at the same place between
    its neighbours."""
    left = list(range(len(old)))
    paired: dict[int, int] = {}

    def pair(same_id: bool) -> None:
        for at, (name, code) in enumerate(new):
            if at in paired:
                continue
            found = next((o for o in left if (old[o][0] == name and name if same_id else old[o][1] == code)), None)
            if found is not None:
                paired[at] = found
                left.remove(found)

    pair(same_id=True)
    pair(same_id=False)
    for o in left:
        earlier = [at for at, was in paired.items() if was < o]
        later = [at for at, was in paired.items() if was > o]
        first, last = max(earlier, default=-1), min(later, default=len(new))
        at = next((at for at in range(first + 1, last) if at not in paired), None)
        if at is not None:
            paired[at] = o
    return paired
