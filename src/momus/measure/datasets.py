"""Tasks with known bugs, from files: this project's records, and the development JSONL form that others are kept in.

The development form is one JSON object a line, `question`, `buggy` and `fixed` for a bug, `question` and `answer` for
a clean task, with `bug_lines` (1-based lines of `buggy` that the fix changes) and `anchor_lines` (the neighbours of
what it only inserts). Tests stand in the line, or in a file `*-tests.jsonl` beside it, by `problem` and `caught_by`.

Where a path is a folder, all its `*.jsonl` are read, by name: `benchmarks/written` is one, with a file for each family.
"""

from __future__ import annotations

import ast
import difflib
import itertools
import json
import os
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from momus.critique import CATEGORIES, Span, TextMap
from momus.decode import from_json
from momus.errors import MomusError
from momus.inputs.supplied import supplied
from momus.records import Bug, RecordError, Tamper, Task, read_jsonl, read_line

SMALL = Path(__file__).with_name("small.jsonl")
VARIABLE = "MOMUS_DATA"

# The classes that other data sets name, in ours. What is not here is `other`.
_CATEGORIES = {
    "condition error": "wrong-condition",
    "faulty indexing": "off-by-one",
    "operation error": "wrong-operator",
    "variable error": "wrong-variable",
    "undefined methods": "undefined-name",
    "undefined objects": "undefined-name",
    "misused == or =": "syntax",
    "missing colons": "syntax",
    "unclosed parentheses": "syntax",
    "unclosed string": "syntax",
    "illegal indentation": "syntax",
    "illegal comment": "syntax",
    "illegal keywords": "syntax",
    "operator misuse": "wrong-operator",
    "variable misuse": "wrong-variable",
    "function misuse": "wrong-call",
    "value misuse": "wrong-constant",
    "missing logic": "missing-statement",
}
# One record holds as many bugs as this says, each a run of changed lines of its own.
_SEVERAL = frozenset({"double", "triple", "quadruple"})


def data_folder() -> Path | None:
    """The folder that MOMUS_DATA names, or None where it is not set. Raises MomusError where it is no folder."""
    named = os.environ.get(VARIABLE)
    if not named:
        return None
    folder = Path(named).expanduser()
    if not folder.is_dir():
        raise MomusError(f"{VARIABLE} names {named}, which is no folder: set it to the folder of the data, or unset it")
    return folder


def small_bugs() -> list[Tamper]:
    """The small set that this project wrote itself: every answer fails its tests, every twin passes them."""
    return list(read_jsonl(SMALL, Tamper))


def load_bugs(
    path: Path | str,
    *,
    small_fix: bool = False,
    parses: bool = False,
    split: str | None = None,
    limit: int | None = None,
) -> list[Tamper]:
    """Read tasks with known bugs, in either form.

    `small_fix` keeps what is so marked (fixes of 1-3 lines, which have a place), `parses` what is valid Python,
    `split` one side of a split. Where the fix has no unique place, `bugs` is empty. Raises MomusError naming the line.
    """
    path = Path(path)
    tests = _Tests(path)
    found = (_tamper(body, where, tests) for body, where in _objects(path))
    kept = (
        tamper
        for tamper, is_small in found
        if (is_small or not small_fix)
        and (split is None or tamper.task.split == split)
        and (not parses or _parses(tamper.task.answer))
    )
    return list(itertools.islice(kept, limit))


def load_clean(path: Path | str, *, split: str | None = None, limit: int | None = None) -> list[Task]:
    """Read clean answers, each once: those of a file of tasks, or the twins of a file of bugs.

    Raises MomusError naming the line.
    """
    distinct: dict[tuple[str, str], Task] = {}
    for task in _tasks(Path(path), split):
        distinct.setdefault((task.question, task.answer), task)
        if limit is not None and len(distinct) >= limit:
            break
    return list(distinct.values())


def load_tasks(path: Path | str, *, split: str | None = None, limit: int | None = None) -> list[Task]:
    """Read (question, correct answer, tests) in either form. Raises MomusError naming the line."""
    return list(itertools.islice(_tasks(Path(path), split), limit))


def load_items(path: Path | str, *, split: str | None = None, limit: int | None = None) -> list[Tamper | Task]:
    """Read each line as what it is, in either form: a task with known bugs, or one without.

    Raises MomusError naming the line.
    """
    path = Path(path)
    tests = _Tests(path)
    found: Iterator[Tamper | Task] = (
        _tamper(body, where, tests)[0] if "twin" in body or "buggy" in body else _task(body, where, tests)
        for body, where in _objects(path)
    )
    kept = (item for item in found if split is None or task_of(item).split == split)
    return list(itertools.islice(kept, limit))


def task_of(item: Tamper | Task) -> Task:
    """The task of either."""
    return item.task if isinstance(item, Tamper) else item


def _tasks(path: Path, split: str | None) -> Iterator[Task]:
    tests = _Tests(path)
    found = (_task(body, where, tests) for body, where in _objects(path))
    return (task for task in found if split is None or task.split == split)


def twin_of(tamper: Tamper) -> Task:
    """The clean twin as a task of its own, under the same id."""
    return tamper.task.model_copy(update={"answer": tamper.twin})


class _Tests:
    """Tests kept apart from their tasks, in `NAME-tests.jsonl` beside `NAME.jsonl`; read when first asked for."""

    def __init__(self, path: Path) -> None:
        self._path = path.with_name(f"{path.stem}-tests.jsonl")
        self._known: dict[tuple[str, str], str] | None = None

    def of(self, body: dict[str, Any]) -> str | None:
        if body.get("tests") is not None:
            return str(body["tests"])
        if "caught_by" not in body:
            return None
        if self._known is None:
            rows = _objects(self._path) if self._path.is_file() else iter(())
            self._known = {(str(row["problem"]), str(row["caught_by"])): str(row["tests"]) for row, _ in rows}
        return self._known.get((str(body.get("problem")), str(body["caught_by"])))


def _objects(path: Path) -> Iterator[tuple[dict[str, Any], str]]:
    if path.is_dir():
        files = sorted(path.glob("*.jsonl"))
        if not files:
            raise MomusError(f"there is no *.jsonl in {path}: name a folder of tasks, or a file")
        for file in files:
            yield from _objects(file)
        return
    try:
        lines = path.open("rb")
    except OSError as error:
        raise MomusError(f"can't read {path}: {error.strerror or error}") from None
    with lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            where = f"{path}:{number}"
            try:
                body = from_json(line.decode("utf-8-sig"))
            except ValueError as error:
                raise RecordError(f"{where}: not JSON: {error}") from None
            if not isinstance(body, dict):
                raise RecordError(f"{where}: not a task: expected an object, not {type(body).__name__}")
            yield body, where


def _tamper(body: dict[str, Any], where: str, tests: _Tests) -> tuple[Tamper, bool]:
    """The record of a line, and whether its fix is small enough to have a place."""
    if "twin" in body:
        tamper = read_line(json.dumps(body), Tamper, where)
        return tamper, bool(tamper.bugs)
    buggy, fixed = _text(body, "buggy", where), _text(body, "fixed", where)
    is_small = bool(body.get("small_fix", True))
    bugs = reference_bugs(body, buggy, fixed, where) if is_small else ()
    task = _task_of(body, buggy, where, tests, fixed)
    proof = "tests" if body.get("verified") and task.tests is not None else "compiles"
    author = str(body.get("model") or body.get("source") or "unknown")
    return Tamper(task=task, twin=fixed, bugs=bugs, proof=proof, author=author), is_small  # type: ignore[arg-type]


def _task(body: dict[str, Any], where: str, tests: _Tests) -> Task:
    if "twin" in body or "buggy" in body:
        return twin_of(_tamper(body, where, tests)[0])
    if "schema_version" in body:
        return read_line(json.dumps(body), Task, where)
    return _task_of(body, _text(body, "answer", where), where, tests)


def _task_of(body: dict[str, Any], answer: str, where: str, tests: _Tests, twin: str = "") -> Task:
    problem, judged = body.get("problem"), tests.of(body)
    prelude = str(body.get("prelude") or "")
    if judged is not None and "prelude" not in body:
        # Such answers are snippets, and were found to pass behind the usual imports: those that they take for granted.
        prelude = "".join(dict.fromkeys(line for each in (answer, twin) for line in supplied(each).splitlines(True)))
    return Task(
        id=_text(body, "id", where),
        question=_text(body, "question", where),
        answer=answer,
        tests=judged,
        prelude=prelude,
        context=_context(body),
        entry_point=body.get("entry_point"),
        group=None if problem is None else str(problem),
        split=body.get("split"),
        source=str(body.get("source") or ""),
        licence=str(body.get("licence") or ""),
    )


def _context(body: dict[str, Any]) -> str:
    """What stands around the answer in its file; nothing where it shows imports that the fix adds, which tells it."""
    return "" if body.get("imports_changed") else str(body.get("context") or "")


def _text(body: dict[str, Any], field: str, where: str) -> str:
    if not isinstance(body.get(field), str):
        raise RecordError(f"{where}: not a task: {field}: expected text (fields: {', '.join(sorted(body)) or 'none'})")
    return str(body[field])


def reference_bugs(body: dict[str, Any], buggy: str, fixed: str, where: str) -> tuple[Bug, ...]:
    """The bugs that a line in the development form tells of. Raises RecordError, which begins with `where`."""
    text = TextMap(buggy)
    anchors = (max(1, line) for line in _numbers(body, "anchor_lines", where))  # 0: it inserts before the first line
    lines = sorted({*_numbers(body, "bug_lines", where), *anchors})
    if lines and not 1 <= lines[0] <= lines[-1] <= text.line_count:
        raise RecordError(f"{where}: not a task: bug_lines: the answer has lines 1..{text.line_count}, not {lines}")
    named = str(body.get("category") or body.get("bug_type") or "other")
    category = named if named in CATEGORIES else _CATEGORIES.get(named, "other")
    description = str(body.get("description") or "")
    runs = [(span, run) for run in _runs(lines) if (span := _span(text, run)) is not None]
    if not runs:
        return ()
    groups = [[run] for run in runs] if named in _SEVERAL else [runs]
    mended = _mended_runs(buggy, fixed)
    return tuple(
        Bug(
            spans=tuple(span for span, _ in group),
            category=category,
            description=description,
            suggestion=_suggestion(text, group[0][1], mended) if len(group) == 1 else None,
        )
        for group in groups
    )


def _numbers(body: dict[str, Any], field: str, where: str) -> list[int]:
    numbers = body.get(field) or []
    if not isinstance(numbers, list) or not all(isinstance(n, int) for n in numbers):
        raise RecordError(f"{where}: not a task: {field}: expected a list of line numbers")
    return numbers


def _runs(lines: Sequence[int]) -> Iterator[range]:
    """Lines that follow one another, as ranges."""
    for _, group in itertools.groupby(enumerate(lines), lambda pair: pair[1] - pair[0]):
        numbers = [line for _, line in group]
        yield range(numbers[0], numbers[-1] + 1)


def _span(text: TextMap, run: range) -> Span | None:
    """From the first code of a run of lines to its last; a blank line is stood for by its line end."""
    start, end = text.line_span(run[0])[0], text.line_span(run[-1])[1]
    quoted = text.text[start:end]
    if quoted.strip():
        return Span(start + len(quoted) - len(quoted.lstrip()), start + len(quoted.rstrip()))
    return Span(start, start + 1) if start < len(text.text) else None


def _mended_runs(buggy: str, fixed: str) -> dict[range, str]:
    """Runs of buggy lines that the fix replaces as a whole, and the lines that take their place."""
    before, after = (
        [text.line_text(n) for n in range(1, text.line_count + 1)] for text in map(TextMap, (buggy, fixed))
    )
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    return {
        range(a0 + 1, a1 + 1): "\n".join(after[b0:b1])
        for tag, a0, a1, b0, b1 in matcher.get_opcodes()
        if tag in ("replace", "delete")
    }


def _suggestion(text: TextMap, run: range, mended: dict[range, str]) -> str | None:
    if run not in mended:
        return None
    start = text.line_span(run[0])[0]
    span = _span(text, run)
    # The span leaves the first line's indentation standing, so the suggestion must not bring it again.
    indent = text.text[start : span.start] if span is not None else ""
    lines = mended[run]
    return lines.removeprefix(indent).rstrip() if lines.startswith(indent) else None


def _parses(code: str) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True
