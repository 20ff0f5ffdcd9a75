"""Finds the place that an inexact quote means, for models that cannot be held to exact ones.

A chain from strict to lenient; the first method that finds a place wins, and what none finds is dropped, never guessed.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Literal

from momus.critique import Span, TextMap, occurrences

Method = Literal["exact", "whitespace", "case", "ellipsis", "fuzzy"]

_STRAIGHT = str.maketrans({"‘": "'", "’": "'", "‚": "'", "‛": "'", "“": '"', "”": '"', "„": '"', "‟": '"'})
_DOTS = ("...", "…")
_LIKENESS = 0.85
_MARGIN = 0.02


@dataclass(frozen=True, slots=True)
class Anchor:
    """Where a quote stands in the answer, in code points, and how it was found."""

    start: int
    end: int
    method: Method


def anchor(quote: str, answer: str, text: TextMap, min_chars: int) -> Anchor | None:
    """Exact; then without blanks, with straight quotes; then in any case; cut at an ellipsis; the unique like lines."""
    core = quote.strip()
    if _filled(core) < min_chars and not _is_line(core, text):
        return None
    for candidate in (quote.strip("\r\n"), core):
        if found := occurrences(candidate, answer):
            return Anchor(found[0], found[0] + len(candidate), "exact")
    squeezed = _Squeezed(answer)
    for method, fold in (("whitespace", False), ("case", True)):
        if places := squeezed.find(core, fold):
            return Anchor(*places[0], "case" if method == "case" else "whitespace")
    if (cut := _without_dots(core)) != core:
        # what is left stands for more than it says: it must mean one place only
        for fold in (False, True):
            if _filled(cut) >= min_chars and len(places := squeezed.find(cut, fold)) == 1:
                return Anchor(*places[0], "ellipsis")
        core = cut
    return _like_lines(core, text)


def _filled(text: str) -> int:
    return sum(not c.isspace() for c in text)


def _is_line(core: str, text: TextMap) -> bool:
    return bool(core) and any(core == text.text[slice(*text.line_span(n))].strip() for n in _numbers(text))


def _numbers(text: TextMap) -> range:
    return range(1, text.line_count + 1)


def _without_dots(core: str) -> str:
    while True:
        cut = core
        for dots in _DOTS:
            cut = cut.removeprefix(dots).removesuffix(dots).strip()
        if cut == core:
            return cut
        core = cut


class _Squeezed:
    """A text without blanks and with straight quotation marks, and the way back to its offsets."""

    def __init__(self, text: str) -> None:
        self._offsets = [i for i, c in enumerate(text) if not c.isspace()]
        self._plain = _squeeze(text)
        self._folded = _fold(self._plain)

    def find(self, quote: str, fold: bool) -> list[tuple[int, int]]:
        wanted = _squeeze(quote)
        found = occurrences(_fold(wanted), self._folded) if fold else occurrences(wanted, self._plain)
        return [(self._offsets[at], self._offsets[at + len(wanted) - 1] + 1) for at in found]


def _squeeze(text: str) -> str:
    return "".join(text.split()).translate(_STRAIGHT)


def _fold(text: str) -> str:
    return "".join(low if len(low := c.lower()) == 1 else c for c in text)


def _like_lines(core: str, text: TextMap) -> Anchor | None:
    """The run of as many non-blank lines that is most like the quote, if no other run comes near it."""
    wanted = [" ".join(line.split()).translate(_STRAIGHT) for line in core.splitlines() if line.strip()]
    lines = []
    for number in _numbers(text):
        start, end = text.line_span(number)
        raw = text.text[start:end]
        if raw.strip():
            lines.append((_trimmed(raw, start), " ".join(raw.split()).translate(_STRAIGHT)))
    if not wanted or len(wanted) > len(lines):
        return None
    matcher = difflib.SequenceMatcher(None, autojunk=False)
    matcher.set_seq2("\n".join(wanted))
    floor = _LIKENESS - _MARGIN
    scored: list[tuple[float, int]] = []
    for first in range(len(lines) - len(wanted) + 1):
        matcher.set_seq1("\n".join(line for _, line in lines[first : first + len(wanted)]))
        if matcher.real_quick_ratio() >= floor and matcher.quick_ratio() >= floor and (r := matcher.ratio()) >= floor:
            scored.append((r, first))
    scored.sort(reverse=True)
    if not scored or scored[0][0] < _LIKENESS or (len(scored) > 1 and scored[0][0] - scored[1][0] < _MARGIN):
        return None
    first = scored[0][1]
    return Anchor(lines[first][0].start, lines[first + len(wanted) - 1][0].end, "fuzzy")


def _trimmed(raw: str, start: int) -> Span:
    left = len(raw) - len(raw.lstrip())
    return Span(start + left, start + len(raw.rstrip()))
