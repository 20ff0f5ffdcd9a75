"""Critics whose scores are known beforehand: each is written here as a number."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from planted import RIGHT, TESTS, TWIN, WRONG, Planted, make_tamper, on, oracle

from momus.critics.trivial import Empty, Everything, Random, body_lines
from momus.critique import Comment, Critique, Span, TextMap
from momus.measure import measure, sandbox_prover, small_bugs
from momus.measure.item import Item
from momus.measure.results import Results
from momus.measure.runs import shown
from momus.measure.scores import chance
from momus.records import Bug, Sampled, Tamper, Task
from momus.sandbox import why_not


def mean(results: Results, measure_name: str, row: int = 0) -> float:
    return results.rows[row].figures[measure_name].mean


def test_an_oracle_scores_one_everywhere_and_says_nothing_false(tampers: list[Tamper]) -> None:
    results = measure([Planted("oracle", oracle)], tampers, [Task(id="c", question="", answer=TWIN)])
    for name in ("place@1", "place@3", "claim@1", "fix@1", "fix@3", "bugs_found", "bugs_fixed", "budget"):
        assert mean(results, name) == 1.0, name
    for name in ("twin_place@1", "twin_claim@1", "twin_fix@1", "twin_place@3"):
        assert mean(results, name) == 1.0, name
    for name in ("spurious", "twin_flagged", "clean_flagged", "clean_comments"):
        assert mean(results, name) == 0.0, name
    assert mean(results, "chance@1") == pytest.approx(1 / 4)  # one line of four, the signature aside
    assert results.rows[0].failed == 0


class Remembering:
    """A cheat that compares what it is shown with what it has seen, and speaks of the line that differs."""

    name = "remembering"

    def __init__(self) -> None:
        self.seen: list[list[str]] = []
        self.ids: set[str] = set()
        self.known = 0

    def critique(self, tasks: Iterable[Task], *, n: int = 1, seed: int) -> Iterator[Sampled]:
        for task in tasks:
            self.ids.add(task.id)
            assert task.tests is None and task.group is None
            lines = task.answer.splitlines()
            near = [old for old in self.seen if len(old) == len(lines) and sum(map(str.__ne__, old, lines)) == 1]
            self.seen.append(lines)
            self.known += bool(near)
            where = (
                next((at for at, (a, b) in enumerate(zip(near[-1], lines, strict=True)) if a != b), 0) if near else 0
            )
            said = Critique((on(task, lines[where].strip()),)) if near else Critique()
            yield Sampled(task_id=task.id, critic=self.name, critique=said)


def test_a_critic_that_remembers_what_it_was_shown_gains_nothing_by_it(tampers: list[Tamper]) -> None:
    cheat = Remembering()
    different = [make_tamper(i, pad=i) for i in range(20)]
    results = measure([cheat], different, [Task(id="c", question="", answer=TWIN)])
    assert cheat.known >= 20, "it does recognise the second version of an answer"
    assert mean(results, "twin_place@1") <= 0.0 and mean(results, "place@1") == 0.0
    names = {tamper.task.id for tamper in different}
    assert not any(name in shown for name in names if len(name) > 2 for shown in cheat.ids)


def test_an_answer_and_its_twin_are_not_joined_by_their_ids() -> None:
    item = Item.of(make_tamper(3))
    one, two = shown(item.task).id, shown(item.twin).id
    assert one != two and not set(one.split("@")) & set(two.split("@"))
    assert shown(item.task) == shown(item.task.model_copy(update={"id": "other", "group": "g"}))


def test_silence_scores_zero_and_is_never_spurious(tampers: list[Tamper]) -> None:
    results = measure([Empty()], tampers)
    for name in ("place@1", "place@3", "fix@3", "twin_place@1", "spurious", "lines", "twin_flagged", "chance@3"):
        assert mean(results, name) == 0.0, name


def test_flagging_every_line_finds_the_bug_by_its_third_comment_and_fails_the_twin_test(tampers: list[Tamper]) -> None:
    results = measure([Everything()], tampers)
    assert mean(results, "place@1") == 0.0
    assert mean(results, "place@3") == 1.0  # the bug stands on line 3
    assert mean(results, "budget") == 1.0
    assert mean(results, "chance@3") == pytest.approx(3 / 4)
    assert mean(results, "spurious") == 4.0  # five lines, one of them right
    assert mean(results, "lines") == 5.0
    assert mean(results, "twin_place@1") == 0.0
    assert mean(results, "twin_place@3") == 0.0
    assert mean(results, "twin_flagged") == 1.0


def test_a_true_comment_made_ten_times_counts_once_and_nine_are_spurious(tampers: list[Tamper]) -> None:
    results = measure([Planted("parrot", lambda task: Critique(tuple(oracle(task)) * 10))], tampers)
    assert mean(results, "place@3") == 1.0
    assert mean(results, "bugs_found") == 1.0
    assert mean(results, "spurious") == 9.0
    assert mean(results, "lines") == 1.0


def test_a_right_quote_with_nonsense_is_a_place_but_no_claim_and_no_fix(tampers: list[Tamper]) -> None:
    def nonsense(task: Task) -> Critique:
        return Critique((on(task, "for i in", "security", "for i on"),)) if WRONG in task.answer else Critique()

    results = measure([Planted("nonsense", nonsense)], tampers)
    assert (mean(results, "place@1"), mean(results, "claim@1"), mean(results, "fix@1")) == (1.0, 0.0, 0.0)
    assert (mean(results, "twin_place@1"), mean(results, "twin_claim@1"), mean(results, "twin_fix@1")) == (1.0, 0, 0)


def test_saying_the_same_of_the_twin_is_worth_nothing(tampers: list[Tamper]) -> None:
    results = measure([Planted("same", lambda task: Critique((on(task, "for i in", "off-by-one"),)))], tampers)
    assert mean(results, "place@1") == 1.0
    assert mean(results, "twin_place@1") == 0.0
    assert mean(results, "twin_claim@1") == 0.0


def test_another_category_on_the_twin_does_not_buy_back_the_place(tampers: list[Tamper]) -> None:
    def shifty(task: Task) -> Critique:
        return Critique((on(task, "for i in", "off-by-one" if WRONG in task.answer else "security"),))

    results = measure([Planted("shifty", shifty)], tampers)
    assert mean(results, "twin_place@1") == 0.0
    assert mean(results, "twin_claim@1") == 1.0


def test_claims_on_the_twin_alone_score_below_zero(tampers: list[Tamper]) -> None:
    def backwards(task: Task) -> Critique:
        return Critique() if WRONG in task.answer else Critique((on(task, "for i in", "off-by-one", "for i on"),))

    results = measure([Planted("backwards", backwards)], tampers)
    for level in ("place", "claim", "fix"):
        assert mean(results, f"twin_{level}@1") == -1.0, level


def test_a_suggestion_on_the_twin_that_changes_nothing_is_no_false_fix(tampers: list[Tamper]) -> None:
    def tidy(task: Task) -> Critique:
        return Critique((on(task, WRONG if WRONG in task.answer else RIGHT, "other", RIGHT + "  # checked"),))

    results = measure([Planted("tidy", tidy)], tampers)
    assert mean(results, "fix@1") == 1.0
    assert mean(results, "twin_fix@1") == 1.0
    assert mean(results, "twin_place@1") == 0.0


def test_a_bug_found_later_than_the_first_comment_counts_at_k_only(tampers: list[Tamper]) -> None:
    def second(task: Task) -> Critique:
        return Critique((on(task, "s = 0"), *oracle(task)))

    results = measure([Planted("second", second)], tampers, k=2)
    assert (mean(results, "place@1"), mean(results, "place@2")) == (0.0, 1.0)
    assert (mean(results, "twin_place@1"), mean(results, "twin_place@2")) == (0.0, 1.0)
    assert mean(results, "spurious") == 1.0


def test_highlighting_the_whole_answer_pays_for_its_lines(tampers: list[Tamper]) -> None:
    def whole(task: Task) -> Critique:
        return Critique((Comment(Span(0, len(task.answer)), "Something is wrong."),))

    results = measure([Planted("whole", whole)], tampers, budget=1)
    for name in ("place@1", "place@3", "claim@1", "fix@1", "bugs_found", "twin_place@1"):
        assert mean(results, name) == 0.0, name  # it says no place
    assert mean(results, "spurious") == 1.0
    assert mean(results, "chance@1") == 1.0
    assert mean(results, "budget") == 0.0  # only its first line is within the budget


def test_a_comment_is_held_to_its_first_line_and_to_three_at_most(tampers: list[Tamper]) -> None:
    def lines(first: int, last: int, suggestion: str | None = None) -> Planted:
        def write(task: Task) -> Critique:
            text = TextMap(task.answer)
            highlight = Span(text.line_span(first)[0], text.line_span(last)[1])
            return Critique((Comment(highlight, "Something is wrong.", suggestion=suggestion),))

        return Planted(f"{first}-{last}", write)

    # The bug stands on line 3.
    critics = [lines(3, 3), lines(3, 5), lines(2, 4), lines(3, 3 + 3)]
    results = measure(critics, [make_tamper(pad=3)])
    assert [mean(results, "place@1", row) for row in range(4)] == [1.0, 1.0, 0.0, 0.0]
    assert [mean(results, "spurious", row) for row in range(4)] == [0.0, 0.0, 1.0, 1.0]
    undone = f"    s = 0\n    {RIGHT}\n        s += xs[i]"
    results = measure([lines(2, 4, undone), lines(1, 4, f"def total(xs):\n{undone}")], tampers)
    assert [mean(results, "fix@1", row) for row in range(2)] == [1.0, 0.0]  # a fix may begin above; four are too many


def test_the_order_of_lines_is_read_without_the_gate(tampers: list[Tamper], tmp_path: Path) -> None:
    @dataclass
    class Line:
        line: int
        score: float

    class Gated(Planted):
        passes = 0

        def suspicions(self, task: Task) -> list[Line]:
            self.passes += 1
            return [Line(3, 2.0), Line(2, 1.0)] if WRONG in task.answer else [Line(2, 1.0)]

    silent = Gated("silent", lambda task: Critique())
    results = measure([silent, Random(comments=None), Empty()], tampers, runs=tmp_path)
    assert (mean(results, "first@1"), mean(results, "place@1"), mean(results, "twin_flagged")) == (1.0, 0.0, 0.0)
    assert mean(results, "first@1", 1) == mean(results, "place@1", 1)  # its comments are its order
    assert "first@1" not in results.rows[2].figures
    assert silent.passes == len(tampers)  # twins are not read for it
    measure([silent], tampers, runs=tmp_path)
    assert silent.passes == len(tampers)  # kept


def test_of_two_bugs_one_found_is_a_half() -> None:
    twin = TWIN
    answer = twin.replace("s = 0", "s = 1").replace(RIGHT, WRONG)
    bugs = tuple(
        Bug(spans=(Span(answer.index(q), answer.index(q) + len(q)),), category=c, suggestion=s)
        for q, c, s in (("s = 1", "wrong-constant", "s = 0"), (WRONG, "off-by-one", RIGHT))
    )
    both = Tamper(task=Task(id="two", question="", answer=answer), twin=twin, bugs=bugs)
    results = measure([Planted("half", oracle), Planted("all", lambda t: _both(t))], [both])
    assert (mean(results, "bugs_found"), mean(results, "bugs_fixed"), mean(results, "place@1")) == (0.5, 0.5, 1.0)
    assert (mean(results, "bugs_found", 1), mean(results, "bugs_fixed", 1)) == (1.0, 1.0)


def _both(task: Task) -> Critique:
    if WRONG not in task.answer:
        return Critique()
    return Critique((on(task, "s = 1", "wrong-constant", "s = 0"), on(task, WRONG, "off-by-one", RIGHT)))


def test_failures_are_unscored_and_counted_never_zero(tampers: list[Tamper]) -> None:
    tampers = [make_tamper(i, pad=i) for i in range(4)]
    first = tampers[0]

    def flaky(task: Task) -> Critique:
        if task.answer in (first.task.answer, first.twin):
            raise ValueError("out of order")
        return oracle(task)

    results = measure([Planted("flaky", flaky)], tampers)
    row = results.rows[0]
    assert row.failed == 2  # the answer and its twin
    assert row.error == "out of order"
    assert (row.figures["place@1"].mean, row.figures["place@1"].n) == (1.0, 3)
    assert row.figures["twin_place@1"].n == 3


def test_a_failure_on_the_twin_leaves_the_place_scored(tampers: list[Tamper]) -> None:
    def blind(task: Task) -> Critique:
        if WRONG not in task.answer:
            raise ValueError("no twin for me")
        return oracle(task)

    figures = measure([Planted("blind", blind)], tampers).rows[0].figures
    assert figures["place@1"].n == 4
    assert "twin_place@1" not in figures or figures["twin_place@1"].n == 0


def test_a_bug_without_a_known_place_is_unscored() -> None:
    placeless = make_tamper().model_copy(update={"bugs": ()})
    results = measure([Planted("oracle", oracle)], [placeless, make_tamper(1)])
    figures = results.rows[0].figures
    assert (figures["place@1"].n, figures["spurious"].n, figures["twin_place@1"].n) == (1, 1, 1)
    assert results.placed == 1


def test_a_bug_that_the_fix_takes_away_has_no_place_in_the_twin() -> None:
    answer = TWIN.replace("    return s\n", "    s = 0\n    return s\n")
    start = answer.rindex("s = 0")
    bug = Bug(spans=(Span(start, start + 5),), category="other")
    tamper = Tamper(task=Task(id="t", question="", answer=answer), twin=TWIN, bugs=(bug,))
    results = measure([Everything()], [tamper], k=5)
    assert mean(results, "twin_place@5") == 1.0


def renamed(i: int) -> Tamper:
    """One of many alike that are not the same text: what a critic says of one says nothing of the next."""
    made = make_tamper(i, pad=5)
    task = made.task.model_copy(update={"question": f"Sum {i}."})
    return made.model_copy(update={"task": task})


def test_random_meets_its_own_chance() -> None:
    results = measure([Random(comments=None)], [renamed(i) for i in range(600)], k=2, draws=200)
    figure = results.rows[0].figures
    assert figure["chance@1"].mean == pytest.approx(1 / 9)  # the signature comes last
    assert figure["chance@2"].mean == pytest.approx(2 / 9)
    assert figure["place@1"].low <= 1 / 9 <= figure["place@1"].high
    assert figure["place@2"].low <= 2 / 9 <= figure["place@2"].high
    assert figure["lines"].mean == 2.0  # it ranks all lines, and is read to its k-th
    assert abs(figure["twin_place@1"].mean) < 0.06


def test_chance_is_the_share_of_draws_that_hit() -> None:
    for tamper in [t for t in small_bugs() if t.task.answer.count("\n") < 12][:6]:
        item = Item.of(tamper)
        body = body_lines(item.text)
        rest = [line for line in item.text.code_lines if line not in body]
        bug = {line for lines in item.bug_lines for line in lines}
        for lines in range(len(item.text.code_lines) + 1):
            first = min(lines, len(body))
            draws = itertools.product(itertools.combinations(body, first), itertools.combinations(rest, lines - first))
            hits = [bool(bug.intersection(one + other)) for one, other in draws]
            assert chance(item, lines) == pytest.approx(sum(hits) / len(hits)), (tamper.task.id, lines)


@pytest.mark.skipif(why_not() is not None, reason=f"no sandbox here: {why_not()}")
def test_tests_prove_a_fix_that_is_not_the_twin(tampers: list[Tamper]) -> None:
    def other_fix(task: Task) -> Critique:
        return Critique(
            (on(task, "range(len(xs) + 1)", "other", "range(0, len(xs), 1)"),) if WRONG in task.answer else ()
        )

    def cheat(task: Task) -> Critique:
        return Critique(
            (on(task, "    for", "other", "    raise SystemExit(0)\n    for"),) if WRONG in task.answer else ()
        )

    critics = [Planted("other", other_fix), Planted("cheat", cheat)]
    without, proved = measure(critics, tampers), measure(critics, tampers, prover=sandbox_prover())
    assert (mean(without, "fix@1"), mean(proved, "fix@1")) == (0.0, 1.0)
    assert mean(proved, "fix@1", 1) == 0.0


def test_a_thousand_tasks_of_three_hundred_problems() -> None:
    tampers = [make_tamper(i, group=f"g{i % 300}", pad=10) for i in range(1000)]
    results = measure([Empty(), Everything(), Random(comments=None), Planted("oracle", oracle)], tampers)
    assert (results.items, results.groups) == (1000, 300)
    assert [mean(results, "place@1", row) for row in (0, 1, 3)] == [0.0, 0.0, 1.0]


def test_lengths_operators_and_held_out_ones_are_reported_apart() -> None:
    short, long = make_tamper(0), make_tamper(1, pad=30)
    other = Bug(**{**dict(long.bugs[0]), "operator": "new-kind"})
    long = long.model_copy(update={"bugs": (other,), "seen_by_linter": True})
    results = measure([Planted("oracle", oracle)], [short, short, long], held_out=frozenset({"new-kind"}))
    assert results.sizes["length"] == {"1-7": 2, "31+": 1}
    assert results.sizes["operator"] == {"new-kind": 1, "past-end": 2}
    assert results.sizes["held-out"] == {"held out": 1, "trained on": 2}
    assert results.sizes["linter"] == {"seen by a linter": 1, "unseen": 2}
    slices = results.rows[0].slices
    assert slices["length"]["1-7"]["chance@1"].mean == pytest.approx(1 / 4)
    assert slices["length"]["31+"]["chance@1"].mean == pytest.approx(1 / 34)
    assert slices["held-out"]["held out"]["place@1"].n == 1


def test_surprisal_is_read_to_as_many_lines_as_the_critic_flags(tampers: list[Tamper]) -> None:
    class Ranking(Planted):
        ranks = True

    def ranked(task: Task) -> Critique:  # the buggy line is its second
        text = TextMap(task.answer)
        return Critique(tuple(Comment(Span(*text.line_span(line)), "?") for line in (2, 3, 1, 4, 5)))

    def two_lines(task: Task) -> Critique:
        return Critique((on(task, "s = 0"), on(task, "return s")))

    surprisal = Ranking("surprisal", ranked)
    results = measure([Planted("oracle", oracle), Planted("two", two_lines), surprisal], tampers, k=2)
    assert (mean(results, "surprisal@1"), mean(results, "surprisal@1", 1)) == (0.0, 0.0)
    assert (mean(results, "surprisal@2"), mean(results, "surprisal@2", 1)) == (0.0, 1.0)
    assert mean(results, "spurious", 2) == 1.0  # two lines read, one of them right
    versus = results.rows[0].versus["place@1"]
    assert (versus.mean, versus.high, versus.n) == (1.0, 1.0, 4)
    assert versus.low < 1.0
    assert results.rows[2].versus == {}
    assert not math.isnan(mean(results, "twin_place@1", 2))


def test_the_planted_task_is_what_it_says() -> None:
    program: dict[str, object] = {}
    exec(TWIN + TESTS, program)
    with pytest.raises(IndexError):
        exec(TWIN.replace(RIGHT, WRONG) + TESTS, {})


def test_a_critic_that_knows_every_place_by_the_answers_id_never_meets_one(tampers: list[Tamper]) -> None:
    places = {tamper.task.id: tamper.bugs[0].spans[0].start for tamper in tampers}

    def reader(task: Task) -> Critique:
        start = places.get(task.id.rpartition("@")[0] or task.id)
        if start is None:
            return Critique()
        return Critique((Comment(Span(start, start + 5), "The bug is here.", "off-by-one"),))

    results = measure([Planted("reader", reader)], tampers)
    assert mean(results, "place@1") == mean(results, "twin_place@1") == mean(results, "twin_flagged") == 0.0
