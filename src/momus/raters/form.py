"""The paper's rating form (Table 2) of the critiques of one comparison, and its way into records and back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import get_args

from momus.records import Attribute, Comparison, Ranking, Rating

ATTRIBUTES: tuple[Attribute, ...] = get_args(Attribute)
SINGLE: tuple[Attribute, ...] = tuple(name for name in ATTRIBUTES if name != "cbi")

Order = tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class Form:
    """One critique's scores, 1..7; None is unscored. Raises ValueError on a score outside.

    | attribute | 1 | 4 | 7 |
    |---|---|---|---|
    | cbi, one per reference bug | definitely missed | unsure | definitely included |
    | comprehensiveness | severe problems are missing | unsure | all are mentioned |
    | nitpick: at least one | no | unsure | yes |
    | fake_problem: at least one | no | unsure | yes |
    | conciseness | very wordy | unsure | very concise |
    | overall, beside the others | worst | | best |
    """

    cbi: tuple[int | None, ...] = ()
    comprehensiveness: int | None = None
    nitpick: int | None = None
    fake_problem: int | None = None
    conciseness: int | None = None
    overall: int | None = None
    rationale: str = ""

    def __post_init__(self) -> None:
        for score in (*self.cbi, *(getattr(self, name) for name in SINGLE)):
            if score is not None and not 1 <= score <= 7:
                raise ValueError(f"a score is 1..7 or None, not {score!r}")

    @property
    def scored(self) -> bool:
        """Whether every attribute has a score."""
        return None not in (*self.cbi, *(getattr(self, name) for name in SINGLE))


@dataclass(frozen=True, slots=True)
class Rated:
    """A rater's forms of the critiques of one comparison, in its order, and the rater's order of them, best first.

    `order` holds the indexes of critiques in tiers; those in one tier are tied, and those unscored are in none.
    """

    forms: tuple[Form, ...]
    order: Order = ()
    rationale: str = ""


def unscored(comparison: Comparison, why: str) -> Rated:
    """No score at all, and the reason."""
    bugs: tuple[int | None, ...] = (None,) * len(comparison.bugs)
    return Rated(tuple(Form(cbi=bugs, rationale=why) for _ in comparison.critiques), (), why)


def order_of(values: Sequence[float | int | None]) -> Order:
    """Indexes by value, the highest first; equal ones share a tier, and None stands in none."""
    tiers: dict[float, list[int]] = {}
    for i, value in enumerate(values):
        if value is not None:
            tiers.setdefault(value, []).append(i)
    return tuple(tuple(tiers[value]) for value in sorted(tiers, reverse=True))


def as_records(comparison: Comparison, rated: Rated, rater: str, simulated: bool) -> tuple[list[Rating], list[Ranking]]:
    """The rows of a comparison's forms, and its ranking, if any critique was ranked.

    Raises ValueError where forms, scores of bugs or indexes do not fit the comparison.
    """
    count, bugs = len(comparison.critiques), len(comparison.bugs)
    if len(rated.forms) != count or any(len(form.cbi) != bugs for form in rated.forms):
        raise ValueError(f"comparison {comparison.id} needs {count} forms with a score for each of {bugs} bugs")
    if any(i >= count for tier in rated.order for i in tier):
        raise ValueError(f"comparison {comparison.id} has {count} critiques, and the order names others: {rated.order}")
    rows: list[Rating] = []
    for i, form in enumerate(rated.forms):
        scores: list[tuple[Attribute, int | None, int | None]] = [
            *(("cbi", bug, score) for bug, score in enumerate(form.cbi)),
            *((name, None, getattr(form, name)) for name in SINGLE),
        ]
        rows += [
            Rating(
                comparison_id=comparison.id,
                critique=i,
                rater=rater,
                attribute=name,
                score=score,
                bug=bug,
                rationale=form.rationale if name == "overall" else "",
                simulated=simulated,
            )
            for name, bug, score in scores
        ]
    if not rated.order:
        return rows, []
    ranking = Ranking(
        comparison_id=comparison.id, rater=rater, order=rated.order, rationale=rated.rationale, simulated=simulated
    )
    return rows, [ranking]


def from_records(comparison: Comparison, rows: Iterable[Rating], rankings: Iterable[Ranking] = ()) -> Rated:
    """One rater's forms from its rows. What has no row is unscored. Without a ranking, `overall` gives the order.

    Raises ValueError on a row that names a critique or a bug that the comparison has not.
    """
    count, bugs = len(comparison.critiques), len(comparison.bugs)
    singles: list[dict[str, int | None]] = [{} for _ in range(count)]
    cbi: list[list[int | None]] = [[None] * bugs for _ in range(count)]
    rationales = [""] * count
    for row in rows:
        if row.comparison_id != comparison.id:
            continue
        if row.critique >= count or (row.bug is not None and row.bug >= bugs):
            raise ValueError(f"comparison {comparison.id} has no critique {row.critique} or no bug {row.bug}")
        if row.bug is not None:
            cbi[row.critique][row.bug] = row.score
        else:
            singles[row.critique][row.attribute] = row.score
        rationales[row.critique] = row.rationale or rationales[row.critique]
    forms = tuple(Form(cbi=tuple(cbi[i]), **singles[i], rationale=rationales[i]) for i in range(count))
    ranking = next((ranking for ranking in rankings if ranking.comparison_id == comparison.id), None)
    if ranking is None:
        return Rated(forms, order_of([form.overall for form in forms]))
    if any(i >= count for tier in ranking.order for i in tier):
        raise ValueError(f"comparison {comparison.id} has {count} critiques, and a ranking names others")
    return Rated(forms, ranking.order, ranking.rationale)
