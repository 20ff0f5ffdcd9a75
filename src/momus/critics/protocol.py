"""What a critic is, and how one is kept going where a task makes it fail."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

from momus.critique import Critique
from momus.records import Sampled, Task


class Critic(Protocol):
    """Whatever writes critiques.

    It may also have `cut`, how review gives it code (`bare` units; a `unit` with its context in the task's `context`;
    units below their `context`; or the whole `file`),
    `runs`, true where it runs code: its units come with their `surroundings`;
    `version`, a string that changes with whatever makes it write other critiques (its weights, its
    settings), `ranks`, true where it puts lines in order rather than claim anything of them, and `expected_s`, a
    function of a task that says about how many seconds it takes on two cores.
    """

    name: str

    def critique(self, tasks: Iterable[Task], *, n: int = 1, seed: int) -> Iterator[Sampled]:
        """`n` critiques of each task, in order; a task that makes the critic fail gets an `error`, never silence."""
        ...


def each(name: str, tasks: Iterable[Task], n: int, write: Callable[[Task, int], Critique]) -> Iterator[Sampled]:
    """Critiques of tasks one by one, where `write` makes the i-th of a task; what it raises becomes the error."""
    for task in tasks:
        for i in range(n):
            try:
                yield Sampled(task_id=task.id, critic=name, i=i, critique=write(task, i))
            except Exception as error:
                yield failed(name, task, i, error)


def failed(name: str, task: Task, i: int, error: Exception) -> Sampled:
    """The record of a failure."""
    return Sampled(task_id=task.id, critic=name, i=i, finish="error", error=reason(error))


def reason(error: Exception) -> str:
    """What a critic failed with, in words. Code may parse, and still be too deep for what walks its tree."""
    return "it is nested too deeply" if isinstance(error, RecursionError) else str(error) or type(error).__name__
