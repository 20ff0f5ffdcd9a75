"""`momus measure modes`: one local critic computing fast, without bfloat16 and exactly, at the same thresholds."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click

from momus.cli.measure import write_json
from momus.cli.measure_draw import BENCHMARKS, WHEELS, context_in_file
from momus.errors import MomusError

FOLDER = click.Path(path_type=Path, file_okay=False)


@click.command()
@click.option("--critic", required=True, metavar="local:NAME|PATH", help="A local model.")
@click.option("--set", "sets", multiple=True, help="A list with bugs; all are pooled. Default: humanevalfix.")
@click.option("--first", type=click.IntRange(1), help="So many of each list only, the first of the draw.")
@click.option("--benchmarks", default=BENCHMARKS, show_default=True, type=FOLDER, help="Folder of the lists.")
@click.option("--wheels", default=WHEELS, show_default=True, type=FOLDER, help="Packages; fetched where missing.")
@click.option("--runs", default=Path("runs/measure"), show_default=True, type=FOLDER, help="Scans are kept here.")
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Write everything as JSON here.")
def modes(
    critic: str,
    sets: tuple[str, ...],
    first: int | None,
    benchmarks: Path,
    wheels: Path,
    runs: Path,
    output: Path | None,
) -> None:
    """Compare what one threshold finds and flags where the same model computes in other ways.

    By the scan alone: the most suspicious line of each answer and of its clean twin, without fixes. Thresholds are
    those at which the fast way flags 2.5, 5 and 10% of the twins.

    Example: momus measure modes --critic local:qwen2.5-coder-0.5b --set humanevalfix -o modes.json
    """
    from momus import __version__
    from momus.cli.progress import progress
    from momus.critics.automatic import LocalName
    from momus.critics.local import open_local_critic
    from momus.measure import data_folder
    from momus.measure.draws import SETS, Draws
    from momus.measure.modes import WAYS, compared, scan_all, table
    from momus.records import Tamper

    if not critic.startswith("local:"):
        raise MomusError(f"{critic} is no local model: name one, local:NAME")
    known = SETS["report"]
    names = sets or ("humanevalfix",)
    for name in names:
        if name not in known or known[name].clean:
            choices = ", ".join(one for one in known if not known[one].clean)
            raise MomusError(f"there is no list {name!r} with bugs: choose from {choices}")
    draws = Draws.read(benchmarks, data=data_folder(), wheels=wheels, context_of=context_in_file)
    items = [item for name in names for item in draws.load("report", name, first) if isinstance(item, Tamper)]
    if not items:
        raise MomusError(f"{', '.join(names)}: nothing is there to read: set MOMUS_DATA")
    model = LocalName.of(critic.removeprefix("local:")).model
    scanned = {}
    for way, how in WAYS.items():
        # scans are kept by weights, request and mode, which does not tell a processor without bfloat16
        opened = open_local_critic(model, scans=runs / ("scans" if how.get("bf16", True) else "scans-f32"), **how)
        scanned[way] = scan_all(opened, items, partial(progress, what=way, total=len(items)))
        del opened
    rows = compared(scanned)
    click.echo("\n".join(table(rows)))
    if output is not None:
        body = {
            "schema_version": 1,
            "momus": __version__,
            "critic": critic,
            "sets": list(names),
            "first": first,
            "rows": rows,
            "scanned": {
                way: [one.model_dump(mode="json", exclude={"schema_version"}) for one in found]
                for way, found in scanned.items()
            },
        }
        write_json(output, body)
