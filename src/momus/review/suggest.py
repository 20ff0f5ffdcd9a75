"""Suggestions as a patch that `git apply` and `patch -p1` take."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

from momus.match import apply_suggestion
from momus.review.finding import FileReport, Finding
from momus.review.source import parse

_CONTEXT = 3


def suggestions_patch(files: Iterable[FileReport]) -> tuple[bytes, list[str]]:
    """One patch of all suggestions that can stand together, and a sentence on each one that is left out.

    Left out: in notebooks, where another suggestion changes the same place, and what would break a file that parses.
    Each file's lines are in its own encoding, as on disk.
    """
    patches: list[bytes] = []
    left: list[str] = []
    for file in files:
        proposed = [finding for finding in file.findings if finding.comment.suggestion is not None]
        if file.is_notebook:
            left += [f"{file.where(finding)}: a notebook cannot be patched line by line" for finding in proposed]
            continue
        mended, said = mend(file, proposed)
        left += said
        if mended != file.text:
            patches.append(_diff(file, mended))
    return b"".join(patches), left


def mend(file: FileReport, findings: Iterable[Finding]) -> tuple[str, list[str]]:
    """A file's text with suggestions put in, the gravest first, and a sentence on each one that was left out."""
    parses = _parses(file.text)
    chosen: list[Finding] = []
    left: list[str] = []
    mended = file.text
    for finding in sorted(findings, key=lambda f: ("high", "medium", "low").index(f.severity)):
        if any(finding.span.overlaps(other.span) for other in chosen):
            left.append(f"{file.where(finding)}: another suggestion changes the same place")
            continue
        attempt = _with(file.text, [*chosen, finding])
        if attempt is None or (parses and not _parses(attempt)):
            left.append(f"{file.where(finding)}: the suggestion would not parse")
            continue
        chosen.append(finding)
        mended = attempt
    return mended, left


def _with(text: str, findings: list[Finding]) -> str | None:
    for finding in sorted(findings, key=lambda f: f.span, reverse=True):
        text = apply_suggestion(text, finding.span, finding.comment.suggestion or "")
    return text


def _parses(text: str) -> bool:
    try:
        parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _diff(file: FileReport, mended: str) -> bytes:
    before, after = _lines(file, file.text), _lines(file, mended)
    name = file.path.encode("utf-8", "surrogateescape")
    out = [b"--- a/" + name + b"\n", b"+++ b/" + name + b"\n"]
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    for group in matcher.get_grouped_opcodes(_CONTEXT):
        first, last = group[0], group[-1]
        out.append(f"@@ -{_range(first[1], last[2])} +{_range(first[3], last[4])} @@\n".encode())
        for tag, a0, a1, b0, b1 in group:
            if tag == "equal":
                out += [_line(b" ", line) for line in before[a0:a1]]
                continue
            out += [_line(b"-", line) for line in before[a0:a1]]
            out += [_line(b"+", line) for line in after[b0:b1]]
    return b"".join(out)


def _lines(file: FileReport, text: str) -> list[bytes]:
    data = text.encode(file.encoding, "replace")
    mark = b"\xef\xbb\xbf" if file.byte_order_mark else b""
    return re.findall(rb"[^\n]*\n|[^\n]+", mark + data)


def _line(mark: bytes, line: bytes) -> bytes:
    return mark + line if line.endswith(b"\n") else mark + line + b"\n\\ No newline at end of file\n"


def _range(start: int, end: int) -> str:
    """A side of a hunk's head: 1-based, and the line before where the side is empty."""
    length = end - start
    return f"{start + 1 if length else start},{length}"
