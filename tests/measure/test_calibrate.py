"""Gate, confidence and promises on made-up scores whose truth is known."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from planted import WRONG, make_tamper, on

from momus.critique import Comment
from momus.errors import MomusError
from momus.measure.assessed import Assessed, assess_all, with_twins
from momus.measure.calibrate import CODE, QUESTION, auc, curve, fit, promises, thresholds
from momus.records import Tamper, Task


def made(seed: int, n: int, *, asked: bool, buggy: bool, shift: float = 0.0) -> list[Assessed]:
    """Answers with two comments each; of buggy ones the first is right with a chance that rises with its score."""
    rng = np.random.default_rng(seed)
    found = []
    for i in range(n):
        scores = np.sort(rng.exponential(1.0, 2) + shift)[::-1]
        right = buggy and rng.random() < 1 / (1 + math.exp(2 - scores[0]))
        comments = ((float(scores[0]), bool(right)), (float(scores[1]), False))
        found.append(Assessed(task_id=f"{seed}/{i}", group=f"g{i}", asked=asked, buggy=buggy, comments=comments))
    return found


@pytest.fixture
def assessed() -> list[Assessed]:
    return [
        found
        for asked in (True, False)
        for buggy in (True, False)
        for found in made(10 * asked + buggy, 300, asked=asked, buggy=buggy, shift=1.0 * buggy)
    ]


def test_thresholds_flag_no_larger_share_than_wanted_and_say_how_many(assessed: list[Assessed]) -> None:
    fitted = fit(assessed)
    for side, wanted, asked in ((fitted.question, QUESTION, True), (fitted.code, CODE, False)):
        clean = [found.score for found in assessed if not found.buggy and found.asked == asked]
        assert [t.dial for t in side.thresholds] == [10, 25, 50, 75]
        for threshold in side.thresholds:
            flagged = sum(score >= threshold.score for score in clean)
            assert (threshold.flagged, threshold.n) == (flagged, 300)
            assert flagged / 300 <= threshold.wanted == wanted[threshold.dial]
            assert threshold.low <= flagged / 300 <= threshold.high
        scores = [t.score for t in side.thresholds]
        assert scores == sorted(scores, reverse=True) and len(set(scores)) == 4


def test_in_four_draws_of_five_no_more_of_fresh_code_is_flagged_than_was_wanted() -> None:
    rng = np.random.default_rng(3)
    shares = []
    for _ in range(300):
        (threshold,) = thresholds(rng.exponential(1.0, 199).tolist(), {50: 0.05})
        shares.append(math.exp(-threshold.score))  # of an exponential, the share above
    assert 0.78 < float(np.mean(np.array(shares) <= 0.05)) < 0.95
    assert float(np.mean(shares)) > 0.025


def test_where_too_few_are_clean_to_allow_any_none_is_flagged() -> None:
    (threshold,) = thresholds([1.0, 2.0, 3.0], {10: 0.01})
    assert (threshold.flagged, threshold.low) == (0, 0.0) and threshold.score > 3.0


def test_equal_scores_are_flagged_together_or_not_at_all() -> None:
    (threshold,) = thresholds([1.0] * 90 + [5.0] * 10, {50: 0.05})
    assert threshold.flagged == 0 and threshold.score > 5.0
    (threshold,) = thresholds([0.0] * 98 + [5.0] * 2, {50: 0.05})
    assert threshold.flagged == 2


def test_confidence_rises_with_the_score_and_is_as_often_right_as_it_says(assessed: list[Assessed]) -> None:
    fitted = fit(assessed)
    points = fitted.code.confidence
    assert all(a[0] < b[0] and a[1] < b[1] for a, b in itertools.pairwise(points))
    for score in (1.5, 2.5, 3.5):  # of all first comments, where every other answer holds a bug
        buggy, clean = (2 * math.exp(-x) * (1 - math.exp(-x)) for x in (score - 1.0, score))
        share = buggy / (buggy + clean)
        assert fitted.code.chance(score) == pytest.approx(share / (1 + math.exp(2 - score)), abs=0.12)
    assert 0.6 < fitted.auc < 0.85
    assert fitted.right + fitted.wrong == 600


def test_scores_that_tell_nothing_give_one_chance() -> None:
    scores = np.linspace(1, 5, 40)
    ((_, chance),) = curve(scores, (np.arange(40) < 20).astype(float))  # the higher, the less often right
    assert chance == pytest.approx(0.5)


def test_area_under_the_curve() -> None:
    assert auc([0.9, 0.8, 0.1], [1, 1, 0]) == 1.0
    assert auc([0.5, 0.5], [1, 0]) == 0.5
    assert math.isnan(auc([0.5], [1]))


def test_a_promise_is_kept_on_fresh_answers_nine_times_of_ten() -> None:
    kept, asked_for = 0, 3.0
    fresh = [*made(900, 2000, asked=True, buggy=True), *made(901, 2000, asked=True, buggy=False)]
    for trial in range(40):
        buggy = made(trial, 150, asked=True, buggy=True)
        clean = made(100 + trial, 150, asked=True, buggy=False)
        found = promises(buggy, clean, trial)
        bounds = [promise.bound for promise in found]
        assert bounds == sorted(bounds)
        score = min(promise.score for promise in found if promise.bound <= asked_for)
        kept += 10 * float(np.mean([review.spurious(score) for review in fresh])) <= asked_for
    assert kept >= 36


def test_too_few_of_a_kind_are_refused(assessed: list[Assessed]) -> None:
    with pytest.raises(MomusError, match="0 buggy code without a question are too few"):
        fit([found for found in assessed if found.asked or not found.buggy])


@dataclass
class Told:
    comments: list[tuple[float, Comment]]


@dataclass
class Scripted:
    """A critic with scores by hand: right on the bug first, then a repetition, then beside it."""

    name: str = "scripted"
    version: str = "1"
    asked: list[str] = field(default_factory=list)
    broken: bool = False

    def assess(self, task: Task) -> Told:
        self.asked.append(task.id)
        if self.broken:
            raise ValueError("out of order")
        if WRONG not in task.answer:
            return Told([(0.5, on(task, "s = 0"))])
        return Told([(2.0, on(task, WRONG)), (1.5, on(task, WRONG)), (1.0, on(task, "s = 0"))])


def test_answers_are_assessed_once_and_kept(tmp_path: Path, tampers: list[Tamper]) -> None:
    critic = Scripted()
    clean = Task(id="c", question="", answer=tampers[0].twin, group="p")
    found = assess_all(critic, [*tampers, clean], folder=tmp_path)
    assert found[0].comments == ((2.0, True), (1.5, False), (1.0, False)) and found[0].buggy and found[0].asked
    assert found[-1].comments == ((0.5, False),) and not found[-1].buggy and not found[-1].asked
    assert (found[-1].group, found[0].spurious(1.2), found[0].score) == ("p", 1, 2.0)
    again = Scripted()
    assert assess_all(again, [*tampers, clean], folder=tmp_path) == found and again.asked == []
    other = Scripted(version="2")
    assess_all(other, [clean], folder=tmp_path)
    assert other.asked == ["c"]
    with pytest.raises(MomusError, match="could assess nothing: out of order"):
        assess_all(Scripted(broken=True), [make_tamper(7)])


def test_what_a_buggy_answer_is_when_it_is_fixed_counts_as_clean(tampers: list[Tamper]) -> None:
    clean = Task(id="c", question="", answer=tampers[0].twin, group="p")
    found = assess_all(Scripted(), with_twins([*tampers, clean]))
    assert len(found) == 2 * len(tampers) + 1 and len({one.task_id for one in found}) == len(found)
    assert [one.buggy for one in found] == [True] * len(tampers) + [False] * (len(tampers) + 1)
    assert {one.group for one in found if one.buggy} == {one.group for one in found[len(tampers) + 1 :]}
