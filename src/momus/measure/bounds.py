"""Bounds that hold for any distribution: how large a mean may be, given that each value lies in a known range."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np


def highest_mean(values: Sequence[float], highest: float, confidence: float) -> float:
    """An upper bound on the mean of what `values` are independent draws of, each within 0..`highest`.

    By betting (Waudby-Smith and Ramdas 2024; as used by Bates et al. 2021, proposition 5): too low in at most a share
    1 - confidence of all samples. `highest` without a value. Raises ValueError on a value outside the range.
    """
    x = np.asarray(values, dtype=np.float64) / highest
    if len(x) == 0:
        return highest
    if x.min() < 0 or x.max() > 1:
        raise ValueError(f"values lie within 0 and {highest}, not {min(values)} to {max(values)}")
    count = np.arange(1, len(x) + 1)
    means = (0.5 + np.cumsum(x)) / (1 + count)
    variances = (0.25 + np.cumsum((x - means) ** 2)) / (1 + count)
    before = np.concatenate([[0.25], variances[:-1]])  # a bet is made before its value is seen
    bets = np.minimum(1.0, np.sqrt(2 * math.log(1 / (1 - confidence)) / (len(x) * before)))
    low, high = 0.0, 1.0
    for _ in range(50):
        mean = (low + high) / 2
        won = np.cumsum(np.log1p(-bets * (x - mean))).max()
        low, high = (low, mean) if won > -math.log(1 - confidence) else (mean, high)
    return float(max(high, x.mean()) * highest)  # what was won early on may be lost again
