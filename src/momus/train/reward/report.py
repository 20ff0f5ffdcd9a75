"""How good a reward model is on comparisons that it has not trained on, by the kind of pair, beside rules of thumb.

A pair is two critiques of one comparison that its rater did not tie. `accuracy` is the share that the reward model
orders as the rater did (equal scores: half), with a 95% interval over draws of whole problems. `ece` says how far the
stated probability, sigmoid(difference of the raw scores), is from the share that came true.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from momus.measure.intervals import Bootstrap, ends_of
from momus.train.reward.data import Candidate, Group

Floats = npt.NDArray[np.float64]
BINS = 10
TWIN_SILENCE, CLEAN_SILENCE = "silence: twin against its tamper", "silence: clean against buggy"
BASELINES = ("longer", "shorter", "silence", "coin")
Score = Callable[[Sequence[tuple[int, ...]]], Sequence[float]]  # raw scores of requests with their critiques


@dataclass(frozen=True, slots=True)
class Pair:
    """Two critiques: the one that is preferred and the other, with their raw scores."""

    problem: str
    better: Candidate
    worse: Candidate
    delta: float  # raw score of the better less that of the worse


def kinds_of(a: Candidate, b: Candidate) -> Iterator[str]:
    """What there is to learn from a pair of critiques of one answer; every pair is of the kind `all`."""
    yield "all"
    if a.gold != b.gold:
        yield "gold against model"
    if a.moved and b.moved:
        yield "one comment at several lines"
    if a.gold or b.gold or a.moved or b.moved:
        return
    yield "model against model"
    if {a.caught, b.caught} == {True, False}:
        yield "caught against missed"
        if not (a.silent or b.silent):
            yield "caught against missed, both speak"
    if a.caught == b.caught and {a.spurious, b.spurious} == {True, False}:
        yield "spurious against clean"
        if not (a.silent or b.silent):
            yield "spurious against clean, both speak"


def evaluate(held: Sequence[Group], silence: Sequence[int], score: Score, *, draws: int = 2000) -> dict[str, Any]:
    """Accuracy and calibration on held-out comparisons, as JSON. `silence` are the tokens of the empty critique.

    Silence is scored on every held-out answer and on the clean twin of each tampered one: it should score higher where
    nothing is wrong.
    """
    quiet = tuple(silence)
    answers = {group.prompt: group for group in held}  # each once, however many have rated it
    asked = [(*group.prompt, *c.tokens) for group in held for c in group.candidates]
    here = [(*group.prompt, *quiet) for group in answers.values()]
    there = {group.prompt: (*group.twin, *quiet) for group in answers.values() if group.twin}
    scores = iter(score([*asked, *here, *there.values()]))
    pairs: dict[str, list[Pair]] = {}
    ties = 0
    for group in held:
        rated = [(c, next(scores)) for c in group.candidates]
        for n, (a, score_a) in enumerate(rated):
            for b, score_b in rated[n + 1 :]:
                if a.rank == b.rank:
                    ties += 1
                    continue
                first = a.rank < b.rank
                found = Pair(group.problem, *((a, b, score_a - score_b) if first else (b, a, score_b - score_a)))
                for kind in kinds_of(a, b):
                    pairs.setdefault(kind, []).append(found)
    quiet_here = dict(zip(answers, [next(scores) for _ in answers], strict=True))
    quiet_there = dict(zip(there, [next(scores) for _ in there], strict=True))
    mute = Candidate(quiet, 0, silent=True)
    for prompt, clean in quiet_there.items():
        twins = pairs.setdefault(TWIN_SILENCE, [])
        twins.append(Pair(answers[prompt].problem, mute, mute, clean - quiet_here[prompt]))
    told = {kind: figures(found, draws) for kind, found in sorted(pairs.items())}
    fine = [(answers[p].problem, s) for p, s in quiet_there.items()]
    fine += [(answers[p].problem, s) for p, s in quiet_here.items() if not answers[p].buggy]
    buggy = [(answers[p].problem, s) for p, s in quiet_here.items() if answers[p].buggy]
    if fine and buggy:
        told[CLEAN_SILENCE] = separation(fine, buggy, draws)
    problems = {group.problem for group in held}
    return {"comparisons": len(held), "problems": len(problems), "ties": ties, "kinds": told}


def figures(pairs: Sequence[Pair], draws: int) -> dict[str, Any]:
    """Accuracy of the reward model and of the baselines on the same pairs, and calibration."""
    values = np.array([[_won(pair.delta), *_baselines(pair)] for pair in pairs], float)
    ends = Bootstrap([pair.problem for pair in pairs], draws=draws).intervals(values)
    names = ("reward", *BASELINES)
    table = {
        name: {"accuracy": float(mean), "low": float(low), "high": float(high)}
        for name, mean, (low, high) in zip(names, values.mean(axis=0), ends, strict=True)
    }
    error, bins = calibration(np.array([pair.delta for pair in pairs]))
    return {"pairs": len(pairs), "problems": len({p.problem for p in pairs}), **table, "ece": error, "bins": bins}


def calibration(deltas: Floats) -> tuple[float, list[dict[str, float]]]:
    """Expected calibration error (Naeini et al. 2015), and its bins over the stated probability, from 0.5 to 1.

    `deltas` are raw scores of the preferred critique less those of the other. A pair is stated for whichever of the
    two scores higher, so that which of them comes first does not matter; equal scores come true by half.
    """
    stated = 1 / (1 + np.exp(-np.abs(deltas)))
    came_true = 0.5 + 0.5 * np.sign(deltas)
    index = np.minimum(((stated - 0.5) * 2 * BINS).astype(int), BINS - 1)
    bins = []
    for n in range(BINS):
        inside = index == n
        if inside.any():
            means = {"stated": float(stated[inside].mean()), "true": float(came_true[inside].mean())}
            bins.append({"pairs": int(inside.sum()), **means})
    error = sum(b["pairs"] * abs(b["stated"] - b["true"]) for b in bins) / len(deltas)
    return float(error), bins


def separation(clean: Sequence[tuple[str, float]], buggy: Sequence[tuple[str, float]], draws: int) -> dict[str, Any]:
    """How often silence scores higher on a clean answer than on a buggy one, over all pairs of the two (the AUC).

    Items are (problem, raw score). The interval is over draws of problems: one drawn twice counts twice on each side.
    """
    numbers = {problem: n for n, problem in enumerate(dict.fromkeys(p for p, _ in (*clean, *buggy)))}
    won = np.zeros((len(numbers), len(numbers)))
    met = np.zeros_like(won)
    rows = np.array([numbers[p] for p, _ in clean])
    columns = np.array([numbers[p] for p, _ in buggy])
    difference = np.array([s for _, s in clean])[:, None] - np.array([s for _, s in buggy])[None, :]
    np.add.at(won, (rows[:, None], columns[None, :]), 0.5 + 0.5 * np.sign(difference))
    np.add.at(met, (rows[:, None], columns[None, :]), 1.0)
    rng = np.random.default_rng(0)
    weights = rng.multinomial(len(numbers), np.full(len(numbers), 1 / len(numbers)), size=draws).astype(float)
    with np.errstate(invalid="ignore"):
        drawn = ((weights @ won) * weights).sum(axis=1) / ((weights @ met) * weights).sum(axis=1)
    low, high = ends_of(drawn, len(numbers))
    told = {"accuracy": float(won.sum() / met.sum()), "low": float(low), "high": float(high)}
    even = {"accuracy": 0.5, "low": 0.5, "high": 0.5}  # every rule of thumb sees the same critique twice
    return {"pairs": int(met.sum()), "problems": len(numbers), "reward": told, **dict.fromkeys(BASELINES, even)}


def lines(report: Mapping[str, Any]) -> list[str]:
    """The report as a table of text."""
    header = (
        f"{'pairs':36} {'n':>6} {'accuracy %':>18} " + " ".join(f"{name:>8}" for name in BASELINES) + f" {'ECE':>6}"
    )
    table = [header]
    for kind, row in report["kinds"].items():
        own = row["reward"]
        ends = "no interval" if math.isnan(own["low"]) else f"{100 * own['low']:.1f}-{100 * own['high']:.1f}"
        shown = f"{100 * own['accuracy']:.1f} ({ends})"
        others = " ".join(f"{100 * row[name]['accuracy']:>8.1f}" for name in BASELINES)
        error = f"{row['ece']:>6.3f}" if "ece" in row else f"{'-':>6}"
        table.append(f"{kind:36} {row['pairs']:>6,} {shown:>18} {others} {error}")
    return table


def _won(difference: float) -> float:
    return 0.5 + 0.5 * float(np.sign(difference))


def _baselines(pair: Pair) -> tuple[float, ...]:
    """1 where a rule of thumb prefers the better one, 0 the worse one, 0.5 where it can't tell."""
    longer = _won(len(pair.better.tokens) - len(pair.worse.tokens))
    return longer, 1 - longer, _won(int(pair.better.silent) - int(pair.worse.silent)), 0.5
