"""What PPO's policy is asked about: the critique requests of the reward model's own set (paper section 2.2.4)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from momus.critique import TextMap
from momus.errors import MomusError
from momus.measure.datasets import load_items, task_of
from momus.models.protocol import Codec, Prompt
from momus.records import Comparison, Task, read_jsonl
from momus.train.sources import refuse_reserved


@dataclass(frozen=True, slots=True)
class Request:
    """One request as tokens, and the answer that a critique's quotes must stand in."""

    tokens: tuple[int, ...]
    answer: TextMap


def read_tasks(paths: Iterable[Path]) -> list[Task]:
    """The tasks of files of tasks, bugs or comparisons, each once; those of another split than train are left out.

    Raises MomusError on a file that cannot be read, and on a task that is set aside for measuring.
    """
    found: dict[tuple[str, str], Task] = {}
    for path in paths:
        for task in _tasks(path):
            if task.split in (None, "train"):
                refuse_reserved(task)
                found.setdefault((task.question, task.answer), task)
    return list(found.values())


def requests_of(tasks: Sequence[Task], codec: Codec, max_prompt: int) -> list[Request]:
    """Tasks as requests; those that the codec cannot put, or that are too long, are left out.

    Raises MomusError where none is left.
    """
    kept = []
    for task in tasks:
        try:
            tokens = codec.ask(Prompt(task.question, task.answer))
        except ValueError:
            continue
        if len(tokens) <= max_prompt:
            kept.append(Request(tuple(tokens), TextMap(task.answer)))
    if not kept:
        raise MomusError("no task of the split train can be asked about; give other tasks, or a larger max_prompt")
    return kept


def requests_hash(requests: Sequence[Request]) -> str:
    """Says whether two runs ask the same."""
    found = hashlib.sha256()
    for request in requests:
        found.update(repr(request.tokens).encode())
    return found.hexdigest()


def _tasks(path: Path) -> Iterator[Task]:
    try:
        with path.open("rb") as lines:
            first = next((line for line in lines if line.strip()), b"")
    except OSError as error:
        raise MomusError(f"cannot read {path}: {error.strerror}; name a file of tasks or tampers") from None
    if b'"critiques"' in first:
        yield from (comparison.task for comparison in read_jsonl(path, Comparison))
    else:
        yield from map(task_of, load_items(path))
