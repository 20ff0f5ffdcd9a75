"""Raters and critics that cannot fool the statistics: what each must score is written here."""

from __future__ import annotations

import math

import numpy as np
import pytest
from rated import comparison, rate

from momus.measure.ballots import Panel
from momus.measure.summary import Summary, summarise
from momus.records import Attribute, Comparison, Rating

ATTRIBUTES: tuple[Attribute, ...] = ("cbi", "comprehensiveness", "nitpick", "fake_problem", "conciseness", "overall")


def all_scores(comparisons: list[Comparison], score, rater: str = "ann", simulated: bool = False) -> list[Rating]:  # type: ignore[no-untyped-def]
    return [r for a in ATTRIBUTES for r in rate(comparisons, score, rater=rater, attribute=a, simulated=simulated)]


def summary(comparisons: list[Comparison], ratings: list[Rating]) -> Summary:
    return summarise(Panel(comparisons, ratings), draws=100)


def test_a_rater_that_always_says_four_leaves_every_rate_undecided_and_every_critic_level() -> None:
    comparisons = [comparison(i, ["a", "b", "c"]) for i in range(20)]
    found = summary(comparisons, all_scores(comparisons, lambda i, place, critic: 4))
    part = found.parts["inserted"]
    assert [s.elo for s in part.standings] == pytest.approx([0, 0, 0], abs=1e-6)
    assert {f.mean for f in part.preferred.values()} == {0.5}
    for name, rates in part.rates.items():
        for rate_ in rates:
            assert (rate_.yes.n, rate_.unsure.mean) == (0, 1.0), name
    assert all(math.isnan(of.alpha.mean) for of in found.agreement.values())


def test_a_judge_that_fails_on_half_of_the_items_is_scored_on_the_other_half() -> None:
    comparisons = [comparison(i, ["a", "b"]) for i in range(40)]

    def judge(i: int, place: int, critic: str) -> int | None:
        return None if i % 2 else 6 if (critic == "a") == (i % 8 != 0) else 2

    part = summary(comparisons, all_scores(comparisons, judge, rater="judge:m@u")).parts["inserted"]
    caught = {r.critic: r.yes for r in part.rates["cbi"]}
    assert (caught["a"].mean, caught["a"].n) == (0.75, 20)
    assert (part.preferred["a", "b"].mean, part.preferred["a", "b"].n) == (0.75, 20)


def test_rating_one_comparison_a_hundred_times_buys_nothing() -> None:
    comparisons = [comparison(i, ["a", "b"]) for i in range(4)]
    honest = all_scores(comparisons, lambda i, place, critic: 6 if (place == 0) == (i > 0) else 2)
    stuffed = honest + 100 * [r for r in honest if r.comparison_id == comparisons[0].id]
    one, two = (summary(comparisons, rows).to_json()["parts"] for rows in (honest, stuffed))
    assert one == two


def test_a_critic_that_only_stands_against_the_weak_is_not_the_best() -> None:
    # strong beats middling 8 of 10, middling beats weak 8 of 10; bully meets only weak, and beats it 9 of 10
    pairs = [("strong", "middling", 8), ("middling", "weak", 8), ("bully", "weak", 9)]
    comparisons = [comparison(10 * k + i, [a, b]) for k, (a, b, _) in enumerate(pairs) for i in range(10)]
    wins = {10 * k + i: i < w for k, (_, _, w) in enumerate(pairs) for i in range(10)}
    ratings = all_scores(comparisons, lambda i, place, critic: 6 if (place == 0) == wins[i] else 2)
    order = [s.critic for s in summary(comparisons, ratings).parts["inserted"].standings]
    assert order == ["strong", "bully", "middling", "weak"]


def test_a_failed_critique_is_neither_beaten_nor_counted() -> None:
    comparisons = [comparison(i, ["a", "b"], failed=["b"] if i < 5 else []) for i in range(10)]
    part = summary(comparisons, all_scores(comparisons, lambda i, place, critic: 6 if critic == "a" else 2)).parts[
        "all"
    ]
    assert part.preferred["a", "b"].n == 5
    assert {r.critic: r.score.n for r in part.rates["conciseness"]} == {"a": 10, "b": 5}


def test_simulated_raters_are_named_wherever_one_of_their_ratings_is() -> None:
    comparisons = [comparison(0, ["a", "b"])]
    people = all_scores(comparisons, lambda i, place, critic: 3 + place)
    oracle = all_scores(comparisons, lambda i, place, critic: 5 - place, rater="oracle", simulated=True)
    assert summary(comparisons, people).simulated == ""
    assert summary(comparisons, people + oracle).simulated == "simulated raters: oracle"
    assert summary(comparisons, oracle).simulated.endswith("(all ratings are simulated)")


def test_parts_are_by_origin_and_unrated_comparisons_are_in_none() -> None:
    comparisons = [comparison(i, ["a", "b"], kind=kind) for i, kind in enumerate(("inserted", "natural", "clean"))]
    ratings = all_scores(comparisons[:2], lambda i, place, critic: 2 + 3 * place)
    found = summary(comparisons, ratings)
    assert {name: part.comparisons for name, part in found.parts.items()} == {"all": 2, "inserted": 1, "natural": 1}
    assert summary(comparisons, []).parts == {}


def test_the_same_seed_gives_the_same_summary_whatever_the_order_of_the_ratings() -> None:
    comparisons = [comparison(i, ["a", "b"]) for i in range(10)]
    rows = all_scores(comparisons, lambda i, place, critic: 1 + (3 * i + 2 * place) % 7)
    shuffled = [rows[i] for i in np.random.default_rng(0).permutation(len(rows))]
    one, two = (summary(comparisons, r).parts["inserted"].preferred["a", "b"] for r in (rows, shuffled))
    assert (one.mean, one.n) == (two.mean, two.n)
    assert one.low == pytest.approx(two.low) and one.high == pytest.approx(two.high)
