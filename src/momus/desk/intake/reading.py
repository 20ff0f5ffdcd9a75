"""How the rows of a source become items of a kind: records as they stand, or columns that somebody has named."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from momus.desk.assign import critiques_in
from momus.desk.intake.build import as_text, record_of
from momus.desk.intake.exports import columns_of
from momus.desk.intake.faults import Fault, RowWrong, row_wrong
from momus.desk.intake.fields import FIELDS, Columns, Imported, columns_in, guess
from momus.desk.intake.rows import Found
from momus.desk.intake.source import Source
from momus.desk.kinds import KINDS
from momus.desk.problems import Problem
from momus.records import Attribute, Bug, Comparison, Prefilled, Record, Sampled, Tamper, Task

Json = dict[str, Any]
LOOKED_AT = 100  # rows whose columns are looked at
_SAMPLE = 120


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


@dataclass(frozen=True, slots=True)
class Read:
    """An item, with what its row says beside it."""

    item: Record
    row: Row


@dataclass(frozen=True, slots=True)
class Column:
    """A column, and the beginning of the first text in it."""

    name: str
    sample: str


@dataclass(frozen=True, slots=True)
class Reading:
    """`columns` is None where the rows are records as they stand. `there` are the columns that were found."""

    kind: Imported
    source: Source
    columns: Columns | None
    there: tuple[Column, ...]
    missing: tuple[RowWrong, ...] = ()

    @property
    def unused(self) -> list[str]:
        """Columns that go into nothing."""
        if self.columns is None:
            return []
        used = columns_in(self.columns)
        return [column.name for column in self.there if column.name not in used]

    def items(self) -> Iterator[tuple[Found, Read | RowWrong]]:
        """Each row's item, or what is wrong with it. Of different items of one id all but the first are wrong."""
        ids: dict[str, tuple[int, str, bytes]] = {}
        for found in self.source.rows():
            try:
                if isinstance(found.data, Fault):
                    raise found.data
                read = self._read(found.data)
                _distinct(read.item, found, ids)
                yield found, read
            except (ValueError, Problem) as error:
                yield found, row_wrong(error, found.row, found.file)

    def _read(self, data: Json) -> Read:
        if self.columns is None:
            return read_record(self.kind, data)
        item = _checked(self.kind, record_of(self.kind, columns_of(data), self.columns))
        return Read(item, Row(item={}))


def reading_of(
    kind: Imported, source: Source, columns: Columns | None = None, remembered: Mapping[str, Columns] | None = None
) -> Reading:
    """Decide how a source is read: by `columns` where they are given, as records where its first row is one, else by
    the names of its columns. Fields that are needed and have no column stand in `missing`."""
    rows = [found.data for found in islice(source.rows(), LOOKED_AT) if isinstance(found.data, dict)]
    if columns is None and source.typed and (not rows or is_record(kind, rows[0])):
        return Reading(kind, source, None, ())
    there = tuple(_columns(rows))
    if columns is None:
        columns = guess(kind, [column.name for column in there], remembered)
    columns = {name: value for name, value in columns.items() if value}
    return Reading(kind, source, columns, there, tuple(_missing(kind, columns, there)))


def is_record(kind: Imported, data: Json) -> bool:
    """Whether a row is a record as it stands, or says that it is one."""
    if "schema_version" in data or "item" in data:
        return True
    try:
        read_record(kind, data)
    except (ValueError, Problem):
        return False
    return True


def read_record(kind: Imported, data: Json) -> Read:
    """A record of the kind's item, or a `Row` around it. Raises ValueError."""
    row = Row.model_validate(data) if "item" in data else Row(item=data)
    data = {key: value for key, value in row.item.items() if key != "split"}  # a column of data sets, of tasks a field
    if kind in ("tamper", "write") and "twin" not in data:
        data = row.item
    if kind == "canary":
        return Read(_checked(kind, Tamper.model_validate(data), row.critique), row)
    if kind == "write" and "twin" in data:
        return Read(Tamper.model_validate(data).task, row)
    return Read(_checked(kind, KINDS[kind].item.model_validate(data)), row)


def _checked(kind: Imported, item: Record, critique: Sampled | None = None) -> Record:
    if isinstance(item, Comparison | Tamper | Prefilled):
        critiques = critiques_in(item) if critique is None else (critique,)
        _within(item.task.answer, getattr(item, "bugs", ()), critiques)
    if kind == "canary" and (getattr(item, "proof", "") != "tests" or not getattr(item, "bugs", ())):
        raise Fault(
            "unproved",
            "A canary's bug fails the task's tests, and its place is known.",
            "Give the tests, and say that they have shown it; or leave the row out.",
        )
    if kind == "judge" and getattr(item, "passes", None) is None:
        raise Fault("side", "`passes` is missing: which of the two passes its tests.", "Say which.", field="passes")
    if kind == "rate" and len(getattr(item, "critiques", ())) < 2:
        raise Fault("few", "A comparison has two critiques or more.", "Add a critique.", field="critiques")
    if kind == "grade" and not getattr(item, "bugs", ()):
        raise Fault(
            "no-bug", "There is no bug to grade.", "Give the bug's place, or the code without it.", field="bugs"
        )
    return item


def _within(answer: str, bugs: Iterable[Bug], critiques: Iterable[Sampled]) -> None:
    """Raises Fault where a bug or a critique points past the end of its code."""
    remedy = "Count characters of the answer from 0."
    end = max((span.end for bug in bugs for span in bug.spans), default=0)
    if end > len(answer):
        said = f"A span ends at {end}, past the answer's {len(answer)} characters."
        raise Fault("place", said, remedy, field="bugs")
    end = max((c.highlight.end for sampled in critiques for c in sampled.critique), default=0)
    if end > len(answer):
        said = f"A highlight ends at {end}, past the answer's {len(answer)} characters."
        raise Fault("place", said, remedy, field="critique")


def _distinct(item: Record, found: Found, ids: dict[str, tuple[int, str, bytes]]) -> None:
    if isinstance(item, Prefilled):  # several critiques of one task
        return
    named = item.task.id if isinstance(item, Tamper) else getattr(item, "id", "")
    about = item.task if isinstance(item, Tamper) else item
    body = f"{about.question}\0{about.answer}" if isinstance(about, Task) else item.model_dump_json()
    told = hashlib.blake2b(body.encode(), digest_size=12).digest()
    row, file, before = ids.setdefault(named, (found.row, found.file, told))
    if before != told:
        where = f"row {row}" + (f" of {file}" if file != found.file else "")
        remedy = "Give each row an id of its own, or leave the ids out."
        raise Fault("same-id", f"Id {named!r} is that of {where} too, which is another item.", remedy, field="id")


def _columns(rows: Iterable[Json]) -> Iterator[Column]:
    samples: dict[str, str] = {}
    for row in rows:
        for name, value in columns_of(row).items():
            if not samples.get(name):
                text = as_text(value)
                samples[name] = (str(value) if text is None else text).strip()[:_SAMPLE]
    yield from (Column(name, sample) for name, sample in samples.items())


def _missing(kind: Imported, columns: Columns, there: tuple[Column, ...]) -> Iterator[RowWrong]:
    known, fields = {column.name for column in there}, {field.name: field for field in FIELDS[kind]}
    for name, value in columns.items():
        if name not in fields:
            said, remedy = f"There is no field {name!r} of {kind}.", f"There are: {', '.join(fields)}."
            yield row_wrong(Fault("no-field", said, remedy, field=name), 0)
        elif gone := [one for one in ([value] if isinstance(value, str) else value) if one not in known]:
            said, remedy = f"There is no column {gone[0]!r}.", f"There are: {', '.join(sorted(known)[:30])}."
            yield row_wrong(Fault("no-column", said, remedy, field=name), 0)
    for field in fields.values():
        if field.needed and field.name not in columns:
            said, remedy = f"No column is chosen for it: {field.label}.", "Choose the column that holds it."
            yield row_wrong(Fault("unmapped", said, remedy, field=field.name), 0)
