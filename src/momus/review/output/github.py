"""Workflow commands of GitHub Actions: annotations on the changed lines of a pull request.

GitHub keeps 10 errors, 10 warnings and 10 notices of a step and drops the rest without a word. So the most confident go
out as annotations, the rest as plain lines of the log, a last notice says so, and the job summary holds everything.
"""

from __future__ import annotations

import hashlib

from momus.critique import Severity
from momus.errors import MomusError
from momus.review.finding import FileReport, Finding, Report
from momus.review.output import Options
from momus.review.output.concise import line_of
from momus.review.output.interchange import comment_text, repository_path
from momus.review.output.summary import Notice, notices, percent, summary_line
from momus.review.output.text import paint
from momus.review.output.visible import one_line, visible

_COMMANDS: dict[Severity, str] = {"high": "error", "medium": "warning", "low": "notice"}
_LIMIT = 10
_SUMMARY_BYTES = 1_000_000  # GitHub takes 1 MiB a step


def render(report: Report, options: Options) -> str:
    """The commands, then what they leave out. Appends to `options.step_summary` where that is set.

    Raises MomusError where the job summary cannot be written.
    """
    room = {"error": _LIMIT, "warning": _LIMIT, "notice": _LIMIT - 1}  # one notice is kept for the last word
    commands: list[str] = []
    rest: list[str] = []

    def put(level: str, command: str, plain: str) -> None:
        if room[level] > 0:
            room[level] -= 1
            commands.append(command)
        else:
            rest.append(plain)

    for notice in notices(report):
        level = "error" if notice.failed else "notice"
        put(level, _notice(level, notice, report, options), one_line(f"{notice.where}: {notice.text}"))
    found = [(file, finding) for file in report.files for finding in file.findings]
    found.sort(key=lambda pair: -(pair[1].comment.confidence or 0.0))  # stable: equals stay in order of place
    for file, finding in found:
        command = _annotation(file, finding, report, options)
        put(_COMMANDS[finding.severity], command, paint(line_of(file, finding), Options()))
    total = summary_line(report)
    if rest:
        where = "in the log of this step" + (" and in the job summary" if options.step_summary else "")
        said = f"{total}. GitHub shows {_LIMIT} annotations of a kind: {len(rest)} more are {where}."
        commands.append(f"::notice title=Momus::{_data(said)}")
        commands += _inert(rest)
    if options.step_summary is not None:
        _append_summary(report, options)
    return "\n".join([*commands, f"Momus: {total}"]) + "\n"


def _annotation(file: FileReport, finding: Finding, report: Report, options: Options) -> str:
    properties = {"file": repository_path(file.path, report, options)}
    if file.is_notebook:
        properties["line"] = "1"  # a notebook on disk is JSON; the message names cell and line
    else:
        last = finding.end_line - (1 if finding.end_column == 1 and finding.end_line > finding.start_line else 0)
        properties |= {"line": str(finding.start_line), "endLine": str(last)}
        if last == finding.start_line == finding.end_line:  # GitHub takes columns on one line only
            properties |= {"col": str(finding.start_column), "endColumn": str(finding.end_column)}
    properties["title"] = f"{finding.category} {percent(finding.comment.confidence)}".strip()
    message = comment_text(file, finding)
    if finding.comment.suggestion is not None:
        message += f"\n\nSuggestion:\n{visible(finding.comment.suggestion)}"
    return _command(_COMMANDS[finding.severity], properties, message)


def _notice(level: str, notice: Notice, report: Report, options: Options) -> str:
    properties = {"file": repository_path(notice.file.path, report, options)}
    if notice.disk_line is not None:
        properties["line"] = str(notice.disk_line)
    properties["title"] = "Not reviewed" if level == "error" else "Momus"
    return _command(level, properties, visible(notice.text))


def _command(name: str, properties: dict[str, str], message: str) -> str:
    written = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    return f"::{name} {written}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(visible(text)).replace(":", "%3A").replace(",", "%2C")


def _inert(lines: list[str]) -> list[str]:
    """Plain log lines that no runner takes for commands, whatever they quote: commands are stopped around them.

    The token is a hash of the lines, which no text inside of them can contain by design.
    """
    token = hashlib.sha256("\n".join(lines).encode()).hexdigest()
    return [f"::stop-commands::{token}", *lines, f"::{token}::"]


def _append_summary(report: Report, options: Options) -> None:
    from momus.review.output.markdown import document

    assert options.step_summary is not None
    try:
        with options.step_summary.open("a", encoding="utf-8") as out:
            out.write(document(report, options, limit=_SUMMARY_BYTES) + "\n")
    except OSError as error:
        raise MomusError(f"the job summary {options.step_summary} cannot be written: {error.strerror}") from None
