"""`momus rate`: critiques of one answer side by side, and a rater's forms of them."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from momus.cli.saying import say
from momus.errors import MomusError

if TYPE_CHECKING:
    from rich.table import Table

    from momus.raters.job import Summary

FILE = click.Path(path_type=Path, dir_okay=False)
PIPE_WIDTH = 160  # columns where there is no terminal to ask


@click.command()
@click.option("--tasks", multiple=True, type=FILE, help="JSONL that momus critique was given. May be repeated.")
@click.option("--critiques", multiple=True, type=FILE, help="JSONL of momus critique. May be repeated.")
@click.option("--comparisons", type=FILE, help="Rate these comparisons, in place of --tasks and --critiques.")
@click.option(
    "--rater", default="oracle", show_default=True, help="oracle, oracle:noise=0.5,bias=length or judge:MODEL@URL."
)
@click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path, file_okay=False), help="Folder to write."
)
@click.option("--size", default=4, show_default=True, type=click.IntRange(2, 26), help="Critiques in a comparison.")
@click.option("--per-task", default=1, show_default=True, type=click.IntRange(1), help="Comparisons of each answer.")
@click.option(
    "--gold",
    default=1.0,
    show_default=True,
    type=click.FloatRange(0, 1),
    help="Share of comparisons on tampered answers with the gold critique in them.",
)
@click.option(
    "--moved",
    default=0.0,
    show_default=True,
    type=click.FloatRange(0, 1),
    help="Share of them that are of one comment, at a bug's line and at others: for a reward model to learn places.",
)
@click.option(
    "--untampered",
    default=0.2,
    show_default=True,
    type=click.FloatRange(0, 1),
    help="Share of comparisons on answers without known bugs, where as many are at hand.",
)
@click.option(
    "--silence",
    default=0.3,
    show_default=True,
    type=click.FloatRange(0, 1),
    help="Share of comparisons without an empty critique in which one takes a model's place.",
)
@click.option("--split", help="One side of the tasks' split only.")
@click.option("--seed", default=0, show_default=True, help="Of the comparisons, and of the rater.")
@click.option("--timeout", type=click.FloatRange(0.1), help="judge: seconds for one request.")
@click.option("--engine", default="local", show_default=True, type=click.Choice(["local", "ray"]), help="Who works.")
@click.option("--workers", default=2, show_default=True, type=click.IntRange(1), help="ray: actors at a time.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def command(
    tasks: tuple[Path, ...],
    critiques: tuple[Path, ...],
    comparisons: Path | None,
    rater: str,
    output: Path,
    size: int,
    per_task: int,
    gold: float,
    moved: float,
    untampered: float,
    silence: float,
    split: str | None,
    seed: int,
    timeout: float | None,
    engine: str,
    workers: int,
    as_json: bool,
) -> int:
    """Rate critiques, by the form of the paper: into comparisons.jsonl, ratings.jsonl and rankings.jsonl.

    A comparison is of several critiques of one answer, blind and shuffled: models' and the gold one, made of the
    reference bugs, or models' alone where the answer has no known bug. What cannot be scored stays unscored. The key
    of a judge's server is read from the environment variable MOMUS_API_KEY.

    Example: momus rate --tasks tampers.jsonl --critiques critiques.jsonl --rater oracle -o rated/
    """
    from momus.cli.critique import hashes_of, read_items, runner
    from momus.raters.compare import Built, Mix, build
    from momus.raters.job import RateWork, rate_all
    from momus.records import Comparison, Sampled, read_jsonl

    if (comparisons is None) == (not (tasks and critiques)):
        raise MomusError("give --tasks with --critiques, or --comparisons alone")
    if comparisons is not None and (tasks or critiques):
        raise MomusError("--comparisons brings its own tasks and critiques: leave --tasks and --critiques out")
    inputs = hashes_of([*tasks, *critiques] if comparisons is None else [comparisons])
    if comparisons is not None:
        built = Built(list(read_jsonl(comparisons, Comparison)), untampered)
    else:
        mix = Mix(
            size=size, gold=gold, moved=moved, untampered=untampered, silence=silence, per_task=per_task, seed=seed
        )
        sampled = [critique for path in critiques for critique in read_jsonl(path, Sampled)]
        built = build(read_items(tasks, split=split), sampled, mix)
    if not built.comparisons:
        raise MomusError(f"{comparisons} holds no comparison: make some with --tasks and --critiques")
    _say(built, comparisons is None)
    summary = rate_all(
        built.comparisons,
        output,
        RateWork(rater, seed, {} if timeout is None else {"timeout_s": timeout}),
        inputs=inputs,
        told={"skipped": dict(built.skipped)},
        run=runner(engine, workers, f"{rater}: comparisons"),
    )
    return _report(summary, output, as_json)


def _say(built: Any, is_new: bool) -> None:
    """What was skipped, and where the share of untampered answers was not reached, on standard error."""
    for why, count in built.skipped.items():
        say(f"{count} answers were skipped: {why}")
    if is_new and built.untampered < built.asked - 0.02:
        said = f"{built.untampered:.0%} of the comparisons are on untampered answers, not {built.asked:.0%}"
        say(f"{said}: criticise more of them with momus critique --twins")


def _report(summary: Summary, output: Path, as_json: bool) -> int:
    if as_json:
        click.echo(json.dumps({"output": str(output), **asdict(summary)}, indent=1, ensure_ascii=False))
    from rich.console import Console

    from momus.raters.solutions import SolutionsRater, agreement

    console = Console(stderr=True, width=None if sys.stderr.isatty() else PIPE_WIDTH)
    console.print(_table(summary))
    if summary.rater == SolutionsRater.name:
        say(agreement(summary.verdicts))
    if summary.tied:
        say(f"in {summary.tied} comparisons all critiques are tied; they teach nothing")
    if summary.unscored:
        told = f"{summary.unscored} of {summary.comparisons} comparisons are unscored"
        say(f"{told}, the first because {summary.why}")
    return 2 if summary.unscored == summary.comparisons else 0


def _table(summary: Summary) -> Table:
    from rich.table import Table

    from momus.raters.form import ATTRIBUTES

    who = f"{summary.rater} (a simulated rater)" if summary.simulated else summary.rater
    title = f"Mean scores by {who}, 1 to 7: {summary.comparisons} comparisons, {summary.untampered} without a known bug"
    table = Table(title=title, title_justify="left")
    table.add_column("critic")
    for name in ("critiques", *ATTRIBUTES, "unscored"):
        table.add_column(name.replace("_", " "), justify="right")
    for critic, scores in sorted(summary.by_critic.items(), key=lambda row: -(row[1]["overall"].mean or 0)):
        means = ["-" if (mean := scores[name].mean) is None else f"{mean:.2f}" for name in ATTRIBUTES]
        overall = scores["overall"]
        table.add_row(critic, str(overall.n + overall.unscored), *means, str(overall.unscored))
    return table
