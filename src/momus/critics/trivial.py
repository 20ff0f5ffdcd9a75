"""Critics that know nothing, so that no figure has to stand alone: silence, every line, a line at random."""

from __future__ import annotations

import ast
import random
import textwrap
import warnings
from collections.abc import Iterable, Iterator, Sequence

from momus.critics.protocol import each
from momus.critique import Comment, Critique, Span, TextMap
from momus.records import Sampled, Task


class Empty:
    """Finds no problem in anything."""

    name = "empty"

    def critique(self, tasks: Iterable[Task], *, n: int = 1, seed: int) -> Iterator[Sampled]:
        return each(self.name, tasks, n, lambda task, i: Critique())


class Everything:
    """Comments on every line that is not blank, from the top."""

    name = "everything"

    def critique(self, tasks: Iterable[Task], *, n: int = 1, seed: int) -> Iterator[Sampled]:
        return each(
            self.name, tasks, n, lambda task, i: on_lines(TextMap(task.answer), None, "This line may be wrong.")
        )


class Random:
    """Comments on lines drawn at random, those of bodies first: `comments` of them, None for all.

    What is drawn depends on the seed, the task's id and its answer alone.
    """

    name = "random"

    def __init__(self, comments: int | None = 1) -> None:
        self.comments = comments
        self.version = f"comments={comments}"
        self.ranks = comments is None

    def critique(self, tasks: Iterable[Task], *, n: int = 1, seed: int) -> Iterator[Sampled]:
        def write(task: Task, i: int) -> Critique:
            text = TextMap(task.answer)
            body = list(body_lines(text))
            random.Random(f"{seed}/{i}/{task.id}/{task.answer}").shuffle(body)
            lines = [*body, *(line for line in text.code_lines if line not in set(body))]
            return on_lines(text, lines[: self.comments], "This line was drawn at random.")

        return each(self.name, tasks, n, write)


def body_lines(text: TextMap) -> tuple[int, ...]:
    """The 1-based lines that do something, signatures left out; all that are not blank where there is none.

    A baseline that may point at a signature is an easy one to beat: on surprise, it nearly always does.
    """
    return acting_lines(text, signatures=False) or text.code_lines


def acting_lines(text: TextMap, *, signatures: bool) -> tuple[int, ...]:
    """The 1-based lines of code but for imports, decorators, docstrings, comments and, unless asked for, signatures.

    Code that does not parse gives all lines that are not blank.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(textwrap.dedent(text.text))  # methods stand indented
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return text.code_lines
    functions = ast.FunctionDef | ast.AsyncFunctionDef
    lines: set[int] = set()
    for node in ast.walk(tree):
        if not isinstance(node, ast.stmt) or isinstance(node, ast.ClassDef | ast.Import | ast.ImportFrom):
            continue
        if isinstance(node, functions) and not signatures:
            continue
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue
        inner = getattr(node, "body", None)
        last = inner[0].lineno - 1 if inner else node.end_lineno or node.lineno
        lines.update(range(node.lineno, max(node.lineno, last) + 1))
    return tuple(line for line in text.code_lines if line in lines)


def on_lines(
    text: TextMap, lines: Sequence[int] | None, remark: str, confidences: Sequence[float] | None = None
) -> Critique:
    """The same remark on each of some lines (None: all that are not blank), in the order given."""
    chosen = text.code_lines if lines is None else lines
    levels: Sequence[float | None] = [None] * len(chosen) if confidences is None else confidences
    return Critique(
        tuple(
            Comment(line_highlight(text, line), remark, severity="low", confidence=level)
            for line, level in zip(chosen, levels, strict=True)
        )
    )


def line_highlight(text: TextMap, line: int) -> Span:
    """The code of a line that is not blank, its indentation and what trails it left out."""
    start, end = text.line_span(line)
    code = text.text[start:end]
    return Span(start + len(code) - len(code.lstrip()), start + len(code.rstrip()))
