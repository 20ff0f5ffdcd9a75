"""What trains besides the corpus: tasks with correct answers, which get tampered, and natural bugs with their fixes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from momus.errors import MomusError
from momus.measure.datasets import load_bugs, load_tasks
from momus.records import Tamper, Task

NEVER = ("quixbugs",)  # set aside for measuring, in any form
LAST_HUMANEVAL = 81  # problems 82 and up are set aside as well


def training_records(paths: Iterable[Path]) -> Iterator[Task | Tamper]:
    """Records of the `train` split of each file: bugs that have a place, else tasks to tamper.

    Raises MomusError naming a record that is set aside for measuring.
    """
    for path in paths:
        bugs = [bug for bug in load_bugs(path, split="train") if bug.bugs] if _holds_bugs(path) else []
        for record in bugs or load_tasks(path, split="train"):
            refuse_reserved(record.task if isinstance(record, Tamper) else record)
            yield record


def refuse_reserved(task: Task) -> None:
    """Raises MomusError where a task must never enter training or tuning."""
    name = f"{task.group or ''} {task.id}".lower()
    number = task.group.rpartition("/")[2] if task.group and task.group.lower().startswith("humaneval/") else ""
    if any(word in name for word in NEVER) or (number.isdigit() and int(number) > LAST_HUMANEVAL):
        raise MomusError(f"{task.id} is set aside for measuring; leave it out of what trains")


def _holds_bugs(path: Path) -> bool:
    try:
        with path.open(encoding="utf-8") as lines:
            first = lines.readline()
    except OSError as error:
        raise MomusError(f"cannot read {path}: {error.strerror}") from None
    return '"buggy"' in first or '"twin"' in first
