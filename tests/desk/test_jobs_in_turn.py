"""Jobs: small ones do not wait for large ones, people take turns, they are taken back, none is tried for ever."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from desk_world import SLUG, World
from momus.critique import Critique
from momus.desk.jobs import LEASE, MOST_ATTEMPTS, SMALL
from momus.desk.store.tables import Job
from momus.records import Sampled, Task

P = f"/api/v1/projects/{SLUG}"
LONG = "x = 1\n" * (SMALL // 6 + 10)


@dataclass
class Slow:
    """A critic that reads long files until it is let go on."""

    name: str = "slow"
    on: threading.Event = field(default_factory=threading.Event)
    read: list[str] = field(default_factory=list)

    def critique(self, tasks: Sequence[Task], n: int = 1, seed: int = 0) -> Iterator[Sampled]:
        for task in tasks:
            if len(task.answer) > SMALL:
                assert self.on.wait(60)
            self.read.append(task.answer)
            yield Sampled(task_id=task.id, critic=self.name, critique=Critique())


def ask(world: World, name: str, code: str) -> str:
    answer = world.at(name).post(f"{P}/reviews", json={"code": code})
    assert answer.status_code == 202, answer.text
    return str(answer.json()["job"])


def state(world: World, name: str, job: str) -> str:
    return str(world.at(name).get(f"/api/v1/jobs/{job}").json()["state"])


def wait_for(world: World, name: str, job: str, wanted: str) -> None:
    pause = threading.Event()
    for _ in range(600):
        if state(world, name, job) == wanted:
            return
        pause.wait(0.05)
    raise AssertionError(f"{job} is {state(world, name, job)}, not {wanted}")


@pytest.fixture
def slow(world: World) -> Iterator[Slow]:
    made = Slow()
    world.app.state.desk.open_critic = lambda: made
    world.app.state.worker.start()
    yield made
    made.on.set()
    world.app.state.worker.stop()


def test_a_line_never_waits_for_a_long_file(world: World, slow: Slow) -> None:
    long = ask(world, "annotator", LONG)
    wait_for(world, "annotator", long, "running")
    for n in range(3):
        wait_for(world, "second", ask(world, "second", f"y = {n}\n"), "done")
    assert state(world, "annotator", long) == "running"
    slow.on.set()
    wait_for(world, "annotator", long, "done")


def test_people_take_turns(world: World) -> None:
    made = Slow()
    world.app.state.desk.open_critic = lambda: made
    for n in range(4):
        ask(world, "annotator", f"a = {n}\n")
        world.clock.move(seconds=1)
    for n in range(2):
        ask(world, "second", f"b = {n}\n")
        world.clock.move(seconds=1)
    taken = []
    while (job := world.app.state.worker._take()) is not None:
        world.app.state.worker._do(job)
        world.clock.move(seconds=1)
        taken.append(made.read[-1][0])
    assert "".join(taken) == "ababaa"


def test_a_job_is_taken_back(world: World, slow: Slow) -> None:
    running = ask(world, "annotator", LONG)
    wait_for(world, "annotator", running, "running")
    waiting = ask(world, "annotator", LONG + "\n")
    at = world.at("annotator")
    assert world.at("second").delete(f"/api/v1/jobs/{waiting}").status_code == 404
    for job in (waiting, running):
        assert at.delete(f"/api/v1/jobs/{job}").json()["state"] == "cancelled"
    assert at.delete(f"/api/v1/jobs/{running}").status_code == 409
    slow.on.set()
    after = ask(world, "annotator", LONG + "\n\n")
    wait_for(world, "annotator", after, "done")
    assert {state(world, "annotator", job) for job in (waiting, running)} == {"cancelled"}
    assert len(slow.read) == 2, "what waited was not begun"


def test_a_job_that_kills_its_worker_is_given_up(world: World) -> None:
    job = ask(world, "annotator", "x = 1\n")
    worker: Any = world.app.state.worker
    for _ in range(MOST_ATTEMPTS):
        assert worker._take() is not None  # and the process dies
        assert worker._take() is None, "it is somebody's"
        world.clock.move(seconds=LEASE.total_seconds() + 1)
    assert worker.do_all() == 1
    told = world.at("annotator").get(f"/api/v1/jobs/{job}").json()
    assert told["state"] == "failed" and "never ended" in told["error"]
    with world.store.read() as session:
        assert session.get_one(Job, job).attempts == MOST_ATTEMPTS
