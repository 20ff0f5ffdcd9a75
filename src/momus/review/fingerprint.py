"""What a finding is known by from one push to the next: its quote and what stands around it, never its line number."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from momus.critique import TextMap
from momus.review.finding import Finding
from momus.review.ignores import silenced_text


def with_fingerprints(
    findings: Sequence[Finding], text: TextMap, lines_of: dict[int, tuple[int, ...]]
) -> list[Finding]:
    """The findings of one file, in order, each with a fingerprint that no other one of the file has.

    `lines_of` maps a line to the lines of the unit that owns it: the neighbours are looked for among them alone. All
    white space, and ignore comments, are left out of what is hashed.
    """
    seen: Counter[str] = Counter()
    known: list[Finding] = []
    for finding in sorted(findings, key=lambda finding: (finding.span, finding.category, finding.comment.text)):
        parts = [finding.category, finding.unit, normal(finding.quote), *_neighbours(finding, text, lines_of)]
        key = "\0".join(parts)
        seen[key] += 1
        digest = hashlib.sha256(f"{key}\0{seen[key]}".encode("utf-8", "surrogatepass")).hexdigest()
        known.append(replace(finding, fingerprint=digest[:32]))
    return known


def normal(text: str) -> str:
    """A text without white space and without ignore comments: the same before and after a formatter ran."""
    return "".join(silenced_text(text).split())


def _neighbours(finding: Finding, text: TextMap, lines_of: dict[int, tuple[int, ...]]) -> tuple[str, str]:
    """The nearest lines of the unit with something on them, before and after the quote's own lines."""
    touched = text.lines(finding.span)
    own = lines_of.get(finding.start_line, ())
    before = (number for number in reversed(own) if number < touched.start)
    after = (number for number in own if number >= touched.stop)
    found = []
    for numbers in (before, after):
        lines = (normal(text.text[slice(*text.line_span(number))]) for number in numbers)
        found.append(next((line for line in lines if line), ""))
    return found[0], found[1]
