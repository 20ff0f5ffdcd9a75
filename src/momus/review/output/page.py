"""One page that stands alone: the code with its highlights, and beside them what was said.

It asks for nothing from anywhere and runs nothing: no script, one style sheet that the content security policy names by
its hash, and everything that came from the code or from a critic is text. Comment and highlight point at each other
by plain links, and light up together by `:has()`.
"""

from __future__ import annotations

import base64
import hashlib
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from itertools import pairwise

from momus.critique import TextMap
from momus.review.finding import FileReport, Finding, Report
from momus.review.output import Options
from momus.review.output.excerpt import changes, line_text, mark
from momus.review.output.interchange import markup
from momus.review.output.summary import hidden_line, notices, percent, summary_line
from momus.review.output.syntax import colours
from momus.review.output.visible import one_line, visible

_CONTEXT = 5
_WHOLE = 80  # a file of at most so many lines is shown whole


@dataclass(frozen=True, slots=True)
class Row:
    """A run of lines and the findings beside it. `label` stands above it: lines left out, or the cell of a notebook."""

    lines: range
    findings: tuple[int, ...]  # numbers of the findings that begin in it
    label: str = ""


def render(report: Report, options: Options) -> str:
    """The whole review as one HTML document."""
    numbered = dict(enumerate((finding for file in report.files for finding in file.findings), 1))
    style = files("momus.review.output").joinpath("page.css").read_text(encoding="utf-8") + _links(numbered)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    number = 1
    sections: list[str] = []
    for file in report.files:
        if file.findings:
            mine = dict(enumerate(file.findings, number))
            number += len(mine)
            sections.append(_file(file, mine))
    body = "\n".join([_header(report), *_told(report), *_index(report, numbered), *sections, *_clean(report)])
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n<meta name="referrer" content="no-referrer">\n'
        f"<title>{_text(summary_line(report))} · Momus</title>\n<style>{style}</style>\n</head>\n"
        f"<body>\n<main>\n{markup(body)}\n</main>\n</body>\n</html>\n"
    )


def rows(file: FileReport, text: TextMap, findings: dict[int, Finding]) -> list[Row]:
    """Cut the code into rows, one for each finding (or for several on the same lines), context included."""
    out: list[Row] = []
    previous = 0  # the last line shown so far
    for first, last, label in _sections(file, text):
        here = {n: f for n, f in findings.items() if first <= f.start_line <= last}
        groups = list(_groups(here, text))
        whole = last - first < _WHOLE
        for i, (numbers, touched) in enumerate(groups):
            before = groups[i - 1][1].stop - 1 if i else None
            after = groups[i + 1][1].start if i + 1 < len(groups) else None
            start = first if whole else max(first, touched.start - _CONTEXT)
            stop = last if whole else min(last, touched.stop - 1 + _CONTEXT)
            if before is not None:  # share the lines between two findings, so that each row starts near its own
                start = max(start, (before + touched.start) // 2 + 1)
            if after is not None:
                stop = min(stop, (touched.stop - 1 + after) // 2)
            stop = max(stop, touched.stop - 1)
            said = label if i == 0 else ""
            skipped = start - max(previous, first - 1) - 1
            if not said and skipped > 0:
                said = f"{skipped} line{'' if skipped == 1 else 's'}"
            out.append(Row(range(start, stop + 1), numbers, said))
            previous = stop
    return out


def _sections(file: FileReport, text: TextMap) -> Iterator[tuple[int, int, str]]:
    if file.cells:
        for cell in file.cells:
            yield cell.start_line, cell.end_line, f"Cell {cell.number}"
    else:
        yield 1, max(1, text.line_count, *(text.lines(f.span).stop - 1 for f in file.findings)), ""


def _groups(findings: dict[int, Finding], text: TextMap) -> Iterator[tuple[tuple[int, ...], range]]:
    numbers: tuple[int, ...] = ()
    touched = range(0)
    for number, finding in findings.items():
        lines = text.lines(finding.span)
        if numbers and lines.start < touched.stop:
            numbers, touched = (*numbers, number), range(touched.start, max(touched.stop, lines.stop))
        else:
            if numbers:
                yield numbers, touched
            numbers, touched = (number,), lines
    if numbers:
        yield numbers, touched


def _file(file: FileReport, findings: dict[int, Finding]) -> str:
    text = TextMap(file.text)
    tokens = colours(text)
    out = [f'<section class="file">\n<h2>{_text(one_line(file.path))}</h2>\n<div class="sheet">']
    for row in rows(file, text, findings):
        if row.label:
            out.append(f'<div class="gap">{_text(row.label)}</div>')
        code = "".join(_line(file, text, number, findings, tokens) for number in row.lines)
        notes = "\n".join(_note(file, text, number, findings[number]) for number in row.findings)
        out.append(
            f'<div class="row"><pre class="code"><code>{code}</code></pre>\n<div class="notes">{notes}</div></div>'
        )
    return "\n".join(out) + "\n</div>\n</section>"


def _line(
    file: FileReport, text: TextMap, number: int, findings: dict[int, Finding], tokens: list[tuple[int, int, str]]
) -> str:
    start, content = text.starts[number - 1], line_text(text, number)
    marks = [(n, *place) for n, finding in findings.items() if (place := mark(text, number, finding)) is not None]
    words = [(a - start, b - start, kind) for a, b, kind in _within(tokens, start, start + len(content))]
    cuts = {0, len(content), *(p for _, a, b in marks for p in (a, b)), *(p for a, b, _ in words for p in (a, b))}
    begun = {n: a for n, a, _ in marks if text.line(findings[n].span.start) == number}
    parts: list[str] = []
    for a, b in pairwise(sorted(cuts)):
        kind = next((kind for x, y, kind in words if x <= a and b <= y), "")
        piece = f'<span class="{kind}">{_text(content[a:b])}</span>' if kind else _text(content[a:b])
        over = [n for n, x, y in marks if x <= a and b <= y]
        parts += [_anchor(n) for n in over if begun.get(n) == a]
        parts.append(_mark(piece, over, findings) if over else piece)
    for n, a, b in marks:
        if a == b:
            parts += [_anchor(n), _mark(" ", [n], findings)]
    cell = file.cell(number)
    return f'<span class="line"><span class="n">{cell[1] if cell else number}</span>{"".join(parts)}\n</span>'


def _within(tokens: list[tuple[int, int, str]], start: int, end: int) -> Iterator[tuple[int, int, str]]:
    i = max(0, bisect_right(tokens, (start, 0, "")) - 1)
    while i < len(tokens) and tokens[i][0] < end:
        a, b, kind = tokens[i]
        if b > start:
            yield max(a, start), min(b, end), kind
        i += 1


def _anchor(number: int) -> str:
    """Where the link of a comment leads: the first piece of its highlight."""
    return f'<span id="m{number}"></span>'


def _mark(piece: str, over: list[int], findings: dict[int, Finding]) -> str:
    inner = over[-1]
    names = " ".join(f"m{n}" for n in over)
    return f'<a class="mark {findings[inner].severity} {names}" href="#c{inner}">{piece}</a>'


def _note(file: FileReport, text: TextMap, number: int, finding: Finding) -> str:
    comment = finding.comment
    confidence = percent(comment.confidence)
    out = [
        f'<article class="note {comment.severity}" id="c{number}">',
        f'<h3><a class="number" href="#m{number}" title="Show the code">{number}</a>'
        f'<span class="category">{comment.category}</span> <span class="severity">{comment.severity}</span>'
        + (f' <span class="confidence" title="How sure the critic is">{confidence}</span>' if confidence else "")
        + "</h3>",
        *(f'<p dir="auto">{_prose(paragraph)}</p>' for paragraph in visible(comment.text).split("\n\n") if paragraph),
    ]
    if comment.evidence is not None:
        badge, said = comment.evidence.badge, comment.evidence.beside(comment.text)
        out.append(f'<p class="witness {badge}">{_text(visible(said))}</p>')
    elif comment.witness:
        out.append(f'<p class="witness">It shows with <code>{_text(comment.witness)}</code></p>')
    if diff := changes(file, text, finding):
        indent = min((len(c.text) - len(c.text.lstrip()) for c in diff if c.text.strip()), default=0)
        lines = "".join(f'<span class="{_SIGNS[c.sign]}">{c.sign} {_text(c.text[indent:])}\n</span>' for c in diff)
        out.append(f'<pre class="diff" aria-label="Suggested change"><code>{lines}</code></pre>')
    unit = "" if finding.unit == "<module>" else f"in {one_line(finding.unit)}, "
    out.append(f'<p class="origin">{_text(unit)}by {_text(one_line(finding.critic))}</p>\n</article>')
    return "\n".join(out)


_SIGNS = {"-": "gone", "+": "come", " ": "kept"}


def _prose(text: str) -> str:
    """Text with its `code` set as code; an odd backtick is a backtick."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        parts[-2:] = [f"{parts[-2]}`{parts[-1]}"]
    return "".join(f"<code>{escape(p)}</code>" if i % 2 else escape(p) for i, p in enumerate(parts))


def _header(report: Report) -> str:
    about = [f"critic {report.critic}" if report.critic else "", f"momus {report.version}" if report.version else ""]
    about.append(f"{report.seconds:.1f} s" if report.seconds else "")
    said = " · ".join(_text(one_line(part)) for part in about if part)
    hidden = hidden_line(report)
    return (
        f'<header>\n<p class="name">Momus</p>\n<h1>{_text(summary_line(report))}</h1>\n<p class="about">{said}</p>\n'
        + (f'<p class="about">{_text(hidden)}</p>\n' if hidden else "")
        + "</header>"
    )


def _told(report: Report) -> Iterator[str]:
    items = [
        f"<li{' class=failed' if n.failed else ''}><b>{'Not reviewed' if n.failed else 'Note'}</b> "
        f"<code>{_text(one_line(n.where))}</code> {_text(one_line(n.text))}</li>"
        for n in notices(report)
    ]
    if items:
        yield '<ul class="told">\n' + "\n".join(items) + "\n</ul>"


def _index(report: Report, numbered: dict[int, Finding]) -> Iterator[str]:
    if len(numbered) < 2:
        return
    places = [file.where(finding) for file in report.files for finding in file.findings]
    items = (
        f'<li class="{finding.severity}"><a href="#c{number}"><span class="number">{number}</span>'
        f'<span class="category">{finding.category}</span> <span class="where">{_text(one_line(place))}</span></a></li>'
        for (number, finding), place in zip(numbered.items(), places, strict=True)
    )
    yield '<nav aria-label="Findings">\n<ol>\n' + "\n".join(items) + "\n</ol>\n</nav>"


def _clean(report: Report) -> Iterator[str]:
    clean = [file.path for file in report.files if not file.findings and file.error is None]
    if clean:
        items = "".join(f"<li><code>{_text(one_line(path))}</code></li>" for path in clean)
        what = f"Nothing found in {len(clean)} file{'' if len(clean) == 1 else 's'}"
        yield f'<details class="clean"><summary>{what}</summary><ul>{items}</ul></details>'


def _links(numbers: Iterable[int]) -> str:
    """The rules by which a comment and its highlight light up together."""
    return "".join(
        f"body:has(#c{n}:is(:hover,:focus-within,:target)) .m{n},body:has(#m{n}:target) .m{n}"
        "{background:var(--lit);box-shadow:0 0 0 2px var(--lit)}\n"
        f"body:has(.m{n}:is(:hover,:focus)) #c{n}{{border-color:var(--ink);background:var(--raised)}}\n"
        for n in numbers
    )


def _text(text: str) -> str:
    return escape(visible(text))
