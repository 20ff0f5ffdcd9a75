"""`momus measure report` and `momus measure blind-spots`."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import click

from momus.decode import from_json
from momus.errors import MomusError


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.argument("other", required=False, type=click.Path(path_type=Path))
@click.option("-o", "--output", default=Path("report.html"), show_default=True, type=click.Path(path_type=Path))
@click.option("--draws", default=1000, show_default=True, type=click.IntRange(1), help="Bootstrap draws.")
@click.option("--seed", default=0, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print what was drawn, and what had no data, as JSON.")
def report(run: Path, other: Path | None, output: Path, draws: int, seed: int, as_json: bool) -> None:
    """Make one page of the records in a folder: every figure of the paper that they have data for.

    With a second folder, both runs stand in each figure, and the page begins with what moved. Beside the page each
    figure is written as PNG, CSV and JSON.

    Example: momus measure report rated/ -o report.html
    """
    from momus.measure.report import write_report

    words = ["momus", "measure", "report", run.name, *([other.name] if other else []), "-o", output.name]
    words += ["--draws", str(draws), "--seed", str(seed)]
    written = write_report(run, output, other=other, command=shlex.join(words), draws=draws, seed=seed)
    if as_json:
        body = {"page": str(written.page), "data": str(written.data), "drawn": written.drawn}
        click.echo(json.dumps({**body, "no_data": dict(written.missing)}, ensure_ascii=False))
        return
    click.echo(f"{written.page}: {len(written.drawn)} figures; their data in {written.data}")
    for heading, why in written.missing:
        click.echo(f"  {heading}: no data: {why}")


@click.command()
@click.argument("results", nargs=-1, required=True, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--critic", default="bundled", show_default=True, help="The critic in the results.")
@click.option("--inserted", required=True, metavar="LABEL", help="The data set of bugs that were put in.")
@click.option("--natural", metavar="LABEL", help="The data set of natural bugs.")
@click.option("--measure", default="place@1", show_default=True, help="What counts as found.")
@click.option("--bundle", required=True, type=click.Path(path_type=Path, file_okay=False), help="Where it is written.")
def blind_spots(
    results: tuple[Path, ...], critic: str, inserted: str, natural: str | None, measure: str, bundle: Path
) -> None:
    """Write what share of each class of bug a critic finds into its bundle, from results of momus measure.

    Both data sets are looked for in all files given, as bugs put in and natural ones are measured on splits of their
    own. Natural bugs are classed by what their fix changes.

    Example: momus measure blind-spots heldout.json natural.json --inserted heldout --natural natural --bundle bundle/
    """
    from momus.measure import blindspots

    data = []
    for path in results:
        try:
            data += from_json(path.read_text(encoding="utf-8"))["data"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise MomusError(f"can't read {path}: {error}: give what momus measure -o wrote") from None
    names = [path.name for path in results]
    words = ["momus", "measure", "blind-spots", *names, "--critic", critic, "--inserted", inserted]
    words += [*(["--natural", natural] if natural else []), "--measure", measure]
    made = blindspots.card(
        {"data": data},
        critic,
        inserted=[inserted],
        natural=[natural] if natural else [],
        measure=measure,
        command=shlex.join(words),
    )
    blindspots.save(made, bundle)
    click.echo(blindspots.table(made), nl=False)
