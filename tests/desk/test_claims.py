"""Seats, leases, drafts, handing in: nothing twice, nothing lost."""

from __future__ import annotations

from typing import Any

import pytest

from desk_world import KEYS, PLACE, SLUG, World, task

FORM = {"comments": [{"highlight": PLACE, "text": "It begins at one."}]}
OTHER = {"comments": [{"highlight": PLACE, "text": "Something else."}]}


def claimed(world: World, name: str = "annotator") -> str:
    seat = world.claim(name, "write")
    assert seat is not None
    return str(seat["id"])


def state(world: World, name: str, seat: str) -> str:
    return str(world.at(name).get(f"/api/v1/seats/{seat}").json()["state"])


def test_asking_twice_gives_the_same_seat_and_nobody_else_gets_it(world: World) -> None:
    world.load("write", [task(1), task(2)])
    assert claimed(world) == claimed(world)
    mine, theirs = world.claim("annotator", "write"), world.claim("second", "write")
    assert mine is not None and theirs is not None
    assert mine["view"]["task"]["question"] != theirs["view"]["task"]["question"]
    assert world.claim("reviewer", "write") is None


def test_the_most_urgent_comes_first_and_changes_with_its_priority(world: World) -> None:
    world.load("write", [task(1)])
    world.load("write", [task(2)], priority=5)
    first = world.claim("annotator", "write")
    assert first is not None and "variant 2" in first["view"]["task"]["question"]
    rows = world.at("manager").get(f"/api/v1/projects/{SLUG}/assignments").json()["assignments"]
    world.load("write", [task(3)])
    url = f"/api/v1/projects/{SLUG}/assignments"
    last = world.at("manager").get(url, params={"after": rows[-1]["id"]}).json()["assignments"][0]["id"]
    assert world.at("manager").patch(f"{url}/{last}", json={"priority": 50}).json()["priority"] == 50
    second = world.claim("second", "write")
    assert second is not None and "variant 3" in second["view"]["task"]["question"]


def test_as_many_people_as_overlap_says_and_each_once(world: World) -> None:
    world.load("write", [task()], overlap=2)
    for name in ("annotator", "second"):
        world.submit(name, claimed(world, name), FORM if name == "second" else OTHER)
    assert [world.claim(name, "write") for name in ("annotator", "second", "reviewer")] == [None] * 3
    (row,) = world.at("manager").get(f"/api/v1/projects/{SLUG}/assignments").json()["assignments"]
    assert (row["state"], row["seats"]) == ("done", {"submitted": 2})


def test_a_lease_that_ran_out_is_still_its_holder_s_until_somebody_takes_it(world: World) -> None:
    world.load("write", [task()])
    seat = claimed(world)
    world.clock.move(hours=3)
    beat = world.at("annotator").put(f"/api/v1/seats/{seat}/heartbeat", json={"active_ms": 60_000})
    assert beat.status_code == 200 and beat.json()["active_ms"] == 60_000
    assert world.claim("second", "write") is None, "renewed"
    world.clock.move(hours=3)
    assert claimed(world, "second") != seat
    lost = world.at("annotator").put(f"/api/v1/seats/{seat}/heartbeat", json={})
    assert (lost.status_code, lost.json()["type"]) == (409, "/problems/lease-lost")
    assert state(world, "annotator", seat) == "lost"


def test_what_is_handed_in_after_the_lease_was_lost_is_kept(world: World) -> None:
    world.load("write", [task()])
    seat = claimed(world)
    draft = {"data": {"text": "half"}}
    assert world.at("annotator").put(f"/api/v1/seats/{seat}/draft", json=draft, headers={"If-Match": "0"}).json() == {
        "rev": 1
    }
    world.clock.move(hours=1)
    other = claimed(world, "second")
    kept = world.at("annotator").get(f"/api/v1/seats/{seat}").json()
    assert (kept["state"], kept["draft"]["data"]) == ("lost", {"text": "half"})
    again = world.at("annotator").put(
        f"/api/v1/seats/{seat}/draft", json={"data": {"text": "whole"}}, headers={"If-Match": '"1"'}
    )
    assert again.json() == {"rev": 2}, "a draft needs no lease"
    assert world.submit("annotator", seat, OTHER)["late"] is True
    assert world.submit("second", other, FORM)["late"] is False


def test_a_lost_seat_is_found_again_where_another_is_free(world: World) -> None:
    world.load("write", [task()], overlap=2)
    seat = claimed(world)
    world.clock.move(hours=1)
    world.submit("second", claimed(world, "second"), FORM)
    assert state(world, "annotator", seat) == "leased", "the free seat goes before the one that ran out"
    assert world.submit("annotator", seat, OTHER)["late"] is False


def test_handing_in_twice_is_once(world: World) -> None:
    world.load("write", [task()])
    seat = claimed(world)
    first = world.submit("annotator", seat, FORM, key="the-very-same")
    assert world.submit("annotator", seat, FORM, key="the-very-same") == first
    other = world.submit("annotator", seat, OTHER, key="the-very-same", expect=422)
    assert other["type"] == "/problems/key-reused"
    assert world.submit("annotator", seat, OTHER, expect=409)["type"] == "/problems/already-submitted"
    listed = world.at("annotator").get(f"/api/v1/projects/{SLUG}/submissions").json()["submissions"]
    assert [row["id"] for row in listed] == [first["id"]]
    missing = world.at("annotator").post(f"/api/v1/seats/{seat}/submit", json={"form": FORM})
    assert missing.status_code == 422 and "Idempotency-Key" in missing.text


def test_two_tabs_on_one_draft(world: World) -> None:
    world.load("write", [task()])
    seat = claimed(world)
    one, two = world.at("annotator"), world.at("annotator")
    url = f"/api/v1/seats/{seat}/draft"
    assert one.put(url, json={"data": {"by": "one"}}, headers={"If-Match": "0"}).status_code == 200
    stale = two.put(url, json={"data": {"by": "two"}}, headers={"If-Match": "0"})
    assert (stale.status_code, stale.json()["rev"], stale.json()["draft"]) == (409, 1, {"by": "one"})
    assert two.put(url, json={"data": {"by": "both"}}, headers={"If-Match": "1"}).status_code == 200
    assert one.get(url).json()["data"] == {"by": "both"}


def test_skipped_work_comes_last_and_declined_work_never(world: World) -> None:
    world.load("write", [task(1), task(2)])
    first = claimed(world)
    no_reason = world.at("annotator").post(f"/api/v1/seats/{first}/skip", json={"reason": ""})
    assert no_reason.status_code == 422
    assert world.at("annotator").post(f"/api/v1/seats/{first}/skip", json={"reason": "later"}).status_code == 204
    second = claimed(world)
    assert second != first
    world.submit("annotator", second, FORM)
    assert claimed(world) == first, "again, when all else is done"
    assert world.at("annotator").post(f"/api/v1/seats/{first}/decline", json={"reason": "no Perl"}).status_code == 204
    assert world.claim("annotator", "write") is None
    assert world.claim("second", "write") is not None
    assert world.at("viewer").get(f"/api/v1/projects/{SLUG}/stats/progress").json()["write"]["declined"] == 1


def test_a_submission_is_taken_back_with_its_form_as_the_draft(world: World) -> None:
    world.load("write", [task()])
    seat = claimed(world)
    made = world.submit("annotator", seat, FORM)
    assert world.at("second").post(f"/api/v1/submissions/{made['id']}/undo").status_code == 404
    assert world.at("annotator").post(f"/api/v1/submissions/{made['id']}/undo").json() == {"seat": seat}
    back = world.at("annotator").get(f"/api/v1/seats/{seat}").json()
    assert back["state"] == "leased" and back["draft"]["data"]["comments"][0]["text"] == "It begins at one."
    assert world.at("manager").get(f"/api/v1/projects/{SLUG}/critiques").json()["critiques"] == []
    again = world.submit("annotator", seat, OTHER)
    world.clock.move(minutes=11)
    late = world.at("annotator").post(f"/api/v1/submissions/{again['id']}/undo")
    assert (late.status_code, late.json()["type"]) == (409, "/problems/too-late")
    states = [
        s["state"] for s in world.at("annotator").get(f"/api/v1/projects/{SLUG}/submissions").json()["submissions"]
    ]
    assert states == ["undone", "current"]


def test_an_amended_submission_stays_beside_the_new_one(world: World) -> None:
    world.load("write", [task()])
    made = world.submit("annotator", claimed(world), FORM)
    url = f"/api/v1/submissions/{made['id']}/amend"
    new = world.at("annotator").post(url, json={"form": OTHER}, headers={"Idempotency-Key": next(KEYS)})
    assert new.status_code == 201 and new.json()["form"]["comments"][0]["text"] == "Something else."
    assert world.at("annotator").get(f"/api/v1/submissions/{made['id']}").json()["state"] == "superseded"
    twice = world.at("annotator").post(url, json={"form": FORM}, headers={"Idempotency-Key": next(KEYS)})
    assert (twice.status_code, twice.json()["type"]) == (409, "/problems/not-current")
    (kept,) = world.at("manager").get(f"/api/v1/projects/{SLUG}/critiques").json()["critiques"]
    assert kept["critique"]["critique"]["comments"][0]["text"] == "Something else."


@pytest.mark.parametrize("hours", [-48.0, 48.0])
def test_a_clock_that_jumps_costs_nobody_their_work(world: World, hours: float) -> None:
    world.load("write", [task()])
    seat = claimed(world)
    world.clock.move(hours=hours)
    beat = world.at("annotator").put(f"/api/v1/seats/{seat}/heartbeat", json={"active_ms": 5})
    assert beat.status_code == 200 and beat.json()["active_ms"] == (0 if hours < 0 else 5)
    made = world.submit("annotator", seat, FORM)
    assert made["late"] is False and made["active_ms"] >= 0


def test_a_clock_that_jumps_ahead_and_back_loses_no_work_and_seats_nobody_twice(world: World) -> None:
    world.load("write", [task(1)])
    first = claimed(world)
    world.clock.move(hours=48)
    second = claimed(world, "second")
    world.clock.move(hours=-48)
    assert world.claim("annotator", "write") is None and world.claim("reviewer", "write") is None
    kept = world.submit("annotator", first, OTHER)
    assert (kept["late"], kept["active_ms"]) == (True, 0)
    assert world.submit("second", second, FORM)["late"] is False
    (row,) = world.at("manager").get(f"/api/v1/projects/{SLUG}/assignments").json()["assignments"]
    assert (row["state"], row["seats"]) == ("done", {"submitted": 1})
    told = world.at("manager").get(f"/api/v1/projects/{SLUG}/critiques").json()["critiques"]
    assert len(told) == 2, "late work counts as well"


def test_active_time_never_exceeds_the_time_since_the_claim(world: World) -> None:
    world.load("write", [task()])
    seat = claimed(world)
    world.clock.move(minutes=2)
    beat: dict[str, Any] = (
        world.at("annotator").put(f"/api/v1/seats/{seat}/heartbeat", json={"active_ms": 10_000_000}).json()
    )
    assert beat["active_ms"] == 120_000
    lower = world.at("annotator").put(f"/api/v1/seats/{seat}/heartbeat", json={"active_ms": 1}).json()
    assert lower["active_ms"] == 120_000


def test_withdrawn_work_is_given_to_nobody_and_may_be_finished(world: World) -> None:
    world.load("write", [task()], overlap=2)
    seat = claimed(world)
    (row,) = world.at("manager").get(f"/api/v1/projects/{SLUG}/assignments").json()["assignments"]
    url = f"/api/v1/projects/{SLUG}/assignments/{row['id']}"
    assert world.at("manager").patch(url, json={"withdrawn": True}).json()["seats"] == {"leased": 1, "void": 1}
    assert world.claim("second", "write") is None
    assert world.submit("annotator", seat, FORM)["late"] is False


def test_a_task_of_ten_thousand_lines(world: World) -> None:
    long = "".join(f"x{i} = {i}  # ‮ \u200b é\n" for i in range(10_000))
    world.load("write", [task(answer=long)])
    seat = world.claim("annotator", "write")
    assert seat is not None and seat["view"]["task"]["answer"] == long, "as it is: showing it is the page's"
    at = long.index("x9999")
    world.submit("annotator", seat["id"], {"comments": [{"highlight": {"start": at, "end": at + 5}, "text": "odd"}]})
