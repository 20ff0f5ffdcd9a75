"""What is imported a second time adds what was missing: tests, gold, more people."""

from __future__ import annotations

from typing import Any

from desk_world import SLUG, World, comparison, pair, task

P = f"/api/v1/projects/{SLUG}"
GOLD = {"scores": [{"critique": 0, "attribute": "overall", "score": 6}]}


def rows(world: World) -> list[dict[str, Any]]:
    return list(world.at("manager").get(f"{P}/assignments").json()["assignments"])


def test_tests_that_come_later_are_merged(world: World) -> None:
    bare = task().model_copy(update={"tests": None, "licence": ""})
    assert world.load("tamper", [bare])["added"] == 1
    again = world.load("tamper", [task(licence="MIT")])
    assert (again["added"], again["known"], again["changed"]) == (0, 1, 1)
    assert len(rows(world)) == 1, "the same code is no other piece of work"
    seat = world.claim("annotator", "tamper")
    assert seat is not None and seat["view"]["task"]["runnable"]
    (kept,) = world.at("manager").get(f"{P}/tasks").json()["tasks"]
    assert kept["task"]["tests"] == task().tests and kept["task"]["licence"] == "MIT"
    other = world.load("tamper", [task().model_copy(update={"tests": "assert False"})])
    assert other["changed"] == 0
    (kept,) = world.at("manager").get(f"{P}/tasks").json()["tasks"]
    assert kept["task"]["tests"] == task().tests, "what is there stays"


def test_more_people_and_gold_come_later(world: World) -> None:
    world.load("rate", [comparison()])
    seat = world.claim("annotator", "rate")
    assert seat is not None
    again = world.load("rate", [{"item": comparison().model_dump(mode="json"), "overlap": 3, "gold": GOLD}])
    assert (again["added"], again["changed"]) == (0, 1)
    assert rows(world)[0]["seats"] == {"leased": 1, "free": 2}
    assert world.claim("second", "rate") is not None and world.claim("reviewer", "rate") is not None
    assert world.load("rate", [comparison()], overlap=2)["changed"] == 0, "fewer is not taken back"


def test_a_manager_raises_the_number_of_people_of_what_is_done(world: World) -> None:
    world.load("compare", [pair()])
    seat = world.claim("annotator", "compare")
    assert seat is not None
    world.submit("annotator", seat["id"], {"choice": 1, "why": "so"})
    (row,) = rows(world)
    assert row["state"] == "done"
    at, url = world.at("manager"), f"{P}/assignments/{row['id']}"
    raised = at.patch(url, json={"overlap": 2, "gold": {"choice": 2}})
    assert raised.status_code == 200 and (raised.json()["state"], raised.json()["overlap"]) == ("open", 2)
    assert world.claim("annotator", "compare") is None and world.claim("second", "compare") is not None
    assert at.patch(url, json={"overlap": 1}).status_code == 409
    told = world.at("manager").get(f"{P}/stats/gold").json()["people"]
    assert [row["n"] for row in told.values()] == [1]
