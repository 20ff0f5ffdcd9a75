"""`momus measure certify`: how many honest answers the sandbox certifies by the tests of their problems."""

from __future__ import annotations

import random
from pathlib import Path

import click

from momus import __version__
from momus.cli.measure import write_json
from momus.cli.progress import progress
from momus.errors import MomusError

FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.argument("answers", type=FILE)
@click.option("--tests", "judges", required=True, type=FILE, help="JSONL of tasks with tests, met by their problem.")
@click.option("--split", help="One side of the split only.")
@click.option("--limit", type=click.IntRange(1), help="So many answers, drawn at random.")
@click.option("--seed", default=0, show_default=True, help="Of the draw.")
@click.option("--timeout", default=20.0, show_default=True, type=click.FloatRange(0.1), help="Seconds for each run.")
@click.option("--jobs", default=2, show_default=True, type=click.IntRange(1), help="Answers to run at a time.")
@click.option("-o", "--output", type=FILE, help="Write the verdicts as JSON here.")
def certify(
    answers: Path,
    judges: Path,
    split: str | None,
    limit: int | None,
    seed: int,
    timeout: float,
    jobs: int,
    output: Path | None,
) -> int:
    """Run the tests of each problem on the answers of ANSWERS, behind the pipe, and count what is certified.

    An answer is certified, not certifiable, or ended as the sandbox says. Those that are not certified are named.

    Example: momus measure certify correct.jsonl --tests qa.jsonl --limit 200 -o certified.json
    """
    from momus.inputs.supplied import supplied
    from momus.measure import load_clean, load_tasks
    from momus.sandbox import certify_many

    tested = {task.group: task for task in reversed(load_tasks(judges)) if task.tests is not None}
    found = [task for task in load_clean(answers, split=split) if task.group in tested]
    if not found:
        raise MomusError(f"no answer of {answers} is to a problem that {judges} has tests of: name other files")
    if limit is not None and limit < len(found):
        found = [found[at] for at in sorted(random.Random(seed).sample(range(len(found)), limit))]
    asked = []
    for task in found:
        judge = tested[task.group]
        taken = {"tests": judge.tests, "entry_point": judge.entry_point}
        asked.append((task.model_copy(update={**taken, "prelude": judge.prelude + supplied(task.answer)}), None))
    verdicts = list(progress(certify_many(asked, jobs=jobs, timeout_s=timeout), "Certifying", total=len(asked)))
    others = [
        {"id": task.id, "status": verdict.status, "reason": verdict.reason}
        for task, verdict in zip(found, verdicts, strict=True)
        if verdict.status != "passed"
    ]
    certified = len(found) - len(others)
    if output is not None:
        about = {"answers": answers.name, "tests": judges.name, "split": split, "limit": limit, "seed": seed}
        body = {"schema_version": 1, "momus": __version__, **about, "n": len(found), "certified": certified}
        write_json(output, {**body, "others": others})
    for other in others:
        named = "not certifiable" if other["status"] == "uncertain" else other["status"]
        click.echo(f"{other['id']}: {named}: {other['reason']}")
    click.echo(f"{certified} of {len(found)} answers certified ({certified / len(found):.1%})")
    return 0
