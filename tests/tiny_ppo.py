"""What the tests of PPO share: settings, tasks, and a reward that can be earned by a policy that knows nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from momus.records import Task
from momus.train.ppo.layout import Episode

SMALL: dict[str, Any] = {
    "steps": 4,
    "rollouts": 8,
    "per_prompt": 2,
    "max_new": 10,
    "lr": 1e-3,
    "missing_end": 0.0,
    "unanchored": 0.0,
    "save_every": 2,
}
TASKS = [
    Task(id=str(i), question=f"Add {i}." * i, answer=f"def f(x):\n    y = x + {i}\n    return y\n") for i in range(6)
]


class Planted:
    """Pays for tokens below a bound, wherever they stand."""

    def __init__(self, bound: int) -> None:
        self.bound = bound

    def __call__(self, episodes: Sequence[Episode]) -> torch.Tensor:
        return torch.tensor([10 * sum(t < self.bound for t in e.tokens) / len(e.tokens) for e in episodes])


def sharpen(model: Any, by: float = 12.0) -> Any:
    with torch.no_grad():
        model.get_output_embeddings().weight.mul_(by)
    return model
