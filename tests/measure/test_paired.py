"""Paired tests against scipy and by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from momus.measure.paired import mcnemar, paired, sign_flip


@pytest.mark.parametrize(("more", "less", "same"), [(8, 2, 5), (0, 6, 0), (5, 5, 9), (700, 620, 100)])
def test_mcnemar_is_the_binomial_test_of_what_differs(more: int, less: int, same: int) -> None:
    a = np.array([1.0] * more + [0.0] * less + [1.0] * same)
    b = np.array([0.0] * more + [1.0] * less + [1.0] * same)
    assert mcnemar(a, b) == pytest.approx(stats.binomtest(more, more + less).pvalue, rel=1e-6)


def test_no_difference_is_no_evidence() -> None:
    a = np.array([1.0, 0, 1, np.nan])
    assert mcnemar(a, a) == 1.0
    assert sign_flip(a, a, list("abcd")) == 1.0
    found = paired(a, a, list("abcd"))
    assert (found.difference.mean, found.difference.n, found.flips, found.mcnemar) == (0, 3, 1.0, 1.0)


def test_sign_flips_are_those_of_scipy() -> None:
    rng = np.random.default_rng(3)
    a, b = rng.random(10), rng.random(10) - 0.2
    theirs = stats.permutation_test((a - b,), np.sum, permutation_type="samples", n_resamples=np.inf).pvalue
    assert sign_flip(a, b, range(10)) == pytest.approx(theirs)
    many_a, many_b = rng.random(200), rng.random(200) - 0.05
    theirs = stats.ttest_rel(many_a, many_b).pvalue  # near the exact test for so many
    assert sign_flip(many_a, many_b, range(200)) == pytest.approx(theirs, abs=0.02)


def test_five_answers_to_one_problem_are_one_sign() -> None:
    a, b = np.ones(20), np.zeros(20)
    assert sign_flip(a, b, [i // 5 for i in range(20)]) == pytest.approx(2 / 2**4)
    assert sign_flip(a, b, range(20)) < 1e-3


def test_what_one_of_the_two_failed_on_is_left_out() -> None:
    a = np.array([1.0, 1, 1, np.nan, 0])
    b = np.array([0.0, 0, np.nan, 0, 0])
    found = paired(a, b, range(5))
    assert (found.difference.mean, found.difference.n) == (pytest.approx(2 / 3), 3)
    assert found.mcnemar == 0.5
    nothing = paired(a, np.full(5, np.nan), range(5))
    assert (nothing.difference.n, math.isnan(nothing.flips)) == (0, True)
    assert nothing.to_json()["verdict"] == "cannot be told"


def test_only_binary_values_have_mcnemar() -> None:
    assert paired(np.array([0.5, 1]), np.array([0, 1.0]), range(2)).mcnemar is None


def test_false_alarms_come_about_one_time_in_twenty() -> None:
    rng = np.random.default_rng(0)
    alarms = [sign_flip(rng.random(30), rng.random(30), range(30), flips=400, seed=i) < 0.05 for i in range(300)]
    assert 0.02 < np.mean(alarms) < 0.09
