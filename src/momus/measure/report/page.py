"""The report as one page that stands alone: it asks for nothing from anywhere and runs nothing.

One style sheet, which the content security policy names by its hash; charts are inline SVG; what came from records is
text. Behind each chart stand its numbers as a table, for whoever cannot see it.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from typing import Any

from momus.measure.report.compare import Moved
from momus.measure.report.made import Made, Recipe, rows_of


@dataclass(frozen=True, slots=True)
class Drawn:
    """A figure with its chart as SVG, and the commands that made the files it comes from, where they are known."""

    recipe: Recipe
    made: Made
    svg: str
    commands: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """All of a page: figures in order, those without data, what moved between two runs, the leaderboard (markdown)."""

    title: str
    about: tuple[str, ...]
    simulated: str
    command: str
    drawn: tuple[Drawn, ...]
    missing: tuple[Recipe, ...]
    moved: tuple[Moved, ...] = ()
    leaderboard: str = ""


def render(report: Report) -> str:
    """One HTML document."""
    style = files("momus.measure.report").joinpath("page.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    body = "\n".join(
        [
            _header(report),
            *([_moved(report.moved)] if report.moved else []),
            *(_section(drawn, report) for drawn in report.drawn),
            *([_leaderboard(report.leaderboard)] if report.leaderboard else []),
            *([_missing(report.missing)] if report.missing else []),
        ]
    )
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n<meta name="referrer" content="no-referrer">\n'
        f"<title>{text(report.title)} · Momus</title>\n<style>{style}</style>\n</head>\n"
        f"<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    )


def text(said: str) -> str:
    """Escaped, what cannot be seen made visible."""
    return escape("".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in said))


def _prose(said: str) -> str:
    parts = said.split("`")
    if len(parts) % 2 == 0:
        return text(said)
    return "".join(f"<code>{text(part)}</code>" if i % 2 else text(part) for i, part in enumerate(parts))


def _header(report: Report) -> str:
    about = "".join(f'<p class="about">{text(line)}</p>\n' for line in report.about)
    told = f'<p class="told"><b>Simulated.</b> {text(report.simulated)}</p>\n' if report.simulated else ""
    links = "".join(
        f'<li><a href="#{d.recipe.slug}">{text(d.recipe.heading.removeprefix("Figure "))}</a></li>'
        for d in report.drawn
    )
    return (
        f'<header>\n<p class="name">Momus</p>\n<h1>{text(report.title)}</h1>\n{about}'
        f'<p class="about">Made by <code>{text(report.command)}</code></p>\n</header>\n{told}'
        f'<nav aria-label="Figures"><ol>{links}</ol></nav>'
    )


def _section(drawn: Drawn, report: Report) -> str:
    recipe, made = drawn.recipe, drawn.made
    made_by = dict.fromkeys(f"<code>{text(command)}</code>" for command in (*drawn.commands, report.command))
    simulated = f' <span class="simulated">{text(_sentence(made.simulated))}</span>' if made.simulated else ""
    svg = drawn.svg.replace(">", f'><title id="{recipe.slug}-title">{text(recipe.title)}</title>', 1)
    return (
        f'<section id="{recipe.slug}">\n'
        f'<h2><span class="number">{text(recipe.heading)}</span> {text(recipe.title)}</h2>\n'
        f'<p class="reading">{_prose(made.reading)}</p>\n<figure>\n<div class="chart">{svg}</div>\n'
        f"<figcaption>n: {text(made.n)}. {text(made.interval)}.{simulated} From {text(', '.join(made.files))}; "
        f"made by {', then '.join(made_by)}.</figcaption>\n</figure>\n"
        f"<details><summary>The numbers</summary>{_numbers(rows_of(made.chart))}</details>\n</section>"
    )


def _sentence(said: str) -> str:
    return said[:1].upper() + said[1:] + "."


def _numbers(rows: Sequence[Mapping[str, Any]]) -> str:
    names = list(dict.fromkeys(name for row in rows for name in row))
    head = "".join(f'<th scope="col">{text(name)}</th>' for name in names)
    lines = "".join(
        "<tr>" + "".join(f"<td>{text(_number(row.get(name)))}</td>" for name in names) + "</tr>" for row in rows
    )
    return f'<div class="wide" tabindex="0"><table><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table></div>'


def _number(value: object) -> str:
    if value is None:
        return "–"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _moved(moved: Sequence[Moved]) -> str:
    lines = "".join(
        f"<tr><td>{text(m.heading)}: {text(m.name)}</td>"
        f"<td>{_value(m.first.mean, m.share)}</td><td>{_value(m.second.mean, m.share)}</td>"
        f"<td>{_value(m.difference.mean, m.share, sign=True)}</td>"
        f"<td>{_value(m.difference.low, m.share, sign=True)} to {_value(m.difference.high, m.share, sign=True)}</td>"
        f"<td>{text(m.difference.verdict)}</td></tr>"
        for m in moved
    )
    names = ("", "first", "second", "moved", "95%", "")
    head = "".join(f'<th scope="col">{name}</th>' for name in names)
    return (
        '<section id="moved">\n<h2>What moved</h2>\n<p class="reading">The second run less the first. The intervals '
        "take the two as independent: where both rated the same tasks they are wider than need be.</p>\n"
        f'<div class="wide" tabindex="0"><table><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table></div>\n'
        "</section>"
    )


def _value(value: float, share: bool, *, sign: bool = False) -> str:
    shown = 100 * value if share else value
    digits = f"{shown:{'+' if sign else ''}.{1 if share else 2}f}"
    return digits + ("%" if share and not sign else "")


def _leaderboard(markdown: str) -> str:
    tables = []
    for block in markdown.strip().split("\n\n"):
        lines = [line for line in block.split("\n") if line.startswith("|")]
        if not lines:
            tables.append(f'<p class="about">{text(block)}</p>')
            continue
        cells = [[_prose(cell.strip()) for cell in line.strip("|").split(" | ")] for line in lines]
        head = "".join(f'<th scope="col">{cell}</th>' for cell in cells[0])
        body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in cells[2:])
        tables.append(
            f'<div class="wide" tabindex="0"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
        )
    return '<section id="leaderboard">\n<h2>All critics</h2>\n' + "\n".join(tables) + "\n</section>"


def _missing(missing: Sequence[Recipe]) -> str:
    items = "".join(
        f"<li>{text(r.heading)}, {text(r.title)}: <span>no data: needs {_prose(r.needs)}</span></li>" for r in missing
    )
    return f'<section id="missing">\n<h2>Not drawn</h2>\n<ul class="missing">{items}</ul>\n</section>'
