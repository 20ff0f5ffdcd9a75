"""Drawing tokens, so that a branch's draws depend on the seed and its own descent, and on nothing else."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import numpy.typing as npt

_WORD = (1 << 64) - 1


class Stream:
    """Uniform numbers by place: the same seed, lineage and place give the same number, in any order."""

    def __init__(self, seed: int, lineage: tuple[int, ...]) -> None:
        digest = hashlib.blake2b(repr((seed, lineage)).encode(), digest_size=8).digest()
        self._key = int.from_bytes(digest, "little")

    def uniform(self, place: int) -> float:
        """A number in [0, 1): SplitMix64 at a counter."""
        z = (self._key + (place + 1) * 0x9E3779B97F4A7C15) & _WORD
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _WORD
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _WORD
        return float((z ^ (z >> 31)) >> 11) * 2.0**-53


def draw(
    logits: npt.NDArray[np.floating[Any]], temperature: float, uniform: float, top_p: float = 1.0
) -> tuple[int, float]:
    """One index by inverse transform, and its log-probability at that temperature.

    Temperature 0 takes the likeliest and gives its log-probability at temperature 1. With `top_p` the draw is among
    the fewest likeliest that hold so much of the probability together (Holtzman et al. 2019); the log-probability
    stays that among all.
    """
    scaled = logits / np.float32(temperature) if temperature > 0 else logits
    scaled = scaled - scaled.max()
    if temperature > 0 and top_p < 1:
        return _nucleus(scaled, uniform, top_p)
    cumulated = np.cumsum(np.exp(scaled), dtype=np.float64)
    total = cumulated[-1]
    index = int(np.searchsorted(cumulated, uniform * total, side="right")) if temperature > 0 else int(scaled.argmax())
    index = min(index, len(scaled) - 1)
    return index, float(scaled[index]) - float(np.log(total))


def _nucleus(scaled: npt.NDArray[np.floating[Any]], uniform: float, top_p: float) -> tuple[int, float]:
    weights = np.exp(scaled)
    total = float(weights.sum(dtype=np.float64))
    # what is lighter holds less than 1 - top_p, all of it together: it need not be sorted
    able = np.flatnonzero(weights >= (1 - top_p) * total / len(weights))
    able = able[np.argsort(-weights[able], kind="stable")]
    cumulated = np.cumsum(weights[able], dtype=np.float64)
    held = int(np.searchsorted(cumulated, top_p * total)) + 1
    place = int(np.searchsorted(cumulated[:held], uniform * cumulated[min(held, len(able)) - 1], side="right"))
    index = int(able[min(place, held - 1, len(able) - 1)])
    return index, float(scaled[index]) - float(np.log(total))


def log_softmax(logits: npt.NDArray[np.floating[Any]]) -> npt.NDArray[Any]:
    """Log-probabilities over the last axis."""
    shifted = logits - logits.max(axis=-1, keepdims=True)
    normed: npt.NDArray[Any] = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return normed
