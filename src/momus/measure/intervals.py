"""Bootstrap intervals: groups of items are drawn with replacement, all critics and measures over the same draws."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from copy import copy

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


class Bootstrap:
    """95% percentile intervals of means (Efron and Tibshirani 1993, ch. 13), clustered: a draw takes whole groups.

    `groups` names each item's group; items of one group stand or fall together, so that five answers to one problem
    are not five independent findings.
    """

    def __init__(self, groups: Sequence[Hashable], *, draws: int = 2000, seed: int = 0) -> None:
        numbers: dict[Hashable, int] = {}
        self._group = np.array([numbers.setdefault(group, len(numbers)) for group in groups], np.int64)
        self._numbers = numbers
        self._count = len(numbers)
        rng = np.random.default_rng(seed)
        self._weights = (
            rng.multinomial(self._count, np.full(self._count, 1 / self._count), size=draws).astype(np.float32)
            if self._count
            else np.zeros((draws, 0), np.float32)
        )

    def over(self, groups: Sequence[Hashable]) -> Bootstrap:
        """The same draws for other items of these groups. Raises KeyError on a group that was not drawn from."""
        other = copy(self)
        other._group = np.array([self._numbers[group] for group in groups], np.int64)
        return other

    def means(self, values: Floats) -> Floats:
        """Means of the scored (not NaN) items in each draw: [items, measures] gives [draws, measures].

        NaN where a draw has no scored item.
        """
        scored = ~np.isnan(values)
        sums = self._by_group(np.where(scored, values, 0.0))
        counts = self._by_group(scored.astype(np.float64))
        drawn = self._weights @ np.concatenate([sums, counts], axis=1).astype(np.float32)
        measures = values.shape[1]
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(drawn[:, :measures] / drawn[:, measures:], np.float64)

    def sums(self, values: Floats) -> Floats:
        """Sums in each draw: [items, measures], without NaN, gives [draws, measures]."""
        return np.asarray(self._weights @ self._by_group(values).astype(np.float32), np.float64)

    def intervals(self, values: Floats) -> Floats:
        """Low and high ends for each measure: [items, measures] gives [measures, 2]; NaN where nothing is scored."""
        means = self.means(values)
        ends = np.full((values.shape[1], 2), np.nan)
        known = ~np.isnan(means).all(axis=0)
        if known.any():
            ends[known] = np.nanpercentile(means[:, known], [2.5, 97.5], axis=0).T
        return ends

    def _by_group(self, values: Floats) -> Floats:
        sums = np.zeros((self._count, values.shape[1]))
        np.add.at(sums, self._group, values)
        return sums


def means_of(values: Floats) -> Floats:
    """Means of the scored items: [items, measures] gives [measures]; NaN where nothing is scored."""
    scored = ~np.isnan(values)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(scored, values, 0.0).sum(axis=0) / scored.sum(axis=0), np.float64)
