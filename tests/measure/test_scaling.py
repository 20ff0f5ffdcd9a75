"""The compute multiplier, on data whose multiplier is known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from momus.measure.figure import Figure
from momus.measure.scaling import Size, line, multiplier, read_families


def family(start: float, slope: float, *, sizes: int = 4, width: float = 0.01, seed: int | None = None) -> list[Size]:
    rng = np.random.default_rng(seed)
    found = []
    for i in range(sizes):
        mean = start + slope * i + (0 if seed is None else rng.normal(0, width / 2))
        found.append(Size(10.0 ** (15 + i), Figure(mean, mean - width, mean + width, 500)))
    return found


def test_two_lines_one_and_a_half_decades_apart_are_thirty_fold() -> None:
    # 0.15 higher where ten times the compute brings 0.1: 10^1.5 = 31.6
    found = multiplier(family(0.35, 0.1), family(0.2, 0.1))
    assert found.factor.mean == pytest.approx(10**1.5, rel=1e-6)
    assert 15 < found.factor.low < 31.6 < found.factor.high < 70
    assert (found.parallel, found.extrapolated, found.why_not) == (True, False, "")
    assert found.verdict.startswith("31.6x (")


def test_below_is_less_than_once() -> None:
    assert multiplier(family(0.2, 0.1), family(0.35, 0.1)).factor.mean == pytest.approx(10**-1.5)


def test_a_measure_that_does_not_rise_can_not_tell() -> None:
    for slope in (0.0, -0.1):
        found = multiplier(family(0.5, slope), family(0.2, slope))
        assert math.isnan(found.factor.mean)
        assert found.verdict == "cannot be told: the measure does not surely rise with compute"


def test_noise_wider_than_the_rise_can_not_tell() -> None:
    assert multiplier(family(0.35, 0.01, width=0.2), family(0.2, 0.01, width=0.2)).why_not


def test_two_sizes_are_too_few_and_unscored_ones_do_not_count() -> None:
    assert "fewer than 3 sizes" in multiplier(family(0.3, 0.1, sizes=2), family(0.2, 0.1)).verdict
    gaps = [*family(0.3, 0.1, sizes=2), Size(1e18, Figure(math.nan, math.nan, math.nan, 0))]
    assert "fewer than 3 sizes" in multiplier(gaps, family(0.2, 0.1)).verdict


def test_a_factor_beyond_the_measured_span_is_said_to_be() -> None:
    found = multiplier(family(0.9, 0.1), family(0.2, 0.1))
    assert found.extrapolated
    assert "beyond the span" in found.verdict


def test_slopes_that_differ_are_said_to() -> None:
    assert not multiplier(family(0.3, 0.15, width=0.005), family(0.2, 0.05, width=0.005)).parallel


def test_the_interval_holds_the_truth_about_95_times_of_100() -> None:
    inside = 0
    for seed in range(60):
        found = multiplier(family(0.35, 0.1, width=0.04, seed=seed), family(0.2, 0.1, width=0.04, seed=1000 + seed))
        inside += found.factor.low <= 10**1.5 <= found.factor.high
    assert inside >= 52


def test_a_line_and_the_file_it_comes_from() -> None:
    body = {
        "families": [
            {
                "name": "rl",
                "sizes": [{"flops": s.flops, "measures": {"cbi": s.figure.to_json()}} for s in family(0.2, 0.1)],
            },
            {"name": "other", "sizes": [{"flops": 1e15, "measures": {}}]},
        ]
    }
    families = read_families(body, "cbi")
    assert list(families) == ["rl"]
    intercept, slope = line(families["rl"])
    assert (intercept + 15 * slope, slope) == (pytest.approx(0.2), pytest.approx(0.1))
    with pytest.raises(ValueError, match="two sizes"):
        line(families["rl"][:1])
    with pytest.raises(ValueError, match="positive number of FLOPs"):
        Size(0, families["rl"][0].figure)
