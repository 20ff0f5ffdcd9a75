"""How much better than expected each token was. Tensors are [episodes, tokens]; mask is true at the critique's tokens.

An estimator is a function, chosen by name. Whatever stands in the padding is never read, and comes out as 0.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

Reduce = Callable[[Tensor], Tensor]  # sums a tensor over all processes


def alone(tensor: Tensor) -> Tensor:
    """The sum over one process."""
    return tensor


@dataclass(frozen=True, slots=True)
class Experience:
    """What an estimator sees. `values` are predicted before the token of their place; `group` numbers the requests."""

    rewards: Tensor
    values: Tensor
    mask: Tensor
    group: Tensor  # [episodes]


@dataclass(frozen=True, slots=True)
class Estimate:
    """Advantages, not yet whitened, and what the values should have been."""

    advantages: Tensor
    returns: Tensor


def gae(experience: Experience, gamma: float, lam: float) -> Estimate:
    """Generalised advantage estimation (Schulman et al. 2016): A_t = sum_l (gamma lam)^l delta_(t+l).

    The value after the last token is 0, cut off or not: an episode that ran out of tokens has ended (see `rewards`).
    """
    mask = experience.mask
    rewards = experience.rewards.masked_fill(~mask, 0.0)
    values = experience.values.masked_fill(~mask, 0.0)
    advantages = torch.zeros_like(rewards)
    running, following = rewards.new_zeros(len(rewards)), rewards.new_zeros(len(rewards))
    for t in reversed(range(rewards.shape[1])):
        delta = rewards[:, t] + gamma * following - values[:, t]
        here = mask[:, t]
        running = torch.where(here, delta + gamma * lam * running, running)
        following = torch.where(here, values[:, t], following)
        advantages[:, t] = running.masked_fill(~here, 0.0)
    return Estimate(advantages, advantages + values)


def rloo(experience: Experience, gamma: float, lam: float) -> Estimate:
    """REINFORCE, leave one out (Ahmadian et al. 2024): an episode's whole reward less the mean of its request's others.

    Every token of an episode gets the same; gamma, lam and the values play no part. Raises ValueError where a request
    has a single episode.
    """
    mask = experience.mask
    total = experience.rewards.masked_fill(~mask, 0.0).sum(1)
    advantages = above_others(total, experience.group)[:, None].expand_as(mask).masked_fill(~mask, 0.0)
    return Estimate(advantages, total[:, None].expand_as(mask).masked_fill(~mask, 0.0))


def above_others(values: Tensor, group: Tensor) -> Tensor:
    """Each value [episodes] less the mean of the others of its group. Raises ValueError where a group has only one.

    What is taken off an episode depends on the others alone, so a score that is centred in this way has the same
    gradient in the mean.
    """
    _, index = torch.unique(group, return_inverse=True)
    size = torch.zeros(int(index.max()) + 1, dtype=values.dtype, device=values.device)
    size = size.index_add(0, index, torch.ones_like(values))
    if bool((size < 2).any()):
        raise ValueError("there must be at least two critiques of each request to compare")
    sums = torch.zeros_like(size).index_add(0, index, values)
    return values - (sums[index] - values) / (size[index] - 1)


ESTIMATORS: dict[str, Callable[[Experience, float, float], Estimate]] = {"gae": gae, "rloo": rloo}


def whiten(x: Tensor, mask: Tensor, reduce: Reduce = alone, *, keep_mean: bool = False) -> Tensor:
    """Mean 0 (unless `keep_mean`) and variance 1 over the masked places of all processes; 0 elsewhere.

    Without any place in the mask everything is 0; a single place, or equal values, keep their scale.
    """
    kept = x.masked_fill(~mask, 0.0)
    count, total = reduce(torch.stack([mask.sum().double(), kept.sum().double()])).unbind()
    mean = total / count.clamp(min=1)
    centred = (kept.double() - mean).masked_fill(~mask, 0.0)
    variance = reduce((centred**2).sum()) / count.clamp(min=1)
    scale = torch.rsqrt(variance + 1e-8) if float(variance) > 0 else torch.ones_like(variance)
    out = centred * scale + (mean if keep_mean else 0.0)
    return out.masked_fill(~mask, 0.0).to(x.dtype)
