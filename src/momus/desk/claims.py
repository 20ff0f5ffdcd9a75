"""Seats and leases: who works on what, so that nothing is done twice and nothing that was done is lost.

A seat is leased for a while, and the lease is renewed by heartbeats. One that has run out may be given to somebody
else; until that happens it is still its holder's. The hold, with the draft in it, outlives the lease in any case.
"""

from __future__ import annotations

import hmac
import secrets
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from momus.desk.design import Design, design_of
from momus.desk.events import tell
from momus.desk.problems import conflict
from momus.desk.seen import TELLS, in_hand, tell_of
from momus.desk.store.tables import Assignment, Barred, Code, Hold, Project, Seat, Skip, User

WITH_CANARIES = ("write", "team")


def claim(session: Session, project: Project, user_id: int, kind: str, now: datetime) -> Hold | None:
    """A seat of a kind for a person: the one they have, or the first in line. None where there is nothing to do.

    Items that the person has skipped come last, and what they have declined, done or made never.
    """
    session.scalar(select(User.id).where(User.id == user_id).with_for_update())  # one claim of a person at a time
    design = design_of(project)
    mine = session.scalar(
        select(Seat)
        .where(Seat.project_id == project.id, Seat.kind == kind, Seat.user_id == user_id, Seat.state == "leased")
        .order_by(Seat.id)
        .limit(1)
    )
    seat = mine or _next(session, project, user_id, kind, now, design)
    if seat is None:
        return None
    return _sit(session, project, seat, user_id, now, design, new=mine is None)


def queue(session: Session, project: Project, user_id: int, now: datetime) -> dict[str, dict[str, int]]:
    """For each kind: how many pieces of work this person will be given (`waiting`), and holds begun (`open`).

    Canaries count as what they look like: each claim makes it one less, and each skip one more, whatever was claimed.
    """
    waiting, unseen = (_counted(session, project, user_id, now, skipped=skipped) for skipped in (True, False))
    found: dict[str, dict[str, int]] = {}
    for kind in {kind for kind, _ in waiting}:
        new, canaries = unseen.get((kind, False), 0), unseen.get((kind, True), 0)
        again = waiting.get((kind, False), 0) + waiting.get((kind, True), 0) - new - canaries
        count = new + again + _to_come(session, project, user_id, kind, new, canaries)
        if count:
            found[kind] = {"waiting": count, "open": 0}
    for kind, count in session.execute(
        select(Seat.kind, func.count())
        .where(Seat.project_id == project.id, Seat.user_id == user_id, Seat.state == "leased")
        .group_by(Seat.kind)
    ):
        found.setdefault(kind, {"waiting": 0, "open": 0})["open"] = count
    return found


def _counted(
    session: Session, project: Project, user_id: int, now: datetime, *, skipped: bool
) -> dict[tuple[str, bool], int]:
    """By kind, and of canaries apart: the assignments that this person could claim; those skipped with them, or not."""
    own = aliased(Seat)
    begun = exists().where(own.assignment_id == Seat.assignment_id, own.user_id == user_id, own.state == "leased")
    rows = session.execute(
        select(Seat.kind, Seat.canary, func.count(func.distinct(Seat.assignment_id)))
        .where(
            Seat.project_id == project.id,
            or_(Seat.state == "free", (Seat.state == "leased") & (Seat.lease_until < now)),
            *_may(user_id, skipped=skipped),
            ~begun,
        )
        .group_by(Seat.kind, Seat.canary)
    )
    return {(kind, canary): count for kind, canary, count in rows}


def _to_come(session: Session, project: Project, user_id: int, kind: str, new: int, canaries: int) -> int:
    """How many canaries this person will meet before `new` pieces of work are done."""
    every = design_of(project).canary_every
    if not canaries or kind not in WITH_CANARIES or not every:
        return 0
    place = _place(session, project, user_id, kind)
    count = 0
    while new and count < canaries:
        if _drawn(project, user_id, kind, place, every):
            count += 1
        else:
            new -= 1
        place += 1
    return count


def _place(session: Session, project: Project, user_id: int, kind: str) -> int:
    """How many pieces of work of a kind this person has been given and has not just put back."""
    there = exists().where(Seat.id == Hold.seat_id, Seat.user_id == Hold.user_id, Seat.state == "leased")
    count = (
        select(func.count())
        .select_from(Hold)
        .join(Assignment, Assignment.id == Hold.assignment_id)
        .where(Hold.user_id == user_id, Assignment.project_id == project.id, Assignment.kind == kind)
        .where(or_(Hold.done.is_(True), Hold.declined.is_(True), Hold.skips > 0, there))
    )
    return session.scalar(count) or 0


def _drawn(project: Project, user_id: int, kind: str, place: int, every: int) -> bool:
    """Whether a person's work at a place in their queue is a canary."""
    digest = hmac.digest(project.secret.encode(), f"canary/{user_id}/{kind}/{place}".encode(), "sha256")
    return int.from_bytes(digest[:8]) * every < 2**64


def _next(session: Session, project: Project, user_id: int, kind: str, now: datetime, design: Design) -> Seat | None:
    """The next seat. Canaries come among new work only, where it is drawn, so that none comes when nothing waits; one
    that was skipped comes again like all else that was skipped."""
    open_codes = in_hand(session, project.id, user_id)

    def first(*, canary: bool | None, skipped: bool) -> Seat | None:
        return _first(session, project, user_id, kind, now, open_codes, canary=canary, skipped=skipped)

    new = first(canary=False, skipped=False)
    if new is None:
        return first(canary=None, skipped=True)
    if kind in WITH_CANARIES and design.canary_every:
        # Looked for in any case: a canary takes no longer than other work.
        canary = first(canary=True, skipped=False)
        place = _place(session, project, user_id, kind)
        if canary is not None and _drawn(project, user_id, kind, place, design.canary_every):
            return canary
    return new


def _first(
    session: Session,
    project: Project,
    user_id: int,
    kind: str,
    now: datetime,
    open_codes: set[str],
    *,
    canary: bool | None,
    skipped: bool,
) -> Seat | None:
    of_kind = [Seat.project_id == project.id, Seat.kind == kind, *_may(user_id, skipped=skipped)]
    if canary is None:  # only what this person has skipped
        mine = exists().where(Hold.assignment_id == Seat.assignment_id, Hold.user_id == user_id, Hold.skips > 0)
        of_kind.append(mine)
    else:
        of_kind.append(Seat.canary.is_(canary))
    if open_codes:
        of_kind.append(~exists().where(Code.assignment_id == Seat.assignment_id, Code.sha256.in_(open_codes)))
    free = select(Seat).where(*of_kind, Seat.state == "free")
    lapsed = select(Seat).where(*of_kind, Seat.state == "leased", Seat.lease_until < now)
    expired = session.scalar(_one(lapsed))
    seat = session.scalar(_one(free))
    if expired is not None and (seat is None or expired.rank < seat.rank):
        return expired
    return seat


def _one(seats: Select[Seat]) -> Select[Seat]:
    return seats.order_by(Seat.rank, Seat.id).limit(1).with_for_update(skip_locked=True, of=Seat)


def _may(user_id: int, *, skipped: bool) -> tuple[Any, ...]:
    """Conditions on a seat that this person may take."""
    over = or_(Hold.declined.is_(True), Hold.done.is_(True), *(() if skipped else (Hold.skips > 0,)))
    mine = exists().where(Hold.assignment_id == Seat.assignment_id, Hold.user_id == user_id, over)
    barred = exists().where(Barred.assignment_id == Seat.assignment_id, Barred.user_id == user_id)
    return (~mine, ~barred)


def _sit(
    session: Session, project: Project, seat: Seat, user_id: int, now: datetime, design: Design, *, new: bool
) -> Hold:
    # A lease that was lost is written over: its holder keeps hold and draft, and may still hand in.
    seat.state, seat.user_id, seat.lease_until = "leased", user_id, now + timedelta(seconds=design.lease_s)
    held = select(Hold).where(Hold.assignment_id == seat.assignment_id, Hold.user_id == user_id)
    hold = session.scalar(held)
    if hold is None:
        hold = Hold(
            id=secrets.token_urlsafe(16),
            assignment_id=seat.assignment_id,
            user_id=user_id,
            seat_id=seat.id,
            arm=seat.arm,
            claimed=now,
            active_ms=0,
            draft_rev=0,
            skips=0,
            declined=False,
            done=False,
        )
        session.add(hold)
        session.flush()
        if seat.kind in TELLS:
            tell_of(session, hold)
    elif hold.seat_id != seat.id:
        hold.seat_id = seat.id  # its arm stays: what was seen under it can't be unseen
    if new:
        tell(session, project.id, "claimed", now, kind=seat.kind)
    session.flush()
    return hold


def seat_of(session: Session, hold: Hold) -> Seat | None:
    """The seat, where it is (still) this person's."""
    seat = session.scalar(select(Seat).where(Seat.id == hold.seat_id).with_for_update())
    return seat if seat is not None and seat.user_id == hold.user_id else None


def take_back(session: Session, hold: Hold) -> Seat | None:
    """A seat for somebody who lost theirs: a free one of the same assignment, if there is one."""
    seat = session.scalar(
        select(Seat)
        .where(Seat.assignment_id == hold.assignment_id, Seat.state == "free")
        .order_by((Seat.id != hold.seat_id), Seat.no)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    if seat is not None:
        seat.state, seat.user_id, hold.seat_id = "leased", hold.user_id, seat.id
    return seat


def heartbeat(session: Session, project: Project, hold: Hold, now: datetime, active_ms: int) -> datetime:
    """Renew a lease; whoever holds it can, even when it has run out. Returns its new end.

    Active time never falls, and never exceeds the time since the claim. Raises Problem 409 where the seat is somebody
    else's by now.
    """
    note_active(hold, now, active_ms)
    if hold.done:
        raise conflict("already-submitted", "This has been handed in.")
    seat = seat_of(session, hold) or take_back(session, hold)
    if seat is None:
        raise conflict("lease-lost", "Somebody else has this seat by now. Go on if you like: what you hand in is kept.")
    seat.lease_until = now + timedelta(seconds=design_of(project).lease_s)
    return seat.lease_until


def note_active(hold: Hold, now: datetime, active_ms: int) -> None:
    most = max(0, int((now - hold.claimed).total_seconds() * 1000))
    hold.active_ms = max(hold.active_ms, min(active_ms, most))


def save_draft(session: Session, hold: Hold, rev: int, data: dict[str, Any], now: datetime) -> int:
    """Keep a draft; returns its new revision. It needs no lease. Raises Problem 409 with what is kept, where another
    tab has saved since `rev`, or the work has been handed in."""
    if hold.done:
        raise conflict("already-submitted", "This has been handed in; take it back or amend it.")
    if rev != hold.draft_rev:
        raise conflict(
            "draft-conflict",
            "This draft was changed elsewhere, perhaps in another tab.",
            rev=hold.draft_rev,
            draft=hold.draft,
        )
    hold.draft, hold.draft_rev, hold.draft_saved = data, rev + 1, now
    return hold.draft_rev


def leave(session: Session, project: Project, hold: Hold, now: datetime, *, what: str = "", reason: str = "") -> None:
    """Put work back: `skip` it for now, `decline` it for good, or just release it. The draft is kept."""
    if hold.done:
        raise conflict("already-submitted", "This has been handed in; take it back first.")
    seat = seat_of(session, hold)
    if seat is not None and seat.state == "leased":
        gone = session.get_one(Assignment, hold.assignment_id).state == "withdrawn"
        seat.state, seat.user_id, seat.lease_until = ("void" if gone else "free"), None, None
    if what:
        hold.skips += 1
        hold.declined = hold.declined or what == "decline"
        session.add(Skip(hold_id=hold.id, what=what, reason=reason, created=now))
        tell(session, project.id, "declined" if what == "decline" else "skipped", now)
