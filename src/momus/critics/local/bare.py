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
    return _without(answer, [*_comments(answer), *(edit for edit, text in prose if _TO_A_REVIEWER.search(text))])


def without_prose(answer: str, keep: frozenset[int] = frozenset()) -> Bare:
    """An answer without comments and docstrings, and with `...` for other strings of several words, but for those on
    the lines `keep` (1-based)."""
    return _without(answer, [*_comments(answer), *(edit for edit, _ in _prose(answer) if edit.line not in keep)])


def comment_starts(answer: str) -> dict[int, int]:
    """For each line with a comment (1-based) the column at which it begins; none where the answer is no Python."""
    return {edit.line: edit.start for edit in _comments(answer)}


@dataclass(frozen=True, slots=True)
class _Edit:
    """Columns `start` to `end` (None: to the end) of a line (1-based) give way to a text."""

    line: int
    start: int
    end: int | None
    text: str = ""


def _without(answer: str, edits: list[_Edit]) -> Bare:
    text = TextMap(answer)
    if not edits:
        return Bare(answer, tuple(range(1, text.line_count + 1)))
    lines = {n: text.line_text(n).rstrip("\r\n") for n in range(1, text.line_count + 1)}
    for edit in sorted(edits, key=lambda edit: (edit.line, edit.start), reverse=True):
        line = lines[edit.line]
        lines[edit.line] = line[: edit.start] + edit.text + (line[edit.end :] if edit.end is not None else "")
    touched = {edit.line for edit in edits}
    kept = [(n, line.rstrip() if n in touched else line) for n, line in lines.items()]
    kept = [(n, line) for n, line in kept if n not in touched or line]
    return Bare("".join(line + "\n" for _, line in kept), tuple(n for n, _ in kept))


def _comments(answer: str) -> list[_Edit]:
    text = TextMap(answer)
    code = "".join(text.line_text(n).rstrip("\r\n") + "\n" for n in range(1, text.line_count + 1))
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(code).readline))
    except (tokenize.TokenError, SyntaxError):
        return []
    return [_Edit(token.start[0], token.start[1], None) for token in tokens if token.type == tokenize.COMMENT]


def _prose(answer: str) -> Iterator[tuple[_Edit, str]]:
    """What takes docstrings and long strings out of an answer, each with the text of the whole of it."""
    text, tree = TextMap(answer), _tree(answer)
    if tree is None:
        return
    lines = [text.line_text(n).rstrip("\r\n").encode() for n in range(1, text.line_count + 1)]
    comments = comment_starts(answer)
    statements = _string_statements(tree, lines)
    for statement, alone in statements:
        first, last = statement.lineno, statement.end_lineno or statement.lineno
        said = b"\n".join(lines[first - 1 : last]).decode()
        for n in range(first, last + 1):
            start = statement.col_offset if n == first else 0
            yield _Edit(n, start, None, "pass" if alone and n == first else ""), said
    inside = {id(statement.value) for statement, _ in statements}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            inside.update(map(id, node.values))  # the whole of it is one string
    for node in ast.walk(tree):
        if not _is_text(node) or id(node) in inside or node.end_lineno is None or node.end_col_offset is None:
            continue
        begins, ends = lines[node.lineno - 1], lines[node.end_lineno - 1]
        start, end = len(begins[: node.col_offset].decode()), len(ends[: node.end_col_offset].decode())
        if node.lineno == node.end_lineno:
            said = begins.decode()[start:end]
            if len(said.split()) >= PROSE:
                yield _Edit(node.lineno, start, end, _TEXT), said
            continue
        said = b"\n".join(lines[node.lineno - 1 : node.end_lineno]).decode()
        yield _Edit(node.lineno, start, None, _TEXT + ends.decode()[end : comments.get(node.end_lineno)]), said
        for n in range(node.lineno + 1, node.end_lineno + 1):
            yield _Edit(n, 0, None), said


def _string_statements(tree: ast.Module | None, lines: list[bytes]) -> list[tuple[ast.Expr, bool]]:
    """Statements that are nothing but a string, on lines of their own; whether one is all that its block holds."""
    found: list[tuple[ast.Expr, bool]] = []
    for node in ast.walk(tree) if tree is not None else ():
        for field in ("body", "orelse", "finalbody"):
            value = getattr(node, field, None)
            block: list[ast.AST] = value if isinstance(value, list) else []
            for part in block:
                if not (isinstance(part, ast.Expr) and _is_text(part.value)):
                    continue
                before = lines[part.lineno - 1][: part.col_offset]
                after = lines[(part.end_lineno or part.lineno) - 1][part.end_col_offset :].strip()
                if not before.strip() and (not after or after.startswith(b"#")):
                    found.append((part, len(block) == 1))
    return found


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
