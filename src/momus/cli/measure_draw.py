"""`momus measure draw`: the lists of what is measured, chosen and fitted on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from momus.cli.saying import tell
from momus.errors import MomusError

if TYPE_CHECKING:
    import ast
    from collections.abc import Iterable

    from momus.corpus.packages import Package
    from momus.measure.released import Around
    from momus.records import Task

BENCHMARKS = Path("benchmarks")
WHEELS = Path("runs/corpus/packages")


@click.command()
@click.option("--benchmarks", default=BENCHMARKS, show_default=True, type=click.Path(path_type=Path, file_okay=False))
@click.option("--wheels", default=WHEELS, show_default=True, type=click.Path(path_type=Path, file_okay=False))
@click.option("--seed", default=0, show_default=True)
def draw(benchmarks: Path, wheels: Path, seed: int) -> None:
    """Draw the lists anew: what is reported on, and what choosing and fitting may use.

    Needs the development data that MOMUS_DATA names, and fetches the named packages into --wheels. The same data and
    seed give the same lists; nothing of them is to be looked at before it is measured.

    Example: momus measure draw
    """
    from momus.measure import data_folder
    from momus.measure.drawing import draw as drawn
    from momus.measure.draws import DRAWS, FITTED_TAMPERS
    from momus.measure.released import functions
    from momus.records import write_jsonl
    from momus.sharding import sha256_of

    data = data_folder()
    if data is None:
        raise MomusError("the lists are drawn from development data: set MOMUS_DATA to the folder that holds it")

    def tasks(package: Package) -> Iterable[Task]:
        return (made.task() for made in functions(package, wheels))

    kept = drawn(data, benchmarks / "heldout.jsonl", tasks, seed=seed, report=tell)
    write_jsonl(benchmarks / FITTED_TAMPERS, kept.tampers)
    write_jsonl(benchmarks / DRAWS, kept.entries)
    told = {
        "made_by": f"momus measure draw --seed {seed}",
        "sha256": sha256_of(benchmarks / DRAWS),
        "untrained_problems": kept.problems,
        "untrained_repositories": kept.repositories,
    }
    manifest = (benchmarks / DRAWS).with_suffix(".manifest.json")
    manifest.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    click.echo(f"{len(kept.entries)} entries in {benchmarks / DRAWS}")


def context_in_file(tree: ast.Module) -> Around:
    """What a review shows a critic of the rest of a function's file."""
    from momus.review.context import Names

    return Names(tree).around
