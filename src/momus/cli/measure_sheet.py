"""`momus measure sheet`: comments for somebody to judge by eye, and the count of what was judged."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

import click

from momus.cli.measure import open_critics
from momus.cli.measure_draw import BENCHMARKS, WHEELS, context_in_file
from momus.decode import from_json
from momus.errors import MomusError

FOLDER = click.Path(path_type=Path, file_okay=False)
FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.option("--critic", default="auto", show_default=True, help="Whose comments.")
@click.option(
    "--kind",
    type=click.Choice(["right", "shown"]),
    default="right",
    show_default=True,
    help="First comments of buggy answers in the right place, or all that is shown on functions of packages.",
)
@click.option("-n", "wanted", default=60, show_default=True, type=click.IntRange(1), help="How many are drawn.")
@click.option("--first", type=click.IntRange(1), help="So many of each list only, the first of the draw.")
@click.option("--benchmarks", default=BENCHMARKS, show_default=True, type=FOLDER, help="Folder of the lists.")
@click.option("--wheels", default=WHEELS, show_default=True, type=FOLDER, help="Packages; fetched where missing.")
@click.option("--runs", default=Path("runs/measure"), show_default=True, type=FOLDER, help="Critiques are kept here.")
@click.option("--seed", default=0, show_default=True)
@click.option("--count", "judged", type=FILE, help="Count the verdicts in this file instead.")
@click.option("-o", "--output", type=FILE, help="The sheet: JSON lines, one comment each.")
def sheet(
    critic: str,
    kind: Literal["right", "shown"],
    wanted: int,
    first: int | None,
    benchmarks: Path,
    wheels: Path,
    runs: Path,
    seed: int,
    judged: Path | None,
    output: Path | None,
) -> None:
    """Draw comments for somebody to judge, who sees neither label nor twin; or count what was judged.

    A verdict is a line {"n": 1, "verdict": "useful", "why": "..."}: useful (true and useful), true (and not useful),
    or false.

    Example: momus measure sheet --kind right --first 80 -o sheet.jsonl

    Example: momus measure sheet --count benchmarks/results/comments-right.jsonl
    """
    from momus.measure import data_folder
    from momus.measure.draws import FUNCTIONS, SETS, Draws
    from momus.measure.sheet import comments, count, draw, write_sheet

    if judged is not None:
        try:
            rows = [from_json(line) for line in judged.read_text(encoding="utf-8").splitlines() if line.strip()]
        except (OSError, ValueError) as error:
            raise MomusError(f"can't read verdicts from {judged}: {error}") from None
        click.echo(json.dumps(count(row for row in rows if "verdict" in row)))
        return
    if output is None:
        raise MomusError("name the file of the sheet: -o sheet.jsonl")
    draws = Draws.read(benchmarks, data=data_folder(), wheels=wheels, context_of=context_in_file)
    report = SETS["report"]
    names = [name for name in report if not report[name].clean] if kind == "right" else [FUNCTIONS]
    [opened] = open_critics([critic], only=True, bundle=None, scans=runs / "scans")
    found = comments(opened, {n: draws.load("report", n, first) for n in names}, kind, seed=seed, runs=runs)
    drawn = draw(found, wanted, seed)
    about = {
        "critic": opened.name,
        "version": getattr(opened, "version", ""),
        "kind": kind,
        "seed": seed,
        "first": first,
    }
    write_sheet(output, drawn, {**about, "of": len(found)})
    click.echo(f"{len(drawn)} of {len(found)} comments in {output}")
