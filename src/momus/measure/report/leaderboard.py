"""All critics of a run in one table, for a README."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from momus.measure.figure import Figure
from momus.measure.rates import Rate
from momus.measure.report.source import Source
from momus.measure.summary import SPURIOUS
from momus.measure.table import number, percent, signed

Cells = dict[str, str]


def leaderboard(source: Source) -> str:
    """Markdown: ratings where there are any, by Elo, then each data set of `momus measure`. Empty without either."""
    parts = []
    summary = source.summary
    if summary is not None and summary.parts:
        part = summary.parts.get("inserted", summary.parts["all"])
        natural = summary.parts.get("natural")
        columns: dict[str, Mapping[str, str]] = {
            "Elo": {s.critic: f"{s.elo:+.0f} ({s.reach}){f' {s.mark}' if s.mark else ''}" for s in part.standings},
            "bugs caught %": _rates(part.rates, "cbi"),
            "comprehensive %": _rates(part.rates, "comprehensiveness"),
            "nitpick or fake problem %": _rates(part.rates, SPURIOUS),
            "Elo, natural bugs": {s.critic: f"{s.elo:+.0f}" for s in natural.standings} if natural else {},
        }
        critics = [s.critic for s in part.standings]
        origin = "inserted bugs" if "inserted" in summary.parts else "all answers"
        about = f"{part.comparisons} comparisons on {origin}, 95% intervals by task"
        parts.append(_table(critics, columns, about + (f"; {summary.simulated}" if summary.simulated else "")))
    for _, data in source.measured:
        rows = {row["critic"]: row["measures"] for row in data["critics"]}
        k = data.get("k", 3)
        columns = {
            "place@1 %": _measured(rows, "place@1", percent),
            f"place@{k} %": _measured(rows, f"place@{k}", percent),
            "chance, as many lines %": _measured(rows, f"chance@{k}", percent, ends=False),
            f"fix@{k} %": _measured(rows, f"fix@{k}", percent),
            "twin test, place": _measured(rows, "twin_place@1", signed),
            "spurious per answer": _measured(rows, "spurious", number, ends=False),
        }
        about = f"{data['label']}: {data['items']} answers; judged by code, 95% intervals by problem"
        parts.append(_table(list(rows), columns, about))
    return "\n".join(parts)


def _table(critics: list[str], columns: Mapping[str, Mapping[str, str]], about: str) -> str:
    shown = {name: cells for name, cells in columns.items() if cells}
    header = ["critic", *shown]
    rows = [[f"`{critic}`", *(cells.get(critic, "–") for cells in shown.values())] for critic in critics]
    lines = [header, ["---", *["---:"] * len(shown)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + f"\n\n{about}.\n"


def _rates(rates: Mapping[str, list[Rate]], name: str) -> Cells:
    return {rate.critic: _cell(rate.yes, percent, True) for rate in rates.get(name, ()) if rate.yes.n}


def _measured(
    rows: Mapping[str, Mapping[str, Any]], measure: str, show: Callable[[float], str], *, ends: bool = True
) -> Cells:
    found: Cells = {}
    for critic, measures in rows.items():
        if measure in measures:
            figure = Figure.from_json(measures[measure])
            if not math.isnan(figure.mean):
                found[critic] = _cell(figure, show, ends)
    return found


def _cell(figure: Figure, show: Callable[[float], str], ends: bool) -> str:
    return show(figure.mean) + (f" ({show(figure.low)}–{show(figure.high)})" if ends else "")
