"""How often critiques catch the bug, miss severe problems, nitpick, make problems up, or run on (section 2.1.2).

A score of 1..7 says no below 4, yes above it, and "unsure" at 4 (Table 2). Unsure is neither: it is left out of the
rate and counted beside it, so that a rater who always says 4 has said nothing. What is not scored is in no number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from momus.measure.ballots import Ballots
from momus.measure.figure import NOTHING, Figure, figures_of
from momus.measure.intervals import Bootstrap

Floats = npt.NDArray[np.float64]
UNSURE = 4


@dataclass(frozen=True, slots=True)
class Rate:
    """Of one critic and attribute: the share of yes among what was decided, the share of unsure, the mean score."""

    critic: str
    yes: Figure
    unsure: Figure
    score: Figure

    def to_json(self) -> dict[str, Any]:
        figures = {"yes": self.yes, "unsure": self.unsure, "score": self.score}
        return {"critic": self.critic, **{name: figure.to_json() for name, figure in figures.items()}}


def decided(scores: Floats) -> Floats:
    """1 for yes, 0 for no, NaN for unsure and unscored."""
    return np.where(np.isnan(scores) | (scores == UNSURE), np.nan, (scores > UNSURE).astype(np.float64))


def unsure(scores: Floats) -> Floats:
    """1 for unsure, 0 for yes and no, NaN for unscored."""
    return np.where(np.isnan(scores), np.nan, (scores == UNSURE).astype(np.float64))


def by_critic(values: Floats, ballots: Ballots) -> dict[str, Floats]:
    """For each critic the mean of its values in each row: [rows, places] gives [rows], NaN where it has none there."""
    found = {}
    for number, name in enumerate(ballots.names):
        held = (ballots.critics == number) & ~np.isnan(values)
        count = held.sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            found[name] = np.where(held, values, 0.0).sum(axis=1) / count
    return {name: column for name, column in found.items() if not np.isnan(column).all()}


def rates(ballots: Ballots, bootstrap: Bootstrap) -> list[Rate]:
    """The rates of every critic that has a score; `bootstrap` is over the rows.

    CBI has a row for each bug. `n` counts rows: a critic with two critiques in a comparison counts there once, by their
    mean.
    """
    yes = figures_of(by_critic(decided(ballots.scores), ballots), bootstrap)
    doubt = figures_of(by_critic(unsure(ballots.scores), ballots), bootstrap)
    score = figures_of(by_critic(ballots.scores, ballots), bootstrap)
    return [Rate(name, yes.get(name, NOTHING), doubt[name], score[name]) for name in ballots.names if name in score]


def either(a: Ballots, b: Ballots) -> Ballots:
    """The higher of two scores, place by place, where one rater gave both: at least one nitpick or fake problem."""
    rows = {(int(c), int(r), int(g)): i for i, (c, r, g) in enumerate(zip(b.comparisons, b.by, b.bugs, strict=True))}
    pairs = [
        (i, rows[key])
        for i, key in enumerate((int(c), int(r), int(g)) for c, r, g in zip(a.comparisons, a.by, a.bugs, strict=True))
        if key in rows
    ]
    mask = np.zeros(len(a), np.bool_)
    mask[[i for i, _ in pairs]] = True
    kept = a.where(mask)
    other = b.scores[[j for _, j in pairs]] if pairs else np.zeros((0, a.scores.shape[1]))
    # Yes is certain from one of the two; otherwise both must be known.
    one, two = kept.scores, other
    higher = np.fmax(one, two)
    known = (~np.isnan(one) & ~np.isnan(two)) | (higher > UNSURE)
    return replace(kept, scores=np.where(known, higher, np.nan))


def versus(ballots: Ballots, baseline: str, bootstrap: Bootstrap, *, score: bool = False) -> dict[str, Figure]:
    """Each critic's rate of yes less the baseline's, within the rows that hold both; `score`: of the mean score."""
    values = by_critic(ballots.scores if score else decided(ballots.scores), ballots)
    if baseline not in values:
        return {}
    return figures_of(
        {
            name: column - values[baseline]
            for name, column in values.items()
            if name != baseline and not np.isnan(column - values[baseline]).all()
        },
        bootstrap,
        signed=lambda name: True,
    )


def markdown(found: Sequence[Rate]) -> str:
    """Rates as a table for documents."""
    lines = ["| critic | yes % | 95% | unsure % | mean score | n |", "| --- | ---: | ---: | ---: | ---: | ---: |"]
    for rate in found:
        yes, ends = "–", "–"
        if rate.yes.n:
            yes, ends = f"{100 * rate.yes.mean:.1f}", f"{100 * rate.yes.low:.1f}–{100 * rate.yes.high:.1f}"
        doubt, score = f"{100 * rate.unsure.mean:.1f}", f"{rate.score.mean:.2f}"
        lines.append(f"| `{rate.critic}` | {yes} | {ends} | {doubt} | {score} | {rate.score.n} |")
    return "\n".join(lines) + "\n"
