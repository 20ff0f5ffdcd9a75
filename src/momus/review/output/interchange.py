"""What the formats for other tools share: severities, places in a repository, JSON that any reader takes."""

from __future__ import annotations

import json
import os
import posixpath
import re
from urllib.parse import quote

from momus.critique import Severity
from momus.review.finding import FileReport, Finding, Report
from momus.review.output import Options
from momus.review.output.visible import HIDDEN, visible

LEVELS: dict[Severity, str] = {"high": "error", "medium": "warning", "low": "note"}

LOG_COMMAND = re.compile(r"##(?=\w*\[)")  # as `visible.inert` has it
_LINE_COMMAND = re.compile(r"(^[^\S\n]*)::", re.MULTILINE)
_SURROGATE = re.compile("[\ud800-\udfff]")


def json_text(value: object, *, indent: int | None = 2) -> str:
    """JSON of a value, one line where `indent` is None. Paths become strings.

    What cannot be seen is escaped, lone surrogates too: it would drive a terminal, hide what a log shows, or trip a
    reader that splits lines as Unicode does.
    """
    written = json.dumps(value, ensure_ascii=False, indent=indent, default=str)
    written = LOG_COMMAND.sub(r"#\\u0023", written)
    return HIDDEN.sub(lambda match: json.dumps(match.group())[1:-1], written)


def markup(text: str) -> str:
    """XML or HTML in which nothing that stands in a log would be taken for a command, and which reads the same."""
    text = LOG_COMMAND.sub("#&#35;", text)
    return _LINE_COMMAND.sub(r"\1&#58;:", text)


def whole(text: str) -> str:
    """The text with each lone surrogate replaced by U+FFFD, one for one, so that columns stay true."""
    return _SURROGATE.sub("\ufffd", text)


def repository_path(path: str, report: Report, options: Options) -> str:
    """The path as the checkout of a CI service has it: relative to the workspace where the file lies inside of it,
    whatever folder the review ran in and whatever links lead there."""
    if not options.workspace or not report.root:
        return path
    workspace = options.workspace.replace("\\", "/").rstrip("/")
    absolute = posixpath.normpath(posixpath.join(report.root, path))
    folder, name = posixpath.split(absolute)
    places = [(absolute, workspace), (posixpath.join(_real(folder), name), _real(workspace))]
    return next((place[len(top) + 1 :] for place, top in places if place.startswith(top + "/")), path)


def _real(path: str) -> str:
    return os.path.realpath(path).replace(os.sep, "/")


def relative_uri(path: str) -> str:
    """A relative reference (RFC 3986) to a path, percent-encoded; a name that is no UTF-8 keeps its bytes."""
    try:
        return quote(path, safe="/", errors="surrogateescape")
    except UnicodeEncodeError:
        return quote(whole(path), safe="/")


def comment_text(file: FileReport, finding: Finding) -> str:
    """The comment and its evidence, for tools that know files only by their lines.

    In a notebook it says the cell and line itself.
    """
    evidence = finding.comment.evidence
    text = visible(
        "\n\n".join(
            filter(None, [finding.comment.text, evidence.beside(finding.comment.text) if evidence is not None else ""])
        )
    )
    place = file.cell(finding.start_line)
    if place is None:
        return text
    cell, line = place
    return f"Cell {cell.number}, line {line}: {text}"
