"""Several continuations of one prompt in one row of a batch, so that the prompt is read once and not once each.

    prompt | continuation 1 | continuation 2 | ... | padding

A continuation sees the prompt and itself; its positions go on from the prompt's. Padding stands on the right, where
nothing looks back at it. A model that cannot take such a mask gets one continuation a row, which means the same and
costs more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

Row = tuple[Sequence[int], Sequence[Sequence[int]]]  # a prompt, and what is written behind it


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows for one pass. Continuations count through all rows, in order."""

    ids: Tensor  # [rows, width]
    positions: Tensor | None  # [rows, width]
    mask: Tensor | None  # [rows, 1, width, width], true where one may look; None, with no positions: causal
    row: Tensor  # [continuations]: where each stands
    begin: Tensor  # [continuations]: the column of its first token
    end: Tensor  # [continuations]: and of its last; the prompt's last where it is empty

    def to(self, device: torch.device) -> Rows:
        fields: list[Any] = [getattr(self, name) for name in self.__slots__]
        moved: list[Any] = [None if field is None else field.to(device) for field in fields]
        return Rows(*moved)


def lay_out(rows: Sequence[Row], pad: int) -> Rows:
    """Put rows of tokens together. Raises ValueError without a row."""
    width = max(len(prompt) + sum(map(len, parts)) for prompt, parts in rows)
    ids = torch.full((len(rows), width), pad, dtype=torch.long)
    owner = torch.full((len(rows), width), -1, dtype=torch.long)  # -1: prompt or padding, else which continuation
    positions = torch.arange(width).repeat(len(rows), 1)
    places: list[tuple[int, int, int]] = []
    for r, (prompt, parts) in enumerate(rows):
        at = len(prompt)
        ids[r, :at] = torch.tensor(list(prompt), dtype=torch.long)
        for k, part in enumerate(parts):
            stop = at + len(part)
            ids[r, at:stop] = torch.tensor(list(part), dtype=torch.long)
            owner[r, at:stop] = k
            positions[r, at:stop] = torch.arange(len(prompt), len(prompt) + len(part))
            places.append((r, at, stop - 1 if part else len(prompt) - 1))
            at = stop
    shared = any(len(parts) > 1 for _, parts in rows)
    row, begin, end = torch.tensor(places, dtype=torch.long).reshape(-1, 3).T
    return Rows(ids, positions if shared else None, _mask(owner) if shared else None, row, begin, end)


def states(trunk: Any, rows: Rows) -> Tensor:
    """The last hidden states [rows, width, hidden] of a model without its head."""
    found: Tensor = run(trunk, rows).last_hidden_state
    return found


def run(model: Any, rows: Rows, **options: Any) -> Any:
    """One pass of any model of Hugging Face over rows."""
    if rows.mask is None:
        return model(input_ids=rows.ids, use_cache=False, **options)
    mask = rows.mask
    if model.config._attn_implementation != "sdpa":  # others add the mask to the scores
        dtype = next(model.parameters()).dtype
        mask = torch.zeros(mask.shape, dtype=dtype, device=mask.device).masked_fill(~mask, torch.finfo(dtype).min)
    return model(input_ids=rows.ids, attention_mask=mask, position_ids=rows.positions, use_cache=False, **options)


@torch.no_grad()
def can_share(trunk: Any, vocab: int, device: torch.device) -> bool:
    """Whether a model reads continuations in one row as it reads them alone. Found by trying, never by believing."""
    rng = torch.Generator().manual_seed(0)

    def drawn(n: int) -> list[int]:
        return torch.randint(0, vocab, (n,), generator=rng).tolist()

    prompt, parts = drawn(40), [drawn(n) for n in (12, 5, 9)]
    found = []
    for layout in ([(prompt, parts)], [(prompt, [part]) for part in parts]):
        rows = lay_out(layout, 0).to(device)
        try:
            found.append(states(trunk, rows)[rows.row, rows.end].float())
        except (RuntimeError, ValueError, TypeError, IndexError, AttributeError):
            return False
    scale = found[1].abs().max().clamp(min=1e-6)
    return bool((found[0] - found[1]).abs().max() < 1e-2 * scale)


def _mask(owner: Tensor) -> Tensor:
    """Causal, but for other continuations; padding sees what stands before it, and is never looked at."""
    width = owner.shape[1]
    causal = torch.ones(width, width, dtype=torch.bool).tril()
    same = (owner[:, None, :] == owner[:, :, None]) | (owner[:, None, :] == -1)
    return (same & causal)[:, None]
