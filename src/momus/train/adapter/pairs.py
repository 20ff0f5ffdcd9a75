"""What an adapter is trained on: pairs of buggy and correct code, none of them reported or fitted on.

A pair becomes one or two sequences in the words of the scan's request: the buggy code with the correct one as the
answer, and, for every other pair, the correct code copied. Tampers are made on the way, with operators that are not
held out.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from momus.corpus.dedupe import fingerprint
from momus.critics.local.bare import bare
from momus.measure.datasets import load_bugs, load_clean, load_tasks, task_of, twin_of
from momus.measure.drawing import shuffled, strong_ids
from momus.measure.draws import Draws, codes_of
from momus.records import Tamper, Task
from momus.tamper.insert import choose, tampers

T = TypeVar("T", Tamper, Task)

# Of each ten pairs so many are of a source, while it has some.
SHARES: Mapping[str, float] = {
    "written": 3.0,  # tasks and bugs written for this project
    "fixes": 3.0,  # real fixes mined from repositories
    "library": 2.0,  # rules' bugs in library functions: what real fixes left behind
    "problems": 0.6,  # rules' bugs in answers to exercises
    "natural": 0.7,  # small errors of language models
    "debugbench": 0.7,  # bugs that a language model put in
}
A_REPOSITORY, A_PROBLEM = 300, 2  # of one at most
_OF_REPOSITORIES = ("fixes", "library")


@dataclass(frozen=True, slots=True)
class Pair:
    """A task whose answer has a bug, its correct twin, and whether the twin is copied as well."""

    source: str
    buggy: Task
    twin: Task
    copied: bool


class Allowed:
    """What nothing may be trained on: problems, packages, repositories and code of every drawn part."""

    def __init__(self, draws: Draws, kept_back: Iterable[str]) -> None:
        """`kept_back` are the problems and repositories that the lists' manifest names as not to be trained on."""
        entries = [*draws.entries, *draws.written_entries()]
        self._groups = {entry.group for entry in entries} | set(kept_back)
        self._codes = {name for entry in entries for name in entry.fingerprints}

    def __call__(self, item: Tamper | Task) -> bool:
        """Whether an item shares neither problem nor code with what is reported, chosen or fitted on."""
        task = task_of(item)
        return (task.group or task.id) not in self._groups and self._codes.isdisjoint(map(fingerprint, codes_of(item)))


def sources(data: Path, benchmarks: Path, allowed: Allowed, seed: int) -> dict[str, Sequence[Tamper]]:
    """The tampers and bugs of each source that may be trained on, shuffled. Raises MomusError where data is missing."""
    held = [operator.name for operator in choose(exclude_held_out=True)]
    strong = strong_ids(data / "fixes-train.jsonl")
    mined = [item for item in load_bugs(data / "fixes-train.jsonl", parses=True) if allowed(item)]
    clean = [twin_of(item) for item in mined if item.task.id not in strong]
    found: dict[str, Iterable[Tamper]] = {
        "written": filter(allowed, load_bugs(benchmarks / "written", split="train")),
        "fixes": (item for item in mined if item.task.id in strong),
        "library": _tampered(shuffled(clean, f"{seed}/clean"), held, seed),
        "problems": _tampered(filter(allowed, load_tasks(data / "qa.jsonl", split="train")), held, seed),
        "natural": filter(allowed, load_bugs(data / "natural.jsonl", small_fix=True, split="train")),
        "debugbench": filter(allowed, load_bugs(data / "debugbench.jsonl", parses=True, split="train")),
    }
    return {
        name: _few(shuffled(list(items), f"{seed}/{name}"), A_REPOSITORY if name in _OF_REPOSITORIES else A_PROBLEM)
        for name, items in found.items()
    }


def clean_answers(data: Path, allowed: Allowed, seed: int) -> list[Task]:
    """Correct answers that may be trained on, at most A_PROBLEM of a problem."""
    return _few(
        shuffled([t for t in load_clean(data / "correct.jsonl", split="train") if allowed(t)], f"{seed}/correct"),
        A_PROBLEM,
    )


def mixed(found: Mapping[str, Sequence[Tamper]], shares: Mapping[str, float] = SHARES) -> Iterator[Pair]:
    """Pairs in the order of training: of each source as many as its share says, until all are used up.

    Deterministic: the source that lags most behind its share comes next.
    """
    left = {name: iter(items) for name, items in found.items() if shares.get(name)}
    given = dict.fromkeys(left, 0)
    number = 0
    while left:
        name = min(left, key=lambda name: ((given[name] + 1) / shares[name], name))
        item = next(left[name], None)
        if item is None:
            del left[name]
            continue
        given[name] += 1
        yield Pair(name, shown(item.task), shown(twin_of(item)), copied=number % 2 == 0)
        number += 1


def shown(task: Task) -> Task:
    """A task whose answer is what a scan shows of it: without comments."""
    return task.model_copy(update={"answer": bare(task.answer).code})


def _tampered(tasks: Iterable[Task], operators: Sequence[str], seed: int) -> Iterator[Tamper]:
    for task in tasks:
        yield from tampers(task, rng=random.Random(f"{seed}/{task.id}"), operators=operators)


def _few(items: Iterable[T], most: int) -> list[T]:
    """At most so many of one problem, package or repository."""
    seen: dict[str, int] = {}
    kept = []
    for item in items:
        task = task_of(item)
        group = task.group or task.id
        seen[group] = seen.get(group, 0) + 1
        if seen[group] <= most:
            kept.append(item)
    return kept
