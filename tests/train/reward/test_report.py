"""The report's figures against counts by hand."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest

from momus.train.reward.data import Candidate, Group
from momus.train.reward.report import (
    BASELINES,
    CLEAN_SILENCE,
    TWIN_SILENCE,
    calibration,
    evaluate,
    kinds_of,
    lines,
    separation,
)


def critique(
    tokens: int, rank: int, *, gold: bool = False, caught: bool | None = None, spurious: bool | None = None
) -> Candidate:
    """`tokens` long; one token is silence."""
    return Candidate((9,) * (tokens - 1) + (1,), rank, gold, tokens == 1, caught, spurious)


GOLD = critique(5, 0, gold=True, caught=True, spurious=False)
CAUGHT = critique(4, 1, caught=True, spurious=False)
BOTH = critique(7, 2, caught=True, spurious=True)
MISSED = critique(3, 3, caught=False, spurious=True)
SILENT = critique(1, 3, caught=False, spurious=False)


@pytest.mark.parametrize(
    ("a", "b", "kinds"),
    [
        (GOLD, CAUGHT, {"gold against model"}),
        (CAUGHT, MISSED, {"model against model", "caught against missed", "caught against missed, both speak"}),
        (SILENT, CAUGHT, {"model against model", "caught against missed"}),
        (CAUGHT, BOTH, {"model against model", "spurious against clean", "spurious against clean, both speak"}),
        (SILENT, MISSED, {"model against model", "spurious against clean"}),
        (BOTH, SILENT, {"model against model", "caught against missed"}),
        (critique(2, 0), critique(3, 1), {"model against model"}),
        (replace(CAUGHT, moved=True), replace(MISSED, moved=True), {"one comment at several lines"}),
    ],
)
def test_the_kinds_of_a_pair(a: Candidate, b: Candidate, kinds: set[str]) -> None:
    assert set(kinds_of(a, b)) == set(kinds_of(b, a)) == kinds | {"all"}


def group(n: int, candidates: tuple[Candidate, ...], buggy: bool = True) -> Group:
    return Group(f"c{n}", f"g{n}", (2, 10 + n), candidates, buggy, (2, 50 + n) if buggy else ())


def test_accuracy_by_hand() -> None:
    """Scores: by length, so that `longer` and the reward model agree; silence scores what its prompt says."""
    held = [group(0, (GOLD, CAUGHT, MISSED)), group(1, (SILENT, MISSED, BOTH)), group(2, (SILENT, GOLD), False)]
    quiet = {10: 1.0, 11: 4.0, 12: 2.0, 50: 3.0, 51: 0.0}

    def score(asked: list[tuple[int, ...]]) -> list[float]:
        return [quiet[ids[1]] if len(ids) == 3 else len(ids) - 2.0 for ids in asked]

    told = evaluate(held, (1,), score, draws=200)  # type: ignore[arg-type]
    kinds = told["kinds"]
    assert (told["comparisons"], told["problems"], told["ties"]) == (3, 3, 1)
    # 0: gold over caught, gold over missed, caught over missed: all longer. 1: both over silent (7 > 4), both over
    # missed. 2: gold over silent.
    assert kinds["all"]["pairs"] == 6 and kinds["all"]["reward"]["accuracy"] == 1.0
    assert [kinds["all"][name]["accuracy"] for name in BASELINES] == pytest.approx([1.0, 0.0, 2 / 6, 0.5])
    assert kinds["gold against model"]["pairs"] == 3 and kinds["gold against model"]["problems"] == 2
    assert kinds["caught against missed"]["pairs"] == 3
    # silence: twin 3 over tamper 1, twin 0 under tamper 4
    assert kinds[TWIN_SILENCE]["pairs"] == 2 and kinds[TWIN_SILENCE]["reward"]["accuracy"] == 0.5
    # clean {3, 0, 2} against buggy {1, 4}: 3 > 1 and 2 > 1
    assert kinds[CLEAN_SILENCE]["pairs"] == 6 and kinds[CLEAN_SILENCE]["reward"]["accuracy"] == pytest.approx(2 / 6)
    table = "\n".join(lines(told))
    assert all(kind in table for kind in kinds) and "33.3" in table


def test_a_reward_model_that_is_wrong_or_blind_is_told_so() -> None:
    held = [group(n, (GOLD, MISSED)) for n in range(4)]
    wrong = evaluate(held, (1,), lambda asked: [-len(ids) for ids in asked], draws=50)["kinds"]["all"]
    blind = evaluate(held, (1,), lambda asked: [0.0] * len(asked), draws=50)["kinds"]["all"]
    # Four problems that all say the same rule out only shares above the exact bound: 0.025 = (1 - high)^4.
    assert wrong["reward"] == {"accuracy": 0.0, "low": 0.0, "high": pytest.approx(1 - 0.025 ** (1 / 4))}
    assert blind["reward"]["accuracy"] == 0.5 and blind["ece"] == 0.0


def test_an_interval_draws_problems_and_not_pairs() -> None:
    """Ten pairs of one problem are one finding: of two problems, one right and one wrong, nothing is known."""
    right, left = group(0, (GOLD, *[MISSED] * 9)), group(1, (GOLD, *[MISSED] * 9))

    def score(asked: list[tuple[int, ...]]) -> list[float]:
        return [(1.0 if ids[1] == 10 else -1.0) * len(ids) for ids in asked]

    told = evaluate([right, left], (1,), score, draws=500)["kinds"]["gold against model"]  # type: ignore[arg-type]
    assert told["pairs"] == 18 and told["reward"] == pytest.approx({"accuracy": 0.5, "low": 0.0, "high": 1.0})


def test_calibration_by_hand() -> None:
    # stated 0.731 twice (one right), 0.881 once (right)
    error, bins = calibration(np.array([1.0, -1.0, 2.0]))
    low, high = 1 / (1 + math.exp(-1)), 1 / (1 + math.exp(-2))
    assert error == pytest.approx((2 * abs(low - 0.5) + abs(high - 1.0)) / 3)
    assert [(b["pairs"], b["true"]) for b in bins] == [(2, 0.5), (1, 1.0)]
    rng = np.random.default_rng(0)
    deltas = rng.normal(0, 2, 40_000)
    honest = np.where(rng.random(40_000) < 1 / (1 + np.exp(-np.abs(deltas))), np.abs(deltas), -np.abs(deltas))
    assert calibration(honest)[0] < 0.01 < 0.05 < calibration(3 * honest)[0]


def test_separation_is_the_share_of_all_pairs() -> None:
    rng = np.random.default_rng(1)
    clean = [(f"p{n % 7}", float(v)) for n, v in enumerate(rng.integers(0, 5, 20))]
    buggy = [(f"p{n % 5}", float(v)) for n, v in enumerate(rng.integers(0, 5, 15))]
    by_hand = np.mean([0.5 if a == b else float(a > b) for (_, a), (_, b) in itertools.product(clean, buggy)])
    told = separation(clean, buggy, draws=500)["reward"]
    assert told["accuracy"] == pytest.approx(by_hand) and told["low"] < by_hand < told["high"]
    sure = separation([("a", 1.0), ("b", 2.0)], [("a", 0.0), ("b", 0.5)], draws=100)["reward"]
    assert sure["accuracy"] == 1.0 and math.isnan(sure["low"]) and math.isnan(sure["high"])  # no draw differs
