"""What a report is made of: recipes, one for each figure, and what they make of a run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from momus.measure.figure import Figure
from momus.measure.report.charts import Chart, Dots
from momus.measure.report.source import Source

BOOTSTRAP = "95% bootstrap intervals, drawn by task"


@dataclass(frozen=True, slots=True)
class Made:
    """A figure with all that a reader has to know: what it says, of how many, how sure, and what was simulated.

    `files` are those of the run that it was made from.
    """

    chart: Chart
    reading: str
    n: str
    files: tuple[str, ...]
    simulated: str = ""
    interval: str = BOOTSTRAP


@dataclass(frozen=True, slots=True)
class Recipe:
    """How one figure is made. `number` is the paper's (`1a`, `Table 3`), or a name where the paper has none.

    `needs` says what has to be in the folder. `make` gives None where it is not there.
    """

    number: str
    title: str
    needs: str
    make: Callable[[Source], Made | None]

    @property
    def heading(self) -> str:
        return f"Figure {self.number}" if self.number[0].isdigit() else self.number

    @property
    def slug(self) -> str:
        kept = "".join(c if c.isalnum() else "-" for c in self.number.lower()).strip("-")
        return f"fig-{kept}" if self.number[0].isdigit() else kept


def rows_of(chart: Chart) -> list[dict[str, Any]]:
    """The numbers of a chart, a row for each point, in the units of the chart's axes but for percent (1 is 100%)."""
    rows: list[dict[str, Any]] = []
    if isinstance(chart, Dots):
        for series in chart.series:
            for name, figure in zip(chart.rows, series.figures, strict=True):
                if figure is not None:
                    rows.append({"series": series.name, "row": name, **figure.to_json()})
        return rows
    for line in chart.lines:
        labels = line.labels or ("",) * len(line.xs)
        for x, figure, label in zip(line.xs, line.figures, labels, strict=True):
            rows.append({"series": line.name, "row": label, "x": _rounded(x), **figure.to_json()})
    return rows


def _rounded(value: float) -> float | None:
    return None if value != value else float(f"{value:.6g}")


def percent(figure: Figure) -> str:
    return f"{100 * figure.mean:.1f}% ({100 * figure.low:.1f} to {100 * figure.high:.1f})"


def points(figure: Figure) -> str:
    return f"{100 * figure.mean:+.1f} points ({100 * figure.low:+.1f} to {100 * figure.high:+.1f})"
