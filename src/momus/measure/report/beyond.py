"""The figures that the paper has not: the twin test, blind spots, bugs far apart, calibration."""

from __future__ import annotations

from collections.abc import Iterable

from momus.measure.ballots import group_of
from momus.measure.blindspots import FILE as BLINDSPOTS
from momus.measure.blindspots import KINDS
from momus.measure.calibration import BINS, calibration, outcomes
from momus.measure.figure import Figure
from momus.measure.item import Item
from momus.measure.report.charts import Dots, Line, Lines, Series
from momus.measure.report.from_files import BY_CODE, GIVEN
from momus.measure.report.made import Made
from momus.measure.report.source import COMPARISONS, Source
from momus.measure.scattered import coverage
from momus.records import GOLD, Comparison, Tamper

_MANY = 500  # comments, from which on the diagram has all its bins


def twins(source: Source) -> Made | None:
    """The twin test by data set: found on the buggy answer, less the same said on its clean twin."""
    sets = [
        (name, data) for name, data in source.measured if any("twin_place@1" in r["measures"] for r in data["critics"])
    ]
    if not sets:
        return None
    critics = list(dict.fromkeys(row["critic"] for _, data in sets for row in data["critics"]))
    series = []
    for _, data in sets:
        by_name = {row["critic"]: row["measures"].get("twin_place@1") for row in data["critics"]}
        figures = tuple(None if by_name.get(c) is None else Figure.from_json(by_name[c]) for c in critics)
        series.append(Series(str(data["label"] or "measured"), figures))
    chart = Dots(tuple(critics), tuple(series), "twin test, place: -1 to 1", level=0.0)
    said = "Silence, and habits that have nothing to do with the bug, come out at 0."
    n = "; ".join(f"{data['items']} answers of {data['label']}" for _, data in sets)
    return Made(chart, said, n, tuple(dict.fromkeys(name for name, _ in sets)), BY_CODE, GIVEN)


def blind_spots(source: Source) -> Made | None:
    """The blind-spot card: recall by class of bug."""
    card = source.card
    if card is None or not any(card.recall.values()):
        return None
    names = sorted({name for of in card.recall.values() for name in of})
    kinds = [kind for kind in KINDS if card.recall.get(kind)]
    series = tuple(Series(kind, tuple(card.recall[kind].get(name) for name in names)) for kind in kinds)
    worst = min(((f.mean, name) for name, f in card.recall[kinds[0]].items() if f.n), default=(0.0, "nothing"))
    said = f"`{card.critic}` is blindest for {worst[1]} among {kinds[0]} bugs: it finds {100 * worst[0]:.0f}%."
    n = "; ".join(f"{card.whole[kind].n} {kind} bugs" for kind in kinds if kind in card.whole)
    return Made(Dots(tuple(names), series, f"{card.measure}, %", True), said, n, (BLINDSPOTS,), BY_CODE, GIVEN)


def scattered(source: Source) -> Made | None:
    """Several bugs far apart: the share found by their number."""
    found = [c for c in _with_twins(source) if len(c.bugs) > 1]
    critics = _one_of_each_dial(s.critic for c in found for s in c.critiques if s.critic != GOLD)
    lines = []
    count = 0
    for critic in critics:
        items, critiques = [], {}
        for comparison in found:
            said = next((s for s in comparison.critiques if s.critic == critic), None)
            if said is not None:
                item = _item(comparison)
                items.append(item)
                critiques[item.task.id] = None if said.error is not None else said.critique
        rows = coverage(items, critiques, draws=source.draws, seed=source.seed)
        count = max(count, sum(row.found.n for row in rows))
        if rows:
            lines.append(Line(critic, tuple(float(row.bugs) for row in rows), tuple(row.found for row in rows)))
    if not lines:
        return None
    chart = Lines(tuple(lines), "bugs in the answer", "share of them found in place, %", share_y=True)
    return Made(chart, "Bugs stand at least 3 lines apart.", f"up to {count} answers a critic", (COMPARISONS,), BY_CODE)


def confidence(source: Source) -> Made | None:
    """Calibration: a comment's confidence against how often it touches the bug."""
    lines = []
    readings = []
    comments = 0
    said: dict[str, tuple[list[float], list[float], list[str]]] = {}
    for comparison in _with_twins(source):
        for sampled in comparison.critiques:
            if sampled.error is None and sampled.critic != GOLD:
                told, right = outcomes(sampled.critique, comparison.bugs, comparison.task.answer)
                mine = said.setdefault(sampled.critic, ([], [], []))
                mine[0].extend(told)
                mine[1].extend(right)
                mine[2].extend([group_of(comparison.task)] * len(told))
    for critic in _one_of_each_dial(said):
        told, right, groups = said[critic]
        bins = BINS if len(told) >= _MANY else BINS // 2
        found = calibration(told, right, groups, bins=bins, draws=source.draws, seed=source.seed)
        if found.bins:
            lines.append(Line(critic, tuple(b.confidence for b in found.bins), tuple(b.right for b in found.bins)))
            comments += found.brier.n
            readings.append(
                f"`{critic}`: expected calibration error {found.ece.mean:.3f} ({found.ece.low:.3f} to "
                f"{found.ece.high:.3f}), {found.ece_by_chance:.3f} if it were true to its word; "
                f"Brier {found.brier.mean:.3f}."
            )
    if not lines:
        return None
    chart = Lines(tuple(lines), "confidence, %", "comments on a line of the bug, %", True, True, diagonal=True)
    return Made(chart, " ".join(readings), f"{comments} comments on answers with known bugs", (COMPARISONS,), BY_CODE)


def _one_of_each_dial(critics: Iterable[str]) -> list[str]:
    """Critics in order, of the settings of one dial the middle one alone."""
    dials: dict[str, list[str]] = {}
    for critic in sorted(set(critics), key=lambda name: (len(name), name)):
        dials.setdefault(critic.partition("@")[0], []).append(critic)
    return sorted(settings[len(settings) // 2] for settings in dials.values())


def _with_twins(source: Source) -> list[Comparison]:
    comparisons = source.panel.comparisons.values() if source.panel is not None else ()
    return [comparison for comparison in comparisons if comparison.bugs and comparison.twin is not None]


def _item(comparison: Comparison) -> Item:
    return Item.of(Tamper(task=comparison.task, twin=comparison.twin or "", bugs=comparison.bugs))
