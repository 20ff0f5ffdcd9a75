"""Markdown for a pull request's comment. What a critic wrote is shown as it wrote it and can start nothing of its own:
no link, image, heading, mention, reference or HTML, and no end to the block that it stands in.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from momus.critique import TextMap
from momus.review.finding import FileReport, Finding, Report
from momus.review.output import Options
from momus.review.output.excerpt import changes
from momus.review.output.summary import hidden_line, notices, percent, summary_line
from momus.review.output.text import code_rows, paint
from momus.review.output.visible import inert, one_line, visible

MARKER = "<!-- momus-review -->"  # by which a script finds the comment to update
_LIMIT = 60_000  # GitHub takes 65,536 characters in a comment
_WIDTH = 100

_BACKTICKS = re.compile(r"`+")
# What a host would turn into a link or a notification even where Markdown's own characters are escaped. Inside of a
# code span it turns nothing into anything.
_LIVE = re.compile(
    r"`[^`\n]+`"
    r"|[\w.+-]*@[\w./-]+"
    r"|(?:[a-z][a-z0-9+.-]*:)?//[^\s`]+|\bwww\.[^\s`]+|\b(?:mailto|xmpp|javascript|data):[^\s`]+"
    r"|(?:[\w./-]*[#!&%~^$]|\bGH-)\d+|:[a-z0-9_+-]+:",
    re.IGNORECASE,
)
_SPECIAL = re.compile(r"([\\`*_\[\]<>&~|$!#@])")
_BULLET = re.compile(r"^([-+=:])")
_NUMBER = re.compile(r"^(\d+)([.)])")


def render(report: Report, options: Options) -> str:
    """The review as one comment, with a marker by which to find it again, cut where a comment may be no longer."""
    return f"{MARKER}\n{document(report, options, limit=_LIMIT)}"


def document(report: Report, options: Options, *, limit: int) -> str:
    """The review as Markdown of at most `limit` bytes; it says how many findings that leaves out."""
    tail = "".join(f"- {part}\n" for part in _notices(report))
    if hidden := hidden_line(report):
        tail += f"\n{escape(hidden)}\n"
    head = f"### Momus: {escape(summary_line(report))}\n"
    tail = _cut(inert(tail), limit // 4)
    out = [head]
    room = limit - len(head.encode()) - len(tail.encode()) - 200
    found = [(file, text, f) for file in report.files for text in [TextMap(file.text)] for f in file.findings]
    for index, (file, text, finding) in enumerate(found):
        part = inert("\n" + _finding(file, text, finding))
        room -= len(part.encode())
        if room < 0:
            left = len(found) - index
            out.append(f"\n{left} more finding{'' if left == 1 else 's'} would not fit here.\n")
            break
        out.append(part)
    return "".join(out) + (f"\n{tail}" if tail else "")


def escape(text: str) -> str:
    """Text of any origin as Markdown that shows it letter for letter, on one paragraph per line of it."""
    return "\n".join(_escape_line(line.strip()) for line in visible(text).strip().split("\n"))


def code_span(text: str) -> str:
    """Text on one line as an inline code span, whatever backticks it holds."""
    bare = one_line(text) or " "
    fence = "`" * (1 + max((len(m.group()) for m in _BACKTICKS.finditer(bare)), default=0))
    pad = " " if bare.startswith("`") or bare.endswith("`") else ""
    return f"{fence}{pad}{bare}{pad}{fence}"


def fenced(text: str, info: str) -> str:
    """A code block that its content cannot close."""
    longest = max((len(m.group()) for m in _BACKTICKS.finditer(text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{info}\n{text}\n{fence}\n"


def _finding(file: FileReport, text: TextMap, finding: Finding) -> str:
    plain = Options(width=_WIDTH)
    confidence = percent(finding.comment.confidence)
    title = f"**{finding.severity}** {finding.category}{f' {confidence}' if confidence else ''}"
    code = "\n".join(paint(row, plain) for row in code_rows(file, text, finding, plain))
    parts = [f"{title} at {code_span(file.where(finding))}\n", fenced(code, "text")]
    if finding.comment.text:
        parts.append(escape(finding.comment.text) + "\n")
    if finding.comment.evidence is not None:
        evidence = finding.comment.evidence
        said = evidence.beside(finding.comment.text)
        parts.append(f"**{evidence.title}**{escape(said[len(evidence.title) :])}\n")
    elif finding.comment.witness:
        parts.append(f"It shows with: {code_span(finding.comment.witness)}\n")
    if diff := changes(file, text, finding):
        parts.append(fenced("\n".join(visible(f"{change.sign} {change.text}") for change in diff), "diff"))
    return "\n".join(parts)


def _notices(report: Report) -> Iterator[str]:
    for notice in notices(report):
        label = "**not reviewed**" if notice.failed else "note"
        yield f"{label}: {code_span(notice.where)}: {escape(one_line(notice.text))}"


def _escape_line(line: str) -> str:
    out: list[str] = []
    position = 0
    for match in _LIVE.finditer(line):
        out.append(_SPECIAL.sub(r"\\\1", line[position : match.start()]))
        held = match.group()
        out.append(code_span(held[1:-1] if len(held) > 2 and held[0] == held[-1] == "`" else held))
        position = match.end()
    out.append(_SPECIAL.sub(r"\\\1", line[position:]))
    return _NUMBER.sub(r"\1\\\2", _BULLET.sub(r"\\\1", "".join(out)))


def _cut(text: str, limit: int) -> str:
    if len(text.encode()) <= limit:
        return text
    kept = text.encode()[:limit].decode(errors="ignore").rpartition("\n")[0]
    return f"{kept}\n- and more that would not fit here\n"
