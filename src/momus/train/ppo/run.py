"""`momus train ppo`: from folders and files to a trained policy."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from momus.measure.datasets import load_bugs
from momus.train.lineage import manifest_in
from momus.train.policy import open_policy
from momus.train.ppo.config import PPOConfig
from momus.train.ppo.loop import Trainer
from momus.train.ppo.requests import read_tasks, requests_of
from momus.train.ppo.scoring import RewardScores
from momus.train.ppo.watch import held_out
from momus.train.reward.model import open_reward


def ppo(
    config: PPOConfig,
    start: Path,
    reward: Path,
    tasks: Sequence[Path],
    out: Path,
    *,
    seed: int,
    watch: Path | None = None,
    watch_limit: int = 100,
    minutes: float | None = None,
) -> bool:
    """Train the policy in `start` to please the reward model in `reward` on the tasks' critique requests.

    `watch` holds tampers to count found bugs on. True once the trained policy stands in `out`; False where `minutes`
    were up before.
    """
    policy = open_policy(start)
    scores = RewardScores(open_reward(reward, policy.codec), micro_tokens=config.micro_tokens, bf16=config.bf16)
    requests = requests_of(read_tasks(tasks), policy.codec, config.max_prompt)
    look = None
    if watch is not None:
        look = held_out(
            load_bugs(watch, limit=watch_limit),
            max_new=config.max_new,
            temperature=config.temperature,
            max_prompt=config.max_prompt,
        )
    trainer = Trainer(policy, scores, requests, config, out, seed=seed)
    scores.to(trainer.device)
    if trainer.rank == 0:
        manifest = {
            "stage": "ppo",
            "config": config.model_dump(mode="json"),
            "seed": seed,
            "processes": trainer.world,
            "requests": len(requests),
            "policy": start.name,
            "reward": reward.name,
            "starting_weights": trainer.identity.reference,
            "before": manifest_in(start),
        }
        (out / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    return trainer.train(minutes=minutes, watch=look)
