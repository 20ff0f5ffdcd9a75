"""A number with its interval and how many items it rests on."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from momus.measure.intervals import Bootstrap, means_of

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Figure:
    """A mean (or another statistic) over `n` scored items and its 95% interval; NaN where nothing is scored."""

    mean: float
    low: float
    high: float
    n: int

    def to_json(self) -> dict[str, float | int | None]:
        ends = {"mean": self.mean, "low": self.low, "high": self.high}
        return {**{name: None if not math.isfinite(end) else round(end, 6) for name, end in ends.items()}, "n": self.n}

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Figure:
        """Read what `to_json` wrote; null is NaN."""
        mean, low, high = (math.nan if body.get(k) is None else float(body[k]) for k in ("mean", "low", "high"))
        return cls(mean, low, high, int(body.get("n") or 0))

    @classmethod
    def of(cls, value: float, draws: Floats, n: int) -> Figure:
        """A statistic with the 95% percentile interval of its bootstrap draws; draws that are NaN are left out."""
        known = draws[~np.isnan(draws)]
        low, high = np.percentile(known, [2.5, 97.5]) if known.size else (math.nan, math.nan)
        return cls(float(value), float(low), float(high), int(n))

    @property
    def verdict(self) -> str:
        """Of a difference: `above`, `below`, or `cannot be told` where the interval holds 0."""
        return "above" if self.low > 0 else "below" if self.high < 0 else "cannot be told"


NOTHING = Figure(math.nan, math.nan, math.nan, 0)


def figures_of(columns: Mapping[str, Floats], bootstrap: Bootstrap) -> dict[str, Figure]:
    """The mean of each column ([items], NaN unscored) with its interval."""
    if not columns:
        return {}
    values = np.stack(list(columns.values()), axis=1)
    means, ends = means_of(values), bootstrap.intervals(values)
    scored = (~np.isnan(values)).sum(axis=0)
    return {
        name: Figure(float(means[i]), float(ends[i, 0]), float(ends[i, 1]), int(scored[i]))
        for i, name in enumerate(columns)
    }
