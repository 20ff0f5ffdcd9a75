"""The losses of PPO (Schulman et al. 2017), each a sum over tokens divided by a *global* count of tokens.

`tokens` counts the valid tokens of the whole minibatch, over all micro-batches and processes: the sum of the parts'
losses is then the loss of the whole, however it is split. Tensors have any one shape; mask is true at valid tokens.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from momus.train.ppo.advantages import Reduce, alone


@dataclass(frozen=True, slots=True)
class PolicyTerms:
    """Log-probabilities now and at the rollout, and the advantages, which carry no gradient."""

    logprobs: Tensor
    old_logprobs: Tensor
    advantages: Tensor
    mask: Tensor


@dataclass(frozen=True, slots=True)
class ValueTerms:
    """Values now and at the rollout, and the returns, which carry no gradient."""

    values: Tensor
    old_values: Tensor
    returns: Tensor
    mask: Tensor


@dataclass(frozen=True, slots=True)
class Loss:
    """A part's share of the loss, and of what is watched: shares of all parts add up."""

    loss: Tensor
    clip_fraction: Tensor
    approx_kl: Tensor  # mean of ratio - 1 - log ratio: 0 where nothing has moved
    max_ratio: Tensor  # the largest |ratio - 1|; of parts, take the largest


def policy_loss(terms: PolicyTerms, clip: float, tokens: float) -> Loss:
    """The clipped surrogate: -min(ratio A, clip(ratio, 1 - clip, 1 + clip) A)."""
    moved = (terms.logprobs - terms.old_logprobs.detach()).masked_fill(~terms.mask, 0.0)
    advantages = terms.advantages.detach().masked_fill(~terms.mask, 0.0)
    ratio = moved.exp()
    plain, clipped = -ratio * advantages, -ratio.clamp(1 - clip, 1 + clip) * advantages
    divisor = max(1.0, tokens)
    with torch.no_grad():
        bound = ((clipped > plain) & terms.mask).sum() / divisor
        approx = (torch.expm1(moved) - moved).sum() / divisor
        widest = (ratio - 1).abs().max() if ratio.numel() else ratio.sum()
    return Loss(torch.maximum(plain, clipped).sum() / divisor, bound, approx, widest)


def value_loss(terms: ValueTerms, clip: float | None, tokens: float) -> Tensor:
    """Half the squared error; with `clip`, the larger one of this and that of a value kept near the old one."""
    returns = terms.returns.detach()
    error = (terms.values - returns) ** 2
    if clip is not None:
        old = terms.old_values.detach()
        near = old + (terms.values - old).clamp(-clip, clip)
        error = torch.maximum(error, (near - returns) ** 2)
    return 0.5 * error.masked_fill(~terms.mask, 0.0).sum() / max(1.0, tokens)


def mean_entropy(entropy: Tensor, mask: Tensor, tokens: float) -> Tensor:
    """A part's share of the mean entropy of the policy's choices, in nats."""
    return entropy.masked_fill(~mask, 0.0).sum() / max(1.0, tokens)


def explained_variance(values: Tensor, returns: Tensor, mask: Tensor, reduce: Reduce = alone) -> float:
    """1 - Var(returns - values) / Var(returns) over the mask of all processes; 0 where the returns do not vary."""
    kept, missed = returns[mask].double(), (returns - values)[mask].double()
    parts = [torch.tensor(float(kept.numel()), dtype=torch.float64, device=kept.device)]
    parts += [kept.sum(), (kept**2).sum(), missed.sum(), (missed**2).sum()]
    count, r, rr, m, mm = reduce(torch.stack(parts)).tolist()
    if count < 2 or rr / count - (r / count) ** 2 <= 1e-12:
        return 0.0
    return float(1 - (mm / count - (m / count) ** 2) / (rr / count - (r / count) ** 2))
