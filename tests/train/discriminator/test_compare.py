"""Sizes side by side: what they tell, where the largest fails, and what is too easy."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from planted_twins import write_twins

from momus.cli import cli
from momus.critique import Comment, Critique
from momus.errors import MomusError
from momus.measure import load_bugs
from momus.measure.report import write_report
from momus.records import Sampled, versioned, write_jsonl
from momus.train.discriminator.compare import compare, lines, wrong_tenth


@pytest.fixture
def on(tmp_path: Path) -> Path:
    """Forty pairs whose bug can be seen, and ten whose bug cannot."""
    return write_twins(tmp_path / "on.jsonl", 40, first=1000, unseen=10)


def run(*words: object) -> Result:
    return CliRunner().invoke(cli, ["measure", "discriminators", *map(str, words)])


def test_the_tenth_is_of_the_answers_that_are_called_clean_most_surely() -> None:
    logits = np.zeros((25, 2))
    logits[[3, 17, 9], 0] = [-5.0, -4.0, -3.0]
    assert wrong_tenth(logits) == [3, 17, 9]
    logits[4, 1] = 99.0  # a clean answer that is called tampered is wrong as well, but has no bug to catch
    assert wrong_tenth(logits) == [3, 17, 9]


def test_sizes_go_into_the_report_and_critics_are_held_against_the_wrong_tenth(
    trained: Path, on: Path, tmp_path: Path
) -> None:
    tampers = load_bugs(on)
    said = [
        Sampled(
            task_id=versioned(t.task).id,
            critic="knows",
            critique=Critique((Comment(t.bugs[0].spans[0], "Wrong.", "wrong-operator", suggestion="x"),)),
        )
        for t in tampers
    ]
    write_jsonl(tmp_path / "critiques.jsonl", said)
    out = tmp_path / "run" / "discriminators.json"
    folders = [trained / "large", trained / "small"]  # in any order
    done = run(*folders, "--on", on, "--critiques", tmp_path / "critiques.jsonl", "-o", out)
    assert done.exit_code == 0, done.output
    body = json.loads(out.read_text())
    small, large = body["families"][0]["sizes"]
    assert (small["name"], large["name"]) == ("small", "large") and body["pairs"] == 50
    assert large["measures"]["log_loss"]["mean"] < small["measures"]["log_loss"]["mean"]
    assert large["measures"]["order"]["mean"] > 0.8
    (moved,) = body["differences"]
    assert moved["log_loss"]["difference"]["high"] < 0 and moved["log_loss"]["verdict"] == "below"
    about = body["wrong_tenth_of"]
    assert (about["size"], about["answers"], about["of"]) == ("large", 5, 50)
    assert body["wrong_tenth"]["knows"]["mean"] == 1 and body["wrong_tenth"]["empty"]["mean"] == 0
    (easy,) = body["repair"]  # even the small one sees a sign that is always wrong
    assert easy["by_size"].keys() == {"small", "large"} and "judged by code" in body["simulated"]
    assert "momus measure discriminators large small" in body["command"]
    written = write_report(out.parent, tmp_path / "report.html", draws=50)
    assert written.drawn == ("Figure 13",)
    assert "For repair" in done.stdout and "knows" in done.stdout


def test_what_the_smallest_spots_is_for_repair(trained: Path, on: Path) -> None:
    body = compare([trained / "large"], [on], draws=100)
    (easy,) = body["repair"]
    assert easy["operator"] == "wrong-sign" and easy["order"]["mean"] >= 5 / 6
    assert "wrong-sign (" in "\n".join(lines(body)) and "wrong_tenth" not in body
    few = compare([trained / "large"], [write_twins(on.with_name("few.jsonl"), 9, first=2000)], draws=100)
    assert few["repair"] == [] and few["too_few_pairs"] == ["wrong-sign"]


def test_what_cannot_be_compared_is_one_sentence(trained: Path, on: Path, tmp_path: Path) -> None:
    seen = write_twins(tmp_path / "seen.jsonl", 4)
    with pytest.raises(MomusError, match="was trained on the problem of wrong-sign-0"):
        compare([trained / "large"], [seen])
    copy = Path(shutil.copytree(trained / "large", tmp_path / "unknown"))
    about = json.loads((copy / "discriminator.json").read_text())
    (copy / "discriminator.json").write_text(json.dumps({**about, "flops": None}))
    with pytest.raises(MomusError, match=r"say it, --flops unknown=1e15"):
        compare([copy], [on])
    assert compare([copy], [on], flops={"unknown": 5.0}, draws=10)["families"][0]["sizes"][0]["flops"] == 5
    with pytest.raises(MomusError, match="bear the same name"):
        compare([copy, copy], [on])
    for words, says in (
        (["--on", on, "--flops", "unknown=many"], "say it as FOLDER=1e15"),
        (["--on", on, "--critic", "empty", "--by", "wit", "--flops", "unknown=1"], "there is no measure 'wit'"),
        (["--on", tmp_path / "none.jsonl"], "can't read"),
    ):
        with pytest.raises(MomusError, match=says):
            CliRunner().invoke(
                cli,
                ["measure", "discriminators", str(copy), *map(str, words)],
                catch_exceptions=False,
                standalone_mode=False,
            )
