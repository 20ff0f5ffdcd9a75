"""An item as people would get it, in parts with a name, to be looked at before it is brought in."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from momus.critique import Critique, render
from momus.records import Comparison, Pair, Prefilled, Record, Tamper, Task

_LONGEST = 1_500


class Piece(BaseModel):
    """`code` is shown as it stands, with its indentation."""

    model_config = ConfigDict(frozen=True)
    name: str
    text: str
    code: bool = False


class Shown(BaseModel):
    model_config = ConfigDict(frozen=True)
    row: int
    pieces: list[Piece]


def shown(row: int, item: Record) -> Shown:
    """The parts of an item, long ones cut."""
    pieces = [
        Piece(name=name, text=text if len(text) <= _LONGEST else text[:_LONGEST] + "…", code=code)
        for name, text, code in _pieces(item)
        if text
    ]
    return Shown(row=row, pieces=pieces)


def _pieces(item: Record) -> list[tuple[str, str, bool]]:
    if isinstance(item, Task):
        return _task(item)
    if isinstance(item, Prefilled):
        return [*_task(item.task), ("Critique", _said(item.critique.critique, item.task), False)]
    if isinstance(item, Comparison):
        told = [(f"Critique by {s.critic}", _said(s.critique, item.task), False) for s in item.critiques]
        return [*_task(item.task), *told]
    if isinstance(item, Tamper):
        bugs = [(f"Bug {i}", _bug(item, i - 1), True) for i in range(1, len(item.bugs) + 1)]
        return [*_task(item.task), ("Without the bug", item.twin, True), *bugs]
    if isinstance(item, Pair):
        both = [(name, answer, True) for name, answer in zip(("First", "Second"), item.answers, strict=True)]
        right = [] if item.passes is None else [("Passes", ("First", "Second")[item.passes], False)]
        return [("Question", item.question, False), *both, *right]
    return []


def _task(task: Task) -> list[tuple[str, str, bool]]:
    return [("Question", task.question, False), ("Answer", task.answer, True), ("Tests", task.tests or "", True)]


def _said(critique: Critique, task: Task) -> str:
    return render(critique, task.answer, task.language)


def _bug(item: Tamper, i: int) -> str:
    bug = item.bugs[i]
    place = bug.spans[0].of(item.task.answer)
    return f"{place}\n{bug.description}".strip()
