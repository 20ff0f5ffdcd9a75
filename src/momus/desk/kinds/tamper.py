"""Tamper: put a subtle bug into code that works, and describe it as a reviewer who caught it (section 2.2.1)."""

from __future__ import annotations

import difflib
import hashlib
import itertools
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from momus.critique import Severity, Span, TextMap
from momus.desk.blinding import Blind, Eye, Place
from momus.desk.kinds.base import (
    CODE,
    TEXT,
    Form,
    Json,
    Kind,
    Known,
    Refused,
    TaskView,
    check_category,
    check_span,
    lines_of,
)
from momus.desk.problems import Wrong, wrong
from momus.match import code_key
from momus.records import Bug, Tamper, Task

PERSON = "person"  # put the bug in: a bug that names no operator is a natural one


class BugForm(BaseModel):
    """One bug that was put in: its places in the tampered answer, the first to highlight, and what is wrong there.

    `subtlety` is 1 (anyone sees it) to 7 (hardly anyone does).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    spans: list[Place] = Field(min_length=1, max_length=20)
    description: str = Field(max_length=TEXT)
    category: str = "other"
    severity: Severity = "medium"
    subtlety: int | None = Field(default=None, ge=1, le=7)


class TamperForm(Form):
    answer: str = Field(max_length=CODE)
    bugs: list[BugForm] = Field(max_length=20)


class TamperView(Blind):
    task: TaskView


class TamperKind(Kind):
    name = "tamper"
    item = Task
    form = TamperForm

    def task(self, item: Task) -> Task:
        return item

    def view(self, item: Task, eye: Eye, first: Json | None) -> TamperView:
        # The answer is changed and handed in: it stands there as it is.
        view = TaskView(question=item.question, answer=item.answer, language=item.language)
        return TamperView(task=view.model_copy(update={"runnable": item.tests is not None}))

    def store(self, form: TamperForm, item: Task, eye: Eye, known: Known, first: Json | None) -> Json:
        check_tamper(form, item)
        bugs = tuple(
            Bug(
                spans=tuple(Span(p.start, p.end) for p in bug.spans),
                category=bug.category,
                severity=bug.severity,
                description=bug.description.strip(),
                suggestion=undoing(Span(bug.spans[0].start, bug.spans[0].end), form.answer, item.answer),
                operator=PERSON,
            )
            for bug in form.bugs
        )
        bites = known.runs.get(answer_hash(item.answer), {}).get("status") == "passed" and known.runs.get(
            answer_hash(form.answer), {}
        ).get("status") in ("failed", "timeout", "memory")
        tamper = Tamper(
            task=item.model_copy(update={"answer": form.answer}),
            twin=item.answer,
            bugs=bugs,
            proof="tests" if bites else "compiles",
            author="human",
        )
        return {
            "tamper": tamper.model_dump(mode="json", exclude_defaults=True),
            "subtlety": [bug.subtlety for bug in form.bugs],
            "missed": known.missed,
        }

    def show(self, stored: Json, item: Task, eye: Eye) -> Json:
        tamper = Tamper.model_validate(stored["tamper"])
        return {
            "answer": tamper.task.answer,
            "bugs": [
                {
                    "spans": [{"start": s.start, "end": s.end} for s in bug.spans],
                    "description": bug.description,
                    "category": bug.category,
                    "severity": bug.severity,
                    "subtlety": subtlety,
                }
                for bug, subtlety in zip(tamper.bugs, stored["subtlety"], strict=True)
            ],
        }


def check_tamper(form: TamperForm, item: Task) -> None:
    """Raises Refused unless the code was changed and each bug is described and lies inside the change."""
    if form.answer == item.answer:
        raise Refused(wrong("/answer", "unchanged", "The code is unchanged: put a bug into it."))
    if item.language == "python" and code_key(form.answer) == code_key(item.answer):
        raise Refused(wrong("/answer", "same-program", "Only layout or comments differ: that is the same program."))
    if not form.bugs:
        raise Refused(wrong("/bugs", "no-bug", "Describe each bug that you put in, one at least."))
    text, changed = TextMap(form.answer), changed_lines(form.answer, item.answer)
    errors: list[Wrong] = []
    for i, bug in enumerate(form.bugs):
        check_category(bug.category, f"/bugs/{i}/category")
        if not bug.description.strip():
            errors.append(wrong(f"/bugs/{i}/description", "empty", "Say what breaks, and when."))
        for j, place in enumerate(bug.spans):
            span = check_span(place, form.answer, f"/bugs/{i}/spans/{j}")
            if not lines_of(span, text) <= changed:
                pointer = f"/bugs/{i}/spans/{j}"
                errors.append(wrong(pointer, "outside-change", "This place lies outside of what you changed."))
    if errors:
        raise Refused(*errors)


def answer_hash(answer: str) -> str:
    return hashlib.sha256(answer.encode("utf-8", "surrogatepass")).hexdigest()


def changed_lines(answer: str, twin: str) -> set[int]:
    """The 1-based lines of the answer that are not the twin's; where lines were taken out, those on either side."""
    found: set[int] = set()
    count = TextMap(answer).line_count
    for _, _, b0, b1 in _hunks(answer, twin):
        found |= set(range(b0 + 1, b1 + 1)) or {line for line in (b0, b0 + 1) if 1 <= line <= count}
    return found


def undoing(span: Span, answer: str, twin: str) -> str | None:
    """What stood in the twin in place of a span; None where the span does not hold all of its part of the change."""
    ours, theirs = _starts(answer), _starts(twin)
    for a0, a1, b0, b1 in _hunks(answer, twin):
        old, new = twin[theirs[a0] : theirs[a1]], answer[ours[b0] : ours[b1]]
        head = _common(old, new)
        tail = _common(old[head:][::-1], new[head:][::-1])
        start, end = ours[b0] + head, ours[b1] - tail
        if span.start <= start and end <= span.end and span.start >= ours[b0] and span.end <= ours[b1]:
            return twin[theirs[a0] + span.start - ours[b0] : theirs[a1] - (ours[b1] - span.end)]
    return None


def _hunks(answer: str, twin: str) -> list[tuple[int, int, int, int]]:
    """Runs of lines that differ: from..to in the twin, from..to in the answer, counted from 0."""
    matcher = difflib.SequenceMatcher(None, _lines(twin), _lines(answer), autojunk=False)
    return [(a0, a1, b0, b1) for tag, a0, a1, b0, b1 in matcher.get_opcodes() if tag != "equal"]


def _lines(text: str) -> list[str]:
    starts = _starts(text)
    return [text[a:b] for a, b in itertools.pairwise(starts)]


def _starts(text: str) -> list[int]:
    starts: list[Any] = TextMap(text).starts
    return starts if starts[-1] == len(text) and len(starts) > 1 else [*starts, len(text)]


def _common(a: str, b: str) -> int:
    return next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
