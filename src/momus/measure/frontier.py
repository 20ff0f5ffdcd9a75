"""What is found against what it costs in false claims: Pareto frontiers, and what lies beyond one (Fig. 8, 9, 12).

A *track* is one way to write critiques at each setting of its dial. Between two settings one can take either by lot, so
its frontier is the line through the best of them, bulging upwards; no more is claimed than such a mixture reaches.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from momus.measure.figure import Figure
from momus.measure.intervals import Bootstrap, means_of

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Frontier:
    """Corners from the cheapest to the best: costs rise, gains rise, and each gain costs more than the last."""

    costs: Floats
    gains: Floats

    def at(self, cost: float) -> float:
        """The most that is reached at no more than this cost; NaN below the cheapest corner."""
        if not self.costs.size or math.isnan(cost) or cost < self.costs[0]:
            return math.nan
        return float(np.interp(cost, self.costs, self.gains))

    def area(self, low: float, high: float) -> float:
        """The mean height between two costs, which must not begin below the cheapest corner (NaN there)."""
        if not self.costs.size or low < self.costs[0] or not low < high:
            return math.nan
        inside = self.costs[(self.costs > low) & (self.costs < high)]
        xs = np.concatenate([[low], inside, [high]])
        return float(np.trapezoid(np.interp(xs, self.costs, self.gains), xs) / (high - low))


def pareto(costs: Sequence[float] | Floats, gains: Sequence[float] | Floats) -> list[int]:
    """The points that no other beats: none is at once as cheap and as good, and better in one. In order of cost."""
    xs, ys = np.asarray(costs, np.float64), np.asarray(gains, np.float64)
    best, kept = -math.inf, []
    for i in np.lexsort((-ys, xs)):
        if not math.isnan(xs[i]) and ys[i] > best:
            kept.append(int(i))
            best = float(ys[i])
    return kept


def frontier(costs: Sequence[float] | Floats, gains: Sequence[float] | Floats, *, silence: bool = False) -> Frontier:
    """The upper hull of the points that no other beats. With `silence`, (0, 0) is one: anyone can say nothing."""
    xs = np.asarray([*costs, 0.0] if silence else costs, np.float64)
    ys = np.asarray([*gains, 0.0] if silence else gains, np.float64)
    hull: list[int] = []
    for i in pareto(xs, ys):
        while len(hull) > 1 and _turns_up(hull[-2], hull[-1], i, xs, ys):
            hull.pop()
        hull.append(i)
    return Frontier(xs[hull], ys[hull])


def _turns_up(a: int, b: int, c: int, xs: Floats, ys: Floats) -> bool:
    """Whether b lies on or below the line from a to c."""
    return bool((ys[b] - ys[a]) * (xs[c] - xs[a]) <= (ys[c] - ys[a]) * (xs[b] - xs[a]))


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """Values of each item at each setting, [settings, items]: `costs` such as spurious comments, `gains` as CBI."""

    name: str
    settings: tuple[str, ...]
    costs: Floats
    gains: Floats


@dataclass(frozen=True, slots=True)
class Beyond:
    """How far a point lies above a frontier at its own cost. The verdict is `cannot be told` too where it is cheaper
    than the frontier's cheapest corner."""

    point: str
    frontier: str
    above: Figure

    def to_json(self) -> dict[str, Any]:
        above = self.above.to_json()
        return {"point": self.point, "frontier": self.frontier, "above": above, "verdict": self.verdict}

    @property
    def verdict(self) -> str:
        return "cannot be told" if math.isnan(self.above.mean) else self.above.verdict


def beyond(
    point: Track, track: Track, groups: Sequence[Hashable], *, silence: bool = False, draws: int = 1000, seed: int = 0
) -> list[Beyond]:
    """Hold each setting of `point` against the frontier of `track`; both are drawn by the same groups of items.

    A draw in which the point is cheaper than the frontier's cheapest corner says nothing. Where half of them do, the
    interval is left open (NaN).
    """
    bootstrap = Bootstrap(groups, draws=draws, seed=seed)
    here = frontier(means_of(track.costs.T), means_of(track.gains.T), silence=silence)
    costs, gains = bootstrap.means(track.costs.T), bootstrap.means(track.gains.T)
    lines = [frontier(x, y, silence=silence) for x, y in zip(costs, gains, strict=True)]
    at, got = bootstrap.means(point.costs.T), bootstrap.means(point.gains.T)
    seen_at, seen = means_of(point.costs.T), means_of(point.gains.T)
    found = []
    for i, setting in enumerate(point.settings):
        drawn = np.array([g - line.at(float(x)) for line, x, g in zip(lines, at[:, i], got[:, i], strict=True)])
        if np.isnan(drawn).mean() >= 0.5:
            drawn = drawn[:0]
        n = int((~np.isnan(point.gains[i])).sum())
        gap = float(seen[i]) - here.at(float(seen_at[i]))
        found.append(Beyond(setting, track.name, Figure.of(gap, drawn, n, bootstrap.clusters)))
    return found


def area_under(
    track: Track,
    groups: Sequence[Hashable],
    low: float,
    high: float,
    *,
    silence: bool = False,
    draws: int = 1000,
    seed: int = 0,
) -> Figure:
    """The mean height of a track's frontier between two costs, with its interval."""
    bootstrap = Bootstrap(groups, draws=draws, seed=seed)
    costs, gains = bootstrap.means(track.costs.T), bootstrap.means(track.gains.T)
    drawn = np.array([frontier(x, y, silence=silence).area(low, high) for x, y in zip(costs, gains, strict=True)])
    here = frontier(means_of(track.costs.T), means_of(track.gains.T), silence=silence).area(low, high)
    return Figure.of(here, drawn, track.costs.shape[1], bootstrap.clusters)
