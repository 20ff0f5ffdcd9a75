"""`momus model`: fetch, list, verify and remove the weights of pretrained models."""

from __future__ import annotations

from pathlib import Path

import click


@click.group()
def command() -> None:
    """Fetch and keep the weights of pretrained models. Nothing is fetched but by `get`.

    Example: momus model get
    """


@command.command()
@click.argument("name", required=False)
@click.option("--from", "given", type=click.Path(path_type=Path), help="A file or folder to take the weights from.")
def get(name: str | None, given: Path | None) -> None:
    """Put the weights of a model into the cache and print their path. Without NAME: the default model.

    Example: momus model get smollm2-135m
    """
    from momus.cli.fetching import Fetching
    from momus.models.catalogue import default_model, known
    from momus.models.fetch import get as fetched

    with Fetching() as watch:
        path = fetched(known(name or default_model()), watch, given=given)
    click.echo(path)
