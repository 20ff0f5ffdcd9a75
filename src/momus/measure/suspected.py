"""All lines of an answer in a critic's own order of suspicion, before any gate; kept on disk as they come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

from momus.critics import Critic
from momus.critique import TextMap
from momus.measure.item import flagged_lines
from momus.measure.runs import append, file_name, read_kept, shown
from momus.records import Record, Sampled, Task


class Suspicion(Protocol):
    """A 1-based line and how suspect it is."""

    @property
    def line(self) -> int: ...

    @property
    def score(self) -> float: ...


@runtime_checkable
class Suspects(Protocol):
    """A critic that puts all lines of an answer in order, the most suspect first, whatever its gate would show."""

    def suspicions(self, task: Task) -> Sequence[Suspicion]: ...


class Suspected(Record):
    """The lines of one task, the most suspect first, with their scores."""

    task_id: str
    lines: tuple[tuple[int, float], ...] = ()


def lines_of_all(
    critic: Critic, tasks: Sequence[Task], said: Mapping[str, Sampled], *, seed: int, folder: Path | None = None
) -> dict[str, list[int]]:
    """The lines of each task in a critic's order, by task id; nothing of a task that it failed on.

    A critic that only puts lines in order (`ranks`) is read by its comments. Empty for one that tells no order.
    """
    if getattr(critic, "ranks", False):
        return {name: _by_comments(task, said[name]) for task in tasks if (name := task.id) in said}
    if not isinstance(critic, Suspects):
        return {}
    path = None if folder is None else folder / f"{file_name(critic, seed).removesuffix('.jsonl')}-lines.jsonl"
    known = {} if path is None else {found.task_id: found for found in read_kept(path, Suspected)}
    made = dict(known)
    for task in tasks:
        if task.id in made or task.id not in said or said[task.id].error is not None:
            continue
        lines = tuple((found.line, float(found.score)) for found in critic.suspicions(shown(task)))
        made[task.id] = Suspected(task_id=task.id, lines=lines)
        if path is not None:
            append(path, made[task.id])
    return {task.id: [line for line, _ in made[task.id].lines] for task in tasks if task.id in made}


def _by_comments(task: Task, sampled: Sampled) -> list[int]:
    return flagged_lines(sampled.critique.comments, TextMap(task.answer))
