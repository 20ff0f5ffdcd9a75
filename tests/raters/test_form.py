"""The form: into records and back, unscored stays unscored, and what does not fit is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rated_tasks import FIRST, comparison, says

from momus.critique import Comment, Critique, Span
from momus.raters.form import ATTRIBUTES, Form, Rated, as_records, from_records, order_of, unscored
from momus.records import Comparison, Ranking, Rating, RecordError, Sampled, Task, read_line

SCORES = st.none() | st.integers(1, 7)
FORMS = st.builds(
    Form,
    cbi=st.tuples(SCORES, SCORES),
    comprehensiveness=SCORES,
    nitpick=SCORES,
    fake_problem=SCORES,
    conciseness=SCORES,
    overall=SCORES,
    rationale=st.text(max_size=20),
)
TWO_BUGS = comparison((), (says("s = 0"),), bugs=(FIRST, FIRST))


@given(FORMS, FORMS, st.sampled_from([((0, 1),), ((1,), (0,)), ((1,),)]))
def test_forms_come_back_from_their_records(a: Form, b: Form, order: tuple[tuple[int, ...], ...]) -> None:
    rated = Rated((a, b), order, "why")
    rows, rankings = as_records(TWO_BUGS, rated, "anna", simulated=True)
    assert len(rows) == 2 * (2 + 5) and all(row.simulated and row.rater == "anna" for row in [*rows, *rankings])
    assert from_records(TWO_BUGS, rows, rankings) == rated
    assert {row.attribute for row in rows} == set(ATTRIBUTES)


@given(st.lists(st.none() | st.integers(0, 3), max_size=6))
def test_an_order_puts_higher_before_lower_ties_together_and_unscored_nowhere(values: list[int | None]) -> None:
    order = order_of(values)
    place = {i: tier for tier, members in enumerate(order) for i in members}
    assert set(place) == {i for i, value in enumerate(values) if value is not None}
    for i in place:
        for j in place:
            assert (place[i] < place[j]) == (values[i] > values[j])  # type: ignore[operator]


def test_without_a_ranking_the_overall_scores_give_the_order() -> None:
    three = comparison((), (), ())
    rows, rankings = as_records(
        three, Rated(tuple(Form(cbi=(1,), overall=o) for o in (2, 5, 2)), ((0, 1, 2),)), "r", False
    )
    assert from_records(three, rows).order == ((1,), (0, 2))
    assert from_records(three, rows, rankings).order == ((0, 1, 2),), "a ranking comes first"
    assert from_records(three, []).order == () and from_records(three, []).forms[0] == Form(cbi=(None,))


def test_rows_of_other_comparisons_are_passed_over() -> None:
    one, other = comparison((), ()), comparison((), (), name="other")
    rows, rankings = as_records(other, Rated((Form(cbi=(7,), overall=7),) * 2, ((0, 1),)), "r", False)
    assert from_records(one, rows, rankings) == Rated((Form(cbi=(None,)),) * 2, ())


def test_an_unscored_comparison_has_rows_without_numbers_and_no_ranking() -> None:
    rows, rankings = as_records(TWO_BUGS, unscored(TWO_BUGS, "the judge said nothing"), "judge", False)
    assert rankings == [] and all(row.score is None for row in rows)
    assert {row.rationale for row in rows if row.attribute == "overall"} == {"the judge said nothing"}
    assert not Form(cbi=(1, None)).scored
    assert Form((1,), 1, 1, 1, 1, 1).scored


def test_what_does_not_fit_the_comparison_is_refused() -> None:
    with pytest.raises(ValueError, match="needs 2 forms with a score for each of 2 bugs"):
        as_records(TWO_BUGS, Rated((Form(cbi=(1, 1)),)), "r", False)
    with pytest.raises(ValueError, match="needs 2 forms"):
        as_records(TWO_BUGS, Rated((Form(cbi=(1,)),) * 2), "r", False)
    with pytest.raises(ValueError, match="has 2 critiques"):
        as_records(TWO_BUGS, Rated((Form(cbi=(1, 1)),) * 2, ((0, 2),)), "r", False)
    with pytest.raises(ValueError, match="has no critique 5"):
        from_records(TWO_BUGS, [Rating(comparison_id="c", critique=5, rater="r", attribute="overall", score=1)])
    with pytest.raises(ValueError, match="or no bug 2"):
        from_records(TWO_BUGS, [Rating(comparison_id="c", critique=0, rater="r", attribute="cbi", score=1, bug=2)])
    with pytest.raises(ValueError, match="a ranking names others"):
        from_records(TWO_BUGS, [], [Ranking(comparison_id="c", rater="r", order=((2,),))])
    for score in (0, 8):
        with pytest.raises(ValueError, match=r"a score is 1\.\.7 or None"):
            Form(overall=score)


@pytest.mark.parametrize("order", [((0, 0),), ((0,), (0,)), ((),), ((-1,),), ((0,), ())])
def test_a_ranking_holds_each_index_once(order: tuple[tuple[int, ...], ...]) -> None:
    with pytest.raises(ValueError, match="once at most"):
        Ranking(comparison_id="c", rater="r", order=order)


@pytest.mark.parametrize(("attribute", "bug"), [("cbi", None), ("overall", 0)])
def test_a_bug_goes_with_cbi_and_nothing_else(attribute: str, bug: int | None) -> None:
    with pytest.raises(ValueError, match="cbi is scored per bug"):
        Rating(comparison_id="c", critique=0, rater="r", attribute=attribute, bug=bug)  # type: ignore[arg-type]


def test_a_shown_comparison_tells_nothing_of_who_wrote_what() -> None:
    task = Task(id="t", question="q", answer="x = 1\n")
    comment = Comment(Span(0, 5), "Why?", confidence=0.9, witness="x")
    gold = Sampled(task_id="t", critic="gold", critique=Critique((comment,)))
    model = Sampled(
        task_id="t", critic="m", i=3, critique=Critique((comment,)), logprob=-1, score=2, anchors=("exact",)
    )
    whole = Comparison(id="c", task=task, critiques=(model, gold))
    shown = whole.shown()
    assert whole.gold == (1,) and shown.gold == ()
    assert {s.critic for s in shown.critiques} == {""}
    assert shown.critiques[0].model_copy(update={"i": 0}) == shown.critiques[1].model_copy(update={"i": 0})
    assert shown.task == task and shown.id == "c"


def test_a_highlight_past_the_answer_is_refused() -> None:
    task = Task(id="t", question="q", answer="x = 1\n")
    gone = Sampled(task_id="t", critic="m", critique=Critique((Comment(Span(3, 9), "Why?"),)))
    with pytest.raises(ValueError, match="a highlight ends at 9, past the answer's 6 characters"):
        Comparison(id="c", task=task, critiques=(gone,))
    with pytest.raises(RecordError, match=r"f:1: not a Ranking: order: Field required"):
        read_line('{"comparison_id": "c", "rater": "r"}', Ranking, "f:1")
