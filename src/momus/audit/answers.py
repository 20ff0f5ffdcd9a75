"""Answers that somebody rated good, code or not, out of JSON lines of any of the usual forms."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from momus.critique import answer_of_reply
from momus.decode import from_json
from momus.errors import MomusError
from momus.measure.datasets import load_tasks
from momus.records import Task, versioned

QUESTIONS = ("question", "prompt", "instruction")
ANSWERS = ("answer", "response", "completion", "chosen", "output")
PYTHON, TEXT = "python", "text"
# Critics that read Python and nothing else.
CODE_ONLY = ("auto", "local:", "solutions", "bundled", "linter:", "examples", "surprisal")
_LABEL = re.compile(r"^`{3,}[ \t]*(\w*)", re.MULTILINE)


def read_answers(paths: Iterable[Path]) -> list[Task]:
    """Each question with its answer once, as tasks under versioned ids; answers of blanks are left out.

    Lines are records `Task`, or objects with a question (`question`, `prompt` or `instruction`) and an answer
    (`answer`, `response`, `completion`, `chosen` or `output`), as texts or chat messages, perhaps with `id`, `group`
    and `language`. Without a language, an answer is Python where half of a reply or all of it is; else it is text.
    Raises MomusError naming the line.
    """
    found: dict[tuple[str, str], Task] = {}
    for path in paths:
        for task in _tasks(path):
            if task.answer.strip():
                found.setdefault((task.question, task.answer), versioned(task))
    if not found:
        raise MomusError(f"there is no answer in {', '.join(map(str, paths))}: give JSONL of questions and answers")
    return list(found.values())


def reads_code_only(critic: str) -> bool:
    """Whether a critic, by name, can make nothing of an answer that is not Python."""
    return critic.startswith(CODE_ONLY)


def for_critic(tasks: Sequence[Task], critic: str) -> list[Task]:
    """The answers that a critic can read. Raises MomusError where it can read none of them."""
    kept = [task for task in tasks if task.language == PYTHON or not reads_code_only(critic)]
    if not kept:
        raise MomusError(
            f"the critic {critic} reads Python only, and none of these {len(tasks)} answers is: use a critic that "
            "reads any text, such as server:MODEL@URL"
        )
    return kept


def _tasks(path: Path) -> Iterable[Task]:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise MomusError(f"can't read {path}: {error}: give JSON lines in UTF-8") from None
    rows = [(number, line) for number, line in enumerate(lines, 1) if line.strip()]
    first = _object(rows[0][1], f"{path}:{rows[0][0]}") if rows else {}
    if "schema_version" in first or "buggy" in first or "twin" in first:
        return load_tasks(path)
    return [_task(_object(line, f"{path}:{number}"), f"{path}:{number}", path.stem, number) for number, line in rows]


def _object(line: str, where: str) -> dict[str, Any]:
    try:
        body = from_json(line)
    except ValueError as error:
        raise MomusError(f"{where}: not JSON: {error}") from None
    if not isinstance(body, dict):
        raise MomusError(f"{where}: no object with a question and an answer")
    return body


def _task(body: dict[str, Any], where: str, stem: str, number: int) -> Task:
    question = _text(body, QUESTIONS, where, every=True)
    answer = _text(body, ANSWERS, where, every=False)
    language = body.get("language")
    if not isinstance(language, str):
        answer, language = code_or_text(answer)
    group = body.get("group", body.get("problem"))
    return Task(
        id=str(body.get("id", f"{stem}:{number}")),
        question=question,
        answer=answer,
        language=language.lower(),
        group=None if group is None else str(group),
        source=str(body.get("source") or ""),
        licence=str(body.get("licence") or ""),
    )


def code_or_text(reply: str) -> tuple[str, str]:
    """What is looked at of a reply, and its language: its largest block of code (section 2.1.4), or all of it."""
    block = answer_of_reply(reply)
    if block is not None:
        label = next((m[1].lower() for m in _LABEL.finditer(reply) if block.strip() in reply[m.start() :]), "")
        return block, PYTHON if label in ("", "py", "python3", PYTHON) else label
    return reply, PYTHON if _is_python(reply) else TEXT


def _is_python(text: str) -> bool:
    """Whether a text parses, and does more than name things: a single word of prose parses as well."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            body = ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return any(not isinstance(node, ast.Expr) or isinstance(node.value, ast.Call) for node in body)


def _text(body: dict[str, Any], names: Sequence[str], where: str, *, every: bool) -> str:
    value = next((body[name] for name in names if body.get(name) is not None), None)
    if isinstance(value, list):
        texts = [m.get("content") for m in value if isinstance(m, dict)]
        if texts and len(texts) == len(value) and all(isinstance(text, str) for text in texts):
            return "\n\n".join(map(str, texts if every else texts[-1:]))
    if not isinstance(value, str):
        raise MomusError(f"{where}: none of {', '.join(names)} is a text or a list of chat messages")
    return value
