"""Accuracy of choosing the solution that passes, with and without a critique."""

from __future__ import annotations

import math

import pytest

from momus.measure.truth import truth
from momus.records import Choice


def choices(right: list[bool], critic: str | None, rater: str = "ann") -> list[Choice]:
    return [
        Choice(task_id=f"t{i}", rater=rater, passes=1, chosen=1 if ok else 0, critic=critic, seconds=60 + i)
        for i, ok in enumerate(right)
    ]


def test_accuracy_in_both_ways_and_their_difference() -> None:
    alone, helped = choices([True, False] * 10, None), choices([True] * 15 + [False] * 5, "bundled")
    found = truth([*alone, *helped])
    assert (found.without.mean, found.with_critique.mean, found.added.mean) == (0.5, 0.75, 0.25)
    assert found.added.low < 0.25 < found.added.high
    assert 0 < found.p < 1
    assert found.seconds == (69.5, 69.5)


def test_no_help_can_not_be_told() -> None:
    same = truth([*choices([True, False] * 10, None), *choices([True, False] * 10, "bundled")])
    assert (same.added.mean, same.p, same.to_json()["verdict"]) == (0, 1.0, "cannot be told")


def test_choices_not_made_are_left_out_and_the_last_of_two_counts() -> None:
    first = choices([False], None)
    found = truth([*first, *choices([True], None), Choice(task_id="u", rater="ann", passes=0)])
    assert (found.without.mean, found.without.n, found.open) == (1.0, 1, 1)
    assert found.added.n == 0
    assert found.to_json()["verdict"] == "cannot be told"
    nothing = truth([])
    assert (nothing.without.n, math.isnan(nothing.p)) == (0, True)


def test_simulated_choosers_are_said_to_be() -> None:
    sim = [c.model_copy(update={"simulated": True}) for c in choices([True], None)]
    assert truth(sim).simulated
    assert not truth(choices([True], None)).simulated
    with pytest.raises(ValueError, match="greater than or equal"):
        Choice(task_id="t", rater="x", passes=0, seconds=-1)
