"""A number with its interval and how many items it rests on."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from momus.measure.intervals import Bootstrap, ends_of, means_of

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Figure:
    """A mean (or another statistic) over `n` scored items in so many `clusters`, and its 95% interval.

    NaN where nothing is scored; the ends also where there is one cluster, which has none, or where nothing varies.
    """

    mean: float
    low: float
    high: float
    n: int
    clusters: int = 0

    def to_json(self) -> dict[str, float | int | None]:
        ends = {"mean": self.mean, "low": self.low, "high": self.high}
        shown = {name: None if not math.isfinite(end) else round(end, 6) for name, end in ends.items()}
        return {**shown, "n": self.n, **({"clusters": self.clusters} if self.clusters else {})}

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Figure:
        """Read what `to_json` wrote; null is NaN."""
        mean, low, high = (math.nan if body.get(k) is None else float(body[k]) for k in ("mean", "low", "high"))
        return cls(mean, low, high, int(body.get("n") or 0), int(body.get("clusters") or 0))

    @classmethod
    def of(cls, value: float, draws: Floats, n: int, clusters: int) -> Figure:
        """A statistic with the 95% interval of its bootstrap draws; draws that are NaN are left out."""
        return cls(float(value), *ends_of(draws, clusters), int(n), clusters)

    @property
    def verdict(self) -> str:
        """Of a difference: `above`, `below`, or `cannot be told` where the interval holds 0."""
        return "above" if self.low > 0 else "below" if self.high < 0 else "cannot be told"


NOTHING = Figure(math.nan, math.nan, math.nan, 0)


def figures_of(
    columns: Mapping[str, Floats], bootstrap: Bootstrap, *, signed: Callable[[str], bool] = lambda name: False
) -> dict[str, Figure]:
    """The mean of each column ([items], NaN unscored) with its interval; `signed` says which are differences."""
    if not columns:
        return {}
    values = np.stack(list(columns.values()), axis=1)
    means, ends = means_of(values), bootstrap.intervals(values, signed=list(map(signed, columns)))
    scored, clusters = (~np.isnan(values)).sum(axis=0), bootstrap.clusters_of(values)
    return {
        name: Figure(float(means[i]), float(ends[i, 0]), float(ends[i, 1]), int(scored[i]), int(clusters[i]))
        for i, name in enumerate(columns)
    }
