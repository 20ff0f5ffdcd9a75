"""`momus measure calibrate`: what scores of a local critic mean, fitted on answers that nothing else uses."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from momus.cli.measure_draw import BENCHMARKS, WHEELS, context_in_file
from momus.errors import MomusError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from momus.records import Tamper, Task

FOLDER = click.Path(path_type=Path, file_okay=False)


@click.command()
@click.option("--critic", "name", required=True, help="Such as local:qwen2.5-coder-1.5b or server:MODEL@URL.")
@click.option(
    "--on",
    "paths",
    multiple=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="JSONL of tasks with known bugs, or of clean answers. May be repeated. Default: the calibration lists.",
)
@click.option("--first", type=click.IntRange(1), help="So many of each list only, the first of the draw.")
@click.option("--first-buggy", type=click.IntRange(1), help="The same for the lists of buggy answers alone.")
@click.option("--benchmarks", default=BENCHMARKS, show_default=True, type=FOLDER, help="Folder of the lists.")
@click.option("--wheels", default=WHEELS, show_default=True, type=FOLDER, help="Packages; fetched where missing.")
@click.option("--runs", type=FOLDER, help="Keep what was assessed here, and take it up.")
@click.option("-o", "--output", type=FOLDER, help="Folder to write to.  [default: the user's own]")
@click.option("--seed", default=0, show_default=True)
def calibrate(
    name: str,
    paths: tuple[Path, ...],
    first: int | None,
    first_buggy: int | None,
    benchmarks: Path,
    wheels: Path,
    runs: Path | None,
    output: Path | None,
    seed: int,
) -> None:
    """Fit the gate, the dial and the confidence of a critic over a model, and keep them by model, request and mode.

    Of a model on a server the name stands for the model, its own and the one that its server gives it.

    Needs clean and buggy answers both to questions and of code without one; fixed versions of the buggy ones count as
    clean. What is reported on is refused. With --runs, a run that was stopped goes on.

    Example: momus measure calibrate --critic local:qwen2.5-coder-1.5b --runs runs/calibrate
    """
    from momus.cli.progress import progress
    from momus.critics import open_critic
    from momus.critics.local.calibration import Calibration
    from momus.measure.assessed import Gated, assess_all, with_twins
    from momus.measure.calibrate import fit
    from momus.measure.fitted import keys_of

    options: dict[str, Any] = {"scans": runs / "scans"} if runs is not None else {}
    if not name.startswith(("local:", "server:")):
        raise MomusError(f"{name} has no gate to fit: name a critic over a model, such as local:qwen2.5-coder-1.5b")
    critic = open_critic(name, **options)
    if not isinstance(critic, Gated):
        raise MomusError(f"{name} tells no scores before its gate: name a critic over a model")
    given, said = _items(paths, first, first_buggy or first, benchmarks, wheels)
    items = with_twins(given)

    def watch(waiting: Iterable[Tamper | Task]) -> Iterable[Tamper | Task]:
        left = list(waiting)
        return progress(left, name, total=len(left))

    found = assess_all(critic, items, folder=runs, watch=watch)
    fitted = fit(found, seed=seed)
    kept = Calibration(
        digest=critic.digest,
        request=critic.request,
        mode=critic.mode,
        question=fitted.question,
        code=fitted.code,
        fitted_on=f"{said}; and what the buggy ones are when they are fixed, as clean answers",
        fitted=keys_of(given),
        auc=None if math.isnan(fitted.auc) else round(fitted.auc, 4),
    )
    path = kept.save(output)
    for what, side in (("answers to a question", fitted.question), ("other code", fitted.code)):
        for threshold in side.thresholds:
            share = 100 * threshold.flagged / threshold.n
            click.echo(
                f"{what:22} dial {threshold.dial:2}: from {threshold.score:.2f}, {threshold.flagged} of {threshold.n} "
                f"clean flagged, {share:.1f}% ({100 * threshold.low:.1f}–{100 * threshold.high:.1f}), "
                f"at most {100 * threshold.wanted:g}% wanted"
            )
    click.echo(f"confidence: AUC {fitted.auc:.2f}, {fitted.right} right places against {fitted.wrong} wrong ones")
    click.echo(f"kept in {path}")


def _items(
    paths: Sequence[Path], first: int | None, first_buggy: int | None, benchmarks: Path, wheels: Path
) -> tuple[list[Tamper | Task], str]:
    """What to fit on, and that in words. Raises MomusError where something of it is reported on."""
    from momus.measure import data_folder
    from momus.measure.datasets import load_items
    from momus.measure.draws import SETS, Draws

    items: list[Tamper | Task] = []
    said: list[str] = []
    if paths:
        for path in paths:
            found = load_items(path)[:first]
            items += found
            said.append(f"{path.name} {len(found)}")
        if (benchmarks / "draws.jsonl").is_file():
            Draws.read(benchmarks).refuse_reported(items)
        return items, ", ".join(said)
    draws = Draws.read(benchmarks, data=data_folder(), wheels=wheels, context_of=context_in_file)
    for name, known in SETS["calibration"].items():
        drawn = draws.load("calibration", name, first if known.clean else first_buggy)
        items += drawn
        said.append(f"{name} {len(drawn)}")
    return items, "calibration lists: " + ", ".join(said)
