"""`submissions`: what one has handed in; take it back, or amend it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Header, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from momus.desk import submissions
from momus.desk.api.deps import After, Body, DeskDep, Most, OwnDep, ReadDep, problems, sent
from momus.desk.blinding import Eye
from momus.desk.canaries import told
from momus.desk.design import design_of
from momus.desk.kinds import KindName
from momus.desk.rechecks import again
from momus.desk.store.tables import Assignment, Hold, Project, Submission

router = APIRouter(prefix="/api/v1", tags=["work"], responses=problems(409))

Key = Annotated[str, Header(alias="Idempotency-Key", min_length=8, max_length=200, pattern=r"^[\x21-\x7e]+$")]


class CanaryView(Body):
    """It was a known bug: whether it was caught, where it was, and the clean code."""

    caught: bool
    bugs: list[dict[str, Any]]
    twin: str


class SubmissionView(Body):
    """`form` is what was handed in, as a form of the kind. `state` is current, superseded or undone."""

    id: int
    seat: str
    kind: KindName
    state: str
    late: bool
    over_time: bool
    guideline: int | None
    active_ms: int
    made: datetime
    form: dict[str, Any]
    canary: CanaryView | None = None


class Submissions(Body):
    submissions: list[SubmissionView]
    next: int | None


class Amend(Body):
    form: dict[str, Any]


class Taken(Body):
    """The seat has its draft back."""

    seat: str


@router.get("/projects/{project}/submissions")
def own(access: ReadDep, desk: DeskDep, after: After = 0, most: Most = 50) -> Submissions:
    """What one has handed in oneself, in order. Nobody sees what others did here."""
    with desk.store.read() as session:
        found = session.scalars(
            select(Submission)
            .where(
                Submission.project_id == access.project.id,
                Submission.user_id == access.user_id,
                Submission.id > after,
            )
            .order_by(Submission.id)
            .limit(most)
        )
        shown = [shown_submission(session, access.project, made) for made in found]
    return Submissions(submissions=shown, next=shown[-1].id if len(shown) == most else None)


@router.get("/submissions/{submission}")
def one(at: OwnDep, desk: DeskDep) -> SubmissionView:
    with desk.store.read() as session:
        return shown_submission(session, at[0].project, session.get_one(Submission, at[1]))


@router.post("/submissions/{submission}/undo")
def undo(at: OwnDep, desk: DeskDep) -> Taken:
    """Take it back, for ten minutes or until something was made of it."""
    access, which = at
    lease = timedelta(seconds=design_of(access.project).lease_s)
    with desk.store.write() as session:
        made = _locked(session, which)
        hold = submissions.undo(session, access.project, made, desk.clock(), desk.settings.undo_minutes, lease)
        return Taken(seat=hold.id)


@router.post("/submissions/{submission}/amend", status_code=201, response_model=SubmissionView)
def amend(body: Amend, key: Key, at: OwnDep, desk: DeskDep) -> Response:
    """Hand in anew. What was handed in first is kept, as superseded."""
    access, which = at
    with desk.store.write() as session:
        made = submissions.amend(session, access.project, _locked(session, which), key, body.form, desk.clock())
        again(session, access.project, made, desk.clock())
        return sent(shown_submission(session, access.project, made), 201)


def shown_submission(session: Session, project: Project, made: Submission) -> SubmissionView:
    hold = session.get_one(Hold, made.hold_id)
    kind, assignment, item, eye = submissions.opened(session, project, hold)
    return SubmissionView(
        id=made.id,
        seat=hold.id,
        kind=kind.name,
        state="undone" if made.undone else "superseded" if made.superseded else "current",
        late=made.late,
        over_time=made.over_time,
        guideline=made.guideline_version,
        active_ms=made.active_ms,
        made=made.created,
        form=kind.show(made.payload, item, eye),
        canary=_canary(assignment, made, eye),
    )


def _canary(assignment: Assignment, made: Submission, eye: Eye) -> CanaryView | None:
    return CanaryView(**told(assignment, made, eye)) if assignment.canary else None


def _locked(session: Session, which: int) -> Submission:
    return session.scalars(select(Submission).where(Submission.id == which).with_for_update()).one()
