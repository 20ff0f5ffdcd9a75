"""Makes the record of a kind out of the columns of a row. What does not fit is a `Fault` with its field and remedy."""

from __future__ import annotations

import difflib
import hashlib
from typing import Any

from momus.critique import CATEGORIES, SEVERITIES, SILENCE, Comment, Critique, Span, TextMap, parse
from momus.decode import from_json
from momus.desk.intake.faults import Fault
from momus.desk.intake.fields import FIELDS, Columns, Imported
from momus.errors import MomusError
from momus.inputs.supplied import supplied
from momus.measure.datasets import reference_bugs
from momus.records import Bug, Comparison, Pair, Prefilled, Record, Sampled, Tamper, Task

Json = dict[str, Any]
LONGEST = 1_000_000  # characters of one cell
_TRUE = ("1", "true", "yes", "y", "tests", "passed")
_SIDES = {
    **dict.fromkeys(("a", "first", "left", "answer_a", "chosen", "model_a"), 0),
    **dict.fromkeys(("b", "second", "right", "answer_b", "rejected", "model_b"), 1),
}


class Cells:
    """A row under the fields' names. Texts are read with `text`, which says what is wrong with them."""

    def __init__(self, kind: Imported, row: Json, columns: Columns) -> None:
        self._row, self._columns = row, columns
        self._labels = {field.name: field.label for field in FIELDS[kind]}
        self._needed = {field.name for field in FIELDS[kind] if field.needed}

    def raw(self, field: str) -> Any:
        column = self._columns.get(field)
        return self._row.get(column) if isinstance(column, str) else None

    def column(self, field: str) -> str:
        column = self._columns.get(field, "")
        return column if isinstance(column, str) else ""

    def many(self, field: str) -> list[tuple[str, Any]]:
        columns = self._columns.get(field, [])
        return [(c, self._row.get(c)) for c in ([columns] if isinstance(columns, str) else columns)]

    def text(self, field: str, instead: str = "") -> str:
        """A cell as text. Raises Fault on what is none, too long, or empty where it is needed."""
        found = self._as_text(field, self.raw(field))
        if not found.strip():
            if field in self._needed:
                raise self.fault(field, "empty", "is empty", "Fill it in, or leave the row out.")
            return instead
        return found

    def fault(self, field: str, code: str, said: str, remedy: str) -> Fault:
        return Fault(code, f"{self._labels.get(field, field)} {said}.", remedy, field=self.column(field) or field)

    def _as_text(self, field: str, value: Any) -> str:
        text = as_text(value)
        if text is None:
            raise self.fault(field, "no-text", "is not a text", "Choose another column, or give a text.")
        if len(text) > LONGEST:
            raise self.fault(field, "large", f"has {len(text):,} characters", f"Shorten it to {LONGEST:,}.")
        if "\0" in text:
            raise self.fault(field, "nul", "has a NUL character in it", "Take it out.")
        return text


def as_text(value: Any) -> str | None:
    """A value as text: lists of texts by lines, a conversation by its contents; None of what is none."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool | int | float):
        return str(value)
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return "\n".join(value)
    if isinstance(value, list) and all(isinstance(one, dict) and isinstance(one.get("content"), str) for one in value):
        return "\n\n".join(one["content"] for one in value)
    return None


def record_of(kind: Imported, row: Json, columns: Columns) -> Record:
    """The kind's item. Raises Fault, which names the column and what to do, or ValueError."""
    cells = Cells(kind, row, columns)
    if kind in ("compare", "judge"):
        return _pair(cells, with_passes=kind == "judge")
    task = _task(cells)
    if kind in ("tamper", "write"):
        return task
    if kind == "team":
        critic = cells.column("critique") or "imported"
        return Prefilled(task=task, critique=_sampled(cells, "critique", cells.raw("critique"), critic, task))
    if kind == "rate":
        return _comparison(cells, task)
    return _tamper(cells, task, proved=kind == "canary" and cells.text("proved").strip().lower() in _TRUE)


def _task(cells: Cells) -> Task:
    question, answer, tests = cells.text("question"), cells.text("answer"), cells.text("tests")
    fixed = cells.text("fixed")
    prelude = cells.text("prelude")
    if tests and not cells.column("prelude"):
        # Such answers are snippets, and pass behind the usual imports: those that they take for granted.
        prelude = "".join(dict.fromkeys(line for code in (answer, fixed) for line in supplied(code).splitlines(True)))
    language = cells.text("language", "python").strip().lower()
    return Task(
        id=cells.text("id").strip() or _id(question, answer),
        question=question,
        answer=answer,
        language={"py": "python", "python3": "python", "js": "javascript", "ts": "typescript"}.get(language, language),
        tests=tests or None,
        prelude=prelude,
        context=cells.text("context"),
        entry_point=cells.text("entry_point").strip() or None,
        group=cells.text("group").strip() or None,
        split=cells.text("split").strip() or None,
        source=cells.text("source").strip(),
        licence=cells.text("licence").strip(),
    )


def _id(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:12]


def _tamper(cells: Cells, task: Task, *, proved: bool) -> Tamper:
    fixed = cells.text("fixed")
    if fixed == task.answer:
        raise cells.fault("fixed", "same", "is the same as the code with the bug", "Give the code before and after.")
    bugs = _bugs(cells, task.answer, fixed)
    proof = "tests" if proved and task.tests is not None else "compiles"
    return Tamper(task=task, twin=fixed, bugs=bugs, proof=proof, author=task.source or "imported")  # type: ignore[arg-type]


def _comparison(cells: Cells, task: Task) -> Comparison:
    told = cells.many("critiques")
    if len(told) < 2:
        raise cells.fault("critiques", "few", "are in one column", "Choose two columns or more.")
    critiques = tuple(_sampled(cells, "critiques", value, column, task, i) for i, (column, value) in enumerate(told))
    fixed = cells.text("fixed")
    bugs = _bugs(cells, task.answer, fixed) if fixed and fixed != task.answer else ()
    return Comparison(id=task.id, task=task, critiques=critiques, bugs=bugs, twin=fixed or None)


def _bugs(cells: Cells, buggy: str, fixed: str) -> tuple[Bug, ...]:
    lines = _lines(cells) or changed_lines(buggy, fixed)
    severity = cells.text("severity", "medium").strip().lower()
    if severity not in SEVERITIES:
        raise cells.fault("severity", "severity", f"is {severity!r}", "Say low, medium or high.")
    told = {"bug_lines": lines, "category": cells.text("category").strip(), "description": cells.text("description")}
    try:
        bugs = reference_bugs(told, buggy, fixed, "")
    except MomusError:
        most = TextMap(buggy).line_count
        raise cells.fault("lines", "lines", f"are {lines}", f"The code has the lines 1 to {most}.") from None
    return tuple(bug.model_copy(update={"severity": severity}) for bug in bugs)


def _lines(cells: Cells) -> list[int]:
    value = cells.raw("lines")
    try:
        if isinstance(value, str):
            return [int(one) for one in value.strip(" []").replace(",", " ").split()]
        return [int(one) for one in ([] if value is None else value if isinstance(value, list) else [value])]
    except (TypeError, ValueError):
        raise cells.fault("lines", "lines", "are no numbers", "Give numbers of lines from 1, with commas.") from None


def changed_lines(buggy: str, fixed: str) -> list[int]:
    """The lines of the first that a fix changes, from 1; of what it only inserts the line before."""
    before, after = buggy.splitlines(), fixed.splitlines()
    found: set[int] = set()
    for tag, a0, a1, _, _ in difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag == "insert":
            found.add(max(1, a0))
        elif tag != "equal":
            found |= set(range(a0 + 1, a1 + 1))
    return sorted(found)


def _pair(cells: Cells, *, with_passes: bool) -> Pair:
    question, first, second = cells.text("question"), cells.text("first"), cells.text("second")
    id_ = cells.text("id").strip() or _id(question, first, second)
    sides = (("first", first), ("second", second))
    both = [cells.column(f"{side}_critique") for side, _ in sides]
    if any(both) and not all(both):
        missing = "second_critique" if both[0] else "first_critique"
        raise cells.fault(missing, "one-critique", "has no column", "Choose a column for both critiques, or neither.")
    critiques = None
    if all(both):
        made = []
        for side, answer in sides:
            task = Task(id=id_, question=question, answer=answer)
            made.append(_sampled(cells, f"{side}_critique", cells.raw(f"{side}_critique"), "imported", task))
        critiques = (made[0], made[1])
    passes = None
    if with_passes:
        said = cells.text("passes").strip().lower()
        if said not in _SIDES:  # a number might count from 0 or from 1
            raise cells.fault("passes", "side", f"is {said!r}", "Say first or second (or a or b).")
        passes = _SIDES[said]
    makers = [cells.text(f"{side}_maker", cells.column(side)) for side, _ in sides]
    return Pair(
        id=id_,
        question=question,
        answers=(first, second),
        language=cells.text("language", "python").strip().lower(),
        makers=(makers[0], makers[1]),
        critiques=critiques,
        passes=passes,  # type: ignore[arg-type]
        group=cells.text("group").strip() or None,
    )


def _sampled(cells: Cells, field: str, value: Any, critic: str, task: Task, i: int = 0) -> Sampled:
    column = critic if field == "critiques" else cells.column(field)
    try:
        critique = critique_of(value, task.answer)
    except Fault as fault:
        fault.field = column
        raise
    return Sampled(task_id=task.id, critic=critic, i=i, critique=critique)


def critique_of(value: Any, answer: str) -> Critique:
    """A critique from quotes and comments, from a list of comments, or from plain text, which is of the whole answer.

    Raises Fault on a quote or place that is not in the answer.
    """
    if isinstance(value, str) and value.lstrip()[:1] in ("[", "{"):
        try:
            value = from_json(value)
        except ValueError:
            pass  # a text that begins so
    if isinstance(value, dict):
        value = value.get("comments", [value])
    if isinstance(value, list) and any(isinstance(one, dict) for one in value):
        return Critique(tuple(_comment(one, answer) for one in value))
    text = as_text(value)
    if text is None:
        raise Fault("critique", "The critique is not a text.", "Give a text, or a list of comments.")
    if not text.strip() or text.strip() == SILENCE:
        return Critique()
    parsed = parse(text, answer)
    if parsed.unanchored:
        loose = parsed.unanchored[0]
        remedy = "Quote the answer letter for letter, or write plain text without code blocks."
        raise Fault("quote", f"{loose.reason.capitalize()}: {loose.quote[:60]!r}.", remedy)
    if parsed.critique.comments:
        return parsed.critique
    return Critique((Comment(_whole(answer), text),))


def _whole(answer: str) -> Span:
    start = len(answer) - len(answer.lstrip())
    return Span(start, max(start + 1, len(answer.rstrip())))


def _comment(told: Any, answer: str) -> Comment:
    if not isinstance(told, dict):
        raise Fault("comment", "A comment is not an object.", "Give each comment a start, an end and a text.")
    place = told.get("highlight", told)
    start, end = (place.get("start"), place.get("end")) if isinstance(place, dict) else (None, None)
    text = next((told[key] for key in ("comment", "body", "label", "text") if isinstance(told.get(key), str)), "")
    labels = told.get("labels")
    if not told.get("comment") and isinstance(labels, list):  # a span as Label Studio writes it: `text` is its quote
        text = ", ".join(map(str, labels))
    if start is None and end is None:
        span = _whole(answer)
    elif isinstance(start, int) and isinstance(end, int) and 0 <= start < end <= len(answer):
        span = Span(start, end)
    else:
        said = f"A comment is on {start}..{end}, and the answer has {len(answer)} characters."
        raise Fault("place", said, "Count characters of the answer from 0.")
    category, severity = str(told.get("category") or "other"), str(told.get("severity") or "medium")
    suggestion = told.get("suggestion")
    return Comment(
        span,
        text,
        category if category in CATEGORIES else "other",
        severity if severity in SEVERITIES else "medium",
        suggestion=suggestion if isinstance(suggestion, str) else None,
    )
