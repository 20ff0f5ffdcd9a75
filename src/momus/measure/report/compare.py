"""Two runs side by side: the same figures in one chart, and what moved."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

from momus.measure.figure import Figure
from momus.measure.report.charts import Dots, Line, Lines, Series
from momus.measure.report.made import Made, Recipe


@dataclass(frozen=True, slots=True)
class Moved:
    """One number of both runs: the second less the first, with an interval as if they were independent."""

    heading: str
    name: str
    first: Figure
    second: Figure
    difference: Figure
    share: bool


def joined(first: Made | None, second: Made | None, names: tuple[str, str]) -> Made | None:
    """Both runs' figure as one, the series behind the runs' names; one alone where the other has no data."""
    known = [(made, name) for made, name in zip((first, second), names, strict=True) if made is not None]
    if not known:
        return None
    if len(known) == 1:
        made, name = known[0]
        other = names[1] if name == names[0] else names[0]
        return replace(made, chart=_named(made.chart, name), reading=f"{made.reading} No data in {other}.")
    (a, name_a), (b, name_b) = known
    return Made(
        chart=_both(_named(a.chart, name_a), _named(b.chart, name_b)),
        reading=f"{name_a}: {a.reading} {name_b}: {b.reading}",
        n=f"{name_a}: {a.n}; {name_b}: {b.n}",
        files=tuple(dict.fromkeys((*a.files, *b.files))),
        simulated="; ".join(dict.fromkeys(s for s in (_of(name_a, a), _of(name_b, b)) if s)),
        interval=a.interval,
    )


def moves(recipe: Recipe, first: Made | None, second: Made | None) -> Iterator[Moved]:
    """Every number that both runs have, of figures of rows: Elo is left out, as its zero is each run's own."""
    if first is None or second is None or recipe.number == "1a":
        return
    if not isinstance(first.chart, Dots) or not isinstance(second.chart, Dots):
        return
    others = {series.name: dict(zip(second.chart.rows, series.figures, strict=True)) for series in second.chart.series}
    for series in first.chart.series:
        for row, a in zip(first.chart.rows, series.figures, strict=True):
            b = others.get(series.name, {}).get(row)
            if a is None or b is None or math.isnan(a.mean) or math.isnan(b.mean):
                continue
            name = row if len(first.chart.series) == 1 else f"{row}, {series.name}"
            yield Moved(recipe.heading, name, a, b, difference(a, b), first.chart.share)


def difference(first: Figure, second: Figure) -> Figure:
    """The second less the first; the widths of both intervals add as those of independent figures do."""
    mean = second.mean - first.mean
    down = math.hypot(second.mean - second.low, first.high - first.mean)
    up = math.hypot(second.high - second.mean, first.mean - first.low)
    return Figure(mean, mean - down, mean + up, min(first.n, second.n))


def _of(name: str, made: Made) -> str:
    return f"{name}: {made.simulated}" if made.simulated else ""


def _named(chart: Dots | Lines, name: str) -> Dots | Lines:
    if isinstance(chart, Dots):
        return replace(chart, series=tuple(Series(f"{name}: {s.name}", s.figures) for s in chart.series))
    return replace(chart, lines=tuple(replace(line, name=f"{name}: {line.name}") for line in chart.lines))


def _both(a: Dots | Lines, b: Dots | Lines) -> Dots | Lines:
    if isinstance(a, Lines) and isinstance(b, Lines):
        lines: tuple[Line, ...] = (*a.lines, *b.lines)
        return replace(a, lines=lines)
    assert isinstance(a, Dots) and isinstance(b, Dots)
    rows = tuple(dict.fromkeys((*a.rows, *b.rows)))
    series = []
    for chart in (a, b):
        for one in chart.series:
            by_row = dict(zip(chart.rows, one.figures, strict=True))
            series.append(Series(one.name, tuple(by_row.get(row) for row in rows)))
    return replace(a, rows=rows, series=tuple(series))
