"""Two processes by torchrun, as a person would start them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

RUN = """
import json, os, sys
from pathlib import Path
import torch
torch.set_num_threads(1)
sys.path[:0] = json.loads(sys.argv[1])
from tiny_ppo import SMALL, TASKS, Planted, sharpen
from momus.train.policy import open_policy
from momus.train.ppo.config import PPOConfig
from momus.train.ppo.loop import Trainer
from momus.train.ppo.policy_value import weights_hash
from momus.train.ppo.requests import requests_of
folder, out = Path(sys.argv[2]), Path(sys.argv[3])
policy = open_policy(folder)
sharpen(policy.model)
config = PPOConfig.model_validate({**SMALL, "steps": 2})
run = Trainer(policy, Planted(150), requests_of(TASKS, policy.codec, 512), config, out, seed=1)
drawn = [[list(e.prompt), list(e.tokens)] for e in run.draw()]
run.train()
said = {"world": run.world, "drawn": drawn, "hash": weights_hash(run.model.named_parameters())}
(out / f"rank{run.rank}.json").write_text(json.dumps(said))
"""


@pytest.mark.slow
def test_two_processes_draw_apart_and_learn_as_one(llama_folder: Path, tmp_path: Path) -> None:
    script = tmp_path / "run.py"
    script.write_text(RUN)
    paths = json.dumps([str(Path(__file__).parents[2])])
    env = {**os.environ, "ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": "1"}

    def run(out: str, *launcher: str) -> list[dict[str, object]]:
        (tmp_path / out).mkdir()
        command = [sys.executable, *launcher, str(script), paths, str(llama_folder), str(tmp_path / out)]
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=280)
        assert done.returncode == 0, done.stderr[-2000:]
        return [json.loads(path.read_text()) for path in sorted((tmp_path / out).glob("rank*.json"))]

    two = run("two", "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2")
    assert [said["world"] for said in two] == [2, 2]
    assert two[0]["hash"] == two[1]["hash"]
    assert two[0]["drawn"] != two[1]["drawn"]
    prompts = [{tuple(prompt) for prompt, _ in said["drawn"]} for said in two]  # type: ignore[attr-defined]
    assert not prompts[0] & prompts[1]
    lines = [json.loads(line) for line in (tmp_path / "two" / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [1, 2] and lines[0]["first_ratio"] == 0.0


def test_processes_that_accelerate_does_not_see_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from momus.errors import MomusError
    from momus.train.ppo.loop import _accelerator

    _accelerator()
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(MomusError, match="accelerate runs 1 processes where 2 were launched"):
        _accelerator()
