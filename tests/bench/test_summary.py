"""The bench of summaries measures what it says, at sizes that do not take its time."""

from __future__ import annotations

from momus.bench.summary import bench, made_up
from momus.measure.ballots import Panel
from momus.measure.summary import summarise


def test_made_up_ratings_are_simulated_and_order_the_critics_by_their_quality() -> None:
    comparisons, ratings = made_up(4000, 0)
    assert len(ratings) == 4000
    assert all(rating.simulated for rating in ratings)
    found = summarise(Panel(comparisons, ratings), draws=50)
    assert found.ratings == 4000
    assert [s.critic for s in found.parts["all"].standings] == [
        "human", "human+critic", "critic", "prompted", "random", "empty",
    ]  # fmt: skip
    assert found.simulated.endswith("(all ratings are simulated)")


def test_the_outcome_holds_each_size_and_the_peers_that_are_installed() -> None:
    outcome = bench(sizes=(400, 1200), draws=20)
    assert [row["ratings"] for row in outcome.figures["sizes"]] == [400, 1200]
    assert outcome.figures["growth"]["ratings"] == 3
    assert outcome.figures["elo"]["choix"]["fits_timed"] == 3
    assert outcome.goals[0].bound == "at most"
