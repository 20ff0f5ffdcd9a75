"""The five linters: the command line that isolates each from every configuration, and how to read what it says.

Each counts columns in its own way; here all are 1-based code points, as `TextMap` has them. Imports that cannot be
found are not reported by any of them: what is installed here says nothing about the code.
"""

from __future__ import annotations

import ast
import json
import os
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any

from momus.critique import Severity, TextMap
from momus.decode import from_json


@dataclass(frozen=True, slots=True, order=True)
class LintWarning:
    """One warning, in 1-based lines and code-point columns; the end is exclusive, and None where it is not told."""

    line: int
    column: int
    end_line: int | None
    end_column: int | None
    rule: str
    message: str
    severity: Severity


Found = Iterator[tuple[str, LintWarning]]


@dataclass(frozen=True, slots=True)
class Linter:
    """`arguments` come before the file names; `read` raises ValueError, KeyError or TypeError on what it cannot read.

    `clean_codes` are the exit codes of a run that did its work. `one_broken_stops_all`: a file that does not parse
    must be checked alone.
    """

    arguments: tuple[str, ...]
    read: Callable[[str, dict[str, TextMap]], Found]
    clean_codes: Callable[[int], bool]
    files: dict[str, str] = field(default_factory=dict)
    one_broken_stops_all: bool = False


def _ruff(output: str, texts: dict[str, TextMap]) -> Found:
    for item in from_json(output):
        name = _file(item["filename"])
        text = texts[name]
        start = text.offset(item["location"]["row"], item["location"]["column"])
        end = text.offset(item["end_location"]["row"], item["end_location"]["column"])
        rule = item["code"] or "invalid-syntax"
        high = rule.startswith(("E9", "F82", "PLE", "invalid-syntax"))
        severity: Severity = "high" if high else "low" if rule.startswith(("RUF", "PLW", "F401", "F841")) else "medium"
        yield name, _warning(text, start, end, rule, item["message"], severity)


def _pylint(output: str, texts: dict[str, TextMap]) -> Found:
    for item in from_json(output)["messages"]:
        if item["messageId"] in ("F0002", "F0010", "F0011"):
            raise ValueError(item["message"])
        name = _file(item["path"])
        text, line = texts[name], _known_line(texts[name], item["line"])
        # Columns come from the syntax tree, in bytes; only a syntax error's is the parser's own, 1-based.
        column = item["column"] - (1 if item["messageId"] == "E0001" else 0)
        start = _byte_place(text, line, max(0, column))
        end = None
        if item["endLine"] is not None and item["endColumn"] is not None:
            end = _byte_place(text, item["endLine"], item["endColumn"])
        severity: Severity = "medium" if item["type"] == "warning" else "high"
        rule = f"{item['messageId']}:{item['symbol']}"
        yield name, _warning(text, start, end, rule, item["message"], severity)


def _pyright(output: str, texts: dict[str, TextMap]) -> Found:
    for item in from_json(output)["generalDiagnostics"]:
        if item["severity"] not in ("error", "warning"):
            continue
        name = _file(item["file"])
        text = texts[name]
        start, end = (_utf16_place(text, item["range"][side]) for side in ("start", "end"))
        severity: Severity = "high" if item["severity"] == "error" else "medium"
        yield name, _warning(text, start, end, item.get("rule") or "syntax", item["message"], severity)


def _mypy(output: str, texts: dict[str, TextMap]) -> Found:
    for line in output.splitlines():
        item = from_json(line)
        if item["severity"] != "error":
            continue
        name = _file(item["file"])
        text, row = texts[name], _known_line(texts[name], item["line"])
        start, end = text.line_span(row)
        code = text.text[start:end]
        if code.isascii() and item["column"] >= 0:
            start = text.offset(row, item["column"] + 1)
            told = item.get("end_line"), item.get("end_column")
            stop = text.offset(told[0], told[1] + 1) if None not in told and told[0] == row else None
        else:  # its columns are off by the extra bytes of what is not ASCII, in either direction: the line stands
            start, stop = start + len(code) - len(code.lstrip()), None
        yield name, _warning(text, start, stop, item["code"] or "error", item["message"], "high")


_BANDIT_SEVERITIES: dict[str, Severity] = {"UNDEFINED": "low", "LOW": "low", "MEDIUM": "medium", "HIGH": "high"}


def _bandit(output: str, texts: dict[str, TextMap]) -> Found:
    report = from_json(output)
    for failed in report["errors"]:
        name = _file(failed["filename"])
        if "syntax error" not in failed["reason"]:
            raise ValueError(failed["reason"])
        text = texts[name]
        yield name, _warning(text, text.offset(parser_stops(text.text) or 1), None, "syntax", failed["reason"], "high")
    for item in report["results"]:
        name = _file(item["filename"])
        text = texts[name]
        start = _byte_place(text, item["line_number"], max(0, item["col_offset"]))
        end = (
            _byte_place(text, item["line_number"], item["end_col_offset"])
            if item.get("end_col_offset", 0) > 0
            else None
        )
        severity: Severity = {"LOW": "low", "HIGH": "high"}.get(item["issue_severity"], "medium")  # type: ignore[assignment]
        yield name, _warning(text, start, end, f"{item['test_id']}:{item['test_name']}", item["issue_text"], severity)


def _file(path: str) -> str:
    return PurePath(path).name


def parser_stops(code: str) -> int | None:
    """The 1-based line where Python's own parser stops, or None."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(code)
    except SyntaxError as error:
        return error.lineno or 1
    except (ValueError, RecursionError, MemoryError):
        return 1
    return None


def _warning(text: TextMap, start: int, end: int | None, rule: str, message: str, severity: Severity) -> LintWarning:
    line, column = text.line_column(start)
    end_line, end_column = text.line_column(end) if end is not None and end > start else (None, None)
    return LintWarning(line, column, end_line, end_column, rule, " ".join(message.split()), severity)


def _known_line(text: TextMap, line: int) -> int:
    return max(1, min(line, len(text.starts)))


def _byte_place(text: TextMap, line: int, byte_column: int) -> int:
    line = _known_line(text, line)
    return min(text.offset_of_byte_column(line, byte_column), text.line_span(line)[1])


def _utf16_place(text: TextMap, place: dict[str, Any]) -> int:
    start, end = text.line_span(_known_line(text, place["line"] + 1))
    line = text.text[start:end].encode("utf-16-le", "surrogatepass")
    return start + len(line[: 2 * place["character"]].decode("utf-16-le", "ignore"))


_PYRIGHT_CONFIG = {
    "include": ["."],
    "reportMissingImports": False,
    "reportMissingModuleSource": False,
    "reportAttributeAccessIssue": "error",
    "pythonVersion": f"{sys.version_info.major}.{sys.version_info.minor}",
}

LINTERS: dict[str, Linter] = {
    "ruff": Linter(
        ("check", "--isolated", "--no-cache", "--output-format=json", "--select=B,F,E9,PLE,PLW,RUF", "--"),
        _ruff,
        lambda code: code in (0, 1),
    ),
    "pylint": Linter(
        (
            f"--rcfile={os.devnull}",
            "--output-format=json2",
            "--disable=all",
            "--enable=F,E,W",
            "--disable=import-error,no-name-in-module",
            "--persistent=n",
            "--jobs=1",
            "--",
        ),
        _pylint,
        lambda code: code & 32 == 0,  # the others are a bit for each kind of message
    ),
    "pyright": Linter(
        ("--outputjson", "--project", "pyrightconfig.json"),
        _pyright,
        lambda code: code in (0, 1),
        {"pyrightconfig.json": json.dumps(_PYRIGHT_CONFIG)},
    ),
    "mypy": Linter(
        (
            "--config-file=",
            f"--cache-dir={os.devnull}",
            "--no-incremental",
            "--output=json",
            "--show-column-numbers",
            "--show-error-end",
            "--no-error-summary",
            "--ignore-missing-imports",
            "--check-untyped-defs",
            "--",
        ),
        _mypy,
        lambda code: code in (0, 1, 2),  # 2 also for a syntax error; a crash then says something that is no JSON
        one_broken_stops_all=True,
    ),
    "bandit": Linter(("--format=json", "--quiet", "--exit-zero"), _bandit, lambda code: code == 0),
}
NAMES: tuple[str, ...] = tuple(LINTERS)
