"""Elo against choix, scipy's own L-BFGS and hand-worked cases."""

from __future__ import annotations

import choix
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from rated import comparison, rate

from momus.measure import Bootstrap
from momus.measure.ballots import Panel
from momus.measure.elo import POINTS, PRIOR, expected, fit, fit_all, marks_of, standings
from momus.measure.preference import Duels, duels_of


def test_three_wins_to_one_are_191_points_apart() -> None:
    # P = 3/4 = 1 / (1 + 10^(-d/400)), so d = 400 log10(3); the prior takes 0.4% of it off
    a, b = fit(np.array([[0, 300.0], [100, 0]]), prior=1e6)
    assert a - b == pytest.approx(400 * np.log10(3), abs=1e-3)
    assert expected(a, b) == pytest.approx(0.75)
    assert a + b == pytest.approx(0)


def test_the_optimum_is_that_of_choix() -> None:
    wins = np.random.default_rng(1).integers(0, 12, (6, 6)).astype(float)
    np.fill_diagonal(wins, 0)
    data = [(i, j) for i in range(6) for j in range(6) for _ in range(int(wins[i, j]))]
    theirs = choix.opt_pairwise(6, data, alpha=(POINTS / PRIOR) ** 2 / 2, tol=1e-10)
    np.testing.assert_allclose(fit(wins), (theirs - theirs.mean()) * POINTS, atol=1e-3)


@settings(max_examples=40, deadline=None)
@given(arrays(np.float64, (4, 4), elements=st.sampled_from([0.0, 0.5, 1.0, 7.0, 400.0])))
def test_all_draws_at_once_end_where_one_by_one_does(wins: np.ndarray) -> None:
    np.fill_diagonal(wins, 0)
    np.testing.assert_allclose(fit_all(wins[None])[0], fit(wins), atol=1e-3)
    np.testing.assert_allclose(fit_all(wins[None], start=np.array([900.0, -900, 400, -400]))[0], fit(wins), atol=1e-3)


def test_an_undefeated_critic_has_a_finite_rating_and_a_mark() -> None:
    comparisons = [comparison(i, ["best", "mid", "low"]) for i in range(30)]
    order = {"best": 7, "mid": 4, "low": 3}

    def score(i: int, place: int, critic: str) -> int:
        return 5 if critic == "low" and i % 3 == 0 else order[critic]

    duels = duels_of(Panel(comparisons, rate(comparisons, score)).preferences())
    best, mid, low = standings(duels, Bootstrap(duels.groups, draws=200))
    assert [s.critic for s in (best, mid, low)] == ["best", "mid", "low"]
    assert (best.mark, mid.mark, low.mark) == ("undefeated", "", "")
    assert np.isfinite([best.elo, best.low, best.high]).all()
    assert best.elo > mid.high
    assert mid.elo - low.elo == pytest.approx(400 * np.log10(2), rel=0.1)  # 20 of 30
    assert best.duels == 60


def test_comparisons_of_two_critics_only_are_enough() -> None:
    comparisons = [comparison(i, ["a", "b"]) for i in range(40)]
    ratings = rate(comparisons, lambda i, place, critic: 6 if (critic == "a") == (i % 4 > 0) else 2)
    duels = duels_of(Panel(comparisons, ratings).preferences())
    a, b = standings(duels, Bootstrap(duels.groups, draws=500))
    assert a.elo - b.elo == pytest.approx(400 * np.log10(3), rel=0.02)
    assert a.low < a.elo < a.high
    assert {a.mark, b.mark} == {""}


def test_with_an_anchor_ratings_are_differences_to_it() -> None:
    comparisons = [comparison(i, ["a", "b", "c"]) for i in range(30)]
    ratings = rate(comparisons, lambda i, place, critic: 1 + (i * (place + 2)) % 7)
    duels = duels_of(Panel(comparisons, ratings).preferences())
    by_name = {s.critic: s for s in standings(duels, Bootstrap(duels.groups, draws=100), anchor="b")}
    assert (by_name["b"].elo, by_name["b"].low, by_name["b"].high) == (0, 0, 0)


def test_one_group_has_no_interval_and_not_one_of_no_width() -> None:
    comparisons = [comparison(i, ["a", "b"], group="folder") for i in range(20)]
    duels = duels_of(Panel(comparisons, rate(comparisons, lambda i, place, critic: 6 - place)).preferences())
    found = standings(duels, Bootstrap(duels.groups, draws=100))
    assert all(np.isnan([s.low, s.high]).all() for s in found)
    assert [(s.to_json()["low"], s.to_json()["high"], s.reach) for s in found] == [(None, None, "no interval")] * 2


def test_marks_tell_what_only_the_prior_holds() -> None:
    assert marks_of(np.array([[0, 1, 0], [0, 0, 1], [1, 0, 0.0]])) == ["", "", ""]  # a circle
    assert marks_of(np.array([[0, 1], [0, 0.0]])) == ["undefeated", "never won"]
    apart = np.array([[0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0], [0, 1, 0, 0.0]])
    assert marks_of(apart) == ["", "", "not linked", "undefeated"]
    # two pairs, level within, the first always better: no chain of wins leads back up
    two = np.array([[0, 1, 3, 3, 3], [1, 0, 3, 3, 3], [0, 0, 0, 1, 1], [0, 0, 1, 0, 1], [0, 0, 1, 1, 0.0]])
    assert marks_of(two) == ["parted", "parted", "", "", ""]


def test_no_duels_no_standings() -> None:
    none = np.zeros(0, np.int64)
    assert standings(Duels(("a", "b"), none, none, np.zeros(0), ()), Bootstrap([])) == []


def test_the_interval_holds_the_truth_about_95_times_of_100() -> None:
    rng = np.random.default_rng(5)
    inside = 0
    for trial in range(60):
        won = (rng.random(60) < expected(100, 0)).astype(float)
        duels = Duels(("a", "b"), np.zeros(60, np.int64), np.ones(60, np.int64), won, tuple(map(str, range(60))))
        a = next(s for s in standings(duels, Bootstrap(duels.groups, draws=300, seed=trial)) if s.critic == "a")
        inside += a.low <= 50 <= a.high  # half of 100, as the mean is 0
    assert inside >= 52
