"""`momus train discriminator`: tampers with their twins in, "tampered or not" out."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

import click

from momus.cli.saying import tell
from momus.decode import from_json
from momus.errors import MissingExtra

FOLDER = click.Path(path_type=Path, file_okay=False)
FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.option(
    "--from", "start", type=FOLDER, default=Path("runs/pretrain"), show_default=True, help="The checkpoint to start at."
)
@click.option("--tampers", multiple=True, type=FILE, help="JSONL of momus tamper. May be repeated.")
@click.option("--corpus", type=FOLDER, help="Folder of a corpus: functions of its train split, tampered with here.")
@click.option("--functions", type=click.IntRange(min=1), help="So many functions of the corpus.  [default: all]")
@click.option("--on", multiple=True, type=FILE, help="JSONL of tampers to measure on, not on what was held out.")
@click.option("--config", type=FILE, help="A run's TOML: its [discriminator] section and its seed.")
@click.option("--flops", type=click.FloatRange(min=0, min_open=True), help="Compute of the pre-training, if not known.")
@click.option("--seed", type=int, help="Of the split, the order and the functions drawn.  [default: the config's]")
@click.option(
    "--minutes", type=click.FloatRange(min=0), help="Stop after this long, with a checkpoint; run again to go on."
)
@click.option("--json", "as_json", is_flag=True, help="Print discriminator.json.")
@click.option("--out", type=FOLDER, default=Path("runs/discriminator"), show_default=True)
def discriminator(
    start: Path,
    tampers: tuple[Path, ...],
    corpus: Path | None,
    functions: int | None,
    on: tuple[Path, ...],
    config: Path | None,
    flops: float | None,
    seed: int | None,
    minutes: float | None,
    as_json: bool,
    out: Path,
) -> None:
    """Learn to tell tampered answers from their clean twins; report the log-loss on twins that did not train.

    Example: momus train discriminator --from runs/pretrain --tampers tampers.jsonl --out runs/discriminator
    """
    if any(find_spec(name) is None for name in ("torch", "transformers", "safetensors")):
        raise MissingExtra("training", "train")
    from momus.train.config import DiscriminatorConfig, load_config

    settings = load_config(config) if config is not None else None  # before torch, which takes seconds
    from momus.train.discriminator import report, stage

    done = stage.discriminator(
        start,
        out,
        config=settings.discriminator if settings is not None else DiscriminatorConfig(),
        tampers=tampers,
        corpus=corpus,
        functions=functions,
        on=on,
        flops=flops,
        seed=seed if seed is not None else settings.seed if settings is not None else 0,
        minutes=minutes,
        say=tell,
    )
    tell(f"{'finished' if done else 'stopped with a checkpoint; run again to go on'}: {out}")
    if not done:
        return
    about = from_json((out / stage.FILE).read_text(encoding="utf-8"))
    if as_json:
        print(json.dumps(about, indent=1))
        return
    measured = about["measured"]
    print(
        f"{about['parameters']:,} weights; {measured['pairs']:,} pairs of {measured['problems']:,} problems "
        f"({'held out' if measured['on'] == 'held out' else ', '.join(measured['on'])}), calibrated on "
        f"{about['calibrated_on']['pairs']:,}"
    )
    print("\n".join(report.lines(about)))
