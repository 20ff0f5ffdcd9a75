"""`queue` and `seats`: the work itself. A seat's id is its holder's alone; everybody else gets 404."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Header, Response
from pydantic import Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from momus.desk import claims, jobs, submissions
from momus.desk.api.deps import (
    Body,
    CallerDep,
    DeskDep,
    HoldAccess,
    HoldDep,
    Long,
    ReadDep,
    SlugPath,
    enter,
    problems,
    sent,
)
from momus.desk.api.submissions import SubmissionView, shown_submission
from momus.desk.api.views import View
from momus.desk.blinding import ShownComment
from momus.desk.context import Desk
from momus.desk.design import design_of
from momus.desk.kinds import KindName, Refused
from momus.desk.kinds.base import CODE
from momus.desk.kinds.tamper import BugForm, TamperForm, check_tamper
from momus.desk.observe import log
from momus.desk.problems import Problem, conflict, invalid, wrong
from momus.desk.programs import RunResult, run_answer, run_program
from momus.desk.store.tables import Assignment, Hold, Project, Seat, TaskRow
from momus.records import Task

router = APIRouter(prefix="/api/v1", tags=["work"], responses=problems(409))

Key = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        min_length=8,
        max_length=200,
        pattern=r"^[\x21-\x7e]+$",
        description="Made once for each submission: sent again, nothing happens twice.",
    ),
]
Rev = Annotated[str, Header(alias="If-Match", pattern=r'^"?[0-9]{1,9}"?$', description="The revision one has seen.")]


class KindQueue(Body):
    waiting: int
    open: int


class Queue(Body):
    """By kind: what one could take, and what one has begun. `guideline` is the version in force."""

    kinds: dict[KindName, KindQueue]


class Draft(Body):
    """`data` is the page's own; null when nothing has been kept."""

    rev: int
    data: dict[str, Any] | None
    saved: datetime | None


class SeatView(Body):
    """`state` is leased, lost (somebody else has it by now; what is handed in is kept) or submitted.

    `view` depends on `kind`. `deadline` is there where the time is limited.
    """

    id: str
    kind: KindName
    state: str
    lease_until: datetime | None
    deadline: datetime | None
    active_ms: int
    first_pass: dict[str, Any] | None
    draft: Draft
    view: View


class Beat(Body):
    active_ms: int = Field(
        default=0, ge=0, le=2**31 - 1, description="Time at this item so far, as the page counts it."
    )


class Lease(Body):
    lease_until: datetime
    active_ms: int


class SaveDraft(Body):
    data: dict[str, Any]


class Saved(Body):
    rev: int


class Reason(Body):
    reason: Annotated[Long, Field(min_length=1, max_length=2000)]


class Submit(Body):
    """`form` is the kind's own: see the schemas TamperForm, RateForm, CritiqueForm, CompareForm, JudgeForm, GradeForm
    and RecheckForm."""

    form: dict[str, Any]
    active_ms: int = Field(default=0, ge=0, le=2**31 - 1)


class FirstPass(Body):
    form: dict[str, Any]


class RunRequest(Body):
    """Either a tampered `answer`, to run the task's tests on it and on the original, or a `program` of one's own."""

    answer: str | None = Field(default=None, max_length=CODE)
    program: str | None = Field(default=None, max_length=CODE)


class RunView(Body):
    original: RunResult | None = None
    answer: RunResult | None = None
    program: RunResult | None = None


class AdversaryRequest(Body):
    answer: str = Field(max_length=CODE)
    bugs: list[BugForm] = Field(min_length=1, max_length=20)


class AdversaryCritique(Body):
    """`missed[i]` says that no comment touches bug i."""

    comments: list[ShownComment]
    missed: list[bool]
    failed: bool


class JobStarted(Body):
    """Follow it under `/jobs/{id}`."""

    job: str


@router.get("/projects/{project}/queue")
def queue(access: ReadDep, desk: DeskDep) -> Queue:
    with desk.store.read() as session:
        found = claims.queue(session, access.project, access.user_id, desk.clock())
    if "recheck" not in access.may:
        found.pop("recheck", None)
    return Queue(kinds={kind: KindQueue(**counts) for kind, counts in found.items()})  # type: ignore[misc]


@router.post(
    "/projects/{project}/queue/{kind}/claim",
    response_model=SeatView,
    responses={204: {"description": "There is nothing to do"}},
)
def claim(project: SlugPath, kind: KindName, who: CallerDep, desk: DeskDep) -> Response:
    """A seat: the one begun, or the next. Asking twice gives the same one. 204 where there is none.

    409 `unreadable`, with `seat`, where what is stored of it can't be shown: skip that seat.
    """
    access = enter(desk, who, "recheck" if kind == "recheck" else "work", Project.slug == project)
    desk.limiter.take("claim", str(access.user_id), desk.settings.claims_per_minute)
    now = desk.clock()
    with desk.store.write() as session:
        hold = claims.claim(session, access.project, access.user_id, kind, now)
        if hold is None:
            return Response(status_code=204)
        found = _readable(session, access.project, hold)
    if isinstance(found, Problem):  # the claim stands, so that it can be skipped
        raise found
    return found


@router.get("/seats/{seat}", response_model=SeatView)
def seat(at: HoldDep, desk: DeskDep) -> Response:
    """What one has in hand, with the draft; also after the lease was lost. 409 `unreadable` as with a claim."""
    with desk.store.read() as session:
        found = _readable(session, at.access.project, session.get_one(Hold, at.hold_id))
    if isinstance(found, Problem):
        raise found
    return found


@router.put("/seats/{seat}/heartbeat")
def heartbeat(body: Beat, at: HoldDep, desk: DeskDep) -> Lease:
    """Every minute: renews the lease. 409 `lease-lost` where somebody else has the seat by now; go on all the same."""
    with desk.store.write() as session:
        hold = _locked(session, at)
        until = claims.heartbeat(session, at.access.project, hold, desk.clock(), body.active_ms)
        return Lease(lease_until=until, active_ms=hold.active_ms)


@router.get("/seats/{seat}/draft")
def draft(at: HoldDep, desk: DeskDep) -> Draft:
    with desk.store.read() as session:
        return _draft(session.get_one(Hold, at.hold_id))


@router.put("/seats/{seat}/draft")
def save_draft(body: SaveDraft, rev: Rev, at: HoldDep, desk: DeskDep) -> Saved:
    """Keep a draft. 409 `draft-conflict`, with the draft that is kept and its `rev`, where another tab was faster."""
    with desk.store.write() as session:
        hold = _locked(session, at)
        return Saved(rev=claims.save_draft(session, hold, int(rev.strip('"')), body.data, desk.clock()))


@router.post("/seats/{seat}/first-pass", response_model=SeatView)
def first_pass(body: FirstPass, at: HoldDep, desk: DeskDep) -> Response:
    """Rate before the reference bug is shown. The answer shows it; the first pass can't be changed after that."""
    with desk.store.write() as session:
        hold = _locked(session, at)
        submissions.first_pass(session, at.access.project, hold, body.form, desk.clock())
        return sent(_seat(session, at.access.project, hold))


@router.post("/seats/{seat}/run")
def run(body: RunRequest, at: HoldDep, desk: DeskDep) -> RunView:
    """Run code in the sandbox. 503 where the desk's machine has none."""
    desk.limiter.take("run", str(at.access.user_id), desk.settings.runs_per_minute)
    if (body.answer is None) == (body.program is None):
        raise invalid(wrong("", "one-of", "Give either an answer or a program."))
    if body.program is not None:
        return RunView(program=run_program(desk, body.program))
    task, task_id = _tampered(desk, at)
    assert body.answer is not None
    if task.tests is None:
        raise conflict("no-tests", "This task has no tests: run a program of your own.")
    original, answer = run_answer(desk, task, task_id, body.answer)
    return RunView(original=original, answer=answer)


@router.post("/seats/{seat}/adversary", status_code=202)
def adversary(body: AdversaryRequest, at: HoldDep, desk: DeskDep) -> JobStarted:
    """Ask the current critic for three critiques of a tampered answer: a bug should be missed at least once.

    The job's result holds `critiques` (AdversaryCritique) and `missed_once`, for each bug whether that is met.
    """
    desk.limiter.take("critic", str(at.access.user_id), desk.settings.runs_per_minute)
    task, _ = _tampered(desk, at)
    try:
        check_tamper(TamperForm(answer=body.answer, bugs=body.bugs), task)
    except Refused as refused:
        raise invalid(*refused.errors) from None
    params = {"hold": at.hold_id, **body.model_dump(mode="json")}
    with desk.store.write() as session:
        job = jobs.start(
            session, at.access.project, at.access.user_id, "adversary", params, desk.clock(), size=3 * len(body.answer)
        )
    desk.woken()
    return JobStarted(job=job.id)


@router.post("/seats/{seat}/submit", status_code=201, response_model=SubmissionView)
def submit(body: Submit, key: Key, at: HoldDep, desk: DeskDep) -> Response:
    """Hand in. `late` in the answer says that the seat was somebody else's by then; the work is kept all the same."""
    with desk.store.write() as session:
        hold = _locked(session, at)
        made = submissions.submit(
            session, at.access.project, hold, key, body.form, desk.clock(), active_ms=body.active_ms
        )
        shown = sent(shown_submission(session, at.access.project, made), 201)
    desk.metrics.submissions.labels(made.kind, str(made.late).lower()).inc()
    return shown


@router.post("/seats/{seat}/release", status_code=204)
def release(at: HoldDep, desk: DeskDep) -> None:
    """Put it back; the draft is kept for the next time."""
    _leave(desk, at, "", "")


@router.post("/seats/{seat}/skip", status_code=204)
def skip(body: Reason, at: HoldDep, desk: DeskDep) -> None:
    """Put it back for now, and say why; it comes again when all else is done."""
    _leave(desk, at, "skip", body.reason)


@router.post("/seats/{seat}/decline", status_code=204)
def decline(body: Reason, at: HoldDep, desk: DeskDep) -> None:
    """Never see it again, and say why."""
    _leave(desk, at, "decline", body.reason)


def _leave(desk: Desk, at: HoldAccess, what: str, reason: str) -> None:
    with desk.store.write() as session:
        claims.leave(session, at.access.project, _locked(session, at), desk.clock(), what=what, reason=reason)


def _locked(session: Session, at: HoldAccess) -> Hold:
    return session.scalars(select(Hold).where(Hold.id == at.hold_id).with_for_update()).one()


def _tampered(desk: Desk, at: HoldAccess) -> tuple[Task, int]:
    with desk.store.read() as session:
        hold = session.get_one(Hold, at.hold_id)
        assignment = session.get_one(Assignment, hold.assignment_id)
        row = session.get_one(TaskRow, assignment.task_id)
    if assignment.kind != "tamper":
        raise conflict("not-here", "That goes with tampering.")
    return Task.model_validate(row.data), row.id


def _draft(hold: Hold) -> Draft:
    return Draft(rev=hold.draft_rev, data=hold.draft, saved=hold.draft_saved)


def _readable(session: Session, project: Project, hold: Hold) -> Response | Problem:
    """The seat as bytes, or what to say where what is stored of it can't be shown: nobody's queue ends there."""
    try:
        return sent(_seat(session, project, hold))
    except (ValueError, KeyError, TypeError, IndexError) as error:
        log("unreadable", assignment=hold.assignment_id, error=type(error).__name__)
    detail = "What is stored of this piece of work can't be shown. Skip it, and tell who runs the project."
    return conflict("unreadable", detail, seat=hold.id)


def _seat(session: Session, project: Project, hold: Hold) -> SeatView:
    kind, _, item, eye = submissions.opened(session, project, hold)
    found = session.get(Seat, hold.seat_id)
    mine = found is not None and found.user_id == hold.user_id
    limit = design_of(project).judge_limit_s
    first = None if hold.first_pass is None else kind.show(hold.first_pass, item, eye)
    return SeatView(
        id=hold.id,
        kind=kind.name,
        state="submitted" if hold.done else "leased" if mine else "lost",
        lease_until=found.lease_until if found is not None and mine else None,
        deadline=hold.claimed + timedelta(seconds=limit) if kind.name == "judge" else None,
        active_ms=hold.active_ms,
        first_pass=first,
        draft=_draft(hold),
        view=kind.view(item, eye, hold.first_pass),  # type: ignore[arg-type]
    )
