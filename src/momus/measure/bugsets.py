"""Two sets of bugs beside each other: how severe they are, and how hard to find (Fig. 10)."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from momus.critique import SEVERITIES
from momus.measure.figure import Figure, figures_of
from momus.measure.intervals import Bootstrap
from momus.records import Bug

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class BugSet:
    """Bugs with the group of each and how hard it was: the share of critics or people that missed it, NaN unknown."""

    name: str
    bugs: Sequence[Bug]
    groups: Sequence[Hashable]
    missed: Floats

    def __post_init__(self) -> None:
        if not len(self.bugs) == len(self.groups) == len(self.missed):
            raise ValueError("each bug needs its group and its difficulty")


def missed_by(found: Mapping[str, Floats]) -> Floats:
    """How hard each bug was: the share of critics that missed it, of those with a score. [items] by critic, 1 found."""
    values = np.stack(list(found.values()), axis=1)
    scored = ~np.isnan(values)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(1 - np.where(scored, values, 0).sum(axis=1) / scored.sum(axis=1))


@dataclass(frozen=True, slots=True)
class Compared:
    """Shares of severities and mean difficulty of each set, and the differences of the first less the second."""

    severity: dict[str, dict[str, Figure]]
    missed: dict[str, Figure]
    differences: dict[str, Figure]

    def to_json(self) -> dict[str, Any]:
        return {
            "severity": {s: {k: f.to_json() for k, f in of.items()} for s, of in self.severity.items()},
            "missed": {name: figure.to_json() for name, figure in self.missed.items()},
            "differences": {name: figure.to_json() for name, figure in self.differences.items()},
        }


def compare(first: BugSet, second: BugSet, *, draws: int = 2000, seed: int = 0) -> Compared:
    """Severity and difficulty of two sets. `severity` of the differences counts low 1, medium 2, high 3.

    The two are drawn independently, so that their differences have intervals though no item is in both.
    """
    severity: dict[str, dict[str, Figure]] = {}
    missed: dict[str, Figure] = {}
    means: list[Floats] = []
    drawn: list[Floats] = []
    for i, of in enumerate((first, second)):
        levels = np.array([SEVERITIES.index(bug.severity) + 1 for bug in of.bugs], np.float64)
        columns: dict[str, Floats] = {
            name: (levels == i + 1).astype(np.float64) for i, name in enumerate(map(str, SEVERITIES))
        }
        bootstrap = Bootstrap(of.groups, draws=draws, seed=seed + i)
        figures = figures_of({**columns, "missed": of.missed}, bootstrap)
        missed[of.name] = figures.pop("missed")
        severity[of.name] = figures
        both = np.stack([levels, of.missed], axis=1)
        drawn.append(bootstrap.means(both))
        means.append(np.array([levels.mean() if len(levels) else math.nan, missed[of.name].mean]))
    n = min(len(first.bugs), len(second.bugs))
    clusters = min(len(set(of.groups)) for of in (first, second))
    differences = {
        name: Figure.of(float(means[0][i] - means[1][i]), drawn[0][:, i] - drawn[1][:, i], n, clusters)
        for i, name in enumerate(("severity", "missed"))
    }
    return Compared(severity, missed, differences)
