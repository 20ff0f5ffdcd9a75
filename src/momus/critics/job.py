"""Critiques of many tasks by one critic, into one file, shard by shard."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from momus.critics.protocol import Critic, failed
from momus.critics.registry import open_critic
from momus.records import Record, Sampled, Task, read_jsonl
from momus.sharding import (
    Runner,
    finished,
    identity_of,
    in_shards,
    manifest_of,
    map_shards,
    open_parts,
    run_here,
    write_manifest,
)

SHARD = 16  # tasks: what a stopped run may lose


@dataclass(frozen=True, slots=True)
class CritiqueWork:
    """Which critic, how it is opened, and how many critiques it writes of each task."""

    critic: str
    options: dict[str, Any] = field(default_factory=dict)
    n: int = 1
    seed: int = 0

    def open(self) -> Callable[[Sequence[Task]], Iterable[Record]]:
        """Raises MomusError where the critic cannot be opened."""
        critic = open_critic(self.critic, **self.options)
        return lambda shard: critiques_of(critic, shard, n=self.n, seed=self.seed)


@dataclass(slots=True)
class Told:
    """What became of the tasks. `failures` counts critiques by their error."""

    tasks: int = 0
    critiques: int = 0
    failed: int = 0
    silent: int = 0
    comments: int = 0
    dropped: int = 0  # comments whose quotes stand nowhere in the answer
    cut: int = 0  # critiques of an answer of which something was left out
    failures: dict[str, int] = field(default_factory=dict)


def critiques_of(critic: Critic, tasks: Sequence[Task], *, n: int, seed: int) -> list[Sampled]:
    """`n` critiques of each task, in order; what a critic passes over has failed."""
    found = {(sampled.task_id, sampled.i): sampled for sampled in critic.critique(tasks, n=n, seed=seed)}
    nothing = RuntimeError("the critic said nothing of this task")
    return [found.get((task.id, i)) or failed(critic.name, task, i, nothing) for task in tasks for i in range(n)]


def critique_all(
    tasks: Sequence[Task], out: Path, work: CritiqueWork, *, inputs: dict[str, str], run: Runner = run_here
) -> Told:
    """Write `work.n` critiques of each task to `out` (JSON lines of Sampled), and a manifest beside it.

    The ids of tasks tell versions of an answer apart (`versioned`). `inputs` names what the tasks were read from, with
    hashes. A finished file is left as it is, an unfinished one goes on at the last whole shard. Raises MomusError where
    `out` is of another run, and where the critic can do nothing at all.
    """
    settings = {"verb": "critique", "shard": SHARD, **asdict(work)}
    settings["options"] = {key: str(value) for key, value in sorted(work.options.items())}
    identity = identity_of(settings, tasks)
    manifest = manifest_of(out)
    if finished(out, manifest, identity) is None:
        open_parts(out, identity)
        map_shards(in_shards(tasks, SHARD), work, out, run=run)
        told = _told(len(tasks), out)
        write_manifest(
            manifest, out, "critique", identity, {"settings": settings, "inputs": inputs, "counts": asdict(told)}
        )
        return told
    return _told(len(tasks), out)


def _told(tasks: int, out: Path) -> Told:
    told = Told(tasks=tasks)
    for sampled in read_jsonl(out, Sampled):
        told.critiques += 1
        told.dropped += sampled.dropped
        told.cut += sampled.left_out is not None
        if sampled.error is not None:
            told.failed += 1
            told.failures[sampled.error] = told.failures.get(sampled.error, 0) + 1
        else:
            told.silent += not sampled.critique.comments
            told.comments += len(sampled.critique)
    return told
