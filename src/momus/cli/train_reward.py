"""`momus train reward`: rated comparisons in, a reward model out."""

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
@click.option("--from", "start", type=FOLDER, default=Path("runs/sft"), show_default=True, help="The policy.")
@click.option(
    "--comparisons", type=FOLDER, multiple=True, required=True, help="Folder that momus rate wrote. May be repeated."
)
@click.option("--config", type=FILE, help="A run's TOML: its [reward] section and its seed.  [default: their defaults]")
@click.option("--also", multiple=True, type=FILE, help="JSONL of general preferences: prompt, chosen, rejected.")
@click.option(
    "--samples", multiple=True, type=FILE, help="JSONL of the SFT policy's critiques, to normalise scores on."
)
@click.option("--seed", type=int, help="Of the split and the order.  [default: the config's]")
@click.option(
    "--minutes", type=click.FloatRange(min=0), help="Stop after this long, with a checkpoint; run again to go on."
)
@click.option(
    "--json", "as_json", is_flag=True, help="Print reward.json: the scale, and the report on what was held out."
)
@click.option("--out", type=FOLDER, default=Path("runs/reward"), show_default=True)
def reward(
    start: Path,
    comparisons: tuple[Path, ...],
    config: Path | None,
    also: tuple[Path, ...],
    samples: tuple[Path, ...],
    seed: int | None,
    minutes: float | None,
    as_json: bool,
    out: Path,
) -> None:
    """Learn which critique is preferred; report accuracy and calibration on comparisons that were held out.

    Example: momus train reward --from runs/sft --comparisons runs/rated --out runs/reward
    """
    if any(find_spec(name) is None for name in ("torch", "transformers", "safetensors")):
        raise MissingExtra("training", "train")
    from momus.train.config import RewardConfig, load_config

    settings = load_config(config) if config is not None else None  # before torch, which takes seconds
    from momus.train.reward import report, stage
    from momus.train.reward.model import FILE as ABOUT

    done = stage.reward(
        start,
        comparisons,
        out,
        config=settings.reward if settings is not None else RewardConfig(),
        seed=seed if seed is not None else settings.seed if settings is not None else 0,
        also=also,
        samples=samples,
        minutes=minutes,
        say=tell,
    )
    tell(f"{'finished' if done else 'stopped with a checkpoint; run again to go on'}: {out}")
    if not done:
        return
    about = from_json((out / ABOUT).read_text(encoding="utf-8"))
    if as_json:
        print(json.dumps(about, indent=1))
        return
    print(
        f"scores: mean {about['mean']:.3f}, std {about['std']:.3f} on {about['normalised_on']['critiques']:,} critiques"
    )
    if about["held_out"] is None:
        print("nothing was held out, so that nothing is known of how good it is")
        return
    raters = ", ".join(r["name"] + (" (simulated)" if r["simulated"] else "") for r in about["raters"])
    held = about["held_out"]
    print(f"held out: {held['comparisons']:,} comparisons of {held['problems']:,} problems, rated by {raters}")
    print("\n".join(report.lines(held)))
