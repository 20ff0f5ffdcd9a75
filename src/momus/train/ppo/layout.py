"""Episodes as batches: rows that the critiques of one request share, and the tokens in them that were choices."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from momus.train.rows import Rows, lay_out


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

    rows: Rows
    row: Tensor
    column: Tensor  # where the state stands that predicts the token
    target: Tensor
    episode: Tensor  # which of the episodes, as they were given
    place: Tensor  # which of its choices

    def to(self, device: torch.device) -> Packed:
        return Packed(*(getattr(self, name).to(device) for name in self.__slots__))


def pack(groups: Sequence[Sequence[Episode]], pad: int, *, share: bool) -> Packed:
    """Lay out groups of episodes of one request each. Episodes count through all groups, in order."""
    laid = [list(group) for group in groups] if share else [[episode] for group in groups for episode in group]
    rows = lay_out([(row[0].prompt, [episode.tokens for episode in row]) for row in laid], pad)
    flat: list[tuple[int, int, int, int, int]] = []
    episodes = (episode for row in laid for episode in row)
    for number, (episode, r, begin) in enumerate(zip(episodes, rows.row.tolist(), rows.begin.tolist(), strict=True)):
        before = len(episode.prompt) - 1  # predicts a critique's first token, wherever that stands
        for place, token in enumerate(episode.choices):
            flat.append((r, begin + token - 1 if token else before, episode.tokens[token], number, place))
    return Packed(rows, *torch.tensor(flat, dtype=torch.long).reshape(-1, 5).T)


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


def _length(row: Sequence[Episode]) -> int:
    return len(row[0].prompt) + sum(len(episode.tokens) for episode in row)


def _width(group: Sequence[Episode], share: bool) -> int:
    return _length(group) if share else max(len(e.prompt) + len(e.tokens) for e in group)
