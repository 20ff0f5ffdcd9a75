"""Makes re-checks: of a share of somebody's work, or of work on one assignment on which people differ."""

from __future__ import annotations

import random
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from momus.desk.assign import Seats, bar
from momus.desk.kinds.recheck import Recheck
from momus.desk.problems import conflict, not_found
from momus.desk.settled import checks_of
from momus.desk.store.tables import Assignment, Project, Submission
from momus.desk.submissions import current


def recheck_share(
    session: Session, project: Project, kind: str, share: float, now: datetime, *, user_id: int | None = None
) -> int:
    """Have a share of the work of a kind looked at again; of one person, or of everybody alike. Returns how many.

    What is drawn goes by the project and the submission, so that a larger share holds the smaller one.
    """
    found = [made for made in session.scalars(current(project.id, kind)) if user_id in (None, made.user_id)]
    drawn = [m for m in found if random.Random(f"{project.secret}/recheck/{m.id}").random() < share]
    return sum(_make(session, project, [made], now) for made in drawn)


def adjudicate(session: Session, project: Project, assignment_id: int, now: datetime) -> int:
    """Have somebody decide between all that was handed in on an assignment. Raises Problem 409 with fewer than two."""
    assignment = session.get(Assignment, assignment_id)
    if assignment is None or assignment.project_id != project.id or assignment.kind == "recheck":
        raise not_found("assignment")
    found = list(session.scalars(current(project.id).where(Submission.assignment_id == assignment_id)))
    if len(found) < 2:
        raise conflict("too-few", "There is nothing to decide between: fewer than two have handed in.")
    return _make(session, project, found, now)


def _make(session: Session, project: Project, made: Iterable[Submission], now: datetime) -> int:
    made = list(made)
    assignment = session.get_one(Assignment, made[0].assignment_id)
    if assignment.canary:
        return 0
    item = Recheck(
        kind=assignment.kind,  # type: ignore[arg-type]  # the database holds no other
        item=assignment.payload,
        submissions=tuple(m.id for m in made),
        payloads=tuple(m.payload for m in made),
    )
    added = Seats(session, project, "recheck").add(item, now)
    if added is None:
        return 0
    bar(session, added, [m.user_id for m in made])
    for m in made:
        m.used = True
    return 1


def again(session: Session, project: Project, made: Submission, now: datetime) -> bool:
    """Have work looked at again that was amended after a re-check had changed or rejected it; only that lifts it."""
    holds = select(Submission.id).where(Submission.hold_id == made.hold_id)
    versions = set(session.scalars(holds))
    verdicts = [check.payload["verdict"] for check, checked in checks_of(session, project) if versions & set(checked)]
    return bool(verdicts) and verdicts[-1] != "confirmed" and bool(_make(session, project, [made], now))


def rechecked(session: Session, project: Project) -> dict[str, int]:
    """How the re-checks ended, by verdict, and how many wait."""
    found = {"confirmed": 0, "corrected": 0, "rejected": 0, "waiting": 0}
    for made in session.scalars(current(project.id, "recheck")):
        found[made.payload["verdict"]] += 1
    waiting = select(Assignment.id).where(
        Assignment.project_id == project.id, Assignment.kind == "recheck", Assignment.state == "open"
    )
    found["waiting"] = len(list(session.scalars(waiting)))
    return found
