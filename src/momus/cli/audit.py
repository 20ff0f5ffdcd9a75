"""`momus audit`: answers that were rated good, criticised, and the most suspect looked at again."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from momus.cli.saying import say

if TYPE_CHECKING:
    from momus.audit.report import Level

FILE = click.Path(path_type=Path, dir_okay=False)
FOLDER = click.Path(path_type=Path, file_okay=False)


@click.group()
def command() -> None:
    """Look again at answers that were rated good: the most suspect, and as many at random without a critique.

    Example: momus audit select good.jsonl --critic server:MODEL@http://127.0.0.1:8000/v1 --top 100 -o audit
    """


@command.command()
@click.argument("paths", nargs=-1, required=True, type=FILE)
@click.option("--critic", default="auto", show_default=True, help="Such as auto (Python only), server:MODEL@URL.")
@click.option("-n", "n", default=4, show_default=True, type=click.IntRange(1, 1000), help="Critiques of each answer.")
@click.option("--top", default=100, show_default=True, type=click.IntRange(1), help="Answers to look at, in each arm.")
@click.option("--reward", type=FOLDER, help="Folder of a reward model that orders the critiques.")
@click.option("--bundle", type=FOLDER, help="Folder of the bundle, for its critic and its reward model.")
@click.option(
    "--explore", is_flag=True, help="bundled: after the first, critiques that speak though its gate is silent."
)
@click.option("--timeout", type=click.FloatRange(0.1), help="server: seconds for one request.")
@click.option("--seed", default=0, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
@click.option("-o", "--output", required=True, type=FOLDER, help="Folder to write.")
def select(
    paths: tuple[Path, ...],
    critic: str,
    n: int,
    top: int,
    reward: Path | None,
    bundle: Path | None,
    explore: bool,
    timeout: float | None,
    seed: int,
    as_json: bool,
    output: Path,
) -> int:
    """Criticise the answers in PATHS, JSON lines of questions and answers, and choose what is looked at again.

    Writes team.jsonl and write.jsonl for the desk, and arms.jsonl for the report. A run that was stopped goes on. The
    key of a server is read from the environment variable MOMUS_API_KEY.

    Example: momus audit select good.jsonl --critic bundled --reward runs/reward --top 100 -o audit
    """
    from momus.audit.answers import for_critic, read_answers
    from momus.audit.order import by_bundle, by_reward_folder
    from momus.audit.select import select as selected
    from momus.cli.critique import hashes_of, runner
    from momus.cli.fetching import have_model
    from momus.critics.job import CritiqueWork

    opens_bundle = critic.startswith(("bundled", "surprisal"))  # for others a bundle only orders
    given = {
        "explore": explore or None,
        "bundle": None if bundle is None or not opens_bundle else str(bundle.resolve()),
        "timeout_s": timeout,
    }
    options = {name: value for name, value in given.items() if value is not None}
    tasks = read_answers(paths)
    for_critic(tasks, critic)  # what no critic of this kind could read is said before a model is fetched for it
    have_model(critic)
    score, name = None, ""
    if reward is not None:
        _need_torch()
        score, name = by_reward_folder(reward), str(reward)
    elif critic.startswith("bundled") or bundle is not None:
        score, name = by_bundle(bundle), "in the bundle"
    told = selected(
        tasks,
        output,
        CritiqueWork(critic, options, n=n, seed=seed),
        top=top,
        score=score,
        scored_by=name,
        seed=seed,
        inputs=hashes_of(paths),
        run=runner("local", 1, f"{critic}: answers"),
    )
    if as_json:
        from dataclasses import asdict

        click.echo(json.dumps({"output": str(output), **asdict(told)}, indent=1))
    else:
        click.echo(
            f"{told.criticised} answers criticised: {told.silent} of them in silence, {told.failed} failed\n"
            f"{told.critique} to look at again with a critique, ordered {told.ordered}; {told.control} without, drawn "
            f"at random\nthe desk's work is in {output}: team.jsonl and write.jsonl"
        )
    for sentence in told.left_out:
        say(f"left out: {sentence}")
    return 2 if told.failed == told.criticised else 0


@command.command()
@click.argument("folder", type=FOLDER)
@click.option("--desk", "url", required=True, help="Address of the desk, such as https://desk.example.org.")
@click.option("--project", required=True, help="The project's short name.")
@click.option("--overlap", default=1, show_default=True, type=click.IntRange(1, 100), help="How many people each.")
def send(folder: Path, url: str, project: str, overlap: int) -> None:
    """Send what is to be looked at again to a desk, both arms at once. The same again adds nothing.

    The key of a manager is read from the environment variable MOMUS_DESK_TOKEN. On the desk's own machine the files
    can be imported instead: momus desk import --kind team, and --kind write.

    Example: momus audit send audit --desk https://desk.example.org --project audit
    """
    from momus.audit.desk import DeskClient

    client = DeskClient(url, project)
    try:
        for kind, counts in client.send(folder, overlap=overlap).items():
            click.echo(f"{kind}: {counts['added']} added, {counts['known']} known already")
    finally:
        client.close()


@command.command()
@click.argument("folder", type=FOLDER)
@click.option("--records", type=FOLDER, help="Folder that momus desk export --format records wrote.")
@click.option("--desk", "url", help="Address of a desk to fetch them from, in place of --records.")
@click.option("--project", help="The project's short name, with --desk.")
@click.option(
    "--at-least",
    "level",
    default="medium",
    show_default=True,
    type=click.Choice(["low", "medium", "high"]),
    help="Severity of a comment by which an answer counts as re-rated lower.",
)
@click.option("--simulated", is_flag=True, help="Say that simulated people looked again.")
@click.option("--draws", default=2000, show_default=True, type=click.IntRange(1), help="Bootstrap draws.")
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
@click.option("-o", "--output", type=FILE, help="Write it here, as audit.json.")
def report(
    folder: Path,
    records: Path | None,
    url: str | None,
    project: str | None,
    level: Level,
    simulated: bool,
    draws: int,
    as_json: bool,
    output: Path | None,
) -> None:
    """How often the second look found an answer worse than it was rated, with a critique and without.

    Example: momus audit report audit --records runs/desk -o run/audit.json
    """
    from momus.audit.report import lines, looks_of
    from momus.audit.report import report as reported
    from momus.audit.select import read_chosen, read_settings
    from momus.cli.measure import write_json
    from momus.errors import MomusError

    if (records is None) == (url is None) or (url is None) != (project is None):
        raise MomusError("say where the second look is: --records FOLDER, or --desk URL with --project")
    chosen, told = read_chosen(folder), read_settings(folder)
    if url is not None and project is not None:
        from momus.audit.desk import DeskClient

        records = folder / "desk"
        client = DeskClient(url, project)
        try:
            client.fetch(records)
        finally:
            client.close()
    assert records is not None
    body = reported(
        chosen,
        looks_of(chosen, records),
        critic=told["settings"]["critic"],
        ordered=told["counts"]["ordered"],
        level=level,
        simulated=simulated,
        draws=draws,
    )
    words = ["momus", "audit", "report", folder.name, "--at-least", level, *(["--simulated"] if simulated else [])]
    body["command"] = shlex.join(words)
    if output is not None:
        write_json(output, body)
    click.echo(json.dumps(body, indent=1) if as_json else "\n".join(lines(body)))


def _need_torch() -> None:
    from importlib.util import find_spec

    from momus.errors import MissingExtra

    if any(find_spec(name) is None for name in ("torch", "transformers", "safetensors")):
        raise MissingExtra("a reward model in a folder", "train")
