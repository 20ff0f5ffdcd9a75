"""Work in: a file is read through once to see that all is well, and then added. The same again adds nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict
from sqlalchemy.orm import Session

from momus.desk.assign import Seats
from momus.desk.canaries import add_canary
from momus.desk.intake.faults import Fault, RowWrong, refused, row_wrong
from momus.desk.intake.preview import Shown, shown
from momus.desk.intake.reading import Gold, Read, Reading
from momus.desk.problems import Problem
from momus.desk.store import Store
from momus.desk.store.tables import Project
from momus.records import Tamper

MOST_ERRORS = 50
MOST_SHOWN = 5
_BATCH = 200
_BATCH_BYTES = 1_000_000


class Added(BaseModel):
    """`known` were there already; `changed` of them have got tests, gold or more seats by this import. `left_out` rows
    were wrong; `unused` columns went into nothing."""

    model_config = ConfigDict(frozen=True)
    lines: int
    added: int
    known: int
    changed: int = 0
    left_out: int = 0
    unused: tuple[str, ...] = ()


class Looked(BaseModel):
    """What a file holds, row by row: `wrong` of its `rows` can't be taken, and `errors` says why of the first.

    `broken` is true where the file could not be read to its end.
    """

    model_config = ConfigDict(frozen=True)
    rows: int
    wrong: int
    broken: bool
    errors: list[RowWrong]
    shown: list[Shown]


def look(reading: Reading) -> Looked:
    """Read all rows, and add nothing. Raises Problem 422 where the file as a whole can't be read."""
    if reading.missing:
        faults = [] if reading.there else [(f.data, f.row, f.file) for f in reading.source.rows()]
        unread = [row_wrong(fault, row, file) for fault, row, file in faults if isinstance(fault, Fault)]
        return Looked(rows=0, wrong=0, broken=False, errors=unread[:MOST_ERRORS] or list(reading.missing), shown=[])
    errors: list[RowWrong] = []
    first: list[Shown] = []
    rows = wrong = 0
    broken = False
    for found, read in reading.items():
        rows += 1
        if isinstance(read, Read):
            if len(first) < MOST_SHOWN:
                first.append(shown(found.row, read.item))
            continue
        wrong += 1
        broken = broken or getattr(found.data, "ends", False)
        if len(errors) < MOST_ERRORS:
            errors.append(read)
    return Looked(rows=rows, wrong=wrong, broken=broken, errors=errors, shown=first)


def import_rows(
    store: Store,
    project: Project,
    reading: Reading,
    now: datetime,
    *,
    overlap: int = 1,
    priority: int = 0,
    good_only: bool = False,
) -> Added:
    """Add what a file holds. With `good_only` rows that are wrong are left out, unless the file breaks off.

    Raises Problem 422 with the first rows that are wrong, and then nothing is added.
    """
    found = look(reading)
    if not found.rows and not found.errors:
        raise refused("no-lines", "There is no row with something in it.", "Choose another file.")
    if found.errors and not (good_only and found.wrong and not found.broken and found.wrong < found.rows):
        raise Problem(
            422,
            "invalid",
            "The input is not accepted",
            found.errors[0].detail,
            errors=list(found.errors),
            rows=found.rows,
            wrong=found.wrong,
        )
    added = changed = 0
    for batch in _batches(reading):
        with store.write() as session:
            seats = None if reading.kind == "canary" else Seats(session, project, reading.kind)
            for read in batch:
                added += _add(seats, session, project, read, now, overlap, priority) is not None
            changed += 0 if seats is None else seats.changed
    if reading.columns is not None:
        with store.write() as session:
            kept = session.get_one(Project, project.id)
            kept.mapped = {**(kept.mapped or {}), reading.kind: reading.columns}
    good = found.rows - found.wrong
    return Added(
        lines=found.rows,
        added=added,
        known=good - added,
        changed=changed,
        left_out=found.wrong,
        unused=tuple(reading.unused),
    )


def _add(
    seats: Seats | None, session: Session, project: Project, read: Read, now: datetime, overlap: int, priority: int
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


def _batches(reading: Reading) -> Iterator[list[Read]]:
    """Items, as many at a time as go into one transaction; few, where they are long."""
    batch: list[Read] = []
    size = 0
    for found, read in reading.items():
        if not isinstance(read, Read):
            continue
        batch.append(read)
        size += len(json.dumps(found.data))
        if len(batch) == _BATCH or size >= _BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


__all__ = ["Added", "Gold", "Looked", "import_rows", "look"]
