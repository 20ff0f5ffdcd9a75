"""Causal attention as plain matrix products, for training on a CPU.

On right-padded rows of a few hundred tokens in bf16, torch's fused kernel for the CPU is slower than the products that
it fuses, most of all backwards; and heads that share keys and values are one product here. `momus bench train` measures
a step with each.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import torch
from torch import Tensor
from transformers import AttentionInterface
from transformers.masking_utils import AttentionMaskInterface

NAME = "momus_causal"


def causal_attention(
    module: torch.nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    **_: Any,
) -> tuple[Tensor, None]:
    """Attention of every position to itself and what stands before it, in the form of Transformers' interface.

    `query` is [rows, heads, length, size]; `key` and `value` are [rows, groups, length, size], each group shared by
    heads / groups heads in order. Returns [rows, length, heads, size]. Raises ValueError on what it does not do: a
    mask, dropout, or a cache of earlier keys.
    """
    if attention_mask is not None or dropout or query.shape[2] != key.shape[2]:
        raise ValueError(f"{NAME} knows whole causal rows only: no mask, no dropout, no cache")
    rows, heads, length, size = query.shape
    groups = key.shape[1]
    scale = size**-0.5 if scaling is None else scaling
    shared = (query * scale).reshape(rows * groups, heads // groups * length, size)
    keys, values = (x.reshape(rows * groups, length, size) for x in (key, value))
    scores = torch.bmm(shared, keys.transpose(1, 2)).view(rows, heads, length, length)
    weights = torch.softmax(scores + _future(length, scores.dtype, scores.device), dim=-1)
    mixed = torch.bmm(weights.view(rows * groups, heads // groups * length, length), values)
    return mixed.view(rows, heads, length, size).transpose(1, 2), None


@lru_cache(maxsize=64)
def _future(length: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """[length, length]: minus infinity where one would look ahead, else 0."""
    return torch.full((length, length), float("-inf"), dtype=dtype, device=device).triu(1)


def _no_mask(*_: Any, **__: Any) -> None:
    """Rows are causal and padded on the right, where nothing looks back: no mask is needed, and none is made."""


AttentionInterface.register(NAME, causal_attention)
AttentionMaskInterface.register(NAME, _no_mask)
