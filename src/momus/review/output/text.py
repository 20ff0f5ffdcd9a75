"""What a person reads in a terminal: each finding with its code underlined, the comment and the suggested change."""

from __future__ import annotations

from collections.abc import Iterator

from momus.critique import TextMap
from momus.review.finding import FileReport, Finding, Report
from momus.review.output import Options
from momus.review.output.excerpt import Change, Line, changes, excerpt
from momus.review.output.summary import Notice, hidden_line, notices, percent, summary_line
from momus.review.output.visible import cells, inert, one_line, shown, wrap

Segment = tuple[str, str]  # a piece of a line and its style, as rich names styles
Row = list[Segment]

SEVERITY_STYLES = {"high": "bold red", "medium": "bold yellow", "low": "bold cyan"}
_UNDERLINES = {"high": "red", "medium": "yellow", "low": "cyan"}
_SIGNS = {"-": "red", "+": "green", " ": ""}
_DIM = "dim"
_READABLE = 92  # cells: longer lines of prose are hard to read, however wide the terminal


def render(report: Report, options: Options) -> str:
    """The whole review, plain or coloured as the options say."""
    rows: list[Row] = []
    for file in report.files:
        text = TextMap(file.text)
        for finding in file.findings:
            rows += _finding(file, text, finding, options)
            rows += [[], []]
    told = list(notices(report))
    for notice in told:
        rows += _notice(notice, options)
    if told:
        rows.append([])
    rows.append([(summary_line(report), "bold")])
    if hidden := hidden_line(report):
        rows.append([(hidden, _DIM)])
    return "".join(paint(row, options) + "\n" for row in rows)


def code_rows(file: FileReport, text: TextMap, finding: Finding, options: Options) -> Iterator[Row]:
    """The excerpt: numbered lines, the exact highlight underlined with carets."""
    gutter = _gutter(text)
    bar = "|" if options.ascii else "│"
    room = max(20, options.width - gutter - 3)
    for line in excerpt(file, text, finding):
        if line.number is None:
            yield [(f"{'...' if options.ascii else '⋮':>{gutter}}", _DIM)]
            continue
        lead = (f"{line.number:>{gutter}} {bar} ", _DIM)
        if line.mark is None:
            yield [lead, (_clip(shown(line.text).rstrip(), room, options), "")]
            continue
        before, marked, after = _clipped(line, room, options)
        yield [lead, (before, ""), (marked, SEVERITY_STYLES[finding.severity]), (after.rstrip(), "")]
        carets = "^" * max(1, cells(before + marked) - cells(before))
        yield [(f"{'':{gutter}} {bar} ", _DIM), (" " * cells(before) + carets, _UNDERLINES[finding.severity])]


def change_rows(diff: list[Change], text: TextMap, options: Options) -> Iterator[Row]:
    """The suggestion as a small diff, in the columns of the excerpt."""
    gutter = _gutter(text)
    for change in diff:
        code = _clip(shown(change.text).rstrip(), max(20, options.width - gutter - 3), options)
        yield [(f"{change.number:>{gutter}} ", _DIM), (f"{change.sign} {code}".rstrip(), _SIGNS[change.sign])]


def shown_by(finding: Finding) -> str:
    """The evidence on a comment, or its input alone; "" where there is neither."""
    comment = finding.comment
    if comment.evidence is not None:
        return comment.evidence.beside(comment.text)
    return f"It shows with: {comment.witness}" if comment.witness else ""


def heading(file: FileReport, finding: Finding) -> tuple[str, str]:
    """Where a finding stands, and what it is: ("app.py:3:5", "off-by-one high 82%")."""
    said = f"{finding.category} {finding.severity} {percent(finding.comment.confidence)}".rstrip()
    return one_line(file.where(finding)), said


def paint(row: Row, options: Options) -> str:
    """One line, with the colours of the terminal's own sixteen where colours are wanted."""
    if not options.colour:
        return inert("".join(piece for piece, _ in row).rstrip())
    from rich.color import ColorSystem
    from rich.style import Style

    system = ColorSystem.STANDARD
    safe = [(inert(piece) if at == 0 or "##" in piece else piece, style) for at, (piece, style) in enumerate(row)]
    return "".join(Style.parse(style).render(piece, color_system=system) if style else piece for piece, style in safe)


def _finding(file: FileReport, text: TextMap, finding: Finding, options: Options) -> Iterator[Row]:
    where, _ = heading(file, finding)
    confidence = percent(finding.comment.confidence)
    yield [
        (where, "bold"),
        (": ", _DIM),
        (finding.category, "bold"),
        (" ", ""),
        (finding.severity, SEVERITY_STYLES[finding.severity]),
        (f" {confidence}" if confidence else "", _DIM),
    ]
    yield []
    rows = list(code_rows(file, text, finding, options))
    yield from rows
    yield []
    indent = " " * (_gutter(text) + 3)  # where the code begins
    width = max(20, min(options.width - len(indent), _READABLE))
    for line in wrap(finding.comment.text, width):
        yield [(indent + line, "")]
    if shows := shown_by(finding):
        yield []
        for line in wrap(shows, width):
            yield [(indent + line, _DIM)]
    if diff := changes(file, text, finding):
        yield []
        yield from change_rows(diff, text, options)


def _notice(notice: Notice, options: Options) -> Iterator[Row]:
    failed = notice.failed
    label = "not reviewed" if failed else "note"
    lines = wrap(f"{one_line(notice.where)}: {one_line(notice.text)}", max(20, options.width - len(label) - 2))
    yield [(label, "bold red" if failed else "bold"), (": " + lines[0], "")]
    for line in lines[1:]:
        yield [(" " * (len(label) + 2) + line, "")]


def _gutter(text: TextMap) -> int:
    """How wide the column of line numbers is: the same for all findings of a file."""
    return max(4, len(str(text.line_count)) + 1)


def _clipped(line: Line, room: int, options: Options) -> tuple[str, str, str]:
    """The three parts of a highlighted line, cut to the room so that the start of the highlight is always in it."""
    start, end = line.mark or (0, 0)
    before = shown(line.text[:start])
    marked = shown(line.text[start:end], cells(before))
    after = shown(line.text[end:], cells(before + marked))
    dots = "..." if options.ascii else "…"
    if cells(before + marked) > room and cells(before) > room // 3:
        keep = max(room // 3, room - cells(marked) - len(dots))
        before = dots + _last_cells(before, keep - len(dots)) if cells(before) > keep else before
    marked = _clip(marked, max(len(dots) + 1, room - cells(before)), options)
    return before, marked, _clip(after, max(len(dots), room - cells(before + marked)), options)


def _clip(text: str, room: int, options: Options) -> str:
    if cells(text) <= room:
        return text
    dots = "..." if options.ascii else "…"
    kept = text[: max(0, room - len(dots))]
    while kept and cells(kept) > room - len(dots):
        kept = kept[:-1]
    return kept + dots


def _last_cells(text: str, room: int) -> str:
    kept = text[-room:] if room > 0 else ""
    while kept and cells(kept) > room:
        kept = kept[1:]
    return kept
