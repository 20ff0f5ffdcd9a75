"""`momus train adapter`: pairs of buggy and correct code in, an adapter of a local model out."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import click

from momus.cli.saying import tell
from momus.errors import MissingExtra, MomusError

FOLDER = click.Path(path_type=Path, file_okay=False)


@click.command()
@click.option("--model", default="qwen2.5-coder-1.5b", show_default=True, help="Base: a model's name, or a GGUF file.")
@click.option("--benchmarks", default=Path("benchmarks"), show_default=True, type=FOLDER)
@click.option("--examples", type=click.IntRange(min=1), help="How many to train on in all.  [default: 2000]")
@click.option("--rank", type=click.IntRange(min=1), help="Of the adapter.  [default: 16]")
@click.option("--first-layer", type=click.IntRange(min=0), help="The lowest layer that is adapted.  [default: 12]")
@click.option("--lr", type=click.FloatRange(min=0, min_open=True), help="Learning rate.  [default: 0.0003]")
@click.option("--max-tokens", type=click.IntRange(min=16), help="Longer examples are left out.  [default: 800]")
@click.option(
    "--fall", type=click.FloatRange(0, 1), help="Share of the steps over which the rate falls.  [default: 0.25]"
)
@click.option("--seed", type=int, help="Of the order, the tampers and the first values.  [default: 0]")
@click.option(
    "--minutes", type=click.FloatRange(min=0), help="Stop after so long with a checkpoint; run again to go on."
)
@click.option("--threads", type=click.IntRange(min=1), help="Of the processor.  [default: all]")
@click.option("--out", default=Path("runs/adapter"), show_default=True, type=FOLDER)
def adapter(
    model: str, benchmarks: Path, minutes: float | None, threads: int | None, out: Path, **settings: float | None
) -> None:
    """Teach a local model to correct code while it copies it, on pairs that are neither reported nor fitted on.

    Needs the development data that MOMUS_DATA names. Runs on the CPU or one GPU; stopped, it goes on where it was.

    Example: momus train adapter --minutes 60 --out runs/adapter
    """
    if any(find_spec(name) is None for name in ("torch", "transformers", "peft")):
        raise MissingExtra("training", "train")
    from momus.measure import data_folder
    from momus.measure.draws import Draws

    data = data_folder()
    if data is None:
        raise MomusError("an adapter is trained on development data: set MOMUS_DATA to the folder that holds it")
    draws = Draws.read(benchmarks, data=data)
    from momus.train.adapter import stage
    from momus.train.adapter.config import AdapterConfig

    config = AdapterConfig.model_validate({name: value for name, value in settings.items() if value is not None})
    done = stage.adapter(model, draws, config, out, minutes=minutes, threads=threads, say=tell)
    tell(f"{'finished' if done else 'stopped with a checkpoint; run again to go on'}: {out}")
