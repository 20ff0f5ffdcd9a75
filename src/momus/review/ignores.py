"""Ignore comments: `# momus: ignore[category, ...] reason` on a line or above it, `# momus: ignore-file reason`.

They are found among the real comments of a file, never in its strings. A comment covers what it stands beside: where
a line cannot carry one (inside a string, before a backslash), the end of the run of such lines speaks for all of it.
"""

from __future__ import annotations

import difflib
import io
import re
import tokenize
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from momus.critique import CATEGORIES
from momus.review.finding import Finding, Note
from momus.review.source import Source

_MARK = re.compile(r"#\s*momus:\s*(?P<rest>.*)")
_ORDER = re.compile(r"(?P<what>ignore-file|ignore)(?![\w-])\s*(?:\[(?P<list>[^\]]*)\])?\s*(?P<reason>.*)")
# A comment, or a string, which may be one that never ends.
_LEXEME = re.compile(
    r"""[ \t]*(?P<comment>\#[^\r\n]*)"""
    r"""|(?P<long>\"{3}|'{3})(?:\\.|(?!(?P=long)).)*(?:(?P=long)|\Z)"""
    r"""|(?P<short>["'])(?:\\.|(?!(?P=short))[^\\\r\n])*(?:(?P=short)|(?=[\r\n])|\Z)""",
    re.DOTALL,
)


@dataclass(slots=True)
class _Ignore:
    line: int
    covers: frozenset[int]
    categories: frozenset[str]  # none: all of them
    reason: str
    used: bool = False


@dataclass(slots=True)
class Ignores:
    """The ignore comments of one file. `whole` is the reason where the whole file is to be left alone."""

    whole: str | None = None
    notes: list[Note] = field(default_factory=list)
    _ignores: list[_Ignore] = field(default_factory=list)

    def part(self, findings: Iterable[Finding]) -> tuple[list[Finding], list[Finding]]:
        """Findings that stay, and those that a comment silences, with its reason."""
        kept: list[Finding] = []
        silenced: list[Finding] = []
        for finding in findings:
            lines = set(range(finding.start_line, max(finding.end_line, finding.start_line) + 1))
            if finding.end_column == 1 and finding.end_line > finding.start_line:
                lines.discard(finding.end_line)  # the highlight ends with the line before
            found = [
                ignore
                for ignore in self._ignores
                if (not ignore.categories or finding.category in ignore.categories) and ignore.covers & lines
            ]
            for ignore in found:
                ignore.used = True
            if found:
                silenced.append(replace(finding, state="ignored", reason=found[0].reason))
            else:
                kept.append(finding)
        return kept, silenced

    def unused(self, reviewed: set[int]) -> list[Note]:
        """Notes on comments that silenced nothing, of those whose lines were reviewed at all."""
        return [
            Note("ignore-unused", "this ignore comment silences nothing: take it out", ignore.line)
            for ignore in self._ignores
            if not ignore.used and ignore.covers & reviewed
        ]


def read_ignores(source: Source) -> Ignores:
    """Find the ignore comments of a source."""
    found = Ignores()
    if "momus:" not in source.text:
        return found
    layout = Layout(source)
    for line, comment in layout.comments:
        mark = _MARK.search(comment)
        if mark is None:
            continue
        order = _ORDER.fullmatch(mark["rest"].strip())
        if order is None:
            text = "this comment is not understood: write '# momus: ignore[category] reason'"
            found.notes.append(Note("ignore-not-understood", text, line))
            continue
        reason = order["reason"].strip()
        if not reason:
            found.notes.append(Note("ignore-without-reason", "this ignore comment gives no reason: say why", line))
        if order["what"] == "ignore-file":
            found.whole = reason
            continue
        names = [name.strip() for name in (order["list"] or "").split(",") if name.strip()]
        found.notes += [_unknown(name, line) for name in names if name not in CATEGORIES]
        if order["list"] is not None and not set(names).intersection(CATEGORIES):
            continue  # a list without a single known category silences nothing, rather than everything
        found._ignores.append(_Ignore(line, layout.covered(line), frozenset(names), reason))
    return found


def silenced_text(quote: str) -> str:
    """A text without the ignore comments in it, so that adding one does not change what a finding is known by."""
    return _MARK.sub("", quote) if "momus:" in quote else quote


def without_comments(text: str) -> list[str]:
    """The lines of a text without their comments and what is blank before these."""
    return _LEXEME.sub(lambda found: "" if found["comment"] else found[0], text).splitlines()


class Layout:
    """Where a file's comments are, and which lines can carry one. What does not tokenize is read string by string and
    comment by comment, so that a comment in a string is none there either."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._last = source.map.line_count
        self.comments: list[tuple[int, str]] = []
        self.joined: set[int] = set()  # lines whose end lies in a string or behind a backslash
        try:
            self._scan(source.code)
        except (tokenize.TokenError, SyntaxError, ValueError, RecursionError):
            self.comments, self.joined = [], set()
            self._scan_by_look(source)
        commented = {number for number, _ in self.comments}
        continued = (number for number in range(1, self._last + 1) if self.line(number).endswith("\\"))
        self.joined |= {number for number in continued if number not in commented}

    def line(self, number: int) -> str:
        return self._source.text[slice(*self._source.map.line_span(number))]

    def run(self, number: int) -> range:
        """The lines that a comment at the end of the last one speaks for."""
        first = last = number
        while first - 1 in self.joined:
            first -= 1
        while last in self.joined and last < self._last:
            last += 1
        return range(first, last + 1)

    def covered(self, number: int) -> frozenset[int]:
        """The lines that a comment on a line is about: its own, or the next with code where it stands alone."""
        if not self.alone(number):
            return frozenset(self.run(number))
        below = number + 1
        while below <= self._last and (self.alone(below) or not self.line(below).strip()):
            below += 1
        return frozenset({number, *(self.run(below) if below <= self._last else ())})

    def alone(self, number: int) -> bool:
        """Whether a line is nothing but a comment."""
        return number - 1 not in self.joined and self.line(number).lstrip().startswith("#")

    def _scan(self, code: str) -> None:
        # The tokenizer ends lines where TextMap does only once all ends are alike.
        plain = code.replace("\r\n", "\n").replace("\r", "\n")
        for token in tokenize.generate_tokens(io.StringIO(plain).readline):
            if token.type == tokenize.COMMENT:
                self.comments.append((token.start[0], token.string))
            elif token.type not in (tokenize.NEWLINE, tokenize.NL):
                self.joined |= set(range(token.start[0], token.end[0]))

    def _scan_by_look(self, source: Source) -> None:
        for found in _LEXEME.finditer(source.code):
            first = source.map.line(found.start())
            if found["comment"]:
                self.comments.append((first, found["comment"]))
            else:
                self.joined |= set(range(first, source.map.line(found.end())))


def _unknown(name: str, line: int) -> Note:
    near = difflib.get_close_matches(name, CATEGORIES, n=1)
    mend = f"did you mean '{near[0]}'?" if near else "see 'momus review --help'"
    return Note("ignore-unknown-category", f"unknown category '{name}': {mend}", line)
