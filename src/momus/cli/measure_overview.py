"""`momus measure overview`: one line for each list and critic, from what `tables` wrote."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from momus.decode import from_json
from momus.errors import MomusError

COLUMNS = {
    "right line first %": "first@1",
    "found %": "place@1",
    "chance %": "chance@1",
    "fixed %": "fix@1",
    "flagged %": "flagged",
    "twins flagged %": "twin_flagged",
    "clean flagged %": "clean_flagged",
}


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--across", is_flag=True, help="Critics down, lists across: found % / twins, or clean ones, flagged %.")
def overview(files: tuple[Path, ...], across: bool) -> None:
    """A table in markdown of what `momus measure tables -o FILE` found: lists down, critics under them.

    Example: momus measure overview benchmarks/results/critic/*.json
    """
    rows = [row for file in files for row in _rows(file)]
    if across:
        click.echo("\n".join(_across(rows)))
        return
    columns = {header: measure for header, measure in COLUMNS.items() if any(measure in row[2] for row in rows)}
    click.echo("| list | critic | n | " + " | ".join(columns) + " |")
    click.echo("| --- | --- | ---: | " + " | ".join("---:" for _ in columns) + " |")
    for label, critic, measures, n in rows:
        shown = " | ".join(_shown(measures.get(measure)) for measure in columns.values())
        click.echo(f"| {label} | `{critic}` | {n} | {shown} |")


def _across(rows: list[tuple[str, str, dict[str, Any], int]]) -> list[str]:
    """What each critic found first, and how many twins it flagged; of clean lists how many answers it flagged."""
    lists = list(dict.fromkeys((label, n) for label, _, _, n in rows))
    critics = list(dict.fromkeys(critic for _, critic, _, _ in rows))
    cells = {(critic, (label, n)): _pair(measures) for label, critic, measures, n in rows}
    lines = [
        "| critic | " + " | ".join(f"{label} ({n})" for label, n in lists) + " |",
        "| --- | " + " | ".join("---:" for _ in lists) + " |",
    ]
    for critic in critics:
        lines.append(f"| `{critic}` | " + " | ".join(cells.get((critic, one), "") for one in lists) + " |")
    return lines


def _pair(measures: dict[str, Any]) -> str:
    shown = [
        f"{100 * measures[name]['mean']:.0f}"
        for name in ("place@1", "twin_flagged", "clean_flagged")
        if measures.get(name, {}).get("mean") is not None
    ]
    return " / ".join(shown)


def _rows(file: Path) -> list[tuple[str, str, dict[str, Any], int]]:
    try:
        body = from_json(file.read_text(encoding="utf-8"))
        return [
            (found["label"], row["critic"], row["measures"], found["items"] or found["clean"])
            for found in body["data"]
            for row in found["critics"]
        ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise MomusError(f"{file} holds no tables ({error}): write it with momus measure tables -o") from None


def _shown(figure: dict[str, Any] | None) -> str:
    if figure is None or figure.get("mean") is None:
        return ""
    if figure.get("low") is None:
        return f"{100 * figure['mean']:.0f}"
    return f"{100 * figure['mean']:.0f} ({100 * figure['low']:.0f}–{100 * figure['high']:.0f})"
