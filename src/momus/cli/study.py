"""`momus study`: the whole loop, from code to a table, out of one TOML file."""

from __future__ import annotations

import shutil
from importlib.util import find_spec
from pathlib import Path

import click

from momus.cli.saying import tell
from momus.errors import MissingExtra, MomusError

FOLDER = click.Path(path_type=Path, file_okay=False)


@click.command()
@click.argument("config", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--out", type=FOLDER, help="Where the stages' folders are.  [default: runs/NAME, after the file]")
@click.option("--only", metavar="STAGE", help="This stage, or all of this kind (sft), and what they need.")
@click.option("--redo", is_flag=True, help="Begin again what was made with other settings or inputs.")
@click.option("--minutes", type=click.FloatRange(min=0), help="Stop after this long; run again to go on.")
@click.option(
    "--jobs", type=click.IntRange(min=1), default=1, show_default=True, help="Processes that prepare examples."
)
@click.option("--plan", "only_plan", is_flag=True, help="Print the stages and what each needs; run nothing.")
@click.option("--results", type=FOLDER, help="Copy the results here, with the manifests of all stages.")
@click.option("--json", "as_json", is_flag=True, help="Print the results as JSON instead of tables.")
def command(
    config: Path,
    out: Path | None,
    only: str | None,
    redo: bool,
    minutes: float | None,
    jobs: int,
    only_plan: bool,
    results: Path | None,
    as_json: bool,
) -> None:
    """Tamper, train, sample, rate, reward, PPO, search and measure, as the TOML file CONFIG says.

    Every stage has a folder with a manifest beside it. What is finished is not run again, and what was stopped or
    killed goes on: run the same command again.

    Example: momus study study/tiny.toml --out runs/tiny
    """
    if any(find_spec(name) is None for name in ("torch", "transformers", "safetensors", "accelerate", "onnx")):
        raise MissingExtra("a study", "train")
    if any(find_spec(name) is None for name in ("matplotlib", "scipy")):
        raise MissingExtra("a study's report", "study")
    from momus.study.config import load_study

    settings = load_study(config)  # before torch, which takes seconds
    from momus.study.graph import in_order, run, write_json
    from momus.study.plan import plan

    out = out or Path("runs") / config.stem
    stages = in_order(plan(settings), only)
    if only_plan:
        for stage in stages:
            print(f"{stage.name}: {'given, ' + str(stage.given) if stage.given else ', '.join(stage.inputs) or '-'}")
        return
    done = run(stages, out, redo=redo, minutes=minutes, jobs=jobs, say=_say)
    names = [stage.name for stage in stages]
    if not done or "results" not in names:
        if results is not None:
            raise MomusError("there are no results to copy yet: run the study to its end")
        return
    from momus.study.discriminators import DISCRIMINATORS
    from momus.study.graph import read_manifest
    from momus.study.measuring import PICTURE, RESULTS, TABLE
    from momus.study.report import PAGE
    from momus.study.scaling import SCALING

    folder = out / "results"
    if results is not None:
        results.mkdir(parents=True, exist_ok=True)
        for name in (RESULTS, TABLE, PICTURE):
            shutil.copyfile(folder / name, results / name)
        for part, name in (("scaling", SCALING), ("discriminators", DISCRIMINATORS), ("report", PAGE)):
            if part in names:
                shutil.copyfile(out / part / name, results / name)
        manifests = {stage.name: read_manifest(out, stage.name) for stage in stages if stage.given is None}
        write_json(results / "manifests.json", manifests)
    if "report" in names:
        _say(f"the report: {out / 'report' / PAGE}")
    print((folder / (RESULTS if as_json else TABLE)).read_text(encoding="utf-8"), end="")


def _say(line: str) -> None:
    tell(line)
