"""A file cut into units that a critic can take in: functions and methods, class bodies, and what stands outside them.

Every line belongs to exactly one unit. What the critic reads of a unit is dedented, its line ends are "\\n", and
context may stand before it; `Unit.in_file` brings a comment back to the exact place in the file.
"""

from __future__ import annotations

import ast
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from momus.corpus.functions import first_paragraph
from momus.critique import Comment, Span, TextMap
from momus.records import Surroundings, Task
from momus.review.context import Names, stated_task
from momus.review.source import Source

# How a critic wants its code: functions as they stand (`bare`), the same with what they use of the file in the task's
# `context` and the task that the file states as the question (`unit`), functions below the imports and signatures that
# they use (`context`), or whole files, as linters do (on a part they would see undefined names everywhere).
Cut = Literal["bare", "unit", "context", "file"]

MODULE = "<module>"
WINDOW_LINES = 80  # lines of its own that one window of a long unit has at most
WINDOW_CHARACTERS = 8000
UNIT_LINES = 400  # the same where units are wanted whole
UNIT_CHARACTERS = 16000
OVERLAP_LINES = 8

_FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef
_LINE_END = re.compile(r"\r\n|\r|\n")
_TOP_LEVEL = re.compile(r"(?:@|(?:async\s+)?def\b|class\b)")
_TOP_LEVEL_NAME = re.compile(r"(?:async\s+)?(?:def|class)\s+(\w+)")


@dataclass(frozen=True, slots=True)
class Region:
    """The lines of a file, 1-based and ascending, that one unit owns. `indent` is what dedenting takes away."""

    name: str
    lines: tuple[int, ...]
    question: str = ""
    indent: str = ""
    head: tuple[int, ...] = ()  # the signature's lines, repeated before later windows
    node: ast.AST | None = None
    within: ast.ClassDef | None = None  # the class that a method is of
    reviewable: bool = True


@dataclass(frozen=True, slots=True)
class _Piece:
    """A run of the answer that stands in the file: equal lengths, or a line end whose length differs."""

    answer: int
    length: int
    file: int
    file_length: int


@dataclass(frozen=True, slots=True)
class Unit:
    """A task cut from a file. `lines` are the file's lines that it owns; what stands before them is context."""

    name: str
    task: Task
    lines: tuple[int, ...]
    pieces: tuple[_Piece, ...]
    indent: str = ""

    def in_file(self, comment: Comment, text: str) -> Comment | None:
        """A comment on the task, as one on the file's text; None where it is on context alone.

        A highlight that runs out of the unit's own lines, or over a gap between them, is cut to its first run, and
        loses its suggestion, which was for the whole.
        """
        start, end = comment.highlight.start, comment.highlight.end
        first = max(0, bisect_right(self.pieces, start, key=lambda piece: piece.answer) - 1)
        span: Span | None = None
        whole = False
        for piece in self.pieces[first:]:
            if piece.answer >= end:
                break
            if piece.answer + piece.length <= start:
                continue
            here = _piece_span(piece, start, end)
            if span is not None and text[span.end : here.start].strip():
                break
            whole = whole or piece.answer <= start
            span = Span(here.start if span is None else span.start, here.end)
            if end <= piece.answer + piece.length:
                suggestion = comment.suggestion if whole else None
                return replace(comment, highlight=span, suggestion=self._indented(suggestion, text, span))
        return None if span is None else replace(comment, highlight=span, suggestion=None)

    def _indented(self, suggestion: str | None, text: str, span: Span) -> str | None:
        """A suggestion with the file's own indentation and line ends."""
        if suggestion is None or "\n" not in suggestion:
            return suggestion
        found = _LINE_END.search(text, span.start) or _LINE_END.search(text)
        end = found.group() if found else "\n"
        first, *rest = suggestion.split("\n")
        return end.join([first, *((self.indent + line if line.strip() else line) for line in rest)])


def _piece_span(piece: _Piece, start: int, end: int) -> Span:
    begin = piece.file + max(0, start - piece.answer)
    over = piece.answer + piece.length <= end
    return Span(begin, piece.file + (piece.file_length if over else end - piece.answer))


def in_surroundings(unit: Unit, source: Source, *, run: bool) -> Unit:
    """The unit with the file that it is cut from, for a critic that runs code; whether it may is `run`."""
    skip = unit.task.answer[: unit.pieces[0].answer].count("\n") if unit.pieces else 0
    around = Surroundings(code=source.code, lines=unit.lines, skip=skip, indent=unit.indent)
    return replace(unit, task=unit.task.model_copy(update={"surroundings": around, "run": run}))


def cut(source: Source, found: Sequence[Region], how: Cut = "context") -> list[Unit]:
    """The units of a source, in the order of their first lines; regions without any code give none.

    Docstrings, `pass`, and the bare heads of classes are no code.
    """
    text = TextMap(source.code)
    if not source.code.strip():
        return []
    if how == "file":
        every = tuple(range(1, text.line_count + 1))
        return [_unit(source, text, Region(MODULE, every), every, "", 0)]
    names = Names(source.tree) if how in ("context", "unit") and source.tree is not None else None
    question = stated_task(source.code, source.tree) if how == "unit" else ""
    units: list[Unit] = []
    for region in found:
        if not region.reviewable:
            continue
        if how == "unit":
            around = names.around(region.node, region.name, region.within) if names is not None else ""
            units += _whole(source, text, replace(region, question=question), around)
        else:
            before = names.context(region.node, region.name) if names is not None else ""
            units += _windows(source, text, region, before)
    return sorted(units, key=lambda unit: unit.lines[0])


def regions(source: Source) -> list[Region]:
    """Divide all lines of a source among regions, each line in exactly one. What does not parse is cut by its look."""
    text = TextMap(source.code)
    try:
        return _by_syntax(source.tree, text) if source.tree is not None else _by_look(text)
    except RecursionError:
        return _by_look(text)


def _by_syntax(tree: ast.Module, text: TextMap) -> list[Region]:
    owners: list[ast.AST] = [tree] * text.line_count
    names: dict[ast.AST, str] = {tree: MODULE}
    classes: dict[ast.AST, ast.ClassDef | None] = {}
    pending: list[tuple[ast.AST, str, ast.ClassDef | None]] = [(tree, "", None)]
    while pending:  # outer nodes come before inner ones, which then take their lines over
        node, prefix, within = pending.pop()
        if isinstance(node, _FunctionNode | ast.ClassDef):
            names[node], classes[node] = prefix + node.name, within
            prefix = f"{prefix}{node.name}."
            within = node if isinstance(node, ast.ClassDef) else within
            first, last = _first_line(node), node.end_lineno or node.lineno
            owners[first - 1 : last] = [node] * (last - first + 1)
            if isinstance(node, _FunctionNode):
                continue
        inner = (ast.stmt, ast.ExceptHandler, ast.match_case)
        pending += [(child, prefix, within) for child in ast.iter_child_nodes(node) if isinstance(child, inner)]
    lines: dict[ast.AST, list[int]] = {}
    for number, owner in enumerate(owners, 1):
        lines.setdefault(owner, []).append(number)
    return [_region(node, names[node], owned, text, classes.get(node)) for node, owned in lines.items()]


def _region(node: ast.AST, name: str, lines: list[int], text: TextMap, within: ast.ClassDef | None) -> Region:
    indent = ""
    head: tuple[int, ...] = ()
    question = ""
    if isinstance(node, _FunctionNode | ast.ClassDef):
        line = _line(text, lines[0])
        indent = line[: len(line) - len(line.lstrip())]
        body = node.body[0].lineno if node.body else node.lineno
        head = tuple(number for number in lines if node.lineno <= number < max(body, node.lineno + 1))
    if isinstance(node, _FunctionNode | ast.ClassDef | ast.Module):
        question = first_paragraph(ast.get_docstring(node) or "")
    reviewable = any(_line(text, number).strip() for number in lines) and _has_code(node)
    return Region(name, tuple(lines), question, indent, head, node, within, reviewable)


def _has_code(node: ast.AST) -> bool:
    """Whether anything but docstrings, `pass` and definitions that are units themselves stands in a body."""
    if isinstance(node, _FunctionNode):
        return True
    if isinstance(node, ast.ClassDef) and (node.decorator_list or node.keywords):
        return True
    for statement in getattr(node, "body", []):
        if isinstance(statement, _FunctionNode | ast.ClassDef | ast.Pass):
            continue
        if not (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)):
            return True
    return False


def _by_look(text: TextMap) -> list[Region]:
    """Blocks that begin with a definition at the margin, its decorators with it."""
    blocks: list[list[int]] = [[]]
    decorated = False
    for number in range(1, text.line_count + 1):
        line = _line(text, number)
        if _TOP_LEVEL.match(line):
            if not decorated and blocks[-1]:
                blocks.append([])
            decorated = line.startswith("@")
        blocks[-1].append(number)
    found = []
    for block in blocks:
        named = (_TOP_LEVEL_NAME.match(_line(text, number)) for number in block)
        name = next((match.group(1) for match in named if match), MODULE)
        found.append(Region(name, tuple(block), reviewable=any(_line(text, n).strip() for n in block)))
    return found


def _windows(source: Source, text: TextMap, region: Region, context: str) -> Iterator[Unit]:
    for number, lines in enumerate(_cut_long(region.lines, text, WINDOW_LINES, WINDOW_CHARACTERS)):
        first = lines[0] == region.lines[0]
        before = context if first else context + _repeated(region, text)
        yield _unit(source, text, region, lines, before, number)


def _whole(source: Source, text: TextMap, region: Region, around: str) -> Iterator[Unit]:
    """A region as one unit with its context apart; only one that no model would take in is cut."""
    for number, lines in enumerate(_cut_long(region.lines, text, UNIT_LINES, UNIT_CHARACTERS)):
        context = around if lines[0] == region.lines[0] else around + _repeated(region, text)
        unit = _unit(source, text, region, lines, "", number)
        yield replace(unit, task=unit.task.model_copy(update={"context": context}))


def _cut_long(lines: tuple[int, ...], text: TextMap, most: int, characters: int) -> Iterator[tuple[int, ...]]:
    """Windows of a unit's lines, each overlapping the one before, so that no fault lies on a seam."""
    start = 0
    while True:
        end, size = start, 0
        while end < len(lines) and end - start < most:
            size += len(_line(text, lines[end])) + 1
            if size > characters and end > start:
                break
            end += 1
        yield lines[start:end]
        if end == len(lines):
            return
        start = end - min(OVERLAP_LINES, (end - start) // 2)


def _repeated(region: Region, text: TextMap) -> str:
    head = [_line(text, number).removeprefix(region.indent) + "\n" for number in region.head[:8]]
    return "".join([*head, "    ...\n"]) if head else ""


def _unit(source: Source, text: TextMap, region: Region, lines: Sequence[int], before: str, window: int) -> Unit:
    parts = [before]
    position = len(before)
    pieces: list[_Piece] = []
    for number in lines:
        start = text.starts[number - 1]
        stop = text.starts[number] if number < len(text.starts) else len(text.text)
        line = text.text[start:stop]
        content = line.rstrip("\r\n")
        removed = len(region.indent) if region.indent and line.startswith(region.indent) else 0
        if not content.strip():
            removed = min(len(region.indent), len(content))
        kept = content[removed:]
        ended = len(line) - len(content)
        position = _append(pieces, position, start + removed, len(kept), len(kept))
        position = _append(pieces, position, start + len(content), min(1, ended), ended)
        parts += [kept, "\n" if ended else ""]
    place = f"{source.path}:{lines[0]}" + (f"+{window}" if window else "")
    task = Task(id=place, question=region.question, answer="".join(parts), source=f"{source.path}:{region.name}")
    return Unit(region.name, task, tuple(lines), tuple(pieces), region.indent)


def _append(pieces: list[_Piece], position: int, file: int, length: int, file_length: int) -> int:
    if not length:
        return position
    last = pieces[-1] if pieces else None
    joins = last is not None and last.length == last.file_length and last.file + last.file_length == file
    if last is not None and joins and length == file_length:
        pieces[-1] = _Piece(last.answer, last.length + length, last.file, last.file_length + length)
        return position + length
    pieces.append(_Piece(position, length, file, file_length))
    return position + length


def _first_line(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> int:
    return min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])


def _line(text: TextMap, number: int) -> str:
    start, end = text.line_span(number)
    return text.text[start:end]
