"""Who knows a bug never looks for it, and what a reviewer rejected stays rejected until a reviewer says otherwise."""

from __future__ import annotations

from typing import Any

import pytest

from desk_world import ANSWER, KEYS, PLACE, SLUG, TWIN, World, comparison, pair, prefilled, scores, tamper, task
from momus.desk.record_files import critiques_of, graded_of
from momus.desk.store.tables import Assignment

P = f"/api/v1/projects/{SLUG}"
COMMENT = {"highlight": PLACE, "text": "It begins at one.", "category": "wrong-initialisation", "severity": "high"}
GRADE = {"bugs": [{"severity": 6, "difficulty": 3}]}
# All of one question and its code, or the code's twin.
FINDS: dict[str, Any] = {
    "write": task(0, ANSWER),
    "team": prefilled(0),
    "rate": comparison(0),
    "compare": pair(0).model_copy(update={"question": task(0).question}),
    "judge": pair(0, passes=1).model_copy(update={"question": task(0).question}),
}


def tell(world: World, name: str, how: str) -> None:
    """Have somebody learn what is wrong with ANSWER."""
    if how == "tamper":
        world.load("tamper", [task(0)])
        seat = world.claim(name, "tamper")
        assert seat is not None
        said = {"spans": [PLACE], "description": "Begins at one.", "category": "wrong-initialisation"}
        world.submit(name, seat["id"], {"answer": ANSWER, "bugs": [said]})
    elif how == "canary":
        world.design(canary_every=1)
        world.load("canary", [tamper(0)])
        world.load("write", [task(70)])
        seat = world.claim(name, "write")
        assert seat is not None
        world.submit(name, seat["id"], {"comments": [COMMENT]})
        world.design(canary_every=0)
    elif how == "second pass":
        world.load("rate", [comparison(0).model_copy(update={"id": "another"})])
        seat = world.claim(name, "rate")
        assert seat is not None
        form = {"form": scores(seat["view"])}
        assert world.at(name).post(f"/api/v1/seats/{seat['id']}/first-pass", json=form).status_code == 200
        world.submit(name, seat["id"], scores(seat["view"], bugs=1))
    elif how == "judge":
        world.load("judge", [pair(0, passes=1).model_copy(update={"question": task(0).question, "id": "another"})])
        assert world.claim(name, "judge") is not None
        seat = world.claim(name, "judge")
        assert seat is not None
        world.submit(name, seat["id"], {"choice": seat["view"]["answers"][0]["slot"], "confidence": 3})
    else:
        world.load("grade", [tamper(0)])
        seat = world.claim(name, "grade")
        assert seat is not None
        world.submit(name, seat["id"], GRADE)
        if how == "recheck":
            assert world.at("manager").post(f"{P}/rechecks", json={"kind": "grade", "share": 1}).json() == {"made": 1}


@pytest.mark.parametrize("how", ["grade", "judge", "second pass", "tamper", "canary"])
@pytest.mark.parametrize("first", [True, False])
def test_who_knows_a_bug_does_not_get_its_code_where_it_is_to_be_found(world: World, how: str, first: bool) -> None:
    """Whether the work was there before they learnt of it, or comes later."""
    finds = {kind: item for kind, item in FINDS.items() if first or kind != how}
    if first:
        finds = {"write": FINDS["write"], "team": FINDS["team"]}
        for kind, item in finds.items():
            world.load(kind, [item], overlap=2)
    tell(world, "annotator", how)
    if not first:
        for kind, item in finds.items():
            world.load(kind, [item], overlap=2)
        world.load("write", [task(0, f"{TWIN}\n")], overlap=2)
    for kind in finds:
        seat = world.claim("annotator", kind)
        while seat is not None and task(0).question not in str(seat["view"]):  # other work is theirs
            world.at("annotator").post(f"/api/v1/seats/{seat['id']}/decline", json={"reason": "next"})
            seat = world.claim("annotator", kind)
        assert seat is None, kind
        theirs = world.claim("second", kind)
        assert theirs is not None, "who knows nothing gets it"
        world.at("second").post(f"/api/v1/seats/{theirs['id']}/release")


def test_a_reviewer_who_checked_again_does_not_get_the_code_either(world: World) -> None:
    tell(world, "annotator", "recheck")
    world.load("write", [task(0, ANSWER)])
    assert world.claim("reviewer", "recheck") is not None
    assert world.claim("reviewer", "write") is None


def test_one_code_is_not_in_hand_twice_and_who_was_told_meanwhile_hands_nothing_in(world: World) -> None:
    world.load("write", [task(0, ANSWER)])
    world.load("grade", [tamper(0)])
    seat = world.claim("annotator", "write")
    assert seat is not None
    assert world.claim("annotator", "grade") is None, "while the critique is being written"
    world.at("annotator").post(f"/api/v1/seats/{seat['id']}/skip", json={"reason": "later"})
    assert world.claim("annotator", "grade") is not None
    assert world.claim("annotator", "write") is None, "it does not come again"
    told = world.submit("annotator", seat["id"], {"comments": [COMMENT]}, expect=409)
    assert told["type"] == "/problems/told-since"


def test_who_was_told_since_does_not_amend(world: World) -> None:
    world.load("write", [task(0, ANSWER)])
    seat = world.claim("annotator", "write")
    assert seat is not None
    made = world.submit("annotator", seat["id"], {"comments": [], "no_problems": True})
    tell(world, "annotator", "grade")
    amended = world.at("annotator").post(
        f"/api/v1/submissions/{made['id']}/amend",
        json={"form": {"comments": [COMMENT]}},
        headers={"Idempotency-Key": next(KEYS)},
    )
    assert (amended.status_code, amended.json()["type"]) == (409, "/problems/told-since")


def test_another_question_about_the_same_code_is_other_work(world: World) -> None:
    tell(world, "annotator", "grade")
    world.load("write", [task(5, ANSWER)])
    assert world.claim("annotator", "write") is not None


def recheck(world: World, form: dict[str, Any]) -> None:
    seat = world.claim("reviewer", "recheck")
    assert seat is not None
    world.submit("reviewer", seat["id"], form)


def amend(world: World, which: int, form: dict[str, Any]) -> int:
    answer = world.at("annotator").post(
        f"/api/v1/submissions/{which}/amend", json={"form": form}, headers={"Idempotency-Key": next(KEYS)}
    )
    assert answer.status_code == 201, answer.text
    return int(answer.json()["id"])


def test_a_rejection_stands_until_a_reviewer_lifts_it(world: World) -> None:
    def counted() -> int:
        with world.store.read() as session:
            return len(graded_of(session, world.project))

    world.load("grade", [tamper(0)])
    seat = world.claim("annotator", "grade")
    assert seat is not None
    made = world.submit("annotator", seat["id"], GRADE)["id"]
    world.at("manager").post(f"{P}/rechecks", json={"kind": "grade", "share": 1})
    assert counted() == 1
    recheck(world, {"verdict": "rejected", "reason": "it is no bug"})
    assert counted() == 0
    again = amend(world, made, GRADE)
    assert counted() == 0, "the same text comes back"
    third = amend(world, again, {"bugs": [{"severity": 1, "difficulty": 1}]})
    assert counted() == 0 and third > again, "and other text too"
    recheck(world, {"verdict": "rejected", "reason": "of the first amendment"})
    recheck(world, {"verdict": "confirmed"})
    assert counted() == 1, "a reviewer has lifted it"


def test_a_rejected_critique_is_in_no_export_and_no_comparison(world: World) -> None:
    world.load("write", [task(0, ANSWER)])
    seat = world.claim("annotator", "write")
    assert seat is not None
    made = world.submit("annotator", seat["id"], {"comments": [COMMENT]})["id"]
    world.at("manager").post(f"{P}/rechecks", json={"kind": "write", "share": 1})
    recheck(world, {"verdict": "rejected", "reason": "of no use"})
    amend(world, made, {"comments": [{**COMMENT, "text": "The very same, said anew."}]})
    tell(world, "second", "tamper")
    world.at("manager").post(f"{P}/comparisons", json={"n": 2, "size": 3})
    assert world.app.state.worker.do_all() == 1
    with world.store.read() as session:
        assert critiques_of(session, world.project) == []
        made = [str(row.payload) for row in session.query(Assignment).filter(Assignment.kind == "rate")]
    assert made and not [payload for payload in made if "said anew" in payload]
