"""Functions as tasks: the code is the answer, and the docstring, where it is taken out, the question."""

from __future__ import annotations

import ast
import random
import warnings
from collections.abc import Iterable, Iterator
from typing import Literal

from momus.corpus.functions import Function, FunctionNode, first_paragraph
from momus.records import Task

# How people put a request; the plain paragraph stands first and comes more often than each of the others.
PHRASINGS = (
    "{doc}",
    "{doc}",
    "Write a Python function `{name}`. {doc}",
    "Implement `{name}`: {doc}",
    "{doc}\n\nStart from `{signature}`.",
)

Grouping = Literal["package", "function"]


def to_task(function: Function, *, seed: int, asked: float = 0.6, group: Grouping = "package") -> Task:
    """The task of a function. With probability `asked` its docstring moves out of the answer into the question.

    The choice depends on the seed and the function's id alone, not on what else is converted. Tasks are grouped by
    package; those of one folder, which would be one group, by file and function.
    """
    rng = random.Random(f"{seed}/{function.id}")
    moved = split_docstring(function.code) if rng.random() < asked else None
    question, answer = "", function.code
    if moved is not None:
        answer, doc, signature = moved
        name = function.name.rsplit(".", 1)[-1]
        question = rng.choice(PHRASINGS).format(doc=doc, name=name, signature=signature)
    return Task(
        id=f"function/{function.id}",
        question=question,
        answer=answer,
        group=function.package if group == "package" else f"{function.package}/{function.path}:{function.name}",
        split=function.split,
        source=f"{function.package} {function.version}",
        licence=function.licence,
    )


def to_tasks(
    functions: Iterable[Function], *, seed: int, asked: float = 0.6, group: Grouping = "package"
) -> Iterator[Task]:
    """The tasks of functions, in their order; a repeated id gets a number, so that ids are unique within the call."""
    seen: dict[str, int] = {}
    for function in functions:
        task = to_task(function, seed=seed, asked=asked, group=group)
        count = seen[task.id] = seen.get(task.id, 0) + 1
        yield task if count == 1 else task.model_copy(update={"id": f"{task.id}#{count}"})


def split_docstring(code: str) -> tuple[str, str, str] | None:
    """The code without its docstring, the docstring's first paragraph, and the signature on one line.

    None where there is no docstring, where it is the whole body, or where it shares its lines with other code.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            node = ast.parse(code).body[0]
    except (SyntaxError, ValueError, IndexError, RecursionError, MemoryError):
        return None
    if not isinstance(node, FunctionNode) or len(node.body) < 2:
        return None
    doc = first_paragraph(ast.get_docstring(node) or "")
    if not doc:
        return None
    first, last = node.body[0], node.body[1]
    lines = code.split("\n")
    assert first.end_lineno is not None
    before, start, end = lines[first.lineno - 1], first.lineno - 1, first.end_lineno
    after = lines[end - 1].encode()[first.end_col_offset :].decode()
    if before[: len(before) - len(before.lstrip())] != before.encode()[: first.col_offset].decode():
        return None
    if (after.strip() and not after.lstrip().startswith("#")) or last.lineno <= end:
        return None
    if end < len(lines) and not lines[end].strip():
        end += 1  # the blank line that parted the docstring from the body
    arguments = ast.unparse(node.args)
    returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    keyword = "async def" if isinstance(node, ast.AsyncFunctionDef) else "def"
    return "\n".join(lines[:start] + lines[end:]), doc, f"{keyword} {node.name}({arguments}){returns}:"
