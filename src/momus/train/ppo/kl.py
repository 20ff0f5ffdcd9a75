"""How far the policy is from its reference, by sampled tokens, and the controller of what that costs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor


def k1(logprobs: Tensor, reference: Tensor) -> Tensor:
    """log p - log q of each token: unbiased, and negative where the reference likes the token better."""
    return logprobs - reference


def k3(logprobs: Tensor, reference: Tensor) -> Tensor:
    """q/p - 1 - log(q/p) of each token: unbiased, never negative, of low variance (Schulman 2020)."""
    ratio = reference - logprobs
    return torch.expm1(ratio) - ratio


KL_ESTIMATORS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {"k1": k1, "k3": k3}


@dataclass(frozen=True, slots=True)
class Fixed:
    """A coefficient that stays."""

    coefficient: float

    def after(self, kl: float, episodes: int) -> Fixed:
        return self


@dataclass(frozen=True, slots=True)
class Adaptive:
    """A coefficient that follows the KL to `target` nats an episode (Ziegler et al. 2019, section 2.2)."""

    coefficient: float
    target: float
    horizon: int

    def after(self, kl: float, episodes: int) -> Adaptive:
        """The controller after `episodes` with a mean KL of `kl`; one step changes it by a fifth of its share."""
        error = min(0.2, max(-0.2, kl / self.target - 1))
        return Adaptive(self.coefficient * (1 + error * episodes / self.horizon), self.target, self.horizon)


Controller = Fixed | Adaptive
