"""A run small enough to hand over in a test: a random Llama, a reward model on it, three tasks.

As a program it writes them to a folder and hands them over: `python tiny_handover.py FOLDER`.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from momus.models.markdown import MarkdownCodec
from momus.records import Task, write_jsonl
from momus.train.handover.run import Run, ask_all
from momus.train.handover.scoring import Reward
from momus.train.ppo.config import PPOConfig
from tiny_llama import save_tiny_llama, tiny_tokenizer

TASKS = [
    Task(id="demo/last", question="Return the last n items.", answer="def last(xs, n):\n    return xs[-n:]\n"),
    Task(id="demo/é", question="Say: «é ∀»", answer="print('```')", source="demo"),
    Task(id="demo/first", question="", answer="def first(xs):\n    return xs[1]\n", tests="assert first([1]) == 1"),
]
PPO = PPOConfig(
    steps=10, rollouts=8, per_prompt=4, max_new=32, max_prompt=600, minibatches=2, warmup=2, micro_tokens=2048
)


def tiny_run(ppo: PPOConfig = PPO) -> Run:
    """A run with paths that are the same on every machine."""
    asked, left_out = ask_all(TASKS, MarkdownCodec(tiny_tokenizer(pad="<|pad|>")), ppo.max_prompt)
    assert not left_out
    reward = Reward("/runs/reward", 0.25, 2.0, "<|eot|>", ppo.max_new, ppo.missing_end, ppo.unanchored)
    return Run("/runs/policy", "/runs/handed", reward, ppo, asked, gpus=2, seed=7)


def save_tiny_reward(policy: Path, folder: Path, *, mean: float = 0.25, std: float = 2.0) -> Path:
    """A reward model with a random head, as `momus train reward` would leave it."""
    import torch
    from transformers import AutoModelForSequenceClassification

    torch.manual_seed(1)
    model = AutoModelForSequenceClassification.from_pretrained(policy, num_labels=1, dtype=torch.float32)
    torch.nn.init.normal_(model.score.weight)
    model.save_pretrained(folder)
    for name in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"):
        shutil.copyfile(policy / name, folder / name)
    (folder / "reward.json").write_text(json.dumps({"mean": mean, "std": std}))
    return folder


def save_all(folder: Path) -> tuple[Path, Path, Path]:
    """Policy, reward model and tasks in a folder."""
    policy = save_tiny_llama(folder / "policy", pad="<|pad|>")
    tasks = folder / "tasks.jsonl"
    write_jsonl(tasks, TASKS)
    return policy, save_tiny_reward(policy, folder / "reward"), tasks


if __name__ == "__main__":
    from momus.train.handover.export import hand_over

    where = Path(sys.argv[1])
    policy, reward, tasks = save_all(where)
    for estimator in ("gae", "rloo"):
        ppo = PPO.model_copy(update={"estimator": estimator})
        print(*hand_over("verl", policy, reward, [tasks], ppo, where / estimator, gpus=2))
