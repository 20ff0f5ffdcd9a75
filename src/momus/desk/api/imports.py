"""`imports` and `archives`: work that is brought in from files, looked at before anything is added."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import IO, Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi import Path as InPath
from pydantic import TypeAdapter, ValidationError
from sqlalchemy import select
from starlette.concurrency import run_in_threadpool

from momus.desk.api.deps import SLUG, AdminDep, Body, DeskDep, ManageDep, problems
from momus.desk.archive import assignments_in, load_project
from momus.desk.context import Desk
from momus.desk.imports import Added, Looked, import_rows, look
from momus.desk.intake.fields import FIELDS, Columns, Imported
from momus.desk.intake.reading import reading_of
from momus.desk.intake.samples import SampleForm, sample
from momus.desk.intake.source import source_of
from momus.desk.problems import Problem, conflict, invalid, wrong
from momus.desk.store.tables import Project
from momus.errors import MomusError

router = APIRouter(prefix="/api/v1", tags=["imports"], responses=problems(409))

_IN_MEMORY = 1_000_000
_FILE = {
    "requestBody": {
        "required": True,
        "content": {
            "application/jsonl": {"schema": {"type": "string"}},
            "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
        },
    }
}
_LINES = {"requestBody": {"required": True, "content": {"application/jsonl": {"schema": {"type": "string"}}}}}
_COLUMNS: TypeAdapter[Columns] = TypeAdapter(Columns)
ColumnsText = Annotated[
    str | None,
    Query(max_length=20_000, description='Which column holds which field, as JSON: `{"question": "prompt"}`.'),
]
Table = Annotated[str | None, Query(max_length=500, description="Which folder of a package, where there are several.")]


class FieldView(Body):
    """What the kind needs. Of `many` several columns may be chosen."""

    name: str
    label: str
    hint: str
    needed: bool
    many: bool


class ColumnView(Body):
    name: str
    sample: str


class LookedView(Looked):
    """`form` is what the file was taken for, `export` the tool that wrote it. Where `records` is true, the rows are
    records as they stand, and there is nothing to choose. `columns` are those of the file, `mapping` says which is
    which field, `unused` go into nothing. `tables` are the folders of a package, where it has several."""

    form: str
    export: str
    tables: list[str]
    table: str
    records: bool
    columns: list[ColumnView]
    fields: list[FieldView]
    mapping: dict[str, str | list[str]]
    unused: list[str]


class NewFromArchive(Body):
    slug: str
    assignments: int


@router.post("/projects/{project}/imports/check", openapi_extra=_FILE)
async def check(
    request: Request,
    access: ManageDep,
    desk: DeskDep,
    kind: Imported,
    columns: ColumnsText = None,
    table: Table = None,
) -> LookedView:
    """Look at a file without adding anything: what its columns are taken for, the first items, and what is wrong."""
    chosen = _columns(columns)
    async with _upload(request, desk) as file:
        return await run_in_threadpool(_look, desk, access.project, kind, file, chosen, table)


@router.post("/projects/{project}/imports", status_code=201, openapi_extra=_FILE)
async def import_(
    request: Request,
    access: ManageDep,
    desk: DeskDep,
    kind: Imported,
    overlap: Annotated[int, Query(ge=1, le=100)] = 1,
    priority: Annotated[int, Query(ge=-1000, le=1000)] = 0,
    columns: ColumnsText = None,
    table: Table = None,
    good_only: Annotated[bool, Query(description="Leave out rows that are wrong.")] = False,
) -> Added:
    """Add work: JSON lines, a JSON list, CSV, Parquet, Arrow, or a folder of them as zip or tar.

    Rows are records (`tamper` and `write` take Task, `rate` Comparison, `team` Prefilled, `compare` and `judge` Pair,
    `grade` and `canary` Tamper), or objects with `item` and `overlap`, `priority`, `gold`; else their columns are read
    as `columns` says, or by their names. What is there already is not added again.
    """
    chosen = _columns(columns)
    async with _upload(request, desk) as file:
        return await run_in_threadpool(
            _add,
            desk,
            access.project,
            kind,
            file,
            chosen,
            table,
            overlap=overlap,
            priority=priority,
            good_only=good_only,
        )


@router.get(
    "/projects/{project}/imports/samples/{kind}/{form}",
    response_class=Response,
    responses={200: {"content": {"text/csv": {}, "application/jsonl": {}}, "description": "A file with two rows"}},
)
def samples(kind: Annotated[Imported, InPath()], form: Annotated[SampleForm, InPath()], access: ManageDep) -> Response:
    """A small file of a kind, to be filled in and brought in again."""
    return Response(
        sample(kind, form).encode(),
        media_type={"csv": "text/csv", "jsonl": "application/jsonl"}[form],
        headers={"Content-Disposition": f'attachment; filename="{kind}.{form}"'},
    )


@router.post("/archives", status_code=201, openapi_extra=_LINES)
async def archive(
    request: Request,
    who: AdminDep,
    desk: DeskDep,
    slug: Annotated[str, Query(pattern=SLUG, description="The new project's short name.")],
) -> NewFromArchive:
    """Make a project of an archive that was exported. People come back under their pseudonyms and can't log in."""
    async with _upload(request, desk) as file:
        return await run_in_threadpool(_load, desk, slug, file)


def _look(
    desk: Desk, project: Project, kind: Imported, file: IO[bytes], columns: Columns | None, table: str | None
) -> LookedView:
    source = source_of(file, desk.settings.upload_bytes, table)
    reading = reading_of(kind, source, columns, project.mapped)
    return LookedView(
        **look(reading).model_dump(),
        form=source.form,
        export=source.export,
        tables=list(source.tables),
        table=source.table,
        records=reading.columns is None,
        columns=[ColumnView(name=column.name, sample=column.sample) for column in reading.there],
        fields=[FieldView(name=f.name, label=f.label, hint=f.hint, needed=f.needed, many=f.many) for f in FIELDS[kind]],
        mapping=reading.columns or {},
        unused=reading.unused,
    )


def _add(
    desk: Desk,
    project: Project,
    kind: Imported,
    file: IO[bytes],
    columns: Columns | None,
    table: str | None,
    **more: Any,
) -> Added:
    source = source_of(file, desk.settings.upload_bytes, table)
    reading = reading_of(kind, source, columns, project.mapped)
    return import_rows(desk.store, project, reading, desk.clock(), **more)


def _load(desk: Desk, slug: str, file: IO[bytes]) -> NewFromArchive:
    with desk.store.write() as session:
        if session.scalar(select(Project.id).where(Project.slug == slug)) is not None:
            raise conflict("slug-taken", "There is a project of this name: choose another.")
        try:
            made = load_project(session, slug, file, desk.clock())
        except MomusError as error:
            raise invalid(wrong("", "archive", f"{str(error).capitalize()}.")) from None
        return NewFromArchive(slug=made.slug, assignments=assignments_in(session, made))


def _columns(text: str | None) -> Columns | None:
    if text is None:
        return None
    try:
        return _COLUMNS.validate_json(text)
    except ValidationError:
        said = '`columns` is a JSON object of fields and columns, as {"question": "prompt"}.'
        raise invalid(wrong("/columns", "columns", said)) from None


@asynccontextmanager
async def _upload(request: Request, desk: Desk) -> AsyncIterator[IO[bytes]]:
    """The body, in a file. Raises Problem 413 beyond the desk's limit."""
    with tempfile.SpooledTemporaryFile(_IN_MEMORY) as file:
        size = 0
        async for part in request.stream():
            size += len(part)
            if size > desk.settings.upload_bytes:
                raise Problem(413, "too-large", "Too large", f"At most {desk.settings.upload_bytes:,} bytes at once.")
            await run_in_threadpool(file.write, part)
        file.seek(0)
        yield file
