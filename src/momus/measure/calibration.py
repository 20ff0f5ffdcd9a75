"""Is a comment as often right as its confidence says? Reliability diagram, expected calibration error, Brier score."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from momus.critique import Critique, TextMap
from momus.measure.figure import NOTHING, Figure
from momus.measure.intervals import Bootstrap
from momus.measure.item import lines_of
from momus.measure.scores import pointed
from momus.records import Bug

Floats = npt.NDArray[np.float64]
BINS = 10


@dataclass(frozen=True, slots=True)
class Bin:
    """Comments of like confidence: their mean confidence, and the share that was right."""

    low: float
    high: float
    confidence: float
    right: Figure


@dataclass(frozen=True, slots=True)
class Calibration:
    """`ece` is the expected calibration error (Guo et al. 2017) over bins of equal width, `brier` the Brier score.

    Few comments make an error even where confidence is true: `ece_by_chance` is what a critic would show whose comments
    were right exactly as often as it says, so many of them. `without` counts comments that have no confidence.
    """

    bins: tuple[Bin, ...]
    ece: Figure
    ece_by_chance: float
    brier: Figure
    without: int

    def to_json(self) -> dict[str, Any]:
        return {
            "bins": [
                {"low": b.low, "high": b.high, "confidence": round(b.confidence, 6), "right": b.right.to_json()}
                for b in self.bins
            ],
            "ece": self.ece.to_json(),
            "ece_by_chance": round(self.ece_by_chance, 6),
            "brier": self.brier.to_json(),
            "without": self.without,
        }


def outcomes(critique: Critique, bugs: Sequence[Bug], answer: str) -> tuple[list[float], list[float]]:
    """Each comment's confidence (NaN where it has none), and whether it points at a line of a bug.

    A comment on bugs that earlier ones have pointed at already is wrong: repeating adds nothing.
    """
    text = TextMap(answer)
    open_bugs = list(bugs)
    confidences, right = [], []
    for comment in critique:
        line = pointed(comment, text)
        hit = [bug for bug in open_bugs if line in lines_of(bug.spans, text)]
        open_bugs = [bug for bug in open_bugs if bug not in hit]
        confidences.append(np.nan if comment.confidence is None else comment.confidence)
        right.append(float(bool(hit)))
    return confidences, right


def calibration(
    confidences: Sequence[float] | Floats,
    right: Sequence[float] | Floats,
    groups: Sequence[Hashable],
    *,
    bins: int = BINS,
    draws: int = 1000,
    seed: int = 0,
) -> Calibration:
    """Calibration of comments, [comments] each; `groups` names what the bootstrap draws together.

    Raises ValueError on a confidence outside 0..1. Comments without confidence or outcome are counted and left out.
    """
    said, was = np.asarray(confidences, np.float64), np.asarray(right, np.float64)
    known = ~(np.isnan(said) | np.isnan(was))
    without = int((~known).sum())
    said, was = said[known], was[known]
    if not said.size:
        return Calibration((), NOTHING, float("nan"), NOTHING, without)
    if said.min() < 0 or said.max() > 1:
        raise ValueError("a confidence lies between 0 and 1")
    bootstrap = Bootstrap([g for g, k in zip(groups, known, strict=True) if k], draws=draws, seed=seed)
    number = np.minimum((said * bins).astype(np.int64), bins - 1)
    member = (number[:, None] == np.arange(bins)).astype(np.float64)
    columns = np.concatenate([member, member * said[:, None], member * was[:, None]], axis=1)
    drawn = bootstrap.sums(np.concatenate([columns, ((said - was) ** 2)[:, None], np.ones((len(said), 1))], axis=1))
    found = []
    for i in range(bins):
        count = member[:, i].sum()
        if count:
            with np.errstate(invalid="ignore", divide="ignore"):
                shares = drawn[:, 2 * bins + i] / drawn[:, i]
            share = float(columns[:, 2 * bins + i].sum() / count)
            mean = float(columns[:, bins + i].sum() / count)
            right_in = Figure.of(share, shares, int(count), bootstrap.clusters)
            found.append(Bin(i / bins, (i + 1) / bins, mean, right_in))
    clusters = bootstrap.clusters
    error = Figure.of(float(_ece(columns.sum(axis=0), bins)), _ece(drawn[:, : 3 * bins], bins), len(said), clusters)
    rng = np.random.default_rng(seed)
    by_chance = []
    for _ in range(200):
        was_true = (rng.random(len(said)) < said).astype(np.float64)
        by_chance.append(_ece(np.concatenate([columns[:, : 2 * bins], member * was_true[:, None]], 1).sum(0), bins))
    errors = drawn[:, -2] / np.maximum(drawn[:, -1], 1)
    brier = Figure.of(float(((said - was) ** 2).mean()), errors, len(said), clusters)
    return Calibration(tuple(found), error, float(np.mean(by_chance)), brier, without)


def _ece(sums: Floats, bins: int) -> Floats:
    """From [..., 3 * bins] sums of members, confidences and hits."""
    gaps = np.abs(sums[..., bins : 2 * bins] - sums[..., 2 * bins : 3 * bins]).sum(axis=-1)
    return np.asarray(gaps / np.maximum(sums[..., :bins].sum(axis=-1), 1))
