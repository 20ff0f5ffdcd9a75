"""`momus bench`: times what is promised to be fast."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from momus.cli.saying import tell
from momus.errors import MomusError

if TYPE_CHECKING:
    from momus.bench import Outcome

_SUITES = ("decode", "quote", "fsbs", "train", "ppo", "startup", "review", "summary", "model", "desk")
_APART = ("ppo", "model", "desk")  # not of `all`: what they need, they may fetch, or it takes long


@click.command()
@click.argument("suite", type=click.Choice([*_SUITES, "all"]), default="all")
@click.option("--seed", default=0, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="Write the results there: a file, or a folder (SUITE.json)."
)
@click.option(
    "--trl-python",
    type=click.Path(path_type=Path, dir_okay=False),
    help="For ppo: a Python that has TRL 1.12.0.  [default: fetch it with pip, once]",
)
@click.option(
    "--label-studio",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="For desk: a Python that has Label Studio, to compare with.",
)
@click.option(
    "--model", "local", metavar="NAME|PATH", help="For model: the model to time.  [default: the default model]"
)
def command(
    suite: str,
    seed: int,
    as_json: bool,
    output: Path | None,
    trl_python: Path | None,
    label_studio: Path | None,
    local: str | None,
) -> None:
    """Time what is promised to be fast: CPU-seconds on one thread, as ratios against named peers in one run.

    decode: 28 drafts of one prompt against Hugging Face, fsbs: a search likewise, train: a training step likewise, and
    against torch's fused attention (all three need the part 'train'). quote: quote masks. startup: the shortest
    commands, and loading a model (needs the part 'bundled'). review: reviews by the bundled critic against pylint
    (needs the parts 'bundled' and 'linters'). summary: statistics of 100,000 ratings, and Elo against choix and evalica
    (needs the part 'study'; the peers where they are installed).

    ppo: a step of PPO against TRL 1.12.0 (needs the part 'train'); `all` leaves it out, as it may fetch its peer.

    model: a local model against llama.cpp, on one and two threads by the clock (needs the part 'dev', and the model's
    weights); `all` leaves it out, as nothing else may run meanwhile.

    desk: many people at once on SQLite and on PostgreSQL, while servers are killed (needs the part 'desk', and
    PostgreSQL); `all` leaves it out, as it takes long. With --label-studio, claiming and handing in against that.

    Example: momus bench quote -o benchmarks/results
    """
    from momus.bench import run

    suites = tuple(name for name in _SUITES if name not in _APART) if suite == "all" else (suite,)
    if output is not None and output.suffix == ".json" and len(suites) > 1:
        raise MomusError("several suites need a folder to write to: give -o a folder")
    bodies = []
    for name in suites:
        outcome = run(name, seed=seed, say=_say, trl_python=trl_python, label_studio=label_studio, model=local)
        more = " --label-studio PYTHON" if label_studio and name == "desk" else ""
        more += f" --model {local}" if local and name == "model" else ""
        body = _body(outcome, seed, more)
        bodies.append(body)
        if output is not None:
            _write(body, output if output.suffix == ".json" else output / f"{name}.json")
        if not as_json:
            _show(outcome)
    if as_json:
        print(json.dumps(bodies if suite == "all" else bodies[0], indent=2))


def _say(line: str) -> None:
    if sys.stderr.isatty():
        tell(f"momus bench: {line} ...")


def _body(outcome: Outcome, seed: int, more: str) -> dict[str, Any]:
    from momus import __version__
    from momus.bench.process import machine, today, versions

    return {
        "schema_version": 1,
        "suite": outcome.suite,
        "command": f"momus bench {outcome.suite} --seed {seed}{more}",
        "date": today(),
        "machine": machine(),
        "versions": {"momus": __version__, **versions(outcome.packages)},
        "goals": [
            {
                "name": goal.name,
                "value": round(goal.value, 3),
                "bound": goal.bound,
                "limit": goal.limit,
                "unit": goal.unit,
                "holds": goal.holds,
            }
            for goal in outcome.goals
        ],
        "figures": outcome.figures,
    }


def _write(body: dict[str, Any], path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(path.name + ".partial")
        partial.write_text(json.dumps(body, indent=2) + "\n", encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        raise MomusError(f"cannot write {path} ({error.strerror}); choose another place with -o") from error


def _show(outcome: Outcome) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title=outcome.suite, title_justify="left", box=None)
    for heading in ("", "found", "promised", ""):
        table.add_column(heading, justify="right" if heading else "left")
    for goal in outcome.goals:
        promised = f"{goal.bound} {goal.limit:g} {goal.unit}"
        table.add_row(goal.name, f"{goal.value:g} {goal.unit}", promised, "holds" if goal.holds else "MISSED")
    console = Console()
    console.print(table)
    console.print_json(data=outcome.figures)
