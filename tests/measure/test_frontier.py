"""Pareto frontiers by hand and by brute force."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from momus.measure.frontier import Track, area_under, beyond, frontier, pareto

POINTS = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=9)


@given(POINTS)
def test_no_point_of_the_frontier_is_beaten_and_every_other_is(points: list[tuple[int, int]]) -> None:
    kept = pareto([x for x, _ in points], [y for _, y in points])

    def is_beaten(i: int) -> bool:
        x, y = points[i]
        return any((a <= x and b > y) or (a < x and b >= y) for a, b in points)

    assert {points[i] for i in kept} == {points[i] for i in range(len(points)) if not is_beaten(i)}
    assert len(kept) == len({points[i] for i in kept})


@given(POINTS, st.integers(0, 9))
def test_the_line_is_the_best_mixture_of_two_settings(points: list[tuple[int, int]], cost: int) -> None:
    best = -math.inf
    for x1, y1 in points:
        for x2, y2 in points:
            if x1 <= cost:
                best = max(best, y1)
            if x1 <= cost < x2:
                best = max(best, y1 + (y2 - y1) * (cost - x1) / (x2 - x1))
    reached = frontier([x for x, _ in points], [y for _, y in points]).at(cost)
    assert math.isnan(reached) if best == -math.inf else reached == pytest.approx(best)


def test_area_and_height_of_a_triangle() -> None:
    line = frontier([1.0, 3.0, 2.0], [0.0, 1.0, 0.2])  # the middle one lies below the line of the others
    assert line.costs.tolist() == [1, 3]
    assert (line.at(2), line.at(9)) == (0.5, 1.0)
    assert math.isnan(line.at(0.5))
    assert line.area(1, 3) == pytest.approx(0.5)
    assert line.area(3, 5) == 1.0
    assert math.isnan(line.area(0, 2))
    assert frontier([2.0], [1.0], silence=True).at(1) == 0.5


def track(name: str, settings: dict[str, tuple[float, float]], items: int = 200, seed: int = 0) -> Track:
    rng = np.random.default_rng(seed)
    noise = 0.1 * rng.standard_normal((2, len(settings), items))
    at = np.array(list(settings.values()))
    return Track(name, tuple(settings), at[:, :1] + noise[0], at[:, 1:] + noise[1])


def test_a_team_beyond_the_frontier_is_above_one_on_it_can_not_be_told_and_one_beneath_is_below() -> None:
    critic = track("critic", {"10": (1.0, 0.4), "50": (2.0, 0.6), "75": (3.0, 0.7)})
    people = track("people", {"beyond": (1.5, 0.6), "on": (1.5, 0.5), "under": (2.5, 0.5), "cheap": (0.2, 0.3)}, seed=1)
    found = {b.point: b for b in beyond(people, critic, range(200), draws=300)}
    verdicts = {name: b.verdict for name, b in found.items()}
    assert verdicts == {"beyond": "above", "on": "cannot be told", "under": "below", "cheap": "cannot be told"}
    assert found["beyond"].above.mean == pytest.approx(0.1, abs=0.03)
    assert math.isnan(found["cheap"].above.mean)
    with_silence = {b.point: b for b in beyond(people, critic, range(200), silence=True, draws=300)}
    assert with_silence["cheap"].verdict == "above"  # silence and the setting 10 mixed reach 0.08


def test_the_area_has_an_interval() -> None:
    critic = track("critic", {"low": (0.0, 0.2), "high": (2.0, 0.6)})
    figure = area_under(critic, range(200), 0.2, 2.0, draws=300)
    assert figure.mean == pytest.approx(0.42, abs=0.02)
    assert figure.low < figure.mean < figure.high
