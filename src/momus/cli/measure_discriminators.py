"""`momus measure discriminators`: several sizes over the same twins, and critics where the largest is wrong."""

from __future__ import annotations

import json
import shlex
from importlib.util import find_spec
from pathlib import Path

import click

from momus.errors import MissingExtra, MomusError

FOLDER = click.Path(path_type=Path, file_okay=False)
FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.argument("folders", nargs=-1, required=True, type=FOLDER)
@click.option("--on", multiple=True, required=True, type=FILE, help="JSONL of tampers that none of them trained on.")
@click.option("--critic", "critics", multiple=True, help="Who criticises the wrong tenth. May be repeated.")
@click.option("--critiques", multiple=True, type=FILE, help="JSONL of momus critique: critics by what they have said.")
@click.option("--by", default="place@3", show_default=True, help="The measure of momus measure that says: caught.")
@click.option("--flops", multiple=True, metavar="FOLDER=N", help="The pre-training compute of a folder, by its name.")
@click.option("--family", default="discriminator", show_default=True, help="How the family is named in the report.")
@click.option("--bundle", type=FOLDER, help="Folder of the bundle for bundled and surprisal.")
@click.option("--runs", type=FOLDER, help="Keep critiques here, and take them up.")
@click.option("--draws", default=2000, show_default=True, type=click.IntRange(1), help="Bootstrap draws.")
@click.option("--seed", default=0, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
@click.option("-o", "--output", type=FILE, help="Write it here, as discriminators.json.")
def discriminators(
    folders: tuple[Path, ...],
    on: tuple[Path, ...],
    critics: tuple[str, ...],
    critiques: tuple[Path, ...],
    by: str,
    flops: tuple[str, ...],
    family: str,
    bundle: Path | None,
    runs: Path | None,
    draws: int,
    seed: int,
    as_json: bool,
    output: Path | None,
) -> None:
    """Log-loss of discriminators in FOLDERS by size; what critics catch where the largest fails; what to repair.

    With a critic, the baselines surprisal, random, everything and empty stand beside it.

    Example: momus measure discriminators runs/d-1 runs/d-2 --on heldout.jsonl --critic bundled -o discriminators.json
    """
    if any(find_spec(name) is None for name in ("torch", "transformers", "safetensors")):
        raise MissingExtra("training", "train")
    from momus.cli.measure import open_critics, write_json
    from momus.cli.progress import progress
    from momus.critics.recorded import open_recorded

    asked = bool(critics or critiques)
    opened = (
        [*open_recorded(critiques), *open_critics(critics or ("empty",), only=False, bundle=bundle)] if asked else []
    )
    from momus.train.discriminator.compare import compare, lines

    body = compare(
        folders,
        on,
        critics=opened,
        family=family,
        by=by,
        flops=dict(map(_given, flops)),
        runs=runs,
        track=progress,
        draws=draws,
        seed=seed,
    )
    words = ["momus", "measure", "discriminators", *(folder.name for folder in folders)]
    words += [word for path in on for word in ("--on", path.name)]
    words += [word for name in critics for word in ("--critic", name)]
    words += [word for path in critiques for word in ("--critiques", path.name)]
    body["command"] = shlex.join(words)
    if output is not None:
        write_json(output, body)
    click.echo(json.dumps(body, ensure_ascii=False) if as_json else "\n".join(lines(body)))


def _given(said: str) -> tuple[str, float]:
    name, _, number = said.rpartition("=")
    try:
        value = float(number)
    except ValueError:
        value = 0.0
    if not name or not value > 0:
        raise MomusError(f"--flops {said}: say it as FOLDER=1e15, the folder by its name")
    return name, value
