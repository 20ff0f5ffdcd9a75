"""The ranking loss against sums written out by hand."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from momus.train.reward.loss import agreement, differences, preferences, ranking_loss

floats = st.floats(-8, 8, allow_nan=False, width=32)
rated = st.lists(st.tuples(floats, st.integers(0, 3)), min_size=2, max_size=6)


def by_hand(scores: list[float], ranks: list[int]) -> float:
    total = 0.0
    for i in range(len(scores)):
        for j in range(i + 1, len(scores)):
            p = 1 / (1 + math.exp(-(scores[i] - scores[j])))
            if ranks[i] < ranks[j]:
                total += -math.log(p)
            elif ranks[i] > ranks[j]:
                total += -math.log(1 - p)
            else:
                total += -0.5 * math.log(p) - 0.5 * math.log(1 - p)
    return total / math.comb(len(scores), 2)


def loss(scores: list[float], ranks: list[int]) -> float:
    return float(ranking_loss(torch.tensor(scores, dtype=torch.float64), torch.tensor(ranks)))


def test_14_two_critiques_by_hand() -> None:
    assert loss([1.0, 0.0], [0, 1]) == pytest.approx(math.log(1 + math.exp(-1)))
    assert loss([1.0, 0.0], [1, 0]) == pytest.approx(math.log(1 + math.exp(1)))
    assert loss([2.5, 2.5], [0, 1]) == pytest.approx(math.log(2))


@settings(deadline=None)
@given(rated)
def test_14_all_pairs_of_a_comparison_weigh_one_by_how_many_there_are(row: list[tuple[float, int]]) -> None:
    scores, ranks = [s for s, _ in row], [r for _, r in row]
    assert loss(scores, ranks) == pytest.approx(by_hand(scores, ranks), rel=1e-6, abs=1e-9)


@settings(deadline=None)
@given(rated, floats, st.randoms(use_true_random=False))
def test_14_neither_a_shift_nor_the_order_is_felt(row: list[tuple[float, int]], shift: float, rng) -> None:  # type: ignore[no-untyped-def]
    scores, ranks = [s for s, _ in row], [r for _, r in row]
    shuffled = row[:]
    rng.shuffle(shuffled)
    assert loss([s + shift for s in scores], ranks) == pytest.approx(loss(scores, ranks), rel=1e-5, abs=1e-7)
    swapped = loss([s for s, _ in shuffled], [r for _, r in shuffled])
    assert swapped == pytest.approx(loss(scores, ranks), rel=1e-9)


@settings(deadline=None)
@given(rated)
def test_14_swapping_a_pair_turns_its_sides(row: list[tuple[float, int]]) -> None:
    scores, ranks = torch.tensor([s for s, _ in row]), torch.tensor([r for _, r in row])
    wanted, back = preferences(ranks[:2]), preferences(ranks[:2].flip(0))
    assert torch.equal(wanted, 1 - back)
    assert torch.equal(differences(scores[:2]), -differences(scores[:2].flip(0)))


def test_14_a_tie_asks_for_equal_scores() -> None:
    for delta in (-2.0, -0.3, 0.3, 2.0):
        assert loss([delta, 0.0], [1, 1]) > loss([0.0, 0.0], [1, 1]) == pytest.approx(math.log(2))
        scores = torch.tensor([delta, 0.0], requires_grad=True)
        ranking_loss(scores, torch.tensor([1, 1])).backward()
        assert scores.grad is not None and math.copysign(1, scores.grad[0]) == math.copysign(1, delta)
    assert loss([1.3, 0.0], [1, 1]) == pytest.approx(loss([-1.3, 0.0], [1, 1]))


def test_a_comparison_of_one_has_no_loss() -> None:
    with pytest.raises(ValueError, match="at least two"):
        ranking_loss(torch.tensor([1.0]), torch.tensor([0]))


def test_scores_far_apart_give_no_infinity() -> None:
    assert loss([1e4, -1e4], [1, 0]) == pytest.approx(2e4)


@settings(deadline=None)
@given(rated)
def test_agreement_counts_the_untied_pairs(row: list[tuple[float, int]]) -> None:
    right, asked = 0.0, 0
    for (s, r), (t, q) in itertools.combinations(row, 2):
        if r != q:
            asked += 1
            right += 0.5 if s == t else float((s > t) == (r < q))
    scores, ranks = torch.tensor([s for s, _ in row], dtype=torch.float64), torch.tensor([r for _, r in row])
    assert agreement(scores, ranks) == (right, asked)
