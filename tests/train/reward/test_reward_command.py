"""`momus train reward`, from files to a folder and a table."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from planted_ratings import RATER, comparison, write_rated

from momus.cli import cli
from momus.errors import MomusError
from momus.models.protocol import Prompt
from momus.records import Sampled, write_jsonl
from momus.train.config import RewardConfig
from momus.train.policy import Policy
from momus.train.reward.model import open_reward
from momus.train.reward.stage import reward

CONFIG = """
name = "tiny"
seed = 3
[pretrain.optim]
tokens = 1
[pretrain.loss]
[scan.optim]
tokens = 1
[scan.loss]
[sft.optim]
tokens = 1
[sft.loss]
[reward]
batch_comparisons = 4
lr = 2e-3
held_out = 0.25
also_share = 0.5
"""


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli, ["train", "reward", *map(str, arguments)])


def test_the_command_trains_reports_and_goes_on(policy_folder: Path, policy: Policy, tmp_path: Path) -> None:
    rated = write_rated(tmp_path / "rated", 8)
    more = write_rated(tmp_path / "more", 4, first=8)
    (tmp_path / "run.toml").write_text(CONFIG)
    (tmp_path / "pairs.jsonl").write_text(json.dumps({"prompt": "x", "chosen": "a = 1", "rejected": "b = 2"}) + "\n")
    made = comparison(2, True)[0]
    write_jsonl(
        tmp_path / "samples.jsonl",
        [*made.critiques, Sampled(task_id="unknown", critic="m"), Sampled(task_id="t2b", critic="m", error="no")],
    )
    out = tmp_path / "out"
    words = ["--from", policy_folder, "--comparisons", rated, "--comparisons", more, "--out", out]
    words += ["--config", tmp_path / "run.toml", "--also", tmp_path / "pairs.jsonl"]
    words += ["--samples", tmp_path / "samples.jsonl"]
    stopped = run(*words, "--minutes", "0")
    assert stopped.exit_code == 0 and "run again to go on" in stopped.stderr and not (out / "reward.json").exists()
    done = run(*words)
    assert done.exit_code == 0, done.output
    assert f"rated by {RATER} (simulated)" in done.stdout and "caught against missed" in done.stdout
    assert "left out: 2 samples" in done.stderr and "general pairs: 1" in done.stderr
    assert {"config.json", "model.safetensors", "tokenizer.json", "reward.json", "metrics.jsonl", "state.pt"} == {
        path.name for path in out.iterdir()
    }
    about = json.loads((out / "reward.json").read_text())
    assert about["raters"] == [{"name": RATER, "simulated": True}] and about["seed"] == 3
    assert about["held_out"]["problems"] == 3 and about["normalised_on"] == {"critiques": 4, "of": "samples"}
    # normalised on the samples: mean 0, std 1
    opened = open_reward(out, policy.codec)
    asked = [
        opened.tokens(Prompt(made.task.question, made.task.answer), sampled.critique) for sampled in made.critiques
    ]
    scores = np.array(opened.score(asked))
    assert scores.mean() == pytest.approx(0, abs=1e-3) and scores.std() == pytest.approx(1, abs=1e-3)
    before = (out / "reward.json").stat().st_mtime_ns
    again = run(*words, "--json")
    assert again.exit_code == 0 and json.loads(again.stdout) == about
    assert (out / "reward.json").stat().st_mtime_ns == before, "a finished stage was run again"


def test_without_samples_scores_are_normalised_on_what_sft_teaches(
    policy_folder: Path, policy: Policy, tmp_path: Path
) -> None:
    rated = write_rated(tmp_path / "rated", 4)
    config = RewardConfig(held_out=0.0, batch_comparisons=3, lr=2e-3)
    assert reward(policy_folder, [rated], tmp_path / "out", config=config)
    opened = open_reward(tmp_path / "out")
    asked = []
    for n in range(4):
        made = comparison(n, True)[0]
        prompt = Prompt(made.task.question, made.task.answer)
        asked.append(opened.tokens(prompt, made.critiques[1].critique))
        asked.append(opened.tokens(Prompt(made.task.question, made.twin or ""), made.critiques[2].critique))
    scores = np.array(opened.score(asked))
    assert scores.mean() == pytest.approx(0, abs=1e-3) and scores.std() == pytest.approx(1, abs=1e-3)
    about = json.loads((tmp_path / "out" / "reward.json").read_text())
    assert about["held_out"] is None and about["normalised_on"] == {"critiques": 8, "of": "gold and silence"}
    with pytest.raises(MomusError, match="name a new --out"):
        reward(policy_folder, [rated], tmp_path / "out", config=config, seed=5)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--from", "nowhere", "--comparisons", "RATED"], "no checkpoint in nowhere"),
        (["--from", "POLICY", "--comparisons", "nowhere"], "cannot read nowhere"),
        (["--from", "POLICY", "--comparisons", "RATED", "--samples", "nowhere.jsonl"], "cannot read nowhere.jsonl"),
        (["--from", "POLICY", "--comparisons", "RATED", "--also", "nowhere.jsonl"], "cannot read nowhere.jsonl"),
        (["--from", "POLICY", "--comparisons", "RATED", "--config", "nowhere.toml"], "no config at nowhere.toml"),
    ],
)
def test_bad_input_is_one_sentence(policy_folder: Path, tmp_path: Path, words: list[str], says: str) -> None:
    rated = write_rated(tmp_path / "rated", 2)
    named = {"POLICY": policy_folder, "RATED": rated}
    with pytest.raises(MomusError, match=says):
        CliRunner().invoke(
            cli,
            ["train", "reward", *[str(named.get(word, word)) for word in words], "--out", str(tmp_path / "out")],
            catch_exceptions=False,
            standalone_mode=False,
        )
