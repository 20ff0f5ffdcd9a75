"""How far raters agree: Krippendorff's alpha and agreement by pairs, with and without a reference bug (Fig. 11)."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from momus.measure.ballots import Ballots
from momus.measure.figure import NOTHING, Figure
from momus.measure.intervals import Bootstrap

Floats = npt.NDArray[np.float64]
Level = Literal["nominal", "ordinal", "interval"]


@dataclass(frozen=True, slots=True)
class Agreement:
    """`alpha` is 1 where all agree and 0 by chance; NaN where raters have nothing to differ about.

    `pairs` is the share of pairs of raters on one side: of 4 for a score, of a pair of critiques for a preference.
    Its `n` counts pairs of raters, that of `alpha` what was scored by two or more.
    """

    alpha: Figure
    pairs: Figure

    def to_json(self) -> dict[str, Any]:
        return {"alpha": self.alpha.to_json(), "pairs": self.pairs.to_json()}


def krippendorff(values: Floats, level: Level = "ordinal") -> float:
    """Krippendorff's alpha (2011) of [raters, units], NaN where a rater did not score.

    NaN where no unit has two scores, or all scores are equal.
    """
    domain = np.unique(values[~np.isnan(values)])
    if not domain.size:
        return math.nan
    return float(_alpha(coincidences(values, domain).sum(axis=0), domain, level))


def coincidences(values: Floats, domain: Floats) -> Floats:
    """Each unit's share of the coincidence matrix: [raters, units] gives [units, values, values]."""
    counts = np.stack([(values == value).sum(axis=0) for value in domain], axis=1).astype(np.float64)
    scored = counts.sum(axis=1)
    pairs = counts[:, :, None] * counts[:, None, :]
    diagonal = np.arange(len(domain))
    pairs[:, diagonal, diagonal] -= counts
    several = scored > 1
    return np.asarray(np.where(several, 1 / np.maximum(scored - 1, 1), 0.0)[:, None, None] * pairs)


def _alpha(pairs: Floats, domain: Floats, level: Level) -> Floats:
    """Alpha of coincidence matrices [..., values, values]; NaN where nothing differs."""
    totals = pairs.sum(axis=-1)
    n = totals.sum(axis=-1)
    distance = _distances(totals, domain, level)
    seen = (pairs * distance).sum(axis=(-1, -2))
    chance = (totals[..., :, None] * totals[..., None, :] * distance).sum(axis=(-1, -2))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(chance > 0, 1 - (n - 1) * seen / chance, np.nan))


def _distances(totals: Floats, domain: Floats, level: Level) -> Floats:
    if level == "nominal":
        return np.broadcast_to(1.0 - np.eye(len(domain)), (*totals.shape, len(domain)))
    if level == "interval":
        squares = np.subtract.outer(domain, domain) ** 2
        return np.broadcast_to(squares, (*totals.shape, len(domain)))
    # Ordinal: how many scores lie between two values, half of each end counted.
    below = np.cumsum(totals, axis=-1) - totals / 2
    return np.asarray((below[..., :, None] - below[..., None, :]) ** 2)


def scores_agreement(ballots: Ballots, bootstrap: Bootstrap, level: Level = "ordinal") -> Agreement:
    """How far raters agree on an attribute's scores; a unit is a critique (and a bug of its answer)."""
    values, groups = _units(ballots)
    over = bootstrap.over(groups)
    domain = np.unique(values[~np.isnan(values)])
    if not domain.size:
        return Agreement(NOTHING, NOTHING)
    shares = coincidences(values, domain)
    drawn = over.sums(shares.reshape(len(groups), -1)).reshape(-1, len(domain), len(domain))
    several = int(((~np.isnan(values)).sum(axis=0) > 1).sum())
    alpha = Figure.of(
        float(_alpha(shares.sum(axis=0), domain, level)), _alpha(drawn, domain, level), several, over.clusters
    )
    return Agreement(alpha, _pairs(np.sign(values - 4), over))


def preference_agreement(ballots: Ballots, bootstrap: Bootstrap) -> Agreement:
    """How far raters agree on which of two critiques is the better; a unit is a pair of critiques, scored -1, 0, 1."""
    signs = []
    for i, j in combinations(range(ballots.scores.shape[1]), 2):
        signs.append(np.sign(ballots.scores[:, i] - ballots.scores[:, j]))
    if not signs:
        return Agreement(NOTHING, NOTHING)
    pairs = np.stack(signs, axis=1)
    values, groups = _units(replace(ballots, scores=pairs, critics=np.zeros(pairs.shape, np.int64)))
    over = bootstrap.over(groups)
    domain = np.array([-1.0, 0.0, 1.0])
    shares = coincidences(values, domain)
    # Which of the two stands first is chance: both ways round, so that alpha does not depend on it.
    shares = (shares + shares[:, ::-1, ::-1]) / 2
    drawn = over.sums(shares.reshape(len(groups), -1)).reshape(-1, 3, 3)
    several = int(((~np.isnan(values)).sum(axis=0) > 1).sum())
    here, there = _alpha(shares.sum(axis=0), domain, "ordinal"), _alpha(drawn, domain, "ordinal")
    alpha = Figure.of(float(here), there, several, over.clusters)
    return Agreement(alpha, _pairs(values, over))


def _units(ballots: Ballots) -> tuple[Floats, list[str]]:
    """[raters, units] and the group of each unit."""
    places = ballots.scores.shape[1]
    keys: dict[tuple[int, int], int] = {}
    at = np.array(
        [keys.setdefault((int(c), int(b)), len(keys)) for c, b in zip(ballots.comparisons, ballots.bugs, strict=True)],
        np.int64,
    )
    values = np.full((max(len(ballots.raters), 1), len(keys), places), np.nan)
    groups = [""] * len(keys)
    for row, unit in enumerate(at):
        values[ballots.by[row], unit] = ballots.scores[row]
        groups[unit] = ballots.groups[row]
    return values.reshape(len(values), -1), [group for group in groups for _ in range(places)]


def _pairs(values: Floats, bootstrap: Bootstrap) -> Figure:
    """The share of pairs of raters that say the same of a unit, [raters, units]."""
    scored = (~np.isnan(values)).sum(axis=0).astype(np.float64)
    same = np.zeros(values.shape[1])
    for value in np.unique(values[~np.isnan(values)]):
        count = (values == value).sum(axis=0)
        same += count * (count - 1) / 2
    pairs = scored * (scored - 1) / 2
    if not pairs.sum():
        return NOTHING
    drawn = bootstrap.sums(np.stack([same, pairs], axis=1))
    with np.errstate(invalid="ignore", divide="ignore"):
        draws = drawn[:, 0] / drawn[:, 1]
    return Figure.of(float(same.sum() / pairs.sum()), draws, int(pairs.sum()), bootstrap.clusters)
