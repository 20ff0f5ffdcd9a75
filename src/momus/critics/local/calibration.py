"""What scores of a local critic mean: thresholds by the share of clean code flagged, confidence, promises.

Fitted by `momus measure calibrate` on code that nothing else was fitted on, for one model, one request and one mode.
Scores are `momus.critics.local.critic.score`, in nats.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from momus.critics.local.request import VERSION
from momus.decode import from_json
from momus.errors import MomusError
from momus.folders import user_folder

SHIPPED = Path(__file__).with_name("calibrations")
DIALS = (10, 25, 50, 75)
DEFAULT_DIAL = 50
REVIEWS = 10  # a promise speaks of so many reviews


@dataclass(frozen=True, slots=True)
class Threshold:
    """From which score the critic speaks at a setting of the dial.

    `wanted` is the share of clean code that may be flagged at most, `flagged` of `n` how many of the clean ones it was
    fitted on are; `low` and `high` the exact 95% interval of that share.
    """

    dial: int
    score: float
    wanted: float
    flagged: int
    n: int
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Promise:
    """From which score on at most `bound` comments in 10 reviews are spurious, with 90% confidence."""

    score: float
    bound: float


@dataclass(frozen=True, slots=True)
class Side:
    """One kind of code: an answer to a question, or code in a file without one.

    `confidence` are points (score, chance that the place is right), rising in both; between them it is a line.
    """

    thresholds: tuple[Threshold, ...]
    confidence: tuple[tuple[float, float], ...]
    promises: tuple[Promise, ...] = ()

    def threshold(self, dial: int) -> float:
        """Raises MomusError where the dial has no such setting."""
        for threshold in self.thresholds:
            if threshold.dial == dial:
                return threshold.score
        raise MomusError(
            f"the dial has no setting {dial}: choose one of {', '.join(str(t.dial) for t in self.thresholds)}"
        )

    def promising(self, spurious: float) -> float:
        """The lowest score that keeps so many spurious comments in 10 reviews. MomusError where none does."""
        kept = [promise.score for promise in self.promises if promise.bound <= spurious]
        if kept:
            return min(kept)
        if not self.promises:
            raise MomusError("this model was calibrated without promises: set --dial instead")
        lowest = np.ceil(min(promise.bound for promise in self.promises) * 100) / 100
        raise MomusError(
            f"at most {spurious:g} spurious comments in {REVIEWS} reviews can't be promised: the lowest promise that "
            f"can be kept is {lowest:g}"
        )

    def chance(self, score: float) -> float:
        """How likely the place of a comment with this score is right."""
        scores, chances = zip(*self.confidence, strict=True)
        return float(np.interp(score, scores, chances))


@dataclass(frozen=True, slots=True)
class Calibration:
    """`digest` is the SHA-256 of the weights, `request` the version of the request, `mode` how the model computes.

    `fitted` are keys of the problems and of the code that it was fitted on (`momus.measure.fitted`).
    """

    digest: str
    request: str
    mode: str
    question: Side
    code: Side
    fitted_on: str = ""  # in words: which data, how many of each
    auc: float | None = None  # of confidence: right places against wrong ones, on the data it was fitted on
    fitted: tuple[str, ...] = ()

    def side(self, question: str) -> Side:
        return self.question if question.strip() else self.code

    def save(self, folder: Path | None = None) -> Path:
        """Write where `find` looks: the user's folder, or another. Raises MomusError where that can't be done."""
        path = (folder or _user()) / _name(self.digest, self.mode)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps({"schema_version": 1, **asdict(self)}, indent=1) + "\n", encoding="utf-8")
        except OSError as error:
            raise MomusError(f"can't write {path}: {error.strerror or error}") from None
        return path


def gate(
    called: str,
    calibration: Calibration | None,
    *,
    dial: int = DEFAULT_DIAL,
    max_spurious: float | None = None,
    otherwise: float,
) -> tuple[float, float]:
    """From which score on a critic speaks, of an answer to a question and of other code; `otherwise` where it has no
    calibration. Raises MomusError where that can't be set."""
    if calibration is not None:
        sides = calibration.question, calibration.code
        if max_spurious is not None:
            return sides[0].promising(max_spurious), sides[1].promising(max_spurious)
        return sides[0].threshold(dial), sides[1].threshold(dial)
    if max_spurious is not None or dial != DEFAULT_DIAL:
        raise MomusError(
            f"{called} has no calibration, so that the dial has nothing to set: fit one with "
            f"`momus measure calibrate --critic {called}`"
        )
    return otherwise, otherwise


def find(digest: str, mode: str, request: str = VERSION) -> Calibration | None:
    """The calibration of a model: the user's own, else the one that ships; None where there is none."""
    for path in _paths(digest, mode):
        if path.is_file():
            found = read(path)
            if (found.digest, found.mode, found.request) == (digest, mode, request):
                return found
    return None


def calibrated(name: str, mode: str = "fast") -> bool:
    """Whether the weights of a model of the catalogue, which lie in the cache, have a calibration."""
    from momus.models.catalogue import known

    return find(known(name).sha256, mode) is not None


def read(path: Path) -> Calibration:
    """Raises MomusError where a file holds no calibration."""
    try:
        body = from_json(path.read_text(encoding="utf-8"))
        rest = {key: body[key] for key in ("digest", "request", "mode", "fitted_on", "auc")}
        fitted = tuple(map(str, body.get("fitted", ())))
        return Calibration(question=_side(body["question"]), code=_side(body["code"]), fitted=fitted, **rest)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise MomusError(f"{path} holds no calibration ({error}): run `momus measure calibrate` again") from None


def _side(body: dict[str, Any]) -> Side:
    return Side(
        tuple(Threshold(**threshold) for threshold in body["thresholds"]),
        tuple((float(score), float(chance)) for score, chance in body["confidence"]),
        tuple(Promise(**promise) for promise in body["promises"]),
    )


def _paths(digest: str, mode: str) -> Iterator[Path]:
    folders: Sequence[Path] = (_user(), SHIPPED)
    yield from (folder / _name(digest, mode) for folder in folders)


def _user() -> Path:
    return user_folder("config") / "calibrations"


def _name(digest: str, mode: str) -> str:
    return f"{digest[:16]}-{mode}.json"
