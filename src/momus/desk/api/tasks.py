"""`tasks`, `assignments`, `critiques`: what there is to do, and what came of it."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from pydantic import Field
from sqlalchemy import select

from momus.desk.api.deps import After, Body, DeskDep, ManageDep, Most, RowId, problems
from momus.desk.assign import Seats, withdraw
from momus.desk.imports import Gold
from momus.desk.kinds import KindName
from momus.desk.problems import conflict, not_found
from momus.desk.store.tables import Assignment, CritiqueRow, Seat, TaskRow

router = APIRouter(prefix="/api/v1/projects/{project}", tags=["tasks"], responses=problems(409))


class TaskView(Body):
    id: int
    task: dict[str, Any]


class Tasks(Body):
    """`next` is the `after` of the next page; null at the end."""

    tasks: list[TaskView]
    next: int | None


class AssignmentView(Body):
    id: int
    kind: KindName
    task: int
    overlap: int
    priority: int
    state: str
    canary: bool
    seats: dict[str, int]


class Assignments(Body):
    assignments: list[AssignmentView]
    next: int | None


class ChangeAssignment(Body):
    """`withdrawn` can't be undone; whoever is at it may finish. `overlap` can be raised, and `gold` set, later."""

    priority: int | None = Field(default=None, ge=-1000, le=1000)
    withdrawn: bool = False
    overlap: int | None = Field(default=None, ge=1, le=100)
    gold: Gold | None = None


class CritiqueView(Body):
    id: int
    task: int
    maker: str
    critic: str
    critique: dict[str, Any]


class Critiques(Body):
    critiques: list[CritiqueView]
    next: int | None


@router.get("/tasks")
def tasks(access: ManageDep, desk: DeskDep, after: After = 0, most: Most = 100) -> Tasks:
    with desk.store.read() as session:
        found = session.scalars(
            select(TaskRow)
            .where(TaskRow.project_id == access.project.id, TaskRow.id > after)
            .order_by(TaskRow.id)
            .limit(most)
        )
        shown = [TaskView(id=row.id, task=row.data) for row in found]
    return Tasks(tasks=shown, next=shown[-1].id if len(shown) == most else None)


@router.get("/assignments")
def assignments(
    access: ManageDep, desk: DeskDep, kind: KindName | None = None, after: After = 0, most: Most = 100
) -> Assignments:
    with desk.store.read() as session:
        where = [Assignment.project_id == access.project.id, Assignment.id > after]
        if kind is not None:
            where.append(Assignment.kind == kind)
        found = list(session.scalars(select(Assignment).where(*where).order_by(Assignment.id).limit(most)))
        states: dict[int, dict[str, int]] = {row.id: {} for row in found}
        for seat, state in session.execute(
            select(Seat.assignment_id, Seat.state).where(Seat.assignment_id.in_(states))
        ):
            states[seat][state] = states[seat].get(state, 0) + 1
    shown = [_assignment(row, states[row.id]) for row in found]
    return Assignments(assignments=shown, next=shown[-1].id if len(shown) == most else None)


@router.patch("/assignments/{assignment}")
def change_assignment(assignment: RowId, body: ChangeAssignment, access: ManageDep, desk: DeskDep) -> AssignmentView:
    with desk.store.write() as session:
        found = session.get(Assignment, assignment)
        if found is None or found.project_id != access.project.id:
            raise not_found("assignment")
        seats = list(session.scalars(select(Seat).where(Seat.assignment_id == found.id)))
        if body.priority is not None:
            found.priority = body.priority
            for seat in seats:
                seat.rank = -body.priority
        if body.overlap is not None and body.overlap != found.overlap:
            if found.canary or not Seats(session, access.project, found.kind).raise_overlap(found, body.overlap):
                raise conflict("overlap", "The number of people can be raised, and not of what was withdrawn.")
            session.flush()
            seats = list(session.scalars(select(Seat).where(Seat.assignment_id == found.id)))
        if body.gold is not None:
            if found.kind not in ("rate", "compare") or found.canary:
                raise conflict("gold", "What is right is kept of `rate` and `compare`.")
            found.gold = body.gold.model_dump(mode="json")
        if body.withdrawn:
            if found.state == "done":
                raise conflict("done", "Everybody has handed this in.")
            withdraw(session, found)
        session.flush()
        states: dict[str, int] = {}
        for seat in seats:
            states[seat.state] = states.get(seat.state, 0) + 1
        return _assignment(found, states)


@router.get("/critiques")
def critiques(access: ManageDep, desk: DeskDep, after: After = 0, most: Most = 100) -> Critiques:
    """Critiques that people and teams wrote, and those of models that jobs sampled."""
    with desk.store.read() as session:
        found = session.scalars(
            select(CritiqueRow)
            .where(CritiqueRow.project_id == access.project.id, CritiqueRow.id > after)
            .order_by(CritiqueRow.id)
            .limit(most)
        )
        shown = [CritiqueView(id=c.id, task=c.task_id, maker=c.maker, critic=c.critic, critique=c.data) for c in found]
    return Critiques(critiques=shown, next=shown[-1].id if len(shown) == most else None)


def _assignment(row: Assignment, seats: dict[str, int]) -> AssignmentView:
    return AssignmentView(
        id=row.id,
        kind=row.kind,  # type: ignore[arg-type]  # the database holds no other
        task=row.task_id,
        overlap=row.overlap,
        priority=row.priority,
        state=row.state,
        canary=row.canary,
        seats=seats,
    )
