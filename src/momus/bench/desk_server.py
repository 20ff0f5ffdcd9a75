"""A desk as people have it: `momus desk` in a process of its own, on loopback, with a project, people and tasks."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from momus.bench.desk_people import question
from momus.errors import MomusError
from momus.records import Task, dump_line

if TYPE_CHECKING:
    from momus.desk.store import Store

PROJECT = "bench"
LEASE_S = 3600  # longer than a run: a seat that is given twice was given twice, and not taken back
ANSWER = "def total(xs):\n    s = 0\n    for x in xs:\n        s += x\n        return s\n"
_WAIT_S = 300


@dataclass
class DeskServer:
    """The server's process; it can be killed and started again, on another port."""

    db: str
    log: Path
    port: int = 0
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start, and wait until it is ready. Raises MomusError where it does not come up."""
        began = self.log.stat().st_size if self.log.exists() else 0
        # claims are as quick as people in a hurry can't be: the limit on them is not what is measured
        environment = {**os.environ, "MOMUS_DESK_CLAIMS_PER_MINUTE": "1000000"}
        command = [sys.executable, "-m", "momus", "desk", "--db", self.db, "--port", "0"]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        end = time.monotonic() + _WAIT_S
        while time.monotonic() < end and self.process.poll() is None:
            said = self.log.read_bytes()[began:].decode("utf-8", "replace")
            told = re.search(r"the desk is at http://127\.0\.0\.1:(\d+)\n", said)
            if told and _ready(int(told[1])):
                self.port = int(told[1])
                return
            time.sleep(0.02)
        last = self.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:]
        raise MomusError(f"the desk did not start: {last[0] if last else 'it said nothing'}")

    def kill(self) -> None:
        """SIGKILL: it finishes nothing."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(_WAIT_S)

    @contextmanager
    def running(self) -> Iterator[DeskServer]:
        try:
            self.start()
            yield self
        finally:
            if self.process is not None and self.process.poll() is None:
                self.process.terminate()
                try:
                    self.process.wait(_WAIT_S)
                except subprocess.TimeoutExpired:
                    self.process.kill()


def prepare(db: str, folder: Path, people: int, tasks: int, twice_every: int) -> list[str]:
    """Make a project with so many people and `write` tasks, each `twice_every`-th for two. Returns people's keys."""
    from momus.desk import auth
    from momus.desk.api.projects import new_project
    from momus.desk.design import Design
    from momus.desk.imports import import_rows
    from momus.desk.intake.reading import reading_of
    from momus.desk.intake.source import source_at
    from momus.desk.store import open_store
    from momus.desk.store.migrate import upgrade
    from momus.desk.store.tables import Membership
    from momus.desk.store.types import utc_now

    store = open_store(db)
    upgrade(store)
    now, keys = utc_now(), []
    with store.write() as session:
        project = new_project(PROJECT, "Bench", Design(lease_s=LEASE_S), now)
        session.add(project)
        session.flush()
        for i in range(people):
            user = auth.add_user(session, f"simulated{i}@example.org", f"Simulated {i}", None, now)
            session.add(Membership(project_id=project.id, user_id=user.id, role="annotator"))
            keys.append(auth.make_token(session, user.id, "bench", ["read", "work"], now, None)[0])
    file = folder / "tasks.jsonl"
    with file.open("w", encoding="utf-8") as out:
        for n in range(tasks):
            line = dump_line(Task(id=f"t{n}", question=question(n), answer=ANSWER)).strip()
            out.write(f'{{"item": {line}, "overlap": {overlap(n, twice_every)}}}\n')
    import_rows(store, project, reading_of("write", source_at(file, file.stat().st_size)), now)
    store.close()
    return keys


def overlap(n: int, twice_every: int) -> int:
    """How many people task `n` is for; one for all where `twice_every` is 0."""
    return 2 if twice_every and n % twice_every == 0 else 1


def kept(store: Store) -> Counter[tuple[int, str]]:
    """What is in the database of what was handed in: (task, key), and how often."""
    from sqlalchemy import select

    from momus.desk.store.tables import Assignment, Submission

    with store.read() as session:
        rows = session.execute(
            select(Assignment.payload, Submission.key)
            .join(Assignment, Assignment.id == Submission.assignment_id)
            .where(Submission.undone.is_(False))
        )
        return Counter((int(payload["id"].removeprefix("t")), key) for payload, key in rows)


def open_seats(store: Store) -> int:
    from sqlalchemy import func, select

    from momus.desk.store.tables import Seat

    with store.read() as session:
        return session.scalar(select(func.count()).select_from(Seat).where(Seat.state != "submitted")) or 0


def _ready(port: int) -> bool:
    with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
        return bool(answer.status == 200)
    return False
