"""What a reward model is asked: of every two critiques of one comparison, which one is preferred.

The paper does not disclose its loss. This is the usual one (Bradley and Terry 1952; Ouyang et al. 2022, section 3.5):
the mean of -log sigmoid(s_i - s_j) over all C(K, 2) pairs of a comparison, so that a comparison weighs the same
however many critiques it holds. A tie is half of each order: it asks for equal scores.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812 (the name the field uses)


def preferences(ranks: torch.Tensor) -> torch.Tensor:
    """How far the first of each pair is preferred to the second: 1, 0, or 0.5 in a tie.

    `ranks` [K] are the tiers, 0 the best; pairs [C(K, 2)] in the order of `torch.triu_indices`.
    """
    first, second = _pairs(ranks)
    return 0.5 + 0.5 * torch.sign(second - first).float()


def differences(scores: torch.Tensor) -> torch.Tensor:
    """The first score of each pair less the second: [K] gives [C(K, 2)]."""
    first, second = _pairs(scores)
    return first - second


def ranking_loss(scores: torch.Tensor, ranks: torch.Tensor) -> torch.Tensor:
    """The mean loss over all pairs of one comparison. Raises ValueError on fewer than two critiques."""
    if scores.numel() < 2 or scores.shape != ranks.shape:
        raise ValueError("a comparison has at least two scores, and a rank for each")
    return F.binary_cross_entropy_with_logits(differences(scores), preferences(ranks).to(scores.dtype))


def agreement(scores: torch.Tensor, ranks: torch.Tensor) -> tuple[float, int]:
    """Of the pairs that are not tied, how many the scores order as the ranks do (equal scores: half), and how many."""
    wanted, got = preferences(ranks), 0.5 + 0.5 * torch.sign(differences(scores.detach())).float()
    asked = wanted != 0.5
    return float((1 - (wanted - got).abs())[asked].sum()), int(asked.sum())


def _pairs(values: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    first, second = torch.triu_indices(len(values), len(values), offset=1, device=values.device)
    return values[first], values[second]
