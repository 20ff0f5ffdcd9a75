"""Calibration by hand and against what is known of it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from planted import make_tamper, on

from momus.critique import Comment, Critique
from momus.measure.calibration import calibration, outcomes


def test_ece_and_brier_by_hand() -> None:
    # bin 0.2-0.3: says 0.25, half right; bin 0.9-1: says 1.0, all right
    found = calibration([0.25, 0.25, 1.0, 1.0], [1, 0, 1, 1], range(4))
    assert found.ece.mean == pytest.approx(0.125)
    assert found.brier.mean == pytest.approx((0.75**2 + 0.25**2) / 4)
    assert [(b.low, b.high, b.confidence, b.right.mean, b.right.n) for b in found.bins] == [
        (0.2, 0.3, 0.25, 0.5, 2),
        (0.9, 1.0, 1.0, 1.0, 2),
    ]


def test_true_confidence_shows_no_more_error_than_chance_and_a_boaster_does() -> None:
    rng = np.random.default_rng(0)
    said = rng.random(2000)
    right = (rng.random(2000) < said).astype(float)
    honest = calibration(said, right, range(2000), draws=200)
    assert honest.ece.mean == pytest.approx(honest.ece_by_chance, abs=0.01)
    boaster = calibration(np.sqrt(said), right, range(2000), draws=200)
    assert boaster.ece.low > 3 * boaster.ece_by_chance
    assert boaster.brier.mean > honest.brier.mean


def test_comments_without_confidence_are_counted_and_left_out() -> None:
    found = calibration([math.nan, 0.5, 0.5], [1, 1, math.nan], range(3))
    assert (found.without, found.brier.n, found.brier.mean) == (2, 1, 0.25)
    nothing = calibration([math.nan], [1], [0])
    assert (nothing.bins, nothing.ece.n, nothing.without) == ((), 0, 1)
    with pytest.raises(ValueError, match="between 0 and 1"):
        calibration([1.2], [1], [0])


def test_a_true_comment_repeated_is_right_once() -> None:
    tamper = make_tamper()
    said = on(tamper.task, "for i in")
    critique = Critique((*(Comment(said.highlight, "x", confidence=c) for c in (0.9, 0.8)), said))
    confidences, right = outcomes(critique, tamper.bugs, tamper.task.answer)
    assert right == [1.0, 0.0, 0.0]
    assert confidences[:2] == [0.9, 0.8] and math.isnan(confidences[2])
