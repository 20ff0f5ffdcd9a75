"""Workflow commands, read back the way a runner reads them: nothing that is quoted becomes a command of its own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from report_builders import PAGER, at, file_of, plain_report, reports

from momus.errors import MomusError
from momus.review.finding import Cell, FileReport, Report
from momus.review.output import FORMATS, Options
from momus.review.output.visible import visible

Command = tuple[str, dict[str, str], str]


def run_commands(log: str) -> list[Command]:
    """The commands that a runner would carry out: `::name k=v::data`, and the older `##[name k=v]data` anywhere."""
    found: list[Command] = []
    stopped: str | None = None
    for line in re.split(r"\r\n|\n|\r", log):
        stripped = line.lstrip()
        if stopped is not None:
            if stripped == f"::{stopped}::":
                stopped = None
            continue
        if stripped.startswith("::") and (end := stripped.find("::", 2)) > 0:
            name, _, properties = stripped[2:end].partition(" ")
            fields = dict(part.split("=", 1) for part in properties.split(",") if "=" in part)
            data = stripped[end + 2 :]
            if name == "stop-commands":
                stopped = data
                continue
            found.append((name, {k: decode(v, ":,") for k, v in fields.items()}, decode(data)))
        elif "##[" in line:
            found.append(("old-style", {}, line))
    assert stopped is None, "commands stay stopped for whatever runs next"
    return found


def decode(text: str, more: str = "") -> str:
    for character in more:
        text = text.replace(f"%{ord(character):02X}", character)
    return text.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%")


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(reports())
def test_only_our_own_commands_are_run(report: Report) -> None:
    commands = run_commands(FORMATS["github"](report, Options()))
    assert {name for name, _, _ in commands} <= {"error", "warning", "notice"}
    findings = [(file, finding) for file in report.files for finding in file.findings]
    for file, finding in findings:
        places = [fields["file"] for _, fields, data in commands if visible(finding.comment.text) in data]
        assert visible(file.path) in places


def test_places_levels_and_texts_are_carried() -> None:
    commands = run_commands(FORMATS["github"](plain_report(), Options()))
    assert [name for name, _, _ in commands] == ["error", "notice", "error", "warning"]
    assert commands[0][1] == {"file": "src/broken.py", "title": "Not reviewed"}
    _, fields, data = commands[3]
    assert fields == {
        "file": "src/pager.py",
        "line": "5",
        "endLine": "5",
        "col": "14",
        "endColumn": "44",
        "title": "off-by-one 64%",
    }
    assert data.endswith("Suggestion:\nrange(start, min(start + size, len(items)))")


def test_columns_are_given_on_one_line_only() -> None:
    both = file_of("a.py", PAGER, at(PAGER, "found = []\n    for"), at(PAGER, "found = []\n"))
    (_, first, _), (_, second, _) = run_commands(FORMATS["github"](Report((both,)), Options()))
    assert (first["line"], first["endLine"], "col" in first) == ("4", "5", False)
    assert (second["line"], second["endLine"]) == ("4", "4"), "the newline alone does not reach the next line"


def test_percent_and_separators_in_a_path_are_escaped() -> None:
    written = FORMATS["github"](Report((file_of("a,b:c%.py", PAGER, at(PAGER, "found", text="100%")),)), Options())
    assert "file=a%2Cb%3Ac%25.py," in written
    assert "::100%25" in written
    assert run_commands(written)[0][1]["file"] == "a,b:c%.py"


def many(high: int, medium: int) -> Report:
    comments = [
        at(PAGER, "found", text=f"number {n}", severity="high" if n < high else "medium", confidence=n / 1000)
        for n in range(high + medium)
    ]
    return Report((file_of("a.py", PAGER, *comments),))


def test_beyond_ten_of_a_kind_the_most_confident_are_shown_and_the_cut_is_said() -> None:
    written = FORMATS["github"](many(3, 25), Options())
    commands = run_commands(written)
    warnings = [data for name, _, data in commands if name == "warning"]
    assert warnings == [f"number {n}" for n in range(27, 17, -1)]
    name, fields, data = commands[-1]
    assert (name, fields) == ("notice", {"title": "Momus"})
    assert "15 more are in the log of this step" in data
    assert all(f"number {n}\n" in written for n in range(3, 18)), "the log has them all"


def test_no_cut_needs_no_last_word() -> None:
    assert "GitHub shows" not in FORMATS["github"](many(10, 10), Options())


def test_what_is_cut_cannot_command_the_runner() -> None:
    comments = [
        at(PAGER, "found", text=f"{n} ##[add-mask]x ::set-output name=a::b", severity="high", confidence=1 - n / 100)
        for n in range(12)
    ]
    written = FORMATS["github"](Report((file_of("::warning::x.py", PAGER, *comments),)), Options())
    assert "##[add-mask]" in written
    assert [name for name, _, _ in run_commands(written)] == ["error"] * 10 + ["notice"]


def test_the_job_summary_gets_everything(tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"
    summary.write_text("before\n")
    written = FORMATS["github"](many(3, 25), Options(step_summary=summary))
    text = summary.read_text()
    assert text.startswith("before\n### Momus: 28 findings")
    assert all(f"number {n}\n" in text for n in range(28))
    assert "and in the job summary" in written


def test_a_summary_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(MomusError, match="cannot be written"):
        FORMATS["github"](many(1, 0), Options(step_summary=tmp_path))


def test_a_notebook_is_annotated_at_its_first_line() -> None:
    code = "a = 1\nb = a / 0\n"
    cells = (Cell(1, None, 0, 1, 1), Cell(2, None, 1, 2, 2))
    report = Report((file_of("n.ipynb", code, at(code, "a / 0"), cells=cells), FileReport("b.py", "x\n")))
    ((_, fields, data),) = run_commands(FORMATS["github"](report, Options()))
    assert fields["line"] == "1"
    assert data == "Cell 2, line 1: It is wrong."
