"""The reward model as PPO asks it: what is each critique worth?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor

from momus.train.ppo.layout import Episode, grouped, micro_batches, pack
from momus.train.reward.model import RewardModel, trunk_of
from momus.train.rows import can_share, states


class Scores(Protocol):
    """Scores episodes, [episodes] in fp32; what PPO climbs."""

    def __call__(self, episodes: Sequence[Episode]) -> Tensor: ...


class RewardScores:
    """Normalised scores of a reward model, read at the last token of each critique: `end`, where there is one."""

    def __init__(self, reward: RewardModel, *, micro_tokens: int = 8192, bf16: bool = False) -> None:
        self.reward = reward
        self.model = reward.model.eval().requires_grad_(False)
        self.micro_tokens, self.bf16 = micro_tokens, bf16
        vocabulary = self.model.config.get_text_config().vocab_size
        self.share = can_share(trunk_of(self.model), vocabulary, self.model.device)

    def to(self, device: torch.device) -> None:
        self.model.to(device)

    @torch.no_grad()
    def __call__(self, episodes: Sequence[Episode]) -> Tensor:
        groups = grouped(episodes)
        number = {id(episode): i for i, episode in enumerate(episodes)}
        raw = torch.zeros(len(episodes))
        device = self.model.device
        for batch in micro_batches(groups, self.micro_tokens, share=self.share):
            packed = pack([groups[g] for g in batch], self.model.config.pad_token_id, share=self.share)
            rows = packed.rows.to(device)
            with torch.autocast(device.type, dtype=torch.bfloat16, enabled=self.bf16):
                at = states(trunk_of(self.model), rows)[rows.row, rows.end]
                found = self.model.score(at)[:, 0]
            raw[[number[id(episode)] for g in batch for episode in groups[g]]] = found.float().cpu()
        return (raw - self.reward.mean) / self.reward.std
