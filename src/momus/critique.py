"""The critique format: comments on exact spans of an answer, as markdown and back.

A critique is markdown, one fenced quote and its comment after another (the paper's section 2.3):

    ```python off-by-one high
    for i in range(len(xs) + 1):
    ```
    The loop runs one past the end: `xs[len(xs)]` raises IndexError. Stop at `len(xs)`.

    ```suggestion
    for i in range(len(xs)):
    ```

The info string holds language, category and severity, and `#2` where the quote stands more than once in the answer
and the second one is meant. A fence is longer than any run of backticks in what it encloses. Positions are code
points everywhere; `TextMap` is the one converter to lines, UTF-16 and bytes.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal, get_args

from momus.badges import Evidence

Severity = Literal["low", "medium", "high"]
SEVERITIES: tuple[Severity, ...] = get_args(Severity)

# The closed list. The order is part of the bundled model's vocabulary: append, never reorder.
CATEGORIES: tuple[str, ...] = (
    "other",
    "off-by-one",
    "wrong-comparison",
    "inverted-condition",
    "wrong-condition",
    "missing-check",
    "wrong-operator",
    "wrong-variable",
    "wrong-argument",
    "wrong-constant",
    "wrong-call",
    "wrong-attribute",
    "wrong-return",
    "missing-return",
    "early-exit",
    "missing-statement",
    "wrong-order",
    "wrong-initialisation",
    "aliasing",
    "mutable-default",
    "exception-handling",
    "missing-await",
    "resource-leak",
    "loop-control",
    "type-confusion",
    "undefined-name",
    "unused",
    "security",
    "syntax",
    "api-misuse",
)

SILENCE = "No problems found."

_FENCE = re.compile(r" {0,3}(`{3,})([^`]*)")
_ESCAPABLE = re.compile(r"^( {0,3})(\\*`{3,}[^`\n]*)$", re.MULTILINE)
_ESCAPED = re.compile(r"^( {0,3})\\(\\*`{3,}[^`\n]*)$", re.MULTILINE)
_BACKTICKS = re.compile(r"`+")
_OCCURRENCE = re.compile(r"#([1-9][0-9]{0,8})")


@dataclass(frozen=True, order=True, slots=True)
class Span:
    """A half-open range of code points of an answer. Raises ValueError unless 0 <= start < end."""

    start: int
    end: int

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.end:
            raise ValueError(f"a span needs 0 <= start < end, not {self.start}..{self.end}")

    def of(self, text: str) -> str:
        """The quoted text. Raises ValueError if the span runs past the end of `text`."""
        if self.end > len(text):
            raise ValueError(f"span {self.start}..{self.end} runs past the end of a text of {len(text)}")
        return text[self.start : self.end]

    def overlaps(self, other: Span) -> bool:
        return self.start < other.end and other.start < self.end


@dataclass(frozen=True, slots=True)
class Comment:
    """One remark on one highlight. `suggestion` replaces the highlighted text; "" deletes it; None: no suggestion.

    `confidence` (0..1), `witness` (an input that shows the fault) and `evidence` (what running says of the comment) are
    metadata: they are not rendered.
    Raises ValueError on a category or severity outside the closed lists. The text is stripped.
    """

    highlight: Span
    text: str
    category: str = "other"
    severity: Severity = "medium"
    suggestion: str | None = None
    confidence: float | None = None
    witness: str | None = None
    evidence: Evidence | None = None

    def __post_init__(self) -> None:
        if self.category not in CATEGORIES:
            raise ValueError(f"unknown category {self.category!r}; known: {', '.join(CATEGORIES)}")
        if self.severity not in SEVERITIES:
            raise ValueError(f"severity is low, medium or high, not {self.severity!r}")
        object.__setattr__(self, "text", self.text.strip())

    def without_metadata(self) -> Comment:
        return replace(self, confidence=None, witness=None, evidence=None)


@dataclass(frozen=True, slots=True)
class Critique:
    """Comments in order, the most important first. None at all is valid: no problems found."""

    comments: tuple[Comment, ...] = ()

    def __len__(self) -> int:
        return len(self.comments)

    def __iter__(self) -> Iterator[Comment]:
        return iter(self.comments)

    def without_metadata(self) -> Critique:
        return Critique(tuple(c.without_metadata() for c in self.comments))


@dataclass(frozen=True, slots=True)
class Unanchored:
    """What of a critic's text stands nowhere in the answer: a quote that is not in it, a fence that never closed, a
    suggestion that belongs to no anchored comment. Kept, so that nothing a critic said is lost in silence."""

    quote: str
    text: str
    reason: str


@dataclass(frozen=True, slots=True)
class Parsed:
    """What `parse` found: the anchored critique, what did not anchor, and any text before the first quote."""

    critique: Critique
    unanchored: tuple[Unanchored, ...] = ()
    preamble: str = ""


def render(critique: Critique, answer: str, language: str = "python") -> str:
    """Write a critique as markdown. Raises ValueError if a highlight runs past the end of the answer."""
    if not critique.comments:
        return SILENCE + "\n"
    return "\n".join(_render_comment(comment, answer, language) for comment in critique.comments)


def parse(text: str, answer: str, *, anchor: Callable[[str], Span | None] | None = None) -> Parsed:
    """Read markdown back into a critique of `answer`. Never raises: what does not anchor is returned as unanchored.

    `anchor` is asked where a quote belongs that does not stand in the answer to the letter. An unknown category is read
    as `other`, a missing severity as `medium`. `parse(render(c, a), a).critique` is `c` without its metadata.
    """
    preamble, blocks = _blocks(text)
    comments: list[Comment] = []
    unanchored: list[Unanchored] = []
    current: Comment | None = None  # the comment that a suggestion block would belong to
    for block in blocks:
        words = block.info.split()
        if words and words[0] == "suggestion":
            if current is not None and current.suggestion is None and block.closed:
                trailing = f"{current.text}\n\n{block.after}" if block.after else current.text
                comments[-1] = current = replace(current, suggestion=block.content, text=trailing)
            else:
                unanchored.append(Unanchored(block.content, block.after, _why_loose(current, block.closed)))
            continue
        highlight = _locate(block.content, answer, _occurrence(words)) if block.closed else None
        if highlight is None and block.closed and anchor is not None and not occurrences(block.content, answer):
            highlight = anchor(block.content)
        if highlight is None:
            reason = "the quote does not stand in the answer" if block.closed else "the quote's fence is not closed"
            unanchored.append(Unanchored(block.content, block.after, reason))
            current = None
            continue
        category = next((w for w in words if w in CATEGORIES), "other")
        severity: Severity = next((s for w in words for s in SEVERITIES if s == w), "medium")
        current = Comment(highlight, block.after, category, severity)
        comments.append(current)
    return Parsed(Critique(tuple(comments)), tuple(unanchored), "" if preamble == SILENCE else preamble)


def occurrences(quote: str, answer: str) -> list[int]:
    """Start positions of every (possibly overlapping) occurrence of a non-empty quote."""
    found: list[int] = []
    position = answer.find(quote) if quote else -1
    while position >= 0:
        found.append(position)
        position = answer.find(quote, position + 1)
    return found


def answer_of_reply(reply: str) -> str | None:
    """The largest code block of a chat reply, or None where less than half of its lines are code (section 2.1.4)."""
    _, blocks = _blocks(reply)
    code_lines = sum(1 for block in blocks for line in block.content.split("\n") if line.strip())
    prose_lines = sum(1 for line in _outside_blocks(reply) if line.strip())
    if not code_lines or code_lines < prose_lines:
        return None
    return max((b.content for b in blocks), key=len) + "\n"


class TextMap:
    """Converts code-point offsets of one text to and from lines and columns, UTF-16 units and UTF-8 bytes.

    Lines and columns are 1-based, as editors show them; lines end at LF, CR LF or CR, as Python's own do.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.starts = [0, *(m.end() for m in re.finditer(r"\r\n|\r|\n", text))]

    @cached_property
    def _ascii(self) -> bool:
        return self.text.isascii()

    @property
    def line_count(self) -> int:
        """Lines with something in them to show: a final newline opens no further line."""
        return len(self.starts) - (1 if self.starts[-1] == len(self.text) and len(self.starts) > 1 else 0)

    def line(self, offset: int) -> int:
        """The 1-based line that holds an offset."""
        return bisect_right(self.starts, offset)

    def line_column(self, offset: int) -> tuple[int, int]:
        """1-based line and column, in code points."""
        line = self.line(offset)
        return line, offset - self.starts[line - 1] + 1

    def lines(self, span: Span) -> range:
        """The 1-based lines that a span touches."""
        return range(self.line(span.start), self.line(span.end - 1) + 1)

    def line_span(self, line: int) -> tuple[int, int]:
        """Start and end offsets of a 1-based line, its line ending left out."""
        start = self.starts[line - 1]
        end = self.starts[line] if line < len(self.starts) else len(self.text)
        return start, start + len(self.text[start:end].rstrip("\r\n"))

    def line_text(self, line: int) -> str:
        """A 1-based line, its line ending left out."""
        start, end = self.line_span(line)
        return self.text[start:end]

    @cached_property
    def code_lines(self) -> tuple[int, ...]:
        """The 1-based lines that are not blank."""
        return tuple(line for line in range(1, self.line_count + 1) if self.line_text(line).strip())

    def offset(self, line: int, column: int = 1) -> int:
        """The offset of a 1-based line and code-point column, clamped to the line."""
        start, end = self.line_span(max(1, min(line, len(self.starts))))
        return max(start, min(start + column - 1, end))

    def utf16_column(self, offset: int) -> int:
        """The 1-based column in UTF-16 units (LSP counts the same from 0)."""
        line, column = self.line_column(offset)
        if self._ascii:
            return column
        return len(self.text[self.starts[line - 1] : offset].encode("utf-16-le", "surrogatepass")) // 2 + 1

    def byte_column(self, offset: int) -> int:
        """The 1-based column in UTF-8 bytes (what rdjson counts)."""
        line, column = self.line_column(offset)
        if self._ascii:
            return column
        return len(self.text[self.starts[line - 1] : offset].encode("utf-8", "surrogatepass")) + 1

    def byte_offset(self, offset: int) -> int:
        """The 0-based offset in UTF-8 bytes."""
        return offset if self._ascii else len(self.text[:offset].encode("utf-8", "surrogatepass"))

    def offset_of_byte_column(self, line: int, byte_column: int) -> int:
        """The offset of a 1-based line and a 0-based UTF-8 column, as the syntax tree gives it, clamped to the line.

        A column inside a character is that character's start.
        """
        start, end = self.line_span(line)
        if self._ascii:
            return min(start + byte_column, end)
        encoded = self.text[start:end].encode("utf-8", "surrogatepass")
        while 0 < byte_column < len(encoded) and encoded[byte_column] & 0xC0 == 0x80:
            byte_column -= 1
        return start + sum(byte & 0xC0 != 0x80 for byte in encoded[:byte_column])


@dataclass(slots=True)
class _Block:
    info: str
    content: str
    closed: bool
    after_lines: list[str] = field(default_factory=list)

    @property
    def after(self) -> str:
        return _ESCAPED.sub(r"\1\2", "\n".join(self.after_lines)).strip()


def _fence_for(content: str) -> str:
    longest = max((len(m.group()) for m in _BACKTICKS.finditer(content)), default=0)
    return "`" * max(3, longest + 1)


def _render_comment(comment: Comment, answer: str, language: str) -> str:
    quote = comment.highlight.of(answer)
    places = occurrences(quote, answer)
    info = [language, comment.category, comment.severity]
    if len(places) > 1:
        info.append(f"#{places.index(comment.highlight.start) + 1}")
    fence = _fence_for(quote)
    parts = [f"{fence}{' '.join(info)}\n{quote}\n{fence}\n"]
    if comment.text:
        parts.append(_ESCAPABLE.sub(r"\1\\\2", comment.text) + "\n")
    if comment.suggestion is not None:
        fence = _fence_for(comment.suggestion)
        parts.append(f"\n{fence}suggestion\n{comment.suggestion}\n{fence}\n")
    return "".join(parts)


def _blocks(text: str) -> tuple[str, list[_Block]]:
    preamble: list[str] = []
    blocks: list[_Block] = []
    lines = text.split("\n")
    i = 0
    while i < len(lines):
        opener = _FENCE.fullmatch(lines[i])
        if opener is None:
            (blocks[-1].after_lines if blocks else preamble).append(lines[i])
            i += 1
            continue
        fence = opener.group(1)
        body: list[str] = []
        i += 1
        while i < len(lines) and not _closes(lines[i], fence):
            body.append(lines[i])
            i += 1
        blocks.append(_Block(opener.group(2).strip(), "\n".join(body), closed=i < len(lines)))
        i += 1
    return "\n".join(preamble).strip(), blocks


def _outside_blocks(text: str) -> list[str]:
    preamble, blocks = _blocks(text)
    return [*preamble.split("\n"), *(line for block in blocks for line in block.after_lines)]


def _closes(line: str, fence: str) -> bool:
    # As in CommonMark, a closing fence is indented by three spaces at most: deeper ones are quoted docstrings.
    bare = line.rstrip(" \r\t")
    marks = bare.lstrip(" ")
    return len(bare) - len(marks) <= 3 and len(marks) >= len(fence) and set(marks) == {"`"}


def _why_loose(comment: Comment | None, closed: bool) -> str:
    if not closed:
        return "the suggestion's fence is not closed"
    return "the suggestion follows no anchored quote" if comment is None else "a second suggestion for one comment"


def _occurrence(words: list[str]) -> int:
    return next((int(m.group(1)) for w in words if (m := _OCCURRENCE.fullmatch(w))), 1)


def _locate(quote: str, answer: str, occurrence: int) -> Span | None:
    places = occurrences(quote, answer)
    if occurrence > len(places):
        return None
    return Span(places[occurrence - 1], places[occurrence - 1] + len(quote))
