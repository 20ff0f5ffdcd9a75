"""What a bug operator is, and how a site of one becomes a tampered text with its reference bug."""

from __future__ import annotations

import ast
import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from momus.critique import Severity, Span, TextMap
from momus.match import apply_suggestion, code_key
from momus.records import Bug
from momus.tamper.compiled import byte_code
from momus.tamper.describe import describe
from momus.tamper.source import Edit, Source, is_docstring, splice

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
    """Make the edits and the bug. None where the result is not Python, or is compiled to the same as before.

    None too where the suggestion would not give back the clean text to the byte, or where no phrasing is true of it.
    """
    edits = tuple(_leaving_no_blank(source, edit) for edit in site.edits)
    text = splice(source.text, edits)
    try:
        code = byte_code(text)
    except SyntaxError:
        return None
    # A fragment that only parses, such as a `return` by itself, goes by its tree.
    if code in (None, source.byte_code) if source.compiles else code_key(text) == source.key:
        return None
    place = _place(source, text, edits)
    if place is None:
        return None
    span, suggestion = place
    description = describe(operator.phrasings, site.facts, rng, text, source.text)
    if description is None or apply_suggestion(text, span, suggestion) != source.text:
        return None
    bug = Bug(
        spans=(span, *_further(source, text, edits, span)),
        category=operator.category,
        severity=operator.severity,
        description=description,
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
    return Span(start, end), mended  # the line stood further left: its indentation is what is wrong


def _whole_lines(text: TextMap, first: int, last: int) -> list[str]:
    return [text.text[slice(*text.line_span(n))] for n in range(first, last + 1)]


def _indentation(line: str) -> str:
    return line[: len(line) - len(line.lstrip(" \t\f"))]


def _beside_deleted(source: Source, first: int, last: int) -> tuple[Span, str] | None:
    """Where lines went without a trace: the line of code before or after them, and that line with them put back.

    None where comments or blank lines stand between on both sides: the lost lines could not be put back to the byte.
    """
    gone = next((s for s in source.statements() if s.lineno == first and s.end_lineno == last), None)
    if gone is None:  # lines within a statement
        return _behind(source, first, last)
    block, place = source.block(gone)
    before = block[place - 1] if place else None
    after = block[place + 1] if place + 1 < len(block) else None
    if before is not None and before.lineno == first - 1 and not is_docstring(before):
        return _behind(source, first, last)
    if after is not None and _first_line(after) == last + 1 and source.on_own_lines(after):
        return _ahead(source, first, last)
    if before is not None and is_docstring(before):
        return None
    opening = before or source.parents[gone]
    stands = (before.end_lineno if before is not None else getattr(opening, "lineno", None)) == first - 1
    if stands and (before is not None or block is getattr(opening, "body", None)):
        return _behind(source, first, last)
    return None


def _behind(source: Source, first: int, last: int) -> tuple[Span, str] | None:
    """The line before those that went, and the same with them."""
    start, end = source.map.line_span(max(first - 1, 1))
    start += len(_indentation(source.text[start:end]))
    return (Span(start, end), source.text[start : source.map.line_span(last)[1]]) if start < end else None


def _ahead(source: Source, first: int, last: int) -> tuple[Span, str]:
    """The line that followed, and the same with those before it."""
    start, end = source.map.line_span(last + 1)
    indent = _indentation(source.text[start:end])
    removed = source.lines(first, last)
    moved = removed.end - removed.start
    whole = source.text[source.map.line_span(first)[0] : end]
    return Span(start + len(indent) - moved, end - moved), whole.removeprefix(indent)


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
