"""Makes assignments with their seats, and says who may not sit on them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from momus.critique import Critique
from momus.desk.design import arm_of
from momus.desk.kinds import KINDS
from momus.desk.kinds.base import Json, dump_critique
from momus.desk.seen import keep_codes
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
    """The row of a task; the one that is there, where question and answer are known already.

    What that one lacks (tests, a licence) is taken from the new one, there and in the work on it.
    """
    sha = task_hash(task)
    found = session.scalar(select(TaskRow).where(TaskRow.project_id == project.id, TaskRow.sha256 == sha))
    if found is None:
        found = TaskRow(project_id=project.id, sha256=sha, data=dump(task), created=now)
        session.add(found)
        session.flush()
    elif more := {name: value for name, value in dump(task).items() if name not in found.data and name in _LATER}:
        found.data = {**found.data, **more}
        for work in session.scalars(select(Assignment).where(Assignment.task_id == found.id)):
            work.payload = _with(work.payload, work.kind, more)
        session.flush()
    return found


_LATER = ("tests", "prelude", "context", "entry_point", "group", "split", "source", "licence", "surroundings")


def _with(payload: Json, kind: str, more: Json) -> Json:
    """An item with what its task has learnt since."""
    if kind in ("tamper", "write"):
        return {**more, **payload}
    if kind in ("rate", "team", "grade"):
        return {**payload, "task": {**more, **payload["task"]}}
    return payload


class Seats:
    """Makes assignments of one kind. Counts on from the seats that there are, as arms go by the count."""

    def __init__(self, session: Session, project: Project, kind: str) -> None:
        self._session, self._project, self._kind = session, project, KINDS[kind]
        count = select(func.count()).select_from(Seat).where(Seat.project_id == project.id, Seat.kind == kind)
        self._ordinal = (session.scalar(count) or 0) if self._kind.arms else 0
        self.changed = 0  # how many that were there have got tests, gold or more seats

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
        """A new assignment with `overlap` free seats; None where the same item is there already.

        What is there gets more seats where `overlap` is higher, and `gold` and tests where they are new.
        """
        session, project, kind = self._session, self._project, self._kind
        payload = dump(item)
        sha = content_hash([payload, canary])
        before = select(TaskRow.data).where(
            TaskRow.project_id == project.id, TaskRow.sha256 == task_hash(kind.task(item))
        )
        had = session.scalar(before)
        task = keep_task(session, project, kind.task(item), now)
        same = Assignment.sha256 == sha
        if isinstance(item, Task):  # the same code with tests is no other piece of work
            same = or_(same, (Assignment.task_id == task.id) & Assignment.canary.is_(canary))
        there = session.scalar(
            select(Assignment).where(Assignment.project_id == project.id, Assignment.kind == kind.name, same).limit(1)
        )
        if there is not None:
            learnt = had is not None and had != task.data
            self.changed += any((learnt, self.raise_overlap(there, overlap), _add_gold(there, gold))) and not canary
            return None
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
        self._seat(made, range(overlap))
        bar(session, made, authors_of(session, task, critiques_in(item)))
        keep_codes(session, made)
        return made

    def raise_overlap(self, assignment: Assignment, overlap: int) -> bool:
        """Let more people do what is there. Whether there are more; fewer than before is left as it was."""
        if overlap <= assignment.overlap or assignment.canary or assignment.state == "withdrawn":
            return False
        self._seat(assignment, range(assignment.overlap, overlap))
        assignment.overlap, assignment.state = overlap, "open"
        return True

    def _seat(self, assignment: Assignment, numbers: Iterable[int]) -> None:
        for no in numbers:
            arm = arm_of(self._project, self._kind.name, self._kind.arms, self._ordinal)
            self._ordinal += 1
            self._session.add(
                Seat(
                    assignment_id=assignment.id,
                    no=no,
                    project_id=self._project.id,
                    kind=self._kind.name,
                    canary=assignment.canary,
                    rank=-assignment.priority,
                    arm=arm,
                    state="free",
                )
            )


def _add_gold(assignment: Assignment, gold: Json | None) -> bool:
    """Note what is known to be right of what is there; whether that is news."""
    if gold is None or assignment.canary or assignment.gold == gold:
        return False
    assignment.gold = gold
    return True


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
