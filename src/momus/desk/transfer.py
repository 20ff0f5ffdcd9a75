"""Whole files in and out, for the command line and the API."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Literal

from sqlalchemy import select

from momus.decode import from_json
from momus.desk.api.projects import new_project
from momus.desk.archive import dump_project, load_project
from momus.desk.datasets import write_dataset, write_parquet
from momus.desk.design import Design
from momus.desk.imports import Added, import_lines
from momus.desk.preferences import write_preferences
from momus.desk.problems import Problem
from momus.desk.record_files import Pass, write_records
from momus.desk.store import Store
from momus.desk.store.tables import Assignment, Project
from momus.desk.store.types import utc_now
from momus.errors import MissingExtra, MomusError

Format = Literal["archive", "records", "preferences", "hf", "parquet"]
_WRITERS = {"records": write_records, "preferences": write_preferences, "hf": write_dataset, "parquet": write_parquet}


def import_path(store: Store, slug: str, kind: str | None, path: Path, *, overlap: int = 1, priority: int = 0) -> Added:
    """Add work from JSON lines, from a folder of them (or of Parquet files), or, without a kind, from an archive.

    Raises MomusError on what can't be read; then nothing of that file is added.
    """
    now = utc_now()
    if not path.exists() or (kind is None and not path.is_file()):
        raise MomusError(
            f"there is no {'archive' if kind is None else 'file or folder'} {path}: name one, with its --kind"
        )
    if kind is None:
        with path.open("rb") as lines, store.write() as session:
            project = load_project(session, slug, lines, now)
            count = len(list(session.scalars(select(Assignment.id).where(Assignment.project_id == project.id))))
        return Added(lines=count, added=count, known=0)
    with store.write() as session:
        found = session.scalar(select(Project).where(Project.slug == slug))
        if found is None:
            found = new_project(slug, slug, Design(), now)
            session.add(found)
            session.flush()
    lines_ = added = known = changed = 0
    for file in _files(path):
        with file:
            try:
                one = import_lines(store, found, kind, file, now, overlap=overlap, priority=priority)  # type: ignore[arg-type]
            except Problem as problem:
                more = f" (and {len(problem.errors) - 1} more)" if len(problem.errors) > 1 else ""
                raise MomusError(f"{path} can't be imported: {problem.detail}{more}") from None
        lines_, added, known = lines_ + one.lines, added + one.added, known + one.known
        changed += one.changed
    return Added(lines=lines_, added=added, known=known, changed=changed)


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


def _files(path: Path) -> Iterator[IO[bytes]]:
    if path.is_file():
        yield path.open("rb")
        return
    found = sorted(p for p in path.rglob("*") if p.suffix in (".jsonl", ".parquet") and p.is_file())
    if not found:
        raise MomusError(f"{path} holds neither .jsonl nor .parquet: name the folder of one table")
    for file in found:
        yield file.open("rb") if file.suffix == ".jsonl" else _parquet(file)


def _parquet(path: Path) -> IO[bytes]:
    try:
        import pyarrow.parquet as pq
    except ImportError:
        raise MissingExtra("Parquet", "parquet") from None
    lines = tempfile.TemporaryFile()  # noqa: SIM115  # the caller closes it
    file = pq.ParquetFile(path)
    nested = {field.name for field in file.schema_arrow if (field.metadata or {}).get(b"momus") == b"json"}
    for batch in file.iter_batches(500):
        for row in batch.to_pylist():
            body = {key: from_json(v) if key in nested else v for key, v in row.items() if v is not None}
            lines.write(json.dumps({key: v for key, v in body.items() if v is not None}).encode() + b"\n")
    return lines
