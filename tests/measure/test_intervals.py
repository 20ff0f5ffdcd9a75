"""Bootstrap intervals against a loop written out, and against what they promise."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from momus.measure.binomial import exact, t_quantile
from momus.measure.figure import figures_of
from momus.measure.intervals import Bootstrap, ends_of, means_of


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


def test_with_many_clusters_all_ways_agree() -> None:
    rng = np.random.default_rng(1)
    values = rng.random((400, 3))
    bootstrap = Bootstrap(range(400), draws=4000, seed=3)
    ends, drawn = bootstrap.intervals(values), bootstrap.means(values)
    np.testing.assert_allclose(ends.T, np.percentile(drawn, [2.5, 97.5], axis=0), atol=4e-3)
    np.testing.assert_allclose(ends[0], ends_of(drawn[:, 0], 400), atol=4e-3)
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
    first, again, other = (ends_of(Bootstrap(range(50), seed=s).means(values)[:, 0], 50) for s in (0, 0, 1))
    assert first == again != other


def test_what_is_never_scored_has_no_interval() -> None:
    values = np.full((5, 2), math.nan)
    values[:, 1] = 1.0
    ends = Bootstrap(range(5)).intervals(values)
    assert np.isnan(ends[0]).all()
    assert ends[1].tolist() == [pytest.approx(0.025 ** (1 / 5)), 1.0]
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


@pytest.mark.parametrize("clusters", [7, 8, 9, 10])
@pytest.mark.parametrize("kind", ["shares", "scores", "other"])
def test_few_clusters_are_covered_as_often_as_is_said(clusters: int, kind: str) -> None:
    """93 of 100 at the least, where a percentile bootstrap has 87 to 89; sizes differ, items of a cluster resemble."""
    rng = np.random.default_rng(clusters)
    held, trials = 0, 150 if kind == "other" else 400
    for trial in range(trials):
        sizes = rng.integers(10, 40, clusters)
        groups = np.repeat(np.arange(clusters), sizes)
        if kind == "shares":
            truth = 0.3
            chance = rng.beta(truth * 12, (1 - truth) * 12, clusters)
            values = (rng.random(len(groups)) < chance[groups]).astype(float)
        else:
            truth = 0.0
            values = rng.normal(0, 1, clusters)[groups] + rng.normal(0, 2, len(groups))
        bootstrap = Bootstrap(groups.tolist(), draws=600 if kind == "other" else 1, seed=trial)
        column = values[:, None]
        low, high = (
            ends_of(bootstrap.means(column)[:, 0], clusters) if kind == "other" else bootstrap.intervals(column)[0]
        )
        held += low <= truth <= high
    assert held / trials >= 0.93


def test_a_count_of_none_gets_the_exact_interval_and_nothing_has_width_zero() -> None:
    bootstrap = Bootstrap([i // 10 for i in range(100)])
    ends = bootstrap.intervals(np.stack([np.zeros(100), np.ones(100), np.full(100, 0.5), np.full(100, 7.0)], axis=1))
    assert ends[0].tolist() == [0.0, pytest.approx(1 - 0.025 ** (1 / 100))]
    assert ends[1].tolist() == [pytest.approx(0.025 ** (1 / 100)), 1.0]
    assert ends[2, 0] < 0.5 < ends[2, 1]
    assert np.isnan(ends[3]).all()  # seven of everything: no bound is known
    assert all(math.isnan(end) for end in ends_of(np.full(50, 2.0), 10))


def test_one_cluster_has_no_interval() -> None:
    values = (np.arange(30) % 3 == 0).astype(float)
    assert np.isnan(Bootstrap([0] * 30).intervals(values[:, None])).all()
    assert all(math.isnan(end) for end in ends_of(values, 1))
    figure = figures_of({"x": values}, Bootstrap([0] * 15 + [1] * 15))["x"]
    assert (figure.n, figure.clusters) == (30, 2) and figure.low < figure.mean < figure.high


@pytest.mark.parametrize(("hits", "n"), [(0, 5), (1, 5), (5, 5), (3.4, 17.2), (50, 1000), (0.2, 300)])
def test_quantiles_agree_with_scipy(hits: float, n: float) -> None:
    stats = pytest.importorskip("scipy.stats")
    low, high = exact(hits, n)
    assert low == pytest.approx(0.0 if hits == 0 else stats.beta.ppf(0.025, hits, n - hits + 1), abs=1e-9)
    assert high == pytest.approx(1.0 if hits == n else stats.beta.ppf(0.975, hits + 1, n - hits), abs=1e-9)
    for freedom in (1, 6, n):
        assert t_quantile(0.975, freedom) == pytest.approx(stats.t.ppf(0.975, freedom), rel=1e-8)
