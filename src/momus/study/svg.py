"""A frontier as an SVG file: spurious comments to the right, what is found upwards, a line for each track."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 720, 460
LEFT, RIGHT, TOP, BOTTOM = 64, 190, 44, 56
# Dark to light as well as by hue, with a mark of its own each: legible in grey and to colour-blind readers.
COLOURS = ("#1b4965", "#c1440e", "#3a7d44", "#7b2d8b", "#8d6a00", "#5b6770")
MARKS = ("circle", "square", "diamond", "triangle", "cross", "ring")


@dataclass(frozen=True, slots=True)
class Dot:
    """One setting: its label, where it stands, and the ends of the vertical interval (NaN: none is drawn)."""

    label: str
    x: float
    y: float
    low: float = math.nan
    high: float = math.nan


@dataclass(frozen=True, slots=True)
class Line:
    """One track: dots joined in the order of x, or single dots."""

    name: str
    dots: tuple[Dot, ...]
    joined: bool = True


def draw(lines: Sequence[Line], *, title: str, across: str, up: str, note: str = "") -> str:
    """The picture. Both axes begin at 0; `up` is a share, shown in percent."""
    shown = [line for line in lines if line.dots]
    dots = [dot for line in shown for dot in line.dots]
    x_ticks = ticks(max((dot.x for dot in dots), default=1.0))
    y_ticks = ticks(max((max(dot.y, 0.0 if math.isnan(dot.high) else dot.high) for dot in dots), default=1.0))
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM

    def at(x: float, y: float) -> tuple[float, float]:
        return LEFT + x / x_ticks[-1] * (right - LEFT), bottom - y / y_ticks[-1] * (bottom - TOP)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
        f'font-size="12" role="img" aria-label="{escape(title)}">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        _text(LEFT, 20, title, size=14),
        _text(LEFT, 36, note, fill="#555") if note else "",
    ]
    for tick in x_ticks:
        x, _ = at(tick, 0)
        parts += [_line(x, TOP, x, bottom, "#e6e6e6"), _text(x, bottom + 16, f"{tick:g}", anchor="middle")]
    for tick in y_ticks:
        _, y = at(0, tick)
        parts += [_line(LEFT, y, right, y, "#e6e6e6"), _text(LEFT - 8, y + 4, f"{100 * tick:g}", anchor="end")]
    parts += [
        _text((LEFT + right) / 2, HEIGHT - 14, across, anchor="middle"),
        f'<text transform="translate(18 {(TOP + bottom) / 2:.1f}) rotate(-90)" text-anchor="middle">'
        f"{escape(up)}</text>",
    ]
    for number, line in enumerate(shown):
        colour, mark = COLOURS[number % len(COLOURS)], MARKS[number % len(MARKS)]
        placed = [(dot, *at(dot.x, dot.y)) for dot in sorted(line.dots, key=lambda dot: dot.x)]
        if line.joined and len(placed) > 1:
            points = " ".join(f"{x:.1f},{y:.1f}" for _, x, y in placed)
            parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.6"/>')
        for dot, x, y in placed:
            if not (math.isnan(dot.low) or math.isnan(dot.high)):
                parts.append(_line(x, at(0, dot.low)[1], x, at(0, dot.high)[1], colour))
            parts.append(_mark(mark, x, y, colour))
            parts.append(_text(x + 7, y - 6, dot.label, fill=colour, size=10))
        y = TOP + 10 + 20 * number
        parts += [_mark(mark, right + 18, y, colour), _text(right + 30, y + 4, line.name)]
    return "\n".join([*filter(None, parts), "</svg>", ""])


def ticks(highest: float) -> list[float]:
    """From 0 to the first round step that is not below `highest`, at most eight of them."""
    if not highest > 0:
        return [0.0, 1.0]
    scale = 10.0 ** math.floor(math.log10(highest / 5))
    step = next(scale * factor for factor in (1, 2, 2.5, 5, 10, 20) if highest <= scale * factor * 7)
    count = math.ceil(highest / step - 1e-9)
    return [round(step * i, 10) for i in range(count + 1)]


def _line(x1: float, y1: float, x2: float, y2: float, colour: str) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"/>'


def _text(x: float, y: float, said: str, *, anchor: str = "start", fill: str = "#222", size: int = 12) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{fill}" font-size="{size}">{escape(said)}</text>'
    )


def _mark(kind: str, x: float, y: float, colour: str) -> str:
    if kind in ("circle", "ring"):
        fill = colour if kind == "circle" else "#fff"
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{fill}" stroke="{colour}" stroke-width="1.5"/>'
    around = {
        "square": ((-4, -4), (4, -4), (4, 4), (-4, 4)),
        "diamond": ((0, -5), (5, 0), (0, 5), (-5, 0)),
        "triangle": ((0, -5), (5, 4), (-5, 4)),
        "cross": ((-4, -4), (0, 0), (4, -4), (0, 0), (4, 4), (0, 0), (-4, 4), (0, 0)),
    }[kind]
    points = " ".join(f"{x + dx:.1f},{y + dy:.1f}" for dx, dy in around)
    return f'<polygon points="{points}" fill="{colour}" stroke="{colour}" stroke-width="1.5"/>'
