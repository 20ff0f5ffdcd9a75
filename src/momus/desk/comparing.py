"""From what people made to what people rate: the critic's critiques of tampers, and comparisons of all there are."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from momus.desk.assign import Seats, critique_hash, dump, keep_task
from momus.desk.context import Desk
from momus.desk.jobs import Json, Report
from momus.desk.record_files import tampers_of
from momus.desk.settled import settled
from momus.desk.store.tables import CritiqueRow, Project
from momus.errors import MomusError
from momus.raters.compare import Mix, build
from momus.records import Sampled, Tamper, Task, versioned


def comparisons(desk: Desk, project: Project, user_id: int, params: Json, report: Report) -> Json:
    """Sample the critic on every tampered answer, and make `rate` assignments of that with what people wrote.

    `n` critiques each, `size` in a comparison (the gold one among them), `overlap` people each. The tampers are used
    from then on: their authors can't take them back, and don't rate them. The same again adds nothing.
    """
    with desk.store.read() as session:
        tampers = [t.model_copy(update={"task": t.task}) for t in tampers_of(session, project) if t.bugs]
    if not tampers:
        raise MomusError("nobody has handed in a tamper yet: there is nothing to compare critiques of")
    critic = desk.critic()
    made: list[Sampled] = []
    for i, tamper in enumerate(tampers):
        task = versioned(tamper.task)
        made += [s for s in critic.critique([task], n=params["n"], seed=params["seed"]) if s.error is None]
        report(i + 1, len(tampers))
    with desk.store.write() as session:
        return _compare(session, project, tampers, made, params, desk)


def _compare(
    session: Session, project: Project, tampers: list[Tamper], made: list[Sampled], params: Json, desk: Desk
) -> Json:
    now = desk.clock()
    rows = {versioned(t.task).id: keep_task(session, project, t.task, now) for t in tampers}
    for sampled in made:
        row = rows[sampled.task_id]
        sha = critique_hash(sampled.critique)
        there = select(CritiqueRow.id).where(CritiqueRow.task_id == row.id, CritiqueRow.sha256 == sha)
        if session.scalar(there) is None:
            session.add(
                CritiqueRow(
                    project_id=project.id,
                    task_id=row.id,
                    sha256=sha,
                    maker="model",
                    critic=sampled.critic,
                    data=dump(sampled),
                    created=now,
                )
            )
            session.flush()
    stands = {work.submission.id for kind in ("write", "team") for work in settled(session, project, kind)}
    written = [
        Sampled.model_validate(row.data).model_copy(update={"task_id": name})
        for name, task in rows.items()
        for row in session.scalars(
            select(CritiqueRow).where(CritiqueRow.task_id == task.id, CritiqueRow.maker != "model")
        )
        if row.submission_id is None or row.submission_id in stands
    ]
    mix = Mix(size=params["size"], untampered=0.0, silence=params["silence"], seed=params["seed"])
    items: list[Tamper | Task] = list(tampers)
    built = build(items, _numbered([*made, *written]), mix)
    seats = Seats(session, project, "rate")
    added = sum(seats.add(comparison, now, overlap=params["overlap"]) is not None for comparison in built.comparisons)
    for work in settled(session, project, "tamper"):
        work.submission.used = True
    return {"comparisons": len(built.comparisons), "added": added, "skipped": dict(built.skipped)}


def _numbered(critiques: list[Sampled]) -> list[Sampled]:
    """Each critic's critiques of a task under numbers of their own."""
    seen: dict[tuple[str, str], int] = {}
    found: list[Any] = []
    for sampled in critiques:
        i = seen[sampled.task_id, sampled.critic] = seen.get((sampled.task_id, sampled.critic), -1) + 1
        found.append(sampled.model_copy(update={"i": i}))
    return found
