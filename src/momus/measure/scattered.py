"""Answers with several bugs far apart: what share is found? The paper leaves it open (its section 5)."""

from __future__ import annotations

import itertools
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from momus.critique import Critique, Span, TextMap
from momus.match import apply_suggestion, code_key
from momus.measure.figure import Figure, figures_of
from momus.measure.intervals import Bootstrap
from momus.measure.item import Item
from momus.measure.scores import fixes, in_place, share_found
from momus.records import Bug, Tamper, Task

GAP = 3
MOST = 5


@dataclass(frozen=True, slots=True)
class Coverage:
    """Over answers with so many bugs: the share of them that is found in place, and fixed; whether all are, or none."""

    bugs: int
    found: Figure
    fixed: Figure
    every: Figure
    none: Figure

    def to_json(self) -> dict[str, Any]:
        names = ("found", "fixed", "every", "none")
        return {"bugs": self.bugs, **{name: getattr(self, name).to_json() for name in names}}


def coverage(
    items: Sequence[Item],
    critiques: Mapping[str, Critique | None],
    *,
    gap: int = GAP,
    draws: int = 2000,
    seed: int = 0,
) -> list[Coverage]:
    """The share of bugs found, by their number, over answers with 2 to 5 bugs at least `gap` lines apart.

    The whole critique is read. `critiques` are by task id; one that failed (None) or is missing leaves its item out.
    """
    found: dict[int, list[tuple[str, dict[str, float]]]] = {}
    for item in items:
        count = len(item.bug_lines)
        critique = critiques.get(item.task.id)
        if critique is None or not 2 <= count <= MOST or least_gap(item) < gap:
            continue
        places = [in_place(comment, item) for comment in critique]
        mended = [fixes(comment, item) for comment in critique]
        share = share_found(places, item)
        scores = {"found": share, "fixed": share_found(mended, item), "every": float(share == 1), "none": share == 0}
        found.setdefault(count, []).append((item.group, scores))
    result = []
    for count, rows in sorted(found.items()):
        columns = {name: np.array([float(scores[name]) for _, scores in rows]) for name in rows[0][1]}
        figures = figures_of(columns, Bootstrap([group for group, _ in rows], draws=draws, seed=seed))
        result.append(Coverage(count, **figures))
    return result


def least_gap(item: Item) -> int:
    """The fewest lines that lie from one bug to the next: 1 where they stand on neighbouring lines, 0 where on one."""
    places = sorted((min(lines), max(lines)) for lines in item.bug_lines if lines)
    gaps = [max(0, after[0] - before[1]) for before, after in itertools.pairwise(places)]
    return min(gaps, default=0)


@dataclass(frozen=True, slots=True)
class _Edit:
    """The text of the twin from `start` on that a bug replaces."""

    start: int
    right: str
    wrong: str
    bug: Bug


def scatter(tampers: Sequence[Tamper], *, bugs: int = 3, gap: int = GAP, seed: int = 0) -> list[Tamper]:
    """Put several bugs into one answer: those of tampers of one twin, each with one bug in one place.

    One answer a twin, of bugs drawn by the seed that lie at least `gap` lines apart; a twin that has not so many is
    passed over. Each bug keeps its own suggestion, and all of them together give the twin.
    """
    of_twin: dict[tuple[str, str], list[Tamper]] = {}
    for tamper in tampers:
        of_twin.setdefault((tamper.task.question, tamper.twin), []).append(tamper)
    made = []
    for (_, twin), members in of_twin.items():
        edits = [edit for member in members if (edit := _edit(member)) is not None]
        random.Random(f"{seed}/{twin}").shuffle(edits)
        chosen = _apart(edits, TextMap(twin), bugs, gap)
        if len(chosen) == bugs:
            made.append(_join(members[0], twin, chosen))
    return made


def _edit(tamper: Tamper) -> _Edit | None:
    """None where the tamper is not one replacement whose suggestion gives the twin, to the letter."""
    if len(tamper.bugs) != 1 or len(tamper.bugs[0].spans) != 1:
        return None
    bug = tamper.bugs[0]
    span = bug.spans[0]
    if bug.suggestion is None or apply_suggestion(tamper.task.answer, span, bug.suggestion) != tamper.twin:
        return None
    return _Edit(span.start, bug.suggestion, span.of(tamper.task.answer), bug)


def _apart(edits: Sequence[_Edit], text: TextMap, bugs: int, gap: int) -> list[_Edit]:
    chosen: list[_Edit] = []
    for edit in edits:
        lines = _lines(edit, text)
        far = all(max(lines[0], _lines(o, text)[0]) - min(lines[1], _lines(o, text)[1]) >= gap for o in chosen)
        if far and len(chosen) < bugs:
            chosen.append(edit)
    return sorted(chosen, key=lambda edit: edit.start)


def _lines(edit: _Edit, text: TextMap) -> tuple[int, int]:
    return text.line(edit.start), text.line(max(edit.start, edit.start + len(edit.right) - 1))


def _join(first: Tamper, twin: str, edits: Sequence[_Edit]) -> Tamper:
    pieces: list[str] = []
    bugs: list[Bug] = []
    at = written = 0
    for edit in edits:
        before = twin[at : edit.start]
        start = written + len(before)
        pieces += [before, edit.wrong]
        written = start + len(edit.wrong)
        bugs.append(edit.bug.model_copy(update={"spans": (Span(start, written),)}))
        at = edit.start + len(edit.right)
    answer = "".join([*pieces, twin[at:]])
    task: Task = first.task.model_copy(update={"id": f"{first.task.id}+{len(edits)}", "answer": answer})
    joined: Tamper = first.model_copy(update={"task": task, "bugs": tuple(bugs), "seen_by_linter": False})
    return joined


def mends(tamper: Tamper) -> bool:
    """Whether the suggestions of all bugs together give the twin."""
    answer = tamper.task.answer
    for bug in sorted(tamper.bugs, key=lambda bug: -bug.spans[0].start):
        if bug.suggestion is None:
            return False
        answer = apply_suggestion(answer, bug.spans[0], bug.suggestion)
    return code_key(answer) == code_key(tamper.twin)
