"""`momus train ppo`: the policy learns to please the reward model."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import click

from momus.cli.saying import tell
from momus.errors import MissingExtra

FOLDER = click.Path(path_type=Path, file_okay=False)
FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.option("--config", type=FILE, default=Path("configs/bundled.toml"), show_default=True)
@click.option("--from", "start", type=FOLDER, default=Path("runs/sft"), show_default=True, help="The policy.")
@click.option("--reward", type=FOLDER, default=Path("runs/reward"), show_default=True, help="The reward model.")
@click.option(
    "--tasks",
    multiple=True,
    required=True,
    type=FILE,
    help="JSONL of what is asked: the comparisons of the reward model, tasks or tampers.",
)
@click.option("--watch", type=FILE, help="JSONL of held-out tampers: count the bugs found there as training goes.")
@click.option("--watch-limit", type=click.IntRange(min=1), default=100, show_default=True)
@click.option("--estimator", type=click.Choice(["gae", "rloo"]), help="Instead of the one that the config names.")
@click.option(
    "--minutes", type=click.FloatRange(min=0), help="Stop after this long, with a checkpoint; run again to go on."
)
@click.option("--out", type=FOLDER, default=Path("runs/ppo"), show_default=True)
def ppo(
    config: Path,
    start: Path,
    reward: Path,
    tasks: tuple[Path, ...],
    watch: Path | None,
    watch_limit: int,
    estimator: Literal["gae", "rloo"] | None,
    minutes: float | None,
    out: Path,
) -> None:
    """Learn to please the reward model, near the policy that was there. Any causal model of Hugging Face will do.

    Several processes: ACCELERATE_USE_CPU=true torchrun --nproc_per_node 2 -m momus train ppo (without the variable on
    GPUs).

    Example: momus train ppo --from runs/sft --reward runs/reward --tasks comparisons.jsonl --out runs/ppo
    """
    if any(find_spec(name) is None for name in ("torch", "transformers", "safetensors", "accelerate")):
        raise MissingExtra("PPO", "train")
    from momus.train.config import load_ppo_config

    settings = load_ppo_config(config)  # before torch, which takes seconds
    section = settings.ppo
    if estimator is not None:
        section = type(section).model_validate({**section.model_dump(), "estimator": estimator})
    from momus.train.ppo.run import ppo as run

    done = run(
        section,
        start,
        reward,
        tasks,
        out,
        seed=settings.seed,
        watch=watch,
        watch_limit=watch_limit,
        minutes=minutes,
    )
    tell(f"{'finished' if done else 'stopped with a checkpoint; run again to go on'}: {out}")
