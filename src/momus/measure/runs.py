"""Critiques of many tasks by one critic, kept on disk as they come, so that a killed run loses nothing."""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from momus.critics import Critic
from momus.critics.protocol import failed
from momus.errors import MomusError
from momus.records import Record, Sampled, Task, dump_line, read_line

# Draws progress over what is still to be done: (items, what, total) -> items.
R = TypeVar("R", bound=Record)
Track = Callable[[Iterable[Sampled], str, int], Iterable[Sampled]]


def gather(
    critic: Critic, tasks: Sequence[Task], *, seed: int, folder: Path | None = None, track: Track | None = None
) -> dict[str, Sampled]:
    """One critique of each task, by task id; the ids have to tell versions of an answer apart.

    The critic is shown the tasks shuffled, and of each only what a reader of the answer sees (`shown`), unless it says
    again what it once said and has to know the ids (`by_id`). With `folder`, what stands there is not made again, but
    for failures, which are tried again. A critic that raises, or passes over a task, has failed on what it did not do;
    only MomusError at its first task is passed on.
    """
    todo = {task.id: task for task in tasks}
    done: dict[str, Sampled] = {}
    path = None if folder is None else folder / file_name(critic, seed)
    if path is not None:
        done = {
            sampled.task_id: sampled
            for sampled in read_kept(path, Sampled)
            if sampled.task_id in todo and not sampled.error
        }
    todo = {name: task for name, task in todo.items() if name not in done}
    if not todo:
        return done
    fresh: Iterable[Sampled] = _critiques(critic, list(todo.values()), seed)
    if track is not None:
        fresh = track(fresh, critic.name, len(todo))
    if path is None:
        done.update((sampled.task_id, sampled) for sampled in fresh)
        return done
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as out:
            for sampled in fresh:
                done[sampled.task_id] = sampled
                out.write(dump_line(sampled))
                out.flush()
    except OSError as error:
        raise MomusError(f"can't keep critiques in {path}: {error.strerror or error}: give another folder") from None
    return done


def kept(critic: Critic, seed: int, folder: Path) -> set[str]:
    """The ids of the tasks whose critiques an earlier run has left in a folder."""
    return {sampled.task_id for sampled in read_kept(folder / file_name(critic, seed), Sampled) if not sampled.error}


def file_name(critic: Critic, seed: int) -> str:
    """The file that holds a critic's critiques: another version or seed has another file."""
    key = f"{critic.name}\0{getattr(critic, 'version', '')}\0{seed}"
    slug = re.sub(r"[^A-Za-z0-9.+-]+", "-", critic.name).strip("-")
    return f"{slug}-{hashlib.sha256(key.encode()).hexdigest()[:8]}.jsonl"


def shown(task: Task) -> Task:
    """What a critic that is measured sees of a task: an id that tells the text alone, no tests, no group, no origin.

    An id that a critic knows, or that joins an answer and its twin, would tell it where to look.
    """
    mark = hashlib.sha256(f"{task.question}\0{task.answer}\0{task.context}".encode("utf-8", "surrogatepass"))
    hidden = {"tests": None, "group": None, "split": None, "source": ""}
    return task.model_copy(update={"id": mark.hexdigest()[:20], **hidden})


def _critiques(critic: Critic, tasks: list[Task], seed: int) -> Iterator[Sampled]:
    by_id = getattr(critic, "by_id", False)
    waiting: dict[str, list[str]] = {}
    asked: dict[str, Task] = {}
    for task in random.Random(f"{seed}/order").sample(tasks, len(tasks)):
        given = task if by_id else shown(task)
        asked[given.id] = given
        waiting.setdefault(given.id, []).append(task.id)
    why: Exception = RuntimeError("the critic said nothing of this task")
    done = 0
    try:
        for sampled in critic.critique(list(asked.values()), n=1, seed=seed):
            for name in waiting.pop(sampled.task_id, ()):
                done += 1
                yield sampled.model_copy(update={"task_id": name})
    except MomusError as error:
        if not done:
            raise
        why = error
    except Exception as error:
        why = error
    for seen, names in waiting.items():
        for name in names:
            yield failed(critic.name, asked[seen].model_copy(update={"id": name}), 0, why)


def append(path: Path, record: Record) -> None:
    """Add one record to a file, making it where it is not there. Raises MomusError where that can't be done."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as out:
            out.write(dump_line(record))
    except OSError as error:
        raise MomusError(
            f"can't keep what was found in {path}: {error.strerror or error}: name another folder"
        ) from None


def read_kept(path: Path, kind: type[R]) -> list[R]:
    """The records that an earlier run left in a file; none where it is not there. Raises MomusError naming the line."""
    return [read_line(line, kind, f"{path}:{number}") for number, line in enumerate(whole_lines(path), 1)]


def whole_lines(path: Path) -> list[bytes]:
    """What an earlier run left. A last line that was cut off is cut away, so that the next one starts afresh."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return []
    whole = content.rfind(b"\n") + 1
    if whole < len(content):
        with path.open("r+b") as out:
            out.truncate(whole)
    return content[:whole].splitlines()
