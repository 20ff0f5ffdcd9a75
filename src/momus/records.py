"""Every shape that is exchanged between stages, declared once. Files are JSON lines of these records."""

from __future__ import annotations

import hashlib
import json
import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from momus.critique import CATEGORIES, Comment, Critique, Severity, Span, TextMap
from momus.errors import MomusError

R = TypeVar("R", bound="Record")

GOLD = "gold"  # the critic of a critique that is made of the reference bugs
_BOM = b"\xef\xbb\xbf"
_SURROGATE = re.compile("[\ud800-\udfff]")


class RecordError(MomusError):
    """A line of a record file that cannot be read; the message names file, line and what is wrong."""


class Record(BaseModel):
    """What all records share: frozen, no unknown fields, a schema version."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    schema_version: Literal[1] = 1


class Surroundings(BaseModel):
    """The file that an answer is cut from: `code`, and which of its 1-based `lines` are the answer's own.

    `skip` lines stand before these in the answer (context to read); `indent` was taken off each of them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    code: str
    lines: tuple[int, ...] = Field(min_length=1)
    skip: int = Field(default=0, ge=0)
    indent: str = ""

    def line_in_answer(self, line: int) -> int | None:
        """The answer's line that a line of the file is; None for a line of something else."""
        at = bisect_left(self.lines, line)
        return self.skip + at + 1 if at < len(self.lines) and self.lines[at] == line else None

    def with_answer(self, answer: str) -> str | None:
        """The file with another answer in the place of its own; None where its own lines are not together."""
        first, last = self.lines[0], self.lines[-1]
        if last - first + 1 != len(self.lines):
            return None
        starts = TextMap(self.code).starts
        own = [self.indent + line if line.strip() else line for line in answer.split("\n")[self.skip :]]
        after = self.code[starts[last] :] if last < len(starts) else ""
        return self.code[: starts[first - 1]] + "\n".join(own).removesuffix("\n") + "\n" + after


class Task(Record):
    """A question and the answer under review. `group` joins tasks of one problem: splits never part a group.

    `context` is what stands around the answer where it was cut out of a file: imports, the head of its class,
    signatures. It is there to be read, and nothing is said of it. `surroundings` is the whole file, for whoever runs
    the answer; `run` is false where nobody may.
    """

    id: str
    question: str
    answer: str
    language: str = "python"
    tests: str | None = None  # a program run after `prelude` and the answer; a non-zero exit is a failure
    prelude: str = ""
    context: str = ""
    entry_point: str | None = None
    group: str | None = None
    split: str | None = None
    source: str = ""
    licence: str = ""
    run: bool = True
    surroundings: Surroundings | None = None

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
    lacks: str | None = None  # what the critic goes by and found none of ("examples"): its silence says nothing
    anchors: tuple[str, ...] = ()  # how each comment's quote was found, of a model that was not held to exact ones
    dropped: int = 0  # comments left out, as their quotes stand nowhere in the answer


class Comparison(Record):
    """Several critiques of one task, shown side by side, blind and shuffled (section 2.2.3 of the paper).

    The record keeps who wrote each, and `GOLD` where it was made of the reference bugs; raters see `shown()`. `twin` is
    the clean original of a tampered answer. `bugs` is empty for an answer that was not tampered.
    """

    id: str
    task: Task
    critiques: tuple[Sampled, ...]
    bugs: tuple[Bug, ...] = ()
    twin: str | None = None

    @model_validator(mode="after")
    def _of_this_answer(self) -> Self:
        end = max((c.highlight.end for s in self.critiques for c in s.critique), default=0)
        if end > len(self.task.answer):
            raise ValueError(f"a highlight ends at {end}, past the answer's {len(self.task.answer)} characters")
        return self

    @property
    def gold(self) -> tuple[int, ...]:
        """Which critiques are made of the reference bugs; at most one, but in hand-made comparisons."""
        return tuple(i for i, sampled in enumerate(self.critiques) if sampled.critic == GOLD)

    def shown(self) -> Comparison:
        """What a rater may see: the same critiques without their critics, scores and confidences."""
        blind = tuple(
            Sampled(task_id=self.task.id, critic="", i=i, critique=s.critique.without_metadata(), error=s.error)
            for i, s in enumerate(self.critiques)
        )
        return self.model_copy(update={"critiques": blind})


Attribute = Literal["cbi", "comprehensiveness", "nitpick", "fake_problem", "conciseness", "overall"]


class Rating(Record):
    """One rater's score of one attribute of one critique, 1..7 (Table 2); None is unscored, never a number.

    `simulated` is true for a rater that is neither a person nor a model asked to judge.
    """

    comparison_id: str
    critique: int = Field(ge=0)
    rater: str
    attribute: Attribute
    score: int | None = Field(default=None, ge=1, le=7)
    bug: int | None = Field(default=None, ge=0)  # CBI is per bug
    rationale: str = ""
    simulated: bool = False

    @model_validator(mode="after")
    def _bug_with_cbi(self) -> Self:
        if (self.bug is None) == (self.attribute == "cbi"):
            raise ValueError("cbi is scored per bug, and nothing else is: `bug` goes with attribute cbi")
        return self


class Ranking(Record):
    """One rater's order of the critiques of a comparison, best first. Those in one tier are tied.

    Critiques that were not scored stand in no tier.
    """

    comparison_id: str
    rater: str
    order: tuple[tuple[int, ...], ...]
    rationale: str = ""
    simulated: bool = False

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        placed = [i for tier in self.order for i in tier]
        if not all(self.order) or len(set(placed)) < len(placed) or min(placed, default=0) < 0:
            raise ValueError("an order holds each critique's index once at most, in tiers that are not empty")
        return self


class Choice(Record):
    """Which of two solutions of a task passes its tests, as somebody believes (section 7.8 of the paper).

    `passes` is the one that does, `chosen` None where no choice was made. `critic` names whose critique was shown with
    the solutions; None: none was.
    """

    task_id: str
    rater: str
    passes: Literal[0, 1]
    chosen: Literal[0, 1] | None = None
    critic: str | None = None
    seconds: float | None = Field(default=None, ge=0)
    simulated: bool = False


class Prefilled(Record):
    """A task with the critique that a person begins from when working as a team with a critic."""

    task: Task
    critique: Sampled


class Pair(Record):
    """Two answers to one question, to be compared; `passes` is the one that passes its tests, where that is known.

    `makers` wrote the answers. `critiques` are of each answer; people who work without help do not see them.
    """

    id: str
    question: str
    answers: tuple[str, str]
    language: str = "python"
    makers: tuple[str, str] = ("", "")
    critiques: tuple[Sampled, Sampled] | None = None
    passes: Literal[0, 1] | None = None
    group: str | None = None

    @model_validator(mode="after")
    def _of_these_answers(self) -> Self:
        for answer, sampled in zip(self.answers, self.critiques or (), strict=False):
            if max((c.highlight.end for c in sampled.critique), default=0) > len(answer):
                raise ValueError("a highlight ends past its answer")
        return self


def versioned(task: Task) -> Task:
    """The task under the id `ID@VERSION`, where the version is that of its question, answer and context."""
    parts = (task.question, task.answer, *((task.context,) if task.context else ()))
    content = "\0".join(parts).encode("utf-8", "surrogatepass")
    return task.model_copy(update={"id": f"{task.id}@{hashlib.sha256(content).hexdigest()[:10]}"})


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
    "GOLD",
    "Attribute",
    "Bug",
    "Choice",
    "Comment",
    "Comparison",
    "Pair",
    "Prefilled",
    "Ranking",
    "Rating",
    "Record",
    "RecordError",
    "Sampled",
    "Surroundings",
    "Tamper",
    "Task",
    "dump_line",
    "read_jsonl",
    "read_line",
    "versioned",
    "write_jsonl",
]
