"""How well a discriminator tells tampered from clean, in probabilities that are held against what came true.

`log_loss` is the mean over the two answers of a pair of -log P(what it is): a coin has ln 2, as does whoever knows
nothing and says so. A model that is too sure has more, so one number scales its logits first (temperature scaling, Guo
et al. 2017). What is measured is scaled by halves of its problems, each by what was fitted on the other: sizes are
compared by what they can tell, not by how well another set's scale happens to fit. Intervals are over draws of whole
problems.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from momus.measure.figure import figures_of
from momus.measure.intervals import Bootstrap
from momus.train.discriminator.twins import Twins

Floats = npt.NDArray[np.float64]
Score = Callable[[Sequence[tuple[int, ...]]], Sequence[float]]  # the logit of "tampered" of each request
COIN = math.log(2)
SMALLEST, LARGEST = 1e-3, 1e3  # of a scale
BINS = 10


def logits_of(pairs: Sequence[Twins], score: Score) -> Floats:
    """The logits [pairs, 2] of tampered and of clean answers."""
    scores = score([request for pair in pairs for request in (pair.tampered, pair.twin)])
    return np.asarray(scores, np.float64).reshape(-1, 2)


def scale_of(logits: Floats) -> float:
    """What logits [pairs, 2] are multiplied by so that their log-loss is least; small where they tell nothing.

    The targets are Platt's (1999): with n pairs all told right, tampered is (n + 1) / (n + 2) sure, never wholly.
    """
    target = np.array([1.0, len(logits) + 1.0])[::-1] / (len(logits) + 2)

    def slope(scale: float) -> float:  # the loss is convex in the scale
        return float((logits * (_sigmoid(scale * logits) - target)).mean())

    low, high = SMALLEST, LARGEST
    if slope(low) >= 0:
        return low
    if slope(high) <= 0:
        return high
    for _ in range(80):
        middle = math.sqrt(low * high)
        low, high = (middle, high) if slope(middle) < 0 else (low, middle)
    return high


def columns(logits: Floats) -> dict[str, Floats]:
    """Of each pair [pairs]: its log-loss, the share of its answers that are told right, whether the order is right."""
    signed = logits * np.array([-1.0, 1.0])
    right = 0.5 - 0.5 * np.sign(signed)
    return {
        "log_loss": np.logaddexp(0, signed).mean(axis=1),
        "accuracy": right.mean(axis=1),
        "order": 0.5 + 0.5 * np.sign(logits[:, 0] - logits[:, 1]),
    }


def crossed(pairs: Sequence[Twins], logits: Floats, seed: int) -> Floats:
    """Logits scaled by halves of the problems, each by what was fitted on the other; of one problem, as they are."""
    problems = sorted({pair.group.problem for pair in pairs})
    if len(problems) < 2:
        return logits
    random.Random(f"{seed}/halves").shuffle(problems)
    first = set(problems[: len(problems) // 2])
    half = np.array([pair.group.problem in first for pair in pairs], np.bool_)
    scaled = np.empty_like(logits)
    for mine in (half, ~half):
        scaled[mine] = logits[mine] * scale_of(logits[~mine])
    return scaled


def evaluate(pairs: Sequence[Twins], raw: Floats, scale: float, *, seed: int = 0, draws: int = 2000) -> dict[str, Any]:
    """Log-loss, accuracy and order on pairs that did not train, whole and by operator, as JSON.

    `raw` are the logits as they were trained, `scale` what the folder's are multiplied by.
    """
    scaled = crossed(pairs, raw, seed)
    groups = [pair.group.problem for pair in pairs]
    found = figures_of(columns(scaled), Bootstrap(groups, draws=draws))
    error, bins = calibration(scaled)
    return {
        "pairs": len(pairs),
        "problems": len(set(groups)),
        **{name: figure.to_json() for name, figure in found.items()},
        "coin": COIN,
        "log_loss_saved": float(columns(scale * raw)["log_loss"].mean()),
        "log_loss_unscaled": float(columns(raw)["log_loss"].mean()),
        "ece": error,
        "bins": bins,
        "operators": by_operator(pairs, scaled, draws=draws),
    }


def by_operator(pairs: Sequence[Twins], logits: Floats, *, draws: int = 2000) -> dict[str, dict[str, Any]]:
    """The same figures for each operator, over the pairs that hold a bug of it."""
    table: dict[str, dict[str, Any]] = {}
    for name in sorted({operator for pair in pairs for operator in pair.operators}):
        rows = [i for i, pair in enumerate(pairs) if name in pair.operators]
        bootstrap = Bootstrap([pairs[i].group.problem for i in rows], draws=draws)
        found = figures_of(columns(logits[rows]), bootstrap)
        table[name] = {key: figure.to_json() for key, figure in found.items()}
    return table


def calibration(logits: Floats) -> tuple[float, list[dict[str, float]]]:
    """Expected calibration error (Naeini et al. 2015) of P(tampered), over all answers, and its ten bins."""
    stated = _sigmoid(logits).reshape(-1)
    true = np.tile([1.0, 0.0], len(logits))
    index = np.minimum((stated * BINS).astype(int), BINS - 1)
    bins = [
        {
            "answers": int((index == n).sum()),
            "stated": float(stated[index == n].mean()),
            "true": float(true[index == n].mean()),
        }
        for n in range(BINS)
        if (index == n).any()
    ]
    error = sum(b["answers"] * abs(b["stated"] - b["true"]) for b in bins) / max(1, len(stated))
    return float(error), bins


def lines(about: Mapping[str, Any]) -> list[str]:
    """The report as text: the whole, then operators from the easiest."""
    report = about["measured"]
    table = [f"{'':28} {'pairs':>6} {'log-loss':>24} {'accuracy %':>22} {'order %':>22}"]
    rows = [("all", report["pairs"], report)]
    rows += sorted(
        ((name, row["order"]["n"], row) for name, row in report["operators"].items()),
        key=lambda row: -row[2]["order"]["mean"],
    )
    for name, count, row in rows:
        parts = [_shown(row["log_loss"], 1, 3), _shown(row["accuracy"], 100, 1), _shown(row["order"], 100, 1)]
        table.append(f"{name:28} {count:>6,} {parts[0]:>24} {parts[1]:>22} {parts[2]:>22}")
    table.append(f"{'a coin':28} {'':6} {COIN:>24.3f} {50:>22.1f} {50:>22.1f}")
    return table


def _shown(figure: Mapping[str, Any], times: float, digits: int) -> str:
    mean, low, high = (times * float("nan" if figure[k] is None else figure[k]) for k in ("mean", "low", "high"))
    return f"{mean:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def _sigmoid(values: Floats) -> Floats:
    return np.asarray(0.5 * (1 + np.tanh(values / 2)), np.float64)
