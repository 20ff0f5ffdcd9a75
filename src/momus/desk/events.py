"""What happened in a project, for whoever follows along: counts and kinds, never names or texts."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from momus.desk.store.tables import Event

KEPT = timedelta(days=2)


def tell(session: Session, project_id: int, what: str, now: datetime, **data: Any) -> None:
    session.add(Event(project_id=project_id, what=what, data=data, created=now))


def after(session: Session, project_id: int, last: int, most: int = 200) -> list[Event]:
    """Events after one, in order."""
    found = select(Event).where(Event.project_id == project_id, Event.id > last).order_by(Event.id).limit(most)
    return list(session.scalars(found))


def forget(session: Session, now: datetime) -> None:
    """Drop what nobody follows any more. The last one stays: SQLite counts on from it, and followers know its id."""
    last = select(func.max(Event.id)).scalar_subquery()
    session.execute(delete(Event).where(Event.created < now - KEPT, Event.id < last))
