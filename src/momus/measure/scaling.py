"""A measure against pre-training compute, and how much compute a way of training is worth (Fig. 5).

Two families, such as SFT alone and RL, are fitted together: measure = height of the family + slope * log10(FLOPs). The
multiplier to match is how many times the compute the lower family needs to reach the higher one (the paper's 30x).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from momus.measure.figure import Figure

Floats = npt.NDArray[np.float64]
LEAST_SIZES = 3
_TWO_SIGMA = 2 * 1.959964


@dataclass(frozen=True, slots=True)
class Size:
    """One model of a family: its pre-training compute in FLOPs, and what was measured."""

    flops: float
    figure: Figure

    def __post_init__(self) -> None:
        if not self.flops > 0 or not math.isfinite(self.flops):
            raise ValueError(f"compute is a positive number of FLOPs, not {self.flops}")


@dataclass(frozen=True, slots=True)
class Multiplier:
    """`factor` times the compute, with its interval; `slope` is what ten times the compute brings.

    `why_not` is empty where the data can tell, else the reason, and then the factor is NaN. `extrapolated`: the factor
    is larger than the span of compute that was measured. `parallel`: the slopes of the two do not contradict each
    other; where they do, the factor holds in the middle of the span only.
    """

    factor: Figure
    slope: Figure
    why_not: str = ""
    extrapolated: bool = False
    parallel: bool = True

    @property
    def verdict(self) -> str:
        if self.why_not:
            return f"cannot be told: {self.why_not}"
        said = f"{self.factor.mean:.3g}x ({self.factor.low:.3g} to {self.factor.high:.3g})"
        said += ", beyond the span that was measured" if self.extrapolated else ""
        return said + ("" if self.parallel else ", in the middle of the span; the slopes differ")

    def to_json(self) -> dict[str, Any]:
        return {
            "factor": self.factor.to_json(),
            "slope": self.slope.to_json(),
            "verdict": self.verdict,
            "extrapolated": self.extrapolated,
            "parallel": self.parallel,
        }


def multiplier(higher: Sequence[Size], lower: Sequence[Size], *, draws: int = 4000, seed: int = 0) -> Multiplier:
    """How many times the compute `lower` needs to match `higher`.

    The interval comes from drawing each figure as its own interval is wide, and further by the scatter of the figures
    about the lines, which holds what differs from one training run to another. It cannot be told with fewer than three
    sizes of either, or where the slope's interval holds 0.
    """
    unknown = Figure(math.nan, math.nan, math.nan, len(higher) + len(lower))
    higher = [size for size in higher if not math.isnan(size.figure.mean)]
    lower = [size for size in lower if not math.isnan(size.figure.mean)]
    if min(len({s.flops for s in higher}), len({s.flops for s in lower})) < LEAST_SIZES:
        return Multiplier(unknown, unknown, f"fewer than {LEAST_SIZES} sizes of one of the two")
    sizes = [*higher, *lower]
    n = len(sizes)
    x = np.log10([size.flops for size in sizes])
    middle = x.mean()
    is_higher = np.arange(n) < len(higher)
    together = np.stack([is_higher, ~is_higher, x - middle], axis=1).astype(np.float64)
    apart = np.stack([is_higher, ~is_higher, is_higher * (x - middle), ~is_higher * (x - middle)], axis=1)
    y = np.array([size.figure.mean for size in sizes])
    at = _solve(together, y[None])[0]
    residuals = y - together @ at
    scatter = math.sqrt(float(residuals @ residuals) / (n - 3))
    own = np.array([_sigma(size.figure) for size in sizes])
    rng = np.random.default_rng(seed)
    noise = rng.standard_normal((draws, n)) * np.sqrt(own**2 + scatter**2)
    drawn = _solve(together, y + noise)
    slope = _figure(float(at[2]), drawn[:, 2], n)
    slopes = _solve(apart, y + noise)
    parallel = _figure(0.0, slopes[:, 2] - slopes[:, 3], n).verdict == "cannot be told"
    if not slope.low > 0:
        return Multiplier(unknown, slope, "the measure does not surely rise with compute", parallel=parallel)
    with np.errstate(divide="ignore", over="ignore"):
        # A draw whose slope is not positive never matches: infinitely far, on the side of its sign.
        gap = drawn[:, 0] - drawn[:, 1]
        logs = np.where(drawn[:, 2] > 0, gap / np.where(drawn[:, 2] > 0, drawn[:, 2], 1), np.sign(gap) * np.inf)
        low, high = np.percentile(logs, [2.5, 97.5], method="nearest")
        ends = [float(10.0**end) for end in (float(at[0] - at[1]) / float(at[2]), low, high)]
    span = float(x.max() - x.min())
    factor = Figure(ends[0], ends[1], ends[2], n)
    return Multiplier(factor, slope, extrapolated=abs(math.log10(ends[0])) > span, parallel=parallel)


def _figure(value: float, drawn: Floats, n: int) -> Figure:
    """A statistic with the percentiles of draws that no sampling of clusters made."""
    low, high = np.percentile(drawn, [2.5, 97.5])
    return Figure(value, float(low), float(high), n)


def line(sizes: Sequence[Size]) -> tuple[float, float]:
    """Intercept and slope of one family by least squares over log10(FLOPs). Raises ValueError below two sizes."""
    if len({size.flops for size in sizes}) < 2:
        raise ValueError("a line needs two sizes")
    x = np.log10([size.flops for size in sizes])
    design = np.stack([np.ones_like(x), x], axis=1)
    intercept, slope = _solve(design, np.array([[size.figure.mean for size in sizes]]))[0]
    return float(intercept), float(slope)


def read_families(body: Mapping[str, Any], measure: str) -> dict[str, list[Size]]:
    """Families by name from the JSON of `scaling.json`; sizes without the measure are left out."""
    families: dict[str, list[Size]] = {}
    for family in body["families"]:
        families[family["name"]] = [
            Size(float(size["flops"]), Figure.from_json(size["measures"][measure]))
            for size in family["sizes"]
            if measure in size["measures"]
        ]
    return {name: sizes for name, sizes in families.items() if sizes}


def _solve(design: npt.NDArray[Any], values: Floats) -> Floats:
    """Least squares for each row of values: [draws, n] gives [draws, columns]."""
    return np.asarray(np.linalg.lstsq(design.astype(np.float64), values.T, rcond=None)[0].T, np.float64)


def _sigma(figure: Figure) -> float:
    width = (figure.high - figure.low) / _TWO_SIGMA
    return 0.0 if math.isnan(width) else width
