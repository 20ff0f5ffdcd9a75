"""The dial: how much a search is to say, as a length modifier that was fitted on development answers.

Two ways to set it. By *percentile*, as in the paper (section 2.3): the modifier at which the result's number of
highlights sits at that percentile of what the search saw. By *promise*: the most that can be said while the spurious
comments of 10 reviews stay, with 90% confidence, at or below a number.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from momus.critics.fsbs import SearchResult, select
from momus.errors import MomusError

PERCENTILES = (10, 25, 50, 75)  # the paper's
REVIEWS = 10  # a promise speaks of so many reviews, a review being one answer
CONFIDENCE = 0.9


@dataclass(frozen=True, slots=True)
class Notch:
    """A percentile's length modifier, and the mean number of highlights: wanted, and got on the searches it was
    fitted on."""

    percentile: int
    modifier: float
    wanted: float
    highlights: float


@dataclass(frozen=True, slots=True)
class Promise:
    """What a length modifier does; rates are spurious comments in 10 reviews.

    `bound` holds with 90% confidence, and for no quieter setting is it higher; `fitted` is the rate on the answers it
    was fitted on, `checked` on others. `found`: the share of tampered answers among the latter in which a comment
    touches a line of a bug. None where there were no others.
    """

    modifier: float
    bound: float
    fitted: float
    checked: float | None = None
    found: float | None = None


@dataclass(frozen=True, slots=True)
class Dial:
    """The fitted settings. `promises` go from the most silent one up."""

    notches: tuple[Notch, ...]
    promises: tuple[Promise, ...] = ()

    def at(self, percentile: int) -> float:
        """The modifier of a percentile. Raises MomusError where it was not fitted."""
        for notch in self.notches:
            if notch.percentile == percentile:
                return notch.modifier
        known = ", ".join(str(notch.percentile) for notch in self.notches) or "none"
        raise MomusError(f"the dial has no percentile {percentile}: choose one of {known}")

    def promising(self, spurious: float) -> float:
        """The modifier that says most at no more than so many spurious comments in 10 reviews.

        Raises MomusError, naming the lowest promise that can be kept, where no setting keeps this one.
        """
        kept = list(itertools.takewhile(lambda promise: promise.bound <= spurious, self.promises))
        if kept:
            return kept[-1].modifier
        if not self.promises:
            raise MomusError("this bundle was exported without promises of spurious comments: set the dial instead")
        lowest = np.ceil(self.promises[0].bound * 100) / 100
        raise MomusError(
            f"at most {spurious:g} spurious comments in {REVIEWS} reviews cannot be promised: the lowest promise that "
            f"this bundle can keep is {lowest:g}"
        )

    def to_dict(self) -> dict[str, Any]:
        return {"notches": [asdict(n) for n in self.notches], "promises": [asdict(p) for p in self.promises]}

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Dial:
        """Read what `to_dict` wrote. Raises MomusError."""
        try:
            return cls(
                tuple(Notch(**notch) for notch in stored["notches"]),
                tuple(Promise(**promise) for promise in stored["promises"]),
            )
        except (KeyError, TypeError) as error:
            raise MomusError(f"the bundle's dial cannot be read ({error}): export the bundle again") from None


def fit_percentiles(results: Sequence[SearchResult], percentiles: Sequence[int] = PERCENTILES) -> tuple[Notch, ...]:
    """For each percentile the modifier at which the mean number of highlights comes nearest to what is wanted.

    Wanted is the mean over searches of that percentile of their candidates' numbers. The mean that a modifier gives
    only rises with it, by steps; a modifier stands in the middle of its step. Raises MomusError without a search.
    """
    if not results:
        raise MomusError("the dial cannot be fitted: no development answer was searched; give more pairs")
    counts = [np.array([c.highlights for c in result.candidates], float) for result in results]
    settings = _middles(results)
    means: dict[float, float] = {}

    def mean(modifier: float) -> float:
        if modifier not in means:
            means[modifier] = float(np.mean([select(result, modifier).highlights for result in results]))
        return means[modifier]

    notches = []
    for percentile in percentiles:
        wanted = float(np.mean([np.percentile(count, percentile) for count in counts]))
        low, high = 0, len(settings) - 1  # the first setting that reaches what is wanted
        while low < high:
            middle = (low + high) // 2
            low, high = (low, middle) if mean(settings[middle]) >= wanted else (middle + 1, high)
        near = min(settings[max(0, low - 1) : low + 1], key=lambda modifier: abs(mean(modifier) - wanted))
        notches.append(Notch(percentile, round(near, 6), wanted, mean(near)))
    return tuple(notches)


def _middles(results: Sequence[SearchResult]) -> list[float]:
    """Modifiers between all places at which some search's choice changes, ascending."""
    turns: set[float] = set()
    for result in results:
        best: dict[int, float] = {}
        for candidate in result.candidates:
            best[candidate.highlights] = max(best.get(candidate.highlights, -np.inf), candidate.score)
        turns |= {(best[a] - best[b]) / (b - a) for a, b in itertools.combinations(sorted(best), 2)}
    ordered = sorted(turns)
    if not ordered:
        return [0.0]
    between = [(a + b) / 2 for a, b in itertools.pairwise(ordered)]
    return [ordered[0] - 1.0, *between, ordered[-1] + 1.0]
