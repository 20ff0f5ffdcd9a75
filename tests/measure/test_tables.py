"""`momus measure tables`: the lists as tables, kept by item."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from momus.cli.measure_tables import tables
from momus.errors import MomusError

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def test_new_tasks_stand_first_the_time_is_told_and_a_second_run_reads_nothing_again(tmp_path: Path) -> None:
    arguments = ["--critic", "everything", "--only", "--no-run-tests", "--first", "4", "--set", "tampers"]
    arguments += ["--set", "new-tasks", "--benchmarks", str(BENCHMARKS), "--runs", str(tmp_path / "runs")]
    done = CliRunner().invoke(tables, [*arguments, "-o", str(tmp_path / "out.json")], catch_exceptions=False)
    assert done.exit_code == 0
    titles = [line for line in done.stdout.splitlines() if line.startswith("**")]
    assert [title.split(":")[0] for title in titles] == ["**new tasks", "**held-out tampers"]
    assert "everything: 16 answers to read, about" in done.stderr and "in all" in done.stderr
    body = json.loads((tmp_path / "out.json").read_text())
    assert body["first"] == 4 and [data["items"] for data in body["data"]] == [4, 4]
    assert body["data"][0]["critics"][0]["measures"]["place@3"]["clusters"] == 4
    again = CliRunner().invoke(tables, arguments, catch_exceptions=False)
    assert "answers to read" not in again.stderr and again.stdout == done.stdout


def test_an_unknown_list_is_named() -> None:
    with pytest.raises(
        MomusError, match="no list 'humaneval': choose from new-tasks, written-tampers, written-families"
    ):
        CliRunner().invoke(tables, ["--critic", "empty", "--set", "humaneval"], catch_exceptions=False)
