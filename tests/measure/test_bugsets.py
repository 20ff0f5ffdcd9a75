"""Severity and difficulty of two sets of bugs."""

from __future__ import annotations

import numpy as np
import pytest

from momus.critique import Span
from momus.measure.bugsets import BugSet, compare, missed_by
from momus.records import Bug


def bugs(*severities: str) -> list[Bug]:
    return [Bug(spans=(Span(0, 1),), category="other", severity=s) for s in severities]  # type: ignore[arg-type]


def test_a_bug_is_as_hard_as_the_share_that_missed_it() -> None:
    found = {"a": np.array([1.0, 0, np.nan]), "b": np.array([1.0, 1, np.nan]), "c": np.array([1.0, np.nan, np.nan])}
    np.testing.assert_array_equal(missed_by(found), [0, 0.5, np.nan])


def test_inserted_bugs_are_harder_and_more_severe_here() -> None:
    inserted = BugSet("inserted", bugs(*["high"] * 30, *["low"] * 10), range(40), np.full(40, 0.8))
    natural = BugSet("natural", bugs(*["low"] * 30, *["high"] * 10), range(40), np.r_[np.full(38, 0.3), np.nan, np.nan])
    found = compare(inserted, natural, draws=500)
    assert found.severity["inserted"]["high"].mean == 0.75
    assert (found.missed["natural"].mean, found.missed["natural"].n) == (pytest.approx(0.3), 38)
    assert found.differences["severity"].mean == pytest.approx(1.0)
    assert {figure.verdict for figure in found.differences.values()} == {"above"}


def test_two_draws_of_one_set_can_not_be_told_apart() -> None:
    rng = np.random.default_rng(0)
    sets = [BugSet(name, bugs(*rng.choice(["low", "high"], 50)), range(50), rng.random(50)) for name in "ab"]
    assert {f.verdict for f in compare(*sets).differences.values()} == {"cannot be told"}


def test_each_bug_needs_its_group() -> None:
    with pytest.raises(ValueError, match="each bug needs"):
        BugSet("x", bugs("low"), [], np.zeros(1))
