"""`momus measure` as a person and a script meet it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from planted import TWIN, make_tamper

from momus.cli.measure import command
from momus.errors import MomusError
from momus.measure import small_bugs
from momus.records import Task, write_jsonl


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("MOMUS_DATA", raising=False)
    monkeypatch.chdir(tmp_path)
    write_jsonl(tmp_path / "bugs.jsonl", [make_tamper(i, pad=i) for i in range(6)])
    write_jsonl(tmp_path / "clean.jsonl", [Task(id=str(i), question="", answer=f"{TWIN}y = {i}\n") for i in range(5)])
    return tmp_path


def run(*arguments: str, code: int = 0) -> Result:
    result = CliRunner().invoke(command, [*arguments, "--draws", "100"], standalone_mode=False, catch_exceptions=False)
    assert result.return_value == code
    return result


def test_json_holds_every_measure_and_the_baselines(here: Path) -> None:
    body = json.loads(
        run("--critic", "everything", "--on", "bugs.jsonl:mine", "--clean", "clean.jsonl", "--json").stdout
    )
    (data,) = body["data"]
    assert body["schema_version"] == 1
    assert (data["label"], data["items"], data["clean"], data["answers"]) == ("mine", 6, 5, 17)
    rows = {row["critic"]: row["measures"] for row in data["critics"]}
    assert next(iter(rows)) == "everything" and {"random", "empty"} <= set(rows)
    exact = 0.025 ** (1 / 6)  # six of six: Clopper and Pearson's lower end
    assert rows["everything"]["place@3"] == {"mean": 1.0, "low": round(exact, 6), "high": 1.0, "n": 6, "clusters": 6}
    assert rows["everything"]["clean_flagged"]["mean"] == 1.0
    assert rows["everything"]["clean_comments"]["mean"] == 6.0
    assert rows["random"]["lines"]["mean"] == 3.0
    assert rows["empty"]["claim@1"]["mean"] == 0.0


def test_only_leaves_the_baselines_out_and_limit_draws_by_seed(here: Path) -> None:
    arguments = ("--critic", "empty", "--only", "--on", "bugs.jsonl", "--limit", "2", "--json")
    data = json.loads(run(*arguments).stdout)["data"][0]
    assert [row["critic"] for row in data["critics"]] == ["empty"]
    assert data["items"] == 2
    with pytest.raises(MomusError, match="--only leaves nothing"):
        run("--only", "--on", "bugs.jsonl")


def test_results_are_written_whole_beside_the_table(here: Path) -> None:
    out = here / "results" / "r.json"
    result = run("--critic", "empty", "--on", "bugs.jsonl", "-o", str(out))
    assert "place@1 %" in result.stdout and "bugs: 6 answers" in result.stdout
    assert json.loads(out.read_text())["data"][0]["items"] == 6
    assert list(out.parent.iterdir()) == [out]
    with pytest.raises(MomusError, match="can't write"):
        run("--critic", "empty", "--on", "bugs.jsonl", "-o", str(here / "bugs.jsonl" / "r.json"))


def test_markdown_is_for_documents(here: Path) -> None:
    text = run("--critic", "empty", "--on", "bugs.jsonl", "--markdown", "--by", "operator", "--by", "length").stdout
    assert text.startswith("**bugs: 6 answers to 6 problems**")
    assert "by length" in text
    with pytest.raises(MomusError, match="exclude each other"):
        run("--critic", "empty", "--on", "bugs.jsonl", "--markdown", "--json")


def test_without_data_the_small_set_is_measured_and_said_so(here: Path) -> None:
    result = run("--critic", "empty", "--only", "--json")
    assert json.loads(result.stdout)["data"][0]["items"] == len(small_bugs())
    assert "MOMUS_DATA is not set: measuring on the small set" in result.stderr


def test_the_data_folder_is_measured_set_by_set_with_its_clean_answers(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOMUS_DATA", str(here))
    with pytest.raises(MomusError, match="none of the known data files"):
        run("--critic", "empty", "--only")
    row = {"question": "", "buggy": TWIN.replace("0", "1"), "fixed": TWIN, "bug_lines": [2], "small_fix": True}
    rows = [{"id": split, "split": split, **row} for split in ("train", "dev")]
    (here / "natural.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (here / "correct.jsonl").write_text(json.dumps({"id": "c", "question": "", "answer": TWIN, "split": "dev"}) + "\n")
    (data,) = json.loads(run("--critic", "empty", "--only", "--json").stdout)["data"]
    assert (data["label"], data["items"], data["clean"]) == ("natural bugs, small fixes (dev)", 1, 1)


def test_runs_are_taken_up(here: Path) -> None:
    arguments = ("--critic", "random", "--only", "--on", "bugs.jsonl", "--runs", "kept", "--json")
    first = run(*arguments).stdout
    (kept,) = (here / "kept").iterdir()
    size = kept.stat().st_size
    assert run(*arguments).stdout == first
    assert kept.stat().st_size == size


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ["--critic", "linter:rufff", "--on", "bugs.jsonl"],
            "there is no critic 'linter:rufff': did you mean linter:ruff",
        ),
        (["--critic", "empty", "--on", "nowhere.jsonl"], "can't read nowhere.jsonl: No such file"),
        (["--critic", "empty", "--on", "bugs.jsonl", "--split", "x"], "no task is left to measure on"),
    ],
)
def test_what_can_not_be_done_is_one_sentence_and_exit_2(here: Path, arguments: list[str], sentence: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "momus", "measure", *arguments], capture_output=True, text=True, cwd=here, check=False
    )
    assert done.returncode == 2
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_help_shows_an_example() -> None:
    assert "Example: momus measure --critic" in run("--help").output
