"""`rechecks`, `comparisons`, `stats`, `exports`: what a manager does with the work."""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from fastapi import Path as InPath
from fastapi.responses import FileResponse
from pydantic import Field
from sqlalchemy.orm import Session
from starlette.background import BackgroundTask

from momus.desk import canaries, dashboard, jobs
from momus.desk.api.deps import MOST_ID, Body, DeskDep, ManageDep, StatsDep, problems
from momus.desk.api.seats import JobStarted
from momus.desk.kinds import KindName
from momus.desk.problems import invalid, wrong
from momus.desk.rechecks import adjudicate, recheck_share, rechecked
from momus.desk.record_files import Pass
from momus.desk.settled import pseudonyms
from momus.desk.store.tables import Project
from momus.desk.transfer import Format, export_path

router = APIRouter(prefix="/api/v1/projects/{project}", tags=["running"], responses=problems(409))

Statistic = Literal["progress", "pace", "ratings", "teams", "judging", "gold", "canaries", "rechecks"]
Stats = Callable[[Session, Project], dict[str, Any]]
STATS: dict[str, Stats] = {
    "progress": dashboard.progress,
    "pace": dashboard.pace,
    "ratings": dashboard.ratings,
    "teams": dashboard.teams,
    "judging": dashboard.judging,
    "gold": dashboard.gold,
    "canaries": lambda session, project: canaries.rates(session, project, pseudonyms(session)).to_json(),
    "rechecks": lambda session, project: dict(rechecked(session, project)),
}


class NewRechecks(Body):
    """Either a `share` of the work of a `kind`, of one `user` or of all; or all of one `assignment`, to decide."""

    kind: KindName | None = None
    share: float | None = Field(default=None, gt=0, le=1)
    user: int | None = Field(default=None, ge=1, le=MOST_ID)
    assignment: int | None = Field(default=None, ge=1, le=MOST_ID)


class Made(Body):
    made: int


class NewComparisons(Body):
    """`n` critiques of each tamper by the critic; `size` critiques in a comparison; `overlap` people for each."""

    n: int = Field(default=4, ge=1, le=32)
    size: int = Field(default=4, ge=2, le=10)
    overlap: int = Field(default=1, ge=1, le=100)
    silence: float = Field(default=0.3, ge=0, le=1)
    seed: int = Field(default=0, ge=0, le=MOST_ID)


@router.post("/rechecks", status_code=201)
def rechecks(body: NewRechecks, access: ManageDep, desk: DeskDep) -> Made:
    """Have work looked at by a second person, who does not see whose it is. What is there already is not made again."""
    one = body.assignment is not None
    if one == (body.share is not None) or (body.share is not None and body.kind in (None, "recheck")):
        raise invalid(wrong("", "one-of", "Give `kind` and `share`, or an `assignment`."))
    with desk.store.write() as session:
        if body.assignment is not None:
            return Made(made=adjudicate(session, access.project, body.assignment, desk.clock()))
        made = recheck_share(session, access.project, str(body.kind), body.share or 0, desk.clock(), user_id=body.user)
    return Made(made=made)


@router.post("/comparisons", status_code=202)
def comparisons(body: NewComparisons, access: ManageDep, desk: DeskDep) -> JobStarted:
    """Make `rate` assignments of the tampers handed in so far: the critic's critiques, people's, and the gold one."""
    with desk.store.write() as session:
        job = jobs.start(
            session,
            access.project,
            access.user_id,
            "comparisons",
            body.model_dump(mode="json"),
            desk.clock(),
            size=jobs.SMALL + 1,  # of every tamper there is
        )
    desk.woken()
    return JobStarted(job=job.id)


@router.get("/stats/{statistic}")
def stats(statistic: Annotated[Statistic, InPath()], access: StatsDep, desk: DeskDep) -> dict[str, Any]:
    """People stand under pseudonyms. `ratings` has agreement, Elo, wins and the Pareto points of critics."""
    with desk.store.read() as session:
        if statistic == "progress" and "work" in access.may and "manage" not in access.may:
            return dashboard.progress(session, access.project, blind=True)
        return STATS[statistic](session, access.project)


@router.get(
    "/exports/{form}",
    response_class=FileResponse,
    responses={200: {"content": {"application/octet-stream": {}}, "description": "JSON lines, or a zip of files"}},
)
def export(
    form: Annotated[Format, InPath()],
    access: ManageDep,
    desk: DeskDep,
    passed: Annotated[Pass, Query(alias="pass", description="The pass of ratings that trains.")] = "second",
) -> FileResponse:
    """The project as one file: an archive in JSON lines, or a zip. People stand under pseudonyms."""
    slug = access.project.slug
    folder = tempfile.TemporaryDirectory(prefix="momus-export-")
    root = Path(folder.name)
    if form == "archive":
        path, name = root / "archive.jsonl", f"{slug}.jsonl"
        list(export_path(desk.store, slug, form, path))
    else:
        path, name = root / "export.zip", f"{slug}-{form}{'-first-pass' if passed == 'first' else ''}.zip"
        list(export_path(desk.store, slug, form, root / "files", passed))
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as zipped:
            for file in sorted((root / "files").rglob("*")):
                if file.is_file():
                    zipped.write(file, file.relative_to(root / "files"))
    return FileResponse(
        path, media_type="application/octet-stream", filename=name, background=BackgroundTask(folder.cleanup)
    )
