"""What came of the second look: the shares, by hand, and what must not be counted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from momus.audit.report import Look, looks_of, report
from momus.audit.select import Arm, Chosen
from momus.cli import cli
from momus.critique import Comment, Critique, Severity, Span
from momus.errors import MomusError
from momus.measure.report import write_report
from momus.records import Sampled, Task, write_jsonl

ANSWER = "first line\nsecond line\n"


def comment(severity: Severity = "high", line: int = 1, text: str = "Wrong.") -> Comment:
    start = 0 if line == 1 else ANSWER.index("second")
    return Comment(Span(start, start + 5), text, severity=severity)


def chosen(n: int, arm: Arm = "critique", *comments: Comment) -> Chosen:
    task = Task(id=f"{arm}-{n}", question="q", answer=ANSWER)
    if arm == "control":
        return Chosen(task=task, arm=arm)
    said = Critique(comments or (comment(),))
    return Chosen(task=task, arm=arm, critique=Sampled(task_id=task.id, critic="c", critique=said), place=n)


def look(row: Chosen, *comments: Comment) -> Look:
    return Look(row, Critique(comments))


def told(rows: list[Chosen], looks: list[Look], **more: Any) -> dict[str, Any]:
    return report(rows, looks, critic="c", ordered="by hand", draws=200, **more)


def test_shares_and_their_difference_by_hand() -> None:
    rows = [chosen(n) for n in range(8)] + [chosen(n, "control") for n in range(8)]
    looks = [look(row, comment()) if row.place is not None and row.place < 4 else look(row) for row in rows[:8]]
    looks += [look(row, *([comment("medium")] if n == 0 else [])) for n, row in enumerate(rows[8:15])]
    body = told(rows, looks)
    assert body["rerated"]["with a critique"]["mean"] == 0.5
    assert body["rerated"]["control, without critiques"]["mean"] == pytest.approx(1 / 7, abs=1e-6)
    assert body["difference"]["mean"] == pytest.approx(0.5 - 1 / 7, abs=1e-6)
    assert body["waiting"] == {"critique": 0, "control": 1} and body["looks"] == {"critique": 8, "control": 7}
    assert body["by_place"]["the more suspect half"]["mean"] == 1
    assert body["by_place"]["the less suspect half"]["mean"] == 0
    assert body["by_severity"]["high"]["control, without critiques"]["mean"] == 0
    assert body["comments"]["kept %"]["mean"] == body["comments"]["dropped %"]["mean"] == 0.5
    assert told(rows, looks, level="high")["rerated"]["control, without critiques"]["mean"] == 0
    assert body["simulated"] is False and "simulated" in told(rows, looks, simulated=True)["simulated"]


def test_two_people_on_one_answer_are_not_two_findings() -> None:
    rows = [chosen(n) for n in range(6)]
    once = told(rows, [look(row, comment()) if row.place in (0, 1, 2) else look(row) for row in rows])
    many = told(
        rows, [look(row, comment()) if row.place in (0, 1, 2) else look(row) for row in rows for _ in range(50)]
    )
    key = "with a critique"
    assert once["rerated"][key]["mean"] == many["rerated"][key]["mean"] == 0.5
    assert many["rerated"][key]["low"] <= once["rerated"][key]["low"]  # nothing is surer for it
    assert many["rerated"][key]["clusters"] == once["rerated"][key]["clusters"] == 6
    assert once["verdict"] == "cannot be told" and once["difference"]["mean"] is None


def test_only_what_people_handed_in_of_these_answers_counts(tmp_path: Path) -> None:
    rows = [chosen(0), chosen(1), chosen(0, "control"), chosen(1, "control")]
    said = [
        Sampled(task_id="critique-0", critic="c", critique=Critique((comment(),))),  # the draft itself
        Sampled(task_id="critique-0", critic="human+c", critique=Critique()),
        Sampled(task_id="critique-1", critic="human", critique=Critique((comment(),))),  # of another project's work
        Sampled(task_id="control-0", critic="human", critique=Critique((comment("low"),))),
        Sampled(task_id="control-1", critic="human+c", critique=Critique((comment(),))),
        Sampled(task_id="elsewhere", critic="human", critique=Critique((comment(),))),
    ]
    write_jsonl(tmp_path / "critiques.jsonl", said)
    found = looks_of(rows, tmp_path)
    assert [(one.chosen.task.id, len(one.handed_in)) for one in found] == [("critique-0", 0), ("control-0", 1)]
    body = told(rows, found)
    assert all(figure["mean"] == 0 for figure in body["rerated"].values())
    assert told(rows, found, level="low")["rerated"]["control, without critiques"]["mean"] == 1


def test_the_command_writes_what_the_report_draws_and_says_what_is_missing(tmp_path: Path) -> None:
    rows = [chosen(n) for n in range(4)] + [chosen(n, "control") for n in range(4)]
    audit, records = tmp_path / "audit", tmp_path / "desk"
    write_jsonl(audit / "arms.jsonl", rows)
    manifest = {"settings": {"critic": "c"}, "counts": {"ordered": "by hand"}}
    (audit / "audit.manifest.json").write_text(json.dumps(manifest))
    said = [Sampled(task_id=row.task.id, critic="human" if row.arm == "control" else "human+c") for row in rows]
    write_jsonl(records / "critiques.jsonl", said)

    def run(*words: object) -> Result:
        return CliRunner().invoke(cli, ["audit", "report", *map(str, words)], standalone_mode=False)

    done = run(audit, "--records", records, "--simulated", "-o", tmp_path / "run" / "audit.json", "--draws", 50)
    assert done.exception is None and "taken by simulated people" in done.stdout, done.output
    written = write_report(tmp_path / "run", tmp_path / "report.html", draws=50)
    assert written.drawn == ("Section 3.6",)
    assert "taken by simulated people" in (tmp_path / "report.html").read_text()
    for words, says in (
        ([audit], "say where the second look is"),
        ([audit, "--desk", "http://127.0.0.1:1"], "say where the second look is"),
        ([audit, "--records", tmp_path / "none"], "nobody has looked again yet"),
        ([tmp_path, "--records", records], "holds no audit"),
        ([audit, "--desk", "ftp://x", "--project", "p"], "is no address of a desk"),
        ([audit, "--desk", "http://x", "--project", "p"], "MOMUS_DESK_TOKEN"),
    ):
        failed = run(*words)
        assert isinstance(failed.exception, MomusError) and says in str(failed.exception), words
    write_jsonl(records / "critiques.jsonl", [Sampled(task_id="elsewhere", critic="human")])
    assert "nobody's second look at these answers" in str(run(audit, "--records", records).exception)
