"""The Reviewdog Diagnostic Format: columns count UTF-8 bytes from 1, ends are exclusive."""

from __future__ import annotations

from momus.critique import Severity, TextMap
from momus.review.finding import FileReport, Finding, Report
from momus.review.output import Options
from momus.review.output.interchange import comment_text, json_text, repository_path, whole
from momus.review.output.rules import RULES
from momus.review.output.summary import notices
from momus.review.output.visible import visible

_SEVERITIES: dict[Severity, str] = {"high": "ERROR", "medium": "WARNING", "low": "INFO"}
Body = dict[str, object]


def render(report: Report, options: Options) -> str:
    """One DiagnosticResult; suggestions replace the same range, files that were not reviewed are errors on the file."""
    diagnostics: list[Body] = []
    for file in report.files:
        text = TextMap(file.text)
        path = whole(repository_path(file.path, report, options))
        diagnostics += [_diagnostic(file, text, finding, path) for finding in file.findings]
    for notice in notices(report):
        if notice.failed:
            path = whole(repository_path(notice.file.path, report, options))
            diagnostics.append(
                {
                    "message": f"Not reviewed: {visible(notice.text)}",
                    "location": {"path": path},
                    "severity": "ERROR",
                    "code": {"value": notice.kind},
                }
            )
    return json_text({"source": {"name": "momus"}, "severity": "WARNING", "diagnostics": diagnostics}) + "\n"


def _diagnostic(file: FileReport, text: TextMap, finding: Finding, path: str) -> Body:
    span = {
        "start": {"line": finding.start_line, "column": text.byte_column(finding.span.start)},
        "end": {"line": finding.end_line, "column": text.byte_column(finding.span.end)},
    }
    if file.is_notebook:  # on disk it is JSON; the message names cell and line
        span = {"start": {"line": 1}}
    body: Body = {
        "message": comment_text(file, finding) or RULES[finding.category].description,
        "location": {"path": path, "range": span},
        "severity": _SEVERITIES[finding.severity],
        "code": {"value": finding.category},
    }
    if finding.comment.suggestion is not None and not file.is_notebook:
        body["suggestions"] = [{"range": span, "text": whole(finding.comment.suggestion)}]
    return body
