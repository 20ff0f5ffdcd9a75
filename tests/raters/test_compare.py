"""Comparisons: blind, shuffled, mixed as asked for; the gold critique keeps its claim whatever its words."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rated_tasks import ANSWER, FIRST, SECOND, TWIN, sampled, says, tamper

from momus.critique import Comment, Span, TextMap, parse, render
from momus.errors import MomusError
from momus.match import apply_suggestion, code_key, judge
from momus.measure import small_bugs
from momus.raters.compare import Mix, build, clean_answers, tampered_answers
from momus.raters.gold import gold_critique
from momus.raters.moved import moved
from momus.raters.oracle import Oracle
from momus.records import Bug, Comparison, Sampled, Tamper, Task, versioned

NAMES = ("xs", "s", "x", "n", "start", "total", "last")


def remarks(task: Task, count: int, critic: str = "m") -> list[Sampled]:
    """Different critiques of a task, each of one comment on its first line."""
    return [sampled(task, Comment(Span(0, 3), f"Remark {critic} {i}."), critic=critic, i=i) for i in range(count)]


def many(count: int) -> list[Tamper]:
    """Tampers of different answers."""
    return [
        tamper(f"t{i}", (FIRST,), ANSWER + f"\n\nmark = {i}\n").model_copy(update={"twin": TWIN + f"\n\nmark = {i}\n"})
        for i in range(count)
    ]


def test_a_tampered_answer_gets_three_models_and_gold_and_a_clean_one_four_models() -> None:
    item = tamper()
    clean = Task(id="clean", question="q", answer="def f(): pass\n")
    both = [versioned(item.task), versioned(clean)]
    critiques = [c for task in both for c in remarks(task, 6)]
    built = build([item, clean], critiques, Mix(silence=0, untampered=0.5))
    by_task = {comparison.task.id: comparison for comparison in built.comparisons}
    assert set(by_task) == {task.id for task in both}
    tampered, plain = by_task[both[0].id], by_task[both[1].id]
    assert len(tampered.critiques) == len(plain.critiques) == 4
    assert len(tampered.gold) == 1 and plain.gold == ()
    assert tampered.bugs == item.bugs and tampered.twin == item.twin and plain.bugs == () and plain.twin is None
    assert built.untampered == 0.5 and not built.skipped


def test_the_order_is_shuffled_and_the_same_for_the_same_seed() -> None:
    items = many(40)
    critiques = [c for item in items for c in remarks(versioned(item.task), 4)]
    built = build(items, critiques, Mix(untampered=0)).comparisons
    gold_at = Counter(comparison.gold[0] for comparison in built)
    assert set(gold_at) == {0, 1, 2, 3} and max(gold_at.values()) < 25
    backwards = build(items[::-1], critiques[::-1], Mix(untampered=0)).comparisons
    assert built == backwards, "the order of files changes nothing"
    assert build(items[:7], critiques, Mix(untampered=0)).comparisons == [
        c for c in built if int(c.task.id[1:].split("@")[0]) < 7
    ]
    assert build(items, critiques, Mix(untampered=0, seed=1)).comparisons != built


def test_critics_take_turns_and_equal_critiques_stand_once() -> None:
    item = tamper(bugs=(FIRST,))
    task = versioned(item.task)
    critiques = [
        *remarks(task, 9, "a"),
        *remarks(task, 2, "b"),
        *[sampled(task, says("s = 0"), critic="c", i=i) for i in range(5)],
    ]
    (comparison,) = build([item], critiques, Mix(untampered=0, silence=0)).comparisons
    assert {s.critic for s in comparison.critiques} == {"a", "b", "c", "gold"}


def test_silence_takes_the_place_of_a_model_at_its_share_where_none_is_silent() -> None:
    items = many(200)
    critiques = [c for item in items for c in remarks(versioned(item.task), 4)]
    built = build(items, critiques, Mix(untampered=0, silence=0.3)).comparisons
    with_silence = [c for c in built if any(not s.critique.comments for s in c.critiques)]
    assert 40 <= len(with_silence) <= 80
    assert all(len(c.critiques) == 4 and len(c.gold) == 1 for c in built)
    item = items[0]
    task = versioned(item.task)
    own = [*remarks(task, 2), sampled(task, critic="quiet")]
    (comparison,) = build([item], own, Mix(untampered=0, silence=1)).comparisons
    assert Counter(s.critic for s in comparison.critiques) == {"m": 2, "quiet": 1, "gold": 1}
    (comparison,) = build([item], remarks(task, 1), Mix(untampered=0, silence=1)).comparisons
    assert Counter(s.critic for s in comparison.critiques) == {"m": 1, "empty": 1, "gold": 1}, "there is room for both"


def test_the_gold_critique_stands_in_its_share_and_a_model_s_takes_its_place() -> None:
    items = many(200)
    critiques = [c for item in items for c in remarks(versioned(item.task), 8)]
    built = build(items, critiques, Mix(untampered=0, silence=0, gold=0.5, per_task=2)).comparisons
    golden = sum(len(c.gold) for c in built)
    assert len(built) == 400 and 160 <= golden <= 240
    assert all(len(c.critiques) == 4 and len(c.gold) <= 1 for c in built)
    for item in items:
        theirs = [c for c in built if c.task == versioned(item.task)]
        texts = [s.critique for c in theirs for s in c.critiques if s.critic != "gold"]
        assert len(texts) == len(set(texts)), "no critique in two comparisons"
    assert not any(c.gold for c in build(items, critiques, Mix(untampered=0, gold=0)).comparisons)


def test_a_moved_comment_stands_at_the_bug_and_at_other_lines_and_its_place_alone_ranks_it() -> None:
    items = many(200)
    critiques = [c for item in items for c in remarks(versioned(item.task), 8)]
    built = build(items, critiques, Mix(untampered=0, gold=0, moved=0.5, per_task=2)).comparisons
    apart = [c for c in built if all(s.critic == "moved" for s in c.critiques)]
    assert len(built) == 400 and 160 <= len(apart) <= 240
    assert not any(s.critic == "moved" for c in built if c not in apart for s in c.critiques), "never among others"
    for comparison in apart:
        (first, *_), *_ = (sampled.critique.comments for sampled in comparison.critiques)
        texts = {s.critique.comments[0].text for s in comparison.critiques}
        places = [s.critique.comments[0].highlight for s in comparison.critiques]
        assert texts == {first.text} and len(set(places)) == len(places) >= 2
        ((best,), *rest) = Oracle().rate(comparison).order
        text = TextMap(comparison.task.answer)
        assert set(text.lines(places[best])) & set(text.lines(comparison.bugs[0].spans[0])) and rest
    assert not any(
        s.critic == "moved" for c in build(items, critiques, Mix(untampered=0)).comparisons for s in c.critiques
    )


def test_a_comment_is_not_moved_where_no_other_line_acts() -> None:
    comment = Comment(Span(0, 3), "Wrong.", suggestion="y = 2")
    bug = Bug(spans=(Span(0, 5),), category="other", severity="high", description="x is 1.")
    assert moved(comment, (bug,), "x = 1\n", 4, random.Random(0)) == []
    assert moved(comment, (), "x = 1\ny = 2\n", 4, random.Random(0)) == []
    here, there = moved(comment, (bug,), "x = 1\ny = 2\n", 4, random.Random(0))
    assert [c.comments[0].highlight for c in (here, there)] == [Span(0, 5), Span(6, 11)]
    assert here.comments[0].suggestion is None, "it is of the old place"


@pytest.mark.parametrize(("share", "tampered", "clean"), [(0, 30, 0), (0.25, 30, 10), (0.5, 30, 30), (1, 0, 30)])
def test_the_share_of_untampered_answers_is_a_setting(share: float, tampered: int, clean: int) -> None:
    items = many(30)
    tasks = [*tampered_answers(items), *clean_answers(items)]
    built = build(items, [c for task in tasks for c in remarks(task, 4)], Mix(untampered=share))
    assert Counter(bool(c.bugs) for c in built.comparisons) == Counter({True: tampered, False: clean})
    few = build(items, [c for task in tasks[:33] for c in remarks(task, 4)], Mix(untampered=0.5))
    assert few.untampered == pytest.approx(3 / 33) and few.asked == 0.5


def test_several_comparisons_of_one_answer_share_no_critique() -> None:
    item = tamper(bugs=(FIRST,))
    task = versioned(item.task)
    built = build([item], remarks(task, 8), Mix(untampered=0, silence=0, per_task=4)).comparisons
    assert sorted(c.id for c in built) == [f"{task.id}/{k}" for k in range(3)]
    texts = [s.critique.comments[0].text for c in built for s in c.critiques if s.critic != "gold"]
    assert len(texts) == len(set(texts)) == 8


def test_bad_critiques_are_skipped_counted_and_named() -> None:
    items = many(4)
    tasks = [versioned(item.task) for item in items]
    clean = Task(id="clean", question="", answer="x = 1\n")
    lost = Tamper(task=Task(id="lost", question="", answer="y = 1\n"), twin="y = 2\n", bugs=())
    critiques = [
        *remarks(tasks[0], 3),
        sampled(tasks[1], error="timeout"),
        *[sampled(versioned(clean), i=i) for i in range(4)],  # four times silence: one critique
        *remarks(versioned(lost.task), 3),
    ]
    built = build([*items, clean, lost], critiques, Mix())
    assert [c.task.id for c in built.comparisons] == [tasks[0].id]
    assert built.skipped == {
        "no critique that did not fail": 1,
        "fewer than two different critiques": 1,
        "the place of the bug is not known": 1,
    }


def test_critiques_of_other_tasks_are_one_sentence() -> None:
    other = versioned(Task(id="other", question="", answer="x = 1\n"))
    for critiques in ([], remarks(other, 4)):
        with pytest.raises(MomusError, match="none of the critiques is of these tasks"):
            build([tamper()], critiques, Mix())
    with pytest.raises(MomusError, match=r"no comparison could be made \(1 x fewer than two .*momus critique -n"):
        build([Task(id="other", question="", answer="x = 1\n")], remarks(other, 1), Mix(silence=0))
    with pytest.raises(MomusError, match="the share silence lies between 0 and 1, not at 2"):
        Mix(silence=2)
    with pytest.raises(MomusError, match="a comparison needs two critiques or more"):
        Mix(size=1)


def test_versions_of_an_answer_are_told_apart_and_equal_twins_stand_once() -> None:
    a, b = tamper("t~1", (FIRST,)), tamper("t~2", (SECOND,), ANSWER + "# other\n")
    tampered, clean = tampered_answers([a, b, a]), clean_answers([a, b])
    assert len({task.id for task in [*tampered, *clean]}) == 3
    assert [task.answer for task in clean] == [TWIN]
    assert clean_answers([a, b], twins=0) == []
    second = versioned(b.task.model_copy(update={"answer": TWIN}))
    (comparison,) = build([a, b], remarks(second, 4), Mix(untampered=1)).comparisons
    assert comparison.task == second, "whichever of the equal twins was criticised"
    half = clean_answers(many(200), twins=0.5, seed=1)
    assert 70 < len(half) < 130 and half == clean_answers(many(200), twins=0.5, seed=1)
    assert {task.id for task in clean_answers(many(200), twins=0.2, seed=1)} <= {task.id for task in half}


def golds(bugs: tuple[Bug, ...], answer: str, count: int = 60) -> list[Comment]:
    return [c for seed in range(count) for c in gold_critique(bugs, answer, random.Random(seed))]


def test_the_gold_critique_is_worded_in_many_ways_and_always_makes_the_claim() -> None:
    for item in small_bugs():
        found = golds(item.bugs, item.task.answer)
        assert len(found) == 60 * len(item.bugs)
        for comment in found:
            verdicts = [judge(comment, bug, item.task.answer, item.twin) for bug in item.bugs]
            assert any(v.place and v.category for v in verdicts)
            if comment.suggestion is not None:
                assert any(v.fix for v in verdicts), "a suggestion that is told is the right one"
    found = golds((FIRST,), ANSWER)
    texts = Counter(comment.text for comment in found)
    assert len(texts) >= 8 and 20 <= texts[FIRST.description] <= 40
    assert len({len(text.split()) // 6 for text in texts}) >= 3, "short ones and long ones"
    assert {comment.severity for comment in found} == {"medium", "high"}
    assert 10 <= sum(comment.suggestion is None for comment in found) <= 30
    assert gold_critique((FIRST,), ANSWER, random.Random(5)) == gold_critique((FIRST,), ANSWER, random.Random(5))


def test_the_gold_critique_quotes_whole_lines_and_speaks_of_every_bug() -> None:
    part = Bug(spans=(Span(ANSWER.index("- 1"), ANSWER.index("- 1") + 3),), category="off-by-one", suggestion="")
    for comment in golds((part,), ANSWER, 20):
        assert comment.highlight.of(ANSWER) == "start = len(xs) - n - 1"
        assert comment.text
        if comment.suggestion is not None:
            mended = apply_suggestion(ANSWER, comment.highlight, comment.suggestion)
            assert code_key(mended) == code_key(ANSWER.replace("- n - 1", "- n "))
    critique = gold_critique((SECOND, FIRST), ANSWER, random.Random(0))
    assert {TextMap(ANSWER).line(c.highlight.start) for c in critique} == {3, 10}
    assert parse(render(critique, ANSWER), ANSWER).critique == critique
    blank = Bug(spans=(Span(ANSWER.index("\n\n\n") + 1, ANSWER.index("\n\n\n") + 2),), category="missing-statement")
    (comment,) = gold_critique((blank,), ANSWER, random.Random(0))
    assert comment.highlight.of(ANSWER).strip() and comment.suggestion is None and comment.text


@given(st.integers(0, 10**6), st.text("ab \n\t`x=", min_size=1, max_size=40), st.data())
def test_any_bug_of_any_text_has_a_gold_critique_or_none(seed: int, answer: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(answer) - 1))
    end = data.draw(st.integers(start + 1, len(answer)))
    bug = Bug(
        spans=(Span(start, end),),
        category="other",
        description=data.draw(st.sampled_from(["", "It fails.", "A. B"])),
        suggestion=data.draw(st.none() | st.sampled_from(["", "x = 1", "a\nb"])),
    )
    critique = gold_critique((bug,), answer, random.Random(seed))
    assert len(critique) == (1 if answer.strip() else 0)
    for comment in critique:
        quote = comment.highlight.of(answer)
        assert quote.strip() and comment.text
        if comment.suggestion is not None:
            mended = apply_suggestion(answer, comment.highlight, comment.suggestion)
            assert mended == apply_suggestion(answer, bug.spans[0], bug.suggestion or "")


def test_the_oracle_finds_gold_good_and_not_always_best() -> None:
    ranks: Counter[bool] = Counter()
    for seed in range(40):
        task = versioned(tamper(bugs=(FIRST,)).task)
        gold = gold_critique((FIRST,), ANSWER, random.Random(seed))
        rival = sampled(task, says("start = len(xs) - n - 1", "Here.", "off-by-one", suggestion="start = len(xs) - n"))
        pair = Comparison(
            id="c",
            task=task,
            critiques=(rival, Sampled(task_id=task.id, critic="gold", critique=gold)),
            bugs=(FIRST,),
            twin=ANSWER.replace("- n - 1", "- n"),
        )
        rated = Oracle().rate(pair.shown())
        assert (rated.forms[1].cbi[0] or 0) >= 5
        ranks[rated.order[0] == (0,)] += 1
    assert ranks[True] > 5 and ranks[False] > 5
