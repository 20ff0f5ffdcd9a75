"""Simulated people follow their rule, say that they are simulated, and know nothing that their rule does not say."""

from __future__ import annotations

import json

import pytest

from momus.critique import Comment, Critique, Span
from momus.measure.edits import drafted_by, edits, is_human
from momus.measure.figure import Figure
from momus.measure.item import Item
from momus.measure.scores import in_place
from momus.records import Bug, Sampled, Tamper, Task
from momus.study import people

TWIN = "def last(xs):\n    n = len(xs)\n    m = n - 1\n    return xs[m]\n"
WRONG, RIGHT = "m = n", "m = n - 1"
MANY = 400


def items(count: int = MANY) -> list[Item]:
    answer = TWIN.replace(RIGHT, WRONG)
    start = answer.index(WRONG)
    bug = Bug(spans=(Span(start, start + len(WRONG)),), category="off-by-one", suggestion=RIGHT, description="Short.")
    return [
        Item.of(Tamper(task=Task(id=f"t{i}", question="", answer=answer, group=f"g{i}"), twin=TWIN, bugs=(bug,)))
        for i in range(count)
    ]


def on(text: str, quote: str) -> Comment:
    start = text.index(quote)
    return Comment(Span(start, start + len(quote)), "Wrong here.", "other")


def said(those: list[Item], *, buggy: str, clean: str, score: float = 0.0) -> dict[str, Sampled]:
    """One comment on each answer, on the line that is named; none where none is."""
    found = {}
    for item in those:
        for task, quote in ((item.task, buggy), (item.twin, clean)):
            comments = (on(task.answer, quote),) if quote else ()
            found[task.id] = Sampled(task_id=task.id, critic="c", critique=Critique(comments), score=score)
    return found


def share(values: list[bool]) -> float:
    return sum(values) / len(values)


def test_a_person_notices_as_often_as_the_rule_says_and_bears_a_name_that_says_simulated() -> None:
    those = items()
    alone = [people.human(item, 0) for item in those]
    assert {s.critic for s in alone} == {"simulated-human"}
    found = [any(in_place(c, i) for c in s.critique) for i, s in zip(those, alone, strict=True)]
    # a stray remark may stand on the bug's line as well, one line of four
    assert people.NOTICES - 0.06 < share(found) < people.NOTICES + people.NITPICKS / 4 + 0.06
    assert [people.human(item, 0) for item in those[:9]] == alone[:9] != [people.human(item, 1) for item in those[:9]]


def test_a_team_keeps_what_is_right_more_often_than_what_is_wrong_and_is_paired_with_its_draft() -> None:
    kept, those = {}, items()
    for quote in (WRONG, "return xs[m]"):
        drafts = said(those, buggy=quote, clean="")
        teams = [people.team(item, drafts[item.task.id], 0) for item in those]
        assert {s.critic for s in teams} == {"simulated-human+c"} and drafted_by(teams[0].critic) == "c"
        done = [edits(drafts[i.task.id].critique, s.critique, i.task.answer) for i, s in zip(those, teams, strict=True)]
        kept[quote] = share([e.kept + e.edited > 0 for e in done])
        assert any(e.edited for e in done) and any(e.dropped for e in done)
    assert kept[WRONG] == pytest.approx(people.KEEPS, abs=0.08)
    assert kept["return xs[m]"] < kept[WRONG] - 0.2


@pytest.mark.parametrize("name", ["human", "human+bundled", "simulated-human", "simulated-human+bundled"])
def test_people_are_told_from_critics(name: str) -> None:
    assert is_human(name) and not is_human("bundled") and drafted_by("bundled") is None


def test_an_audit_looks_at_what_scores_highest_and_a_right_comment_lowers_more_than_none() -> None:
    those = items()
    right = said(those, buggy=WRONG, clean="", score=1.0)
    wrong = said(those[:150], buggy="", clean="return xs[m]", score=-1.0)
    both = right | {item.twin.id: wrong[item.twin.id] for item in those[:150]}
    body = people.audit(those, both, seed=0, draws=100)
    rated = {name: Figure.from_json(figure) for name, figure in body["rerated"].items()}
    assert rated["with a critique, by reward"].mean == pytest.approx(people.BELIEVES, abs=0.1)
    assert (
        rated["control, without critiques"].mean
        < rated["with a critique, at random"].mean
        < rated["with a critique, by reward"].mean
    )
    assert "simulated" in body["simulated"]
    json.dumps(body)
    silent = said(those, buggy="", clean="")
    assert people.audit(those, silent, seed=0, draws=10)["rerated"] == {}
