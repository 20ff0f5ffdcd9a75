"""CBI against spurious comments as the dial turns, and whether one frontier lies above another (Fig. 8 and 9)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from momus.measure import Bootstrap
from momus.measure.intervals import means_of

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Track:
    """One way to write critiques at each setting of its dial: values of each item, [settings, items]."""

    name: str
    settings: tuple[str, ...]
    spurious: Floats
    found: Floats


@dataclass(frozen=True, slots=True)
class Against:
    """How much more `track` finds than `other` does at one setting, at equal spurious comments, with a 95% interval."""

    track: str
    other: str
    setting: str
    spurious: float
    more: float
    low: float
    high: float

    @property
    def verdict(self) -> str:
        return "above" if self.low > 0 else "below" if self.high < 0 else "cannot be told"

    def to_json(self) -> dict[str, Any]:
        numbers = {name: round(getattr(self, name), 6) for name in ("spurious", "more", "low", "high")}
        return {"track": self.track, "other": self.other, "setting": self.setting, **numbers, "verdict": self.verdict}


def found_at(spurious: float, xs: Floats, ys: Floats) -> float:
    """What a frontier finds at so many spurious comments: the line through its points and through silence (0, 0).

    Settings that another of the same track beats on both counts are passed over; beyond the last the line is level.
    """
    order = np.lexsort((-ys, xs))
    best_x, best_y = [0.0], [0.0]
    for x, y in zip(xs[order], ys[order], strict=True):
        if y > best_y[-1]:
            if x == best_x[-1]:
                best_y[-1] = float(y)
            else:
                best_x.append(float(x))
                best_y.append(float(y))
    return float(np.interp(spurious, best_x, best_y))


def against(track: Track, other: Track, bootstrap: Bootstrap) -> list[Against]:
    """Hold one track against each setting of another; intervals draw groups of items, both over the same draws."""
    xs, ys = means_of(track.spurious.T), means_of(track.found.T)
    at, got = means_of(other.spurious.T), means_of(other.found.T)
    drawn = [bootstrap.means(values.T) for values in (track.spurious, track.found, other.spurious, other.found)]
    results = []
    for i, setting in enumerate(other.settings):
        more = np.array(
            [found_at(float(a[i]), x, y) - g[i] for x, y, a, g in zip(*drawn, strict=True) if not np.isnan(a[i])]
        )
        low, high = np.percentile(more, [2.5, 97.5]) if len(more) else (np.nan, np.nan)
        difference = found_at(float(at[i]), xs, ys) - float(got[i])
        results.append(Against(track.name, other.name, setting, float(at[i]), difference, float(low), float(high)))
    return results
