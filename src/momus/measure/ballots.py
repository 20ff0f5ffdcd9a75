"""Ratings of comparisons as arrays: one row a rater's view of one comparison, one column a critique in it.

All statistics over ratings start here, so that what cannot be scored is NaN everywhere, a row counts once however often
it was written, and whoever rated is known to be simulated or not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from momus.errors import MomusError
from momus.records import Attribute, Comparison, Ranking, Rating, Task

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Origin = Literal["clean", "inserted", "natural"]
ORIGINS: tuple[Origin, ...] = ("inserted", "natural", "clean")
_VERSION = re.compile(r"@[0-9a-f]{10}$")


@dataclass(frozen=True, slots=True, eq=False)
class Ballots:
    """Scores of one attribute: `scores` and `critics` are [rows, places], the others [rows].

    `critics` are numbers of `names`, -1 where the comparison has no such place or the critique failed; there `scores`
    is NaN. `bugs` is the bug's number for CBI, else -1. `groups` names what the bootstrap draws together.
    """

    names: tuple[str, ...]
    raters: tuple[str, ...]
    scores: Floats
    critics: Ints
    comparisons: Ints
    by: Ints
    bugs: Ints
    groups: tuple[str, ...]
    origins: tuple[Origin, ...]

    def __len__(self) -> int:
        return len(self.groups)

    def where(self, mask: Bools) -> Ballots:
        """Only some rows."""
        kept = np.flatnonzero(mask)
        return replace(
            self,
            scores=self.scores[kept],
            critics=self.critics[kept],
            comparisons=self.comparisons[kept],
            by=self.by[kept],
            bugs=self.bugs[kept],
            groups=tuple(self.groups[i] for i in kept),
            origins=tuple(self.origins[i] for i in kept),
        )

    def of_origin(self, *origins: Origin) -> Ballots:
        """Only comparisons of answers with bugs put in, with natural ones, or clean ones."""
        return self.where(np.array([origin in origins for origin in self.origins], np.bool_))


class Panel:
    """Comparisons with all that raters said of them.

    A rating or ranking that is written twice for the same place counts once, the last. Raises MomusError where one
    belongs to no comparison, or names a critique or a bug that its comparison has not.
    """

    def __init__(
        self, comparisons: Iterable[Comparison], ratings: Iterable[Rating] = (), rankings: Iterable[Ranking] = ()
    ) -> None:
        self.comparisons: dict[str, Comparison] = {comparison.id: comparison for comparison in comparisons}
        self.rankings: dict[tuple[str, str], Ranking] = {}
        self._scores: dict[Attribute, dict[tuple[str, str, int], dict[int, int | None]]] = {}
        simulated: dict[str, bool] = {}
        for rating in ratings:
            comparison = self._comparison(rating.comparison_id, "rating")
            bug = -1 if rating.bug is None else rating.bug
            if rating.critique >= len(comparison.critiques) or bug >= len(comparison.bugs):
                raise MomusError(
                    f"a rating of {comparison.id} names a critique or a bug that it has not: "
                    "give the comparisons that were rated"
                )
            row = self._scores.setdefault(rating.attribute, {}).setdefault((comparison.id, rating.rater, bug), {})
            row[rating.critique] = rating.score
            simulated[rating.rater] = simulated.get(rating.rater, False) or rating.simulated
        for ranking in rankings:
            comparison = self._comparison(ranking.comparison_id, "ranking")
            if any(i >= len(comparison.critiques) for tier in ranking.order for i in tier):
                raise MomusError(f"a ranking of {comparison.id} names a critique that it has not")
            self.rankings[comparison.id, ranking.rater] = ranking
            simulated[ranking.rater] = simulated.get(ranking.rater, False) or ranking.simulated
        self.simulated: dict[str, bool] = simulated
        self.names = tuple(dict.fromkeys(s.critic for c in self.comparisons.values() for s in c.critiques))

    def _comparison(self, name: str, kind: str) -> Comparison:
        comparison = self.comparisons.get(name)
        if comparison is None:
            raise MomusError(f"a {kind} is of comparison {name}, which is not among the comparisons: give its file too")
        return comparison

    @property
    def ratings(self) -> int:
        """How many scores there are, each place of a rater's form once."""
        return sum(len(row) for rows in self._scores.values() for row in rows.values())

    def groups(self) -> list[str]:
        """What the bootstrap draws together, for every comparison."""
        return [group_of(comparison.task) for comparison in self.comparisons.values()]

    def ballots(self, attribute: Attribute) -> Ballots:
        """The scores of one attribute, 1..7."""
        rows = self._scores.get(attribute, {})
        return self._table([(key, list(scores.items())) for key, scores in rows.items()])

    def preferences(self) -> Ballots:
        """Values by which a rater orders critiques, the more the better: of the ranking, or else the overall scores."""
        overall = self._scores.get("overall", {})
        rows: list[tuple[tuple[str, str, int], list[tuple[int, int | None]]]] = [
            (
                (name, rater, -1),
                [(i, -tier) for tier, members in enumerate(ranking.order) for i in members],
            )
            for (name, rater), ranking in self.rankings.items()
        ]
        rows += [
            (key, list(scores.items())) for key, scores in overall.items() if (key[0], key[1]) not in self.rankings
        ]
        return self._table(rows)

    def _table(self, rows: Sequence[tuple[tuple[str, str, int], list[tuple[int, int | None]]]]) -> Ballots:
        places = max((len(comparison.critiques) for comparison in self.comparisons.values()), default=0)
        number = {name: i for i, name in enumerate(self.names)}
        raters = {name: i for i, name in enumerate(self.simulated)}
        order = {name: i for i, name in enumerate(self.comparisons)}
        written = np.full((len(order), places), -1, np.int64)
        for i, comparison in enumerate(self.comparisons.values()):
            for place, sampled in enumerate(comparison.critiques):
                if sampled.error is None:
                    written[i, place] = number[sampled.critic]
        scores = np.full((len(rows), places), np.nan)
        for i, (_, values) in enumerate(rows):
            for place, value in values:
                scores[i, place] = np.nan if value is None else value
        at = np.array([order[key[0]] for key, _ in rows], np.int64)
        critics = written[at] if len(rows) else np.zeros((0, places), np.int64)
        scores[critics < 0] = np.nan
        groups = self.groups()
        origins = [origin_of(comparison) for comparison in self.comparisons.values()]
        return Ballots(
            names=self.names,
            raters=tuple(raters),
            scores=scores,
            critics=critics,
            comparisons=at,
            by=np.array([raters[key[1]] for key, _ in rows], np.int64),
            bugs=np.array([key[2] for key, _ in rows], np.int64),
            groups=tuple(groups[i] for i in at),
            origins=tuple(origins[i] for i in at),
        )


def group_of(task: Task) -> str:
    """All comparisons of one problem, of a tamper and of its twin, are drawn together."""
    return task.group or _VERSION.sub("", task.id)


def origin_of(comparison: Comparison) -> Origin:
    """Whether the answer's bugs were put in (an operator or a person is named), are natural, or it has none."""
    if not comparison.bugs:
        return "clean"
    return "inserted" if any(bug.operator for bug in comparison.bugs) else "natural"
