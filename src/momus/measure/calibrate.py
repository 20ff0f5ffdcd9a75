"""Fits what scores mean: thresholds by the share of clean code that is flagged, confidence, promises. No model here.

Fitted on answers that nothing else was fitted on, and that nothing is reported on (`momus.measure.draws`).
"""

from __future__ import annotations

import bisect
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from momus.critics.local.calibration import REVIEWS, Promise, Side, Threshold
from momus.errors import MomusError
from momus.measure.assessed import Assessed
from momus.measure.binomial import exact, upper
from momus.measure.bounds import highest_mean

Floats = npt.NDArray[np.float64]
# Of clean code, what share may be flagged at most at each setting of the dial: of answers to a question, of other code.
QUESTION = {10: 0.01, 25: 0.025, 50: 0.05, 75: 0.10}
CODE = {10: 0.006, 25: 0.015, 50: 0.03, 75: 0.06}
CONFIDENCE = 0.9  # with which a promise is kept
KEPT = 0.8  # with which a share of clean code is flagged at most
MOST = 3  # comments that the critic makes of an answer, which bounds how many can be spurious
STEPS = 40  # settings that a promise is looked for at
POINTS = 12  # of the curve from score to confidence
FEWEST = 20  # answers of a kind, below which nothing is fitted on them


@dataclass(frozen=True, slots=True)
class Fitted:
    """Both kinds of code, and how well confidence tells right places from wrong ones: AUC, of so many each."""

    question: Side
    code: Side
    auc: float
    right: int
    wrong: int


def fit(assessed: Sequence[Assessed], *, seed: int = 0) -> Fitted:
    """Fit both sides. Raises MomusError where there are too few clean or buggy answers of one of them."""
    sides, said, was = [], [], []
    for asked, wanted in ((True, QUESTION), (False, CODE)):
        mine = [found for found in assessed if found.asked == asked]
        clean, buggy = [f for f in mine if not f.buggy], [f for f in mine if f.buggy]
        what = "answers to a question" if asked else "code without a question"
        for kind, some in (("clean", clean), ("buggy", buggy)):
            if len(some) < FEWEST:
                raise MomusError(f"{len(some)} {kind} {what} are too few to fit on: give at least {FEWEST} with --on")
        first = [found.comments[0] for found in buggy if found.comments]
        wrong = [(found.score, False) for found in clean if found.comments]
        scores, right = (np.array(part, np.float64) for part in zip(*first, *wrong, strict=True))
        weights = np.array([1.0] * len(first) + [len(buggy) / len(clean)] * len(wrong))
        confidence = curve(scores, right, weights)
        side = Side(thresholds([f.score for f in clean], wanted), confidence, promises(buggy, clean, seed))
        sides.append(side)
        said += [side.chance(score) for score, _ in first]
        was += [float(found) for _, found in first]
    right_ones = int(sum(was))
    return Fitted(sides[0], sides[1], auc(said, was), right_ones, len(was) - right_ones)


def thresholds(clean: Sequence[float], wanted: dict[int, float]) -> tuple[Threshold, ...]:
    """For each setting of the dial the lowest threshold that flags at most so large a share of further clean code.

    With a confidence of 80%: so many of the n scores lie above it that the exact one-sided bound of the share is at
    most the wanted one. (To hold on average only, as split conformal prediction does, would be to break the promise
    half of the time.) Where even none is too many for so few scores, none is flagged.
    """
    ordered = np.sort(np.asarray(clean, np.float64))
    n = len(ordered)
    found = []
    for dial, share in sorted(wanted.items()):
        above = bisect.bisect_right(range(n), share, key=lambda k: upper(k, n, KEPT)) - 1
        below = n - max(0, above)  # so many have to stay below
        score = between(ordered, below)
        flagged = int((ordered >= score).sum())
        low, high = exact(flagged, n)
        found.append(Threshold(dial, score, share, flagged, n, round(low, 6), round(high, 6)))
    return tuple(found)


def between(ordered: Floats, below: int) -> float:
    """A score above the first `below` of ascending ones: midway to the next that is higher, or half as high again."""
    top = float(ordered[below - 1])
    higher = ordered[ordered > top]
    return round((top + float(higher[0])) / 2 if higher.size else max(top, 0.1) * 1.5, 6)


def curve(scores: Floats, right: Floats, weights: Floats | None = None) -> tuple[tuple[float, float], ...]:
    """Points (score, chance that the place is right), rising in both: a logistic curve, which never falls.

    With Platt's prior counts, so that no chance is 0 or 1. Flat where scores tell nothing. `weights` [n]: how much
    each comment counts.
    """
    w = np.ones_like(scores) if weights is None else weights
    hit, miss = float((w * right).sum()), float((w * (1 - right)).sum())
    mean = (hit + 1) / (hit + miss + 2)
    x = (scores - scores.mean()) / (scores.std() or 1.0)
    target = np.where(right > 0.5, (hit + 1) / (hit + 2), 1 / (miss + 2))
    slope, offset = _logistic(x, target, w)
    ends = np.quantile(scores, np.linspace(0, 1, POINTS))
    at = np.unique(np.round(ends, 6))
    if slope <= 0 or len(at) < 2:
        return ((float(at[0]), round(mean, 6)),)
    chances = 1 / (1 + np.exp(-(slope * (at - scores.mean()) / (scores.std() or 1.0) + offset)))
    return tuple((float(score), round(float(chance), 6)) for score, chance in zip(at, chances, strict=True))


def _logistic(x: Floats, target: Floats, w: Floats) -> tuple[float, float]:
    """Slope and offset of largest likelihood, by Newton's method with a slight ridge."""
    features = np.stack([x, np.ones_like(x)], axis=1)
    weights = np.zeros(2)
    for _ in range(50):
        p = 1 / (1 + np.exp(-(features @ weights)))
        gradient = features.T @ (w * (p - target)) + 1e-3 * weights
        hessian = (features * (w * p * (1 - p))[:, None]).T @ features + 1e-3 * np.eye(2)
        step = np.linalg.solve(hessian, gradient)
        weights -= step
        if np.abs(step).max() < 1e-9:
            break
    return float(weights[0]), float(weights[1])


def promises(buggy: Sequence[Assessed], clean: Sequence[Assessed], seed: int) -> tuple[Promise, ...]:
    """What each of some thresholds keeps, from the most silent on: comments that are spurious in 10 reviews, at most.

    Half of the reviews are of clean code: each buggy answer goes with a clean one, drawn at random. The bound of a
    threshold holds with 90% confidence, and is never below that of a more silent one (fixed-sequence testing).
    """
    both = list(clean), list(buggy)
    for some in both:
        random.Random(seed).shuffle(some)
    pairs = list(zip(*both, strict=False))
    scores = sorted({score for found in (*clean, *buggy) for score, _ in found.comments}, reverse=True)
    if not scores:
        return ()
    picked = sorted({scores[round(i)] for i in np.linspace(0, len(scores) - 1, STEPS)}, reverse=True)
    found: list[Promise] = []
    highest = 0.0
    for threshold in (scores[0] * 1.01, *picked):
        values = [sum(min(MOST, review.spurious(threshold)) for review in pair) / 2 for pair in pairs]
        highest = max(highest, REVIEWS * highest_mean(values, MOST, CONFIDENCE))
        found.append(Promise(round(threshold, 6), round(highest, 4)))
    return tuple(found)


def auc(said: Sequence[float], was: Sequence[float]) -> float:
    """How often a right one stands above a wrong one, ties half. NaN without both."""
    values, right = np.asarray(said, np.float64), np.asarray(was, np.float64) > 0.5
    if right.all() or not right.any():
        return math.nan
    difference = values[right][:, None] - values[~right][None, :]
    return float(((difference > 0) + (difference == 0) / 2).mean())
