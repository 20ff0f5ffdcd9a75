"""Bootstrap intervals against a loop written out, and against what they promise."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from momus.measure.intervals import Bootstrap, means_of


def naive_means(values: list[float], groups: list[int], *, draws: int, seed: int) -> list[float]:
    """Draw groups with replacement, put their scored items in a row, take the mean: item by item."""
    names = list(dict.fromkeys(groups))
    counts = np.random.default_rng(seed).multinomial(len(names), [1 / len(names)] * len(names), size=draws)
    means = []
    for draw in counts:
        drawn = [
            value
            for name, times in zip(names, draw, strict=True)
            for _ in range(times)
            for value, group in zip(values, groups, strict=True)
            if group == name and not math.isnan(value)
        ]
        means.append(sum(drawn) / len(drawn) if drawn else math.nan)
    return means


VALUES = st.lists(
    st.tuples(st.sampled_from([0.0, 1.0, -1.0, 0.5, math.nan]), st.integers(0, 5)), min_size=1, max_size=25
)


@settings(max_examples=60)
@given(VALUES, st.integers(0, 99))
def test_draws_agree_with_a_loop_over_items(rows: list[tuple[float, int]], seed: int) -> None:
    values, groups = [v for v, _ in rows], [g for _, g in rows]
    fast = Bootstrap(groups, draws=40, seed=seed).means(np.array(values)[:, None])[:, 0]
    np.testing.assert_allclose(fast, naive_means(values, groups, draws=40, seed=seed), atol=1e-6)


def test_an_interval_is_the_middle_of_the_draws() -> None:
    rng = np.random.default_rng(1)
    values = rng.random((200, 3))
    bootstrap = Bootstrap(range(200), draws=1000, seed=3)
    ends = bootstrap.intervals(values)
    np.testing.assert_allclose(ends.T, np.percentile(bootstrap.means(values), [2.5, 97.5], axis=0), atol=1e-9)
    assert (ends[:, 0] < means_of(values)).all() and (means_of(values) < ends[:, 1]).all()


def test_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    rng = np.random.default_rng(7)
    held = 0
    for trial in range(200):
        values = (rng.random((120, 1)) < 0.3).astype(float)
        low, high = Bootstrap(range(120), draws=400, seed=trial).intervals(values)[0]
        held += low <= 0.3 <= high
    assert 180 <= held <= 199  # 95% of 200, give or take


def test_items_of_one_group_are_one_finding() -> None:
    values = np.repeat([0.0, 1.0], 50)[:, None]
    alone = Bootstrap(range(100), seed=0).intervals(values)[0]
    together = Bootstrap([i // 25 for i in range(100)], seed=0).intervals(values)[0]
    assert together[1] - together[0] > 2 * (alone[1] - alone[0])


def test_the_same_seed_gives_the_same_interval_and_another_another() -> None:
    values = np.arange(50.0)[:, None]
    first, again, other = (Bootstrap(range(50), seed=s).intervals(values).tolist() for s in (0, 0, 1))
    assert first == again != other


def test_what_is_never_scored_has_no_interval() -> None:
    values = np.full((5, 2), math.nan)
    values[:, 1] = 1.0
    ends = Bootstrap(range(5)).intervals(values)
    assert np.isnan(ends[0]).all()
    assert ends[1].tolist() == [1.0, 1.0]
    assert math.isnan(means_of(values)[0])


def test_nothing_at_all_is_measured_without_complaint() -> None:
    ends = Bootstrap([]).intervals(np.zeros((0, 2)))
    assert np.isnan(ends).all()


@pytest.mark.parametrize("shift", [0.0, 0.25])
def test_a_paired_difference_is_sharper_than_two_intervals(shift: float) -> None:
    rng = np.random.default_rng(0)
    one = rng.random((100, 1))
    other = one - shift + rng.normal(0, 0.01, (100, 1))
    low, high = Bootstrap(range(100)).intervals(one - other)[0]
    assert bool(low > 0) is bool(shift)
    assert high - low < 0.01
