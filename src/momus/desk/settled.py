"""What stands in the end: current submissions, with what re-checks said of them put in place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from momus.desk.store.tables import Assignment, Project, Submission, User
from momus.desk.submissions import current

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Settled:
    """One person's work on one assignment. `rater` is a pseudonym; `corrected` says that it is a re-checker's."""

    submission: Submission
    assignment: Assignment
    rater: str
    payload: Json
    corrected: bool = False


def pseudonyms(session: Session) -> dict[int, str]:
    return dict(session.execute(select(User.id, User.pseudonym)).all())


def settled(session: Session, project: Project, kind: str) -> list[Settled]:
    """Work of a kind, without canaries, in order.

    A re-check that rejects takes out what it was of; one that corrects puts its own in place, under the re-checker; one
    that chose between several leaves out the others. Of several re-checks of the same work the last counts.
    """
    names = pseudonyms(session)
    rows = session.execute(
        current(project.id, kind)
        .join(Assignment, Assignment.id == Submission.assignment_id)
        .where(Assignment.canary.is_(False))
        .add_columns(Assignment)
    )
    found = {made.id: Settled(made, assignment, names[made.user_id], made.payload) for made, assignment in rows}
    checks = session.execute(
        current(project.id, "recheck")
        .join(Assignment, Assignment.id == Submission.assignment_id)
        .add_columns(Assignment)
    )
    last = {tuple(assignment.payload["submissions"]): check for check, assignment in checks}
    for checked, check in last.items():
        if not all(which in found for which in checked):
            continue  # of another kind, or amended since
        verdict = check.payload["verdict"]
        kept = checked[check.payload["choice"]] if verdict == "confirmed" else None
        first = found[checked[0]]
        for which in checked:
            if which != kept:
                del found[which]
        if verdict == "corrected":
            found[checked[0]] = Settled(
                first.submission, first.assignment, names[check.user_id], check.payload["made"], corrected=True
            )
    return [found[which] for which in sorted(found)]
