"""All lines of an answer in a critic's own order of suspicion, before any gate; kept on disk as they come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

from momus.critics import Critic
from momus.critique import TextMap
from momus.errors import MomusError
from momus.measure.item import flagged_lines
from momus.measure.runs import file_name, shown, whole_lines
from momus.records import Record, Sampled, Task, dump_line, read_line


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
    known = {} if path is None else {found.task_id: found for found in _read(path)}
    made = dict(known)
    for task in tasks:
        if task.id in made or task.id not in said or said[task.id].error is not None:
            continue
        lines = tuple((found.line, float(found.score)) for found in critic.suspicions(shown(task)))
        made[task.id] = Suspected(task_id=task.id, lines=lines)
        if path is not None:
            _keep(path, made[task.id])
    return {task.id: [line for line, _ in made[task.id].lines] for task in tasks if task.id in made}


def _by_comments(task: Task, sampled: Sampled) -> list[int]:
    return flagged_lines(sampled.critique.comments, TextMap(task.answer))


def _keep(path: Path, found: Suspected) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as out:
            out.write(dump_line(found))
    except OSError as error:
        raise MomusError(
            f"can't keep what was found in {path}: {error.strerror or error}: name another folder"
        ) from None


def _read(path: Path) -> list[Suspected]:
    return [read_line(line, Suspected, f"{path}:{n}") for n, line in enumerate(whole_lines(path), 1)]
