"""From scores of whole critiques to rewards of tokens.

A critique that was cut off at `max_new` tokens has *ended*, as far as the learner goes: it gets its score and the
penalty for the missing end on its last token, and no value is expected after it. A critique that runs on is a bad one,
not the first half of a good one. The penalty asks for the codec's own `end`, nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def ended(tokens: Sequence[int], end: int) -> bool:
    """Whether a critique was closed by the codec's `end`."""
    return len(tokens) > 0 and tokens[-1] == end


def penalised(scores: Tensor, has_end: Tensor, unanchored: Tensor, missing_end: float, per_quote: float) -> Tensor:
    """Scores [episodes] less what a missing end and each quote that stands nowhere cost."""
    return scores - missing_end * (~has_end).to(scores.dtype) - per_quote * unanchored.to(scores.dtype)


def token_rewards(scores: Tensor, kl: Tensor, mask: Tensor, coefficient: float) -> Tensor:
    """Rewards [episodes, tokens]: minus the KL of each token, and the score [episodes] once, on the last valid one.

    A row's rewards sum up to its score less `coefficient` times its KL. Padding gets 0. Raises ValueError on a row
    without tokens: its score would be lost.
    """
    if not bool(mask.any(1).all()):
        raise ValueError("an episode without tokens has no place for its score")
    rewards = (-coefficient * kl).masked_fill(~mask, 0.0)
    places = torch.arange(mask.shape[1], device=mask.device)
    last = (places * mask).argmax(1)
    rewards[torch.arange(len(mask), device=mask.device), last] += scores.to(rewards.dtype)
    return rewards
