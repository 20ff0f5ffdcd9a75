"""The bench of the desk: small, with a real server that is killed; and that it sees what it is to see."""

from __future__ import annotations

import http.server
import json
import os
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from momus.bench import Goal
from momus.bench.desk import Held, Size, _goals, bench
from momus.bench.desk_cluster import programs
from momus.bench.desk_people import DeskSite, LabelStudioSite, People, Record, number, question
from momus.cli.bench import command
from momus.errors import MomusError

SMALL = Size(
    tasks=60, sqlite_people=4, postgresql_people=6, calm=12, kills=2, database_kills=1, between=8, twice_every=10,
    whole=True,
)  # fmt: skip


def kinds(goals: list[Goal]) -> dict[str, bool]:
    """Whether the goals hold, by what stands before the first comma of what they are about."""
    return {goal.name.partition(": ")[2].partition(",")[0]: goal.holds for goal in goals}


@pytest.mark.parametrize("database", ["SQLite", "PostgreSQL"])
def test_nothing_is_lost_or_given_twice_when_servers_are_killed(database: str) -> None:
    if database == "PostgreSQL" and programs() is None and os.environ.get("CI") != "true":
        pytest.skip("PostgreSQL is not installed")
    outcome = bench(size=SMALL, databases=(database,))
    held = [goal for goal in outcome.goals if "p95" not in goal.name]  # a time, which no test is about
    assert len(held) == 4 and all(goal.holds for goal in held), held
    figures = outcome.figures[database]
    assert figures["server_kills"] == 2 and figures["database_kills"] == (database == "PostgreSQL")
    assert figures["given"] == figures["acknowledged"] == 66, "60 tasks, every tenth for two"
    assert figures["sent_again"] > 0, "the kills were felt"


def made_up() -> Held:
    """Two people on task 0, which is for two, and one on task 1."""
    held = Held("SQLite", 2)
    first, second = Record(), Record()
    first.claims, first.acknowledged = [(0, 0.01), (1, 0.02)], [(0, "a"), (1, "b")]
    second.claims, second.acknowledged = [(0, 0.01)], [(0, "c")]
    held.calm, held.records = [first, second], [Record(), Record()]
    held.stored = Counter({(0, "a"): 1, (1, "b"): 1, (0, "c"): 1})
    return held


def test_a_run_without_fault_meets_its_goals() -> None:
    assert kinds(_goals(made_up(), SMALL)) == {
        "tasks given to too many": True,
        "acknowledged and lost": True,
        "stored twice": True,
        "p95 of a claim": True,
        "seats left at the end": True,
    }


def fault(which: str) -> Held:
    held = made_up()
    if which == "tasks given to too many":
        held.records[1].claims.append((1, 0.01))
    elif which == "acknowledged and lost":
        held.lost.add((1, "b"))
    elif which == "stored twice":
        held.stored[1, "b"] = 2
    elif which == "p95 of a claim":
        held.calm[0].claims += [(0, 0.01)] * 20 + [(0, 0.2)] * 3
    else:
        held.left = 1
    return held


@pytest.mark.parametrize("which", kinds(_goals(made_up(), SMALL)))
def test_each_fault_is_seen(which: str) -> None:
    assert [name for name, holds in kinds(_goals(fault(which), SMALL)).items() if not holds] == [which]


def test_what_is_stored_and_was_never_acknowledged_is_seen() -> None:
    held = made_up()
    held.stored[5, "x"] = 1
    assert not kinds(_goals(held, SMALL))["stored twice"]


@contextmanager
def answering(*answers: tuple[int, Any]) -> Iterator[tuple[int, list[str]]]:
    """A server that gives these answers, one after the other; and the keys of what was handed in."""
    left, keys = iter(answers), []

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            keys.append(self.headers.get("Idempotency-Key", ""))
            status, body = next(left)
            if status == 0:
                self.close_connection = True  # as when it is killed
                return
            sent = b"" if body is None else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server_address[1], keys
    server.shutdown()
    server.server_close()


SEAT = (200, {"id": "seat", "view": {"task": {"question": question(7), "answer": "x = 1\n"}}})


def test_what_was_not_answered_is_sent_again_with_the_same_key() -> None:
    with answering(SEAT, (0, None), (503, {}), (201, {}), (204, None)) as (port, keys):
        people = People(DeskSite("p"), ["key"], lambda: port)
        people.start()
        people.join()
    (record,) = people.records
    assert (record.again, [task for task, _ in record.claims], people.acknowledged) == (2, [7], 1)
    assert keys[1] == keys[2] == keys[3] == record.acknowledged[0][1] != ""


def test_a_refusal_ends_the_bench_with_what_the_server_said() -> None:
    with answering(SEAT, (422, {"detail": "no such form"})) as (port, _):
        people = People(DeskSite("p"), ["key"], lambda: port)
        people.start()
        with pytest.raises(MomusError, match="no such form"):
            people.join()


def test_both_sites_are_given_the_same_comment_on_the_same_place() -> None:
    seen = LabelStudioSite(3).claimed(200, b'{"id": 12, "data": {"question": "Task 9: x", "answer": "a = 1\\nb\\n"}}')
    assert seen is not None and (seen.seat, seen.task, number(question(9))) == ("12", 9, 9)
    bodies = [site.submit("k", seen, "f" * 32, "It is wrong.").body for site in (DeskSite("p"), LabelStudioSite(3))]
    ours, theirs = (json.loads(body or b"") for body in bodies)
    (comment,) = ours["form"]["comments"]
    place, said = (part["value"] for part in theirs["result"])
    assert comment["highlight"] == {"start": place["start"], "end": place["end"]} == {"start": 0, "end": 5}
    assert [comment["text"]] == said["text"]


def test_too_few_tasks_for_the_kills_are_said(tmp_path: Path) -> None:
    with pytest.raises(MomusError, match="more tasks"):
        bench(size=Size(tasks=4, sqlite_people=2, calm=2, kills=2, between=50), databases=("SQLite",))
    run = CliRunner().invoke(command, ["desk", "--label-studio", str(tmp_path / "none")])
    assert run.exit_code == 2
