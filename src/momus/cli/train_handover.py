"""`momus train export --to verl|openrlhf`: what another engine needs to run PPO."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from momus.cli.saying import say, tell
from momus.errors import MissingExtra, MomusError

if TYPE_CHECKING:
    from momus.train.handover.run import Engine

FILE = click.Path(path_type=Path, dir_okay=False)


def hands_over(export: Callable[..., None]) -> Callable[..., None]:
    """Give the command that writes a bundle the option --to, and what goes with it."""

    @click.option(
        "--to",
        type=click.Choice(["bundle", "verl", "openrlhf"]),
        default="bundle",
        show_default=True,
        help="A bundle, or a folder on which that engine starts PPO.",
    )
    @click.option("--tasks", multiple=True, type=FILE, help="Engines: JSONL of what is asked about. May be repeated.")
    @click.option("--config", type=FILE, help="Engines: a run's TOML with [ppo].  [default: its defaults]")
    @click.option("--gpus", type=click.IntRange(1), default=1, show_default=True, help="Engines: GPUs of a machine.")
    @click.option("--nodes", type=click.IntRange(1), default=1, show_default=True, help="Engines: machines.")
    @functools.wraps(export)
    def command(
        *, to: Engine, tasks: tuple[Path, ...], config: Path | None, gpus: int, nodes: int, **given: Any
    ) -> None:
        if to not in ("verl", "openrlhf"):
            export(**given)
            return
        named = click.get_current_context().get_parameter_source("out") is click.core.ParameterSource.COMMANDLINE
        out = given["out"] if named else Path("runs") / to
        _hand_over(to, given["checkpoint"], given["reward"], tasks, config, out, gpus, nodes)

    return command


def _hand_over(
    engine: Engine,
    policy: Path,
    reward: Path | None,
    tasks: tuple[Path, ...],
    config: Path | None,
    out: Path,
    gpus: int,
    nodes: int,
) -> None:
    if reward is None or not tasks:
        raise MomusError(f"{engine} needs a reward model and tasks to ask about: name them with --reward and --tasks")
    from momus.train.config import load_ppo_config
    from momus.train.ppo.config import PPOConfig

    settings = load_ppo_config(config) if config is not None else None  # before torch, which takes seconds
    try:
        from momus.train.handover.export import hand_over
    except ImportError:
        raise MissingExtra("training", "train") from None
    ppo, seed = (PPOConfig(), 0) if settings is None else (settings.ppo, settings.seed)
    count, left_out = hand_over(engine, policy, reward, tasks, ppo, out, gpus=gpus, nodes=nodes, seed=seed)
    for why, number in left_out.items():
        say(f"{number} tasks were left out: {why}")
    tell(f"{count} requests for {engine} in {out}; start it there with run.sh")
