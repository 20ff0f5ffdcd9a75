"""Every kind of work, over the API."""

from __future__ import annotations

import os
from typing import Any

import httpx
import pytest

from desk_world import ANSWER, PLACE, SLUG, TWIN, World, bug, comparison, pair, prefilled, scores, tamper, task
from momus.desk.record_files import tampers_of
from momus.measure.ballots import origin_of
from momus.records import Comparison

COMMENT = {"highlight": PLACE, "text": "It begins at one.", "category": "wrong-initialisation", "severity": "high"}


def codes(problem: dict[str, Any]) -> list[str]:
    return [error["code"] for error in problem["errors"]]


def run(world: World, seat: str, what: dict[str, Any]) -> httpx.Response:
    """What the sandbox says; where there is none, the test is skipped, but never in CI."""
    ran = world.at("annotator").post(f"/api/v1/seats/{seat}/run", json=what)
    if ran.status_code == 503 and os.environ.get("CI") != "true":
        pytest.skip(ran.json()["detail"])
    assert ran.status_code == 200, ran.text
    return ran


def rate_once(world: World, name: str = "annotator") -> tuple[dict[str, Any], dict[str, Any]]:
    seat = world.claim(name, "rate")
    assert seat is not None
    form = scores(seat["view"])
    answer = world.at(name).post(f"/api/v1/seats/{seat['id']}/first-pass", json={"form": form})
    assert answer.status_code == 200, answer.text
    return form, answer.json()


def test_rating_keeps_both_passes_and_shows_the_bug_between_them(world: World) -> None:
    world.load("rate", [comparison()])
    seat = world.claim("annotator", "rate")
    assert seat is not None and seat["view"]["bugs"] is None and seat["first_pass"] is None
    form = scores(seat["view"])
    assert codes(world.submit("annotator", seat["id"], form, expect=422)) == ["first-pass"]
    first = world.at("annotator").post(f"/api/v1/seats/{seat['id']}/first-pass", json={"form": form}).json()
    assert first["view"]["bugs"][0]["spans"] == [PLACE]
    assert first["first_pass"]["order"] == form["order"]
    changed = {**form, "order": form["order"][::-1], "confirmed": True}
    again = world.at("annotator").post(f"/api/v1/seats/{seat['id']}/first-pass", json={"form": changed})
    assert (again.status_code, again.json()["type"]) == (409, "/problems/first-pass-made")
    second = scores(seat["view"], bugs=1)
    made = world.submit("annotator", seat["id"], second)
    assert made["form"]["critiques"] == second["critiques"] and made["form"]["order"] == second["order"]


def test_the_first_pass_has_no_score_for_a_bug_that_was_not_shown(world: World) -> None:
    world.load("rate", [comparison()])
    seat = world.claim("annotator", "rate")
    assert seat is not None
    form = scores(seat["view"], bugs=1)
    answer = world.at("annotator").post(f"/api/v1/seats/{seat['id']}/first-pass", json={"form": form})
    assert answer.status_code == 422 and set(codes(answer.json())) == {"bugs"}


def test_a_ranking_that_contradicts_the_overall_scores_asks(world: World) -> None:
    world.load("rate", [comparison()])
    _, seat = rate_once(world)
    form = scores(seat["view"], bugs=1)
    form["order"] = [form["order"][1], form["order"][0], *form["order"][2:]]
    assert codes(world.submit("annotator", seat["id"], form, expect=422)) == ["contradicts-overall"]
    world.submit("annotator", seat["id"], {**form, "confirmed": True})


@pytest.mark.parametrize("spoil", ["missing", "unknown", "twice", "overall", "score"])
def test_a_form_that_is_not_whole_is_refused(world: World, spoil: str) -> None:
    world.load("rate", [comparison()])
    _, seat = rate_once(world)
    form = scores(seat["view"], bugs=1)
    slots = list(form["critiques"])
    if spoil == "missing":
        del form["critiques"][slots[0]]
    elif spoil == "unknown":
        form["order"][0] = ["sffffffffffffffff"]
    elif spoil == "twice":
        form["order"][0] = form["order"][1]
    elif spoil == "overall":
        form["critiques"][slots[0]]["overall"] = None
    else:
        form["critiques"][slots[0]]["cbi"] = [8]
    assert world.submit("annotator", seat["id"], form, expect=422)["errors"]


def tampered(**changes: Any) -> dict[str, Any]:
    bug = {"spans": [PLACE], "description": "Begins at one.", "category": "wrong-initialisation", "severity": "high"}
    return {"answer": ANSWER, "bugs": [{**bug, "subtlety": 5}], **changes}


@pytest.mark.parametrize(
    ("form", "code"),
    [
        (tampered(answer=TWIN), "unchanged"),
        (tampered(answer=TWIN.replace("    return", "\n    # add up\n    return")), "same-program"),
        (tampered(bugs=[]), "no-bug"),
        (tampered(bugs=[{"spans": [PLACE], "description": "  "}]), "empty"),
        (tampered(bugs=[{"spans": [{"start": 0, "end": 3}], "description": "x"}]), "outside-change"),
        (tampered(bugs=[{"spans": [{"start": 0, "end": 9999}], "description": "x"}]), "place"),
        (tampered(bugs=[{"spans": [PLACE], "description": "x", "category": "rude"}]), "category"),
    ],
)
def test_a_tamper_changes_the_code_and_describes_each_bug_inside_the_change(
    world: World, form: dict[str, Any], code: str
) -> None:
    world.load("tamper", [task()])
    seat = world.claim("annotator", "tamper")
    assert seat is not None and seat["view"]["task"]["runnable"]
    assert codes(world.submit("annotator", seat["id"], form, expect=422)) == [code]


def test_a_tamper_is_proved_by_the_sandbox_and_tried_on_the_critic(world: World) -> None:
    world.load("tamper", [task()])
    seat = world.claim("annotator", "tamper")
    assert seat is not None
    at = world.at("annotator")
    ran = run(world, seat["id"], {"answer": ANSWER})
    assert (ran.json()["original"]["status"], ran.json()["answer"]["status"]) == ("passed", "failed")
    job = at.post(f"/api/v1/seats/{seat['id']}/adversary", json={"answer": ANSWER, "bugs": tampered()["bugs"]})
    assert job.status_code == 202, job.text
    assert world.app.state.worker.do_all() == 1
    done = at.get(f"/api/v1/jobs/{job.json()['job']}").json()
    assert done["state"] == "done" and done["result"]["missed_once"] == [False]  # `everything` misses no line
    assert len(done["result"]["critiques"]) == 3
    assert world.at("second").get(f"/api/v1/jobs/{job.json()['job']}").status_code == 404
    made = world.submit("annotator", seat["id"], tampered())
    assert made["form"]["bugs"][0]["subtlety"] == 5


def test_a_bug_that_a_person_put_in_is_measured_as_inserted_and_not_as_natural(world: World) -> None:
    world.load("tamper", [task()])
    seat = world.claim("annotator", "tamper")
    assert seat is not None
    world.submit("annotator", seat["id"], tampered())
    with world.store.read() as session:
        (made,) = tampers_of(session, world.project)
    assert [bug.operator for bug in made.bugs] == ["person"]
    whole = Comparison(id="c", task=made.task, critiques=(), bugs=made.bugs, twin=made.twin)
    natural = whole.model_copy(update={"bugs": (bug(),)})
    assert (origin_of(whole), origin_of(natural)) == ("inserted", "natural")


def test_a_program_of_one_s_own_runs_in_the_sandbox(world: World) -> None:
    world.load("write", [task()])
    seat = world.claim("annotator", "write")
    assert seat is not None and not seat["view"]["task"]["runnable"]
    ran = run(world, seat["id"], {"program": TWIN + "print(total([40, 2]))"})
    assert ran.json()["program"]["stdout"] == "42\n" and ran.json()["answer"] is None
    tests = world.at("annotator").post(f"/api/v1/seats/{seat['id']}/run", json={"answer": ANSWER})
    assert tests.status_code == 409, "the task's own tests would tell that there is a bug"


def test_a_critique_is_written_alone(world: World) -> None:
    world.load("write", [tamper()])
    seat = world.claim("annotator", "write")
    assert seat is not None and seat["view"]["task"]["answer"] == ANSWER
    nothing = {"comments": []}
    assert codes(world.submit("annotator", seat["id"], nothing, expect=422)) == ["empty"]
    both = {"comments": [COMMENT], "no_problems": True}
    assert codes(world.submit("annotator", seat["id"], both, expect=422)) == ["contradiction"]
    stray = {"comments": [{**COMMENT, "origin": 0}]}
    assert codes(world.submit("annotator", seat["id"], stray, expect=422)) == ["origin"]
    world.submit("annotator", seat["id"], {"comments": [COMMENT], "notes": "ran it"})
    (kept,) = world.at("manager").get(f"/api/v1/projects/{SLUG}/critiques").json()["critiques"]
    assert (kept["maker"], kept["critic"]) == ("human", "human")


def test_a_team_s_actions_are_logged(world: World) -> None:
    world.load("team", [prefilled()])
    seat = world.claim("annotator", "team")
    assert seat is not None
    first, second = seat["view"]["prefilled"]
    form = {
        "comments": [
            {**first, "origin": 0},
            {**COMMENT, "text": "And it has no docstring.", "origin": None},
        ]
    }
    world.submit("annotator", seat["id"], form)
    from momus.desk.store.tables import Submission

    with world.store.read() as session:
        (made,) = session.query(Submission).all()
    assert (made.payload["did"], made.payload["added"]) == (["kept", "dropped"], 1)
    edited = {"comments": [{**first, "origin": 0, "text": "Begins wrongly."}, {**second, "origin": 1}]}
    answer = world.at("annotator").post(
        f"/api/v1/submissions/{made.id}/amend", json={"form": edited}, headers={"Idempotency-Key": "amend-123"}
    )
    assert answer.status_code == 201, answer.text
    with world.store.read() as session:
        old, new = session.query(Submission).order_by(Submission.id)
    assert new.payload["did"] == ["edited", "kept"] and new.payload["added"] == 0
    assert old.superseded and new.supersedes == old.id


def test_the_arm_of_a_comparison_is_the_server_s(world: World) -> None:
    world.load("compare", [pair(n) for n in range(20)])
    assisted = 0
    for _ in range(20):
        seat = world.claim("annotator", "compare")
        assert seat is not None
        view = seat["view"]
        assisted += view["assisted"]
        assert all((answer["comments"] is not None) == view["assisted"] for answer in view["answers"])
        better = [answer["answer"] for answer in view["answers"]].index(TWIN)
        world.submit("annotator", seat["id"], {"choice": 2 if better else -2, "why": "it adds up"})
    assert assisted == 10, "half of each block of ten"
    from momus.desk.store.tables import Submission

    with world.store.read() as session:
        assert {made.payload["choice"] for made in session.query(Submission)} == {2}, "canonical: the second answer"
    assert world.claim("annotator", "compare") is None


def test_judging_has_a_time_limit_that_loses_nothing(world: World) -> None:
    world.load("judge", [pair(n, passes=1) for n in range(2)])
    for late in (False, True):
        seat = world.claim("annotator", "judge")
        assert seat is not None and seat["deadline"]
        choice = next(a["slot"] for a in seat["view"]["answers"] if a["answer"] == TWIN)
        world.clock.move(minutes=25 if late else 5)
        made = world.submit("annotator", seat["id"], {"choice": choice, "confidence": 6})
        assert made["over_time"] is late and made["form"]["choice"] == choice


def test_bugs_are_graded_without_saying_where_they_come_from(world: World) -> None:
    world.load("grade", [tamper()])
    seat = world.claim("annotator", "grade")
    assert seat is not None and "author" not in str(seat)
    assert codes(world.submit("annotator", seat["id"], {"bugs": []}, expect=422)) == ["bugs"]
    world.submit("annotator", seat["id"], {"bugs": [{"severity": 6, "difficulty": 3}]})


def test_nobody_rates_their_own_tamper_or_critique(world: World) -> None:
    world.load("tamper", [task()])
    seat = world.claim("annotator", "tamper")
    assert seat is not None
    world.submit("annotator", seat["id"], tampered())
    world.load("rate", [comparison()], overlap=2)
    assert world.claim("annotator", "rate") is None
    assert world.claim("second", "rate") is not None
    world.load("write", [task(7, ANSWER)])
    seat = world.claim("second", "write")
    assert seat is not None
    world.submit("second", seat["id"], {"comments": [COMMENT]})
    told = comparison(7)
    own = told.critiques[0].model_validate({"task_id": "x", "critic": "human", "critique": {"comments": [COMMENT]}})
    world.load("rate", [told.model_copy(update={"critiques": (own, *told.critiques[1:])})], priority=9)
    assert world.claim("annotator", "rate") is not None
    queue = world.at("second").get(f"/api/v1/projects/{SLUG}/queue").json()["kinds"]
    assert queue["rate"] == {"waiting": 0, "open": 1}
