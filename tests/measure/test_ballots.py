"""Records become arrays without losing or doubling anything."""

from __future__ import annotations

import numpy as np
import pytest
from rated import comparison, rank, rate

from momus.errors import MomusError
from momus.measure.ballots import Panel, group_of, origin_of
from momus.records import Rating, versioned


def test_a_row_is_a_rater_in_a_comparison_and_a_column_a_place() -> None:
    comparisons = [comparison(0, ["a", "b"]), comparison(1, ["b", "a", "c"], kind="clean")]
    scores = {"a": 7, "b": 2, "c": None}
    panel = Panel(comparisons, rate(comparisons, lambda i, place, critic: scores[critic]))
    ballots = panel.ballots("overall")
    assert ballots.names == ("a", "b", "c")
    np.testing.assert_array_equal(ballots.critics, [[0, 1, -1], [1, 0, 2]])
    np.testing.assert_array_equal(ballots.scores, [[7, 2, np.nan], [2, 7, np.nan]])
    assert ballots.origins == ("inserted", "clean")
    assert len(ballots.of_origin("clean")) == 1


def test_a_score_written_twice_counts_once_the_last() -> None:
    c = comparison(0, ["a", "b"])
    ratings = [Rating(comparison_id=c.id, critique=0, rater="ann", attribute="overall", score=s) for s in (1, 1, 1, 6)]
    ballots = Panel([c], ratings).ballots("overall")
    assert len(ballots) == 1
    assert ballots.scores[0, 0] == 6


def test_the_ranking_goes_before_the_overall_scores() -> None:
    c, d = comparison(0, ["a", "b"]), comparison(1, ["a", "b"])
    panel = Panel([c, d], rate([c, d], lambda i, place, critic: 7 - place), rankings=[rank(c, [1], [0])])
    preferences = panel.preferences()
    better = {
        preferences.groups[i]: preferences.names[preferences.critics[i, np.argmax(preferences.scores[i])]]
        for i in range(2)
    }
    assert better == {"t0": "b", "t1": "a"}


def test_what_a_failed_critique_got_is_unscored() -> None:
    c = comparison(0, ["a", "b"], failed=["a"])
    ballots = Panel([c], rate([c], lambda i, place, critic: 7)).ballots("overall")
    np.testing.assert_array_equal(ballots.scores, [[np.nan, 7]])


def test_a_rating_of_no_comparison_or_of_a_place_that_is_not_there_is_refused() -> None:
    c = comparison(0, ["a", "b"])
    stray = Rating(comparison_id="elsewhere", critique=0, rater="ann", attribute="overall", score=3)
    with pytest.raises(MomusError, match="elsewhere, which is not among"):
        Panel([c], [stray])
    with pytest.raises(MomusError, match="that it has not"):
        Panel([c], [stray.model_copy(update={"comparison_id": c.id, "critique": 2})])
    with pytest.raises(MomusError, match="that it has not"):
        Panel([c], rankings=[rank(c, [0], [2])])


def test_a_tamper_and_its_twin_are_one_group() -> None:
    buggy, clean = comparison(0, ["a"]), comparison(0, ["a"], kind="clean")
    assert group_of(versioned(buggy.task)) == group_of(versioned(clean.task)) == "t0"
    assert [origin_of(comparison(0, ["a"], kind=k)) for k in ("inserted", "natural", "clean")] == [
        "inserted",
        "natural",
        "clean",
    ]
