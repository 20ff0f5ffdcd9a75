"""A project as a data set's folder: tables by split, with a card; as JSON lines, or as Parquet."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from momus import __version__
from momus.decode import from_json
from momus.desk.preferences import preferences, write_rows
from momus.desk.record_files import Pass, tables_of
from momus.desk.store.tables import Project
from momus.errors import MissingExtra
from momus.records import Comparison, Pair, Record, Tamper, Task, dump_line

Json = dict[str, Any]
# The file of each split, under the names that others use. A split that is none of these stands in `other`: what a
# record says is never the name of a file.
SPLITS = {"train": "train", "dev": "validation", "validation": "validation", "heldout": "test", "test": "test"}
OTHER = "other"
_PASSES = {"first": "before the reference bug was shown", "second": "after the reference bug was shown"}


def write_dataset(session: Session, project: Project, folder: Path, passed: Pass = "second") -> dict[str, int]:
    """`data/TABLE/SPLIT.jsonl` and `README.md`, which says so in the form that `datasets.load_dataset` reads.

    A task's own split is kept, so that no problem stands on both sides; one that is not in `SPLITS` goes to `other`.
    """
    tables = _tables(session, project, passed)
    for name, rows in tables.items():
        for split, part in _parted(rows).items():
            write_rows(folder / "data" / name / f"{split}.jsonl", part)
    card = folder / "README.md"
    card.parent.mkdir(parents=True, exist_ok=True)
    card.write_text(_card(project, tables, passed), encoding="utf-8")
    return {name: len(rows) for name, rows in tables.items()}


def write_parquet(session: Session, project: Project, folder: Path, passed: Pass = "second") -> dict[str, int]:
    """One file for each table; what is nested stands in columns of JSON, marked so. Raises MissingExtra."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise MissingExtra("Parquet", "parquet") from None
    counts = {}
    for name, rows in _tables(session, project, passed).items():
        arrays, fields = [], []
        for key in dict.fromkeys(key for row in rows for key in row):
            values = [row.get(key) for row in rows]
            nested = any(isinstance(value, dict | list) for value in values)
            arrays.append(pa.array([json.dumps(v, ensure_ascii=False) for v in values] if nested else values))
            fields.append(pa.field(key, arrays[-1].type, metadata={"momus": "json"} if nested else None))
        table = pa.Table.from_arrays(arrays, schema=pa.schema(fields))
        path = folder / f"{name}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(path.name + ".partial")
        pq.write_table(table, partial)
        partial.replace(path)
        counts[name] = len(rows)
    return counts


def _tables(session: Session, project: Project, passed: Pass) -> dict[str, list[Json]]:
    records = tables_of(session, project, passed)
    splits = {c.id: c.task.split for c in records.get("comparisons", []) if isinstance(c, Comparison)}
    splits |= {t.id: t.split for t in records.get("tasks", []) if isinstance(t, Task)}
    made = preferences(session, project, passed)
    tables: dict[str, list[Json]] = {
        name.replace("/", "_"): [_row(record, splits) for record in rows] for name, rows in records.items()
    }
    tables |= {"preferences": made.pairs, "unpaired": made.unpaired}
    return {name: rows for name, rows in tables.items() if rows}


def _row(record: Record, splits: dict[str, str | None]) -> Json:
    row: Json = from_json(dump_line(record))
    if isinstance(record, Comparison | Tamper):
        split = record.task.split
    elif isinstance(record, Task):
        split = record.split
    elif isinstance(record, Pair):
        split = None
    else:
        split = splits.get(str(row.get("comparison_id", row.get("task_id"))))
    return row if "split" in row else {**row, "split": split or "train"}


def _parted(rows: Iterable[Json]) -> dict[str, list[Json]]:
    found: dict[str, list[Json]] = {}
    for row in rows:
        found.setdefault(SPLITS.get(row.get("split") or "train", OTHER), []).append(row)
    return found


def _card(project: Project, tables: dict[str, list[Json]], passed: Pass) -> str:
    configs = "".join(
        f"- config_name: {name}\n  data_files:\n"
        + "".join(f"  - split: {split}\n    path: data/{name}/{split}.jsonl\n" for split in _parted(rows))
        for name, rows in tables.items()
    )
    counts = "\n".join(f"| `{name}` | {len(rows):,} |" for name, rows in tables.items())
    return (
        f"---\npretty_name: {json.dumps(project.name)}\ntags:\n- code-review\n- preference\nconfigs:\n{configs}---\n\n"
        f"# {project.name}\n\nCritiques of code, and what people said of them, from the desk of Momus {__version__}.\n"
        "People stand under pseudonyms. Work that was taken back or superseded is not in it, nor are the known bugs\n"
        "that were slipped in. Each line of a table that Momus has a record for is that record. Ratings, rankings and\n"
        f"preferences are of the {passed} pass, {_PASSES[passed]}.\n\n"
        f"| Table | Rows |\n| --- | --- |\n{counts}\n\n"
        "Licences of the code are those of each task (`licence`).\n"
    )
