"""`momus tamper`: put subtle, described bugs into code."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from momus.cli.saying import say
from momus.decode import from_json

if TYPE_CHECKING:
    from momus.records import Task
    from momus.tamper.job import Counts


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path, dir_okay=False), help="JSONL to write.")
@click.option("--bugs", default=1, show_default=True, type=click.IntRange(1, 10), help="Bugs in each answer.")
@click.option("--per-task", default=1, show_default=True, type=click.IntRange(1, 1000), help="Tampers of each task.")
@click.option("--operators", default="", metavar="A,B", help="Only these bug operators.")
@click.option("--exclude-held-out", is_flag=True, help="Leave out the operators that are kept for measuring.")
@click.option("--seed", default=0, show_default=True, help="The same seed gives the same tampers.")
@click.option("--jobs", default=2, show_default=True, type=click.IntRange(1, 256), help="Programs to run at a time.")
@click.option(
    "--sandbox",
    default="auto",
    show_default=True,
    type=click.Choice(["auto", "unsafe-local"]),
    help="auto refuses to run tests where there is no isolation; unsafe-local runs them on this machine as they are.",
)
@click.option("--run-tests/--no-run-tests", default=True, help="Keep only bugs that fail the tests, or what compiles.")
@click.option(
    "--timeout", default=5.0, show_default=True, type=click.FloatRange(0.1, 600), help="Seconds for each run."
)
@click.option(
    "--linter",
    default="ruff",
    show_default=True,
    help="Mark what this linter sees, and keep only some of it; `none` for all of it, unmarked.",
)
@click.option(
    "--linter-keep", default=0.3, show_default=True, type=click.FloatRange(0, 1), help="Share of those to keep."
)
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def command(
    paths: tuple[Path, ...],
    output: Path,
    bugs: int,
    per_task: int,
    operators: str,
    exclude_held_out: bool,
    seed: int,
    jobs: int,
    sandbox: str,
    run_tests: bool,
    timeout: float,
    linter: str,
    linter_keep: float,
    as_json: bool,
) -> None:
    """Put bugs into the code of PATHS: Python files, folders, or JSONL of tasks.

    Each tamper records its bug's place, class and description, the suggestion that undoes it, and the clean twin. Where
    a task has tests, only bugs that fail them are kept. A run that was stopped goes on where it was.

    Example: momus tamper src/ -o tampers.jsonl --per-task 4
    """
    from momus.cli.progress import progress
    from momus.errors import MomusError
    from momus.linters import NAMES
    from momus.tamper.files import digest
    from momus.tamper.insert import choose
    from momus.tamper.job import Plan, tamper_all

    if linter not in (*NAMES, "none"):
        raise MomusError(f"there is no linter {linter!r}: choose one of {', '.join(NAMES)}, or none")
    named = [name.strip() for name in operators.split(",") if name.strip()] or None
    plan = Plan(
        operators=tuple(o.name for o in choose(named, exclude_held_out=exclude_held_out)),
        bugs=bugs,
        per_task=per_task,
        seed=seed,
        sandbox=sandbox if run_tests else None,
        timeout_s=timeout,
        linter=None if linter == "none" else linter,
        linter_keep=linter_keep,
        jobs=jobs,
    )
    tasks = read_tasks(paths, seed)
    if not tasks:
        raise MomusError(f"there is nothing to tamper with in {', '.join(map(str, paths))}: name other paths")
    inputs = {str(path): digest(path) for path in paths}

    def watch(shards: Sequence[int]) -> Iterable[int]:
        return progress(shards, "Tampering", total=len(shards))

    try:
        counts = tamper_all(tasks, output, plan, inputs=inputs, watch=watch)
    except KeyboardInterrupt:
        say(f"stopped; what is done is kept in {output}.parts, run the same command to go on")
        raise
    click.echo(_json(counts, output) if as_json else _text(counts, output))


def read_tasks(paths: Sequence[Path], seed: int) -> list[Task]:
    """The tasks of Python files, folders, and JSONL of tasks, of bugs with their fixes, or of functions.

    Raises MomusError where a path is missing or cannot be read.
    """
    from momus.corpus.tasks import to_tasks
    from momus.errors import MomusError
    from momus.tamper.files import functions_in, with_own_ids

    tasks: list[Task] = []
    for path in paths:
        if not path.exists():
            raise MomusError(f"{path} is not there: give Python files, folders, or JSONL of tasks")
        if path.is_dir() or path.suffix in (".py", ".pyi"):
            tasks += to_tasks(functions_in(path), seed=seed, group="function")
        elif path.suffix in (".jsonl", ".ndjson"):
            tasks += _tasks_of_lines(path, seed)
        else:
            raise MomusError(f"{path} is neither Python nor JSONL: give Python files, folders, or JSONL of tasks")
    return list(with_own_ids(task for task in tasks if task.language == "python"))


def _tasks_of_lines(path: Path, seed: int) -> Iterable[Task]:
    from momus.corpus.functions import Function
    from momus.corpus.tasks import to_tasks
    from momus.measure.datasets import load_tasks
    from momus.records import read_jsonl

    with path.open("rb") as lines:
        first = next((line for line in lines if line.strip()), b"{}")
    try:
        body = from_json(first)
    except ValueError:
        body = None  # load_tasks names the line
    if isinstance(body, dict) and {"package", "code"} <= body.keys():
        return to_tasks(read_jsonl(path, Function), seed=seed)
    return load_tasks(path)


_COLUMNS = {
    "made": "made",
    "left_out_for_linter": "left out",
    "survived": "survived",
    "twin_failed": "twin fails",
    "uncertain": "twin not certifiable",
    "duplicates": "duplicate",
    "proved": "proved",
    "seen_by_linter": "linter sees",
    "kept": "kept",
}


def _json(counts: Counts, output: Path) -> str:
    from dataclasses import asdict

    return json.dumps({"output": str(output), **asdict(counts)}, indent=1)


def _text(counts: Counts, output: Path) -> str:
    shown = [key for key in _COLUMNS if key in ("made", "kept") or getattr(counts, key)]
    table = counts.by_operator
    names = sorted(table, key=lambda name: (-table[name].get("kept", 0), name))
    rows = [("bugs by operator", *(_COLUMNS[key] for key in shown))]
    rows += [(name, *(str(table[name].get(key, 0)) for key in shown)) for name in names]
    rows.append(("all bugs", *(str(sum(c.get(key, 0) for c in table.values())) for key in shown)))
    width, *widths = (max(len(row[i]) for row in rows) for i in range(len(rows[0])))
    lines = [
        row[0].ljust(width) + "".join(f"  {cell:>{w}}" for cell, w in zip(row[1:], widths, strict=True)) for row in rows
    ]
    lines.append(f"{counts.kept} tampers of {counts.tasks} tasks ({counts.tasks_without} had no room) in {output}")
    return "\n".join(lines)
