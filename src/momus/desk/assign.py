"""Makes assignments with their seats, and says who may not sit on them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from momus.critique import Critique
from momus.desk.design import arm_of
from momus.desk.kinds import KINDS
from momus.desk.kinds.base import Json, dump_critique
from momus.desk.store.tables import Assignment, Barred, CritiqueRow, Project, Seat, Submission, TaskRow
from momus.records import Comparison, Pair, Prefilled, Record, Sampled, Task


def dump(record: Record) -> Json:
    """A record as it is kept: JSON without what is at its default."""
    data: Json = record.model_dump(mode="json", exclude_defaults=True)
    return data


def content_hash(data: object) -> str:
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()


def task_hash(task: Task) -> str:
    return content_hash([task.question, task.answer])


def critique_hash(critique: Critique) -> str:
    return content_hash(dump_critique(critique))


def keep_task(session: Session, project: Project, task: Task, now: datetime) -> TaskRow:
    """The row of a task; the one that is there, where question and answer are known already."""
    sha = task_hash(task)
    found = session.scalar(select(TaskRow).where(TaskRow.project_id == project.id, TaskRow.sha256 == sha))
    if found is None:
        found = TaskRow(project_id=project.id, sha256=sha, data=dump(task), created=now)
        session.add(found)
        session.flush()
    return found


class Seats:
    """Makes assignments of one kind. Counts on from the seats that there are, as arms go by the count."""

    def __init__(self, session: Session, project: Project, kind: str) -> None:
        self._session, self._project, self._kind = session, project, KINDS[kind]
        count = select(func.count()).select_from(Seat).where(Seat.project_id == project.id, Seat.kind == kind)
        self._ordinal = (session.scalar(count) or 0) if self._kind.arms else 0

    def add(
        self,
        item: Record,
        now: datetime,
        *,
        overlap: int = 1,
        priority: int = 0,
        gold: Json | None = None,
        canary: bool = False,
    ) -> Assignment | None:
        """A new assignment with `overlap` free seats; None where the same item is there already."""
        session, project, kind = self._session, self._project, self._kind
        payload = dump(item)
        sha = content_hash([payload, canary])
        there = select(Assignment.id).where(
            Assignment.project_id == project.id, Assignment.kind == kind.name, Assignment.sha256 == sha
        )
        if session.scalar(there) is not None:
            return None
        task = keep_task(session, project, kind.task(item), now)
        made = Assignment(
            project_id=project.id,
            task_id=task.id,
            kind=kind.name,
            sha256=sha,
            overlap=overlap,
            priority=priority,
            state="open",
            payload=payload,
            gold=gold,
            canary=canary,
            created=now,
        )
        session.add(made)
        session.flush()
        for no in range(overlap):
            arm = arm_of(project, kind.name, kind.arms, self._ordinal)
            self._ordinal += 1
            session.add(
                Seat(
                    assignment_id=made.id,
                    no=no,
                    project_id=project.id,
                    kind=kind.name,
                    canary=canary,
                    rank=-priority,
                    arm=arm,
                    state="free",
                )
            )
        bar(session, made, authors_of(session, task, critiques_in(item)))
        return made


def critiques_in(item: Record) -> tuple[Sampled, ...]:
    """The critiques that an item shows."""
    if isinstance(item, Comparison):
        return item.critiques
    if isinstance(item, Prefilled):
        return (item.critique,)
    if isinstance(item, Pair):
        return item.critiques or ()
    return ()


def authors_of(session: Session, task: TaskRow, critiques: Iterable[Sampled]) -> set[int]:
    """Who made a task (by tampering), or one of the critiques of it."""
    made = select(Submission.user_id).where(
        Submission.project_id == task.project_id, Submission.makes == task.sha256, Submission.undone.is_(False)
    )
    hashes = {critique_hash(sampled.critique) for sampled in critiques}
    wrote = select(CritiqueRow.author_id).where(CritiqueRow.task_id == task.id, CritiqueRow.sha256.in_(hashes))
    found = {*session.scalars(made), *(session.scalars(wrote) if hashes else ())}
    return {user for user in found if user is not None}


def bar(session: Session, assignment: Assignment, users: Iterable[int]) -> None:
    """Nobody rates their own tamper or critique."""
    for user in set(users):
        session.merge(Barred(assignment_id=assignment.id, user_id=user))


def withdraw(session: Session, assignment: Assignment) -> None:
    """Give out no more seats of an assignment; whoever sits on one may finish."""
    assignment.state = "withdrawn"
    for seat in session.scalars(select(Seat).where(Seat.assignment_id == assignment.id, Seat.state == "free")):
        seat.state = "void"
