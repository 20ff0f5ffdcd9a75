"""Work for the tests of the engines, run as a program of its own: `python ray_work.py ENGINE FOLDER TASKS`."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from momus.critique import Comment, Critique, Span
from momus.errors import MomusError
from momus.records import Record, Sampled, Task
from momus.sharding import in_shards, map_shards, run_here

SHARD = 5
HELD = 30  # the first task that waits


@dataclass(frozen=True)
class Slow:
    """Remarks on the first letter; keeps a list of the tasks that it has begun with.

    While there is a file `LOG.hold` it gets no further than the first half of the tasks.
    """

    log: str
    bad: str = ""

    def open(self) -> Callable[[Sequence[Task]], Iterable[Record]]:
        if self.bad == "open":
            raise MomusError("there is no such critic")
        with Path(f"{self.log}.pids").open("a") as pids:
            pids.write(f"{os.getpid()}\n")
        return self.do

    def do(self, tasks: Sequence[Task]) -> Iterable[Record]:
        for task in tasks:
            if self.bad == task.id:
                raise ValueError(f"no idea of {task.id}")
            with Path(self.log).open("a") as log:
                log.write(f"{task.id}\n")
            while int(task.id[1:]) >= HELD and Path(f"{self.log}.hold").exists():
                time.sleep(0.05)
            comment = Comment(Span(0, 1), f"Of {task.id}: é ∀ \u2028 {len(task.question)}.")
            yield Sampled(task_id=task.id, critic="slow", critique=Critique((comment,)))


def tasks(count: int) -> list[Task]:
    return [Task(id=f"t{i:03d}", question="why \ud800" * (i % 3), answer=f"x = {i}\n") for i in range(count)]


def main(engine: str, folder: Path, count: int, bad: str = "") -> None:
    from momus.ray_engine import OnRay

    run = OnRay(workers=2) if engine == "ray" else run_here
    try:
        work = Slow(str(folder / "begun"), bad)
        map_shards(in_shards(tasks(count), SHARD), work, folder / "out.jsonl", run=run)
    except MomusError as error:
        sys.exit(f"momus: {error}")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), *sys.argv[4:])
