"""What the model is shown of an answer: no comments, and where each line that is shown stands in the answer.

A comment is no part of what code does, and a model that reads `# this is correct` finds a line less suspicious, or
does what it is told there. Without comments the right line comes first more often as well (decision 19). Docstrings
and other strings are part of the program, and stay unless they speak of reviewing; `without_prose` leaves them all
out, to see what rests on them alone.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeGuard

from momus.critique import TextMap

PROSE = 4  # words from which the text of a string is prose
_TEXT = '"..."'
_NEWLINE = re.compile(r"\r\n|\r|\n")
# What speaks to a reader of the code that is to judge it says nothing of what the code is for.
_TO_A_REVIEWER = re.compile(
    r"```|<\||\b(?:bugs?|review(?:s|ed|ers?|ing)?|critics?|assistants?|chatbots?|language models?|LLMs?|A\.?I\.?"
    r"|(?:previous|prior|earlier|above|these|all|your) instructions?|repeat (?:it|this|the)|verbatim"
    r"|(?:do not|don't|must not|never) (?:change|flag|report|touch))(?!\w)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Bare:
    """Code without comments. `lines[i]` is the line of the answer (1-based) that line i of `code` is; lines that held
    only a comment are left out."""

    code: str
    lines: tuple[int, ...]


def bare(answer: str) -> Bare:
    """An answer without its comments; as it is where it can't be read as Python, of which no fix is ever shown.

    Docstrings and long strings that speak to a reviewer, or hold a fenced block, are left out as well.
    """
    prose = _prose(answer) if _TO_A_REVIEWER.search(answer) else ()
    return _without(
        answer,
        [*_comment_edits(answer), *(edit for edit in prose if _TO_A_REVIEWER.search(answer[edit.start : edit.end]))],
    )


def without_prose(answer: str, keep: frozenset[int] = frozenset()) -> Bare:
    """An answer without comments and docstrings, and with `...` for other strings of several words, but for those on
    the lines `keep` (1-based)."""
    text, prose = TextMap(answer), _prose(answer)
    return _without(answer, [*_comment_edits(answer), *(edit for edit in prose if keep.isdisjoint(_lines(text, edit)))])


def _lines(text: TextMap, edit: _Edit) -> range:
    return range(text.line(edit.start), text.line(edit.end) + 1)


def comment_starts(answer: str) -> dict[int, int]:
    """For each line with a comment (1-based) the column at which it begins; none where the answer is no Python."""
    return dict(_comments(TextMap(answer)))


@dataclass(frozen=True, slots=True)
class _Edit:
    """The code points `start` to `end` of an answer give way to a text."""

    start: int
    end: int
    text: str = ""


def _without(answer: str, edits: list[_Edit]) -> Bare:
    """The answer with the edits; one that begins inside of another is a part of what that takes out."""
    text = TextMap(answer)
    if not edits:
        return Bare(answer, tuple(range(1, text.line_count + 1)))
    lines, numbers, at = [""], [1], 0
    touched: set[int] = set()
    for edit in [*sorted(edits, key=lambda edit: (edit.start, -edit.end)), _Edit(len(answer), len(answer))]:
        if edit.start < at:
            continue
        first = text.line(at)
        one, *more = _NEWLINE.split(answer[at : edit.start])
        lines[-1] += one
        lines += more
        numbers += range(first + 1, first + 1 + len(more))
        if edit.end > edit.start:
            touched.add(len(lines) - 1)
            lines[-1] += edit.text
        at = edit.end
    kept: list[tuple[int, str]] = []
    for k, (n, line) in enumerate(zip(numbers, lines, strict=True)):
        shown = line.rstrip() if k in touched else line
        joined = bool(kept) and kept[-1][1].endswith("\\")  # the line goes on here, and has to end somewhere
        if n <= text.line_count and (shown or k not in touched or joined):
            kept.append((n, shown))
    return Bare("".join(line + "\n" for _, line in kept), tuple(n for n, _ in kept))


def _comments(text: TextMap) -> Iterator[tuple[int, int]]:
    """Line (1-based) and column of each comment."""
    code = "".join(text.line_text(n).rstrip("\r\n") + "\n" for n in range(1, text.line_count + 1))
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(code).readline))
    except (tokenize.TokenError, SyntaxError):
        return
    yield from (token.start for token in tokens if token.type == tokenize.COMMENT)


def _comment_edits(answer: str) -> list[_Edit]:
    text = TextMap(answer)
    return [_Edit(text.starts[line - 1] + column, text.line_span(line)[1]) for line, column in _comments(text)]


def _prose(answer: str) -> Iterator[_Edit]:
    """What takes docstrings and long strings out of an answer."""
    text, tree = TextMap(answer), _tree(answer)
    if tree is None:
        return
    inside: set[int] = set()
    for statement, edit in _string_statements(tree, text):
        inside.add(id(statement.value))
        yield edit
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):  # the whole of it is one string
            inside.update(id(part) for part in ast.walk(node) if part is not node)
    for node in ast.walk(tree):
        if _is_text(node) and id(node) not in inside:
            start, end = _place(node, text)
            if node.lineno != node.end_lineno or len(answer[start:end].split()) >= PROSE:
                yield _Edit(start, end, _TEXT)


def _string_statements(tree: ast.Module, text: TextMap) -> Iterator[tuple[ast.Expr, _Edit]]:
    """Statements that are nothing but a string, on lines of their own, and what takes each out. Where a block holds
    nothing else, `pass` takes the place of the last."""
    for node in ast.walk(tree):
        for field in ("body", "orelse", "finalbody"):
            value = getattr(node, field, None)
            block: list[ast.AST] = value if isinstance(value, list) else []
            found: list[tuple[ast.Expr, int, int]] = []
            for part in block:
                if not (isinstance(part, ast.Expr) and _is_text(part.value)):
                    continue
                start, end = _place(part, text)
                close = text.line_span(text.line(end))[1]
                after = text.text[end:close].strip()
                if not text.text[text.starts[text.line(start) - 1] : start].strip() and (not after or after[0] == "#"):
                    found.append((part, start, close))
            for k, (part, start, close) in enumerate(found, 1):
                yield part, _Edit(start, close, "pass" if k == len(block) else "")


def _place(node: ast.expr | ast.stmt, text: TextMap) -> tuple[int, int]:
    """Where a node stands: ast counts the columns in bytes of UTF-8."""
    assert node.end_lineno is not None and node.end_col_offset is not None
    start, end = (
        text.starts[line - 1] + len(text.line_text(line).encode()[:column].decode())
        for line, column in ((node.lineno, node.col_offset), (node.end_lineno, node.end_col_offset))
    )
    return start, end


def _is_text(node: ast.AST) -> TypeGuard[ast.Constant | ast.JoinedStr]:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def _tree(answer: str) -> ast.Module | None:
    """The tree of an answer, which may be indented as a whole; None where it is no Python."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for before, lines in (("", 0), ("if True:\n", 1)):
            try:
                tree = ast.parse(before + answer)
            except (SyntaxError, ValueError, RecursionError, MemoryError):
                continue
            return ast.increment_lineno(tree, -lines) if lines else tree
    return None
