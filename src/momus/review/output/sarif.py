"""SARIF 2.1.0 (OASIS, errata 01): what code scanning at GitHub, Azure DevOps and in editors reads."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from momus.critique import CATEGORIES, TextMap
from momus.review.finding import FileReport, Finding, Report
from momus.review.output import Options
from momus.review.output.interchange import LEVELS, comment_text, json_text, relative_uri, repository_path, whole
from momus.review.output.rules import RULES, rule_name
from momus.review.output.summary import notices
from momus.review.output.visible import visible

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_BASE = "%SRCROOT%"
_NOTIFICATIONS = {
    "not-reviewed": "A file, or a part of it, could not be reviewed.",
    "syntax-error": "A file does not parse and was reviewed as plain text.",
    "left-out": "A part of a file was more than the critic could take in.",
    "cut-off": "A critique broke off at its longest.",
    "link": "A link is not followed.",
    "repository": "Another repository, whose changes are its own.",
    "settings": "Settings that the reviewed change alters do not hold for it.",
    "ignored-file": "A comment in the file keeps it from being reviewed.",
    "ignore-without-reason": "A comment ignores findings and gives no reason.",
    "ignore-unused": "A comment ignores findings where there are none.",
    "ignore-not-understood": "A comment means to ignore findings and is not written so that it can be understood.",
    "ignore-unknown-category": "A comment ignores a category that does not exist.",
    "not-python": "A notebook is written in another language than Python.",
}
Body = dict[str, Any]


def render(report: Report, options: Options) -> str:
    """One run. Ignored and known findings are results with a suppression; what was not reviewed is a notification."""
    uris = [relative_uri(repository_path(file.path, report, options)) for file in report.files]
    run: Body = {
        "tool": {"driver": _driver(report)},
        "automationDetails": {"id": "momus/"},
        "originalUriBaseIds": {_BASE: {"description": {"text": "The root of the reviewed code."}}},
        "columnKind": "unicodeCodePoints",
        "newlineSequences": ["\r\n", "\n", "\r"],
        "artifacts": [
            {"location": {"uri": uri, "uriBaseId": _BASE}, "roles": ["analysisTarget"], "sourceLanguage": "python"}
            for uri in uris
        ],
        "invocations": [_invocation(report, dict(zip((f.path for f in report.files), uris, strict=True)), options)],
        "results": [
            result
            for index, (file, uri) in enumerate(zip(report.files, uris, strict=True))
            for result in _results(file, {"uri": uri, "uriBaseId": _BASE, "index": index})
        ],
        "properties": {"critic": whole(report.critic), "hidden": report.hidden},
    }
    return json_text({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}) + "\n"


def _driver(report: Report) -> Body:
    driver: Body = {
        "name": "Momus",
        "shortDescription": {"text": "Finds bugs in code and comments on the exact piece."},
        "rules": [_rule(category) for category in CATEGORIES],
        "notifications": [
            {"id": name, "name": rule_name(name), "shortDescription": {"text": text}}
            for name, text in _NOTIFICATIONS.items()
        ],
    }
    if report.version:
        driver["version"] = report.version
    return driver


def _rule(category: str) -> Body:
    rule = RULES[category]
    return {
        "id": category,
        "name": rule_name(category),
        "shortDescription": {"text": rule.description},
        "fullDescription": {"text": rule.description},
        "help": {"text": f"{rule.description} {rule.help}", "markdown": f"{rule.description}\n\n{rule.help}"},
        "defaultConfiguration": {"level": "warning"},
        "properties": {"tags": [rule.tag]},
    }


def _invocation(report: Report, uris: dict[str, str], options: Options) -> Body:
    told = []
    for notice in notices(report):
        uri = uris.get(notice.file.path) or relative_uri(repository_path(notice.file.path, report, options))
        place: Body = {"artifactLocation": {"uri": uri, "uriBaseId": _BASE}}
        if notice.disk_line is not None:
            place["region"] = {"startLine": notice.disk_line}
        told.append(
            {
                "descriptor": {"id": notice.kind},
                "level": "error" if notice.failed else "note",
                "message": {"text": _plain(notice.text)},
                "locations": [{"physicalLocation": place}],
            }
        )
    if report.interrupted:
        told.append({"level": "error", "message": {"text": "The review was interrupted before its end."}})
    return {"executionSuccessful": report.complete, "toolExecutionNotifications": told}


def _results(file: FileReport, location: Body) -> list[Body]:
    if not (file.findings or file.hidden):
        return []
    text = TextMap(file.text)
    kept = [finding for finding in file.hidden if finding.state in ("ignored", "baseline")]
    return [_result(file, text, finding, location) for finding in (*file.findings, *kept)]


def _result(file: FileReport, text: TextMap, finding: Finding, location: Body) -> Body:
    comment = finding.comment
    # A notebook on disk is JSON: lines of its cells are no lines of that file. The message names cell and line.
    region = {"startLine": 1} if file.is_notebook else _region(finding)
    result: Body = {
        "ruleId": comment.category,
        "ruleIndex": CATEGORIES.index(comment.category),
        "level": LEVELS[comment.severity],
        "message": {"text": _plain(comment_text(file, finding)) or RULES[comment.category].description},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": location,
                    "region": {**region, "snippet": {"text": whole(finding.quote)}},
                },
                "logicalLocations": [{"fullyQualifiedName": whole(finding.unit)}],
            }
        ],
        # GitHub matches alerts by primaryLocationLineHash alone and takes any stable string for it.
        "partialFingerprints": {
            "momus/v1": finding.fingerprint,
            "primaryLocationLineHash": f"{finding.fingerprint}:1",
        },
        "suppressions": _suppressions(finding),
        "properties": {"critic": whole(finding.critic)},
    }
    if comment.confidence is not None:
        result["rank"] = round(100 * min(1.0, max(0.0, comment.confidence)), 1)
        result["properties"]["confidence"] = comment.confidence
    if comment.witness is not None:
        result["properties"]["witness"] = whole(comment.witness)
    if comment.evidence is not None:
        told = asdict(comment.evidence)
        result["properties"]["evidence"] = {key: whole(v) if isinstance(v, str) else v for key, v in told.items()}
    if comment.suggestion is not None and not file.is_notebook:
        result["fixes"] = [_fix(finding, location)]
    return result


def _region(finding: Finding) -> Body:
    return {
        "startLine": finding.start_line,
        "startColumn": finding.start_column,
        "endLine": finding.end_line,
        "endColumn": finding.end_column,
        "charOffset": finding.span.start,
        "charLength": finding.span.end - finding.span.start,
    }


def _fix(finding: Finding, location: Body) -> Body:
    replacement: Body = {"deletedRegion": _region(finding)}
    if finding.comment.suggestion:
        replacement["insertedContent"] = {"text": whole(finding.comment.suggestion)}
    return {
        "description": {"text": "Put the suggestion in place of the highlighted code."},
        "artifactChanges": [{"artifactLocation": location, "replacements": [replacement]}],
    }


def _suppressions(finding: Finding) -> list[Body]:
    if finding.state == "shown":
        return []
    body: Body = {"kind": "inSource" if finding.state == "ignored" else "external", "status": "accepted"}
    if finding.reason:
        body["justification"] = whole(finding.reason)
    return [body]


def _plain(text: str) -> str:
    """Message text without SARIF's embedded links (3.11.6): `xs[i](1)` in a comment is code, not a link."""
    return visible(text).replace("](", "] (")
