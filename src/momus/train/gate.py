"""Fit the gate: how far to believe the model's suspicions, and from where on to speak."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from momus.corpus.functions import Function
from momus.corpus.tasks import to_task
from momus.critics.sampled import SampledCritic
from momus.critique import TextMap
from momus.errors import MomusError
from momus.models.bundled import Bundle, Gate, Suspicion
from momus.records import Tamper, Task

Floats = npt.NDArray[np.float64]
RIDGE = 1e-3


@dataclass(frozen=True, slots=True)
class Judged:
    """The suspicions of one answer, line by line, and which are a bug's."""

    suspicions: tuple[Suspicion, ...]
    buggy: npt.NDArray[np.bool_]


def development_tampers(items: Iterable[Function | Task], count: int, seed: int) -> Iterator[Tamper]:
    """Single-bug tampers of functions and answers, by the operators that train."""
    from momus.tamper import OPERATORS, tamper

    trained = [name for name, operator in OPERATORS.items() if not operator.held_out]
    made = 0
    for item in items:
        task = to_task(item, seed=seed) if isinstance(item, Function) else item
        found = tamper(task, rng=random.Random(f"{seed}:{item.id}"), operators=trained)
        if found is not None:
            yield found
            made += 1
            if made == count:
                return


def judge(bundle: Bundle, tampers: Iterable[Tamper]) -> Iterator[tuple[Judged, Judged]]:
    """The suspicions of each tampered answer and of its clean twin."""
    critic = SampledCritic(bundle)
    for tamper in tampers:
        text = TextMap(tamper.task.answer)
        bugs = {line for bug in tamper.bugs for span in bug.spans[:1] for line in text.lines(span)}
        pair = []
        for task, lines in ((tamper.task, bugs), (tamper.task.model_copy(update={"answer": tamper.twin}), set[int]())):
            found = critic.suspicions(task)
            pair.append(Judged(tuple(found), np.array([s.line in lines for s in found], bool)))
        yield pair[0], pair[1]


def fit(pairs: Sequence[tuple[Judged, Judged]], clean_flagged: float) -> tuple[Gate, dict[str, Any]]:
    """The gate, and what it does on the pairs that it was fitted on.

    Weights by logistic regression over all lines; the threshold is the lowest at which at most `clean_flagged` of the
    clean answers are spoken of. Raises MomusError on too few pairs.
    """
    if len(pairs) < 20:
        raise MomusError(f"a gate needs at least 20 development tampers, not {len(pairs)}: give more functions")
    both = [judged for pair in pairs for judged in pair]
    x = np.array([(s.scan_logit, s.token_logit, s.log_point) for judged in both for s in judged.suspicions])
    y = np.concatenate([judged.buggy for judged in both]).astype(float)
    scan, token, point, bias = (round(float(weight), 5) for weight in logistic(x, y))
    gate = Gate(scan=scan, token=token, point=point, bias=bias)
    buggy, clean = ([_scores(gate, pair[side]) for pair in pairs] for side in (0, 1))
    gate = replace(gate, threshold=threshold([float(s.max(initial=0.0)) for s in clean], clean_flagged))
    spoken = [s.max(initial=0.0) >= gate.threshold for s in buggy]
    right = [bool(len(s) and pair[0].buggy[s.argmax()]) for pair, s in zip(pairs, buggy, strict=True)]
    report = {
        "pairs": len(pairs),
        "clean_flagged": float(np.mean([s.max(initial=0.0) >= gate.threshold for s in clean])),
        "tampered_flagged": float(np.mean(spoken)),
        "first_line_right": float(np.mean(right)),
        "found": float(np.mean([r and s for r, s in zip(right, spoken, strict=True)])),
    }
    return gate, report


def threshold(highest: Sequence[float], flagged: float) -> float:
    """The lowest threshold that at most a share `flagged` of clean answers reach, given each one's highest confidence.

    It stands halfway to the next confidence that may be spoken of, so that a rounding elsewhere does not tip it.
    """
    ordered = sorted(highest, reverse=True)
    spoken = int(flagged * len(ordered) + 1e-9)
    if spoken >= len(ordered):
        return 0.0
    silent = ordered[spoken]
    above = min((confidence for confidence in ordered if confidence > silent), default=1.0)
    return max((silent + above) / 2, math.nextafter(silent, 2.0))


def logistic(x: Floats, y: Floats, steps: int = 50) -> Floats:
    """Logistic regression of y [n] on features x [n, k], by Newton's method with a small ridge: k weights, the bias."""
    design = np.column_stack([x, np.ones(len(x))])
    weights = np.zeros(design.shape[1])
    for _ in range(steps):
        p = 1 / (1 + np.exp(-np.clip(design @ weights, -30, 30)))
        gradient = design.T @ (y - p) - RIDGE * weights
        curvature = (design * (p * (1 - p))[:, None]).T @ design + RIDGE * np.eye(len(weights))
        move = np.linalg.solve(curvature, gradient)
        weights = weights + move
        if np.abs(move).max() < 1e-8:
            break
    return weights


def _scores(gate: Gate, judged: Judged) -> Floats:
    return np.array([gate.confidence(suspicion) for suspicion in judged.suspicions])
