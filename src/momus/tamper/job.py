"""Tampers many tasks into one file, shard by shard: a run that was stopped goes on at the last whole shard."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from momus.decode import from_json
from momus.errors import MomusError
from momus.records import Tamper, Task, read_jsonl, write_jsonl
from momus.sharding import (
    Watch,
    finished,
    identity_of,
    in_shards,
    manifest_of,
    open_parts,
    parts_of,
    shard_file,
    write_manifest,
    write_shard,
)
from momus.tamper.insert import tampers
from momus.tamper.prove import linter_weight, prove

SHARD = 64


@dataclass(frozen=True, slots=True)
class Plan:
    """What to make of each task. All of it but `jobs` decides the result, and a run is only resumed with the same.

    `sandbox` None: nothing is run. `linter` None: no tamper is marked or left out for a linter's sake.
    """

    operators: tuple[str, ...]
    bugs: int = 1
    per_task: int = 1
    seed: int = 0
    sandbox: str | None = "auto"
    timeout_s: float = 5
    linter: str | None = "ruff"
    linter_keep: float = 0.3
    jobs: int = 2


@dataclass(slots=True)
class Counts:
    """What became of the tampers that were made; by operator, each bug of an answer counts for its own."""

    tasks: int = 0
    tasks_without: int = 0  # tasks in which no bug found room
    made: int = 0
    kept: int = 0
    proved: int = 0
    survived: int = 0
    twin_failed: int = 0
    uncertain: int = 0
    seen_by_linter: int = 0
    left_out_for_linter: int = 0
    duplicates: int = 0
    by_operator: dict[str, dict[str, int]] = field(default_factory=dict)

    def count(self, what: str, those: Sequence[Tamper]) -> None:
        setattr(self, what, getattr(self, what) + len(those))
        for bug in (bug for tamper in those for bug in tamper.bugs):
            self._add(bug.operator or "", what, 1)

    def add(self, other: dict[str, Any]) -> None:
        """Add counts as they stand in a file."""
        for f in fields(self):
            if f.name != "by_operator":
                setattr(self, f.name, getattr(self, f.name) + other.get(f.name, 0))
        for operator, counts in other["by_operator"].items():
            for what, number in counts.items():
                self._add(operator, what, number)

    def _add(self, operator: str, what: str, number: int) -> None:
        counts = self.by_operator.setdefault(operator, {})
        counts[what] = counts.get(what, 0) + number


def tamper_all(
    tasks: Sequence[Task], out: Path, plan: Plan, *, inputs: dict[str, str], watch: Watch = lambda shards: shards
) -> Counts:
    """Write the tampers of all tasks to `out` (JSON lines), and a manifest beside it; return what became of them.

    `inputs` names what the tasks were read from, with hashes. Work in progress stands in `OUT.parts`. A finished file
    of the same plan and inputs is left as it is. Raises MomusError where `out` or the work in progress is of another.
    """
    settings = {**asdict(plan), "jobs": None, "inputs": sorted(inputs.values()), "shard": SHARD}
    identity = identity_of(settings, tasks)
    known = finished(out, manifest_of(out), identity)
    if known is not None:
        return _sum([known["counts"]])
    open_parts(out, identity)
    shards, parts = in_shards(tasks, SHARD), parts_of(out)
    try:
        for number in watch(range(len(shards))):
            if not _counts_file(parts, number).is_file():
                made, counts = _shard(shards[number], plan, number)
                write_shard(parts, number, made)
                _write_counts(_counts_file(parts, number), counts)  # last: a shard is whole once it has been counted
        told = [_counts_file(parts, number).read_text(encoding="utf-8") for number in range(len(shards))]
        total = _sum(map(from_json, told))
        write_jsonl(out, _different(parts, len(shards), total))
        write_manifest(
            manifest_of(out), out, "tamper", identity, {"plan": asdict(plan), "inputs": inputs, "counts": asdict(total)}
        )
    except OSError as error:
        raise MomusError(f"can't write {out}: {error.strerror or error}: name another place with -o") from None
    return total


def _shard(tasks: Sequence[Task], plan: Plan, number: int) -> tuple[list[Tamper], Counts]:
    counts = Counts(tasks=len(tasks))
    made: list[Tamper] = []
    for task in tasks:
        rng = random.Random(f"{plan.seed}/{task.id}")
        those = list(tampers(task, rng=rng, count=plan.per_task, n_bugs=plan.bugs, operators=plan.operators))
        counts.tasks_without += not those
        made += those
    counts.count("made", made)
    if plan.linter is not None:
        rng = random.Random(f"{plan.seed}/linter/{number}")
        made, left_out = linter_weight(made, rng=rng, keep=plan.linter_keep, linter=plan.linter)
        counts.count("left_out_for_linter", left_out)
    if plan.sandbox is not None:
        proved = prove(made, jobs=plan.jobs, timeout_s=plan.timeout_s, mode=plan.sandbox)
        counts.count("survived", proved.survived)
        counts.count("twin_failed", proved.twin_failed)
        counts.count("uncertain", proved.uncertain)
        made = list(proved.kept)
    return made, counts


def _different(parts: Path, shards: int, total: Counts) -> Iterator[Tamper]:
    """The tampers of all shards, of those with the same answer the first; counts them."""
    seen: set[bytes] = set()
    for number in range(shards):
        for tamper in read_jsonl(shard_file(parts, number), Tamper):
            mark = hashlib.sha256(tamper.task.answer.encode("utf-8", "surrogatepass")).digest()
            if mark in seen:
                total.count("duplicates", [tamper])
            else:
                seen.add(mark)
                total.count("kept", [tamper])
                total.count("proved", [tamper] * (tamper.proof == "tests"))
                total.count("seen_by_linter", [tamper] * tamper.seen_by_linter)
                yield tamper


def _sum(told: Iterable[dict[str, Any]]) -> Counts:
    total = Counts()
    for counts in told:
        total.add(counts)
    return total


def _counts_file(parts: Path, number: int) -> Path:
    return parts / f"{number:06d}.json"


def _write_counts(path: Path, counts: Counts) -> None:
    partial = path.with_name(path.name + ".partial")
    partial.write_text(json.dumps(asdict(counts), sort_keys=True) + "\n", encoding="utf-8")
    partial.replace(path)
