"""`momus train`: from packages to a bundle, one command a stage."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import click

from momus.cli.corpus_commands import corpus, tokenizer
from momus.cli.saying import tell
from momus.cli.train_adapter import adapter
from momus.cli.train_discriminator import discriminator
from momus.cli.train_handover import hands_over
from momus.cli.train_ppo import ppo
from momus.cli.train_reward import reward
from momus.errors import MissingExtra

FOLDER = click.Path(path_type=Path, file_okay=False)
FILE = click.Path(path_type=Path, dir_okay=False)

_config = click.option("--config", type=FILE, default=Path("configs/bundled.toml"), show_default=True)
_corpus = click.option("--corpus", "corpus_dir", type=FOLDER, default=Path("runs/corpus"), show_default=True)
_tokenizer = click.option(
    "--tokenizer", "tokenizer_dir", type=FOLDER, default=Path("runs/tokenizer"), show_default=True
)
_jobs = click.option(
    "--jobs", type=click.IntRange(min=1), default=2, show_default=True, help="Processes that prepare examples."
)
_minutes = click.option(
    "--minutes", type=click.FloatRange(min=0), help="Stop after this long, with a checkpoint; run again to go on."
)


@click.group()
def command() -> None:
    """Train a critic, stage by stage; every stage resumes where it stopped.

    Example: momus train corpus && momus train tokenizer && momus train pretrain && momus train scan && momus train sft
    """


command.add_command(corpus)
command.add_command(tokenizer)
command.add_command(reward)
command.add_command(ppo)
command.add_command(adapter)
command.add_command(discriminator)


@command.command()
@_config
@_corpus
@_tokenizer
@_jobs
@_minutes
@click.option("--out", type=FOLDER, default=Path("runs/pretrain"), show_default=True)
def pretrain(config: Path, corpus_dir: Path, tokenizer_dir: Path, jobs: int, minutes: float | None, out: Path) -> None:
    """Learn code. Several processes: torchrun --nproc_per_node 2 -m momus train pretrain.

    Example: momus train pretrain --config configs/bundled.toml --minutes 9
    """
    _need_torch()
    from momus.train.config import load_config

    settings = load_config(config)  # before torch, which takes seconds
    from momus.train import stages

    done = stages.pretrain(settings, corpus_dir, tokenizer_dir / "tokenizer.json", out, jobs=jobs, minutes=minutes)
    _say(done, out)


@command.command()
@_config
@_corpus
@_tokenizer
@_jobs
@_minutes
@click.option("--from", "start", type=FOLDER, default=Path("runs/pretrain"), show_default=True)
@click.option("--also", multiple=True, type=FILE, help="JSONL of tasks to tamper.")
@click.option("--out", type=FOLDER, default=Path("runs/scan"), show_default=True)
def scan(
    config: Path,
    corpus_dir: Path,
    tokenizer_dir: Path,
    jobs: int,
    minutes: float | None,
    start: Path,
    also: tuple[Path, ...],
    out: Path,
) -> None:
    """Learn which lines are wrong: answers with many bugs, a verdict on every line.

    Example: momus train scan --from runs/pretrain --out runs/scan
    """
    _go_on("scan", config, corpus_dir, tokenizer_dir, start, also, out, jobs, minutes)


@command.command()
@_config
@_corpus
@_tokenizer
@_jobs
@_minutes
@click.option("--from", "start", type=FOLDER, default=Path("runs/scan"), show_default=True)
@click.option("--also", multiple=True, type=FILE, help="JSONL of tasks to tamper, or of bugs with their fixes.")
@click.option("--out", type=FOLDER, default=Path("runs/sft"), show_default=True)
def sft(
    config: Path,
    corpus_dir: Path,
    tokenizer_dir: Path,
    jobs: int,
    minutes: float | None,
    start: Path,
    also: tuple[Path, ...],
    out: Path,
) -> None:
    """Learn to criticise: tampers with their gold critiques, and their clean twins with silence.

    Example: momus train sft --from runs/scan --also tasks.jsonl --out runs/sft
    """
    _go_on("sft", config, corpus_dir, tokenizer_dir, start, also, out, jobs, minutes)


@command.command()
@_corpus
@_tokenizer
@click.option("--from", "checkpoint", type=FOLDER, default=Path("runs/sft"), show_default=True)
@click.option("--reward", type=FOLDER, help="Folder of a reward model, for the critic bundled+fsbs and its dial.")
@click.option("--ngram", type=FILE, default=Path("runs/ngram/ngram.npz"), show_default=True)
@click.option("--out", type=FOLDER, default=Path("src/momus/bundle"), show_default=True)
@click.option("--name", default="momus-small", show_default=True)
@click.option(
    "--also",
    type=FILE,
    multiple=True,
    help="JSON lines of correct answers; of those whose split is dev every second development tamper is made.",
)
@click.option(
    "--apart", type=FILE, multiple=True, help="JSON lines that will be measured on: no problem of theirs is taken."
)
@click.option("--bits", type=click.Choice(["8", "32"]), default="8", show_default=True)
@click.option(
    "--pairs",
    type=click.IntRange(min=20),
    default=400,
    show_default=True,
    help="Development tampers that the gate is fitted on.",
)
@click.option(
    "--dial-pairs",
    type=click.IntRange(min=20),
    default=600,
    show_default=True,
    help="Further development tampers for the dial: half to fit it, half to check it.",
)
@click.option(
    "--clean-flagged",
    type=click.FloatRange(0, 1),
    default=0.1,
    show_default=True,
    help="Share of clean answers that may be spoken of.",
)
@click.option("--seed", default=0, show_default=True, help="Of the development tampers.")
@hands_over
def export(
    corpus_dir: Path,
    tokenizer_dir: Path,
    checkpoint: Path,
    reward: Path | None,
    ngram: Path,
    out: Path,
    name: str,
    also: tuple[Path, ...],
    apart: tuple[Path, ...],
    bits: str,
    pairs: int,
    dial_pairs: int,
    clean_flagged: float,
    seed: int,
) -> None:
    """Write a checkpoint as a bundle, with a fitted gate and a model card; print what the gate does, as JSON.

    With a reward model it also holds that one, and a dial: length modifiers by percentile and by promise.

    With --to it writes a folder on which another engine starts PPO instead: see docs/scale.md.

    Example: momus train export --from runs/ppo --reward runs/reward --out my-bundle --clean-flagged 0.05
    """
    _need_torch()
    import json

    from momus.train.export import export as write
    from momus.train.sources import development_answers

    report = write(
        checkpoint,
        tokenizer_dir / "tokenizer.json",
        ngram,
        corpus_dir,
        out,
        name=name,
        reward=reward,
        answers=development_answers(also, apart, seed),
        bits=8 if bits == "8" else 32,
        pairs=pairs,
        dial_pairs=dial_pairs,
        clean_flagged=clean_flagged,
        seed=seed,
    )
    print(json.dumps(report, indent=2))


def _need_torch() -> None:
    if any(find_spec(name) is None for name in ("torch", "transformers", "safetensors")):
        raise MissingExtra("training", "train")


def _go_on(
    stage: Literal["scan", "sft"],
    config: Path,
    corpus_dir: Path,
    tokenizer_dir: Path,
    start: Path,
    also: tuple[Path, ...],
    out: Path,
    jobs: int,
    minutes: float | None,
) -> None:
    """Run a stage that starts from another's checkpoint."""
    _need_torch()
    from momus.train.config import load_config
    from momus.train.sources import training_records

    settings = load_config(config)  # before torch, which takes seconds
    from momus.train import stages

    train = stages.scan if stage == "scan" else stages.sft
    tokenizer_file, more = tokenizer_dir / "tokenizer.json", training_records(also)
    _say(train(settings, corpus_dir, tokenizer_file, start, out, more=more, jobs=jobs, minutes=minutes), out)


def _say(done: bool, out: Path) -> None:
    tell(f"{'finished' if done else 'stopped with a checkpoint; run again to go on'}: {out}")
