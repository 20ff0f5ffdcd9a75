"""A critic that says what it once said: its critiques out of a file, for tasks under the same ids."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from momus.errors import MomusError
from momus.records import Sampled, Task, read_jsonl


class Recorded:
    """The critiques of one critic. Tasks that it did not criticise are passed over, which is a failure, not silence."""

    by_id = True  # it knows tasks by their ids alone

    def __init__(self, name: str, critiques: Iterable[Sampled]) -> None:
        self.name = name
        self.version = "recorded"
        self._known: dict[tuple[str, int], Sampled] = {(s.task_id, s.i): s for s in critiques if s.critic == name}

    def critique(self, tasks: Iterable[Task], *, n: int = 1, seed: int) -> Iterator[Sampled]:
        for task in tasks:
            for i in range(n):
                if (found := self._known.get((task.id, i))) is not None:
                    yield found


def open_recorded(paths: Sequence[Path]) -> list[Recorded]:
    """One critic for each name in some files of `momus critique`. Raises MomusError where one cannot be read."""
    try:
        every = [sampled for path in paths for sampled in read_jsonl(path, Sampled)]
    except OSError as error:
        raise MomusError(f"can't read {error.filename}: {error.strerror or error}: give another file") from None
    return [Recorded(name, every) for name in dict.fromkeys(sampled.critic for sampled in every)]
