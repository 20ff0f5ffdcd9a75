"""The policy writes critiques: an own loop, so that nothing of a model's `generation_config` can take part.

A token is drawn from all of softmax(logits / temperature): no top-k, no top-p, no penalty, no mask. `generate()` of
Transformers draws from the 50 likeliest where `top_k` is left unset, which makes wrong ratios of right losses.
A row's luck is its own numbers, given from outside: neither the batch nor what has finished changes what it draws.
What is no choice in the codec's language (the text of a quoted line, once the line is named) is not drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from momus.train.ppo.layout import Episode
from momus.train.ppo.policy_value import PolicyValue

Forced = Callable[[int, Sequence[int]], Sequence[int]]  # (task, tokens so far) -> what must come next


class Sampler(NamedTuple):
    """Every knob there is."""

    max_new: int
    temperature: float
    pad: int
    end: int
    rows: int = 64  # critiques that are written at once


def luck(seed: int, step: int, rank: int, rows: int, tokens: int) -> npt.NDArray[np.float64]:
    """The numbers in [0, 1) that a process draws a step's tokens with, [rows, tokens]."""
    return np.random.default_rng((seed, step, rank, 1)).random((rows, tokens))


def roll_out(
    policy: PolicyValue,
    prompts: Sequence[tuple[int, Sequence[int]]],
    n: int,
    sampler: Sampler,
    numbers: npt.NDArray[np.float64],
    forced: Forced = lambda task, tokens: (),
) -> list[Episode]:
    """`n` episodes of each (task, prompt), in order; row i draws with `numbers[i]`. Prompts may not be empty."""
    done: dict[int, tuple[tuple[int, ...], tuple[float, ...], frozenset[int]]] = {}
    together = max(1, sampler.rows // n)
    order = sorted(range(len(prompts)), key=lambda i: (len(prompts[i][1]), i))
    for first in range(0, len(order), together):
        chosen = order[first : first + together]
        rows = [i * n + k for i in chosen for k in range(n)]
        drawn = _draw(policy, [prompts[i] for i in chosen], n, sampler, numbers[rows], forced)
        done.update(zip(rows, drawn, strict=True))
    return [
        Episode(tuple(prompt), tokens, logprobs, g, task, unchosen)
        for g, (task, prompt) in enumerate(prompts)
        for tokens, logprobs, unchosen in (done[g * n + k] for k in range(n))
    ]


@torch.inference_mode()
def _draw(
    policy: PolicyValue,
    prompts: Sequence[tuple[int, Sequence[int]]],
    n: int,
    sampler: Sampler,
    numbers: npt.NDArray[np.float64],
    forced: Forced,
) -> list[tuple[tuple[int, ...], tuple[float, ...], frozenset[int]]]:
    device = policy.lm.device
    ids, mask = left_padded([prompt for _, prompt in prompts], sampler.pad)
    ids, mask = ids.to(device), mask.to(device)
    positions = (mask.cumsum(1) - 1).clamp(min=0)
    with policy.precision():
        out = policy.lm(input_ids=ids, attention_mask=mask, position_ids=positions, use_cache=True, logits_to_keep=1)
    cache = out.past_key_values
    cache.batch_repeat_interleave(n)
    mask, position = mask.repeat_interleave(n, 0), positions[:, -1].repeat_interleave(n)
    logits = out.logits[:, -1].repeat_interleave(n, 0)
    uniform = torch.from_numpy(numbers).to(device)
    live = torch.arange(len(mask), device=device)  # the row that each line of the batch writes
    tokens: list[list[int]] = [[] for _ in range(len(mask))]
    chances: list[list[float]] = [[] for _ in range(len(mask))]
    waiting: list[list[int]] = [[] for _ in range(len(mask))]  # what must still come
    unchosen: list[set[int]] = [set() for _ in range(len(mask))]
    for t in range(sampler.max_new):
        token, logprob = draw(logits, sampler.temperature, uniform[live, t])
        going = []
        for line, (row, said, chance) in enumerate(zip(live.tolist(), token.tolist(), logprob.tolist(), strict=True)):
            if tokens[row] and tokens[row][-1] == sampler.end:
                continue
            if waiting[row]:
                said, chance = waiting[row].pop(0), 0.0
                token[line] = said
                unchosen[row].add(len(tokens[row]))
            tokens[row].append(said)
            chances[row].append(chance)
            if not waiting[row]:
                waiting[row] = list(forced(prompts[row // n][0], tokens[row]))
            if said != sampler.end:
                going.append(line)
        if not going or t + 1 == sampler.max_new:
            break
        if len(going) <= 0.8 * len(live):  # what has finished is carried along until it is worth a copy
            keep = torch.tensor(going, device=device)
            cache.batch_select_indices(keep)
            live, mask, position, token = live[keep], mask[keep], position[keep], token[keep]
        mask = torch.cat([mask, mask.new_ones(len(mask), 1)], 1)
        position = position + 1
        with policy.precision():
            out = policy.lm(
                input_ids=token[:, None],
                attention_mask=mask,
                position_ids=position[:, None],
                past_key_values=cache,
                use_cache=True,
            )
        logits = out.logits[:, -1]
    return [(tuple(t), tuple(c), frozenset(u)) for t, c, u in zip(tokens, chances, unchosen, strict=True)]


def draw(logits: Tensor, temperature: float, uniform: Tensor) -> tuple[Tensor, Tensor]:
    """One token of each row of logits [rows, vocab] by inversion, and its log-probability. `uniform` is in [0, 1)."""
    logprobs = (logits.float() / temperature).log_softmax(-1)
    mass = logprobs.double().exp().cumsum(-1)
    aim = (uniform * mass[:, -1])[:, None]
    token = torch.searchsorted(mass, aim, right=True).clamp(max=logits.shape[-1] - 1)
    return token[:, 0], logprobs.gather(1, token)[:, 0]


def left_padded(prompts: Sequence[Sequence[int]], pad: int) -> tuple[Tensor, Tensor]:
    """Ids and mask [rows, length], the prompts' ends side by side."""
    width = max(map(len, prompts))
    ids = torch.full((len(prompts), width), pad, dtype=torch.long)
    mask = torch.zeros((len(prompts), width), dtype=torch.long)
    for i, prompt in enumerate(prompts):
        ids[i, width - len(prompt) :] = torch.tensor(list(prompt))
        mask[i, width - len(prompt) :] = 1
    return ids, mask
