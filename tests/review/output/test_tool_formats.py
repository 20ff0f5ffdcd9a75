"""json, jsonl, gitlab, rdjson and junit: the fields that their readers document, exact under Unicode."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from report_builders import PAGER, at, file_of, finding_of, plain_report, reports

from momus.critique import TextMap
from momus.review import output
from momus.review.finding import Cell, FileReport, LeftOut, Report
from momus.review.output import FORMATS, Options
from momus.review.output.interchange import whole
from momus.review.output.visible import one_line, visible

quick = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@quick
@given(reports())
def test_json_holds_every_finding_with_its_place(report: Report) -> None:
    body = json.loads(FORMATS["json"](report, Options()))
    assert body["schema_version"] == 1
    assert body["complete"] is report.complete
    assert [entry["error"] for entry in body["files"]] == [same(file.error) for file in report.files]
    for entry, file in zip(body["files"], report.files, strict=True):
        for said, finding in zip((*entry["findings"], *entry["hidden"]), (*file.findings, *file.hidden), strict=True):
            assert said["quote"] == same(file.text[said["start"] : said["end"]])
            assert (said["text"], said["suggestion"]) == (same(finding.comment.text), same(finding.comment.suggestion))
            assert (said["state"], said["fingerprint"]) == (finding.state, finding.fingerprint)


SCHEMA = json.loads((Path(output.__file__).parent / "schema" / "review-1.json").read_text(encoding="utf-8"))


@quick
@given(reports())
def test_json_is_as_its_schema_lays_down(report: Report) -> None:
    report = replace(report, left_out=(LeftOut("m.py", "excluded", "excluded"), LeftOut("l", "link", "a link")))
    written = FORMATS["json"](report, Options())
    jsonschema.validate(json.loads(written), SCHEMA)
    body = json.loads(written)
    told = body["account"]
    assert told["asked"] == sum(told[k] for k in ("read", "in_part", "unread", "silenced", "foreign", "not_reached"))
    assert told["left_out"] == {"excluded": 1, "link": 1} and len(body["left_out"]) == 2
    *lines, last = (json.loads(line) for line in FORMATS["jsonl"](report, Options()).splitlines())
    assert last["account"] == told
    assert [line["path"] for line in lines if line["type"] == "left-out"] == ["m.py", "l"]


def test_the_schema_refuses_what_it_does_not_lay_down() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    body = json.loads(FORMATS["json"](plain_report(), Options()))
    jsonschema.validate(body, SCHEMA)
    for broken in ({**body, "schema_version": 2}, {**body, "more": 1}, {k: body[k] for k in body if k != "account"}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(broken, SCHEMA)


def same(text: str | None) -> str | None:
    """JSON reads two escaped surrogates in a row as the character that they make up; nothing else may change."""
    return None if text is None else text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")


@quick
@given(reports())
def test_jsonl_is_one_object_a_line_however_lines_are_split(report: Report) -> None:
    written = FORMATS["jsonl"](report, Options())
    lines = written.splitlines()
    assert len(lines) == written.count("\n")
    bodies = [json.loads(line) for line in lines]
    assert bodies[-1]["type"] == "summary"
    kinds = [body["type"] for body in bodies]
    assert kinds.count("finding") == sum(len(file.findings) + len(file.hidden) for file in report.files)
    assert kinds.count("error") == len(report.failed)
    assert kinds.count("note") == sum(len(file.notes) for file in report.files)


def test_json_says_where_in_a_notebook() -> None:
    code = "a = 1\nb = a / 0\n"
    cells = (Cell(1, "x1", 0, 1, 1), Cell(2, "x2", 3, 2, 2))
    report = Report((file_of("n.ipynb", code, at(code, "a / 0"), cells=cells),))
    body = json.loads(FORMATS["json"](report, Options()))
    assert body["files"][0]["findings"][0]["cell"] == {"number": 2, "id": "x2", "index": 3, "line": 1}


@quick
@given(reports())
def test_gitlab_issues_have_what_gitlab_asks_for(report: Report) -> None:
    issues = json.loads(FORMATS["gitlab"](report, Options()))
    assert len(issues) == len(report.findings) + len(report.failed)
    for issue in issues:
        assert issue["description"] and issue["check_name"]
        assert re.fullmatch("[0-9a-f]{32}", issue["fingerprint"])
        assert issue["severity"] in ("info", "minor", "major", "critical", "blocker")
        location = issue["location"]
        line = location["positions"]["begin"]["line"] if "positions" in location else location["lines"]["begin"]
        assert line >= 1
        assert not location["path"].startswith(("/", "./"))
    findings = {(file.path, finding.fingerprint) for file in report.files for finding in file.findings}
    found = [issue["fingerprint"] for issue in issues if issue["check_name"] != "not-reviewed"]
    assert len(set(found)) == len({(whole(path), fingerprint) for path, fingerprint in findings})


def test_the_same_finding_in_two_files_is_two_issues() -> None:
    one = finding_of("a.py", PAGER, at(PAGER, "found"))
    files = tuple(FileReport(path, PAGER, (one,)) for path in ("a.py", "b.py"))
    issues = json.loads(FORMATS["gitlab"](Report(files), Options()))
    assert len({issue["fingerprint"] for issue in issues}) == 2


@quick
@given(reports())
def test_rdjson_counts_bytes(report: Report) -> None:
    body = json.loads(FORMATS["rdjson"](report, Options()))
    found = [(file, finding) for file in report.files for finding in file.findings]
    assert len(body["diagnostics"]) == len(found) + len(report.failed)
    for said, (file, finding) in zip(body["diagnostics"], found, strict=False):
        assert said["severity"] in ("ERROR", "WARNING", "INFO")
        if file.is_notebook:
            continue
        text = TextMap(file.text)
        start, end = said["location"]["range"]["start"], said["location"]["range"]["end"]
        encoded = file.text.encode("utf-8", "surrogatepass")
        a = text.byte_offset(text.starts[start["line"] - 1]) + start["column"] - 1
        b = text.byte_offset(text.starts[end["line"] - 1]) + end["column"] - 1
        assert encoded[a:b] == finding.quote.encode("utf-8", "surrogatepass")
        if finding.comment.suggestion is not None:
            assert said["suggestions"] == [
                {"range": said["location"]["range"], "text": whole(finding.comment.suggestion)}
            ]


def test_rdjson_columns_of_wide_characters() -> None:
    code = "x = '漢👩' + bad\n"
    body = json.loads(FORMATS["rdjson"](Report((file_of("a.py", code, at(code, "bad")),)), Options()))
    assert body["source"] == {"name": "momus"}
    assert body["diagnostics"][0]["location"]["range"] == {
        "start": {"line": 1, "column": 17},
        "end": {"line": 1, "column": 20},
    }


@quick
@given(reports())
def test_junit_parses_and_adds_up(report: Report) -> None:
    root = ElementTree.fromstring(FORMATS["junit"](report, Options()).encode())
    suites = root.findall("testsuite")
    for key, tag in (("failures", "failure"), ("errors", "error"), ("tests", "testcase")):
        assert int(root.get(key, "")) == len(root.findall(f".//{tag}")) == sum(int(s.get(key, "")) for s in suites)
    assert len(root.findall(".//failure")) == len(report.findings)
    failures = root.findall(".//failure")
    for failure, finding in zip(failures, report.findings, strict=True):
        assert failure.get("message") == one_line(finding.comment.text)
        assert visible(finding.comment.text) in (failure.text or "")


def test_junit_of_a_clean_file_is_a_passed_case() -> None:
    root = ElementTree.fromstring(FORMATS["junit"](Report((FileReport("a.py", "x\n", units=1),)), Options()))
    (case,) = root.findall("testsuite/testcase")
    assert (case.get("name"), len(case)) == ("no findings", 0)


def test_junit_of_a_failed_file_is_an_error_not_a_pass() -> None:
    root = ElementTree.fromstring(FORMATS["junit"](plain_report(), Options()))
    (error,) = root.findall(".//error")
    assert error.get("message") == "It is not UTF-8: save it as UTF-8."
    assert (root.get("tests"), root.get("failures"), root.get("errors")) == ("5", "2", "1")
