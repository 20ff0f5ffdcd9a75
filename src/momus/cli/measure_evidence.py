"""`momus measure evidence`: what running says of right claims and of false ones."""

from __future__ import annotations

from pathlib import Path

import click

from momus.cli.measure import open_critics, write_json
from momus.cli.measure_draw import BENCHMARKS, WHEELS, context_in_file
from momus.errors import MomusError

FOLDER = click.Path(path_type=Path, file_okay=False)


@click.command()
@click.option("--critic", default="auto", show_default=True, help="Whose claims: a local model.")
@click.option("--set", "name", default="humanevalfix", show_default=True, help="One of the lists that are reported.")
@click.option("--first", type=click.IntRange(1), help="So many of the list only, the first of the draw.")
@click.option("--benchmarks", default=BENCHMARKS, show_default=True, type=FOLDER, help="Folder of the lists.")
@click.option("--wheels", default=WHEELS, show_default=True, type=FOLDER, help="Packages; fetched where missing.")
@click.option("--runs", default=Path("runs/measure"), show_default=True, type=FOLDER, help="What is done is kept here.")
@click.option("--seed", default=0, show_default=True)
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Write everything as JSON here.")
def evidence(
    critic: str,
    name: str,
    first: int | None,
    benchmarks: Path,
    wheels: Path,
    runs: Path,
    seed: int,
    output: Path | None,
) -> None:
    """Look for evidence on a critic's first claim on each answer and on its clean twin, before the gate.

    A claim is right where its suggestion undoes the bug or makes the data's tests pass. The evidence itself uses these
    tests in the second figure only.

    Example: momus measure evidence --critic local:qwen2.5-coder-1.5b --set humanevalfix --first 40
    """
    from momus import __version__
    from momus.cli.progress import progress
    from momus.evidence.witness import VERSION, Prover
    from momus.measure import data_folder, sandbox_prover
    from momus.measure.assessed import Assesses
    from momus.measure.draws import SETS, Draws
    from momus.measure.evidenced import first_claims, rates, table
    from momus.records import Tamper

    known = SETS["report"]
    if name not in known or known[name].clean:
        choices = ", ".join(one for one in known if not known[one].clean)
        raise MomusError(f"there is no list {name!r} with bugs: choose from {choices}")
    draws = Draws.read(benchmarks, data=data_folder(), wheels=wheels, context_of=context_in_file)
    items = [item for item in draws.load("report", name, first) if isinstance(item, Tamper)]
    if not items:
        raise MomusError(f"{known[name].label}: {known[name].file} is not there: set MOMUS_DATA")
    [opened] = open_critics([critic], only=True, bundle=None, scans=runs / "scans")
    if not isinstance(opened, Assesses):
        raise MomusError(f"{opened.name} tells no claims before its gate: name a local model, local:NAME")
    told = first_claims(
        opened,
        items,
        Prover(everything=True, seed=seed),
        sandbox_prover(),
        folder=runs / f"evidence-{name}-{VERSION}",
        watch=lambda waiting: progress(waiting, "Running", len(items)),
    )
    without, tested = rates(told), rates(told, tests=True)
    click.echo("\n".join(table(known[name].label, without, tested)))
    if output is not None:
        body = {
            "schema_version": 1,
            "momus": __version__,
            "critic": opened.name,
            "version": opened.version,
            "set": name,
            "first": first,
            "seed": seed,
            "without_tests": without,
            "with_tests": tested,
            "claims": [one.model_dump(mode="json", exclude_defaults=True) for one in told],
        }
        write_json(output, body)
