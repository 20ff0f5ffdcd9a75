"""Who has seen what is wrong with a code: they never meet it, or its twin, where that is still to be found.

Grading, judging, re-checking, the second pass of a rating, one's own tamper and a canary that was handed in tell of
bugs; critiques, first passes, comparisons and judgements are to find them. A code is the same under the same question,
however its lines end.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from sqlalchemy import Select, and_, or_, select
from sqlalchemy.orm import Session, aliased

from momus.desk.store.tables import Assignment, Barred, Code, Hold, Seat

Json = dict[str, Any]
FINDS = ("write", "team", "rate", "compare", "judge")
TELLS = ("grade", "judge", "recheck")  # from the claim on


def code_hash(question: str, code: str) -> str:
    lines = [line.rstrip() for line in code.strip().splitlines()]
    return hashlib.sha256(json.dumps([question.strip(), lines]).encode()).hexdigest()


def codes_of(kind: str, payload: Json, gold: Json | None) -> dict[str, bool]:
    """The codes that an item is about, by hash, and whether they are shown; of what is stored, as it is stored."""
    if kind == "recheck":
        return codes_of(payload["kind"], payload["item"], None)
    if kind in ("compare", "judge"):
        return {code_hash(payload["question"], answer): True for answer in payload["answers"]}
    task = payload["task"] if kind in ("rate", "team", "grade") else payload
    found = {code_hash(task["question"], task["answer"]): True}
    twin = payload.get("twin") or (gold or {}).get("twin")
    if twin:
        found.setdefault(code_hash(task["question"], twin), False)
    return found


def keep_codes(session: Session, assignment: Assignment) -> None:
    """Note what a new assignment is about, and bar from it whoever knows what is to be found there."""
    for sha, shown in codes_of(assignment.kind, assignment.payload, assignment.gold).items():
        session.add(Code(assignment_id=assignment.id, sha256=sha, shown=shown))
    session.flush()
    if assignment.kind in FINDS:
        _bar(session, _knowing().where(_Found.id == assignment.id))


def tell_of(session: Session, hold: Hold) -> None:
    """Somebody has been told what is wrong with the code of an assignment."""
    _bar(session, _knowing().where(_Told.id == hold.assignment_id, Hold.user_id == hold.user_id))


def bar_from_code(session: Session, project_id: int, user_id: int, sha: str) -> None:
    """Somebody knows of this very code what is wrong with it."""
    found = select(Assignment.id).join(Code, Code.assignment_id == Assignment.id)
    where = (Assignment.project_id == project_id, Assignment.kind.in_(FINDS), Code.sha256 == sha, Code.shown.is_(True))
    for assignment in set(session.scalars(found.where(*where))):
        session.merge(Barred(assignment_id=assignment, user_id=user_id))


def told_since(session: Session, hold: Hold, kind: str) -> bool:
    """Whether somebody has learnt since they began what they were to find."""
    return kind in FINDS and session.get(Barred, (hold.assignment_id, hold.user_id)) is not None


def in_hand(session: Session, project_id: int, user_id: int) -> set[str]:
    """The codes that somebody has open just now: none of them is given out a second time meanwhile."""
    found = select(Code.sha256).join(Seat, Seat.assignment_id == Code.assignment_id)
    mine = (Seat.project_id == project_id, Seat.user_id == user_id, Seat.state == "leased")
    return set(session.scalars(found.where(*mine)))


_Told, _Found = aliased(Assignment), aliased(Assignment)


def _knowing() -> Select[int, int]:
    """Assignments where something is to be found, each with somebody who knows it from elsewhere."""
    of_told, of_found = aliased(Code), aliased(Code)
    told = or_(
        _Told.kind.in_(TELLS),
        and_(_Told.kind == "rate", Hold.first_pass.is_not(None)),
        and_(or_(_Told.kind == "tamper", _Told.canary.is_(True)), Hold.done.is_(True)),
    )
    return (
        select(_Found.id, Hold.user_id)
        .distinct()
        .select_from(Hold)
        .join(_Told, _Told.id == Hold.assignment_id)
        .join(of_told, of_told.assignment_id == _Told.id)
        .join(of_found, and_(of_found.sha256 == of_told.sha256, of_found.shown.is_(True)))
        .join(_Found, _Found.id == of_found.assignment_id)
        .where(_Found.project_id == _Told.project_id, _Found.id != _Told.id, _Found.kind.in_(FINDS), told)
    )


def _bar(session: Session, knowing: Select[int, int]) -> None:
    for assignment, user in session.execute(knowing).all():
        session.merge(Barred(assignment_id=assignment, user_id=user))
