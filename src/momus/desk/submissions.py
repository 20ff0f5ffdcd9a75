"""Handing in, taking back, amending. What was handed in is added to and never overwritten."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from pydantic import ValidationError
from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from momus.desk.assign import authors_of, bar, content_hash, critique_hash, dump, keep_task, task_hash
from momus.desk.blinding import Eye, eye_of
from momus.desk.canaries import after_submission
from momus.desk.claims import note_active, seat_of, take_back
from momus.desk.design import design_of
from momus.desk.events import tell
from momus.desk.kinds import KINDS, Form, Kind, Known, Refused
from momus.desk.kinds.tamper import answer_hash
from momus.desk.problems import Problem, conflict, invalid, wrong
from momus.desk.seen import bar_from_code, code_hash, tell_of, told_since
from momus.desk.store.tables import (
    Assignment,
    CritiqueRow,
    Guideline,
    Hold,
    ProgramRun,
    Project,
    Seat,
    Submission,
    TaskRow,
)
from momus.records import Sampled, Tamper

Json = dict[str, Any]


def opened(session: Session, project: Project, hold: Hold) -> tuple[Kind, Assignment, Any, Eye]:
    """What a hold is about: its kind, assignment and item, and how this person sees it."""
    assignment = session.get_one(Assignment, hold.assignment_id)
    kind = KINDS[assignment.kind]
    item = kind.item.model_validate(assignment.payload)
    names = {*kind.critics(item), *design_of(project).names}
    eye = eye_of(project.secret, assignment.id, hold.user_id, kind.parts(item), names=names, arm=hold.arm)
    return kind, assignment, item, eye


def parse_form(kind: Kind, body: Json) -> Form:
    """Raises Problem 422 where a body is no form of the kind."""
    try:
        return kind.form.model_validate(body)
    except ValidationError as error:
        raise invalid(
            *(
                wrong("/" + "/".join(str(part) for part in e["loc"]), e["type"].replace("_", "-"), e["msg"])
                for e in error.errors()
            )
        ) from None


def first_pass(session: Session, project: Project, hold: Hold, body: Json, now: datetime) -> None:
    """Make the first pass, after which the reference bug is shown. The same again changes nothing.

    Raises Problem 409 on another one: what was said before the bug was shown stays said.
    """
    kind, _, item, eye = opened(session, project, hold)
    if kind.passes < 2:
        raise conflict("one-pass", f"Work of the kind {kind.name} has one pass.")
    try:
        made = kind.first(parse_form(kind, body), item, eye)
    except Refused as refused:
        raise invalid(*refused.errors) from None
    if hold.first_pass is not None and hold.first_pass != made:
        raise conflict("first-pass-made", "The first pass is made, and the bug has been shown: it can't be changed.")
    hold.first_pass = made
    session.flush()
    tell_of(session, hold)


def submit(
    session: Session, project: Project, hold: Hold, key: str, body: Json, now: datetime, active_ms: int = 0
) -> Submission:
    """Hand in. The same key with the same body gives what was stored the first time; with another body, Problem 422.

    Where the seat has gone to somebody else and no other is free, the submission is kept as `late`.
    """
    sha = content_hash([hold.id, body])
    again = _replayed(session, hold.user_id, key, sha)
    if again is not None:
        return again
    if hold.done:
        raise conflict("already-submitted", "This has been handed in; amend it instead.")
    kind, assignment, item, eye = opened(session, project, hold)
    _not_told(session, hold, kind)
    payload = _stored(session, kind, assignment, item, eye, hold, body)
    note_active(hold, now, active_ms)
    seat = seat_of(session, hold) or take_back(session, hold)
    made = _add(session, project, hold, assignment, key, sha, payload, now)
    made.late = seat is None
    limit = timedelta(seconds=design_of(project).judge_limit_s)
    made.over_time = kind.name == "judge" and now - hold.claimed > limit
    if seat is not None:
        seat.state, seat.lease_until = "submitted", None
    hold.done, hold.draft = True, None
    _effects(session, project, made, kind, item, now)
    session.flush()
    _close(session, assignment)
    after_submission(session, project, assignment, made)
    if assignment.canary or kind.name == "tamper":
        tell_of(session, hold)
    tell(session, project.id, "submitted", now, kind=kind.name, late=made.late)
    return made


def amend(session: Session, project: Project, old: Submission, key: str, body: Json, now: datetime) -> Submission:
    """Hand in anew what was handed in. The old one stays, superseded."""
    hold = session.get_one(Hold, old.hold_id)
    sha = content_hash([hold.id, body])
    again = _replayed(session, old.user_id, key, sha)
    if again is not None:
        return again
    if old.undone or old.superseded:
        raise conflict("not-current", "This was taken back, or amended since.")
    kind, assignment, item, eye = opened(session, project, hold)
    if assignment.canary:
        raise conflict("revealed", "This was a known bug, which you have been shown since.")
    _not_told(session, hold, kind)
    payload = _stored(session, kind, assignment, item, eye, hold, body)
    made = _add(session, project, hold, assignment, key, sha, payload, now)
    made.supersedes, made.late, made.over_time, made.active_ms = old.id, old.late, old.over_time, old.active_ms
    old.superseded = True
    _undo_effects(session, old)
    session.flush()
    _effects(session, project, made, kind, item, now)
    tell(session, project.id, "amended", now, kind=kind.name)
    return made


def undo(session: Session, project: Project, made: Submission, now: datetime, minutes: int, lease: timedelta) -> Hold:
    """Take back what was handed in, with all of it in the draft. Raises Problem 409 when it is too late for that."""
    if made.undone or made.superseded:
        raise conflict("not-current", "This was taken back, or amended since.")
    if made.used:
        raise conflict("used", "Something has been made of this already: amend it instead.")
    if now - made.created > timedelta(minutes=minutes):
        raise conflict("too-late", f"That was more than {minutes} minutes ago: amend it instead.")
    hold = session.get_one(Hold, made.hold_id)
    kind, assignment, item, eye = opened(session, project, hold)
    made.undone = True
    _undo_effects(session, made)
    hold.done = False
    hold.draft, hold.draft_rev, hold.draft_saved = kind.show(made.payload, item, eye), hold.draft_rev + 1, now
    seat = session.scalar(select(Seat).where(Seat.id == hold.seat_id, Seat.user_id == hold.user_id))
    if seat is not None:
        seat.state, seat.lease_until = "leased", now + lease
        if assignment.state == "done":
            assignment.state = "open"
    tell(session, project.id, "undone", now, kind=kind.name)
    return hold


def current(project_id: int, kind: str | None = None) -> Any:
    """What counts: neither taken back nor superseded, in order. Late work counts."""
    found = select(Submission).where(
        Submission.project_id == project_id, Submission.undone.is_(False), Submission.superseded.is_(False)
    )
    return (found.where(Submission.kind == kind) if kind else found).order_by(Submission.id)


def _not_told(session: Session, hold: Hold, kind: Kind) -> None:
    if told_since(session, hold, kind.name):
        raise conflict(
            "told-since",
            "You have seen since, in other work, what is wrong with this code: your view of it can't count any more. "
            "Skip it.",
        )


def _replayed(session: Session, user_id: int, key: str, sha: str) -> Submission | None:
    before = session.scalar(select(Submission).where(Submission.user_id == user_id, Submission.key == key))
    if before is not None and before.body_sha256 != sha:
        raise Problem(422, "key-reused", "The Idempotency-Key was used", "It came with another body before.")
    return before


def _stored(session: Session, kind: Kind, assignment: Assignment, item: Any, eye: Eye, hold: Hold, body: Json) -> Json:
    form = parse_form(kind, body)
    known = Known()
    if kind.name == "tamper":
        runs = session.scalars(select(ProgramRun).where(ProgramRun.task_id == assignment.task_id))
        missed = (hold.findings or {}).get(answer_hash(getattr(form, "answer", "")))
        known = Known({run.sha256: run.data for run in runs}, missed)
    try:
        return kind.store(form, item, eye, known, hold.first_pass)
    except Refused as refused:
        raise invalid(*refused.errors) from None


def _add(
    session: Session,
    project: Project,
    hold: Hold,
    assignment: Assignment,
    key: str,
    sha: str,
    payload: Json,
    now: datetime,
) -> Submission:
    guideline = select(Guideline.version).where(Guideline.project_id == project.id).order_by(Guideline.version.desc())
    made = Submission(
        project_id=project.id,
        kind=assignment.kind,
        assignment_id=assignment.id,
        hold_id=hold.id,
        user_id=hold.user_id,
        key=key,
        body_sha256=sha,
        guideline_version=session.scalar(guideline.limit(1)),
        schema_version=1,
        arm=hold.arm,
        payload=payload,
        active_ms=hold.active_ms,
        superseded=False,
        late=False,
        over_time=False,
        undone=False,
        used=False,
        created=now,
    )
    session.add(made)
    session.flush()
    return made


def _effects(session: Session, project: Project, made: Submission, kind: Kind, item: Any, now: datetime) -> None:
    assignment = session.get_one(Assignment, made.assignment_id)
    if kind.name == "tamper":
        task = keep_task(session, project, Tamper.model_validate(made.payload["tamper"]).task, now)
        made.makes = task.sha256
        tampered = made.payload["tamper"]["task"]
        bar_from_code(session, project.id, made.user_id, code_hash(tampered["question"], tampered["answer"]))
        for other in session.scalars(select(Assignment).where(Assignment.task_id == task.id)):
            bar(session, other, [made.user_id])
    if kind.name in ("write", "team") and not assignment.canary:
        task = session.get_one(TaskRow, assignment.task_id)
        sampled = written(made, item)
        sha = critique_hash(sampled.critique)
        there = select(exists().where(CritiqueRow.task_id == task.id, CritiqueRow.sha256 == sha))
        if not session.scalar(there):
            session.add(
                CritiqueRow(
                    project_id=project.id,
                    task_id=task.id,
                    sha256=sha,
                    maker="human" if kind.name == "write" else "team",
                    critic=sampled.critic,
                    author_id=made.user_id,
                    submission_id=made.id,
                    data=dump(sampled),
                    created=now,
                )
            )
            session.flush()
        for other in session.scalars(
            select(Assignment).where(Assignment.task_id == task.id, Assignment.id != assignment.id)
        ):
            from_it = KINDS[other.kind].item.model_validate(other.payload)
            if critique_hash(sampled.critique) in _hashes(from_it):
                bar(session, other, authors_of(session, task, [sampled]))


def written(made: Submission, item: Any, payload: Json | None = None) -> Sampled:
    """The critique that a submission of `write` or `team` holds, or its correction. A team's critic: `human+CRITIC`."""
    critic = "human" if made.kind == "write" else f"human+{item.critique.critic}"
    task_id = item.id if made.kind == "write" else item.task.id
    return Sampled.model_validate(
        {"task_id": task_id, "critic": critic, "critique": {"comments": (payload or made.payload)["comments"]}}
    )


def _hashes(item: Any) -> set[str]:
    from momus.desk.assign import critiques_in

    return {critique_hash(sampled.critique) for sampled in critiques_in(item)}


def _undo_effects(session: Session, made: Submission) -> None:
    made.makes = None
    for row in session.scalars(select(CritiqueRow).where(CritiqueRow.submission_id == made.id)):
        session.delete(row)


def _close(session: Session, assignment: Assignment) -> None:
    left = select(exists().where(Seat.assignment_id == assignment.id, Seat.state.in_(("free", "leased"))))
    if assignment.state == "open" and not session.scalar(left):
        assignment.state = "done"


__all__ = ["amend", "current", "dump", "first_pass", "opened", "parse_form", "submit", "task_hash", "undo", "written"]
