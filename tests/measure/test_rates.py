"""Rates of yes within comparisons: unsure and unscored are never counted."""

from __future__ import annotations

import math

import numpy as np
import pytest
from rated import comparison, rate

from momus.measure import Bootstrap
from momus.measure.ballots import Panel
from momus.measure.rates import either, markdown, rates, versus
from momus.records import Attribute, Comparison


def ballots(comparisons: list[Comparison], scores: list[list[int | None]], attribute: Attribute = "nitpick"):  # type: ignore[no-untyped-def]
    return Panel(
        comparisons, rate(comparisons, lambda i, place, critic: scores[i][place], attribute=attribute)
    ).ballots(attribute)


def test_yes_is_above_four_no_below_and_four_is_neither() -> None:
    comparisons = [comparison(i, ["a"]) for i in range(5)]
    table = ballots(comparisons, [[7], [5], [3], [4], [None]])
    (rate_,) = rates(table, Bootstrap(table.groups))
    assert (rate_.yes.mean, rate_.yes.n) == (pytest.approx(2 / 3), 3)
    assert (rate_.unsure.mean, rate_.unsure.n) == (0.25, 4)
    assert (rate_.score.mean, rate_.score.n) == (4.75, 4)
    assert "| `a` | 66.7 |" in markdown([rate_])


def test_a_rater_that_always_says_four_has_said_nothing() -> None:
    comparisons = [comparison(i, ["a", "b"]) for i in range(8)]
    table = ballots(comparisons, [[4, 4]] * 8)
    for found in rates(table, Bootstrap(table.groups)):
        assert (found.yes.n, math.isnan(found.yes.mean)) == (0, True)
        assert (found.unsure.mean, found.score.mean) == (1.0, 4.0)
    assert versus(table, "a", Bootstrap(table.groups)) == {}


def test_differences_are_within_comparisons() -> None:
    # b only ever stands in the hard half; among those it is as good as a
    comparisons = [comparison(i, ["a", "b"] if i < 4 else ["a"]) for i in range(8)]
    scores: list[list[int | None]] = [[7, 7], [1, 1], [7, 7], [1, 1], [7], [7], [7], [7]]
    table = ballots(comparisons, scores)
    by_name = {r.critic: r for r in rates(table, Bootstrap(table.groups))}
    assert (by_name["a"].yes.mean, by_name["b"].yes.mean) == (0.75, 0.5)
    (difference,) = versus(table, "a", Bootstrap(table.groups)).values()
    assert (difference.mean, difference.n) == (0, 4)
    assert difference.low < 0 < difference.high  # four comparisons that do not differ say little of others


def test_two_critiques_of_one_critic_count_once_in_a_comparison() -> None:
    comparisons = [comparison(0, ["a", "a", "b"]), comparison(1, ["a", "b", "b"])]
    table = ballots(comparisons, [[7, 1, 7], [7, 1, 1]])
    by_name = {r.critic: r for r in rates(table, Bootstrap(table.groups))}
    assert (by_name["a"].yes.mean, by_name["a"].yes.n) == (0.75, 2)


def test_cbi_has_a_row_for_each_bug_and_none_on_clean_answers() -> None:
    comparisons = [comparison(0, ["a"]), comparison(1, ["a"], kind="clean")]
    table = ballots(comparisons, [[7], [1]], "cbi")
    assert (len(table), table.bugs.tolist(), table.scores.tolist()) == (1, [0], [[7.0]])


def test_a_nitpick_or_a_fake_problem_is_certain_from_one_and_no_needs_both() -> None:
    comparisons = [comparison(i, ["a"]) for i in range(4)]
    nitpicks: list[list[int | None]] = [[7], [1], [1], [None]]
    fakes: list[list[int | None]] = [[None], [2], [None], [6]]
    ratings = [
        *rate(comparisons, lambda i, place, critic: nitpicks[i][place], attribute="nitpick"),
        *rate(comparisons, lambda i, place, critic: fakes[i][place], attribute="fake_problem"),
    ]
    panel = Panel(comparisons, ratings)
    joined = either(panel.ballots("nitpick"), panel.ballots("fake_problem"))
    np.testing.assert_array_equal(joined.scores[:, 0], [7, 2, np.nan, 6])
