"""The rates of badges over right and false first claims, by the real sandbox."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from momus.critique import Comment, Span
from momus.evidence.witness import Prover
from momus.measure.evidenced import Told, first_claims, rates, table
from momus.measure.proof import sandbox_prover
from momus.records import Bug, Tamper, Task

TWIN = "def mean(xs):\n    return sum(xs) / len(xs)\n"
BUGGY = "def mean(xs):\n    return sum(xs) / (len(xs) + 1)\n"
TESTS = "assert mean([4]) == 4 and mean([1, 2]) == 1.5\n"


@dataclass
class Says:
    """Suggests the same in the place of what is divided by, whatever the answer."""

    suggestion: str
    name: str = "says"
    version: str = "1"
    asked: int = 0

    @dataclass
    class Found:
        comments: list[tuple[float, Comment]]

    def assess(self, task: Task) -> Found:
        self.asked += 1
        assert task.tests is None
        start = task.answer.index("/ ") + 2
        return self.Found([(1.0, Comment(Span(start, len(task.answer) - 1), "Wrong.", suggestion=self.suggestion))])


def tamper(question: str) -> Tamper:
    start = BUGGY.index("(len")
    bug = Bug(spans=(Span(start, len(BUGGY) - 1),), category="off-by-one", suggestion="len(xs)")
    task = Task(id="mean", question=question, answer=BUGGY, tests=TESTS)
    return Tamper(task=task, twin=TWIN, bugs=(bug,), proof="tests")


@pytest.fixture(autouse=True)
def _sandbox_present() -> None:
    if shutil.which("bwrap") is None and shutil.which("sandbox-exec") is None and os.environ.get("CI") != "true":
        pytest.skip("bubblewrap is not installed: claims are run in the real sandbox")


def told(critic: Says, question: str, folder: Path | None = None) -> list[Told]:
    return first_claims(critic, [tamper(question)], Prover(everything=True), sandbox_prover(), folder=folder)


def test_a_right_claim_is_proved_by_an_example_and_the_twin_is_left_in_peace(tmp_path: Path) -> None:
    critic = Says("len(xs) * 1")
    found = told(critic, "Give the mean.\n>>> mean([1, 3])\n2.0\n", tmp_path)
    assert [(one.twin, one.right, one.badge) for one in found] == [
        (False, True, "proved"),
        (True, False, "no-difference"),
    ]
    assert told(critic, "Give the mean.\n>>> mean([1, 3])\n2.0\n", tmp_path) == found
    assert critic.asked == 2  # what is kept is not done again
    without = rates(found)
    assert (without["right"]["share"], without["false"]["share"], without["on twins"]["share"]) == (1.0, 1.0, 0.0)


def test_the_data_s_tests_judge_in_the_second_figure_only() -> None:
    found = told(Says("len(xs)"), "Give the mean of the numbers xs.")
    first = found[0]
    assert (first.twin, first.right, first.badge, first.tested) == (False, True, "differs", "proved")
    false = told(Says("(len(xs) + 2)"), "Give the mean of the numbers xs.")
    assert [(one.twin, one.right, one.badge, one.tested) for one in false] == [
        (False, False, "differs", "differs"),
        (True, False, "differs", "disproved"),
    ]
    assert rates(false)["false"]["share"] == 0.0 and rates(false, tests=True)["false"]["share"] == 0.5
    lines = list(table("Means", rates(false), rates(false, tests=True)))
    assert lines[-2].startswith("| false, no difference found or disproved | 2 | 0% (0–84) | 50% (1–99) |")
