"""Agreement of raters, against the package krippendorff and by hand."""

from __future__ import annotations

import math

import krippendorff as peer
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from rated import comparison, rate

from momus.measure import Bootstrap
from momus.measure.agreement import Level, krippendorff, preference_agreement, scores_agreement
from momus.measure.ballots import Panel
from momus.records import Comparison, Rating

# Krippendorff (2011), "Computing Krippendorff's Alpha-Reliability", example C
NAN = np.nan
TEXTBOOK = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, NAN, NAN, NAN],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, NAN, 3],
        [NAN, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, NAN],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, NAN],
    ]
)


@pytest.mark.parametrize(("level", "alpha"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)])
def test_the_textbook_example(level: Level, alpha: float) -> None:
    assert krippendorff(TEXTBOOK, level) == pytest.approx(alpha, abs=5e-4)


@settings(max_examples=60, deadline=None)
@given(
    arrays(np.float64, (3, 9), elements=st.sampled_from([1.0, 2, 4, 7, math.nan])),
    st.sampled_from(["nominal", "ordinal", "interval"]),
)
def test_alpha_is_that_of_the_peer(values: np.ndarray, level: Level) -> None:
    ours = krippendorff(values, level)
    paired = values[:, (~np.isnan(values)).sum(axis=0) > 1]
    if len(np.unique(paired[~np.isnan(paired)])) < 2:
        assert math.isnan(ours)
    else:
        assert ours == pytest.approx(peer.alpha(values, level_of_measurement=level), abs=1e-9)


def panel(scores: dict[str, list[list[int | None]]], comparisons: list[Comparison]) -> Panel:
    ratings: list[Rating] = []
    for rater, of in scores.items():
        ratings += rate(comparisons, lambda i, place, critic, of=of: of[i][place], rater=rater)  # type: ignore[misc]
    return Panel(comparisons, ratings)


def test_raters_who_agree_on_the_order_agree_though_their_scores_differ() -> None:
    comparisons = [comparison(i, ["a", "b"]) for i in range(6)]
    strict: list[list[int | None]] = [[3, 1] if i % 2 else [1, 3] for i in range(6)]
    kind: list[list[int | None]] = [[7, 6] if i % 2 else [6, 7] for i in range(6)]
    both = panel({"strict": strict, "kind": kind}, comparisons)
    bootstrap = Bootstrap(both.groups())
    found = preference_agreement(both.preferences(), bootstrap)
    assert (found.pairs.mean, found.pairs.n, found.alpha.mean) == (1.0, 6, 1.0)
    on_scores = scores_agreement(both.ballots("overall"), bootstrap)
    assert on_scores.pairs.mean == 0.0
    assert on_scores.alpha.mean < 0


def test_raters_who_draw_lots_agree_by_chance_only() -> None:
    comparisons = [comparison(i, ["a", "b", "c", "d"]) for i in range(150)]
    rng = np.random.default_rng(0)
    drawn = {name: rng.integers(1, 8, (150, 4)).tolist() for name in ("x", "y")}
    both = panel(drawn, comparisons)
    bootstrap = Bootstrap(both.groups(), draws=300)
    for found in (
        scores_agreement(both.ballots("overall"), bootstrap),
        preference_agreement(both.preferences(), bootstrap),
    ):
        assert found.alpha.low < 0 < found.alpha.high
        assert abs(found.alpha.mean) < 0.1


def test_a_rater_that_always_says_four_agrees_with_nobody() -> None:
    comparisons = [comparison(i, ["a", "b"]) for i in range(20)]
    fours: list[list[int | None]] = [[4, 4]] * 20
    real: list[list[int | None]] = [[7, 1] if i % 2 else [1, 7] for i in range(20)]
    found = scores_agreement(panel({"four": fours, "real": real}, comparisons).ballots("overall"), Bootstrap(_ids(20)))
    assert found.pairs.mean == 0.0
    assert abs(found.alpha.mean) < 0.05  # chance
    alone = scores_agreement(panel({"four": fours, "also": fours}, comparisons).ballots("overall"), Bootstrap(_ids(20)))
    assert math.isnan(alone.alpha.mean)  # nothing to differ about is no agreement of 1


def test_one_rater_agrees_with_nobody() -> None:
    comparisons = [comparison(0, ["a", "b"])]
    found = scores_agreement(panel({"x": [[7, 1]]}, comparisons).ballots("overall"), Bootstrap(["t0"]))
    assert (found.pairs.n, math.isnan(found.alpha.mean)) == (0, True)


def test_alpha_of_preference_does_not_depend_on_which_critique_stands_first() -> None:
    comparisons = [comparison(i, ["a", "b"]) for i in range(12)]
    rng = np.random.default_rng(2)
    x, y = rng.integers(1, 8, (2, 12, 2))
    straight = panel({"x": x.tolist(), "y": y.tolist()}, comparisons)
    flip = np.arange(12) % 3 == 0
    x[flip], y[flip] = x[flip][:, ::-1], y[flip][:, ::-1]
    turned = panel({"x": x.tolist(), "y": y.tolist()}, comparisons)
    one, two = (preference_agreement(p.preferences(), Bootstrap(p.groups())).alpha.mean for p in (straight, turned))
    assert one == pytest.approx(two)


def _ids(n: int) -> list[str]:
    return [f"t{i}" for i in range(n)]
