"""Uploads at the limit that a desk has by default, to a desk in a process of its own whose memory is watched."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from desk_world import SLUG, task
from momus.bench.desk_server import DeskServer
from momus.desk import auth
from momus.desk.api.projects import new_project
from momus.desk.design import Design
from momus.desk.settings import DeskSettings
from momus.desk.store import open_store
from momus.desk.store.migrate import upgrade
from momus.desk.store.tables import Assignment
from momus.desk.store.types import utc_now
from momus.records import dump_line

LIMIT = 50_000_000
PART = 100_000
SPARE = 25_000_000  # bytes: far from what a body of the limit's size takes
IMPORTS = f"/api/v1/projects/{SLUG}/imports?kind=write"


@dataclass
class Upload:
    """A connection to a desk; `rss` are the bytes that the desk's process had in memory, as they were seen."""

    db: str
    server: DeskServer
    key: str
    rss: list[int] = field(default_factory=list)

    def begin(self, **headers: str) -> http.client.HTTPConnection:
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=120)
        connection.putrequest("POST", IMPORTS)
        for name, value in {"Authorization": f"Bearer {self.key}", **headers}.items():
            connection.putheader(name.replace("_", "-"), value)
        connection.endheaders()
        return connection

    def look(self) -> None:
        assert self.server.process is not None
        self.rss.append(psutil.Process(self.server.process.pid).memory_info().rss)

    def count(self) -> int:
        store = open_store(self.db)
        with store.read() as session:
            found = session.query(Assignment).count()
        store.close()
        return found


@pytest.fixture
def upload(tmp_path: Path) -> Iterator[Upload]:
    db = f"sqlite:///{tmp_path / 'desk.db'}"
    store = open_store(db)
    upgrade(store)
    with store.write() as session:
        session.add(new_project(SLUG, "First", Design(), utc_now()))
        user = auth.add_user(session, "admin@example.org", "Admin", None, utc_now(), admin=True)
        key, _ = auth.make_token(session, user.id, "test", ["manage"], utc_now(), None)
    store.close()
    with DeskServer(db, tmp_path / "log").running() as server:
        made = Upload(db, server, key)
        made.look()
        yield made


def test_the_limit_is_fifty_megabytes() -> None:
    assert DeskSettings().upload_bytes == LIMIT


def test_a_body_that_says_it_is_too_large_is_refused_before_it_is_sent(upload: Upload) -> None:
    answer = upload.begin(Content_Length=str(LIMIT + 1)).getresponse()
    assert answer.status == 413
    told = json.loads(answer.read())
    assert told["type"] == "/problems/too-large" and "50,000,000" in told["detail"]


def test_a_body_that_does_not_say_is_refused_once_it_is_too_large_and_never_held_in_memory(upload: Upload) -> None:
    connection = upload.begin(Transfer_Encoding="chunked")
    line = dump_line(task()).encode().strip()
    part = line + b" " * (PART - len(line) - 1) + b"\n"
    sent = 0
    try:
        while sent <= LIMIT + 10 * PART:
            connection.send(b"%x\r\n%s\r\n" % (len(part), part))
            sent += len(part)
            if sent % (20 * PART) == 0:
                upload.look()
    except OSError:  # the desk has hung up
        assert sent >= LIMIT
    answer = connection.getresponse()
    assert (answer.status, json.loads(answer.read())["type"]) == (413, "/problems/too-large")
    upload.look()
    assert max(upload.rss) - upload.rss[0] < SPARE
    assert upload.count() == 0, "the lines before the limit are not added either"


def test_a_body_at_the_limit_is_taken_and_never_held_in_memory(upload: Upload) -> None:
    connection = upload.begin(Content_Length=str(LIMIT))
    lines = LIMIT // PART
    for n in range(lines):
        line = dump_line(task(n % 3)).encode().strip()
        connection.send(line + b" " * (PART - len(line) - 1) + b"\n")
        if n % 20 == 0:
            upload.look()
    answer = connection.getresponse()
    assert answer.status == 201
    assert json.loads(answer.read()) == {
        "lines": lines,
        "added": 3,
        "known": lines - 3,
        "changed": 0,
        "left_out": 0,
        "unused": [],
    }
    upload.look()
    assert max(upload.rss) - upload.rss[0] < SPARE
    assert upload.count() == 3
