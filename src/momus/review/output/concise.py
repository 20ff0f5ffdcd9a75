"""One line a finding, as compilers print them: what an editor or a script splits at the colons."""

from __future__ import annotations

from momus.review.finding import FileReport, Finding, Report
from momus.review.output import Options
from momus.review.output.summary import hidden_line, notices, summary_line
from momus.review.output.text import SEVERITY_STYLES, Row, heading, paint
from momus.review.output.visible import one_line


def render(report: Report, options: Options) -> str:
    """`path:line:column: category severity confidence: comment`, then what was not reviewed, then the summary."""
    rows: list[Row] = [line_of(file, finding) for file in report.files for finding in file.findings]
    for notice in notices(report):
        label = "not reviewed" if notice.failed else "note"
        rows.append([(one_line(notice.where), "bold"), (f": {label}: {one_line(notice.text)}", "")])
    rows.append([(summary_line(report), "bold")])
    if hidden := hidden_line(report):
        rows.append([(hidden, "dim")])
    return "".join(paint(row, options) + "\n" for row in rows)


def line_of(file: FileReport, finding: Finding) -> Row:
    """One finding on one line."""
    where, said = heading(file, finding)
    return [
        (where, "bold"),
        (": ", "dim"),
        (said, SEVERITY_STYLES[finding.severity]),
        (f" [{finding.comment.evidence.title}]" if finding.comment.evidence is not None else "", "bold"),
        (f": {one_line(finding.comment.text)}", ""),
    ]
