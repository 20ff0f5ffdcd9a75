"""`jobs` and `events`: what takes longer, and what happens, as it happens."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Query, Request
from fastapi.responses import StreamingResponse
from sqlalchemy import func, select
from starlette.concurrency import run_in_threadpool

from momus.desk.api.deps import Body, CallerDep, DeskDep, StatsDep, caller_or_none, enter, problems
from momus.desk.auth import Caller
from momus.desk.context import Desk
from momus.desk.events import after, tell
from momus.desk.problems import Problem, conflict, not_found
from momus.desk.store.engine import UNREACHABLE
from momus.desk.store.tables import Event, Job, Project

router = APIRouter(prefix="/api/v1", tags=["progress"], responses=problems())

JobId = Annotated[str, Path(pattern=r"^[\w-]{8,32}$")]
_EVERY_S = 1.0
_QUIET = 15  # looks without news before a line is sent to keep the connection


class JobView(Body):
    """`state` is waiting, running, done, failed or cancelled; `result` depends on `what`."""

    id: str
    what: str
    state: str
    done: int
    total: int
    result: dict[str, Any] | None
    error: str | None


@router.get("/jobs/{job}")
def job(job: JobId, who: CallerDep, desk: DeskDep) -> JobView:
    """One's own jobs; who manages the project sees all of it."""
    return _shown(_seen(desk, who, job))


@router.delete("/jobs/{job}")
def cancel(job: JobId, who: CallerDep, desk: DeskDep) -> JobView:
    """Take a job back. One that runs already stops at its next step, and nothing of it is kept."""
    found = _seen(desk, who, job)
    with desk.store.write() as session:
        row = session.get_one(Job, found.id, with_for_update=True)
        if row.state not in ("waiting", "running"):
            raise conflict("ended", "This job has ended.")
        row.state, row.lease_until = "cancelled", None
        tell(session, row.project_id, "job", desk.clock(), job=row.id, state=row.state)
        return _shown(row)


def _seen(desk: Desk, who: Caller, which: str) -> Job:
    with desk.store.read() as session:
        found = session.get(Job, which)
    if found is None:
        raise not_found("job")
    if found.user_id != who.user_id:
        access = enter(desk, who, "read", Project.id == found.project_id)
        if "manage" not in access.may:
            raise not_found("job")
    return found


def _shown(found: Job) -> JobView:
    return JobView(
        id=found.id,
        what=found.what,
        state=found.state,
        done=found.done,
        total=found.total,
        result=found.result,
        error=found.error,
    )


@router.get(
    "/projects/{project}/events",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}},
)
async def events(
    request: Request,
    access: StatsDep,
    desk: DeskDep,
    last: Annotated[str | None, Header(alias="Last-Event-ID", pattern=r"^[0-9]{1,9}$")] = None,
    seconds: Annotated[int, Query(ge=0, le=3600, description="End after this long; the browser comes again.")] = 300,
) -> StreamingResponse:
    """Server-sent events of a project: counts and kinds, never names. With `Last-Event-ID` none is missed."""
    begin = int(last) if last is not None else await run_in_threadpool(_latest, desk, access.project.id)
    stream = _stream(request, desk, access.project, begin, seconds)
    return StreamingResponse(stream, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


def _latest(desk: Desk, project_id: int) -> int:
    with desk.store.read() as session:
        return session.scalar(select(func.max(Event.id)).where(Event.project_id == project_id)) or 0


def _after(desk: Desk, project_id: int, last: int) -> list[Event]:
    with desk.store.read() as session:
        return after(session, project_id, last)


def _still(request: Request, desk: Desk, project: Project) -> bool:
    """Whether whoever follows may still do so: sessions, tokens and memberships end while a stream is open."""
    try:
        who = caller_or_none(request, desk)
        return who is not None and enter(desk, who, "stats", Project.id == project.id) is not None
    except Problem:
        return False


async def _stream(request: Request, desk: Desk, project: Project, last: int, seconds: int) -> AsyncIterator[str]:
    yield "retry: 3000\n\n"
    quiet = 0
    looks = 0
    while True:
        try:
            if not await run_in_threadpool(_still, request, desk, project):
                yield "event: ended\ndata: {}\n\n"
                return
            found = await run_in_threadpool(_after, desk, project.id, last)
        except UNREACHABLE:
            yield 'event: database\ndata: {"state": "away"}\n\n'
            return
        for event in found:
            last = event.id
            yield f"id: {event.id}\nevent: {event.what}\ndata: {json.dumps(event.data)}\n\n"
        quiet = 0 if found else quiet + 1
        if quiet == _QUIET:
            quiet = 0
            yield ": still here\n\n"
        if looks * _EVERY_S >= seconds or await request.is_disconnected():
            return
        looks += 1
        await asyncio.sleep(_EVERY_S)
