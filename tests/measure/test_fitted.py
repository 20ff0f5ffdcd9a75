"""What a critic was fitted on is left out of what it is measured on, and counted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import pytest

from momus.critics.local.calibration import SHIPPED, read
from momus.critique import Critique
from momus.errors import MomusError
from momus.measure import markdown, measure, small_bugs
from momus.measure.fitted import keys_of, unfitted
from momus.records import Sampled, Task


@dataclass
class Silent:
    """A critic that says nothing, and was fitted on something."""

    fitted: frozenset[str] = frozenset()
    name: str = "silent"
    asked: list[str] = field(default_factory=list)

    def critique(self, tasks: Iterable[Task], *, n: int = 1, seed: int) -> Iterator[Sampled]:
        for task in tasks:
            self.asked.append(task.answer)
            yield Sampled(task_id=task.id, critic=self.name, critique=Critique())


def test_what_a_critic_was_fitted_on_is_left_out_for_all_critics() -> None:
    bugs = small_bugs()
    critic, other = Silent(frozenset(keys_of(bugs[:2]))), Silent(name="other")
    clean = [bugs[0].task.model_copy(update={"id": "same", "group": "elsewhere"})]  # code that was fitted on
    found = measure([critic, other], bugs, clean, draws=50)
    assert found.fitted == 3 and found.items == len(bugs) - 2 and found.clean == 0
    assert bugs[0].task.answer not in critic.asked + other.asked and bugs[2].task.answer in other.asked
    assert "3 left out that a critic was fitted on" in markdown(found) and found.to_json()["fitted"] == 3


def test_with_other_names_and_comments_it_is_the_same_code() -> None:
    task = Task(id="a", question="", answer="def f(x):\n    y = x + 1\n    return y\n", group="g")
    renamed = Task(id="b", question="", answer="def g(a):  # new\n    b = a + 1\n    return b\n", group="h")
    assert unfitted([Silent(frozenset(keys_of([task])))], [renamed]) == []
    assert unfitted([Silent()], [renamed]) == [renamed]


def test_nothing_else_left_is_one_sentence() -> None:
    bugs = small_bugs()
    with pytest.raises(MomusError, match="a critic was fitted on all of it: measure on other data"):
        measure([Silent(frozenset(keys_of(bugs)))], bugs, draws=50)


def test_the_shipped_calibration_names_what_it_was_fitted_on() -> None:
    for path in SHIPPED.glob("*.json"):
        fitted = read(path).fitted
        assert len(fitted) > 500 and all(len(key) == 16 for key in fitted)
