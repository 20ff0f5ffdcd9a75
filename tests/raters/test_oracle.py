"""The oracle's scores, against what the formula says by hand."""

from __future__ import annotations

import statistics

import pytest
from rated_tasks import ANSWER, FIRST, SECOND, TWIN, comparison, says

from momus.critique import Comment, Span
from momus.errors import MomusError
from momus.raters import open_rater
from momus.raters.form import Form
from momus.raters.oracle import Oracle
from momus.records import Bug, Comparison, Sampled

PLACE = "start = len(xs) - n - 1"
FAKE = says("s = 0", "It returns nothing.", "wrong-return", "high")
FAKE2 = says("return xs[start:]", "It returns too much.", "wrong-return", "high")


def form_of(*comments: Comment, bugs: tuple[Bug, ...] = (FIRST,)) -> Form:
    return Oracle().rate(comparison(comments, bugs=bugs)).forms[0]


@pytest.mark.parametrize(
    ("comment", "cbi", "fake"),
    [
        (says("s = 0", "Wrong.", "off-by-one"), 1, 7),
        (says(PLACE, "Wrong."), 3, 4),
        (says(PLACE, "Wrong.", "wrong-variable"), 3, 4),
        (says(PLACE, "Wrong.", "off-by-one"), 5, 1),
        (says(PLACE, "Wrong: `- 1`.", "off-by-one"), 6, 1),
        (says(PLACE, "Wrong: `+ - * / % < <= > >= == != not and or`.", "off-by-one"), 5, 1),
        (says(PLACE, "The `- 1` is wrong."), 4, 4),
        (says(PLACE, "1 is too many.", "off-by-one"), 5, 1),
        (says(PLACE, "Wrong.", "off-by-one", suggestion="start = len(xs) - n"), 7, 1),
        (says(PLACE, "Wrong.", "wrong-variable", suggestion="start = len(xs)  -  n"), 7, 1),
        (says(PLACE, "Wrong.", "off-by-one", suggestion="start = len(xs) - n - 2"), 5, 1),
        (says(PLACE, "Wrong.", "off-by-one", suggestion=PLACE), 5, 1),
    ],
)
def test_cbi_goes_by_place_category_words_and_fix(comment: Comment, cbi: int, fake: int) -> None:
    form = form_of(comment)
    assert (form.cbi, form.comprehensiveness, form.fake_problem) == ((cbi,), cbi, fake)


def test_the_best_comment_on_a_bug_counts_and_one_that_adds_nothing_is_a_nitpick() -> None:
    vague, exact = says(PLACE, "Wrong."), says(PLACE, "Wrong.", "off-by-one")
    assert form_of(vague, exact).cbi == form_of(exact, vague).cbi == (5,)
    assert form_of(vague, exact).nitpick == 1, "the second one adds to the first"
    assert form_of(exact, vague).nitpick == 7, "here it does not"
    assert form_of(exact, exact).nitpick == 7


def test_a_highlight_as_wide_as_the_answer_points_at_nothing() -> None:
    wide = Comment(Span(0, len(ANSWER)), "Wrong.", "off-by-one", "high")
    exact, silence = form_of(says(PLACE, "Wrong.", "off-by-one")), form_of()
    assert (form_of(wide).cbi, form_of(wide).fake_problem) == ((1,), 7)
    assert form_of(wide).overall is not None and silence.overall is not None and exact.overall is not None
    assert form_of(wide).overall <= silence.overall < exact.overall


def test_several_bugs_weigh_by_severity_and_one_is_cbi_by_construction() -> None:
    both = (FIRST, SECOND)  # high weighs three, low one
    found_high = form_of(says(PLACE, "Wrong.", suggestion="start = len(xs) - n"), bugs=both)
    found_low = form_of(says("s -= x", "Wrong.", suggestion="s += x"), bugs=both)
    assert (found_high.cbi, found_high.comprehensiveness) == ((7, 1), 6)  # 5.5, up
    assert (found_low.cbi, found_low.comprehensiveness) == ((1, 7), 3)  # 2.5, up
    for comments in ((), (says(PLACE, "Wrong."),), (FAKE,)):
        form = form_of(*comments)
        assert form.cbi == (form.comprehensiveness,)


def test_a_claim_on_code_that_is_the_twins_is_fake_or_a_nitpick_by_its_severity() -> None:
    assert form_of(FAKE).fake_problem == 7 and form_of(FAKE).nitpick == 1
    small = says("s = 0", "A poor name.", severity="low")
    assert (form_of(small).fake_problem, form_of(small).nitpick) == (1, 7)
    assert (form_of(FAKE, FAKE).fake_problem, form_of(FAKE, FAKE).nitpick) == (7, 7), "the second one repeats"
    # of two bugs only the first is known, but the line of the second is not the twin's either
    other = comparison((says("s -= x", "It subtracts."),), bugs=(FIRST,)).model_copy(update={"twin": TWIN})
    form = Oracle().rate(other).forms[0]
    assert (form.cbi, form.fake_problem, form.nitpick) == ((1,), 1, 1)


def test_a_bug_of_no_category_cannot_be_named() -> None:
    unnamed = FIRST.model_copy(update={"category": "other"})
    assert form_of(says(PLACE, "Wrong."), bugs=(unnamed,)).cbi == (3,)
    assert form_of(says(PLACE, "Wrong.", suggestion="start = len(xs) - n"), bugs=(unnamed,)).cbi == (7,)


def test_a_bug_without_a_suggestion_is_told_by_the_twin() -> None:
    bare = FIRST.model_copy(update={"suggestion": None})
    assert Oracle().rate(bugged(bare, says(PLACE, "Wrong.", suggestion="start = len(xs) - n"))).forms[0].cbi == (7,)
    assert Oracle().rate(bugged(bare, says(PLACE, "Is `1` right?"))).forms[0].cbi == (4,)
    assert Oracle().rate(bugged(bare, says(PLACE, "Is `n` right?"))).forms[0].cbi == (3,)


def bugged(bug: Bug, *comments: Comment) -> Comparison:
    twin = ANSWER.replace("len(xs) - n - 1", "len(xs) - n")
    return comparison(comments, bugs=(bug,)).model_copy(update={"twin": twin})


def test_conciseness_falls_by_a_point_for_every_forty_words() -> None:
    for words, score in ((0, 7), (39, 7), (40, 6), (80, 5), (239, 2), (240, 1), (999, 1)):
        assert form_of(says(PLACE, "word " * words)).conciseness == score
    assert form_of(says(PLACE, "word " * 20, suggestion="x " * 20)).conciseness == 6
    assert form_of().conciseness == 7


def test_utility_and_overall_are_the_formula() -> None:
    found = says(PLACE, "Wrong.", "off-by-one", suggestion="start = len(xs) - n")
    small = says("return xs[start:]", "A poor name.", severity="low")
    cases: list[tuple[tuple[Comment, ...], float]] = [
        ((), 0 - 2 + 0.6),
        ((found,), 6 + 0.6),
        ((found, FAKE), 6 - 2 + 0.6),
        ((found, FAKE, small), 6 - 2 - 1 + 0.6),
        ((says(PLACE, "Wrong."),), 2 - 0.5 + 0.6),
        ((FAKE, FAKE2), 0 - 4 + 0.6),
        ((says(PLACE, "word " * 85, "off-by-one"),), 4 + 0.4),
    ]
    rated = Oracle().rate(comparison(*(comments for comments, _ in cases)))
    by_hand = sorted(range(len(cases)), key=lambda i: -cases[i][1])
    assert rated.order == tuple((i,) for i in by_hand)
    # utility + 1, halves up, in 1..7: -0.4, 7.6, 5.6, 4.6, 3.1, -2.4, 5.4
    assert [form.overall for form in rated.forms] == [1, 7, 6, 5, 3, 1, 5]


def test_silence_is_best_on_clean_code_and_an_all_clear_on_buggy_code_is_a_false_claim() -> None:
    found = says(PLACE, "Wrong.", "off-by-one")
    assert Oracle().rate(comparison((FAKE,), (), (found,), (FAKE, FAKE2))).order == ((2,), (0, 1), (3,))
    assert Oracle().rate(comparison((), (found,))).forms[0].fake_problem == 1, "the form counts comments alone"
    clean = Oracle().rate(comparison((FAKE,), (), (found,), bugs=()))
    assert clean.order[0] == (1,) and clean.forms[1].overall == 7
    assert [form.comprehensiveness for form in clean.forms] == [7, 7, 7]
    assert all(form.cbi == () for form in clean.forms)
    buggy = Oracle().rate(comparison((), (FAKE,)))
    assert (buggy.forms[0].overall or 0) < (clean.forms[1].overall or 0), "silence on clean code beats that on buggy"


def test_equal_critiques_are_tied() -> None:
    rated = Oracle().rate(comparison((), (), (FAKE, FAKE2), (FAKE, FAKE2)))
    assert rated.order == ((0, 1), (2, 3))


def test_a_bug_of_unknown_place_and_a_failed_critique_are_unscored() -> None:
    lost = comparison((), (FAKE,), bugs=()).model_copy(update={"twin": TWIN})
    rated = Oracle().rate(lost)
    assert rated.order == () and all(form.overall is None for form in rated.forms)
    assert "place is not known" in rated.rationale
    whole = comparison((), ())
    broken = Sampled(task_id="t", critic="m", error="boom", finish="error")
    rated = Oracle().rate(whole.model_copy(update={"critiques": (whole.critiques[0], broken)}))
    assert rated.order == ((0,),) and rated.forms[1] == Form(cbi=(None,), rationale="there is no critique: boom")


def test_every_comment_is_accounted_for_in_the_rationale() -> None:
    form = form_of(says(PLACE, "Wrong.", "off-by-one"), FAKE, says("for x in xs:", "Hm.", severity="low"))
    assert form.rationale == (
        "comment 1 finds bug 1; comment 2 is a fake problem: the code is right, and would be called wrong without the "
        "bug as well; comment 3 is a nitpick"
    )
    assert form_of().rationale == "says nothing"


def test_noise_is_seeded_centred_and_named_simulated() -> None:
    plain, noisy = open_rater("oracle"), open_rater("oracle:noise=1.5", seed=3)
    assert plain.name == "oracle" and noisy.name == "oracle-simulated:noise=1.5"
    assert plain.simulated and noisy.simulated
    many = [comparison((says(PLACE, "Wrong.", "off-by-one"),), (), name=str(i)) for i in range(300)]
    first = [noisy.rate(c) for c in many]
    assert first == [open_rater("oracle:noise=1.5", seed=3).rate(c) for c in many]
    assert first != [open_rater("oracle:noise=1.5", seed=4).rate(c) for c in many]
    conciseness = [rated.forms[0].cbi[0] or 0 for rated in first]
    assert statistics.mean(conciseness) == pytest.approx(5, abs=0.3) and statistics.stdev(conciseness) > 0.8
    wrong = sum(rated.order[0] == (1,) for rated in first)
    assert 0 < wrong < 60, "the better one mostly wins: 4 points apart, with noise of 1.5"


def test_biases_shift_what_they_name() -> None:
    long, short = says(PLACE, "word " * 200, "off-by-one"), says(PLACE, "Wrong.", "off-by-one")
    pair = comparison((short,), (long,))
    assert Oracle().rate(pair).order == ((0,), (1,))
    assert Oracle(bias=["length"]).rate(pair).order == ((1,), (0,))
    assert Oracle(bias=["first"]).rate(comparison((), ())).order == ((0,), (1,))
    fakes = comparison(*[(FAKE,)] * 40)
    seen = sum(form.fake_problem == 7 for form in Oracle(bias=["lenient"]).rate(fakes).forms)
    assert 8 < seen < 32
    assert open_rater("oracle:bias=length+first,noise=0.5").name == "oracle-simulated:noise=0.5,bias=first+length"


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("orcale", "there is no rater 'orcale': known are oracle, "),
        ("oracle:noise=much", "noise is a number, not 'much'"),
        ("oracle:noise=-1", "noise is a number of points from 0 up, not -1"),
        ("oracle:noise=nan", "from 0 up, not nan"),
        ("oracle:bias=kindness", "no bias 'kindness': its biases are length, lenient, first"),
        ("oracle:colour=red", "no setting 'colour'"),
        ("judge:gpt", "judge:gpt does not say which model is where"),
    ],
)
def test_a_rater_that_is_none_is_one_sentence(name: str, sentence: str) -> None:
    with pytest.raises(MomusError, match=sentence):
        open_rater(name)
