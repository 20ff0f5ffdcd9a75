"""What is measured, chosen and fitted on: drawn once, listed by id and digest, never shared between the parts.

Three parts. Figures are *reported* on one, prompts and the like are chosen on *tune*, gate and dial are fitted on
*calibration*. Of the last two nothing may be trained on either. Entries of a set stand in the order in which they were
drawn, so that the first n of a set are themselves a random draw.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from momus.corpus.dedupe import fingerprint
from momus.errors import MomusError
from momus.measure.datasets import load_bugs, load_clean, task_of
from momus.measure.released import CALIBRATION_PACKAGES, REPORT_PACKAGES, TUNE_PACKAGES, ContextOf, with_ids
from momus.records import Record, Tamper, Task, read_jsonl

Part = Literal["report", "tune", "calibration"]
PARTS: tuple[Part, ...] = ("report", "tune", "calibration")
DRAWS = "draws.jsonl"
# All of a file are taken; of the folder, what is kept back of families that are trained on.
WRITTEN = {
    "new-tasks": "new_tasks.jsonl",
    "written-tampers": "written/operations.jsonl",
    "written-families": "written",
    "written-tasks": "tune_tasks.jsonl",
}
REPORTED_SPLIT = "test"
FITTED_TAMPERS = "fitted-tampers.jsonl"
FUNCTIONS = "functions"
PACKAGES_OF = {"report": REPORT_PACKAGES, "tune": TUNE_PACKAGES, "calibration": CALIBRATION_PACKAGES}


@dataclass(frozen=True, slots=True)
class Set:
    """A set of a part: how it is called in tables, and the file that holds its texts, of the data or the benchmarks."""

    label: str
    file: str = ""
    clean: bool = False
    ours: bool = False  # stands in the benchmarks' folder


SETS: dict[Part, dict[str, Set]] = {
    "report": {
        "new-tasks": Set("new tasks", WRITTEN["new-tasks"], ours=True),
        "written-tampers": Set("written tampers", WRITTEN["written-tampers"], ours=True),
        "written-families": Set("written tampers, trained families", WRITTEN["written-families"], ours=True),
        "humanevalfix": Set("HumanEvalFix", "humanevalfix.jsonl"),
        "natural": Set("natural bugs, small fixes", "natural.jsonl"),
        "debugbench": Set("DebugBench, parsing", "debugbench.jsonl"),
        "tampers": Set("held-out tampers", "heldout.jsonl", ours=True),
        "fixes": Set("real fixes, strong", "fixes-dev.jsonl"),
        "condefects": Set("ConDefects", "condefects.jsonl"),
        "correct": Set("correct answers", "correct.jsonl", clean=True),
        FUNCTIONS: Set("functions of released packages", clean=True),
    },
    **{
        part: {
            "natural": Set("natural bugs, small fixes", "natural.jsonl"),
            "debugbench": Set("DebugBench, parsing", "debugbench.jsonl"),
            "tampers": Set("tampers of other packages", FITTED_TAMPERS, ours=True),
            "fixes": Set("real fixes, strong", "fixes-train.jsonl"),
            "correct": Set("correct answers", "correct.jsonl", clean=True),
            FUNCTIONS: Set("functions of released packages", clean=True),
        }
        for part in ("tune", "calibration")
    },
}
SETS["tune"]["written-tasks"] = Set("written tasks", WRITTEN["written-tasks"], ours=True)


class Drawn(Record):
    """One entry: `sha256` is of its texts (`digest`), `fingerprints` of the answer and its twin, whatever its names."""

    part: Part
    set: str
    id: str
    group: str
    sha256: str
    fingerprints: tuple[str, ...]


def codes_of(item: Tamper | Task) -> tuple[str, ...]:
    """The answer, and of a tamper its twin."""
    return (item.task.answer, item.twin) if isinstance(item, Tamper) else (item.answer,)


def digest(item: Tamper | Task) -> str:
    """The SHA-256 of what a critic is shown of an entry, and of what it is held against: question, answer and twin."""
    parts = (task_of(item).question, *codes_of(item))
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


def drawn(item: Tamper | Task, part: Part, name: str) -> Drawn:
    """The entry of an item."""
    task = task_of(item)
    prints = tuple(dict.fromkeys(map(fingerprint, codes_of(item))))
    return Drawn(part=part, set=name, id=task.id, group=task.group or task.id, sha256=digest(item), fingerprints=prints)


def refuse_leaks(entries: Iterable[Drawn]) -> None:
    """Raises MomusError where two parts share a problem, package or repository, or code but for layout and names."""
    seen: dict[str, Drawn] = {}
    for entry in entries:
        for key in (f"group {entry.group}", *(f"code {name}" for name in entry.fingerprints)):
            other = seen.setdefault(key, entry)
            if other.part != entry.part:
                raise MomusError(
                    f"{entry.id} ({entry.part}) and {other.id} ({other.part}) have the same {key.split()[0]}: "
                    "draw anew with momus measure draw, or no figure on them means anything"
                )


@dataclass(frozen=True)
class Draws:
    """The lists, and where their texts are: `benchmarks` holds what is the project's, `data` the development data,
    `wheels` the packages. `context_of` says what stands around a function of a package."""

    entries: tuple[Drawn, ...]
    benchmarks: Path
    data: Path | None = None
    wheels: Path | None = None
    context_of: ContextOf | None = None

    @classmethod
    def read(
        cls,
        benchmarks: Path,
        *,
        data: Path | None = None,
        wheels: Path | None = None,
        context_of: ContextOf | None = None,
    ) -> Draws:
        """Read the lists in a folder. Raises MomusError where there are none, or where two parts share something."""
        path = benchmarks / DRAWS
        try:
            entries = tuple(read_jsonl(path, Drawn))
        except OSError as error:
            raise MomusError(f"can't read {path}: {error.strerror or error}: run it from the repository") from None
        refuse_leaks(entries)
        return cls(entries, benchmarks, data, wheels, context_of)

    def of(self, part: Part, name: str) -> list[Drawn]:
        """The entries of a set, in the order in which they were drawn."""
        return [entry for entry in self.entries if entry.part == part and entry.set == name]

    def load(self, part: Part, name: str, limit: int | None = None) -> list[Tamper] | list[Task]:
        """The first `limit` items of a set in the order drawn (None: all): tampers, or tasks of a clean set.

        Raises MomusError where a text is missing, or is another than was drawn.
        """
        known = SETS[part].get(name)
        if known is None:
            raise MomusError(f"there is no set {name!r} in {part}: choose one of {', '.join(SETS[part])}")
        if name in WRITTEN:
            return self._written(name, limit)
        entries = self.of(part, name)[:limit]
        texts = self._texts(part, name, known, entries)
        for entry in entries:
            if entry.id not in texts or digest(texts[entry.id]) != entry.sha256:
                wrong = "is another text than was drawn" if entry.id in texts else "is missing"
                raise MomusError(
                    f"{entry.id} of {known.file or 'the wheels'} {wrong}: use the data that {DRAWS} was drawn from, "
                    "or draw anew with momus measure draw"
                )
        return [texts[entry.id] for entry in entries]  # type: ignore[return-value]

    def refuse_reported(self, items: Iterable[Tamper | Task]) -> None:
        """Raises MomusError where something to be fitted on shares a problem or near-copy with what is reported on."""
        reported = [entry for entry in (*self.entries, *self.written_entries()) if entry.part == "report"]
        refuse_leaks([*reported, *(drawn(item, "calibration", "given") for item in items)])

    def written_entries(self) -> list[Drawn]:
        """The entries of the sets that were written for this project, which the lists do not hold."""
        return [
            drawn(item, part, name)
            for part in PARTS
            for name in WRITTEN
            if name in SETS[part]
            for item in self._written(name, None)
        ]

    def _written(self, name: str, limit: int | None) -> list[Tamper]:
        path = self.benchmarks / WRITTEN[name]
        if not path.exists():
            return []
        items = load_bugs(path, split=REPORTED_SPLIT if path.is_dir() else None)
        if path.is_dir():  # but for the family that is reported as a whole
            whole = {item.task.id for item in self._written("written-tampers", None)}
            items = [item for item in items if item.task.id not in whole]
        random.Random(0).shuffle(items)
        return items[:limit]

    def _texts(self, part: Part, name: str, known: Set, entries: Sequence[Drawn]) -> Mapping[str, Tamper | Task]:
        if name == FUNCTIONS:
            if self.wheels is None:
                raise MomusError("functions of released packages stand in wheels: name their folder with --wheels")
            ids = [entry.id for entry in entries]
            return with_ids(ids, PACKAGES_OF[part], self.wheels, self.context_of)
        folder = self.benchmarks if known.ours else self.data
        if folder is None:
            raise MomusError(f"{known.file} is development data: set MOMUS_DATA to the folder that holds it")
        if known.clean:
            return {task.id: task for task in load_clean(folder / known.file)}
        return {item.task.id: item for item in load_bugs(folder / known.file)}
