"""What trains and tunes besides the corpus: correct answers, which get tampered, and natural bugs with their fixes."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from momus.errors import MomusError
from momus.measure.datasets import load_bugs, load_items, load_tasks, task_of
from momus.records import Tamper, Task

NEVER = ("quixbugs", "written/operations/")  # set aside for measuring, in any form
LAST_HUMANEVAL = 81  # problems 82 and up are set aside as well
_HUMANEVAL = re.compile(r"humaneval[a-z_+-]*[/_-](\d+)")


def training_records(paths: Iterable[Path]) -> Iterator[Task | Tamper]:
    """Records of the `train` split of each file: bugs that have a place, else tasks to tamper.

    Raises MomusError naming a record that is set aside for measuring, or a file without anything to train on.
    """
    for path in paths:
        bugs = [bug for bug in load_bugs(path, split="train") if bug.bugs] if _holds_bugs(path) else []
        records = bugs or load_tasks(path, split="train")
        if not records:
            raise MomusError(f"{path} has no record whose split is train; give another file, or mark what may train")
        for record in records:
            refuse_reserved(task_of(record))
            yield record


def development_answers(paths: Iterable[Path], apart: Iterable[Path], seed: int) -> list[Task]:
    """Correct answers of the `dev` split of each file, shuffled, but for problems that a file of `apart` has.

    Raises MomusError as `training_records` does.
    """
    measured = {task_of(item).group for path in apart for item in load_items(path)}
    found = []
    for path in paths:
        tasks = [task for task in load_tasks(path, split="dev") if task.group is None or task.group not in measured]
        if not tasks:
            raise MomusError(f"{path} has no record of the split dev, or all its problems are set apart; leave it out")
        for task in tasks:
            refuse_reserved(task)
        found += tasks
    random.Random(seed).shuffle(found)
    return found


def refuse_reserved(task: Task) -> None:
    """Raises MomusError where a task must never enter training or tuning."""
    name = f"{task.group or ''} {task.id} {task.source}".lower()
    problems = [int(number) for number in _HUMANEVAL.findall(name)]
    if any(word in name for word in NEVER) or any(problem > LAST_HUMANEVAL for problem in problems):
        raise MomusError(f"{task.id} is set aside for measuring; leave it out of what trains")


def _holds_bugs(path: Path) -> bool:
    try:
        with path.open("rb") as lines:
            first = next((line for line in lines if line.strip()), b"")
    except OSError as error:
        raise MomusError(f"cannot read {path}: {error.strerror}") from None
    return b'"buggy"' in first or b'"twin"' in first
