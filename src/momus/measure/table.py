"""Results as tables: one for each data set, for a terminal and in markdown."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from momus.measure.figure import Figure
from momus.measure.results import Figures, Results, Row

if TYPE_CHECKING:
    from rich.table import Table


@dataclass(frozen=True, slots=True)
class Column:
    """A measure as it is shown: shares in percent, counts as they are, the twin test with its sign."""

    header: str
    measure: str
    show: Callable[[float], str]


def percent(value: float) -> str:
    return f"{100 * value:.1f}"


def number(value: float) -> str:
    return f"{value:.2f}"


def signed(value: float) -> str:
    return f"{value:+.2f}"


def columns(results: Results) -> list[Column]:
    """The columns of a table; those without any figure are left out."""
    k = results.k
    every = [
        Column("right line first %", "first@1", percent),
        Column(f"right line in {k} %", f"first@{k}", percent),
        Column("place@1 %", "place@1", percent),
        Column(f"place@{k} %", f"place@{k}", percent),
        Column(f"chance, as many lines as @{k} %", f"chance@{k}", percent),
        Column(f"surprisal, as many lines as @{k} %", f"surprisal@{k}", percent),
        Column(f"place in {results.budget} lines %", "budget", percent),
        Column(f"claim@{k} %", f"claim@{k}", percent),
        Column("fix@1 %", "fix@1", percent),
        Column(f"fix@{k} %", f"fix@{k}", percent),
        Column("twin test, place", "twin_place@1", signed),
        Column("twin test, fix", "twin_fix@1", signed),
        Column(f"bugs found @{k} %", "bugs_found", percent),
        Column("spurious per answer", "spurious", number),
        Column("lines flagged", "lines", number),
        Column("flagged %", "flagged", percent),
        Column("twins flagged %", "twin_flagged", percent),
        Column("clean flagged %", "clean_flagged", percent),
        Column("speaks of %", "speaks", percent),
        Column("speaks of clean %", "clean_speaks", percent),
    ]
    several = "bugs" in results.sizes
    shown = dict.fromkeys(column.measure for column in every)  # k = 1 would show some of them twice
    first = {column.measure: column for column in reversed(every)}
    return [
        first[measure]
        for measure in shown
        if any(_known(row.figures, measure) for row in results.rows) and (several or measure != "bugs_found")
    ]


def title(results: Results) -> str:
    """What was measured, in one line."""
    left = f"; {results.fitted} left out that a critic was fitted on" if results.fitted else ""
    if not results.items:
        return f"{results.label or 'measured'}: {results.clean} clean answers{left}"
    parts = [f"{results.items} answers to {results.groups} problems"]
    if results.placed < results.items:
        parts.append(f"{results.placed} with a known place")
    if results.clean:
        parts.append(f"{results.clean} clean ones")
    return f"{results.label or 'measured'}: {', '.join(parts)}{left}"


def legend(results: Results) -> str:
    """How to read the table."""
    how = "undoes the bug or makes the tests pass" if results.proved else "undoes the bug"
    return (
        f"95% intervals by problem ({results.groups}; the baselines' seed is {results.seed}). right line first: the "
        "critic's own order of lines, before its gate; place: a comment's first line is a bug's, at most three lines "
        f"wide; claim: and names its category; fix: its suggestion {how}. twin test: found on the buggy answer minus "
        "the same said on its clean twin, -1 to 1. What failed is left out and counted."
    )


def rich_table(results: Results) -> Table:
    """One table for a terminal, intervals under the figures."""
    from rich.table import Table

    shown = columns(results)
    table = Table(title=title(results), caption=legend(results), title_justify="left", caption_justify="left")
    table.add_column("critic", no_wrap=True)
    for column in shown:
        table.add_column(column.header, justify="right", min_width=5)
    failures = any(row.failed for row in results.rows)
    if failures:
        table.add_column("failed", justify="right")
    for row in results.rows:
        cells = [_cell(row.figures.get(column.measure), column.show, "\n[dim]{}–{}[/dim]") for column in shown]
        table.add_row(row.critic, *cells, *([str(row.failed)] if failures else []))
    return table


def rich_slice(results: Results, kind: str) -> Table:
    """Place and twin test by the values of one kind of slice."""
    from rich.table import Table

    table = Table(title=f"{results.label}: place@1 % and twin test by {kind}", title_justify="left")
    table.add_column("critic", no_wrap=True)
    for value, size in results.sizes[kind].items():
        table.add_column(f"{value}\n({size})", justify="right")
    for row in results.rows:
        table.add_row(row.critic, *(_slice_cell(row, kind, value) for value in results.sizes[kind]))
    return table


def markdown(results: Results, kinds: Sequence[str] = ()) -> str:
    """The same tables in markdown, for documents."""
    shown = columns(results)
    failures = any(row.failed for row in results.rows)
    header = ["critic", *(column.header for column in shown), *(["failed"] if failures else [])]
    rows = [
        [
            f"`{row.critic}`",
            *(_cell(row.figures.get(column.measure), column.show, " ({}–{})") for column in shown),
            *([str(row.failed)] if failures else []),
        ]
        for row in results.rows
    ]
    parts = [f"**{title(results)}**", _markdown_table(header, rows), legend(results)]
    for kind in kinds:
        if kind in results.sizes:
            header = ["critic", *(f"{value} ({size})" for value, size in results.sizes[kind].items())]
            rows = [
                [f"`{row.critic}`", *(_slice_cell(row, kind, value) for value in results.sizes[kind])]
                for row in results.rows
            ]
            parts += [f"{results.label}: place@1 % and twin test by {kind}", _markdown_table(header, rows)]
    return "\n\n".join(parts) + "\n"


def _markdown_table(header: list[str], rows: list[list[str]]) -> str:
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(figure: Figure | None, show: Callable[[float], str], ends: str) -> str:
    if figure is None or math.isnan(figure.mean):
        return "–"
    if math.isnan(figure.low):  # one cluster, or nothing that varies: there is no interval to tell
        return show(figure.mean)
    return show(figure.mean) + ends.format(show(figure.low), show(figure.high))


def _slice_cell(row: Row, kind: str, value: str) -> str:
    figures = row.slices[kind][value]
    shown = [(figures.get("place@1"), percent), (figures.get("twin_place@1"), signed)]
    return " / ".join("–" if f is None or math.isnan(f.mean) else show(f.mean) for f, show in shown)


def _known(figures: Figures, measure: str) -> bool:
    return measure in figures and figures[measure].n > 0
