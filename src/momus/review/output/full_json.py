"""Everything a review knows, as JSON: one object, or one line a finding for what reads streams."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

from momus.review.account import account
from momus.review.finding import Cell, FileReport, Finding, Report
from momus.review.output import Options
from momus.review.output.interchange import json_text
from momus.review.output.summary import summary_line

SCHEMA_VERSION = 1
Body = dict[str, object]


def render_json(report: Report, options: Options) -> str:
    """One object: the run, its totals, and every file with its findings, hidden findings, notes and error."""
    body = {"schema_version": SCHEMA_VERSION, **_run(report), "files": [_file(file) for file in report.files]}
    body["left_out"] = list(_left_out(report))
    return json_text(body) + "\n"


def render_jsonl(report: Report, options: Options) -> str:
    """A line for each finding, shown or hidden (`state`), for each failure and note, and last the run's totals."""
    lines: list[Body] = []
    for file in report.files:
        lines += [{"type": "finding", **_finding(file, finding)} for finding in (*file.findings, *file.hidden)]
        if file.error is not None:
            lines.append({"type": "error", "path": file.path, "text": file.error})
        lines += [{"type": "note", "path": file.path, **note} for note in _notes(file)]
    lines += [{"type": "left-out", **left} for left in _left_out(report)]
    lines.append({"type": "summary", "schema_version": SCHEMA_VERSION, **_run(report)})
    return "".join(json_text(line, indent=None) + "\n" for line in lines)


def _run(report: Report) -> Body:
    told = account(report)
    return {
        "tool": {"name": "momus", "version": report.version},
        "critic": report.critic,
        "root": report.root,
        "settings": dict(report.settings),
        "seconds": round(report.seconds, 3),
        "complete": report.complete,
        "interrupted": report.interrupted,
        "account": {
            "asked": told.asked,
            "read": told.read,
            "in_part": told.in_part,
            "unread": told.unread,
            "silenced": told.silenced,
            "foreign": told.foreign,
            "not_reached": told.not_reached,
            "left_out": dict(told.left_out),
            "blind": told.blind,
        },
        "summary": {
            "text": summary_line(report),
            "files": len(report.files),
            "planned": report.planned,
            "failed": len(report.failed),
            "findings": len(report.findings),
            "by_severity": report.totals,
            "hidden": report.hidden,
        },
    }


def _left_out(report: Report) -> Iterator[Body]:
    for left in report.left_out:
        yield {"path": left.path, "why": left.why, "text": left.text}


def _file(file: FileReport) -> Body:
    return {
        "path": file.path,
        "units": file.units,
        "cached": file.cached,
        "error": file.error,
        "notes": list(_notes(file)),
        "findings": [_finding(file, finding) for finding in file.findings],
        "hidden": [_finding(file, finding) for finding in file.hidden],
    }


def _notes(file: FileReport) -> Iterator[Body]:
    for note in file.notes:
        yield {"kind": note.kind, "text": note.text, "line": note.line}


def _finding(file: FileReport, finding: Finding) -> Body:
    comment = finding.comment
    body: Body = {
        "path": finding.path,
        "line": finding.start_line,
        "column": finding.start_column,
        "end_line": finding.end_line,
        "end_column": finding.end_column,
        "start": finding.span.start,
        "end": finding.span.end,
        "unit": finding.unit,
        "quote": finding.quote,
        "category": comment.category,
        "severity": comment.severity,
        "confidence": comment.confidence,
        "text": comment.text,
        "suggestion": comment.suggestion,
        "witness": comment.witness,
        "evidence": None if comment.evidence is None else asdict(comment.evidence),
        "critic": finding.critic,
        "fingerprint": finding.fingerprint,
        "state": finding.state,
        "reason": finding.reason,
    }
    if place := file.cell(finding.start_line):
        body["cell"] = _cell(*place)
    return body


def _cell(cell: Cell, line: int) -> Body:
    return {"number": cell.number, "id": cell.id, "index": cell.index, "line": line}
