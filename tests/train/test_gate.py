"""The gate is what a logistic regression by hand gives, and keeps its promise of silence."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from momus.critics.trivial import acting_lines
from momus.critique import TextMap
from momus.errors import MomusError
from momus.models.bundled import Gate, Suspicion
from momus.records import Task
from momus.train.gate import Judged, development_tampers, fit, judge, logistic, threshold
from tiny_run import TinyRun


def test_logistic_regression_on_a_case_that_can_be_done_by_hand() -> None:
    """At x = 1 three of four are bugs, at x = -1 one of four: slope log 3, no bias."""
    x = np.array([[1, 0]] * 4 + [[-1, 0]] * 4, float)
    y = np.array([1, 1, 1, 0, 1, 0, 0, 0], float)
    scan, point, bias = logistic(np.tile(x, (100, 1)), np.tile(y, 100))
    assert scan == pytest.approx(np.log(3), abs=1e-3) and abs(point) < 1e-9 and abs(bias) < 1e-9


def test_the_bias_is_the_base_rate_where_nothing_else_tells() -> None:
    y = np.array([1.0] * 10 + [0.0] * 90)
    assert logistic(np.zeros((100, 2)), y)[2] == pytest.approx(np.log(1 / 9), abs=1e-3)


def test_logistic_regression_agrees_with_a_plain_descent() -> None:
    rng = np.random.default_rng(3)
    x = rng.normal(size=(500, 2)) * (2.0, 0.7) + (0.3, -1.0)
    y = (rng.random(500) < 1 / (1 + np.exp(-(1.2 * x[:, 0] - 0.8 * x[:, 1] - 0.5)))).astype(float)
    design = np.column_stack([x, np.ones(500)])
    weights = np.zeros(3)
    for _ in range(5000):
        weights += 0.01 * (design.T @ (y - 1 / (1 + np.exp(-design @ weights))) - 1e-3 * weights)
    assert logistic(x, y) == pytest.approx(tuple(weights), abs=1e-4)


def test_lines_that_part_cleanly_do_not_run_away() -> None:
    x = np.array([[5.0, 0.0]] * 20 + [[-5.0, 0.0]] * 20)
    found = logistic(x, np.array([1.0] * 20 + [0.0] * 20))
    assert all(np.isfinite(found)) and 0 < found[0] < 100


@given(
    highest=st.lists(st.floats(0, 1), min_size=1, max_size=60),
    flagged=st.sampled_from([0.0, 0.05, 0.1, 0.3, 0.99, 1.0]),
)
def test_no_more_clean_answers_are_flagged_than_promised_and_no_fewer_than_need_be(
    highest: list[float], flagged: float
) -> None:
    found = threshold(highest, flagged)
    assert sum(h >= found for h in highest) <= flagged * len(highest) + 1e-6
    lower = [h for h in highest if h < found]
    if lower:  # the next one down would have broken it
        assert sum(h >= max(lower) for h in highest) > flagged * len(highest) - 1e-6


def test_a_threshold_stands_between_what_is_silent_and_what_is_spoken_of() -> None:
    assert threshold([0.9, 0.5, 0.1, 0.0], 0.25) == pytest.approx(0.7)
    assert threshold([0.9, 0.5], 0.0) == pytest.approx(0.95)
    assert threshold([1.0, 1.0], 0.0) > 1.0
    assert threshold([0.3], 1.0) == 0.0


def planted(count: int, seed: int = 0) -> list[tuple[Judged, Judged]]:
    """Pairs where a bug's line has a scan of about 3 more than others, and its worst token is about 1 worse."""
    rng = np.random.default_rng(seed)

    def answer(buggy: bool) -> Judged:
        features = rng.normal(size=(10, 3))
        lines = np.zeros(10, bool)
        if buggy:
            at = rng.integers(10)
            lines[at] = True
            features[at] += (3, 1, 0)
        return Judged(tuple(Suspicion(n, *map(float, row)) for n, row in enumerate(features, 1)), lines)

    return [(answer(True), answer(False)) for _ in range(count)]


@pytest.mark.parametrize("flagged", [0.0, 0.05, 0.1, 0.5])
def test_the_fitted_gate_keeps_its_promise_and_finds_what_is_there(flagged: float) -> None:
    pairs = planted(200)
    gate, report = fit(pairs, flagged)

    def speaks(judged: Judged) -> bool:
        return any(gate.confidence(suspicion) >= gate.threshold for suspicion in judged.suspicions)

    assert np.mean([speaks(clean) for _, clean in pairs]) == pytest.approx(report["clean_flagged"])
    assert np.mean([speaks(buggy) for buggy, _ in pairs]) == pytest.approx(report["tampered_flagged"])
    assert report["clean_flagged"] == pytest.approx(flagged, abs=0.006) and report["clean_flagged"] <= flagged
    assert report["tampered_flagged"] > report["clean_flagged"] + 0.1
    assert report["first_line_right"] > 0.7 and gate.scan > 1 and 0.3 < gate.token < gate.scan and abs(gate.point) < 0.5
    assert report["found"] <= min(report["tampered_flagged"], report["first_line_right"])


def test_answers_without_lines_are_borne() -> None:
    empty = Judged((), np.zeros(0, bool))
    _, report = fit([*planted(30), (empty, empty)], 0.1)
    assert report["pairs"] == 31


def test_too_few_tampers_are_one_sentence() -> None:
    with pytest.raises(MomusError, match="at least 20 development tampers, not 3"):
        fit(planted(3), 0.1)


def test_development_tampers_are_judged_beside_their_twins(tiny_run: TinyRun) -> None:
    from momus.tamper import OPERATORS

    tampers = list(development_tampers(tiny_run.functions["dev"], 5, seed=1))
    assert tampers == list(development_tampers(tiny_run.functions["dev"], 5, seed=1)) and len(tampers) == 5
    for tamper in tampers:
        assert len(tamper.bugs) == 1 and tamper.bugs[0].operator is not None
        assert not OPERATORS[tamper.bugs[0].operator].held_out
    for tamper, (buggy, clean) in zip(tampers, judge(tiny_run.opened(), tampers), strict=True):
        text = TextMap(tamper.task.answer)
        arguable = acting_lines(text, signatures=True)
        marked = [line for line, bug in zip(arguable, buggy.buggy, strict=True) if bug]
        assert marked == list(text.lines(tamper.bugs[0].spans[0]))
        assert not clean.buggy.any() and len(clean.suspicions) == len(
            acting_lines(TextMap(tamper.twin), signatures=True)
        )


def test_development_tampers_are_of_answers_too(tiny_run: TinyRun) -> None:
    code = "def f(xs):\n    s = 0\n    for x in xs:\n        s += x\n    return s\n"
    answer = Task(id="qa/1", question="Add up.", answer=code)
    first, second = development_tampers([answer, *tiny_run.functions["dev"][:9]], 2, seed=1)
    assert first.twin == answer.answer and first.task.question == "Add up." and second.task.question != "Add up."


def test_the_exported_gate_is_the_one_that_was_reported(tiny_run: TinyRun) -> None:
    gate = tiny_run.opened().gate
    assert gate != Gate() and gate.threshold > 0
