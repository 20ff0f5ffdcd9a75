"""Tasks in: JSON lines, read through once to see that all are well, and then added. The same again adds nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from momus.desk.assign import Seats, critiques_in
from momus.desk.canaries import add_canary
from momus.desk.kinds import KINDS
from momus.desk.problems import Problem, Wrong, invalid, wrong
from momus.desk.store import Store
from momus.desk.store.tables import Project
from momus.desk.texts import read_json
from momus.records import Attribute, Bug, Comparison, Prefilled, Record, Sampled, Tamper

Imported = Literal["tamper", "rate", "write", "team", "compare", "judge", "grade", "canary"]
MOST_ERRORS = 20
_BATCH = 200
_BATCH_BYTES = 1_000_000
_BOM = b"\xef\xbb\xbf"


class GoldScore(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    critique: int = Field(ge=0)
    attribute: Attribute
    bug: int | None = Field(default=None, ge=0)
    score: int = Field(ge=1, le=7)


class Gold(BaseModel):
    """What is known to be right of an item: scores of `rate` (one point off is right), the side of `compare`."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    scores: tuple[GoldScore, ...] = ()
    choice: int | None = Field(default=None, ge=-3, le=3)


class Row(BaseModel):
    """A line that says more than its item: how many people, how urgent, what is known to be right."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    item: dict[str, Any]
    overlap: int | None = Field(default=None, ge=1, le=100)
    priority: int | None = Field(default=None, ge=-1000, le=1000)
    gold: Gold | None = None
    critique: Sampled | None = None  # of a canary: a team begins from it


class Added(BaseModel):
    """`known` were there already; `changed` of them have got tests, gold or more seats by this import."""

    model_config = ConfigDict(frozen=True)
    lines: int
    added: int
    known: int
    changed: int = 0


@dataclass(frozen=True, slots=True)
class _Read:
    item: Record
    row: Row


def import_lines(
    store: Store,
    project: Project,
    kind: Imported,
    file: IO[bytes],
    now: datetime,
    *,
    overlap: int = 1,
    priority: int = 0,
    progress: Callable[[int], None] = lambda done: None,
) -> Added:
    """Add what a file of JSON lines holds: records of the kind's item, or `Row`s around them.

    Raises Problem 422, with the first twenty lines that are wrong, and then nothing is added.
    """
    count = _check(kind, file)
    added = changed = done = 0
    for batch in _batches(file):
        with store.write() as session:
            seats = None if kind == "canary" else Seats(session, project, kind)
            for line in batch:
                read = _read(kind, line)
                added += _add(seats, session, project, read, now, overlap, priority) is not None
            changed += 0 if seats is None else seats.changed
        done += len(batch)
        progress(done)
    return Added(lines=count, added=added, known=count - added, changed=changed)


def _add(
    seats: Seats | None, session: Any, project: Project, read: _Read, now: datetime, overlap: int, priority: int
) -> Any:
    if seats is None:
        assert isinstance(read.item, Tamper)
        return add_canary(session, project, read.item, now, critique=read.row.critique)
    return seats.add(
        read.item,
        now,
        overlap=read.row.overlap or overlap,
        priority=priority if read.row.priority is None else read.row.priority,
        gold=None if read.row.gold is None else read.row.gold.model_dump(mode="json"),
    )


def _check(kind: Imported, file: IO[bytes]) -> int:
    errors: list[Wrong] = []
    count = 0
    for number, line in _lines(file):
        count += 1
        try:
            _read(kind, line)
        except (ValueError, Problem) as error:
            errors.append(wrong(f"/lines/{number}", "line", f"Line {number}: {_said(error)}"))
            if len(errors) == MOST_ERRORS:
                break
    if not count:
        errors.append(wrong("", "no-lines", "There is no line with something in it."))
    if errors:
        raise invalid(*errors)
    return count


def _lines(file: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    file.seek(0)
    for number, line in enumerate(file, 1):
        line = line.removeprefix(_BOM) if number == 1 else line
        if line.strip():
            yield number, line


def _batches(file: IO[bytes]) -> Iterator[list[bytes]]:
    """Lines, as many at a time as go into one transaction; few, where they are long."""
    batch: list[bytes] = []
    size = 0
    for _, line in _lines(file):
        batch.append(line)
        size += len(line)
        if len(batch) == _BATCH or size >= _BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _read(kind: Imported, line: bytes) -> _Read:
    data = read_json(line)
    if not isinstance(data, dict):
        raise ValueError("that is no JSON object")
    row = Row.model_validate(data) if "item" in data else Row(item=data)
    data = {key: value for key, value in row.item.items() if key != "split"}  # a column of data sets, of tasks a field
    if kind in ("tamper", "write") and "twin" not in data:
        data = row.item
    if kind == "canary":
        tamper = Tamper.model_validate(data)
        if tamper.proof != "tests" or not tamper.bugs:
            raise ValueError("a canary's bug fails the task's tests, and its place is known")
        _within(tamper.task.answer, tamper.bugs, [row.critique] if row.critique is not None else [])
        return _Read(tamper, row)
    if kind == "write" and "twin" in data:
        return _Read(Tamper.model_validate(data).task, row)
    item = KINDS[kind].item.model_validate(data)
    if isinstance(item, Comparison | Tamper | Prefilled):
        _within(item.task.answer, getattr(item, "bugs", ()), critiques_in(item))
    if kind == "judge" and getattr(item, "passes", None) is None:
        raise ValueError("`passes` says which of the two passes its tests")
    if kind == "rate" and len(getattr(item, "critiques", ())) < 2:
        raise ValueError("a comparison has two critiques or more")
    if kind == "grade" and not getattr(item, "bugs", ()):
        raise ValueError("there is no bug to grade")
    return _Read(item, row)


def _within(answer: str, bugs: Iterable[Bug], critiques: Iterable[Sampled]) -> None:
    """Raises ValueError where a bug or a critique points past the end of its code."""
    end = max((span.end for bug in bugs for span in bug.spans), default=0)
    if end > len(answer):
        raise ValueError(f"bugs: a span ends at {end}, past the answer's {len(answer)} characters")
    end = max((c.highlight.end for sampled in critiques for c in sampled.critique), default=0)
    if end > len(answer):
        raise ValueError(f"critique: a highlight ends at {end}, past the answer's {len(answer)} characters")


def _said(error: ValueError | Problem) -> str:
    if isinstance(error, Problem):
        return error.detail
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the line"
        return f"{place}: {first['msg']}"
    return str(error)
