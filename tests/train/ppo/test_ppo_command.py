"""`momus train ppo`, from folders and files."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from click.testing import CliRunner, Result

from momus.cli.train import command
from momus.records import Comparison, Sampled, Task, write_jsonl
from momus.train.policy import open_policy
from momus.train.ppo.requests import read_tasks, requests_hash, requests_of
from momus.train.reward.model import as_classifier, save_reward
from tiny_ppo import TASKS

CONFIG = """
name = "tiny"
[ppo]
steps = 2
rollouts = 8
per_prompt = 2
max_new = 8
lr = 1e-3
"""


@pytest.fixture
def folders(qwen_folder: Path, tmp_path: Path) -> Path:
    policy = open_policy(qwen_folder)
    reward = as_classifier(policy)
    torch.manual_seed(0)
    torch.nn.init.normal_(reward.score.weight)
    save_reward(reward, policy, {"mean": 0.0, "std": 1.0}, tmp_path / "reward")
    write_jsonl(tmp_path / "tasks.jsonl", TASKS)
    (tmp_path / "run.toml").write_text(CONFIG)
    return tmp_path


def ppo(folders: Path, qwen: Path, *more: str) -> Result:
    arguments = ["ppo", "--config", "run.toml", "--reward", "reward", "--tasks", "tasks.jsonl", "--out", "out"]
    paths = [str(folders / a) if a.split(".")[0] in ("run", "reward", "tasks", "out") else a for a in arguments]
    return CliRunner().invoke(command, [*paths, "--from", str(qwen), *more])


def test_a_policy_and_a_reward_model_become_a_trained_policy(folders: Path, qwen_folder: Path) -> None:
    stopped = ppo(folders, qwen_folder, "--minutes", "0")
    assert stopped.exit_code == 0, stopped.output
    assert "run again to go on" in stopped.output and not (folders / "out" / "config.json").exists()
    done = ppo(folders, qwen_folder)
    assert done.exit_code == 0 and "finished" in done.output
    assert (folders / "out" / "tokenizer.json").read_bytes() == (qwen_folder / "tokenizer.json").read_bytes()
    opened = open_policy(folders / "out").model.state_dict()
    before = open_policy(qwen_folder).model.state_dict()
    assert any(not torch.equal(opened[name], before[name]) for name in before)


def test_the_estimator_can_be_chosen_on_the_command_line(folders: Path, qwen_folder: Path) -> None:
    assert ppo(folders, qwen_folder, "--estimator", "rloo").exit_code == 0
    assert not (folders / "out" / "value.safetensors").exists()


def test_what_is_missing_is_one_sentence(folders: Path, qwen_folder: Path) -> None:
    from momus.errors import MomusError

    (folders / "reward" / "reward.json").unlink()
    result = ppo(folders, qwen_folder)
    assert isinstance(result.exception, MomusError) and "no reward model in" in str(result.exception)


def test_requests_are_those_of_tasks_tampers_and_comparisons(tmp_path: Path, qwen_folder: Path) -> None:
    from momus.errors import MomusError

    dev = Task(id="dev", question="", answer="z = 1\n", split="dev")
    write_jsonl(tmp_path / "tasks.jsonl", [*TASKS, dev])
    shown = [Comparison(id=t.id, task=t, critiques=(Sampled(task_id=t.id, critic="empty"),)) for t in TASKS[:2]]
    write_jsonl(tmp_path / "comparisons.jsonl", shown)
    assert [t.id for t in read_tasks([tmp_path / "tasks.jsonl", tmp_path / "comparisons.jsonl"])] == [
        t.id for t in TASKS
    ]
    assert [t.id for t in read_tasks([tmp_path / "comparisons.jsonl"])] == ["0", "1"]
    codec = open_policy(qwen_folder).codec
    kept = requests_of([*TASKS, Task(id="b", question="", answer=" \n")], codec, 512)
    assert len(kept) == len(TASKS)
    assert requests_hash(kept) != requests_hash(kept[::-1])
    with pytest.raises(MomusError, match="larger max_prompt"):
        requests_of(TASKS, codec, 3)
    with pytest.raises(MomusError, match="cannot read"):
        read_tasks([tmp_path / "absent.jsonl"])
    write_jsonl(tmp_path / "kept.jsonl", [Task(id="quixbugs/gcd", question="", answer="x\n")])
    with pytest.raises(MomusError, match="set aside"):
        read_tasks([tmp_path / "kept.jsonl"])
