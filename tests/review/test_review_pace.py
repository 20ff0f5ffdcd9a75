"""What is left of a review is said from what was done, and not before."""

from __future__ import annotations

import pytest

from momus.review.pace import Pace, in_words


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_rest_is_reckoned_at_the_pace_since_the_first_unit() -> None:
    clock = Clock()
    pace = Pace(10_000, clock)
    clock.now = 60.0  # loading the model is no part of the pace
    pace.answered(500)
    assert pace.left_s() is None
    clock.now = 65.0
    pace.answered(1000)
    assert pace.left_s() is None, "two units say too little"
    clock.now = 70.0
    pace.answered(1000)
    assert pace.left_s() == pytest.approx(7500 / 200)
    clock.now = 90.0
    pace.answered(8000)
    assert pace.left_s() == 0


def test_nothing_is_said_of_the_first_moments() -> None:
    clock = Clock()
    pace = Pace(1000, clock)
    for _ in range(5):
        clock.now += 0.1
        pace.answered(10)
    assert pace.left_s() is None


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, ""),
        (4, "a few seconds left"),
        (42, "about 40 s left"),
        (57, "about 1 min left"),
        (175, "about 3 min left"),
        (3000, "about 50 min left"),
        (5400, "about 1.5 h left"),
        (40_000, "about 11 h left"),
    ],
)
def test_what_is_left_is_said_as_roughly_as_it_is_known(seconds: float | None, words: str) -> None:
    assert in_words(seconds) == words
