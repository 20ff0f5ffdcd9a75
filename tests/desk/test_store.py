"""The database: its schema's history, many hands at once, processes that are killed, a server that goes away."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect, text

from desk_world import SLUG, World, task
from momus.bench.desk_cluster import Cluster
from momus.desk.settings import database_url
from momus.desk.store import open_store
from momus.desk.store.migrate import downgrade, upgrade, version
from momus.desk.store.tables import Base, Seat, Submission, User
from momus.errors import MomusError

HANDS = Path(__file__).parent.parent / "desk_hands.py"


def test_the_schema_goes_up_and_down_and_is_the_one_the_code_has(db: str) -> None:
    store = open_store(db)
    upgrade(store)
    upgrade(store)
    with store.connection() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
    downgrade(store, "0001")
    with store.connection() as connection:
        assert version(connection) == "0001" and "reviews" not in inspect(connection).get_table_names()
    downgrade(store, "base")
    with store.connection() as connection:
        assert set(inspect(connection).get_table_names()) <= {"alembic_version"}
    upgrade(store)
    store.close()


def test_a_database_of_the_first_schema_keeps_its_data(db: str) -> None:
    store = open_store(db)
    upgrade(store, "0001")
    now = "2026-01-05 09:00:00"
    payload = json.dumps({"comments": [], "no_problems": True, "notes": ""})
    rows = {
        "users": {"id": 1, "email": "a@b.org", "name": "A", "pseudonym": "rater-1", "active": True, "admin": False},
        "projects": {"id": 1, "slug": "old", "name": "Old", "secret": "s", "design": "{}"},
        "tasks": {"id": 1, "project_id": 1, "sha256": "t", "data": json.dumps({"id": "t"})},
        "assignments": {
            "id": 1, "project_id": 1, "task_id": 1, "kind": "write", "sha256": "x", "overlap": 1, "priority": 0,
            "state": "done", "payload": json.dumps({"id": "t", "question": "q", "answer": "a"}), "canary": False,
        },
        "seats": {
            "id": 1, "assignment_id": 1, "no": 0, "project_id": 1, "kind": "write", "canary": False, "rank": 0,
            "arm": "", "state": "submitted", "user_id": 1,
        },
        "holds": {
            "id": "hold", "assignment_id": 1, "user_id": 1, "seat_id": 1, "arm": "", "claimed": now, "active_ms": 7,
            "draft_rev": 0, "skips": 0, "declined": False, "done": True,
        },
        "submissions": {
            "id": 1, "project_id": 1, "kind": "write", "assignment_id": 1, "hold_id": "hold", "user_id": 1, "key": "k",
            "body_sha256": "b", "schema_version": 1, "arm": "", "payload": payload, "active_ms": 7,
            "superseded": False, "late": False, "undone": False, "used": False,
        },
    }  # fmt: skip
    with store.connection() as connection:
        for table, row in rows.items():
            row = row if table in ("seats", "holds") else {**row, "created": now}
            names = ", ".join(row)
            connection.execute(text(f"INSERT INTO {table} ({names}) VALUES ({', '.join(':' + n for n in row)})"), row)
    upgrade(store)
    with store.read() as session:
        made = session.get_one(Submission, 1)
        assert (made.payload["no_problems"], made.over_time, made.active_ms) == (True, False, 7)
        assert made.created == datetime(2026, 1, 5, 9, tzinfo=UTC)
    downgrade(store, "0001")
    with store.connection() as connection:
        assert connection.execute(text("SELECT count(*) FROM submissions")).scalar() == 1
    store.close()


def test_a_database_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    store = open_store(str(tmp_path / "desk.db"))
    upgrade(store)
    with store.connection() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(MomusError, match="newer version"):
        upgrade(store)
    store.close()


def test_urls_name_sqlite_and_postgresql_and_nothing_else() -> None:
    assert database_url("x/desk.db") == "sqlite:///x/desk.db"
    assert database_url("postgresql://u@h/n") == "postgresql+psycopg://u@h/n"
    with pytest.raises(MomusError, match="SQLite or PostgreSQL"):
        database_url("mysql://u@h/n")


def test_sqlite_keeps_what_it_has_acknowledged(tmp_path: Path) -> None:
    store = open_store(str(tmp_path / "desk.db"))
    with store.connection() as connection:
        found = [connection.execute(text(f"PRAGMA {name}")).scalar() for name in ("journal_mode", "synchronous")]
    assert found == ["wal", 2]
    store.close()


def filled(db: str, tasks: int, people: int, overlap: int) -> tuple[World, list[int]]:
    world = World.open(db)
    users = [world.add(f"hand{i}", "annotator").id for i in range(people)]
    world.load("write", [task(n) for n in range(tasks)], overlap=overlap)
    return world, users


def hands(db: str, process: str, users: list[int]) -> subprocess.Popen[str]:
    command = [sys.executable, str(HANDS), db, process, *map(str, users)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_many_hands_in_two_processes_get_no_seat_twice(db: str) -> None:
    world, users = filled(db, tasks=12, people=6, overlap=3)
    started = [hands(db, "one", users[:3]), hands(db, "two", users[2:])]  # the third works in both at once
    for process in started:
        assert process.wait(timeout=120) == 0
    with world.store.read() as session:
        made = session.query(Submission).all()
        seats = session.query(Seat).all()
    assert Counter(seat.state for seat in seats) == {"submitted": 36}
    assert len(made) == 36 and len({(m.assignment_id, m.user_id) for m in made}) == 36
    assert not any(m.late for m in made)
    assert {(s.assignment_id, s.user_id) for s in seats} == {(m.assignment_id, m.user_id) for m in made}
    world.close()


def test_what_was_acknowledged_is_there_after_kills_under_load(db: str) -> None:
    world, users = filled(db, tasks=400, people=4, overlap=1)
    acknowledged: list[str] = []
    for n in range(3):
        process = hands(db, f"run{n}", users)
        assert process.stdout is not None
        for line in process.stdout:
            if line != "ready\n":
                acknowledged.append(line)
            if len(acknowledged) >= 12 * (n + 1):
                break
        process.kill()
        acknowledged += [line for line in process.stdout if line.endswith("\n")]
        process.wait()
    with world.store.read() as session:
        kept = {(m.user_id, m.assignment_id, m.key) for m in session.query(Submission)}
        per_seat = Counter(m.assignment_id for m in session.query(Submission))
    told = {(int(user), int(which), key) for user, which, key in (line.split() for line in acknowledged)}
    assert len(told) >= 36 and told <= kept
    assert max(per_seat.values()) == 1, "one seat each"
    world.close()


def test_a_database_that_goes_away_is_said_and_nothing_is_lost(cluster: Cluster) -> None:
    world = World.open(cluster.database())
    world.load("write", [task()])
    seat = world.claim("annotator", "write")
    assert seat is not None
    form = {"comments": [], "no_problems": True}
    cluster.stop()
    try:
        at = world.at("annotator")
        away = at.put(f"/api/v1/seats/{seat['id']}/draft", json={"data": form}, headers={"If-Match": "0"})
        assert (away.status_code, away.json()["type"]) == (503, "/problems/database")
        assert int(away.headers["retry-after"]) > 0
        assert at.get("/readyz").status_code == 503 and at.get("/healthz").status_code == 200
    finally:
        cluster.start()
    assert world.at("").get("/readyz").status_code == 200
    back = world.at("annotator").put(
        f"/api/v1/seats/{seat['id']}/draft", json={"data": form}, headers={"If-Match": "0"}
    )
    assert back.json() == {"rev": 1}
    assert world.submit("annotator", seat["id"], form)["late"] is False
    world.close()


def test_all_work_goes_on_postgresql_as_well(cluster: Cluster) -> None:
    world = World.open(cluster.database())
    world.load("write", [task(n) for n in range(3)], overlap=2)
    odd = "a zero-width \u200b, a bidi \u202e, an emoji \U0001f41b and a NUL \0"
    for name in ("annotator", "second"):
        seat = world.claim(name, "write")
        assert seat is not None
        made = world.submit(name, seat["id"], {"comments": [], "no_problems": True, "notes": odd})
        assert made["form"]["notes"] == odd
        assert world.at(name).post(f"/api/v1/submissions/{made['id']}/undo").status_code == 200
    assert world.at("manager").get(f"/api/v1/projects/{SLUG}/stats/progress").json()["write"]["seats"]["leased"] == 2
    with world.store.read() as session:
        assert session.query(User).count() == 7
    world.close()
