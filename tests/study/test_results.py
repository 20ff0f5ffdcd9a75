"""Arms whose scores are known beforehand, and frontiers whose order is."""

from __future__ import annotations

import itertools
import json
import math
from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from momus.critique import Comment, Critique, Span
from momus.measure.item import Item
from momus.records import Bug, Sampled, Tamper, Task
from momus.study.results import Arm, Results, results
from momus.study.svg import Dot, Line, draw, ticks
from momus.study.table import markdown, picture

TWIN = "def last(xs):\n    n = len(xs)\n    return xs[n - 1]\n"
WRONG, RIGHT = "return xs[n]", "return xs[n - 1]"


def items(count: int = 6) -> list[Item]:
    answer = TWIN.replace(RIGHT, WRONG)
    bug = Bug(spans=(span(answer, WRONG),), category="off-by-one", suggestion=RIGHT)
    return [
        Item.of(Tamper(task=Task(id=f"t{i}", question="", answer=answer, group=f"g{i // 2}"), twin=TWIN, bugs=(bug,)))
        for i in range(count)
    ]


def span(answer: str, quote: str) -> Span:
    return Span(answer.index(quote), answer.index(quote) + len(quote))


def arm(those: list[Item], policy: str, buggy: list[Comment], twin: list[Comment], **more: object) -> Arm:
    """The same said of every item, and of every twin."""
    said = {}
    for item in those:
        on_buggy = Sampled(task_id=item.task.id, critic=policy, critique=Critique(tuple(buggy)), score=0.5)
        on_twin = Sampled(task_id=item.twin.id, critic=policy, critique=Critique(tuple(twin)), score=-1.0)
        said[item.task.id], said[item.twin.id] = [on_buggy], [on_twin]
    return Arm(policy, str(more.pop("way", "")), said, **more)  # type: ignore[arg-type]


def remark(answer: str, quote: str, category: str = "other", suggestion: str | None = None) -> Comment:
    return Comment(span(answer, quote), "Wrong.", category, suggestion=suggestion)


def means(found: Results, name: str) -> dict[str, float]:
    row = found.row(name)
    assert row is not None
    return {measure: figure.mean for measure, figure in row.figures.items()}


def test_cbi_reads_the_whole_critique_and_each_level_is_stricter() -> None:
    those = items()
    answer = those[0].task.answer
    first = remark(answer, "n = len(xs)")
    right = [first, remark(answer, WRONG, "off-by-one", RIGHT)]
    found = results(
        those,
        [
            arm(those, "fixes", right, []),
            arm(those, "names", [remark(answer, WRONG, "off-by-one")], [remark(TWIN, RIGHT)]),
            arm(those, "points", [remark(answer, "xs[n]", "wrong-variable", "xs[0]")], []),
            arm(those, "silent", [], []),
        ],
        draws=50,
    )
    names = ("cbi_place", "cbi_claim", "cbi_fix", "spurious", "twin_comments", "comments", "twin_flagged")
    table = {row.name: [means(found, row.name)[name] for name in names] for row in found.rows}
    assert table == {
        "fixes": [1, 1, 1, 1, 0, 2, 0],
        "names": [1, 1, 0, 0, 1, 1, 1],
        "points": [1, 0, 0, 0, 0, 1, 0],
        "silent": [0, 0, 0, 0, 0, 0, 0],
    }
    assert means(found, "fixes")["reward"] == 0.5 and means(found, "fixes")["reward_twin"] == -1.0
    assert (found.items, found.groups) == (6, 3)
    json.dumps(found.to_json(), allow_nan=False)


def test_several_critiques_of_an_answer_are_averaged() -> None:
    those = items()
    answer = those[0].task.answer
    good = arm(those, "a", [remark(answer, WRONG, "off-by-one", RIGHT)], [])
    silent = arm(those, "a", [], [])
    both = {name: [*good.said[name], *silent.said[name]] for name in good.said}
    assert means(results(those, [Arm("a", "", both)], draws=50), "a")["cbi_fix"] == 0.5


def test_a_failed_critique_is_counted_and_left_out_never_taken_for_silence() -> None:
    those = items()
    answer = those[0].task.answer
    good = arm(those, "a", [remark(answer, WRONG, "off-by-one", RIGHT)], [])
    bad = {those[0].task.id: [Sampled(task_id=those[0].task.id, critic="a", finish="error", error="no room")]}
    found = results(those, [Arm("a", "", {**good.said, **bad})], draws=50)
    row = found.row("a")
    assert row is not None and row.failed == 1
    assert row.figures["cbi_fix"].mean == 1.0 and row.figures["cbi_fix"].n == 5
    assert "| 1 |" in markdown(found, "t")


def test_seeds_are_averaged_on_each_item_and_told_apart() -> None:
    those = items()
    answer = those[0].task.answer
    right = [remark(answer, WRONG, "off-by-one", RIGHT)]
    arms = [
        arm(those, "sft", [], [], seed=1),
        arm(those, "sft", [], [], seed=2),
        arm(those, "ppo", right, [], seed=1),
        arm(those, "ppo", [], [], seed=2),
    ]
    found = results(those, arms, pairs=[("sft", "ppo"), ("sft", "nobody")], draws=50)
    row = found.row("ppo")
    assert row is not None and row.figures["cbi_fix"].mean == 0.5
    assert {seed: figures["cbi_fix"] for seed, figures in row.by_seed.items()} == {1: 1.0, 2: 0.0}
    (difference,) = found.differences
    assert difference.figures["cbi_fix"].mean == 0.5
    assert difference.by_seed[1]["cbi_fix"] == 1.0 and difference.by_seed[2]["cbi_fix"] == 0.0


def test_an_arm_of_one_seed_is_held_against_the_same_seed_of_another() -> None:
    those = items()
    right = [remark(those[0].task.answer, WRONG, "off-by-one", RIGHT)]
    arms = [
        arm(those, "ppo", right, [], seed=1),
        arm(those, "ppo", [], [], seed=2),
        arm(those, "rloo", right, [], seed=1),
        arm(those, "empty", [], []),
    ]
    found = results(those, arms, pairs=[("ppo", "rloo"), ("empty", "ppo")], draws=50)
    assert [d.figures["cbi_fix"].mean for d in found.differences] == [0.0, 0.5]


def test_the_table_and_the_picture_show_every_arm() -> None:
    those = items()
    answer = those[0].task.answer
    right = remark(answer, WRONG, "off-by-one", RIGHT)
    wrong = remark(answer, "n = len(xs)")
    arms = [
        arm(those, "ppo", [right], [], way="fsbs", dial=25),
        arm(those, "ppo", [right, wrong], [wrong], way="fsbs", dial=75),
        arm(those, "sft", [wrong], [wrong], way="best28", dial=25),
        arm(those, "empty", [], []),
    ]
    # It finds one bug, so that draws differ: where none does, nothing is told.
    both = Sampled(task_id=those[0].task.id, critic="sft", critique=Critique((right, wrong)), score=0.5)
    arms[2].said[those[0].task.id] = [both]
    found = results(those, arms, tracks=[("ppo+fsbs", "sft+best28"), ("ppo+fsbs", "no+one")], draws=50)
    assert [(b.point, b.frontier, b.verdict) for b in found.frontiers] == [("sft+best28@25", "ppo+fsbs", "below")]
    said = markdown(found, "a study of <tags>")
    for name in ("`ppo+fsbs@25`", "`ppo+fsbs@75`", "`sft+best28@25`", "`empty`"):
        assert name in said
    assert "| below |" in said and "simulated" in said
    drawn = picture(found, "a study of <tags>")
    root = ElementTree.fromstring(drawn)
    texts = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"25", "75", "empty", "ppo+fsbs", "a study of <tags>"} <= set(texts)


def test_an_arm_that_has_nothing_scored_has_no_figures_and_draws_no_dot() -> None:
    those = items(2)
    found = results(those, [Arm("gone", "", {})], draws=20)
    row = found.row("gone")
    assert row is not None and row.figures == {}
    assert "gone" not in picture(found, "t") and "`gone`" in markdown(found, "t")


@given(st.floats(1e-6, 1e6))
def test_ticks_are_round_few_and_reach_the_highest(highest: float) -> None:
    found = ticks(highest)
    assert found[0] == 0 and found[-1] >= highest * (1 - 1e-6) and 2 <= len(found) <= 8
    assert all(b > a for a, b in itertools.pairwise(found))


def test_a_picture_without_a_dot_is_one_all_the_same() -> None:
    ElementTree.fromstring(draw([], title="none", across="x", up="y"))
    drawn = draw([Line("a", (Dot("one", 0.0, 0.0, math.nan, math.nan),))], title="t", across="x", up="y")
    assert "nan" not in drawn
    ElementTree.fromstring(drawn)
