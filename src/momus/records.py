"""Every shape that is exchanged between stages, declared once. Files are JSON lines of these records."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from momus.critique import CATEGORIES, Comment, Critique, Severity, Span
from momus.errors import MomusError

R = TypeVar("R", bound="Record")

_BOM = b"\xef\xbb\xbf"
_SURROGATE = re.compile("[\ud800-\udfff]")


class RecordError(MomusError):
    """A line of a record file that cannot be read; the message names file, line and what is wrong."""


class Record(BaseModel):
    """What all records share: frozen, no unknown fields, a schema version."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    schema_version: Literal[1] = 1


class Task(Record):
    """A question and the answer under review. `group` joins tasks of one problem: splits never part a group."""

    id: str
    question: str
    answer: str
    language: str = "python"
    tests: str | None = None  # a program run after `prelude` and the answer; a non-zero exit is a failure
    prelude: str = ""
    entry_point: str | None = None
    group: str | None = None
    split: str | None = None
    source: str = ""
    licence: str = ""

    def program(self, answer: str | None = None) -> str | None:
        """Prelude, answer (this task's, or another one) and tests as one program to run; None without tests."""
        if self.tests is None:
            return None
        return "\n".join((self.prelude, self.answer if answer is None else answer, self.tests))


class Bug(Record):
    """A reference bug. `spans` are of the buggy answer, the first is the one to highlight.

    `suggestion` replaces the first span's text and undoes the bug; None where only a whole fixed answer is known.
    """

    spans: tuple[Span, ...] = Field(min_length=1)
    category: str
    severity: Severity = "medium"
    description: str = ""
    suggestion: str | None = None
    operator: str | None = None

    @model_validator(mode="after")
    def _known_category(self) -> Self:
        if self.category not in CATEGORIES:
            raise ValueError(f"unknown category {self.category!r}")
        return self


class Tamper(Record):
    """A task whose answer has bugs in it (put in, or natural), with its twin: the clean original of the answer.

    `bugs` is empty where the fix is known but has no unique place. `proof` says how the bug was shown to bite:
    `tests` (the twin passes, the answer fails), or `compiles` (no tests were at hand).
    """

    task: Task
    twin: str
    bugs: tuple[Bug, ...]
    proof: Literal["tests", "compiles"] = "compiles"
    seen_by_linter: bool = False
    author: str = "rules"


class Sampled(Record):
    """One critique of one task by one critic. A failure is an `error`, never an empty critique."""

    task_id: str
    critic: str
    i: int = 0
    critique: Critique = Critique()
    logprob: float | None = None  # mean over the tokens that were free choices
    score: float | None = None  # a reward model's
    finish: Literal["stop", "length", "error"] = "stop"
    error: str | None = None
    left_out: str | None = None  # what of the answer the critic could not take in, in words


class Comparison(Record):
    """Several critiques of one task, shown side by side, blind and shuffled."""

    id: str
    task: Task
    critiques: tuple[Sampled, ...]
    bugs: tuple[Bug, ...] = ()
    twin: str | None = None


class Rating(Record):
    """One rater's score of one attribute of one critique, 1..7; None is unscored, never a number."""

    comparison_id: str
    critique: int
    rater: str
    attribute: Literal["cbi", "comprehensiveness", "nitpick", "fake_problem", "conciseness", "overall"]
    score: int | None = Field(default=None, ge=1, le=7)
    bug: int | None = None  # CBI is per bug
    rationale: str = ""
    simulated: bool = False


def read_jsonl(path: Path, kind: type[R]) -> Iterator[R]:
    """Read records of one kind, lazily. Raises RecordError naming the line, OSError where the file cannot be read."""
    with path.open("rb") as lines:  # bytes, so that a line that is not UTF-8 is reported like any other bad line
        for number, line in enumerate(lines, 1):
            line = line.removeprefix(_BOM) if number == 1 else line
            if line.strip():
                yield read_line(line, kind, f"{path}:{number}")


def read_line(line: bytes | str, kind: type[R], where: str) -> R:
    """One record from one JSON line. Raises RecordError, which begins with `where`."""
    try:
        return kind.model_validate_json(line)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the line"
        raise RecordError(f"{where}: not a {kind.__name__}: {place}: {first['msg']}") from None


def write_jsonl(path: Path, records: Iterable[Record]) -> int:
    """Write records to a temporary name, then rename, so that a killed run leaves no half file. Returns the count."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    count = 0
    with partial.open("w", encoding="utf-8") as out:
        for record in records:
            out.write(dump_line(record))
            count += 1
    partial.replace(path)
    return count


def dump_line(record: Record) -> str:
    """One JSON line; fields at their default are left out, so that files stay small and readable.

    JSON in UTF-8 has no lone surrogates: each becomes U+FFFD, so that positions stay true.
    """
    body: dict[str, Any] = record.model_dump(mode="json", exclude_defaults=True)
    line = json.dumps({"schema_version": record.schema_version, **body}, ensure_ascii=False) + "\n"
    return _SURROGATE.sub("\ufffd", line)


__all__ = [
    "Bug",
    "Comment",
    "Comparison",
    "Rating",
    "Record",
    "RecordError",
    "Sampled",
    "Tamper",
    "Task",
    "dump_line",
    "read_jsonl",
    "read_line",
    "write_jsonl",
]
