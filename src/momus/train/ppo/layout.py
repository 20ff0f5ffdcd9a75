"""Episodes as batches. The critiques of one request share a row, so that the request is read once and not once each.

    prompt | critique 1 | critique 2 | ... | padding

A critique sees the prompt and itself; its positions go on from the prompt's. A model that cannot take such a mask gets
one episode a row, which means the same and costs more. Padding stands on the right, where nothing looks back at it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Episode:
    """A request, and what the policy wrote on it, `end` included if it came so far."""

    prompt: tuple[int, ...]
    tokens: tuple[int, ...]
    logprobs: tuple[float, ...]  # as they were when the tokens were drawn; 0 where one was forced
    group: int  # numbers the requests of a step
    task: int  # which request
    forced: frozenset[int] = (
        frozenset()
    )  # places of tokens that were no choice (`Codec.forced`): nothing is learned there

    @property
    def choices(self) -> list[int]:
        """The places of the tokens that the policy chose, in order."""
        return [place for place in range(len(self.tokens)) if place not in self.forced]


@dataclass(frozen=True, slots=True)
class Packed:
    """Rows for one pass. The flat fields are [tokens], one entry for each token that was a choice, in order."""

    ids: Tensor  # [rows, length]
    positions: Tensor | None
    mask: Tensor | None  # [rows, 1, length, length], true where one may look; None: causal
    row: Tensor
    column: Tensor  # where the state stands that predicts the token
    target: Tensor
    episode: Tensor  # which of the episodes, as they were given
    place: Tensor  # which of its choices
    last_row: Tensor  # [episodes]: where the last token of each stands
    last_column: Tensor

    def to(self, device: torch.device) -> Packed:
        fields: list[Any] = [getattr(self, name) for name in self.__slots__]
        moved: list[Any] = [None if field is None else field.to(device) for field in fields]
        return Packed(*moved)


def pack(groups: Sequence[Sequence[Episode]], pad: int, *, share: bool) -> Packed:
    """Lay out groups of episodes of one request each. Episodes count through all groups, in order."""
    rows = [list(group) for group in groups] if share else [[episode] for group in groups for episode in group]
    width = max(_length(row) for row in rows)
    ids = torch.full((len(rows), width), pad, dtype=torch.long)
    owner = torch.full((len(rows), width), -1, dtype=torch.long)  # -1: prompt or padding, else which critique
    positions = torch.arange(width).repeat(len(rows), 1)
    flat: dict[str, list[int]] = {n: [] for n in ("row", "column", "target", "episode", "place", "lr", "lc")}
    number = 0
    for r, row in enumerate(rows):
        size = len(row[0].prompt)
        ids[r, :size] = torch.tensor(row[0].prompt)
        start = size
        for k, episode in enumerate(row):
            length = len(episode.tokens)
            ids[r, start : start + length] = torch.tensor(episode.tokens)
            owner[r, start : start + length] = k
            positions[r, start : start + length] = torch.arange(size, size + length)
            chosen = episode.choices
            flat["row"] += [r] * len(chosen)
            flat["column"] += [start + place - 1 if place else size - 1 for place in chosen]
            flat["target"] += [episode.tokens[place] for place in chosen]
            flat["episode"] += [number] * len(chosen)
            flat["place"] += range(len(chosen))
            flat["lr"].append(r)
            flat["lc"].append(start + length - 1)
            start += length
            number += 1
    shared = any(len(row) > 1 for row in rows)
    return Packed(
        ids,
        positions if shared else None,
        _mask(owner) if shared else None,
        *(torch.tensor(values, dtype=torch.long) for values in flat.values()),
    )


def grouped(episodes: Iterable[Episode]) -> list[list[Episode]]:
    """Episodes by their request, in order."""
    groups: dict[int, list[Episode]] = {}
    for episode in episodes:
        groups.setdefault(episode.group, []).append(episode)
    return list(groups.values())


def micro_batches(groups: Sequence[Sequence[Episode]], tokens: int, *, share: bool) -> list[list[int]]:
    """Which groups go through the model together: of like length, at most so many tokens with the padding."""
    order = sorted(range(len(groups)), key=lambda g: (_width(groups[g], share), g))
    batches: list[list[int]] = []
    rows = 0
    for g in order:
        add = 1 if share else len(groups[g])
        if batches and _width(groups[g], share) * (rows + add) <= tokens:
            batches[-1].append(g)
            rows += add
        else:
            batches.append([g])
            rows = add
    return batches


def states(trunk: Any, packed: Packed) -> Tensor:
    """The last hidden states [rows, length, hidden] of a model without its head."""
    found: Tensor = run(trunk, packed).last_hidden_state
    return found


def run(model: Any, packed: Packed, **options: Any) -> Any:
    """One pass of any model of Hugging Face over packed rows."""
    if packed.mask is None:
        return model(input_ids=packed.ids, use_cache=False, **options)
    mask = packed.mask
    if model.config._attn_implementation != "sdpa":  # others add the mask to the scores
        dtype = next(model.parameters()).dtype
        mask = torch.zeros(mask.shape, dtype=dtype, device=mask.device).masked_fill(~mask, torch.finfo(dtype).min)
    return model(input_ids=packed.ids, attention_mask=mask, position_ids=packed.positions, use_cache=False, **options)


@torch.no_grad()
def can_share(trunk: Any, vocab: int, device: torch.device) -> bool:
    """Whether a model reads critiques that share a row as it reads them alone. Found by trying, never by believing."""
    rng = torch.Generator().manual_seed(0)

    def drawn(n: int) -> tuple[int, ...]:
        return tuple(torch.randint(0, vocab, (n,), generator=rng).tolist())

    prompt = drawn(40)
    group = [Episode(prompt, drawn(n), (), 0, 0) for n in (12, 5, 9)]
    found = []
    for share in (True, False):
        packed = pack([group], 0, share=share).to(device)
        try:
            found.append(states(trunk, packed)[packed.last_row, packed.last_column].float())
        except (RuntimeError, ValueError, TypeError, IndexError, AttributeError):
            return False
    scale = found[1].abs().max().clamp(min=1e-6)
    return bool((found[0] - found[1]).abs().max() < 1e-2 * scale)


def _length(row: Sequence[Episode]) -> int:
    return len(row[0].prompt) + sum(len(episode.tokens) for episode in row)


def _width(group: Sequence[Episode], share: bool) -> int:
    return _length(group) if share else max(len(e.prompt) + len(e.tokens) for e in group)


def _mask(owner: Tensor) -> Tensor:
    """Causal, but for other critiques; padding sees what stands before it, and is never looked at."""
    width = owner.shape[1]
    causal = torch.ones(width, width, dtype=torch.bool).tril()
    same = (owner[:, None, :] == owner[:, :, None]) | (owner[:, None, :] == -1)
    return (same & causal)[:, None]
