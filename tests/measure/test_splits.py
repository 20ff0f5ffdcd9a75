"""What stands on both sides of a split is refused."""

from __future__ import annotations

import pytest

from momus.errors import MomusError
from momus.measure.splits import refuse_shared
from momus.records import Task


def task(name: str, answer: str, split: str | None, group: str | None = None) -> Task:
    return Task(id=name, question="", answer=answer, split=split, group=group)


def test_a_copy_in_another_layout_and_with_other_names_is_found() -> None:
    a = task("a", "def f(x):\n    return x + 1\n", "train")
    b = task("b", "def g(y):  # add\n    return y+1\n", "heldout")
    with pytest.raises(MomusError, match=r"the tasks a \(train\) and b \(heldout\) have the same answer"):
        refuse_shared([a, b])


def test_a_problem_in_two_splits_is_found() -> None:
    with pytest.raises(MomusError, match="have the same group"):
        refuse_shared([task("a", "x = 1", "dev", "p1"), task("b", "y = [2]", "train", "p1")])


def test_copies_on_one_side_and_tasks_without_a_split_are_let_through() -> None:
    refuse_shared([task("a", "x = 1", "dev", "p"), task("b", "x = 1", "dev", "p"), task("c", "x = 1", None, "p")])
