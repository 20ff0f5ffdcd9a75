"""A project whole, as JSON lines that can be imported again: every version of every submission, under pseudonyms.

Secrets, addresses, names of people, drafts and sessions are not in it. What is leased at the moment is free in it.
"""

from __future__ import annotations

import json
import secrets as random_keys
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError, StatementError
from sqlalchemy.orm import Session

from momus.desk.api.projects import new_project
from momus.desk.design import Design, design_of
from momus.desk.kinds import KINDS
from momus.desk.problems import Problem
from momus.desk.seen import keep_codes
from momus.desk.store.tables import (
    Assignment,
    Barred,
    CritiqueRow,
    Guideline,
    Hold,
    Membership,
    ProgramRun,
    Project,
    Review,
    Seat,
    Skip,
    Submission,
    TaskRow,
    User,
)
from momus.desk.texts import read_json
from momus.errors import MomusError

Json = dict[str, Any]
FORMAT = 1
_SUBMISSION = (
    "kind",
    "guideline_version",
    "schema_version",
    "arm",
    "payload",
    "makes",
    "active_ms",
    "superseded",
    "late",
    "over_time",
    "undone",
    "used",
)


def dump_project(session: Session, project: Project) -> Iterator[str]:
    """Lines of JSON, each with what it is (`type`). Ids count from 1 in the file and mean nothing elsewhere."""
    yield _line("project", format=FORMAT, name=project.name, design=design_of(project).model_dump(mode="json"))
    people: dict[int, str] = {}
    members = dict(
        session.execute(select(Membership.user_id, Membership.role).where(Membership.project_id == project.id)).all()
    )
    for user in session.scalars(
        select(User).where(User.id.in_(_workers(session, project) | set(members))).order_by(User.pseudonym)
    ):
        people[user.id] = user.pseudonym
        yield _line("person", pseudonym=user.pseudonym, role=members.get(user.id))
    for guideline in session.scalars(
        select(Guideline).where(Guideline.project_id == project.id).order_by(Guideline.version)
    ):
        yield _line("guideline", version=guideline.version, text=guideline.text, created=_at(guideline.created))
    tasks: dict[int, int] = {}
    for task in session.scalars(select(TaskRow).where(TaskRow.project_id == project.id).order_by(TaskRow.id)):
        tasks[task.id] = len(tasks) + 1
        yield _line("task", id=tasks[task.id], sha256=task.sha256, task=task.data, created=_at(task.created))
    for run in session.scalars(select(ProgramRun).where(ProgramRun.task_id.in_(tasks)).order_by(ProgramRun.id)):
        yield _line("run", task=tasks[run.task_id], sha256=run.sha256, data=run.data, created=_at(run.created))
    made = list(session.scalars(select(Submission).where(Submission.project_id == project.id).order_by(Submission.id)))
    submissions = {submission.id: number for number, submission in enumerate(made, 1)}
    holds: dict[str, int] = {}
    for assignment in session.scalars(
        select(Assignment).where(Assignment.project_id == project.id).order_by(Assignment.id)
    ):
        yield from _assignment(session, assignment, tasks, people, submissions, holds)
    for submission in made:
        yield _line(
            "submission",
            hold=holds[submission.hold_id],
            **{name: getattr(submission, name) for name in _SUBMISSION},
            supersedes=submissions.get(submission.supersedes or 0),
            created=_at(submission.created),
        )
    for c in session.scalars(select(CritiqueRow).where(CritiqueRow.project_id == project.id).order_by(CritiqueRow.id)):
        yield _line(
            "critique",
            task=tasks[c.task_id],
            sha256=c.sha256,
            maker=c.maker,
            critic=c.critic,
            author=people.get(c.author_id or 0),
            submission=submissions.get(c.submission_id or 0),
            data=c.data,
            created=_at(c.created),
        )
    for r in session.scalars(select(Review).where(Review.project_id == project.id).order_by(Review.created, Review.id)):
        yield _line(
            "review",
            id=r.id,
            person=people[r.user_id],
            name=r.name,
            task=r.task,
            critique=r.critique,
            labels=r.labels,
            created=_at(r.created),
        )


def _assignment(
    session: Session,
    assignment: Assignment,
    tasks: dict[int, int],
    people: dict[int, str],
    submissions: dict[int, int],
    holds: dict[str, int],
) -> Iterator[str]:
    seats = list(session.scalars(select(Seat).where(Seat.assignment_id == assignment.id).order_by(Seat.no)))
    barred = session.scalars(select(Barred.user_id).where(Barred.assignment_id == assignment.id))
    payload = assignment.payload
    if assignment.kind == "recheck":
        payload = {**payload, "submissions": [submissions[which] for which in payload["submissions"]]}
    yield _line(
        "assignment",
        task=tasks[assignment.task_id],
        kind=assignment.kind,
        sha256=assignment.sha256,
        overlap=assignment.overlap,
        priority=assignment.priority,
        state=assignment.state,
        payload=payload,
        gold=assignment.gold,
        canary=assignment.canary,
        created=_at(assignment.created),
        barred=sorted(people[user] for user in barred if user in people),
        seats=[
            {
                "arm": seat.arm,
                "state": "free" if seat.state == "leased" else seat.state,
                "person": people[seat.user_id] if seat.state == "submitted" and seat.user_id else None,
            }
            for seat in seats
        ],
    )
    numbers = {seat.id: seat.no for seat in seats}
    found = session.scalars(select(Hold).where(Hold.assignment_id == assignment.id))
    for hold in sorted(found, key=lambda hold: (hold.claimed, people[hold.user_id])):
        worked = session.scalar(select(Submission.id).where(Submission.hold_id == hold.id).limit(1))
        skips = list(session.scalars(select(Skip).where(Skip.hold_id == hold.id).order_by(Skip.id)))
        if worked is None and not skips:
            continue
        holds[hold.id] = len(holds) + 1
        yield _line(
            "hold",
            person=people[hold.user_id],
            seat=numbers[hold.seat_id],
            arm=hold.arm,
            claimed=_at(hold.claimed),
            active_ms=hold.active_ms,
            first_pass=hold.first_pass,
            skips=hold.skips,
            declined=hold.declined,
            done=hold.done,
            findings=hold.findings,
            reasons=[{"what": s.what, "reason": s.reason, "created": _at(s.created)} for s in skips],
        )


def load_project(session: Session, slug: str, lines: Iterable[str | bytes], now: datetime) -> Project:
    """Make a project of what `dump_project` wrote. People come back under their pseudonyms and can't log in.

    Raises MomusError where there is a project of this name, or the file is none of ours; then nothing is made.
    """
    if session.scalar(select(Project.id).where(Project.slug == slug)) is not None:
        raise MomusError(f"there is a project {slug} already: import the archive under another name")
    reader = _Reader(session, slug, now)
    try:
        for line in lines:
            row = read_json(line)
            getattr(reader, f"read_{row.pop('type')}")(row)
        reader.finish()
    except OperationalError:
        raise
    except (ValueError, LookupError, TypeError, AttributeError, AssertionError, Problem, StatementError):
        raise MomusError("this is no archive of a project, or it is damaged: export it again") from None
    if reader.project is None:
        raise MomusError("this archive is empty: export it again")
    return reader.project


def assignments_in(session: Session, project: Project) -> int:
    """How many pieces of work a project has."""
    found = select(func.count()).select_from(Assignment).where(Assignment.project_id == project.id)
    return session.scalar(found) or 0


class _Reader:
    def __init__(self, session: Session, slug: str, now: datetime) -> None:
        self._session, self._slug, self._now = session, slug, now
        self.project: Project | None = None
        self._people: dict[str, int] = {}
        self._tasks: dict[int, int] = {}
        self._holds: list[Hold] = []
        self._submissions: list[Submission] = []
        self._rechecks: list[Assignment] = []
        self._assignment: Assignment | None = None
        self._seats: list[Seat] = []

    def read_project(self, row: Json) -> None:
        if row["format"] != FORMAT:
            raise MomusError("this archive is of another version of Momus: export it with this one")
        self.project = self._add(new_project(self._slug, row["name"], Design.model_validate(row["design"]), self._now))

    def read_person(self, row: Json) -> None:
        user = self._session.scalar(select(User).where(User.pseudonym == row["pseudonym"]))
        if user is None:
            email = f"{row['pseudonym']}@imported.invalid"
            name = row["pseudonym"]
            user = self._add(User(email=email, name=name, pseudonym=name, active=False, admin=False, created=self._now))
        self._people[row["pseudonym"]] = user.id
        if row["role"] is not None:
            self._session.add(Membership(project_id=self._here, user_id=user.id, role=row["role"]))

    def read_guideline(self, row: Json) -> None:
        self._add(Guideline(project_id=self._here, **_timed(row)))

    def read_task(self, row: Json) -> None:
        number = row.pop("id")
        data = row.pop("task")
        self._tasks[number] = self._add(TaskRow(project_id=self._here, data=data, **_timed(row))).id

    def read_run(self, row: Json) -> None:
        self._add(ProgramRun(task_id=self._tasks[row.pop("task")], **_timed(row)))

    def read_assignment(self, row: Json) -> None:
        seats, barred = row.pop("seats"), row.pop("barred")
        if row["kind"] not in KINDS:
            raise ValueError("there is no such kind of work")
        made = self._add(Assignment(project_id=self._here, task_id=self._tasks[row.pop("task")], **_timed(row)))
        keep_codes(self._session, made)
        self._assignment = made
        if made.kind == "recheck":
            self._rechecks.append(made)
        self._seats = [
            self._add(
                Seat(
                    assignment_id=made.id,
                    no=no,
                    project_id=self._here,
                    kind=made.kind,
                    canary=made.canary,
                    rank=-made.priority,
                    arm=seat["arm"],
                    state=seat["state"],
                    user_id=self._people.get(seat["person"]),
                )
            )
            for no, seat in enumerate(seats)
        ]
        for person in barred:
            self._session.add(Barred(assignment_id=made.id, user_id=self._people[person]))

    def read_hold(self, row: Json) -> None:
        assert self._assignment is not None
        reasons = row.pop("reasons")
        hold = self._add(
            Hold(
                id=random_keys.token_urlsafe(16),
                assignment_id=self._assignment.id,
                user_id=self._people[row.pop("person")],
                seat_id=self._seats[row.pop("seat")].id,
                claimed=datetime.fromisoformat(row.pop("claimed")),
                draft_rev=0,
                **row,
            )
        )
        self._holds.append(hold)
        for reason in reasons:
            self._add(Skip(hold_id=hold.id, **_timed(reason)))

    def read_submission(self, row: Json) -> None:
        hold = self._holds[row.pop("hold") - 1]
        old = row.pop("supersedes")
        self._submissions.append(
            self._add(
                Submission(
                    project_id=self._here,
                    assignment_id=hold.assignment_id,
                    hold_id=hold.id,
                    user_id=hold.user_id,
                    key=f"imported-{random_keys.token_urlsafe(12)}",
                    body_sha256="",
                    supersedes=None if old is None else self._submissions[old - 1].id,
                    **_timed(row),
                )
            )
        )

    def finish(self) -> None:
        """Re-checks name submissions, which come after them in the file."""
        for made in self._rechecks:
            checked = [self._submissions[number - 1].id for number in made.payload["submissions"]]
            made.payload = {**made.payload, "submissions": checked}
        self._session.flush()

    def read_critique(self, row: Json) -> None:
        number, author = row.pop("submission"), row.pop("author")
        self._add(
            CritiqueRow(
                project_id=self._here,
                task_id=self._tasks[row.pop("task")],
                author_id=self._people.get(author),
                submission_id=None if number is None else self._submissions[number - 1].id,
                **_timed(row),
            )
        )

    def read_review(self, row: Json) -> None:
        person = self._people[row.pop("person")]
        if self._session.get(Review, row["id"]) is not None:
            row["id"] = random_keys.token_urlsafe(16)
        self._add(Review(project_id=self._here, user_id=person, **_timed(row)))

    @property
    def _here(self) -> int:
        if self.project is None:
            raise ValueError("the project comes first")
        return self.project.id

    def _add(self, row: Any) -> Any:
        self._session.add(row)
        self._session.flush()
        return row


def _workers(session: Session, project: Project) -> set[int]:
    found = select(Hold.user_id).join(Assignment, Assignment.id == Hold.assignment_id)
    reviewed = select(Review.user_id).where(Review.project_id == project.id)
    return {*session.scalars(found.where(Assignment.project_id == project.id)), *session.scalars(reviewed)}


def _timed(row: Json) -> Json:
    return {**row, "created": datetime.fromisoformat(row["created"])}


def _line(type: str, **fields: Any) -> str:
    return json.dumps({"type": type, **fields}, ensure_ascii=False) + "\n"


def _at(moment: datetime) -> str:
    return moment.isoformat()
