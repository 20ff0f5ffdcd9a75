"""`momus measure`: critics on tasks with known bugs, beside those that know nothing."""

from __future__ import annotations

import importlib
import json
import random
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from momus import __version__
from momus.cli.saying import say
from momus.errors import MomusError

if TYPE_CHECKING:
    from momus.critics import Critic
    from momus.measure import Results
    from momus.records import Tamper, Task

T = TypeVar("T")
KINDS = ("length", "bugs", "category", "operator", "held-out", "linter")
# What stands in the folder of MOMUS_DATA: (file, label, only what parses). Elsewhere, name the file with --on.
DEVELOPMENT = (
    ("natural.jsonl", "natural bugs, small fixes", False),
    ("humanevalfix.jsonl", "HumanEvalFix", False),
    ("debugbench.jsonl", "DebugBench, parsing", True),
)
CLEAN = "correct.jsonl"
# verb -> (module that holds it, its name there, the line that the help shows)
VERBS = {
    "draw": ("momus.cli.measure_draw", "draw", "Draw the lists of what is measured, chosen and fitted on."),
    "tables": ("momus.cli.measure_tables", "tables", "Critics side by side on what was drawn, the new tasks first."),
    "calibrate": ("momus.cli.measure_calibrate", "calibrate", "Fit the gate, dial and confidence of a local critic."),
    "overview": ("momus.cli.measure_overview", "overview", "A line for each list and critic, from written tables."),
    "evidence": ("momus.cli.measure_evidence", "evidence", "What running says of right claims and of false ones."),
    "modes": ("momus.cli.measure_modes", "modes", "A local critic computing fast, without bf16 and exactly."),
    "sheet": ("momus.cli.measure_sheet", "sheet", "Comments for somebody to judge by eye, and the count."),
    "certify": ("momus.cli.measure_certify", "certify", "How many honest answers the sandbox certifies."),
    "report": ("momus.cli.measure_report", "report", "Every figure of the paper, from the records of a run."),
    "discriminators": (
        "momus.cli.measure_discriminators",
        "discriminators",
        "Tampered or not, by size; and critics where the largest is wrong.",
    ),
    "pairs": ("momus.cli.measure_truth", "pairs", "Pairs of solutions of which one passes its tests."),
    "choose": ("momus.cli.measure_truth", "choose", "Let a simulated chooser say which solution of each pair passes."),
    "truth": ("momus.cli.measure_truth", "truth", "Right choices without and with a critique."),
    "blind-spots": ("momus.cli.measure_report", "blind_spots", "Write a bundle's blind-spot card."),
}
PIPE_WIDTH = 220  # columns where there is no terminal to ask


class MeasureGroup(click.Group):
    """A group that loads a verb only when it runs."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        module, name, _ = VERBS[cmd_name]
        found: click.Command = getattr(importlib.import_module(module), name)
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Verbs"):
            formatter.write_dl([(name, line) for name, (_, _, line) in VERBS.items()])


@click.group(cls=MeasureGroup, invoke_without_command=True)
@click.option("--critic", "critics", multiple=True, help="A critic, such as bundled or linter:ruff. May be repeated.")
@click.option("--on", "bugs", multiple=True, metavar="PATH[:LABEL]", help="JSONL of tasks with known bugs.")
@click.option("--clean", multiple=True, type=click.Path(path_type=Path), help="JSONL of answers without bugs.")
@click.option("--only", is_flag=True, help="Leave out surprisal, random, everything and empty.")
@click.option("--k", default=3, show_default=True, type=click.IntRange(1), help="Comments read for the @k measures.")
@click.option("--budget-lines", default=3, show_default=True, type=click.IntRange(1), help="Lines that each may flag.")
@click.option("--limit", type=click.IntRange(1), help="So many of each file, drawn at random.")
@click.option("--split", help="One side of the split only. Of the data in MOMUS_DATA: dev, unless told.")
@click.option("--any-fix", is_flag=True, help="Keep also bugs whose fix has no unique place (they need --run-tests).")
@click.option("--parses", is_flag=True, help="Keep only answers that are valid Python.")
@click.option(
    "--run-tests/--no-run-tests",
    default=False,
    help="A suggestion that makes the tests pass, in the sandbox, is a fix too; or only what undoes the bug.",
)
@click.option("--sandbox", default="auto", show_default=True, help="auto, or unsafe-local.")
@click.option("--bundle", type=click.Path(path_type=Path), help="Folder of the bundle for bundled and surprisal.")
@click.option("--runs", type=click.Path(path_type=Path, file_okay=False), help="Keep critiques here, and take them up.")
@click.option("--by", "kinds", multiple=True, type=click.Choice(KINDS), help="Figures also by this. Default: length.")
@click.option("--draws", default=2000, show_default=True, type=click.IntRange(1), help="Bootstrap draws.")
@click.option("--seed", default=0, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
@click.option("--markdown", "as_markdown", is_flag=True, help="Print the tables in markdown.")
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Write everything as JSON here.")
@click.pass_context
def command(
    ctx: click.Context,
    critics: tuple[str, ...],
    bugs: tuple[str, ...],
    clean: tuple[Path, ...],
    only: bool,
    k: int,
    budget_lines: int,
    limit: int | None,
    split: str | None,
    any_fix: bool,
    parses: bool,
    run_tests: bool,
    sandbox: str,
    bundle: Path | None,
    runs: Path | None,
    kinds: tuple[str, ...],
    draws: int,
    seed: int,
    as_json: bool,
    as_markdown: bool,
    output: Path | None,
) -> int:
    """Measure critics on tasks with known bugs, one table for each file of them.

    Its verbs draw the lists, measure critics on them, fit a critic, and sum up ratings.

    Without --on: the data in the folder that MOMUS_DATA names, or else the small set that Momus wrote itself.
    With --runs, a run that was stopped goes on where it was.

    Example: momus measure --critic bundled --critic linter:ruff --on bugs.jsonl --clean clean.jsonl
    """
    if ctx.invoked_subcommand is not None:
        return 0
    from momus.cli.progress import progress
    from momus.measure import measure, sandbox_prover
    from momus.tamper.operators import OPERATORS

    if as_json and as_markdown:
        raise MomusError("--json and --markdown exclude each other: choose one")
    sets, cleans = _data(bugs, clean, split=split, any_fix=any_fix, parses=parses)
    opened = open_critics(critics, only=only, bundle=bundle)
    chosen = [_draw(tasks, limit, seed) for tasks in cleans]
    results = [
        measure(
            opened,
            _draw(tampers, limit, seed),
            [task for tasks in chosen for task in tasks],
            label=label,
            k=k,
            budget=budget_lines,
            seed=seed,
            draws=draws,
            prover=sandbox_prover(sandbox) if run_tests else None,
            held_out=frozenset(name for name, operator in OPERATORS.items() if operator.held_out),
            runs=runs,
            track=progress,
        )
        for label, tampers in sets
    ]
    body = {"schema_version": 1, "momus": __version__, "draws": draws, "data": [r.to_json() for r in results]}
    if output is not None:
        write_json(output, body)
    _print(results, body, kinds or ("length",), as_json=as_json, as_markdown=as_markdown)
    return _complain(results)


def _data(
    bugs: tuple[str, ...], clean: tuple[Path, ...], *, split: str | None, any_fix: bool, parses: bool
) -> tuple[list[tuple[str, list[Tamper]]], list[list[Task]]]:
    from momus.measure import data_folder, load_bugs, load_clean, small_bugs

    sets = []
    folder = data_folder()
    if bugs:
        for path, label in map(_labelled, bugs):
            sets.append((label, load_bugs(path, small_fix=not any_fix, parses=parses, split=split)))
    elif folder is not None:
        split = split or "dev"
        for name, label, must_parse in DEVELOPMENT:
            if (folder / name).is_file():
                found = load_bugs(folder / name, small_fix=not any_fix, parses=parses or must_parse, split=split)
                sets.append((f"{label} ({split})", found))
        if not sets:
            raise MomusError(f"{folder} holds none of the known data files: name one with --on")
        if not clean and (folder / CLEAN).is_file():
            clean = (folder / CLEAN,)
    else:
        small = small_bugs()
        sets.append(("small set", small))
        said = f"MOMUS_DATA is not set: measuring on the small set that Momus wrote itself ({len(small)} tasks)"
        say(said)
    for label, tampers in sets:
        if not tampers:
            raise MomusError(f"{label}: no task is left to measure on: see --split, --any-fix and --parses")
    return sets, [load_clean(path, split=split) for path in clean]


def _labelled(named: str) -> tuple[Path, str]:
    path, separator, label = named.rpartition(":")
    if separator and path and label and not Path(named).exists():
        return Path(path), label
    return Path(named), Path(named).stem


def open_critics(names: Sequence[str], *, only: bool, bundle: Path | None, scans: Path | None = None) -> list[Critic]:
    """Critics by name, and the baselines beside them unless `only`; local models keep their scans in `scans`.

    Raises MomusError.
    """
    from momus.cli.fetching import have_model
    from momus.critics import TRIVIAL, open_critic
    from momus.critics.automatic import model_of

    # The baselines put all lines in order, so that they can be read to as many lines as the others flag.
    options: dict[str, dict[str, Any]] = {"random": {"comments": None}, "surprisal": {"comments": None}}
    if bundle is not None:
        for name in ("bundled", "bundled+fsbs", "surprisal"):
            options.setdefault(name, {})["bundle"] = bundle
    if only and not names:
        raise MomusError("--only leaves nothing to measure: name a critic with --critic")
    wanted = dict.fromkeys(names or ("auto",))
    for name in wanted:
        have_model(name)
        if scans is not None and model_of(name) is not None:
            options.setdefault(name, {})["scans"] = scans
    opened = [open_critic(name, **options.get(name, {})) for name in wanted]
    for name in () if only else TRIVIAL:
        if name not in wanted:
            try:
                opened.append(open_critic(name, **options.get(name, {})))
            except MomusError as error:
                say(f"the baseline {name} is left out: {error}")
    return opened


def _draw(items: list[T], limit: int | None, seed: int) -> list[T]:
    """So many items drawn at random, in their order."""
    if limit is None or limit >= len(items):
        return items
    return [items[i] for i in sorted(random.Random(seed).sample(range(len(items)), limit))]


def write_json(path: Path, body: dict[str, Any]) -> None:
    """Write whole or not at all. Raises MomusError where it cannot be written."""
    partial = path.with_name(path.name + ".partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(json.dumps(body, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        raise MomusError(f"can't write {path}: {error.strerror or error}: choose another file") from None


def _print(
    results: list[Results], body: dict[str, Any], kinds: Sequence[str], *, as_json: bool, as_markdown: bool
) -> None:
    if as_json:
        click.echo(json.dumps(body, ensure_ascii=False))
    elif as_markdown:
        from momus.measure.table import markdown

        click.echo("\n".join(markdown(result, kinds) for result in results), nl=False)
    else:
        from rich.console import Console

        from momus.measure.table import rich_slice, rich_table

        console = Console(width=None if sys.stdout.isatty() else PIPE_WIDTH)
        for result in results:
            console.print(rich_table(result))
            for kind in kinds:
                if kind in result.sizes:
                    console.print(rich_slice(result, kind))


def _complain(results: list[Results]) -> int:
    """2 where a critic could do nothing at all; the reason of each failure once, on standard error."""
    code = 0
    for result in results:
        for row in result.rows:
            if row.failed:
                told = f"{row.critic} failed on {row.failed} of {result.answers} answers"
                say(f"{result.label}: {told}: {row.error}")
                code = 2 if row.failed == result.answers else code
    return code
