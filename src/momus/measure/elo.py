"""Elo of critics from preferences: the Bradley-Terry model on Elo's scale (section 2.1.2 of the paper).

P(A preferred to B) = 1 / (1 + 10^((R_B - R_A) / 400)); a tie is half a win for each. On every rating lies a weak prior,
normal about 0 with a standard deviation of `PRIOR` points, so that a critic that never lost has a finite rating; such
ratings say more of the prior than of the critic, and are marked. The log posterior is strictly concave, so that every
method that climbs ends at the same one; L-BFGS climbs for the figure itself, Newton's steps for all draws at once.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from momus.errors import MissingExtra
from momus.measure.intervals import Bootstrap, percentiles
from momus.measure.preference import Duels, wins_by_draw, wins_of

Floats = npt.NDArray[np.float64]

POINTS = 400 / math.log(10)  # of Elo in one unit of log odds
PRIOR = 800.0
_STEPS = 100
_NEAR = 1e-9  # log odds


@dataclass(frozen=True, slots=True)
class Standing:
    """A critic's Elo; the mean over critics is 0, or the anchor's is. `duels` it took part in.

    `mark` is empty, or tells what only the prior holds: `undefeated`, `never won`, `parted` (those it met were all
    better, or all worse, by way of others), `not linked` (no chain of duels leads to most of the others).
    """

    critic: str
    elo: float
    low: float
    high: float
    duels: int
    mark: str = ""

    @property
    def reach(self) -> str:
        """The interval in words."""
        return "no interval" if math.isnan(self.low) else f"{self.low:+.0f} to {self.high:+.0f}"

    def to_json(self) -> dict[str, Any]:
        ends = {name: getattr(self, name) for name in ("elo", "low", "high")}
        numbers = {name: None if math.isnan(end) else round(end, 2) for name, end in ends.items()}
        return {"critic": self.critic, **numbers, "duels": self.duels, "mark": self.mark}


def standings(duels: Duels, bootstrap: Bootstrap, *, prior: float = PRIOR, anchor: str | None = None) -> list[Standing]:
    """Critics by Elo, the best first, with 95% intervals over draws of whole groups (`bootstrap` is over the duels).

    With `anchor`, ratings are differences to that critic's, whose interval is then empty. Critics without a duel are
    left out. Where there is one group there are no intervals: their ends are NaN.
    """
    wins = wins_of(duels)
    met = wins + wins.T
    kept = np.flatnonzero(met.sum(axis=1) > 0)
    if not kept.size:
        return []
    names = [duels.names[i] for i in kept]
    wins, met = wins[np.ix_(kept, kept)], met[np.ix_(kept, kept)]
    ratings = fit(wins, prior=prior)
    drawn = fit_all(wins_by_draw(duels, bootstrap)[:, kept[:, None], kept], prior=prior, start=ratings)
    if anchor in names:
        at = names.index(anchor)
        ratings, drawn = ratings - ratings[at], drawn - drawn[:, at : at + 1]
    low, high = np.percentile(drawn, percentiles(bootstrap.clusters), axis=0)
    if bootstrap.clusters < 2:  # all draws are the same one: that is no certainty
        low, high = np.full(len(names), math.nan), np.full(len(names), math.nan)
    marks = marks_of(wins)
    found = [
        Standing(name, float(ratings[i]), float(low[i]), float(high[i]), round(float(met[i].sum())), marks[i])
        for i, name in enumerate(names)
    ]
    return sorted(found, key=lambda standing: -standing.elo)


def fit(wins: Floats, *, prior: float = PRIOR) -> Floats:
    """Ratings in Elo points, of mean 0, by L-BFGS. `wins[i, j]` says how often i was preferred to j, ties half.

    Raises MissingExtra without scipy.
    """
    try:
        from scipy.optimize import minimize
    except ImportError:
        raise MissingExtra("fitting Elo", "study") from None
    found = minimize(
        lambda theta: _loss(theta, wins, prior),
        np.zeros(len(wins)),
        jac=True,
        method="L-BFGS-B",
        options={"ftol": 1e-15, "gtol": 1e-10, "maxiter": 1000},
    )
    theta = np.asarray(found.x, np.float64)
    return np.asarray((theta - theta.mean()) * POINTS)


def _loss(theta: Floats, wins: Floats, prior: float) -> tuple[float, Floats]:
    """The negative log posterior in log odds, and its gradient."""
    difference = theta[:, None] - theta[None, :]
    precision = (POINTS / prior) ** 2
    value = float((wins * np.logaddexp(0, -difference)).sum() + 0.5 * precision * theta @ theta)
    lost = wins * _logistic(-difference)
    return value, lost.sum(axis=0) - lost.sum(axis=1) + precision * theta


def fit_all(wins: Floats, *, prior: float = PRIOR, start: Floats | None = None) -> Floats:
    """The same for many tables at once by Newton's method: [draws, critics, critics] gives [draws, critics]."""
    draws, count, _ = wins.shape
    met = wins + wins.transpose(0, 2, 1)
    precision = (POINTS / prior) ** 2
    theta = np.tile(np.zeros(count) if start is None else start / POINTS, (draws, 1))
    for _ in range(_STEPS):
        chance = _logistic(theta[:, :, None] - theta[:, None, :])
        gradient = (wins - met * chance).sum(axis=2) - precision * theta
        weight = met * chance * (1 - chance)
        hessian = -weight
        diagonal = np.arange(count)
        hessian[:, diagonal, diagonal] = weight.sum(axis=2) - weight[:, diagonal, diagonal] + precision
        step = np.linalg.solve(hessian, gradient[:, :, None])[:, :, 0]
        # Far from the top the curve is flat, and a whole step would go far astray.
        longest = np.abs(step).max(axis=1, keepdims=True, initial=0)
        theta = theta + step / np.maximum(longest, 1)
        if not longest.size or longest.max() < _NEAR:
            break
    return np.asarray((theta - theta.mean(axis=1, keepdims=True)) * POINTS)


def _logistic(x: Floats) -> Floats:
    return np.asarray(0.5 * (1 + np.tanh(0.5 * x)))


def marks_of(wins: Floats) -> list[str]:
    """What of each critic's rating only the prior holds, by critic; see `Standing`.

    Without the prior ratings are finite just where every critic is reached from every other by wins (Ford 1957).
    """
    beats = wins > 0
    reach = _closure(beats)
    linked = _closure(beats | beats.T)
    largest = linked.sum(axis=1).max(initial=0)
    marks = []
    for i in range(len(wins)):
        lost, won = wins[:, i].sum(), wins[i].sum()
        if linked[i].sum() < largest:
            marks.append("not linked")
        elif not lost:
            marks.append("undefeated")
        elif not won:
            marks.append("never won")
        elif (reach[i] & reach[:, i]).sum() < _most(reach, linked[i]):
            marks.append("parted")
        else:
            marks.append("")
    return marks


def _most(reach: npt.NDArray[np.bool_], members: npt.NDArray[np.bool_]) -> int:
    """The size of the largest set of critics, among these, that reach each other by wins."""
    both = reach & reach.T
    return int(both[members].sum(axis=1).max(initial=0))


def _closure(edges: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    reach = edges | np.eye(len(edges), dtype=np.bool_)
    for k in range(len(reach)):
        reach |= reach[:, k : k + 1] & reach[k]
    return reach


def expected(a: float, b: float) -> float:
    """How often a critic of rating `a` is preferred to one of rating `b`."""
    return 1 / (1 + 10 ** ((b - a) / 400))


def markdown(found: Sequence[Standing]) -> str:
    """The leaderboard as a table for documents."""
    lines = ["| critic | Elo | 95% | duels | |", "| --- | ---: | ---: | ---: | --- |"]
    lines += [f"| `{s.critic}` | {s.elo:+.0f} | {s.reach} | {s.duels} | {s.mark} |" for s in found]
    return "\n".join(lines) + "\n"
