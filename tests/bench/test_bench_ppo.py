"""The bench of PPO, in miniature: our contestants run, and the promise is a ratio of what was timed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from momus.bench import ppo
from momus.bench.process import Used
from momus.models.arch import Arch

TINY = {"vocab": 64, "rollouts": 4, "per_prompt": 2, "max_new": 3, "epochs": 1, "steps": 2}


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ppo, "WORK", TINY)
    monkeypatch.setattr(ppo, "ARCH", Arch(vocab=64, hidden=16, layers=1, heads=2, kv_heads=1, head_dim=8, ffn=16))
    monkeypatch.setattr(ppo, "PROMPT", (5, 9))


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("kind", list(ppo.OURS))
def test_each_of_our_contestants_makes_its_steps(tmp_path: Path, kind: str) -> None:
    ppo._prepare(tmp_path, 0)
    assert [5 <= len(prompt) < 9 for prompt in json.loads((tmp_path / "prompts.json").read_text())] == [True, True]
    inside = ppo.contest(kind, tmp_path, 0)
    assert len(inside["cpu_s"]) == TINY["steps"] - 1
    assert set(inside["phases"]) == {"generate", "score", "old", "reference", "learn"}
    assert sum(inside["phases"].values()) <= sum(inside["cpu_s"]) + 0.01


def test_the_promises_are_ratios_to_the_peer(monkeypatch: pytest.MonkeyPatch) -> None:
    times = {"separate": 2.0, "shared": 1.0, "alone": 4.0, "prepare": 0.0}

    def measured(command: list[str], **options: object) -> Used:
        kind = next((part for part in command if part in times), "trl")
        return Used(1.0, 1.0, 100.0, 0, json.dumps({"cpu_s": [times.get(kind, 3.0)] * 3}), "")

    monkeypatch.setattr(ppo, "measure", measured)
    outcome = ppo.bench(trl_python=Path("python-with-trl"))
    assert [goal.value for goal in outcome.goals] == [1.5, 3.0]
    assert all(goal.holds for goal in outcome.goals)
    assert outcome.figures["contestants"][ppo.PEER]["ratio"] == 1.0
