"""Tampers many tasks into one file, shard by shard: a run that was stopped goes on at the last whole shard."""

from __future__ import annotations

import hashlib
import json
import platform
import random
import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from momus import __version__
from momus.errors import MomusError
from momus.records import Tamper, Task, read_jsonl, write_jsonl
from momus.tamper.insert import tampers
from momus.tamper.prove import linter_weight, prove

SHARD = 64
Watch = Callable[[Sequence[int]], Iterable[int]]


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
                setattr(self, f.name, getattr(self, f.name) + other[f.name])
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
    identity = _identity(tasks, plan, inputs)
    done = _finished(out, identity)
    if done is not None:
        return done
    parts = _open_parts(out, identity)
    shards = [tasks[at : at + SHARD] for at in range(0, len(tasks), SHARD)]
    for number in watch(range(len(shards))):
        told = parts / f"{number:06d}.json"
        if not told.is_file():
            made, counts = _shard(shards[number], plan, number)
            write_jsonl(parts / f"{number:06d}.jsonl", made)
            _write_json(told, asdict(counts))  # last: a shard is whole once it has been counted
    total = Counts()
    for number in range(len(shards)):
        total.add(json.loads((parts / f"{number:06d}.json").read_text(encoding="utf-8")))
    write_jsonl(out, _different(parts, len(shards), total))
    manifest = {
        "made_by": f"momus {__version__} tamper, Python {platform.python_version()}",
        "commit": _commit(),
        "plan": asdict(plan),
        "inputs": inputs,
        "identity": identity,
        "sha256": hashlib.sha256(out.read_bytes()).hexdigest(),
        "counts": asdict(total),
    }
    _write_json(manifest_of(out), manifest)
    shutil.rmtree(parts)
    return total


def manifest_of(out: Path) -> Path:
    """Where the manifest of an output stands: beside it, under its own name, as a folder may hold several outputs."""
    return out.with_name(f"{out.stem}.manifest.json")


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
        made = list(proved.kept)
    return made, counts


def _different(parts: Path, shards: int, total: Counts) -> Iterator[Tamper]:
    """The tampers of all shards, of those with the same answer the first; counts them."""
    seen: set[bytes] = set()
    for number in range(shards):
        for tamper in read_jsonl(parts / f"{number:06d}.jsonl", Tamper):
            mark = hashlib.sha256(tamper.task.answer.encode("utf-8", "surrogatepass")).digest()
            if mark in seen:
                total.count("duplicates", [tamper])
            else:
                seen.add(mark)
                total.count("kept", [tamper])
                total.count("proved", [tamper] * (tamper.proof == "tests"))
                total.count("seen_by_linter", [tamper] * tamper.seen_by_linter)
                yield tamper


def _identity(tasks: Sequence[Task], plan: Plan, inputs: dict[str, str]) -> str:
    """One hash of all that decides the result."""
    body = {**asdict(plan), "jobs": None, "inputs": sorted(inputs.values()), "version": __version__, "shard": SHARD}
    whole = hashlib.sha256(json.dumps(body, sort_keys=True).encode())
    for task in tasks:
        whole.update(f"{task.id}\0".encode("utf-8", "surrogatepass"))
    return whole.hexdigest()


def _finished(out: Path, identity: str) -> Counts | None:
    if not out.exists():
        return None
    try:
        manifest = json.loads(manifest_of(out).read_text(encoding="utf-8"))
        same = manifest["identity"] == identity and manifest["sha256"] == hashlib.sha256(out.read_bytes()).hexdigest()
    except (OSError, ValueError, KeyError, TypeError):
        same = False
    if not same:
        raise MomusError(f"{out} is there already, from other settings or inputs: delete it, or name another with -o")
    counts = Counts()
    counts.add(manifest["counts"])
    return counts


def _open_parts(out: Path, identity: str) -> Path:
    parts = out.with_name(out.name + ".parts")
    try:
        parts.mkdir(parents=True, exist_ok=True)
        mark = parts / "identity"
        if not mark.exists():
            mark.write_text(identity, encoding="utf-8")
        if mark.read_text(encoding="utf-8") == identity:
            return parts
    except OSError as error:
        raise MomusError(f"can't write {out}: {error.strerror or error}: name another place with -o") from None
    raise MomusError(f"{parts} holds a run with other settings or inputs: finish that one, or delete the folder")


def _write_json(path: Path, body: dict[str, Any]) -> None:
    partial = path.with_name(path.name + ".partial")
    partial.write_text(json.dumps(body, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    partial.replace(path)


def _commit() -> str | None:
    """The git commit of the working directory, where it is one."""
    try:
        done = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None
