"""Runs code for people, in the sandbox and nowhere else, a few at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pydantic import BaseModel, ConfigDict
from sqlalchemy import select

from momus.desk.context import Desk
from momus.desk.kinds.tamper import answer_hash
from momus.desk.problems import Problem
from momus.desk.store.tables import ProgramRun
from momus.errors import MomusError
from momus.records import Task
from momus.sandbox import certify, run

OUTPUT = 20_000  # bytes of each stream
_WAIT_S = 20


class RunResult(BaseModel):
    """How a program ended, or what the tests say of an answer; see the page on the sandbox for `status`.

    A verdict of tests has no exit code: none is trusted.
    """

    model_config = ConfigDict(frozen=True)
    status: str
    exit_code: int | None
    stdout: str
    stderr: str
    seconds: float


def run_program(desk: Desk, code: str) -> RunResult:
    """Run a program. Raises Problem 503 where there is no sandbox, or all are busy."""
    bounds = desk.settings
    with _turn(desk):
        outcome = run(code, timeout_s=bounds.run_timeout_s, output_bytes=OUTPUT, mode=bounds.sandbox)
    return RunResult(
        status=outcome.status,
        exit_code=outcome.exit_code,
        stdout=outcome.stdout,
        stderr=outcome.stderr,
        seconds=round(outcome.seconds, 3),
    )


@contextmanager
def _turn(desk: Desk) -> Iterator[None]:
    if not desk.sandbox.acquire(timeout=_WAIT_S):
        raise Problem(503, "busy", "Busy", "Many programs are running: try again in a moment.", retry_after=10)
    try:
        yield
    except MomusError as error:
        raise Problem(503, "no-sandbox", "No sandbox", str(error)) from None
    finally:
        desk.sandbox.release()


def run_answer(desk: Desk, task: Task, task_id: int, answer: str) -> tuple[RunResult, RunResult]:
    """How the task's tests go on the original and on another answer. Kept, as it proves a tamper.

    A program is run once; only what did not run out of time is taken from what was kept.
    """
    return _tested(desk, task, task_id, task.answer), _tested(desk, task, task_id, answer)


def _tested(desk: Desk, task: Task, task_id: int, answer: str) -> RunResult:
    sha = answer_hash(answer)
    where = (ProgramRun.task_id == task_id, ProgramRun.sha256 == sha)
    with desk.store.read() as session:
        kept = session.scalar(select(ProgramRun).where(*where))
    if kept is not None and kept.data["status"] != "timeout":
        return RunResult.model_validate(kept.data)
    bounds = desk.settings
    with _turn(desk):
        verdict = certify(task, answer, timeout_s=bounds.run_timeout_s, output_bytes=OUTPUT, mode=bounds.sandbox)
    uncertain = f"not certifiable: {verdict.reason}\n" if verdict.status == "uncertain" else ""
    result = RunResult(
        status=verdict.status,
        exit_code=None,
        stdout=verdict.stdout,
        stderr=uncertain + verdict.stderr,
        seconds=round(verdict.seconds, 3),
    )
    with desk.store.write() as session:
        row = session.scalar(select(ProgramRun).where(*where).with_for_update())
        data: dict[str, Any] = result.model_dump()
        if row is None:
            session.add(ProgramRun(task_id=task_id, sha256=sha, data=data, created=desk.clock()))
        else:
            row.data = data
    return result
