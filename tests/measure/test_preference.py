"""Preference within comparisons, ties half."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rated import comparison, rate

from momus.measure import Bootstrap
from momus.measure.ballots import Panel
from momus.measure.preference import duels_of, win_rate, win_rates, wins_by_draw, wins_of


def test_three_wins_a_tie_and_a_loss_are_seven_tenths() -> None:
    comparisons = [comparison(i, ["a", "b"]) for i in range(5)]
    points = [(7, 1), (5, 4), (2, 1), (3, 3), (1, 2)]
    duels = duels_of(Panel(comparisons, rate(comparisons, lambda i, place, critic: points[i][place])).preferences())
    figure = win_rate(duels, "a", "b", Bootstrap(duels.groups))
    assert (figure.mean, figure.n) == (0.7, 5)
    assert 0.0 < figure.low < 0.7 < figure.high <= 1.0
    assert win_rate(duels, "b", "a", Bootstrap(duels.groups)).mean == pytest.approx(0.3)


def test_two_critiques_of_one_critic_are_no_duel_and_the_unscored_in_none() -> None:
    c = comparison(0, ["a", "a", "b"])
    duels = duels_of(Panel([c], rate([c], lambda i, place, critic: [6, 2, None][place])).preferences())
    assert len(duels) == 0
    assert win_rates(duels, Bootstrap(duels.groups)) == {}


def test_scores_of_two_raters_are_never_held_against_each_other() -> None:
    comparisons = [comparison(0, ["a", "b"])]
    mild = rate(comparisons, lambda i, place, critic: 6 + place, rater="mild")
    harsh = rate(comparisons, lambda i, place, critic: 1 + place, rater="harsh")
    duels = duels_of(Panel(comparisons, mild + harsh).preferences())
    assert wins_of(duels).tolist() == [[0, 0], [2, 0]]


@given(st.lists(st.lists(st.integers(1, 7), min_size=3, max_size=3), min_size=1, max_size=8))
def test_wins_are_those_of_counting_pair_by_pair(scores: list[list[int]]) -> None:
    comparisons = [comparison(i, ["a", "b", "c"]) for i in range(len(scores))]
    duels = duels_of(Panel(comparisons, rate(comparisons, lambda i, place, critic: scores[i][place])).preferences())
    expected = np.zeros((3, 3))
    for row in scores:
        for i in range(3):
            for j in range(3):
                if i != j:
                    expected[i, j] += 1.0 if row[i] > row[j] else 0.5 if row[i] == row[j] else 0.0
    np.testing.assert_allclose(wins_of(duels), expected)
    drawn = wins_by_draw(duels, Bootstrap(duels.groups, draws=50))
    np.testing.assert_allclose(drawn + drawn.transpose(0, 2, 1), len(scores) * (1 - np.eye(3))[None].repeat(50, 0))


def test_intervals_draw_tasks_not_duels() -> None:
    # 40 duels of one task are as sure as one: the interval of ten tasks stays as wide however often each is rated.
    def interval(repeats: int) -> float:
        comparisons = [comparison(100 * i + k, ["a", "b"], group=f"g{i}") for i in range(10) for k in range(repeats)]
        ratings = rate(comparisons, lambda i, place, critic: 7 if (place == 0) == (i // repeats < 7) else 1)
        duels = duels_of(Panel(comparisons, ratings).preferences())
        figure = win_rate(duels, "a", "b", Bootstrap(duels.groups))
        assert figure.mean == 0.7
        return figure.high - figure.low

    assert interval(1) == pytest.approx(interval(20))
