"""What a bug operator is, and how a site of one becomes a tampered text with its reference bug."""

from __future__ import annotations

import ast
import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from momus.critique import Severity, Span, TextMap
from momus.match import apply_suggestion
from momus.records import Bug
from momus.tamper.describe import describe
from momus.tamper.source import Edit, Source, compiles, is_docstring, parse, splice

Sites = Callable[[Source, random.Random], Iterable["Site"]]


@dataclass(frozen=True, slots=True)
class Site:
    """One place where an operator can act: edits of the clean text, and facts for the description."""

    edits: tuple[Edit, ...]
    facts: dict[str, str]


@dataclass(frozen=True, slots=True)
class Operator:
    """A kind of bug. `held_out`: never trained on, reported apart. `phrasings`: see `momus.tamper.describe`."""

    name: str
    category: str
    severity: Severity
    held_out: bool
    sites: Sites
    phrasings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Mutation:
    """A tampered text, its bug, and the edits of the clean text that made it."""

    text: str
    bug: Bug
    edits: tuple[Edit, ...]


def operator(
    name: str, category: str, severity: Severity, *phrasings: str, held_out: bool = False
) -> Callable[[Sites], Operator]:
    """Make an operator of a function that yields its sites."""
    return lambda sites: Operator(name, category, severity, held_out, sites, phrasings)


def site(*edits: Edit, **facts: str | None) -> Site:
    """A site; facts that are None (too long to be quoted, or not so here) are left out."""
    return Site(edits, {name: value for name, value in facts.items() if value is not None})


def mutate(source: Source, operator: Operator, site: Site, rng: random.Random) -> Mutation | None:
    """Make the edits and the bug. None where the result is not Python, or the same code as before."""
    edits = tuple(_leaving_no_blank(source, edit) for edit in site.edits)
    text = splice(source.text, edits)
    try:
        tree = parse(text)
    except SyntaxError:
        return None
    if ast.dump(tree) == source.key or (source.compiles and not compiles(tree)):
        return None
    place = _place(source, text, edits)
    if place is None:
        return None
    span, suggestion = place
    mended = apply_suggestion(text, span, suggestion)
    if mended != source.text and not _same_code(mended, source):
        return None
    bug = Bug(
        spans=(span, *_further(source, text, edits, span)),
        category=operator.category,
        severity=operator.severity,
        description=describe(operator.phrasings, site.facts, rng),
        suggestion=suggestion,
        operator=operator.name,
    )
    return Mutation(text, bug, edits)


def _leaving_no_blank(source: Source, edit: Edit) -> Edit:
    """A deletion that would leave nothing but blanks of its lines takes those lines whole."""
    if edit.replacement or edit.start == edit.end:
        return edit
    first, last = source.map.line(edit.start), source.map.line(edit.end - 1)
    start, end = source.map.line_span(first)[0], source.map.line_span(last)[1]
    if edit.end > end or source.text[start : edit.start].strip() or source.text[edit.end : end].strip():
        return edit
    lines = source.lines(first, last)
    return Edit(lines.start, lines.end, "")


def _same_code(text: str, source: Source) -> bool:
    try:
        return ast.dump(parse(text)) == source.key
    except SyntaxError:
        return False


def _place(source: Source, text: str, edits: tuple[Edit, ...]) -> tuple[Span, str] | None:
    """The line (or the lines) to highlight in the tampered text, and what to write there to mend it."""
    after = TextMap(text)
    first = source.map.line(min(e.start for e in edits))
    tail = len(source.text) - max(e.end for e in edits)
    old = _whole_lines(source.map, first, source.map.line(len(source.text) - tail))
    new = _whole_lines(after, first, after.line(len(text) - tail))
    while old and new and old[0] == new[0]:
        del old[0], new[0]
        first += 1
    while old and new and old[-1] == new[-1]:
        del old[-1], new[-1]
    if not new:
        return _beside_deleted(source, first, first + len(old) - 1)
    start, end = after.line_span(first)[0], after.line_span(first + len(new) - 1)[1]
    indent = _indentation(new[0])
    if start + len(indent) >= end:
        return None
    span = Span(start + len(indent), end)
    if not old:
        return span, ""
    # The text of the old lines as it stood, endings included.
    mended = source.text[source.map.line_span(first)[0] : source.map.line_span(first + len(old) - 1)[1]]
    if mended.startswith(indent):
        return span, mended[len(indent) :]
    return span, source.newline + mended  # the line stood further left: leave the deeper indentation on a line alone


def _whole_lines(text: TextMap, first: int, last: int) -> list[str]:
    return [text.text[slice(*text.line_span(n))] for n in range(first, last + 1)]


def _indentation(line: str) -> str:
    return line[: len(line) - len(line.lstrip(" \t\f"))]


def _beside_deleted(source: Source, first: int, last: int) -> tuple[Span, str] | None:
    """Where lines went without a trace: a line of code beside them, and that line with them put back."""
    deleted = source.text[source.map.line_span(first)[0] : source.map.line_span(last)[1]]
    gone = next((s for s in source.statements() if s.lineno == first and s.end_lineno == last), None)
    if gone is None:  # lines within a statement
        start, end = source.map.line_span(max(first - 1, 1))
        start += len(_indentation(source.text[start:end]))
        return (Span(start, end), source.text[start:end] + source.newline + deleted) if start < end else None
    block, place = source.block(gone)
    before = block[place - 1] if place else None
    parent = source.parents[gone]
    if before is not None and before.lineno == before.end_lineno and not is_docstring(before):
        line, put_before = before.lineno, False
    elif place + 1 < len(block) and source.on_own_lines(block[place + 1]):
        line, put_before = _first_line(block[place + 1]), True
    elif before is not None and (not is_docstring(before) or before.lineno == before.end_lineno):
        line, put_before = before.end_lineno or before.lineno, False
    elif isinstance(parent, ast.stmt) and block is getattr(parent, "body", None):
        line, put_before = parent.lineno, False
    else:
        return None
    start, end = source.map.line_span(line)
    code = source.text[start:end]
    indent = _indentation(code)
    if put_before:
        shift = source.lines(first, last)
        removed = shift.end - shift.start
        span = Span(start + len(indent) - removed, end - removed)
        return span, deleted.removeprefix(indent) + source.newline + code
    return Span(start + len(indent), end), code[len(indent) :] + source.newline + deleted


def _first_line(statement: ast.stmt) -> int:
    decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
    return min([statement.lineno, *(d.lineno for d in decorators)])


def _further(source: Source, text: str, edits: tuple[Edit, ...], first: Span) -> Iterator[Span]:
    """Whole lines of the other places that were edited, beyond the first span."""
    after = TextMap(text)
    seen = set(after.lines(first))
    moved = 0
    for edit in sorted(edits, key=lambda e: (e.start, e.end)):
        line = after.line(edit.start + moved)
        moved += len(edit.replacement) - (edit.end - edit.start)
        if not edit.replacement or line in seen:
            continue
        seen.add(line)
        start, end = after.line_span(line)
        start += len(_indentation(text[start:end]))
        if start < end:
            yield Span(start, end)
