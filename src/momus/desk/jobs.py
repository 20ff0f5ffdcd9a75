"""Work that takes longer than a request: kept in the database, done by a worker, taken up again if that one dies."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import or_, select
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
_POLL_S = 2.0


def start(session: Session, project: Project, user_id: int, what: str, params: Json, now: datetime) -> Job:
    """Put a job in the queue; wake the worker once that is committed."""
    job = Job(
        id=secrets.token_urlsafe(16),
        project_id=project.id,
        user_id=user_id,
        what=what,
        state="waiting",
        params=params,
        done=0,
        total=0,
        created=now,
    )
    session.add(job)
    tell(session, project.id, "job", now, job=job.id, state="waiting")
    session.flush()
    return job


class Worker:
    """One thread that does jobs, one after the other; `works` are what it can do, by name.

    At its start and every hour it forgets the events that nobody follows any more.
    """

    def __init__(self, desk: Desk, works: dict[str, Work]) -> None:
        self._desk, self._works = desk, works
        self._stopping = threading.Event()
        self._tidied: datetime | None = None
        self._thread = threading.Thread(target=self._run, name="momus-desk-jobs", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """A job that is running keeps its lease until it runs out, and is done again after that."""
        self._stopping.set()
        self._desk.wake.set()
        self._thread.join(timeout=5)

    def do_all(self) -> int:
        """Do what is waiting, here and now. Returns how many."""
        count = 0
        while (job := self._take()) is not None:
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

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self.tidy()
                self.do_all()
            except UNREACHABLE:  # it comes back
                log("database", state="away")
            self._desk.wake.wait(_POLL_S)
            self._desk.wake.clear()

    def _take(self) -> Job | None:
        now = self._desk.clock()
        with self._desk.store.write() as session:
            job = session.scalar(
                select(Job)
                .where(or_(Job.state == "waiting", (Job.state == "running") & (Job.lease_until < now)))
                .order_by(Job.created)
                .limit(1)
                .with_for_update(skip_locked=True)
            )
            if job is not None and not self._stopping.is_set():
                job.state, job.lease_until = "running", now + LEASE
                tell(session, job.project_id, "job", now, job=job.id, state="running")
                return job
        return None

    def _do(self, job: Job) -> None:
        desk = self._desk

        def report(done: int, total: int) -> None:
            now = desk.clock()
            with desk.store.write() as session:
                row = session.get_one(Job, job.id)
                row.done, row.total, row.lease_until = done, total, now + LEASE
                tell(session, row.project_id, "job", now, job=row.id, state="running", done=done, total=total)

        result: Json | None = None
        error: str | None = None
        try:
            with desk.store.read() as session:
                project = session.get_one(Project, job.project_id)
            result = self._works[job.what](desk, project, job.user_id, job.params, report)
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
            row.state, row.result, row.error, row.lease_until = state, result, error, None
            tell(session, row.project_id, "job", now, job=row.id, state=state)
