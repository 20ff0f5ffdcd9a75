"""GitLab's Code Quality report (a subset of the Code Climate format): the widget and the marks of a merge request."""

from __future__ import annotations

import hashlib

from momus.critique import Severity
from momus.review.finding import FileReport, Finding, Report
from momus.review.output import Options
from momus.review.output.interchange import comment_text, json_text, repository_path, whole
from momus.review.output.rules import RULES
from momus.review.output.summary import Notice, notices
from momus.review.output.visible import visible

_SEVERITIES: dict[Severity, str] = {"high": "critical", "medium": "major", "low": "minor"}


def render(report: Report, options: Options) -> str:
    """One array of issues; a file that was not reviewed is an issue too, as GitLab has no other place for it."""
    issues = [_issue(file, finding, report, options) for file in report.files for finding in file.findings]
    issues += [_failure(n, report, options) for n in notices(report) if n.failed]
    return json_text(issues) + "\n"


def _issue(file: FileReport, finding: Finding, report: Report, options: Options) -> dict[str, object]:
    path = whole(repository_path(file.path, report, options))
    begin = {"line": finding.start_line, "column": finding.start_column}
    end = {"line": finding.end_line, "column": finding.end_column}
    if file.is_notebook:  # on disk it is JSON; the description names cell and line
        begin = end = {"line": 1, "column": 1}
    return {
        "description": comment_text(file, finding) or RULES[finding.category].description,
        "check_name": finding.category,
        "fingerprint": _unique(path, finding.fingerprint),
        "severity": _SEVERITIES[finding.severity],
        "location": {"path": path, "positions": {"begin": begin, "end": end}},
    }


def _failure(notice: Notice, report: Report, options: Options) -> dict[str, object]:
    path = whole(repository_path(notice.file.path, report, options))
    return {
        "description": f"Not reviewed: {visible(notice.text)}",
        "check_name": "not-reviewed",
        "fingerprint": _unique(path, "not-reviewed"),
        "severity": "info",
        "location": {"path": path, "lines": {"begin": 1}},
    }


def _unique(path: str, fingerprint: str) -> str:
    """GitLab shows one issue of each fingerprint in the whole report; ours are unique within a file."""
    return hashlib.sha256(f"{path}\0{fingerprint}".encode()).hexdigest()[:32]
