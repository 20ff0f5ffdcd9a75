"""How a vote is counted, and when it may be spoken of; results are given, nothing is run."""

import pytest

from momus.evidence.running import Result
from momus.evidence.votes import Gate, Vote, alike, votes
from momus.inputs.calls import Call
from momus.inputs.values import encode

CALL = Call((), "f(1)")


def value(thing: object) -> Result:
    return Result("value", repr(thing), encode(thing, set()))


RAISES = Result("raised", "ValueError: no", error="ValueError")
LATE = Result("timeout", "has not ended")
UNSURE = Result("uncertain", "", reason="it depends on chance")


def one(got: Result, *results: Result, any_order: bool = False) -> Vote:
    return votes([CALL], [got], [([result], 1) for result in results], any_order=any_order)[0]


@pytest.mark.parametrize(
    ("got", "against"), [(value(1), False), (value(2), True), (RAISES, True), (LATE, True), (UNSURE, False)]
)
def test_an_answer_goes_against_what_most_give_unless_nothing_is_known_of_it(got: Result, against: bool) -> None:
    vote = one(got, *[value(1)] * 7, value(3))
    assert (vote.agree, vote.voters, vote.contradicts) == (7, 8, against)
    assert vote.share == 7 / 8


def test_programs_that_mean_the_same_count_as_often_as_they_were_written() -> None:
    vote = votes([CALL], [value(2)], [([value(1)], 6), ([value(2)], 1), ([RAISES], 1)])[0]
    assert (vote.agree, vote.voters, vote.result) == (6, 8, value(1))


@pytest.mark.parametrize("results", [[RAISES] * 8, [LATE] * 8, [UNSURE] * 8, [value(n) for n in range(8)], []])
def test_where_most_raise_or_disagree_there_is_no_result(results: list[Result]) -> None:
    vote = one(value(0), *results)
    assert vote.result is None and vote.share == 0 and not vote.contradicts


def test_half_of_them_are_no_majority() -> None:
    assert one(value(2), *[value(1)] * 4, *[value(2)] * 4).result is None


def test_floats_are_the_same_within_a_tolerance() -> None:
    vote = one(value(0.3), *[value(0.1 + 0.2)] * 4, *[value(0.3)] * 4)
    assert vote.agree == 8 and not vote.contradicts


def test_order_is_left_open_only_where_that_is_said() -> None:
    assert not alike(value([1, 2]), value([2, 1]))
    assert alike(value([1, 2]), value([2, 1]), any_order=True)
    assert not alike(value([1, 2]), value([1, 1]), any_order=True)
    assert one(value([2, 1]), *[value([1, 2])] * 8).contradicts
    assert not one(value([2, 1]), *[value([1, 2])] * 8, any_order=True).contradicts


def decided(agree: int, voters: int, n: int = 4) -> list[Vote]:
    return [Vote(CALL, value(1), value(1), agree, voters, False)] * n


@pytest.mark.parametrize(
    ("agree", "voters", "examples", "speaks"),
    [
        (8, 8, True, True),
        (7, 8, True, True),
        (6, 8, True, False),
        (5, 5, True, True),
        (4, 4, True, False),  # too few are left
        (5, 6, True, False),
        (8, 8, False, True),
        (7, 8, False, False),
        (7, 7, False, False),
    ],
)
def test_it_speaks_where_enough_agree_and_without_examples_where_all_do_or_not_at_all(
    agree: int, voters: int, examples: bool, speaks: bool
) -> None:
    assert Gate(bare_least=8).speaks(decided(agree, voters), voters, 8, examples=examples) is speaks
    assert Gate().speaks(decided(agree, voters), voters, 8, examples=examples) is (speaks and examples)


def test_it_is_silent_where_they_agree_on_too_few_inputs() -> None:
    gate = Gate()
    open_votes = decided(4, 8, 10)
    assert gate.speaks(decided(8, 8, 10) + open_votes, 8, 8, examples=True)
    assert not gate.speaks(decided(8, 8, 9) + open_votes, 8, 8, examples=True)
    assert not gate.speaks(decided(8, 8, 2), 8, 8, examples=True)
    assert not gate.speaks([], 8, 8, examples=True)


def test_a_few_of_many_that_fail_the_examples_may_not_speak() -> None:
    gate = Gate()
    assert gate.speaks(decided(10, 10), 10, 16, examples=True)
    assert not gate.speaks(decided(9, 9), 9, 16, examples=True)


def test_confidence_is_that_of_the_vote() -> None:
    chances = [Gate().confidence(vote) for vote in (*decided(5, 5, 1), *decided(7, 8, 1), *decided(8, 8, 1))]
    assert chances == [pytest.approx(6 / 7), pytest.approx(0.8), pytest.approx(0.9)]
