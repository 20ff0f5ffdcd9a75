"""Which examples make step number k: decided by the seed alone, so that a resumed run sees what it would have seen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from momus.errors import MomusError
from momus.train.examples import ExampleFile

POOL = 4096  # examples sorted by length together, so that a batch holds little padding


@dataclass(frozen=True, slots=True)
class Batch:
    """Right-padded examples, [rows, length]; kind and verdict 0 mark padding."""

    ids: torch.Tensor
    targets: torch.Tensor
    kinds: torch.Tensor
    verdicts: torch.Tensor


def epochs(
    data: ExampleFile,
    batch_tokens: int,
    micro_tokens: int,
    seed: int,
    rank: int,
    world: int,
    together: int = 1,
    skip: int = 0,
) -> Iterator[list[Batch]]:
    """Yield this process's share of each step from step `skip` on, for ever. A step is `batch_tokens` over all.

    Examples are drawn in a new order each epoch; runs of `together` neighbours (2: a tamper and its twin) are drawn
    as one and mostly share a batch, which holds examples of like length. Raises MomusError without any example.
    """
    if not len(data):
        raise MomusError("there are no examples to train on: give more functions, or a larger max_tokens")
    epoch, step = 0, 0
    at_once = max(1, batch_tokens // (micro_tokens * world)) * world
    while True:
        micros = _micro_batches(data.lengths, micro_tokens, together, np.random.default_rng((seed, epoch)))
        micros *= -(-at_once // len(micros))  # less data than one step takes: see it more than once in a step
        for first in range(0, len(micros) - at_once + 1, at_once):
            if step >= skip:
                yield [collate(data, rows) for rows in micros[first + rank : first + at_once : world]]
            step += 1
        epoch += 1


def collate(data: ExampleFile, rows: npt.NDArray[np.int64]) -> Batch:
    width = int(data.lengths[rows].max())
    ids = np.zeros((len(rows), width), np.int64)
    targets, kinds, verdicts = np.zeros_like(ids), np.zeros_like(ids), np.zeros_like(ids)
    for r, row in enumerate(rows):
        example = data[int(row)]
        size = len(example.ids)
        ids[r, :size], targets[r, :size] = example.ids, example.targets
        kinds[r, :size], verdicts[r, :size] = example.kinds, example.verdicts
    return Batch(*(torch.from_numpy(part) for part in (ids, targets, kinds, verdicts)))


def _micro_batches(
    lengths: npt.NDArray[np.int64], micro_tokens: int, together: int, rng: np.random.Generator
) -> list[npt.NDArray[np.int64]]:
    groups = rng.permutation(-(-len(lengths) // together))
    order = (groups[:, None] * together + np.arange(together)).reshape(-1)
    order = order[order < len(lengths)]
    micros: list[npt.NDArray[np.int64]] = []
    for start in range(0, len(order), POOL):
        pool = order[start : start + POOL]
        pool = pool[np.argsort(lengths[pool // together * together], kind="stable")]
        rows: list[int] = []
        widest = 0
        for row in pool:
            widest = max(widest, int(lengths[row]))
            if rows and widest * (len(rows) + 1) > micro_tokens:
                micros.append(np.array(rows))
                rows, widest = [], int(lengths[row])
            rows.append(int(row))
        if rows:
            micros.append(np.array(rows))
    return [micros[i] for i in rng.permutation(len(micros))]
