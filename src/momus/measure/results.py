"""Critics measured over one data set: every measure with its interval, also by length and by kind of bug."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from momus.critics import Critic
from momus.critique import Critique
from momus.errors import MomusError
from momus.measure.classes import class_of
from momus.measure.figure import Figure, figures_of
from momus.measure.fitted import unfitted
from momus.measure.intervals import Bootstrap
from momus.measure.item import Item
from momus.measure.runs import Track, gather
from momus.measure.scores import Prover, score_clean, score_item
from momus.measure.suspected import lines_of_all
from momus.records import Sampled, Tamper, Task, versioned

BANDS: tuple[tuple[int, int | None], ...] = ((1, 7), (8, 15), (16, 30), (31, None))
BASELINE = "surprisal"


Figures = dict[str, Figure]


@dataclass(frozen=True, slots=True)
class Row:
    """One critic. `failed` counts the answers and twins that it could not do; `versus` are differences to the baseline
    on the items that both did; `slices` are figures by kind of slice and by value."""

    critic: str
    failed: int
    figures: Figures
    versus: Figures = field(default_factory=dict)
    slices: dict[str, dict[str, Figures]] = field(default_factory=dict)
    version: str = ""
    error: str | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            "critic": self.critic,
            "version": self.version,
            "failed": self.failed,
            **({"error": self.error} if self.error else {}),
            "measures": _json(self.figures),
            f"versus_{BASELINE}": _json(self.versus),
            "slices": {kind: {v: _json(f) for v, f in values.items()} for kind, values in self.slices.items()},
        }


@dataclass(frozen=True, slots=True)
class Results:
    """What one data set says of some critics. `answers` counts the distinct ones that each critic was given, `fitted`
    the items left out because one of the critics was fitted on their problem or code, `sizes` the items of each
    slice."""

    label: str
    items: int
    groups: int
    placed: int
    clean: int
    answers: int
    k: int
    budget: int
    seed: int
    proved: bool
    fitted: int
    rows: list[Row]
    sizes: dict[str, dict[str, int]]

    def to_json(self) -> dict[str, Any]:
        """The results as JSON values; unscored is null."""
        names = (
            "label",
            "items",
            "groups",
            "placed",
            "clean",
            "answers",
            "k",
            "budget",
            "seed",
            "proved",
            "fitted",
            "sizes",
        )
        return {**{name: getattr(self, name) for name in names}, "critics": [row.to_json() for row in self.rows]}


def measure(
    critics: Sequence[Critic],
    bugs: Sequence[Tamper],
    clean: Sequence[Task] = (),
    *,
    label: str = "",
    k: int = 3,
    budget: int = 3,
    seed: int = 0,
    draws: int = 2000,
    prover: Prover | None = None,
    held_out: frozenset[str] = frozenset(),
    runs: Path | None = None,
    track: Track | None = None,
) -> Results:
    """Measure critics on tasks with known bugs, their twins and further clean answers: see `momus.measure.scores`.

    `budget` is the number of lines at which critics are compared as equals; a critic that ranks lines is read to its
    k-th. `prover` runs the tests on what a suggestion makes of the answer. `held_out` names the operators that are
    reported apart. `runs` keeps critiques, so that a later run takes them from there. Intervals: `Bootstrap`.
    """
    fresh, unseen = unfitted(critics, bugs), unfitted(critics, clean)
    fitted = len(bugs) + len(clean) - len(fresh) - len(unseen)
    if fitted and not fresh and not unseen:
        raise MomusError(f"{label or 'all of this'}: a critic was fitted on all of it: measure on other data")
    items = [Item.of(tamper) for tamper in fresh]
    others = [versioned(task) for task in unseen]
    # What stands in both versions tells a critic with memory where they differ. So it is asked for all answers with
    # bugs before it sees a clean one, and what it said of them stands.
    passes = ([item.task for item in items], [item.twin for item in items] + others)
    tasks = [task for those in passes for task in those]
    said = {
        c.name: {
            name: sampled
            for those in passes
            for name, sampled in gather(c, those, seed=seed, folder=runs, track=track).items()
        }
        for c in critics
    }
    ordered = {
        c.name: lines_of_all(c, [item.task for item in items], said[c.name], seed=seed, folder=runs) for c in critics
    }
    rankings = {c.name: said[c.name] for c in critics if c.name == BASELINE and getattr(c, "ranks", False)}
    tables = {}
    for critic in critics:
        read = k if getattr(critic, "ranks", False) else None
        found = said[critic.name]
        on_items = [
            score_item(
                item,
                _critique(found.get(item.task.id)),
                _critique(found.get(item.twin.id)),
                k=k,
                budget=budget,
                read=read,
                prover=prover,
                ranking=_critique(rankings.get(BASELINE, {}).get(item.task.id)),
                lines=ordered[critic.name].get(item.task.id),
            )
            for item in items
        ]
        cleans = [score_clean(_critique(found.get(task.id)), read=read) for task in others]
        if any(sampled.lacks is not None for sampled in found.values()):
            for row, item in zip(on_items, items, strict=True):
                row |= _speaks("speaks", found.get(item.task.id))
            for row, task in zip(cleans, others, strict=True):
                row |= _speaks("clean_speaks", found.get(task.id))
        tables[critic.name] = (on_items, cleans)
    slices = slices_of(items, held_out)
    bootstrap = Bootstrap([item.group for item in items], draws=draws, seed=seed)
    on_clean = Bootstrap([task.group or task.id for task in unseen], draws=draws, seed=seed)
    baseline = _columns(tables[BASELINE][0]) if BASELINE in tables else {}
    rows = []
    versions = {critic.name: str(getattr(critic, "version", "")) for critic in critics}
    for name, (on_items, cleans) in tables.items():
        columns = _columns(on_items)
        figures = figures_of(columns, bootstrap, signed=_signed) | figures_of(_columns(cleans), on_clean)
        paired = {m: columns[m] - baseline[m] for m in columns if m in baseline} if name != BASELINE else {}
        parts = {
            kind: {
                value: figures_of(_within(columns, mask, k), bootstrap, signed=_signed)
                for value, mask in values.items()
            }
            for kind, values in slices.items()
        }
        errors = [sampled.error for sampled in said[name].values() if sampled.error]
        versus = figures_of(paired, bootstrap, signed=lambda name: True)
        rows.append(Row(name, len(errors), figures, versus, parts, versions[name], errors[0] if errors else None))
    return Results(
        label=label,
        items=len(items),
        groups=len({item.group for item in items}),
        placed=sum(bool(item.bug_lines) for item in items),
        clean=len(others),
        answers=len({task.id for task in tasks}),
        k=k,
        budget=budget,
        seed=seed,
        proved=prover is not None,
        fitted=fitted,
        rows=rows,
        sizes={kind: {value: int(mask.sum()) for value, mask in values.items()} for kind, values in slices.items()},
    )


Mask = npt.NDArray[np.bool_]


def slices_of(items: Sequence[Item], held_out: frozenset[str] = frozenset()) -> dict[str, dict[str, Mask]]:
    """The items of each value of each kind of slice; a kind is left out where it parts nothing, but for length and
    category, which other figures are made of.

    Items with several bugs of different kinds stand under `several`. A bug that nobody classed is classed by its fix.
    """
    operators = [_one({bug.operator for bug in item.tamper.bugs}) for item in items]
    kinds: dict[str, list[str | None]] = {
        "length": [band(len(item.text.code_lines)) for item in items],
        "bugs": ["1" if len(item.tamper.bugs) == 1 else "2+" if item.tamper.bugs else None for item in items],
        "category": [
            _one({class_of(bug, item.text.text, item.tamper.twin) for bug in item.tamper.bugs}) for item in items
        ],
        "operator": operators,
        "held-out": [
            None if name is None else "held out" if _touches(item, held_out) else "trained on"
            for item, name in zip(items, operators, strict=True)
        ],
        "linter": ["seen by a linter" if item.tamper.seen_by_linter else "unseen" for item in items],
    }
    first = [band(low) for low, _ in BANDS]
    slices: dict[str, dict[str, Mask]] = {}
    for kind, values in kinds.items():
        distinct = sorted({v for v in values if v is not None}, key=lambda v: (first.index(v) if v in first else 0, v))
        if len(distinct) > 1 or (kind in ("length", "category") and distinct):
            slices[kind] = {value: np.array([v == value for v in values], np.bool_) for value in distinct}
    return slices


def band(lines: int) -> str:
    """The length band of an answer with so many lines that are not blank."""
    low, high = next((low, high) for low, high in reversed(BANDS) if lines >= low or low == 1)
    return f"{low}+" if high is None else f"{low}-{high}"


def _touches(item: Item, operators: frozenset[str]) -> bool:
    return any(bug.operator in operators for bug in item.tamper.bugs)


def _one(values: set[str | None] | set[str]) -> str | None:
    known = [value for value in values if value is not None]
    return known[0] if len(known) == 1 else "several" if known else None


def _critique(sampled: Sampled | None) -> Critique | None:
    return None if sampled is None or sampled.error is not None else sampled.critique


def _speaks(name: str, sampled: Sampled | None) -> dict[str, float]:
    """Whether a critic that needs something to go by had it; nothing where it failed."""
    known = sampled is not None and sampled.error is None
    return {name: float(sampled.lacks is None)} if sampled is not None and known else {}


def _columns(scores: Sequence[Mapping[str, float]]) -> dict[str, npt.NDArray[np.float64]]:
    """A column for each measure, NaN where an item has no such score."""
    names = list(dict.fromkeys(name for row in scores for name in row))
    return {name: np.array([row.get(name, math.nan) for row in scores], np.float64) for name in names}


def _signed(measure: str) -> bool:
    """The twin tests are differences."""
    return measure.startswith("twin_") and measure != "twin_flagged"


def _within(columns: dict[str, npt.NDArray[np.float64]], mask: Mask, k: int) -> dict[str, npt.NDArray[np.float64]]:
    """The main measures on one slice. Whole groups are drawn all the same, so what lies outside is unscored."""
    names = (
        "first@1",
        "place@1",
        f"place@{k}",
        "chance@1",
        "fix@1",
        f"fix@{k}",
        "twin_place@1",
        "twin_fix@1",
        "spurious",
        "lines",
    )
    return {name: np.where(mask, columns[name], math.nan) for name in names if name in columns}


def _json(figures: Figures) -> dict[str, Any]:
    return {name: figure.to_json() for name, figure in figures.items()}
