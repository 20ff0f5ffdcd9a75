"""The dial: percentiles of what a search saw, and promises that hold on answers it was not fitted on."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from momus.critics.dial import Dial, Notch, Promise, fit_percentiles
from momus.critics.fsbs import Candidate, SearchResult, select
from momus.critique import Comment, Critique, Span
from momus.errors import MomusError
from momus.measure.bounds import highest_mean

COMMENT = Comment(Span(0, 1), "x")


def result(*pairs: tuple[float, int]) -> SearchResult:
    return SearchResult(
        tuple(Candidate((i,), Critique((COMMENT,) * count), score, 1) for i, (score, count) in enumerate(pairs)),
        "paper",
    )


def many(count: int, seed: int = 0) -> list[SearchResult]:
    rng = random.Random(seed)
    return [result(*((rng.gauss(0, 1) - h / 3, h) for h in rng.choices(range(1, 8), k=28))) for _ in range(count)]


def test_a_percentile_is_where_the_result_says_as_much_as_that_share_of_candidates() -> None:
    results = many(60)
    notches = fit_percentiles(results)
    assert [notch.percentile for notch in notches] == [10, 25, 50, 75]
    for notch in notches:
        wanted = np.mean([np.percentile([c.highlights for c in r.candidates], notch.percentile) for r in results])
        got = np.mean([select(r, notch.modifier).highlights for r in results])
        assert notch.wanted == pytest.approx(wanted) and notch.highlights == pytest.approx(got)
        assert abs(got - wanted) <= 0.1
    assert [n.modifier for n in notches] == sorted(n.modifier for n in notches)


@given(
    st.lists(st.lists(st.tuples(st.integers(-9, 9), st.integers(0, 5)), min_size=1, max_size=8), min_size=1, max_size=6)
)
@settings(max_examples=25, deadline=None)
def test_no_modifier_comes_nearer_than_the_fitted_one(drawn: list[list[tuple[int, int]]]) -> None:
    results = [result(*((score / 2, count) for score, count in pairs)) for pairs in drawn]

    def mean(modifier: float) -> float:
        return float(np.mean([select(r, modifier).highlights for r in results]))

    for notch in fit_percentiles(results):
        best = min(abs(mean(modifier) - notch.wanted) for modifier in np.arange(-12.03, 12, 0.2))
        assert abs(mean(notch.modifier) - notch.wanted) <= best + 1e-9


def test_without_a_search_there_is_no_dial() -> None:
    with pytest.raises(MomusError, match="no development answer was searched"):
        fit_percentiles([])


DIAL = Dial(
    (Notch(25, -0.5, 1.2, 1.1), Notch(50, 0.25, 2.0, 2.0)),
    (Promise(-3.0, 0.412, 0.0, 0.1, 0.1), Promise(-1.0, 0.9, 0.4, 0.5, 0.3), Promise(0.5, 2.5, 1.8, 2.0, 0.4)),
)


def test_a_percentile_or_a_promise_picks_a_modifier() -> None:
    assert DIAL.at(50) == 0.25
    with pytest.raises(MomusError, match="no percentile 60: choose one of 25, 50"):
        DIAL.at(60)
    assert [DIAL.promising(x) for x in (0.412, 0.89, 0.9, 2.4, 2.5, 99)] == [-3.0, -3.0, -1.0, -1.0, 0.5, 0.5]


def test_a_promise_that_cannot_be_kept_names_the_lowest_that_can() -> None:
    with pytest.raises(MomusError) as refused:
        DIAL.promising(0.3)
    assert "at most 0.3 spurious comments in 10 reviews cannot be promised" in str(refused.value)
    named = float(str(refused.value).rpartition(" is ")[2])
    assert DIAL.promising(named) == -3.0
    with pytest.raises(MomusError, match="without promises"):
        Dial(DIAL.notches).promising(3)


def test_a_dial_is_read_back_and_a_broken_one_refused() -> None:
    assert Dial.from_dict(DIAL.to_dict()) == DIAL
    for broken in ({}, {"notches": 3, "promises": []}, {"notches": [{"percentile": 1}], "promises": []}):
        with pytest.raises(MomusError, match="the bundle's dial cannot be read"):
            Dial.from_dict(broken)


@pytest.mark.parametrize(("rate", "highest"), [(0.02, 1.0), (0.3, 1.0), (0.1, 5.0)])
def test_the_bound_is_too_low_in_at_most_one_sample_of_ten(rate: float, highest: float) -> None:
    rng = np.random.default_rng(4)
    draws = 300
    low = 0
    for _ in range(draws):
        values = highest * (rng.random(120) < rate)
        bound = highest_mean(values.tolist(), highest, 0.9)
        assert bound >= values.mean() - 1e-12
        low += bound < rate * highest
    assert low / draws <= 0.1 + 3 * (0.09 / draws) ** 0.5


def test_the_bound_comes_near_with_many_values_and_says_nothing_without_any() -> None:
    assert highest_mean([], 5.0, 0.9) == 5.0
    assert highest_mean([0.0] * 300, 1.0, 0.9) == pytest.approx(1 - 0.1 ** (1 / 300), rel=0.3)
    assert highest_mean([0.2] * 2000, 1.0, 0.9) < 0.23
    with pytest.raises(ValueError, match="within 0 and 1"):
        highest_mean([0.5, 1.5], 1.0, 0.9)


def test_an_exported_dial_says_what_it_does(tiny_reward: Any) -> None:
    """Fitted on half of the development pairs, checked on the others; the bound never falls as more is said."""
    dial = Dial.from_dict(tiny_reward.opened().dial)
    assert [notch.percentile for notch in dial.notches] == [10, 25, 50, 75]
    bounds = [promise.bound for promise in dial.promises]
    assert bounds == sorted(bounds) and all(p.bound >= p.fitted for p in dial.promises)
    assert all(p.checked is not None and p.found is not None and 0 <= p.found <= 1 for p in dial.promises)
    modifiers = [promise.modifier for promise in dial.promises]
    assert modifiers == sorted(modifiers) and modifiers[-1] == 3.0
