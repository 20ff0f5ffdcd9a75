"""Tests between two critics on the same items. Items that one of them has no score for are in none of the tests."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from momus.measure.figure import NOTHING, Figure, figures_of
from momus.measure.intervals import Bootstrap

Floats = npt.NDArray[np.float64]
_EXACT = 14  # so many groups have 16,384 patterns of signs: all of them are counted


@dataclass(frozen=True, slots=True)
class Paired:
    """`difference` is a less b; `flips` the p-value of the sign-flip test, `mcnemar` of McNemar's (None: no)."""

    difference: Figure
    flips: float
    mcnemar: float | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            "difference": self.difference.to_json(),
            "p_sign_flip": None if math.isnan(self.flips) else round(self.flips, 6),
            "p_mcnemar": None if self.mcnemar is None else round(self.mcnemar, 6),
            "verdict": self.difference.verdict,
        }


def paired(
    a: Floats, b: Floats, groups: Sequence[Hashable], *, draws: int = 2000, seed: int = 0, flips: int = 10_000
) -> Paired:
    """All tests of two critics' values on the same items, [items] each."""
    difference = np.asarray(a - b, np.float64)
    known = difference[~np.isnan(difference)]
    if not known.size:
        return Paired(NOTHING, math.nan)
    figure = figures_of({"d": difference}, Bootstrap(groups, draws=draws, seed=seed), signed=lambda name: True)["d"]
    both = ~np.isnan(difference)
    binary = bool(np.isin(a[both], (0, 1)).all() and np.isin(b[both], (0, 1)).all())
    return Paired(figure, sign_flip(a, b, groups, flips=flips, seed=seed), mcnemar(a, b) if binary else None)


def sign_flip(a: Floats, b: Floats, groups: Sequence[Hashable], *, flips: int = 10_000, seed: int = 0) -> float:
    """Two-sided p-value of "a and b are exchangeable in each group" (Fisher 1935): differences change sign by group.

    Exact up to 14 groups that differ, else from so many random flips, of which what was seen is one. NaN where nothing
    is scored on both sides.
    """
    difference = np.asarray(a - b, np.float64)
    numbers: dict[Hashable, int] = {}
    index = np.array([numbers.setdefault(group, len(numbers)) for group in groups], np.int64)
    known = ~np.isnan(difference)
    if not known.any():
        return math.nan
    sums = np.zeros(len(numbers))
    np.add.at(sums, index[known], difference[known])
    sums = sums[sums != 0]
    seen = abs(float(sums.sum()))
    count = len(sums)
    if count <= _EXACT:
        signs = 1 - 2 * (np.arange(2**count)[:, None] >> np.arange(count) & 1)
        return float((np.abs(signs @ sums) >= seen - 1e-9).mean())
    rng = np.random.default_rng(seed)
    extreme = 0
    for part in range(0, flips, 1000):
        signs = 1 - 2 * rng.integers(0, 2, (min(1000, flips - part), count), dtype=np.int8)
        extreme += int((np.abs(signs @ sums) >= seen - 1e-9).sum())
    return (extreme + 1) / (flips + 1)


def mcnemar(a: Floats, b: Floats) -> float:
    """The exact two-sided p-value of McNemar's test (1947) of two binary columns; it takes items as independent."""
    known = ~(np.isnan(a) | np.isnan(b))
    more = int(((a == 1) & (b == 0) & known).sum())
    less = int(((a == 0) & (b == 1) & known).sum())
    count = more + less
    if count == 0:
        return 1.0
    # In whole numbers: a binomial coefficient of a thousand items is no float.
    ways = tail = 1
    for k in range(min(more, less)):
        ways = ways * (count - k) // (k + 1)
        tail += ways
    return min(1.0, 2 * tail / (1 << count))
