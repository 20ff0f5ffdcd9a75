"""`momus measure tables`: critics side by side on the lists that were drawn, the new tasks first."""

from __future__ import annotations

import itertools
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from momus import __version__
from momus.cli.measure import open_critics, write_json
from momus.cli.measure_draw import BENCHMARKS, WHEELS, context_in_file
from momus.cli.saying import say
from momus.errors import MomusError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from momus.critics import Critic
    from momus.records import Task

FOLDER = click.Path(path_type=Path, file_okay=False)
TIMED = 3  # tasks that the time of a critic is told by


@click.command()
@click.option("--critic", "critics", multiple=True, required=True, help="A critic. May be repeated.")
@click.option("--set", "sets", multiple=True, help="One of the lists only. May be repeated.")
@click.option("--first", type=click.IntRange(1), help="So many of each list only, the first of the draw.")
@click.option("--only", is_flag=True, help="Leave out surprisal, random, everything and empty.")
@click.option(
    "--run-tests/--no-run-tests",
    default=True,
    help="A suggestion that makes the tests pass, in the sandbox, is a fix too; or only what undoes the bug.",
)
@click.option("--benchmarks", default=BENCHMARKS, show_default=True, type=FOLDER, help="Folder of the lists.")
@click.option("--wheels", default=WHEELS, show_default=True, type=FOLDER, help="Packages; fetched where missing.")
@click.option("--runs", default=Path("runs/measure"), show_default=True, type=FOLDER, help="Critiques are kept here.")
@click.option("--seed", default=0, show_default=True)
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Write everything as JSON here.")
def tables(
    critics: tuple[str, ...],
    sets: tuple[str, ...],
    first: int | None,
    only: bool,
    run_tests: bool,
    benchmarks: Path,
    wheels: Path,
    runs: Path,
    seed: int,
    output: Path | None,
) -> None:
    """Measure critics on the lists of what is reported, the new tasks first, and print the tables in markdown.

    Says how long it will take before it begins. A run that was stopped goes on at the item where it was.

    Example: momus measure tables --critic linter:ruff --first 100 -o benchmarks/results/critics.json
    """
    from momus.cli.progress import progress
    from momus.measure import data_folder, markdown, measure, sandbox_prover
    from momus.measure.datasets import twin_of
    from momus.measure.draws import SETS, Draws
    from momus.records import Tamper, versioned

    known = SETS["report"]
    if unknown := [name for name in sets if name not in known]:
        raise MomusError(f"there is no list {unknown[0]!r}: choose from {', '.join(known)}")
    draws = Draws.read(benchmarks, data=data_folder(), wheels=wheels, context_of=context_in_file)
    loaded = {name: draws.load("report", name, first) for name in known if not sets or name in sets}
    opened = open_critics(critics, only=only, bundle=None, scans=runs / "scans")
    tasks = [
        versioned(task)
        for items in loaded.values()
        for item in items
        for task in ((item.task, twin_of(item)) if isinstance(item, Tamper) else (item,))
    ]
    _tell_time(opened, tasks, runs, seed)
    results = []
    for name, items in loaded.items():
        if not items:
            say(f"{known[name].label}: {known[name].file} is not there, left out")
            continue
        found = measure(
            opened,
            [item for item in items if isinstance(item, Tamper)],
            [item for item in items if not isinstance(item, Tamper)],
            label=known[name].label,
            seed=seed,
            prover=sandbox_prover() if run_tests else None,
            runs=runs,
            track=progress,
        )
        results.append(found)
        click.echo(markdown(found))
    body = {"schema_version": 1, "momus": __version__, "first": first, "data": [found.to_json() for found in results]}
    if output is not None:
        write_json(output, body)


def _tell_time(critics: Sequence[Critic], tasks: Sequence[Task], runs: Path, seed: int) -> None:
    """Do a few tasks with each critic, which are kept, and say how long the rest will take."""
    from momus.measure.runs import gather, kept

    total = 0.0
    for critic in critics:
        done = kept(critic, seed, runs)
        left = [task for task in tasks if task.id not in done]
        if not left:
            continue
        few = list(itertools.islice(left, 0, None, max(1, len(left) // TIMED)))[:TIMED]
        began = time.monotonic()
        gather(critic, few, seed=seed, folder=runs)
        expected = (time.monotonic() - began) / len(few) * (len(left) - len(few))
        total += expected
        say(f"{critic.name}: {len(left)} answers to read, about {_minutes(expected)}")
    say(f"about {_minutes(total)} in all; what is done is kept in {runs}")


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"
