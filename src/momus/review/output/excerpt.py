"""The lines of code around a finding, each with the part of it that is highlighted."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from momus.critique import TextMap
from momus.review.finding import FileReport, Finding
from momus.review.output.visible import cells

_CONTEXT = 2
_HEAD, _TAIL = 5, 3  # lines shown of a highlight that is longer than both together


@dataclass(frozen=True, slots=True)
class Line:
    """One line of code; `mark` is its highlighted range, in code points. `number` None: lines that are left out."""

    number: int | None
    text: str = ""
    mark: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """One line of a suggestion's diff: it goes (-), it comes (+), or it stays ( )."""

    sign: Literal["-", "+", " "]
    number: int
    text: str


def excerpt(file: FileReport, text: TextMap, finding: Finding, context: int = _CONTEXT) -> list[Line]:
    """The highlighted lines with some context, numbered as the file, or the cell of a notebook, numbers them."""
    touched = text.lines(finding.span)
    first, last = bounds(file, text, finding)
    numbers = range(max(first, touched.start - context), min(last, touched.stop - 1 + context) + 1)
    lines = [Line(n - first + 1 if file.cells else n, line_text(text, n), mark(text, n, finding)) for n in numbers]
    while lines and lines[0].mark is None and not lines[0].text.strip():
        del lines[0]
    while lines and lines[-1].mark is None and not lines[-1].text.strip():
        del lines[-1]
    marked = [i for i, line in enumerate(lines) if line.mark is not None]
    if len(marked) > _HEAD + _TAIL + 1:
        lines[marked[_HEAD] : marked[-_TAIL]] = [Line(None)]
    return lines


def bounds(file: FileReport, text: TextMap, finding: Finding) -> tuple[int, int]:
    """The first and last line of the file, or of the finding's cell of a notebook."""
    place = file.cell(finding.start_line)
    if place is None:
        return 1, max(text.line_count, text.lines(finding.span).stop - 1)
    return place[0].start_line, place[0].end_line


def changes(file: FileReport, text: TextMap, finding: Finding) -> list[Change]:
    """The suggestion as a diff of the lines that it changes. Empty where there is none, or where it changes nothing."""
    suggestion = finding.comment.suggestion
    if suggestion is None:
        return []
    touched = text.lines(finding.span)
    start, end = text.starts[touched.start - 1], text.line_span(touched.stop - 1)[1]
    before = _split(text.text[start:end])
    after = _split(text.text[start : finding.span.start] + suggestion + text.text[finding.span.end : end])
    first, _ = bounds(file, text, finding)
    number = touched.start - first + 1 if file.cells else touched.start
    return list(_diff(before, after, number))


def widen(line: str, start: int, end: int) -> tuple[int, int]:
    """Stretch a range over combining marks that it would cut off from their letter: a terminal draws both as one."""
    while 0 < start < len(line) and _joins(line[start - 1], line[start]):
        start -= 1
    while 0 < end < len(line) and _joins(line[end - 1], line[end]):
        end += 1
    return start, end


def line_text(text: TextMap, number: int) -> str:
    """A 1-based line, its line ending left out; "" past the end."""
    return text.text[slice(*text.line_span(number))] if number <= len(text.starts) else ""


def mark(text: TextMap, number: int, finding: Finding) -> tuple[int, int] | None:
    """The part of a 1-based line that a finding highlights, counted from the line's start; None where it is none.

    Start and end are the same where only the end of the line is meant.
    """
    if number not in text.lines(finding.span):
        return None
    content = line_text(text, number)
    first = min(finding.span.start - text.starts[number - 1], len(content))
    last = min(finding.span.end - text.starts[number - 1], len(content))
    if first < 0:  # a later line of the highlight: its indentation is no part of what is meant
        first = len(content) - len(content.lstrip(" \t"))
        if first >= last:
            return None
    return widen(content, first, max(first, last))


def _joins(before: str, character: str) -> bool:
    return before == "\u200d" or (character != "\t" and not character.isascii() and cells(character) == 0)


def _split(code: str) -> list[str]:
    return code.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def _diff(before: list[str], after: list[str], first: int) -> Iterator[Change]:
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    groups = [block for group in matcher.get_grouped_opcodes(1) for block in group]
    for tag, a0, a1, b0, b1 in groups:
        if tag == "equal":
            yield from (Change(" ", first + n, after[n]) for n in range(b0, b1))
        else:
            yield from (Change("-", first + n, before[n]) for n in range(a0, a1))
            yield from (Change("+", first + n, after[n]) for n in range(b0, b1))
