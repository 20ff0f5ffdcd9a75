"""Who is preferred to whom, within comparisons, ties half (section 2.1.2 of the paper)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from momus.measure.ballots import Ballots
from momus.measure.figure import NOTHING, Figure
from momus.measure.intervals import Bootstrap

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Duels:
    """Pairs of critiques that one rater ordered in a comparison: `won` is 1 where `first` is preferred, 0.5 for a tie.

    `first` and `second` are numbers of `names`. Two critiques of one critic are no duel.
    """

    names: tuple[str, ...]
    first: Ints
    second: Ints
    won: Floats
    groups: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.groups)


def duels_of(ballots: Ballots) -> Duels:
    """All pairs within each row of scores, the higher preferred; what is not scored is in no pair."""
    parts: list[tuple[Ints, Ints, Floats, Ints]] = []
    for i, j in combinations(range(ballots.scores.shape[1]), 2):
        a, b = ballots.scores[:, i], ballots.scores[:, j]
        first, second = ballots.critics[:, i], ballots.critics[:, j]
        rows = np.flatnonzero(~np.isnan(a) & ~np.isnan(b) & (first != second))
        parts.append((first[rows], second[rows], 0.5 + 0.5 * np.sign(a[rows] - b[rows]), rows))
    if not parts:
        none = np.zeros(0, np.int64)
        return Duels(ballots.names, none, none, np.zeros(0), ())
    first, second, won, rows = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Duels(ballots.names, first, second, won, tuple(ballots.groups[i] for i in rows))


def wins_of(duels: Duels) -> Floats:
    """How often each critic was preferred to each, ties half: [critics, critics], the row's over the column's."""
    count = len(duels.names)
    wins = np.zeros((count, count))
    np.add.at(wins, (duels.first, duels.second), duels.won)
    np.add.at(wins, (duels.second, duels.first), 1 - duels.won)
    return wins


def wins_by_draw(duels: Duels, bootstrap: Bootstrap) -> Floats:
    """The same in each draw of whole groups: [draws, critics, critics]. `bootstrap` is over the duels."""
    count = len(duels.names)
    cells = np.zeros((len(duels), 2), np.int64)
    cells[:, 0] = duels.first * count + duels.second
    cells[:, 1] = duels.second * count + duels.first
    used = np.unique(cells)
    column = {int(cell): i for i, cell in enumerate(used)}
    values = np.zeros((len(duels), len(column)))
    if len(duels):
        rows = np.arange(len(duels))
        values[rows, np.searchsorted(used, cells[:, 0])] = duels.won
        values[rows, np.searchsorted(used, cells[:, 1])] = 1 - duels.won
    drawn = bootstrap.sums(values)
    wins = np.zeros((drawn.shape[0], count * count))
    wins[:, used] = drawn
    return wins.reshape(-1, count, count)


def win_rates(duels: Duels, bootstrap: Bootstrap) -> dict[tuple[str, str], Figure]:
    """How often one critic is preferred to another, ties half, for each ordered pair that met; `n` counts the duels."""
    wins, drawn = wins_of(duels), wins_by_draw(duels, bootstrap)
    met = np.zeros_like(wins, np.int64)
    np.add.at(met, (duels.first, duels.second), 1)
    met += met.T
    rates: dict[tuple[str, str], Figure] = {}
    for i, a in enumerate(duels.names):
        for j, b in enumerate(duels.names):
            if i != j and met[i, j]:
                with np.errstate(invalid="ignore", divide="ignore"):
                    draws = drawn[:, i, j] / (drawn[:, i, j] + drawn[:, j, i])
                rates[a, b] = Figure.of(wins[i, j] / met[i, j], draws, int(met[i, j]), bootstrap.clusters)
    return rates


def win_rate(duels: Duels, a: str, b: str, bootstrap: Bootstrap) -> Figure:
    """How often `a` is preferred to `b`; unscored where they never met."""
    return win_rates(duels, bootstrap).get((a, b), NOTHING)
