"""One report of a run that a reader of the paper recognises: its figures and tables, from the records of the run."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from momus import __version__
from momus.errors import MomusError
from momus.measure.report.catalogue import RECIPES
from momus.measure.report.charts import draw
from momus.measure.report.compare import Moved, joined, moves
from momus.measure.report.leaderboard import leaderboard
from momus.measure.report.made import Made, Recipe, rows_of
from momus.measure.report.page import Drawn, Report, render
from momus.measure.report.source import Source, read_source

_FEW = 4  # raters, who are then named at the top of the page


@dataclass(frozen=True, slots=True)
class Written:
    """Where a report was written, which figures it holds, and which had no data, with what they need."""

    page: Path
    data: Path
    drawn: tuple[str, ...]
    missing: tuple[tuple[str, str], ...]


def write_report(
    run: Path, output: Path, *, other: Path | None = None, command: str = "", draws: int = 1000, seed: int = 0
) -> Written:
    """Write the page, and beside it in `NAME-data/` each figure as PNG, CSV and JSON, and `leaderboard.md`.

    With `other`, both runs stand in each figure, and the page begins with what moved. Raises MomusError where a folder
    cannot be read or the report cannot be written, MissingExtra without matplotlib or scipy.
    """
    sources = [read_source(folder, draws=draws, seed=seed) for folder in (run, *([other] if other else []))]
    if len(sources) == 2 and sources[0].name == sources[1].name:
        raise MomusError("the two runs have the same name: rename one of the folders, or nobody can tell them apart")
    figures: list[tuple[Recipe, Made]] = []
    missing: list[Recipe] = []
    moved: list[Moved] = []
    for recipe in RECIPES:
        made = [recipe.make(source) for source in sources]
        whole = made[0]
        if len(made) == 2:
            moved += moves(recipe, made[0], made[1])
            whole = joined(made[0], made[1], (sources[0].name, sources[1].name))
        if whole is None:
            missing.append(recipe)
        else:
            held = {name for source in sources for name in source.files}
            figures.append((recipe, replace(whole, files=tuple(name for name in whole.files if name in held))))
    data = output.with_name(f"{output.stem}-data")
    drawn = []
    try:
        data.mkdir(parents=True, exist_ok=True)
        for recipe, made_one in figures:
            svg, png = draw(made_one.chart, recipe.slug)
            _replace(data / f"{recipe.slug}.png", png)
            _replace(data / f"{recipe.slug}.csv", _csv(rows_of(made_one.chart)).encode())
            _replace(data / f"{recipe.slug}.json", _json(recipe, made_one, command).encode())
            known = [source.commands[file] for source in sources for file in made_one.files if file in source.commands]
            drawn.append(Drawn(recipe, made_one, svg, tuple(dict.fromkeys(known))))
        board = "\n".join(leaderboard(source) for source in sources)
        if board:
            _replace(data / "leaderboard.md", board.encode())
        report = _report(sources, tuple(drawn), tuple(missing), tuple(moved), board, command)
        _replace(output, render(report).encode())
    except OSError as error:
        raise MomusError(f"can't write {output}: {error.strerror or error}: choose another place with -o") from None
    return Written(
        output, data, tuple(r.heading for r, _ in figures), tuple((r.heading, f"needs {r.needs}") for r in missing)
    )


def _report(
    sources: list[Source],
    drawn: tuple[Drawn, ...],
    missing: tuple[Recipe, ...],
    moved: tuple[Moved, ...],
    board: str,
    command: str,
) -> Report:
    names = [source.name for source in sources]
    about = []
    for source in sources:
        counts = [f"{len(source.panel.comparisons)} comparisons"] if source.panel is not None else []
        if source.summary is not None:
            counts.append(f"{source.summary.ratings} ratings by {_raters(list(source.summary.raters))}")
        counts.append(f"{len(source.files)} files")
        about.append(f"{source.name}: {', '.join(counts)}")
        about += [f"{source.name}: {note}" for note in source.notes]
    about.append(f"momus {__version__}, {sources[0].draws} bootstrap draws, seed {sources[0].seed}")
    simulated = [
        f"{source.name}: {source.summary.simulated}."
        for source in sources
        if source.summary is not None and source.summary.simulated
    ]
    return Report(
        title=" against ".join(names),
        about=tuple(about),
        simulated=" ".join(simulated),
        command=command,
        drawn=drawn,
        missing=missing,
        moved=moved,
        leaderboard=board,
    )


def _raters(names: list[str]) -> str:
    return ", ".join(names) if len(names) <= _FEW else f"{len(names)} raters"


def _csv(rows: list[dict[str, Any]]) -> str:
    out = io.StringIO()
    names = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.DictWriter(out, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def _json(recipe: Recipe, made: Made, command: str) -> str:
    body = {
        "schema_version": 1,
        "figure": recipe.number,
        "title": recipe.title,
        "reading": made.reading,
        "n": made.n,
        "interval": made.interval,
        "simulated": made.simulated,
        "files": list(made.files),
        "command": command,
        "data": rows_of(made.chart),
    }
    return json.dumps(body, indent=1, ensure_ascii=False) + "\n"


def _replace(path: Path, content: bytes) -> None:
    partial = path.with_name(path.name + ".partial")
    partial.write_bytes(content)
    partial.replace(path)
