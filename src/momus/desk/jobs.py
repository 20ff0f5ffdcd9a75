"""Work that takes longer than a request: kept in the database, done by a worker, taken up again if that one dies."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from momus.desk.context import Desk
from momus.desk.events import forget, tell
from momus.desk.observe import log
from momus.desk.problems import Problem
from momus.desk.store.engine import UNREACHABLE
from momus.desk.store.tables import Job, Project
from momus.errors import MomusError

Json = dict[str, Any]
Report = Callable[[int, int], None]  # done, of how many
Work = Callable[[Desk, Project, int, Json, Report], Json]  # (desk, project, who asked, params, report) -> result
LEASE = timedelta(minutes=5)
TIDY_EVERY = timedelta(hours=1)
MOST_ATTEMPTS = 3
SMALL = 4_000  # characters: some hundred lines
_POLL_S = 2.0


def start(
    session: Session, project: Project, user_id: int, what: str, params: Json, now: datetime, *, size: int
) -> Job:
    """Put a job in the queue; wake the worker once that is committed. `size` is that of its code, in characters."""
    job = Job(
        id=secrets.token_urlsafe(16),
        project_id=project.id,
        user_id=user_id,
        what=what,
        state="waiting",
        params=params,
        done=0,
        total=0,
        size=size,
        attempts=0,
        created=now,
    )
    session.add(job)
    tell(session, project.id, "job", now, job=job.id, state="waiting")
    session.flush()
    return job


class Cancelled(Exception):
    """Whoever started a job has taken it back."""


class Worker:
    """Two threads that do jobs, one after the other each; `works` are what they can do, by name.

    One does small jobs alone: a line to be reviewed never waits for a long file. People take turns: of all who wait,
    the one whose last job is longest ago goes first. At its start and every hour it forgets the events that nobody
    follows any more.
    """

    def __init__(self, desk: Desk, works: dict[str, Work]) -> None:
        self._desk, self._works = desk, works
        self._stopping = threading.Event()
        self._tidied: datetime | None = None
        self._threads = [
            threading.Thread(target=self._run, args=(most,), name=f"momus-desk-{name}", daemon=True)
            for name, most in (("jobs", None), ("small-jobs", SMALL))
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """A job that is running keeps its lease until it runs out, and is done again after that."""
        self._stopping.set()
        self._desk.woken()
        for thread in self._threads:
            thread.join(timeout=5)

    def do_all(self) -> int:
        """Do what is waiting, here and now. Returns how many."""
        return self._do_all(None)

    def _do_all(self, most: int | None) -> int:
        count = 0
        while (job := self._take(most)) is not None:
            self._do(job)
            count += 1
        return count

    def tidy(self) -> None:
        """Forget old events, if that was not done within the hour."""
        now = self._desk.clock()
        if self._tidied is not None and abs(now - self._tidied) < TIDY_EVERY:
            return
        with self._desk.store.write() as session:
            forget(session, now)
        self._tidied = now

    def _run(self, most: int | None) -> None:
        while not self._stopping.is_set():
            seen = self._desk.news
            try:
                if most is None:
                    self.tidy()
                done = self._do_all(most)
            except UNREACHABLE:  # it comes back
                log("database", state="away")
                done = 0
            with self._desk.wake:
                if not done and self._desk.news == seen:
                    self._desk.wake.wait(_POLL_S)

    def _take(self, most: int | None = None) -> Job | None:
        now = self._desk.clock()
        turns = select(Job.user_id, func.max(Job.started).label("last")).group_by(Job.user_id).subquery()
        with self._desk.store.write() as session:
            small = [] if most is None else [Job.size <= most]
            job = session.scalar(
                select(Job)
                .join(turns, turns.c.user_id == Job.user_id)
                .where(or_(Job.state == "waiting", (Job.state == "running") & (Job.lease_until < now)), *small)
                .order_by(turns.c.last.is_not(None), turns.c.last, Job.created, Job.id)
                .limit(1)
                .with_for_update(skip_locked=True, of=Job)
            )
            if job is None or self._stopping.is_set():
                return None
            if job.attempts >= MOST_ATTEMPTS:
                job.state, job.lease_until = "failed", None
                job.error = f"This job was begun {MOST_ATTEMPTS} times and never ended: the desk's log says more."
                log("job-failed", job=job.id, error="attempts")
            else:
                job.state, job.lease_until = "running", now + LEASE
                job.started, job.attempts = now, job.attempts + 1
            tell(session, job.project_id, "job", now, job=job.id, state=job.state)
            return job

    def _do(self, job: Job) -> None:
        if job.state != "running":
            return
        desk = self._desk

        def report(done: int, total: int) -> None:
            now = desk.clock()
            with desk.store.write() as session:
                row = session.get_one(Job, job.id)
                if row.state != "running":
                    raise Cancelled
                row.done, row.total, row.lease_until = done, total, now + LEASE
                tell(session, row.project_id, "job", now, job=row.id, state="running", done=done, total=total)

        result: Json | None = None
        error: str | None = None
        try:
            with desk.store.read() as session:
                project = session.get_one(Project, job.project_id)
            with self._kept(job):
                result = self._works[job.what](desk, project, job.user_id, job.params, report)
        except Cancelled:
            return
        except MomusError as failure:
            error = str(failure)
        except Problem as problem:
            error = problem.detail or problem.title
        except UNREACHABLE:
            raise
        except Exception as failure:
            log("job-failed", job=job.id, error=type(failure).__name__)
            error = "This job failed; the desk's log says more."
        state = "done" if error is None else "failed"
        desk.metrics.jobs.labels(job.what, state).inc()
        now = desk.clock()
        with desk.store.write() as session:
            row = session.get_one(Job, job.id)
            if row.state != "running":
                return
            row.state, row.result, row.error, row.lease_until = state, result, error, None
            tell(session, row.project_id, "job", now, job=row.id, state=state)

    @contextmanager
    def _kept(self, job: Job) -> Iterator[None]:
        """Keep the lease of a job while it is done, however long a single step of it takes."""
        over = threading.Event()

        def keep() -> None:
            while not over.wait(LEASE.total_seconds() / 5):
                with suppress(*UNREACHABLE), self._desk.store.write() as session:
                    row = session.get_one(Job, job.id)
                    if row.state == "running":
                        row.lease_until = self._desk.clock() + LEASE

        thread = threading.Thread(target=keep, name="momus-desk-lease", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
