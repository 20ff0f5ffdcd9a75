"""The two kinds of chart that every figure is drawn as, in one restrained style, as SVG for a page and as PNG.

Series differ by mark as well as by colour, and colours by lightness as well as by hue, so that a chart can be read in
grey and by colour-blind readers. Every point bears its 95% interval. A share is drawn in percent.
"""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from momus.errors import MissingExtra
from momus.measure.figure import Figure
from momus.measure.report.embed import embedded

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS = ("#16324f", "#c2501f", "#4f9bd9", "#7d7d7d", "#d9a21b", "#5b3f8c", "#2f8f6b", "#b0b0b0")
MARKS = ("o", "s", "D", "^", "v", "P", "X", "p")
STROKES = ("-", "--", "-.", ":")
INK, FAINT = "#222222", "#dddddd"
WIDTH = 5.4  # inches: readable where a phone shows it at 340 points
_LONGEST = 44
_FEW = 8  # whole numbers across, each of which has its tick
_TWO_COLUMNS = 28  # characters of a series name, beyond which the legend has one column


@dataclass(frozen=True, slots=True)
class Series:
    """One figure for each row of the chart, None where it has none there."""

    name: str
    figures: tuple[Figure | None, ...]


@dataclass(frozen=True, slots=True)
class Dots:
    """Rows from top to bottom, a dot with its interval for each series. `level` is a line to compare with."""

    rows: tuple[str, ...]
    series: tuple[Series, ...]
    across: str
    share: bool = False
    level: float | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """Points at (x, figure); `joined` in the order of x, or each for itself. `labels` stand beside the points."""

    name: str
    xs: tuple[float, ...]
    figures: tuple[Figure, ...]
    labels: tuple[str, ...] = ()
    joined: bool = True


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines over a number; `log` for powers of ten; `diagonal` is where both axes are equal."""

    lines: tuple[Line, ...]
    across: str
    up: str
    share_x: bool = False
    share_y: bool = False
    log: bool = False
    diagonal: bool = False


Chart = Dots | Lines


def draw(chart: Chart, name: str) -> tuple[str, bytes]:
    """A chart as SVG that can stand in a page (its ids begin with `name`), and as PNG.

    Raises MissingExtra without matplotlib.
    """
    try:
        import matplotlib
        from matplotlib.figure import Figure as Canvas
    except ImportError:
        raise MissingExtra("drawing figures", "study") from None
    style: Any = {
        "svg.fonttype": "none",
        "svg.hashsalt": name,
        "font.family": "DejaVu Sans",
        "font.size": 9,
        "axes.edgecolor": INK,
        "axes.labelcolor": INK,
        "text.color": INK,
        "xtick.color": INK,
        "ytick.color": INK,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.axisbelow": True,
        "text.parse_math": False,
        "grid.color": FAINT,
        "grid.linewidth": 0.7,
        "legend.frameon": False,
        "legend.fontsize": 8,
        "lines.markersize": 5,
        "lines.linewidth": 1.4,
    }
    with matplotlib.rc_context(style):
        canvas = Canvas(figsize=(WIDTH, _height(chart)), layout="constrained", facecolor="white")
        axes = canvas.add_subplot()
        if isinstance(chart, Dots):
            _dots(axes, chart)
        else:
            _lines(axes, chart)
        canvas.draw_without_rendering()
        canvas.set_layout_engine("none")  # laid out once, for both files
        svg, png = io.StringIO(), io.BytesIO()
        canvas.savefig(svg, format="svg", metadata={"Date": None})
        canvas.savefig(png, format="png", dpi=200, metadata={"Software": None})
    return embedded(svg.getvalue(), name), png.getvalue()


def _height(chart: Chart) -> float:
    names = _series(chart)
    count = len(names)
    legend = 0.2 * math.ceil(count / _columns(names)) if count > 1 else 0.0
    if isinstance(chart, Lines):
        return 3.4 + legend
    return 0.9 + (0.16 + 0.14 * count) * len(chart.rows) + legend


def _dots(axes: Axes, chart: Dots) -> None:
    axes.grid(axis="x")
    if chart.level is not None:
        axes.axvline(_shown(chart.level, chart.share), color=INK, linewidth=0.9, linestyle=":")
    count = len(chart.series)
    for number, series in enumerate(chart.series):
        offset = (number - (count - 1) / 2) * 0.7 / max(count, 1)
        known = [(i + offset, f) for i, f in enumerate(series.figures) if f is not None and not math.isnan(f.mean)]
        if known:
            _points(
                axes,
                [_shown(f.mean, chart.share) for _, f in known],
                [y for y, _ in known],
                [_ends(f, chart.share) for _, f in known],
                number,
                series.name,
                level=True,
            )
    axes.set_yticks(range(len(chart.rows)), [_short(row) for row in chart.rows])
    axes.set_ylim(len(chart.rows) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel(chart.across)
    if count > 1:
        _legend(axes, chart)


def _lines(axes: Axes, chart: Lines) -> None:
    axes.grid(axis="both")
    if chart.log:
        axes.set_xscale("log")
    if chart.diagonal:
        top = 100 if chart.share_x else 1
        axes.plot([0, top], [0, top], color=INK, linewidth=0.9, linestyle=":")
    for number, line in enumerate(chart.lines):
        names = line.labels or ("",) * len(line.xs)
        kept = [(x, f, name) for x, f, name in zip(line.xs, line.figures, names, strict=True) if not _unknown(x, f)]
        if line.joined:
            kept.sort(key=lambda point: point[0])
        if not kept:
            continue
        xs = [_shown(x, chart.share_x) for x, _, _ in kept]
        ys = [_shown(f.mean, chart.share_y) for _, f, _ in kept]
        if line.joined and len(kept) > 1:
            axes.plot(xs, ys, color=_of(COLOURS, number), linestyle=_of(STROKES, number), zorder=2)
        _points(axes, xs, ys, [_ends(f, chart.share_y) for _, f, _ in kept], number, line.name, level=False)
        for x, y, (_, _, name) in zip(xs, ys, kept, strict=True):
            if name:
                axes.annotate(_short(name), (x, y), xytext=(6, -10), textcoords="offset points", fontsize=7.5)
    axes.margins(x=0.12, y=0.12)
    axes.set_xlabel(chart.across)
    axes.set_ylabel(chart.up)
    if chart.log:
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:.0e}".replace("+", ""))
        axes.minorticks_off()
    values = sorted({x for line in chart.lines for x in line.xs if not math.isnan(x)})
    if not chart.log and len(values) <= _FEW and all(value.is_integer() for value in values):
        axes.set_xticks(values)
    _legend(axes, chart)


def _points(
    axes: Axes,
    xs: list[float],
    ys: list[float],
    ends: list[tuple[float, float]],
    number: int,
    name: str,
    *,
    level: bool,
) -> None:
    """Marks with their intervals, level or upright; an interval that is not known is not drawn."""
    at = xs if level else ys
    spans = [[max(0.0, v - low) for v, (low, _) in zip(at, ends, strict=True)]]
    spans.append([max(0.0, high - v) for v, (_, high) in zip(at, ends, strict=True)])
    colour = _of(COLOURS, number)
    axes.errorbar(
        xs,
        ys,
        xerr=spans if level else None,
        yerr=None if level else spans,
        fmt=_of(MARKS, number + number // len(COLOURS)),  # another pair of mark and colour for every series
        color=colour,
        markerfacecolor=colour if number % 2 == 0 else "white",
        markeredgecolor=colour,
        markeredgewidth=1.3,
        elinewidth=1.2,
        capsize=2,
        label=_short(name),
        zorder=3,
    )


def _legend(axes: Axes, chart: Chart) -> None:
    handles, names = axes.get_legend_handles_labels()
    canvas = axes.get_figure(root=True)
    if handles and canvas is not None:
        canvas.legend(handles, names, loc="outside upper left", ncols=_columns(_series(chart)), handletextpad=0.4)


def _series(chart: Chart) -> list[str]:
    return [one.name for one in (chart.lines if isinstance(chart, Lines) else chart.series)]


def _columns(names: Sequence[str]) -> int:
    return 2 if max(map(len, names), default=0) <= _TWO_COLUMNS else 1


def _unknown(x: float, figure: Figure) -> bool:
    return math.isnan(x) or math.isnan(figure.mean)


def _ends(figure: Figure, share: bool) -> tuple[float, float]:
    low = figure.mean if math.isnan(figure.low) else figure.low
    high = figure.mean if math.isnan(figure.high) else figure.high
    return _shown(low, share), _shown(high, share)


def _shown(value: float, share: bool) -> float:
    return 100 * value if share else value


def _short(name: str) -> str:
    name = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in name)
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"


def _of(values: Sequence[str], number: int) -> str:
    return values[number % len(values)]
