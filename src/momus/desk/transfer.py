"""Whole files in and out, for the command line and the API."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from sqlalchemy import select

from momus.desk.api.projects import new_project
from momus.desk.archive import assignments_in, dump_project, load_project
from momus.desk.datasets import write_dataset, write_parquet
from momus.desk.design import Design
from momus.desk.imports import Added, import_rows
from momus.desk.intake.fields import Columns, Imported
from momus.desk.intake.reading import reading_of
from momus.desk.intake.source import source_at
from momus.desk.preferences import write_preferences
from momus.desk.problems import Problem
from momus.desk.record_files import Pass, write_records
from momus.desk.store import Store
from momus.desk.store.tables import Project
from momus.desk.store.types import utc_now
from momus.errors import MomusError

Format = Literal["archive", "records", "preferences", "hf", "parquet"]
_MOST_BYTES = 2**40  # of a package on this machine: whoever runs the command has it already
_WRITERS = {"records": write_records, "preferences": write_preferences, "hf": write_dataset, "parquet": write_parquet}


def import_path(
    store: Store,
    slug: str,
    kind: Imported | None,
    path: Path,
    *,
    overlap: int = 1,
    priority: int = 0,
    columns: Columns | None = None,
    table: str | None = None,
    good_only: bool = False,
) -> Added:
    """Add work from a file or a folder of them, or, without a kind, from an archive.

    `columns` says which column holds which field, `table` which folder is meant, as over HTTP. Raises MomusError on
    what can't be read; then nothing of that file is added.
    """
    now = utc_now()
    if not path.exists() or (kind is None and not path.is_file()):
        raise MomusError(
            f"there is no {'archive' if kind is None else 'file or folder'} {path}: name one, with its --kind"
        )
    if kind is None:
        with path.open("rb") as lines, store.write() as session:
            project = load_project(session, slug, lines, now)
            count = assignments_in(session, project)
        return Added(lines=count, added=count, known=0)
    try:
        reading = reading_of(kind, source_at(path, _MOST_BYTES, table), columns)
        with store.write() as session:
            found = session.scalar(select(Project).where(Project.slug == slug))
            if found is None:
                found = new_project(slug, slug, Design(), now)
                session.add(found)
                session.flush()
        return import_rows(store, found, reading, now, overlap=overlap, priority=priority, good_only=good_only)
    except Problem as problem:
        more = f" (and {problem.more['wrong'] - 1} more)" if problem.more.get("wrong", 0) > 1 else ""
        raise MomusError(f"{path} can't be imported: {problem.detail}{more}") from None


def export_path(store: Store, slug: str, form: str, out: Path, passed: Pass = "second") -> Iterator[str]:
    """Write a project to a folder, or to a file (`archive`); says what was written. Raises MomusError without one."""
    with store.read() as session:
        project = session.scalar(select(Project).where(Project.slug == slug))
        if project is None:
            raise MomusError(f"there is no project {slug!r} in this database: see --db")
        if form == "archive":
            out.parent.mkdir(parents=True, exist_ok=True)
            partial = out.with_name(out.name + ".partial")
            with partial.open("w", encoding="utf-8") as file:
                count = sum(bool(file.write(line)) for line in dump_project(session, project))
            partial.replace(out)
            yield f"{count:,} lines: {out}"
            return
        for name, count in _WRITERS[form](session, project, out, passed).items():
            yield f"{count:,} {name}"
