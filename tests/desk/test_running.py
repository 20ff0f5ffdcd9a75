"""Running a project: statistics, canaries, comparisons, jobs, events, reviews, what is seen from outside."""

from __future__ import annotations

import json
import logging
import socket
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from starlette.testclient import TestClient

from desk_world import ANSWER, BASE, PLACE, SLUG, TWIN, World, comparison, pair, prefilled, scores, tamper, task
from momus.desk.api.projects import new_project
from momus.desk.app import create_app
from momus.desk.design import Design
from momus.desk.events import after, tell
from momus.desk.settings import DeskSettings
from momus.desk.store import open_store
from momus.desk.store.migrate import upgrade
from momus.desk.store.types import utc_now

P = f"/api/v1/projects/{SLUG}"
COMMENT = {"highlight": PLACE, "text": "It begins at one."}
ELSEWHERE = {"highlight": {"start": 0, "end": 3}, "text": "A bad name."}


def stats(world: World, which: str) -> Any:
    return world.at("viewer").get(f"{P}/stats/{which}").json()


def rate(world: World, name: str) -> None:
    seat = world.claim(name, "rate")
    assert seat is not None
    world.clock.move(minutes=4)
    first = world.at(name).post(f"/api/v1/seats/{seat['id']}/first-pass", json={"form": scores(seat["view"])}).json()
    form = scores(seat["view"], bugs=len(first["view"]["bugs"]))
    world.submit(name, seat["id"], form, active_ms=120_000)


def test_statistics_of_ratings_have_intervals_and_numbers(world: World) -> None:
    assert stats(world, "ratings")["comparisons"] == 0
    world.load("rate", [comparison(n) for n in range(3)], overlap=2)
    for name in ("annotator", "second"):
        for _ in range(3):
            rate(world, name)
    told = stats(world, "ratings")
    assert told["comparisons"] == 3
    assert {row["critic"] for row in told["elo"]} == {c.critic for c in comparison().critiques}
    assert all(row["low"] <= row["elo"] <= row["high"] for row in told["elo"]) and told["groups"] == 3
    assert {"cbi", "overall", "preference", "preference, bug not shown"} <= set(told["agreement"])
    assert {row["critic"]: row["caught"]["n"] for row in told["pareto"]}["gold"] > 0
    assert stats(world, "pace")["kinds"]["rate"] == {"n": 6, "median": 2.0, "p90": 2.0}
    progress = stats(world, "progress")["rate"]
    assert progress["assignments"] == {"done": 3} and progress["submitted"] == 6


def test_tasks_of_one_group_have_no_intervals(world: World) -> None:
    items = [comparison(n) for n in range(2)]
    world.load("rate", [c.model_copy(update={"task": c.task.model_copy(update={"group": "one"})}) for c in items])
    for _ in items:
        rate(world, "annotator")
    told = stats(world, "ratings")
    assert told["groups"] == 1 and told["elo"]
    figures = [*told["elo"], *told["wins"], *(row["caught"] for row in told["pareto"])]
    assert {(row["low"], row["high"]) for row in figures} == {(None, None)}, "and none of no width"


def test_gold_items_show_who_is_right(world: World) -> None:
    row = {
        "item": json.loads(comparison().model_dump_json()),
        "gold": {
            "scores": [
                {"critique": 0, "attribute": "nitpick", "score": 2},
                {"critique": 1, "attribute": "conciseness", "score": 1},
            ]
        },
    }
    world.load("rate", [row])
    rate(world, "annotator")
    name = world.users["annotator"].pseudonym
    assert stats(world, "gold")["people"][name] == {"n": 2, "right": 1, "share": 0.5}


def test_judging_is_measured_without_what_came_too_late(world: World) -> None:
    world.load("judge", [pair(n, passes=1) for n in range(4)])
    for n in range(4):
        seat = world.claim("annotator", "judge")
        assert seat is not None
        world.clock.move(minutes=30 if n == 3 else 1)
        right = next(a["slot"] for a in seat["view"]["answers"] if a["answer"] == TWIN)
        world.submit("annotator", seat["id"], {"choice": right})
    told = stats(world, "judging")
    assert sum(told[side]["n"] for side in ("with", "without")) == 3


def test_what_teams_did_is_counted_by_critic(world: World) -> None:
    world.load("team", [prefilled()])
    seat = world.claim("annotator", "team")
    assert seat is not None
    kept = {**seat["view"]["prefilled"][0], "origin": 0}
    world.submit("annotator", seat["id"], {"comments": [kept, ELSEWHERE]})
    assert stats(world, "teams")["critics"] == {"bundled": {"kept": 1, "edited": 0, "dropped": 1, "added": 1, "n": 1}}


def test_a_canary_tells_what_it_was_and_is_withdrawn_by_itself(world: World) -> None:
    world.design(canary_every=1, canary_exposures=2)
    world.load("canary", [tamper()])
    world.load("write", [task(9)])
    for name, comment in (("annotator", COMMENT), ("second", ELSEWHERE)):
        seat = world.claim(name, "write")
        assert seat is not None
        made = world.submit(name, seat["id"], {"comments": [comment]})
        assert made["canary"]["caught"] is (name == "annotator") and made["canary"]["twin"] == TWIN
        undo = world.at(name).post(f"/api/v1/submissions/{made['id']}/undo")
        assert undo.status_code == 409, "the bug has been shown"
        world.clock.move(days=7)
    third = world.claim("reviewer", "write")
    assert third is not None and third["view"]["task"]["answer"] == TWIN, "withdrawn: real work comes"
    told = stats(world, "canaries")
    assert (told["open"], told["withdrawn"]) == (0, 1)
    assert told["people"][world.users["annotator"].pseudonym] == {"seen": 1, "caught": 1, "rate": 1.0}
    assert {week: row["rate"] for week, row in told["weeks"].items()} == {"2026-W02": 1.0, "2026-W03": 0.0}
    assert stats(world, "progress")["write"]["submitted"] == 0, "no canary is counted as work"
    archive = world.at("manager").get(f"{P}/critiques").json()["critiques"]
    assert archive == [], "nor kept as a critique"


def test_a_canary_of_a_team_measures_the_critic_as_well(world: World) -> None:
    world.design(canary_every=1)
    row = {
        "item": json.loads(tamper().model_dump_json()),
        "critique": json.loads(prefilled().critique.model_dump_json()),
    }
    world.load("canary", [row])
    world.load("team", [prefilled(7)])
    seat = world.claim("annotator", "team")
    assert seat is not None
    world.submit("annotator", seat["id"], {"comments": [ELSEWHERE]})
    told = stats(world, "canaries")
    assert told["critics"]["bundled"]["caught"] == 1
    assert told["people"][world.users["annotator"].pseudonym]["caught"] == 0


def test_tampers_become_comparisons_that_their_authors_do_not_rate(world: World) -> None:
    world.load("tamper", [task()])
    seat = world.claim("annotator", "tamper")
    assert seat is not None
    bug = {"spans": [PLACE], "description": "The sum begins at one.", "category": "wrong-initialisation"}
    made = world.submit("annotator", seat["id"], {"answer": ANSWER, "bugs": [bug]})
    started = world.at("manager").post(f"{P}/comparisons", json={"n": 2})
    assert world.app.state.worker.do_all() == 1
    job = world.at("manager").get(f"/api/v1/jobs/{started.json()['job']}").json()
    assert job["state"] == "done" and job["result"]["added"] == 1, job
    assert world.claim("annotator", "rate") is None and world.claim("second", "rate") is not None
    undo = world.at("annotator").post(f"/api/v1/submissions/{made['id']}/undo")
    assert (undo.status_code, undo.json()["type"]) == (409, "/problems/used")
    again = world.at("manager").post(f"{P}/comparisons", json={"n": 2})
    world.app.state.worker.do_all()
    assert world.at("manager").get(f"/api/v1/jobs/{again.json()['job']}").json()["result"]["added"] == 0


def test_a_job_that_fails_says_why_and_one_whose_worker_died_is_done_again(world: World) -> None:
    failed = world.at("manager").post(f"{P}/comparisons", json={}).json()["job"]
    world.app.state.worker.do_all()
    told = world.at("manager").get(f"/api/v1/jobs/{failed}").json()
    assert told["state"] == "failed" and "nobody has handed in a tamper" in told["error"]
    left = world.at("annotator").post(f"{P}/reviews", json={"code": "x = 1\n"}).json()["job"]
    assert world.app.state.worker._take() is not None  # and the worker dies here
    assert world.app.state.worker.do_all() == 0
    world.clock.move(minutes=6)
    assert world.app.state.worker.do_all() == 1
    assert world.at("annotator").get(f"/api/v1/jobs/{left}").json()["state"] == "done"


def test_a_review_s_comments_are_accepted_or_dismissed_and_kept_as_labels(world: World) -> None:
    made = world.at("annotator").post(f"{P}/reviews", json={"name": "a.py", "code": ANSWER}).json()
    url = f"{P}/reviews/{made['id']}"
    early = world.at("annotator").put(f"{url}/comments/0", json={"verdict": "accept"})
    assert early.status_code == 409
    world.app.state.worker.do_all()
    shown = world.at("annotator").get(url).json()
    assert shown["comments"] and "confidence" in shown["comments"][0]
    said = {"verdict": "dismiss", "reason": "that is meant"}
    assert world.at("annotator").put(f"{url}/comments/0", json=said).json()["labels"] == {"0": said}
    assert world.at("annotator").put(f"{url}/comments/999", json=said).status_code == 404
    assert world.at("second").get(url).status_code == 404
    from momus.desk.record_files import labels_of

    with world.store.read() as session:
        (label,) = labels_of(session, world.project)
    assert (label.verdict, label.critic, label.task.answer) == ("dismiss", "everything", ANSWER)


@pytest.fixture
def server(world: World) -> Iterator[str]:
    """The desk on a socket: what streams needs one."""
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    made = uvicorn.Server(uvicorn.Config(world.app, log_level="error", lifespan="off"))
    thread = threading.Thread(target=made.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    while not made.started:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    made.should_exit = True
    thread.join(timeout=10)


def test_events_come_as_they_happen_and_none_is_missed(world: World, server: str) -> None:
    world.load("write", [task()])
    seat = world.claim("annotator", "write")
    assert seat is not None
    world.submit("annotator", seat["id"], {"comments": [COMMENT]})
    with httpx.Client(base_url=server, cookies={"momus": world.keys["viewer"]}) as at:
        whole = at.get(f"{P}/events", params={"seconds": 0}, headers={"Last-Event-ID": "0"})
        assert whole.headers["content-type"].startswith("text/event-stream")
        assert [line for line in whole.text.splitlines() if line.startswith("event:")] == [
            "event: claimed",
            "event: submitted",
        ]
        assert "annotator" not in whole.text and "It begins" not in whole.text
        last = [line for line in whole.text.splitlines() if line.startswith("id:")][-1].split()[1]
        assert "event:" not in at.get(f"{P}/events", params={"seconds": 0}, headers={"Last-Event-ID": last}).text
        with at.stream("GET", f"{P}/events", params={"seconds": 20}, headers={"Last-Event-ID": last}) as stream:
            lines = stream.iter_lines()
            assert next(lines) == "retry: 3000"
            made = world.at("annotator").get(f"{P}/submissions").json()["submissions"][0]["id"]
            world.at("annotator").post(f"/api/v1/submissions/{made}/undo")
            assert next(line for line in lines if line.startswith("event:")) == "event: undone"


def test_events_are_forgotten_after_two_days_and_counted_on(world: World) -> None:
    world.load("write", [task(n) for n in range(3)])
    worker = world.app.state.worker

    def kept() -> list[int]:
        with world.store.read() as session:
            return [event.id for event in after(session, world.project.id, 0)]

    for n in range(2):
        seat = world.claim("annotator", "write")
        assert seat is not None
        world.submit("annotator", seat["id"], {"comments": [COMMENT]})
        world.clock.move(days=n)
    worker.tidy()
    assert kept() == [1, 2, 3, 4], "nothing is old yet"
    world.clock.move(minutes=59)
    worker.tidy()
    world.clock.move(days=3)
    worker.tidy()
    assert kept() == [4], "the last is kept: who has seen it gets all that come after it"
    assert world.claim("annotator", "write") is not None
    assert kept() == [4, 5]
    world.clock.move(days=-30)
    worker.tidy()
    assert kept() == [4, 5], "a clock that goes back forgets nothing"


def test_a_desk_that_starts_forgets_old_events_by_itself(tmp_path: Path) -> None:
    store = open_store(str(tmp_path / "desk.db"))
    upgrade(store)
    with store.write() as session:
        project = new_project(SLUG, "First", Design(), utc_now())
        session.add(project)
        session.flush()
        for days in (9, 3, 1):
            tell(session, project.id, "claimed", utc_now() - timedelta(days=days))
    app = create_app(DeskSettings(log=False), store=store)
    with TestClient(app, base_url=BASE):  # its worker runs
        end = time.monotonic() + 30
        while time.monotonic() < end:
            with store.read() as session:
                left = len(after(session, project.id, 0))
            if left == 1:
                break
            time.sleep(0.02)
    assert left == 1


def test_metrics_and_logs_tell_routes_and_no_secrets(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="momus.desk")
    loud = World.open(str(world.store.engine.url) + ".loud")
    object.__setattr__(loud.app.state.desk.settings, "log", True)
    loud.app.middleware_stack = None
    for middleware in loud.app.user_middleware:
        if "log" in middleware.kwargs:
            middleware.kwargs["log"] = True
    loud.load("write", [task()])
    seat = loud.claim("annotator", "write")
    assert seat is not None
    loud.submit("annotator", seat["id"], {"comments": [COMMENT]})
    loud.at("").post("/api/v1/auth/login", json={"email": "who@example.org", "password": "hunter2hunter2"})
    lines = [json.loads(record.message) for record in caplog.records if record.name == "momus.desk"]
    routes = {line["route"] for line in lines}
    assert "/api/v1/seats/{seat}/submit" in routes and all(line["ms"] >= 0 for line in lines)
    text = caplog.text
    for secret in (seat["id"], "hunter2", "who@example.org", loud.keys["annotator"], "It begins at one"):
        assert secret not in text
    key = loud.at("admin").post("/api/v1/tokens", json={"name": "prometheus", "scopes": ["admin"]}).json()["key"]
    scraped = TestClient(loud.app, base_url=BASE, headers={"authorization": f"Bearer {key}"}).get("/metrics").text
    assert 'momus_desk_submissions_total{kind="write",late="false"} 1.0' in scraped
    assert 'route="/api/v1/seats/{seat}/submit"' in scraped and seat["id"] not in scraped
    loud.close()


def test_a_project_is_made_changed_and_guided(world: World) -> None:
    at = world.at("manager")
    assert at.patch(P, json={"name": "Second", "design": {"lease_s": 120}}).json()["design"]["lease_s"] == 120
    assert at.patch(P, json={"design": {"lease_s": 1}}).status_code == 422
    assert [at.post(f"{P}/guidelines", json={"text": text}).json()["version"] for text in ("a", "b")] == [1, 2]
    seen = world.at("annotator").get(f"{P}/guidelines").json()
    assert [g["text"] for g in seen] == ["b", "a"] and world.at("annotator").get(P).json()["design"] is None
    world.load("write", [task()])
    seat = world.claim("annotator", "write")
    assert seat is not None and seat["lease_until"] == "2026-01-05T09:02:00Z"
    assert world.submit("annotator", seat["id"], {"comments": [COMMENT]})["guideline"] == 2
    second = world.users["second"].id
    assert at.put(f"{P}/members/{second}", json={"role": "viewer"}).json()["role"] == "viewer"
    assert world.at("second").post(f"{P}/queue/write/claim").status_code == 403
    own = world.users["manager"].id
    assert at.put(f"{P}/members/{own}", json={"role": "viewer"}).status_code == 409
    assert at.delete(f"{P}/members/{own}").status_code == 409
    assert at.delete(f"{P}/members/{second}").status_code == 204
    assert world.at("second").get(P).status_code == 404
