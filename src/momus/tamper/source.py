"""An answer parsed once: its text, its syntax tree with exact positions, and what is in scope where.

Operators look at the tree and give back edits of the text, so that everything outside an edit stays as it was written.
Parts that are no code to a reviewer (docstrings, annotations, messages of errors and logs, tables of data) are not
offered as targets at all.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias, TypeVar, cast

from momus.critique import Span, TextMap
from momus.tamper.compiled import byte_code, compiles, parse
from momus.tamper.quoting import brief, quotable
from momus.tamper.scope import Scope, scope_of

N = TypeVar("N", bound=ast.AST)
Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef
Located: TypeAlias = ast.expr | ast.stmt | ast.arg | ast.keyword | ast.excepthandler

_COMMENT = re.compile(r"#[^\r\n]*")
_REST_OF_LINE = re.compile(r"[ \t\f]*(#[^\r\n]*)?(\r\n|\r|\n|\Z)")
_LOGGERS = frozenset({"debug", "info", "warning", "warn", "error", "exception", "critical", "log"})
_LONGEST_LITERAL = 12  # more elements than this make a table of data, not code
_NOT_CODE = frozenset({"annotation", "returns", "decorator_list", "type_params", "type_comment", "bases", "pattern"})
_ATOMS = (ast.Name, ast.Attribute, ast.Call, ast.Subscript, ast.Constant, ast.List, ast.Dict, ast.Set)


@dataclass(frozen=True, slots=True)
class Edit:
    """Put `replacement` in place of the code points `start` to `end` of the clean text (start == end inserts)."""

    start: int
    end: int
    replacement: str


def splice(text: str, edits: tuple[Edit, ...]) -> str:
    """The text with the edits made. Raises ValueError where two of them overlap."""
    parts: list[str] = []
    position = 0
    for edit in sorted(edits, key=lambda e: (e.start, e.end)):
        if edit.start < position:
            raise ValueError("the edits overlap")
        parts += (text[position : edit.start], edit.replacement)
        position = edit.end
    parts.append(text[position:])
    return "".join(parts)


class Source:
    """A text of Python, parsed. Raises SyntaxError where the text is not Python."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.map = TextMap(text)
        self.tree = parse(text)
        self.parents: dict[ast.AST, ast.AST] = {}
        self._targets: dict[type[ast.AST], list[ast.AST]] = defaultdict(list)
        self._open: set[ast.AST] = set()
        self._blocks: dict[ast.stmt, tuple[list[ast.stmt], int]] = {}
        self._spans: dict[ast.AST, Span] = {}
        self._scopes: dict[ast.AST, Scope] = {}
        self._survey()

    @cached_property
    def key(self) -> str:
        """Equal for texts of the same code (the clean side of the test that a tamper is one)."""
        return ast.dump(self.tree)

    @cached_property
    def compiles(self) -> bool:
        return compiles(self.tree)

    @cached_property
    def byte_code(self) -> Hashable | None:
        return byte_code(self.text)

    @cached_property
    def words(self) -> frozenset[str]:
        """Every word of the text, names in comments and strings included."""
        return frozenset(re.findall(r"\w+", self.text))

    @cached_property
    def newline(self) -> str:
        """The line ending of the text: that of its first line."""
        found = re.search(r"\r\n|\r|\n", self.text)
        return found.group() if found else "\n"

    # Targets and their places ---------------------------------------------------------------------------------------

    def targets(self, kind: type[N]) -> list[N]:
        """The nodes of a type that an operator may touch, in the tree's order."""
        return cast("list[N]", self._targets.get(kind, []))

    def is_target(self, node: ast.AST) -> bool:
        return node in self._open

    def span(self, node: Located) -> Span:
        """The code points of a node: without the parentheses around it, with the decorators left out."""
        found = self._spans.get(node)
        if found is None:
            start = self.map.offset_of_byte_column(node.lineno, node.col_offset)
            end = self.map.offset_of_byte_column(node.end_lineno or 0, node.end_col_offset or 0)
            found = self._spans[node] = Span(start, end)
        return found

    def code(self, node: Located) -> str:
        return self.span(node).of(self.text)

    def short(self, node: Located, limit: int = 56) -> str | None:
        """The code of a node where it is short enough to be quoted in a sentence, else None."""
        return quotable(self.code(node), limit)

    def brief(self, node: Located, limit: int = 40) -> str:
        """The code of a node as a sentence can quote it, shortened where it is long."""
        return brief(self.code(node), limit)

    def operand(self, node: ast.expr) -> str:
        """The code of an expression, in parentheses where an arithmetic operator behind it would bind tighter."""
        code = self.code(node)
        arithmetic = isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub | ast.Mult)
        return code if arithmetic or isinstance(node, _ATOMS) else f"({code})"

    def grouped(self, node: ast.expr) -> Span:
        """The code points of an expression with the parentheses around it, which are not those of a call."""
        span, around = self.span(node), self._within(node)
        while True:
            start, end = span.start - 1, span.end
            while start >= around.start and self.text[start] in " \t\f\r\n":
                start -= 1
            while end < around.end and self.text[end] in " \t\f\r\n":
                end += 1
            if start < around.start or end >= around.end or self.text[start] != "(" or self.text[end] != ")":
                return span
            span = Span(start, end + 1)

    def _within(self, node: ast.expr) -> Span:
        """What the parentheses that belong to an expression can't reach beyond."""
        parent = self.parents.get(node)
        if isinstance(parent, ast.comprehension | ast.withitem | ast.arguments) or not isinstance(
            parent, ast.expr | ast.stmt | ast.keyword
        ):
            return self.span(node)
        whole = self.span(parent)
        return Span(whole.start, whole.end - 1) if isinstance(parent, ast.Call | ast.GeneratorExp) else whole

    def joined(self, left: ast.expr, right: ast.expr) -> Span:
        """From the one operand to the other, with the parentheses around each."""
        return Span(self.grouped(left).start, self.grouped(right).end)

    def after(self, span: Span, *edits: Edit) -> str:
        """What becomes of a stretch of the text by edits within it."""
        moved = (Edit(e.start - span.start, e.end - span.start, e.replacement) for e in edits)
        return splice(span.of(self.text), tuple(moved))

    def edit(self, node: Located, replacement: str) -> Edit:
        span = self.span(node)
        return Edit(span.start, span.end, replacement)

    def find(self, token: str, start: int, end: int) -> Span | None:
        """Where a token (a regular expression) first stands between two offsets, comments not searched."""
        gap = _COMMENT.sub(lambda m: " " * len(m.group()), self.text[start:end])
        found = re.search(token, gap)
        return Span(start + found.start(), start + found.end()) if found else None

    def between(self, left: Located, right: Located, token: str) -> Span | None:
        """Where an operator's token stands between its two operands."""
        return self.find(token, self.span(left).end, self.span(right).start)

    # Surroundings ---------------------------------------------------------------------------------------------------

    def ancestors(self, node: ast.AST) -> Iterator[ast.AST]:
        while (parent := self.parents.get(node)) is not None:
            yield parent
            node = parent

    def statement(self, node: ast.AST) -> ast.stmt | None:
        """The statement that a node is, or is part of."""
        while not isinstance(node, ast.stmt):
            parent = self.parents.get(node)
            if parent is None:
                return None
            node = parent
        return node

    def function(self, node: ast.AST) -> Function | None:
        """The function whose body holds a node; None at the top level and in the body of a class."""
        for parent in self.ancestors(node):
            if isinstance(parent, ast.FunctionDef | ast.AsyncFunctionDef):
                return parent
            if isinstance(parent, ast.ClassDef):
                return None
        return None

    def loop(self, node: ast.AST) -> ast.For | ast.AsyncFor | ast.While | None:
        """The nearest loop around a node within its function."""
        for parent in self.ancestors(node):
            if isinstance(parent, ast.For | ast.AsyncFor | ast.While):
                return parent
            if isinstance(parent, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
                return None
        return None

    def block(self, statement: ast.stmt) -> tuple[list[ast.stmt], int]:
        """The block that holds a statement, and the statement's place in it."""
        return self._blocks[statement]

    def statements(self) -> Iterator[ast.stmt]:
        return iter(self._blocks)

    def scope(self, node: ast.AST) -> Scope:
        """The names of the function around a node, or of the top level."""
        owner: ast.AST = self.function(node) or self.tree
        if owner not in self._scopes:
            self._scopes[owner] = scope_of(owner, self.parents)
        return self._scopes[owner]

    # Whole statements -----------------------------------------------------------------------------------------------

    def on_own_lines(self, statement: ast.stmt) -> bool:
        """Whether nothing but indentation and a comment shares the lines of a statement."""
        span = self.span(statement)
        before = self.text[self.map.line_span(statement.lineno)[0] : span.start]
        return not before.strip() and _REST_OF_LINE.match(self.text, span.end) is not None

    def lines(self, first: int, last: int) -> Span:
        """Whole lines with their endings; at the end of a text without a final newline, with the ending before."""
        start, _ = self.map.line_span(first)
        if last < len(self.map.starts):
            return Span(start, self.map.starts[last])
        return Span(self.map.line_span(first - 1)[1] if first > 1 else start, len(self.text))

    def without(self, statement: ast.stmt) -> Edit | None:
        """The edit that takes a statement away, or puts `pass` there where it is alone in its block."""
        block, _ = self.block(statement)
        if len(block) == 1 or (len(block) == 2 and is_docstring(block[0])):
            return self.edit(statement, "pass")
        if not self.on_own_lines(statement):
            return None
        lines = self.lines(statement.lineno, statement.end_lineno or statement.lineno)
        return Edit(lines.start, lines.end, "")

    def indentation(self, line: int) -> str:
        start, end = self.map.line_span(line)
        text = self.text[start:end]
        return text[: len(text) - len(text.lstrip(" \t\f"))]

    def _survey(self) -> None:
        stack: list[tuple[ast.AST, bool]] = [(self.tree, False)]
        while stack:
            node, off = stack.pop()
            off = off or _is_stub(node)
            if not off:
                self._targets[type(node)].append(node)
                self._open.add(node)
            children: list[tuple[ast.AST, bool]] = []
            off = off or _holds_no_targets(node)
            for name, value in ast.iter_fields(node):
                if name in ("ctx", "op", "ops"):
                    continue
                values = value if isinstance(value, list) else [value]
                below = off or name in _NOT_CODE or (name == "body" and _is_for_checkers(node))
                for i, child in enumerate(values):
                    if not isinstance(child, ast.AST):
                        continue
                    if isinstance(child, ast.stmt) and isinstance(value, list):
                        self._blocks[child] = (value, i)
                    self.parents[child] = node
                    children.append((child, below or _is_no_target(child)))
            stack.extend(reversed(children))


def is_docstring(node: ast.AST) -> bool:
    """Whether a statement is a bare string."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def name_of(node: ast.AST) -> str | None:
    """The last name of `f` or `a.b.f`."""
    if isinstance(node, ast.Name):
        return node.id
    return node.attr if isinstance(node, ast.Attribute) else None


def _is_stub(node: ast.AST) -> bool:
    """Whether a function has no body of its own: `...`, `pass`, a docstring, `NotImplementedError`, or an overload."""
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return False
    if any(name_of(decorator) == "overload" for decorator in node.decorator_list):
        return True
    return all(map(_says_nothing, node.body))


def _says_nothing(step: ast.stmt) -> bool:
    match step:
        case ast.Pass() | ast.Expr(value=ast.Constant()):
            return True
        case ast.Raise(exc=ast.Name() as error) | ast.Raise(exc=ast.Call(func=ast.Name() as error)):
            return error.id == "NotImplementedError"
    return False


def _is_for_checkers(node: ast.AST) -> bool:
    """Whether the body of an `if` is read by type checkers alone."""
    return isinstance(node, ast.If) and name_of(node.test) == "TYPE_CHECKING"


def _is_no_target(node: ast.AST) -> bool:
    match node:
        case ast.Compare(left=ast.Name(id="__name__")) | ast.Name(id="TYPE_CHECKING"):
            return True
    return is_docstring(node)


def _holds_no_targets(node: ast.AST) -> bool:
    match node:
        case ast.JoinedStr() | ast.Assert() | ast.Raise() | ast.Import() | ast.ImportFrom():
            return True
        case ast.List(elts=elements) | ast.Tuple(elts=elements) | ast.Set(elts=elements):
            return len(elements) > _LONGEST_LITERAL
        case ast.Dict(keys=keys):
            return len(keys) > _LONGEST_LITERAL
        case ast.Assign(targets=[ast.Name(id=name), *_]):
            return name.startswith("__") and name.endswith("__")
        case ast.Call(func=ast.Attribute(value=base, attr=method)) if method in _LOGGERS:
            owner = (name_of(base) or "").lower()
            return "log" in owner or "warn" in owner
    return False
