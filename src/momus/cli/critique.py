"""`momus critique`: several critiques of each task by one critic, into record files."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from momus.cli.saying import say
from momus.errors import MomusError

if TYPE_CHECKING:
    from momus.critics.job import Told
    from momus.records import Tamper, Task
    from momus.sharding import Runner

FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.argument("paths", nargs=-1, required=True, type=FILE)
@click.option("--critic", default="auto", show_default=True, help="Such as local:NAME, linter:ruff, server:MODEL@URL.")
@click.option("-n", "n", default=4, show_default=True, type=click.IntRange(1, 1000), help="Critiques of each task.")
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path, dir_okay=False), help="JSONL to write.")
@click.option(
    "--twins",
    default=0.0,
    show_default=True,
    type=click.FloatRange(0, 1),
    help="Criticise this share of the clean twins of tampers as well.",
)
@click.option("--explore", is_flag=True, help="bundled: after the first, critiques to be rated, that always speak.")
@click.option("--temperature", type=click.FloatRange(0, 10), help="Of the critic's model; its own unless given.")
@click.option("--drafts", type=click.IntRange(1, 100), help="Drafts that each critique is the best of.")
@click.option("--bundle", type=click.Path(path_type=Path, file_okay=False), help="Folder of the bundle.")
@click.option("--timeout", type=click.FloatRange(0.1), help="server: seconds for one request.")
@click.option("--split", help="One side of the split only.")
@click.option("--limit", type=click.IntRange(1), help="So many lines of each file, from the top.")
@click.option("--seed", default=0, show_default=True, help="The same seed gives the same critiques.")
@click.option("--engine", default="local", show_default=True, type=click.Choice(["local", "ray"]), help="Who works.")
@click.option("--workers", default=2, show_default=True, type=click.IntRange(1), help="ray: actors at a time.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def command(
    paths: tuple[Path, ...],
    critic: str,
    n: int,
    output: Path,
    twins: float,
    explore: bool,
    temperature: float | None,
    drafts: int | None,
    bundle: Path | None,
    timeout: float | None,
    split: str | None,
    limit: int | None,
    seed: int,
    engine: str,
    workers: int,
    as_json: bool,
) -> int:
    """Write critiques of the tasks in PATHS: JSONL of tasks, of tampers, or of the development form.

    Of a tamper the answer with the bugs in it is criticised. A run that was stopped goes on at its last whole shard,
    and ends as if it had not been stopped. The key of a server is read from the environment variable MOMUS_API_KEY.

    Example: momus critique tampers.jsonl --critic bundled --explore -n 4 --twins 0.3 -o critiques.jsonl
    """
    from momus.cli.fetching import have_model
    from momus.critics.job import CritiqueWork, critique_all

    items = read_items(paths, split=split, limit=limit)
    have_model(critic)
    given = {
        "explore": explore or None,
        "temperature": temperature,
        "drafts": drafts,
        "bundle": None if bundle is None else str(bundle.resolve()),
        "timeout_s": timeout,
    }
    options = {name: value for name, value in given.items() if value is not None}
    told = critique_all(
        answers_of(items, twins=twins, seed=seed),
        output,
        CritiqueWork(critic, options, n=n, seed=seed),
        inputs=hashes_of(paths),
        run=runner(engine, workers, f"{critic}: tasks"),
    )
    click.echo(_json(told, output) if as_json else _text(told, output))
    if told.failed:
        error, count = max(told.failures.items(), key=lambda pair: pair[1])
        say(f"{told.failed} of {told.critiques} critiques failed; {count} times: {error}")
    return 2 if told.failed == told.critiques else 0


def read_items(paths: Sequence[Path], *, split: str | None = None, limit: int | None = None) -> list[Tamper | Task]:
    """What stands in files of tasks and tampers. Raises MomusError where nothing does, or naming a bad line."""
    from momus.measure.datasets import load_items

    items = [item for path in paths for item in load_items(path, split=split, limit=limit)]
    if not items:
        of_split = f" of the split {split}" if split else ""
        raise MomusError(f"there is no task{of_split} in {', '.join(map(str, paths))}: give JSONL of tasks or tampers")
    return items


def answers_of(items: Sequence[Tamper | Task], *, twins: float, seed: int) -> list[Task]:
    """What is criticised: tampered answers, tasks, and a share of the clean twins, each once under a versioned id."""
    from momus.raters.compare import clean_answers, tampered_answers

    return [*tampered_answers(items), *clean_answers(items, twins=twins, seed=seed)]


def hashes_of(paths: Iterable[Path]) -> dict[str, str]:
    """The sha256 of each file, by the name that it was given by. Raises MomusError where one cannot be read."""
    from momus.sharding import sha256_of

    try:
        return {str(path): sha256_of(path) for path in paths}
    except OSError as error:
        raise MomusError(f"can't read {error.filename}: {error.strerror or error}: give another file") from None


def runner(engine: str, workers: int, what: str) -> Runner:
    """What does the shards, with a progress bar where there is a terminal. Raises MissingExtra without Ray."""
    from momus.cli.progress import progress
    from momus.sharding import run_here

    if engine == "ray":
        from momus.ray_engine import OnRay

        return OnRay(workers)

    def watch(numbers: Sequence[int]) -> Iterable[int]:
        return progress(numbers, what, total=len(numbers))

    return partial(run_here, watch=watch)


def _json(told: Told, output: Path) -> str:
    from dataclasses import asdict

    return json.dumps({"output": str(output), **asdict(told)}, indent=1, ensure_ascii=False)


def _text(told: Told, output: Path) -> str:
    lines = [
        f"{told.critiques} critiques of {told.tasks} answers in {output}: {told.comments} comments, "
        f"{told.silent} silent, {told.failed} failed"
    ]
    if told.dropped:
        lines.append(f"{told.dropped} comments were dropped: what they quote does not stand in the answer")
    if told.cut:
        lines.append(f"of {told.cut} critiques part of the answer was left out, as it is too long; see left_out")
    return "\n".join(lines)
