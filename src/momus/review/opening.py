"""A file on its way through a review: read, cut into units, with what came back of each; and what is said of it beside
findings."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from momus.critique import Comment, Span, TextMap
from momus.review.files import read
from momus.review.finding import FileReport, Note
from momus.review.ignores import Ignores, read_ignores
from momus.review.plan import Job
from momus.review.source import Source, Unreadable
from momus.review.units import MODULE, Cut, Region, Unit, cut, in_surroundings, regions

if TYPE_CHECKING:
    from momus.records import Sampled

_LINES = re.compile(r"\blines? \d[\d, -]*")
_NUMBER = re.compile(r"\d+")


@dataclass(slots=True)
class Opened:
    """A file under review: what is still to come from the critic, and what has come."""

    job: Job
    source: Source
    regions: list[Region]
    touched: set[int] | None
    ignores: Ignores
    units: dict[str, Unit] = field(default_factory=dict)
    answers: dict[str, Sampled] = field(default_factory=dict)
    cached: int = 0

    @property
    def complete(self) -> bool:
        return len(self.answers) == len(self.units)


def open_job(job: Job, how: Cut, *, runs: bool = False) -> Opened | FileReport:
    """A file cut into units; its report where there is nothing to put to a critic."""
    if job.error is not None:
        return FileReport(job.shown, error=job.error)
    try:
        source = read(job.shown, job.path.read_bytes() if job.data is None else job.data)
    except Unreadable as error:
        return FileReport(job.shown, error=str(error))
    except OSError as error:
        return FileReport(job.shown, error=f"cannot be read: {error.strerror or error}")
    ignores = read_ignores(source)
    if ignores.whole is not None:
        said = f": {ignores.whole}" if ignores.whole else ""
        note = Note("ignored-file", f"not reviewed, as a comment in it asks{said}")
        return _bare_report(job, source, (note, *ignores.notes))
    if not source.code.strip():
        note = Note("empty", "nothing to review")
        foreign = any(said.kind == "not-python" for said in source.notes)
        return _bare_report(job, source, () if foreign else (note,))
    if (line := source.conflict) is not None:
        return FileReport(job.shown, error=f"holds the marks of a merge conflict on line {line}: resolve it first")
    found = regions(source)
    touched = job.changed.touched(source) if job.changed is not None else None
    units = [unit for unit in cut(source, found, how) if touched is None or touched.intersection(unit.lines)]
    if runs:
        units = [in_surroundings(unit, source, run=job.settings.run) for unit in units]
    return Opened(job, source, found, touched, ignores, {unit.task.id: unit for unit in units})


def _bare_report(job: Job, source: Source, notes: tuple[Note, ...]) -> FileReport:
    return FileReport(
        job.shown,
        source.text,
        notes=(*source.notes, *notes),
        cells=source.cells,
        encoding=source.encoding,
        byte_order_mark=bool(source.mark),
    )


def syntax_notes(source: Source) -> Iterator[Note]:
    if source.syntax_error is not None:
        said, line = source.syntax_error
        python = f"Python {sys.version_info.major}.{sys.version_info.minor}"
        yield Note("syntax-error", f"{python} does not parse this ({said}): reviewed as text", line)


def _in_file(part: str, unit: Unit, source: Source) -> tuple[str, int]:
    """Words on lines of a unit's answer as words on lines of the file, or of the cell, and the first of these lines.

    Lines of the answer that do not stand in the file are its context: they are told as the unit's first.
    """
    text = TextMap(unit.task.answer)
    lines: list[int] = []

    def told(found: re.Match[str]) -> str:
        span = Span(*text.line_span(min(int(found[0]), text.line_count)))
        place = unit.in_file(Comment(Span(span.start, max(span.end, span.start + 1)), "", "other"), source.text)
        line = unit.lines[0] if place is None else source.map.line(place.highlight.start)
        lines.append(line)
        cell = next((cell for cell in source.cells if cell.start_line <= line <= cell.end_line), None)
        return str(line if cell is None else line - cell.start_line + 1)

    said = _LINES.sub(lambda found: _NUMBER.sub(told, found[0]), part)
    return said, lines[0] if lines else unit.lines[0]


def called(unit: Unit) -> str:
    place = f"lines {unit.lines[0]}-{unit.lines[-1]}" if len(unit.lines) > 1 else f"line {unit.lines[0]}"
    return place if unit.name == MODULE else f"{unit.name} ({place})"


def reason_of(answer: Sampled | None, failure: str | None) -> str:
    if answer is not None and answer.error is not None:
        return answer.error
    return failure or "the critic gave no answer"


def left_out(opened: Opened) -> Iterator[Note]:
    """Notes on what the critic could not take in of a file, and on critiques that broke off."""
    for name, unit in opened.units.items():
        answer = opened.answers.get(name)
        if answer is None or answer.error is not None:
            continue
        if answer.lacks:
            yield Note("not-reviewed", f"{called(unit)} was not reviewed: no {answer.lacks} to go by", unit.lines[0])
        if answer.left_out:
            part, first = _in_file(answer.left_out, unit, opened.source)
            yield Note("left-out", f"{called(unit)}: the critic did not take in {part}", first)
        if answer.finish == "length":
            yield Note("cut-off", f"{called(unit)}: the critique was cut off at its longest", unit.lines[0])
