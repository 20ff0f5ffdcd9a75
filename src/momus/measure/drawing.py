"""Draws the lists of `momus.measure.draws`, from the same data and seed always the same."""

from __future__ import annotations

import hashlib
import itertools
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from momus.corpus.dedupe import fingerprint
from momus.corpus.packages import Package, normal_name
from momus.decode import from_json
from momus.errors import MomusError
from momus.measure.datasets import load_bugs, load_clean, load_tasks
from momus.measure.draws import PACKAGES_OF, PARTS, Drawn, Part, codes_of, drawn, refuse_leaks
from momus.records import Tamper, Task
from momus.tamper.insert import tampers

T = TypeVar("T", Tamper, Task)
Report = Callable[[str], None]

# How many of each set; None is all of them.
REPORT: dict[str, int | None] = {
    "humanevalfix": None,
    "natural": None,
    "debugbench": None,
    "tampers": 300,
    "fixes": 300,
    "condefects": 300,
    "correct": 600,
    "functions": 1000,
}
FITTED: dict[Part, dict[str, int]] = {
    "tune": {"natural": 60, "debugbench": 60, "tampers": 60, "fixes": 60, "correct": 60, "functions": 60},
    "calibration": {
        "natural": 300,
        "debugbench": 200,
        "tampers": 300,
        "fixes": 200,
        "correct": 600,
        "functions": 700,
    },
}
A_REPOSITORY = 30  # of one repository at most
REPOSITORIES: dict[Part, int] = {"tune": 4, "calibration": 12}  # of those that the train fixes are from
# A problem that a critic is fitted on must not be in HumanEvalFix, which is HumanEval's.
_MEASURED_WHOLE = "HumanEval/"
_WRITTEN_BY_MODELS, _WITH_BUGS = 0.75, 0.5  # shares of the train problems with such answers that are fitted on
_TUNED = 1 / 6  # of the problems that are fitted on


@dataclass(frozen=True)
class Kept:
    """The lists, the tampers that were made for choosing and fitting, and what nothing may be trained on."""

    entries: tuple[Drawn, ...]
    tampers: tuple[Tamper, ...]
    problems: dict[Part, list[str]]
    repositories: dict[Part, list[str]]


def draw(
    data: Path, heldout: Path, functions: Callable[[Package], Iterable[Task]], *, seed: int = 0, report: Report = print
) -> Kept:
    """Draw all lists: `data` is the folder of the development data, `heldout` the file of held-out tampers, `functions`
    gives a package's functions as tasks. Raises MomusError where data is missing."""
    entries: list[Drawn] = []

    def take(part: Part, name: str, items: Sequence[T], count: int | None) -> None:
        chosen = shuffled(items, f"{seed}/{part}/{name}")[:count]
        entries.extend(drawn(item, part, name) for item in chosen)
        report(f"{part:12} {name:14} {len(chosen):5} of {len(items)}")

    released = {part: _by_package(part, functions) for part in PARTS}
    bugs = {
        name: load_bugs(data / f"{name}.jsonl", small_fix=True, parses=name == "debugbench")
        for name in ("natural", "debugbench")
    }
    correct = load_clean(data / "correct.jsonl")
    take("report", "humanevalfix", load_bugs(data / "humanevalfix.jsonl"), REPORT["humanevalfix"])
    for name in ("natural", "debugbench"):
        take("report", name, [item for item in bugs[name] if item.task.split == "dev"], REPORT[name])
    take("report", "tampers", load_bugs(heldout), REPORT["tampers"])
    take("report", "fixes", _fixes(data / "fixes-dev.jsonl", seed, None), REPORT["fixes"])
    condefects = load_bugs(data / "condefects.jsonl", parses=True, split="dev")
    take("report", "condefects", condefects, REPORT["condefects"])
    take("report", "correct", [task for task in correct if task.split == "dev"], REPORT["correct"])
    take("report", "functions", _evenly(released["report"], REPORT["functions"], seed), None)

    taken = {name for entry in entries for name in entry.fingerprints}
    problems = _problems(data, correct, bugs["debugbench"], seed)
    repositories = _repositories(data / "fixes-train.jsonl", seed)
    made: list[Tamper] = []
    for part in ("tune", "calibration"):
        counts, here, start = FITTED[part], set(problems[part]), len(entries)
        for name in ("natural", "debugbench"):
            take(part, name, _free([item for item in bugs[name] if item.task.group in here], taken), counts[name])
        take(part, "correct", _free([task for task in correct if task.group in here], taken), counts["correct"])
        fixes = _fixes(data / "fixes-train.jsonl", seed, set(repositories[part]))
        take(part, "fixes", _free(fixes, taken), counts["fixes"])
        free = {name: _free(tasks, taken) for name, tasks in released[part].items()}
        clean = _evenly(free, counts["functions"] + 2 * counts["tampers"], seed)
        take(part, "functions", clean[: counts["functions"]], None)
        tampered = _tampered(clean[counts["functions"] :], counts["tampers"], seed)
        take(part, "tampers", tampered, None)
        made += tampered
        taken |= {name for entry in entries[start:] for name in entry.fingerprints}
    refuse_leaks(entries)
    return Kept(tuple(entries), tuple(made), problems, repositories)


def _problems(data: Path, correct: Sequence[Task], debugbench: Sequence[Tamper], seed: int) -> dict[Part, list[str]]:
    """A third of the train problems: most of those with answers that models wrote, half of those with bugs put into
    LeetCode's, and others to fill the third, which give nothing to fit on but may be tampered with."""
    every = {task.group for task in load_tasks(data / "qa.jsonl", split="train")}
    written = {task.group for task in correct if task.split == "train"}
    broken = {item.task.group for item in debugbench if item.task.split == "train"}
    ranked = [
        sorted((name for name in names if name and not name.startswith(_MEASURED_WHOLE)), key=_rank(seed))
        for names in (written, broken - written, every - written - broken)
    ]
    fitted = [ranked[0][: round(_WRITTEN_BY_MODELS * len(ranked[0]))], ranked[1][: round(_WITH_BUGS * len(ranked[1]))]]
    third = sum(map(len, ranked)) // 3
    fitted.append(ranked[2][: max(0, third - sum(map(len, fitted)))])
    cuts = [round(_TUNED * len(names)) for names in fitted]
    return {
        "tune": sorted(name for names, cut in zip(fitted, cuts, strict=True) for name in names[:cut]),
        "calibration": sorted(name for names, cut in zip(fitted, cuts, strict=True) for name in names[cut:]),
    }


def _repositories(path: Path, seed: int) -> dict[Part, list[str]]:
    """Repositories of the train fixes that nothing is trained on; none that also gives functions to another part."""
    packages = {normal_name(package.name) for part in PARTS for package in PACKAGES_OF[part]}
    names = {item.task.group for item in load_bugs(path)}
    free = sorted(
        (name for name in names if name and normal_name(name.rsplit("/", 1)[-1]) not in packages), key=_rank(seed)
    )
    tune = REPOSITORIES["tune"]
    return {"tune": sorted(free[:tune]), "calibration": sorted(free[tune : tune + REPOSITORIES["calibration"]])}


def _fixes(path: Path, seed: int, repositories: set[str] | None) -> list[Tamper]:
    """Real fixes that are marked as strong and parse, at most A_REPOSITORY of a repository, drawn at random."""
    strong = strong_ids(path)
    by_repository: dict[str, list[Tamper]] = {}
    for item in load_bugs(path, parses=True):
        group = item.task.group or ""
        if item.task.id in strong and item.bugs and (repositories is None or group in repositories):
            by_repository.setdefault(group, []).append(item)
    few = (shuffled(items, f"{seed}/{name}")[:A_REPOSITORY] for name, items in by_repository.items())
    return list(itertools.chain.from_iterable(few))


def strong_ids(path: Path) -> set[str]:
    """The ids of the fixes of a file that its maker is surest of. Raises MomusError where it cannot be read."""
    try:
        with path.open(encoding="utf-8") as lines:
            return {body["id"] for body in map(from_json, lines) if body.get("strong")}
    except OSError as error:
        raise MomusError(f"can't read {path}: {error.strerror or error}") from None


def _by_package(part: Part, functions: Callable[[Package], Iterable[Task]]) -> dict[str, list[Task]]:
    """Functions by package, each code once in all of them."""
    seen: set[str] = set()
    found: dict[str, list[Task]] = {}
    for package in PACKAGES_OF[part]:
        for task in functions(package):
            key = fingerprint(task.answer)
            if key not in seen:
                seen.add(key)
                found.setdefault(package.name, []).append(task)
    return found


def _evenly(by_package: dict[str, list[Task]], count: int | None, seed: int) -> list[Task]:
    """So many functions, of each package as many as of any other while it has some, in random order."""
    each = [shuffled(tasks, f"{seed}/{name}") for name, tasks in sorted(by_package.items())]
    rounds = itertools.chain.from_iterable(itertools.zip_longest(*each))
    chosen = list(itertools.islice((task for task in rounds if task is not None), count))
    return shuffled(chosen, f"{seed}/order")


def _tampered(tasks: Iterable[Task], count: int, seed: int) -> list[Tamper]:
    """One tamper of each function in which a bug finds room, until there are so many."""
    made = (next(tampers(task, rng=random.Random(f"{seed}/{task.id}")), None) for task in tasks)
    found = (
        item.model_copy(update={"task": item.task.model_copy(update={"id": f"{item.task.id}~1"})})
        for item in made
        if item is not None
    )
    return list(itertools.islice(found, count))


def _free(items: Sequence[T], taken: set[str]) -> list[T]:
    """The items whose code, but for layout and names, is not taken."""
    return [item for item in items if taken.isdisjoint(map(fingerprint, codes_of(item)))]


def shuffled(items: Sequence[T], key: str) -> list[T]:
    """The items in the random order that a key stands for, the same on every machine."""
    ordered = list(items)
    random.Random(key).shuffle(ordered)
    return ordered


def _rank(seed: int) -> Callable[[str], str]:
    return lambda name: hashlib.sha256(f"{seed}/{name}".encode()).hexdigest()
