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
    that chose between several leaves out the others. It is of what a person did on an assignment, and not of one
    version of that: amended, it stays rejected or corrected until another re-check says otherwise. The last one counts.
    """
    names = pseudonyms(session)
    rows = session.execute(
        current(project.id, kind)
        .join(Assignment, Assignment.id == Submission.assignment_id)
        .where(Assignment.canary.is_(False))
        .add_columns(Assignment)
    )
    made = [(submission, assignment) for submission, assignment in rows]
    found: dict[str, Settled | None] = {
        one.hold_id: Settled(one, assignment, names[one.user_id], one.payload) for one, assignment in made
    }
    as_handed_in = dict(found)
    holds = dict(
        session.execute(
            select(Submission.id, Submission.hold_id).where(
                Submission.project_id == project.id, Submission.kind == kind
            )
        ).all()
    )
    for check, checked in checks_of(session, project):
        stays = [holds[which] for which in checked if holds.get(which) in found]
        if len(stays) < len(checked):
            continue  # of another kind, or taken back since
        verdict, choice = check.payload["verdict"], check.payload["choice"]
        for i, hold in enumerate(stays):
            found[hold] = as_handed_in[hold] if verdict == "confirmed" and i == choice else None
        first = as_handed_in[stays[0]]
        if verdict == "corrected" and first is not None:
            found[stays[0]] = Settled(
                first.submission, first.assignment, names[check.user_id], check.payload["made"], corrected=True
            )
    return sorted((one for one in found.values() if one is not None), key=lambda one: one.submission.id)


def checks_of(session: Session, project: Project) -> list[tuple[Submission, tuple[int, ...]]]:
    """The re-checks that were made, in order, each with the submissions that it was of."""
    rows = session.execute(
        current(project.id, "recheck")
        .join(Assignment, Assignment.id == Submission.assignment_id)
        .add_columns(Assignment)
    )
    return [(check, tuple(assignment.payload["submissions"])) for check, assignment in rows]
