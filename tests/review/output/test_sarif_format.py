"""SARIF that validates against the official schema, whatever the review holds, and says what it means."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any, get_args
from urllib.parse import unquote_to_bytes

import jsonschema
from hypothesis import HealthCheck, given, settings
from report_builders import PAGER, at, file_of, finding_of, plain_report, reports

from momus.critique import CATEGORIES
from momus.match import apply_suggestion
from momus.review.finding import Cell, FileReport, Note, NoteKind, Report
from momus.review.output import FORMATS, Options
from momus.review.output.interchange import relative_uri
from momus.review.output.rules import RULES

SCHEMA = json.loads(Path(__file__).with_name("sarif-schema-2.1.0.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft4Validator(SCHEMA)
# A relative reference of RFC 3986: no scheme, no authority, only characters that a path may hold.
RELATIVE = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+,;=@/-]|%[0-9A-F]{2})*")


def run_of(report: Report, options: Options = Options()) -> Any:  # noqa: B008
    log = json.loads(FORMATS["sarif"](report, options))
    VALIDATOR.validate(log)
    return log["runs"][0]


def can_be_a_name(path: str) -> bool:
    try:
        os.fsencode(path)
    except UnicodeEncodeError:
        return False
    return True


def varying(log: Any) -> Any:
    """A log without what is the same in every one, as validating thirty rules takes longer than all the rest."""
    run = log["runs"][0]
    driver = {**run["tool"]["driver"], "rules": [], "notifications": []}
    return {**log, "runs": [{**run, "tool": {"driver": driver}}]}


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(reports())
def test_any_review_validates_and_points_inside_its_files(report: Report) -> None:
    log = json.loads(FORMATS["sarif"](report, Options()))
    VALIDATOR.validate(varying(log))
    run = log["runs"][0]
    uris = [artifact["location"]["uri"] for artifact in run["artifacts"]]
    for uri, file in zip(uris, report.files, strict=True):
        assert os.fsdecode(unquote_to_bytes(uri)) == file.path or not can_be_a_name(file.path)
    assert all(RELATIVE.fullmatch(uri) and not uri.startswith("/") for uri in uris)
    for result in run["results"]:
        place = result["locations"][0]["physicalLocation"]
        file = report.files[place["artifactLocation"]["index"]]
        assert place["artifactLocation"]["uri"] == uris[place["artifactLocation"]["index"]]
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["message"]["text"]
        region = place["region"]
        if not file.is_notebook:
            quote = file.text[region["charOffset"] : region["charOffset"] + region["charLength"]]
            assert len(region["snippet"]["text"]) == len(quote)
            assert (region["startLine"], region["startColumn"]) < (region["endLine"], region["endColumn"])
    assert run["invocations"][0]["executionSuccessful"] is report.complete


def test_a_fix_makes_the_change_that_the_suggestion_means() -> None:
    run = run_of(plain_report())
    finding = plain_report().files[0].findings[0]
    (change,) = run["results"][0]["fixes"][0]["artifactChanges"]
    (replacement,) = change["replacements"]
    gone = replacement["deletedRegion"]
    mended = (
        PAGER[: gone["charOffset"]]
        + replacement["insertedContent"]["text"]
        + PAGER[gone["charOffset"] + gone["charLength"] :]
    )
    assert mended == apply_suggestion(PAGER, finding.span, "(number - 1) * size")


def test_a_fix_that_deletes_inserts_nothing() -> None:
    run = run_of(Report((file_of("a.py", PAGER, at(PAGER, " + 1", suggestion="")),)))
    assert "insertedContent" not in run["results"][0]["fixes"][0]["artifactChanges"][0]["replacements"][0]


def test_severity_confidence_and_fingerprint_are_carried() -> None:
    first, second = run_of(plain_report())["results"][:2]
    assert (first["level"], second["level"]) == ("error", "warning")
    assert (first["rank"], second["rank"]) == (87.0, 64.0)
    fingerprint = plain_report().files[0].findings[0].fingerprint
    assert first["partialFingerprints"] == {
        "momus/v1": fingerprint,
        "primaryLocationLineHash": f"{fingerprint}:1",
    }


def test_ignored_and_known_findings_are_suppressed_results_and_others_are_left_out() -> None:
    run = run_of(plain_report())
    suppressed = [result["suppressions"] for result in run["results"]]
    assert suppressed == [
        [],
        [],
        [{"kind": "inSource", "status": "accepted", "justification": "kept for a caller"}],
        [{"kind": "external", "status": "accepted"}],
    ]
    assert run["properties"]["hidden"]["below-confidence"] == 1


def test_failures_and_notes_are_notifications() -> None:
    invocation = run_of(plain_report())["invocations"][0]
    assert invocation["executionSuccessful"] is False
    failed, left_out = invocation["toolExecutionNotifications"]
    assert (failed["level"], failed["message"]["text"]) == ("error", "It is not UTF-8: save it as UTF-8.")
    assert failed["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "src/broken.py"
    assert left_out["descriptor"]["id"] == "left-out"


def test_every_kind_of_note_that_is_told_is_described() -> None:
    for kind in get_args(NoteKind):
        run = run_of(Report((FileReport("a.py", "x\n", notes=(Note(kind, "Said.", 1),)),)))
        described = {n["id"] for n in run["tool"]["driver"]["notifications"]}
        assert {n["descriptor"]["id"] for n in run["invocations"][0]["toolExecutionNotifications"]} <= described


def test_paths_are_relative_percent_encoded_and_counted_from_the_workspace() -> None:
    assert relative_uri("a b/ü#?:%.py") == "a%20b/%C3%BC%23%3F%3A%25.py"
    assert relative_uri(os.fsdecode(b"\xff.py")) == "%FF.py"
    report = Report((file_of("src/a.py", PAGER, at(PAGER, "found")),), root="/w/repo/sub")
    run = run_of(report, Options(workspace="/w/repo"))
    assert run["artifacts"][0]["location"]["uri"] == "sub/src/a.py"
    assert "/w/repo" not in json.dumps(run), "no path of this machine leaves it"


def test_columns_are_code_points() -> None:
    code = "x = '👩‍💻' + bad\n"
    run = run_of(Report((file_of("a.py", code, at(code, "bad")),)))
    assert run["columnKind"] == "unicodeCodePoints"
    assert run["results"][0]["locations"][0]["physicalLocation"]["region"]["startColumn"] == code.index("bad") + 1


def test_a_notebook_points_at_the_file_and_names_the_cell() -> None:
    code = "a = 1\nb = a / 0\n"
    cells = (Cell(1, None, 0, 1, 1), Cell(2, None, 1, 2, 2))
    run = run_of(Report((file_of("n.ipynb", code, at(code, "a / 0", suggestion="a"), cells=cells),)))
    (result,) = run["results"]
    assert result["message"]["text"] == "Cell 2, line 1: It is wrong."
    assert result["locations"][0]["physicalLocation"]["region"]["startLine"] == 1
    assert "fixes" not in result, "a fix by lines of the cells would break the JSON on disk"


def test_a_comment_cannot_make_a_link() -> None:
    run = run_of(Report((file_of("a.py", PAGER, at(PAGER, "found", text="[go](https://evil.example) xs[i](1)")),)))
    assert "](" not in run["results"][0]["message"]["text"]


def test_every_category_has_its_rule_and_nothing_else_has() -> None:
    assert set(RULES) == set(CATEGORIES)
    for rule in RULES.values():
        assert rule.description.endswith(".") and "\n" not in rule.description
        assert rule.help.endswith(".") and rule.help != rule.description
    driver = run_of(Report())["tool"]["driver"]
    assert [rule["id"] for rule in driver["rules"]] == list(CATEGORIES)
    assert len({rule["name"] for rule in driver["rules"]}) == len(CATEGORIES)


def test_findings_ignored_without_words_have_no_justification() -> None:
    ignored = finding_of("a.py", PAGER, at(PAGER, "found"), state="ignored")
    run = run_of(Report((FileReport("a.py", PAGER, hidden=(ignored,)),)))
    assert run["results"][0]["suppressions"] == [{"kind": "inSource", "status": "accepted"}]
