"""Critics with a known score, and tasks to plant them on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from momus.critique import Comment, Critique, Span
from momus.records import Bug, Sampled, Tamper, Task

TWIN = """def total(xs):
    s = 0
    for i in range(len(xs)):
        s += xs[i]
    return s
"""
WRONG, RIGHT = "for i in range(len(xs) + 1):", "for i in range(len(xs)):"
TESTS = "assert total([1, 2]) == 3\nassert total([]) == 0\n"


class Planted:
    """A critic that says what a function says."""

    by_id = False  # whether it is to see the tasks' own ids

    def __init__(self, name: str, write: Callable[[Task], Critique]) -> None:
        self.name = name
        self.write = write
        self.asked: list[str] = []

    def critique(self, tasks: Iterable[Task], *, n: int = 1, seed: int) -> Iterator[Sampled]:
        for task in tasks:
            self.asked.append(task.id)
            try:
                yield Sampled(task_id=task.id, critic=self.name, critique=self.write(task))
            except ValueError as error:
                yield Sampled(task_id=task.id, critic=self.name, finish="error", error=str(error))


def on(task: Task, quote: str, category: str = "other", suggestion: str | None = None) -> Comment:
    """A comment on the first place where a quote stands."""
    start = task.answer.index(quote)
    return Comment(Span(start, start + len(quote)), "Wrong.", category, suggestion=suggestion)


def make_tamper(i: int = 0, *, group: str | None = None, pad: int = 0) -> Tamper:
    """One off-by-one in five lines, `pad` further lines of code behind them."""
    twin = TWIN + "".join(f"unused_{j} = {j}\n" for j in range(pad))
    answer = twin.replace(RIGHT, WRONG)
    start = answer.index(WRONG)
    bug = Bug(spans=(Span(start, start + len(WRONG)),), category="off-by-one", suggestion=RIGHT, operator="past-end")
    task = Task(id=f"t{i}", question="Sum.", answer=answer, tests=TESTS, group=group)
    return Tamper(task=task, twin=twin, bugs=(bug,), proof="tests")


def oracle(task: Task) -> Critique:
    """Finds exactly the bug, and nothing in the twin."""
    return Critique((on(task, WRONG, "off-by-one", RIGHT),)) if WRONG in task.answer else Critique()
