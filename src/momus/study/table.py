"""The results of a study in markdown, and the frontier as a picture."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from momus.measure import Figure
from momus.measure.table import number, percent, signed
from momus.study.results import COST, FOUND, Results, Row
from momus.study.svg import Dot, Line, draw

COLUMNS: tuple[tuple[str, str, Callable[[float], str]], ...] = (
    ("CBI, place %", "cbi_place", percent),
    ("CBI, category %", "cbi_claim", percent),
    ("CBI, fix %", "cbi_fix", percent),
    ("spurious per answer", "spurious", number),
    ("comments", "comments", number),
    ("clean twins flagged %", "twin_flagged", percent),
    ("comments per twin", "twin_comments", number),
    ("twin test, fix", "twin_fix", signed),
    ("reward", "reward", signed),
    ("reward, clean twin", "reward_twin", signed),
)


_TRIVIAL = ("gold", "everything")  # all bugs, and all lines: known beforehand


def markdown(found: Results, title: str) -> str:
    """All tables, one behind the other."""
    shown = [column for column in COLUMNS if any(column[1] in row.figures for row in found.rows)]
    failures = any(row.failed for row in found.rows)
    header = ["arm", "seeds", *(name for name, _, _ in shown), *(["failed"] if failures else [])]
    rows = [
        [
            f"`{row.name}`",
            str(len(row.by_seed) or "–"),
            *(_cell(row.figures.get(measure), show) for _, measure, show in shown),
            *([str(row.failed)] if failures else []),
        ]
        for row in found.rows
    ]
    parts = [f"**{title}: {found.items} answers in {found.groups} groups**", _table(header, rows), _legend()]
    if found.differences:
        parts += [
            "Differences on the same items",
            _table(
                ["from", "to", *(name.replace(" %", ", points") for name, _, _ in shown)],
                [
                    [f"`{d.a}`", f"`{d.b}`", *(_cell(d.figures.get(m), _moved(show)) for _, m, show in shown)]
                    for d in found.differences
                ],
            ),
        ]
    if found.frontiers:
        parts += [
            "How far a setting lies above another way's frontier (CBI, category, points), at equal spurious comments "
            "on answers and twins",
            _table(
                ["setting", "frontier", "above it", "verdict"],
                [
                    [f"`{b.point}`", f"`{b.frontier}`", _cell(b.above, _moved(percent)), b.verdict]
                    for b in found.frontiers
                ],
            ),
        ]
    return "\n\n".join([*parts, *found.notes]) + "\n"


def picture(found: Results, title: str) -> str:
    """The frontier as SVG: a line for each way with a dial, single dots for the others that lie near one.

    Axes reach as far as the dials do, and half as far again. The gold critiques hold every bug by construction, and are
    left out; how many lie beyond is said under the title.
    """
    shown = [row for row in found.rows if {FOUND, COST} <= row.figures.keys() and row.policy not in _TRIVIAL]
    dialled = [row for row in shown if row.dial is not None]
    widest = 1.5 * max((row.figures[COST].mean for row in dialled), default=math.inf)
    tracks: dict[str, list[Row]] = {}
    for row in dialled:
        tracks.setdefault(row.name.partition("@")[0], []).append(row)
    lines = [Line(name, tuple(map(_dot, rows))) for name, rows in tracks.items()]
    alone = [row for row in shown if row.dial is None]
    near = [row for row in alone if row.figures[COST].mean <= widest]
    lines.append(Line("one setting", tuple(map(_dot, near)), joined=False))
    beyond = len(alone) - len(near)
    return draw(
        lines,
        title=title,
        across="spurious comments per answer and clean twin",
        up="bugs caught: their place and category, %",
        note="95% intervals by group; numbers: the dial's percentile"
        + (f"; {beyond} of the table lie further right" if beyond else ""),
    )


def _dot(row: Row) -> Dot:
    found = row.figures[FOUND]
    label = row.name if row.dial is None else str(row.dial)
    return Dot(label, row.figures[COST].mean, found.mean, found.low, found.high)


def _legend() -> str:
    return (
        "95% bootstrap intervals by group, in brackets; several seeds are averaged on each item. CBI: some comment "
        "touches a line of the bug (place), and names its category (category), or undoes it (fix). Spurious: a comment "
        "on no line of the bug. Twin test: fixed, less the same place changed on the clean twin. Reward: the reward "
        "model's, in standard deviations of SFT critiques; it learned from a simulated rater. `@` is the dial."
    )


def _cell(figure: Figure | None, show: Callable[[float], str]) -> str:
    if figure is None or math.isnan(figure.mean):
        return "–"
    return f"{show(figure.mean)} ({show(figure.low)}–{show(figure.high)})"


def _moved(show: Callable[[float], str]) -> Callable[[float], str]:
    """As a difference, with its sign."""
    return lambda value: f"{'+' if value >= 0 else '-'}{show(abs(value)).lstrip('+')}"


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
