"""One threshold over several ways to compute."""

import pytest

from momus.critics.local.scan import LineSuspicion
from momus.critique import Span
from momus.measure.modes import Scanned, compared, scan_all, table, threshold
from momus.records import Bug, Tamper, Task

BUGGY = "def last(xs):\n    n = len(xs)\n    return xs[n]\n"
TWIN = "def last(xs):\n    n = len(xs)\n    return xs[n - 1]\n"


class Suspecting:
    """Suspects the last line by so many nats, of a buggy answer and of its twin."""

    def __init__(self, buggy: float, twin: float) -> None:
        self._scores = {BUGGY: buggy, TWIN: twin}

    def suspicions(self, task: Task) -> list[LineSuspicion]:
        return [LineSuspicion(3, self._scores[task.answer]), LineSuspicion(2, 0.1)]


def scanned(scores: list[tuple[float, bool, float]]) -> list[Scanned]:
    return [
        Scanned(task_id=str(i), score=score, right=right, twin_score=twin)
        for i, (score, right, twin) in enumerate(scores)
    ]


def test_the_most_suspicious_line_of_answer_and_twin_is_read() -> None:
    start = BUGGY.index("xs[n]")
    bug = Bug(spans=(Span(start, start + 5),), category="off-by-one", suggestion="xs[n - 1]")
    tamper = Tamper(task=Task(id="last", question="", answer=BUGGY), twin=TWIN, bugs=(bug,))
    [found] = scan_all(Suspecting(3.0, 1.0), [tamper])
    assert (found.score, found.right, found.twin_score) == (3.0, True, 1.0)


def test_a_threshold_lies_between_two_twins_and_flags_the_share() -> None:
    twins = scanned([(9.0, True, float(n)) for n in range(40)])
    for share, flagged in ((0.025, 1), (0.05, 2), (0.1, 4)):
        least = threshold(twins, share)
        assert sum(one.twin_score >= least for one in twins) == flagged
        assert all(abs(one.twin_score - least) > 0.1 for one in twins)


def test_ways_are_held_against_the_first_at_its_thresholds() -> None:
    base = [(float(n), n % 2 == 0, float(n) / 2) for n in range(40)]
    moved = [(score + (3.0 if score == 36.0 else 0.0), right, twin) for score, right, twin in base]
    lost = [(score, right and score < 38, twin) for score, right, twin in base]
    rows = compared({"one": scanned(base), "moved": scanned(moved), "lost": scanned(lost)})
    assert [row["way"] for row in rows] == ["one", "moved", "lost"] * 3
    for one, other, less in zip(rows[::3], rows[1::3], rows[2::3], strict=True):
        assert one["threshold"] == other["threshold"] and one["apart"] == other["apart"] == 0
        assert less["apart"] == pytest.approx(one["found"] - less["found"]) == pytest.approx(1 / 40)
    assert len(table(rows)) == 2 + len(rows)
