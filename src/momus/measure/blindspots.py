"""The blind-spot card: what share of each class of bug a critic finds, of bugs put in and of natural ones.

It ships with a bundle as `blindspots.json`, so that nobody takes silence for safety where the critic is blind.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from momus.decode import from_json
from momus.errors import MomusError
from momus.measure.figure import Figure

FILE = "blindspots.json"
KINDS = ("inserted", "natural")
_FEW = 10  # fewer bugs of a class say little: the table marks them


@dataclass(frozen=True, slots=True)
class Card:
    """Recall by class of bug, for bugs put in (`inserted`) and natural ones; `measure` names what counts as found.

    `whole` is the recall over all classes. `command` made the results, on `sets`.
    """

    critic: str
    version: str
    measure: str
    recall: dict[str, dict[str, Figure]]
    whole: dict[str, Figure]
    sets: dict[str, tuple[str, ...]] = field(default_factory=dict)
    command: str = ""

    def to_json(self) -> dict[str, Any]:
        return {
            "schema_version": 1,
            "critic": self.critic,
            "version": self.version,
            "measure": self.measure,
            "command": self.command,
            "sets": {kind: list(labels) for kind, labels in self.sets.items()},
            "whole": {kind: figure.to_json() for kind, figure in self.whole.items()},
            "recall": {
                kind: {name: figure.to_json() for name, figure in of.items()} for kind, of in self.recall.items()
            },
        }


def card(
    results: Mapping[str, Any],
    critic: str,
    *,
    inserted: Sequence[str],
    natural: Sequence[str] = (),
    measure: str = "place@1",
    command: str = "",
) -> Card:
    """Build the card from what `momus measure -o` wrote; `inserted` and `natural` are labels in it.

    One label for each kind: recalls of several sets cannot be joined from their means. Raises MomusError where a label,
    the critic or the figures by category are missing.
    """
    recall: dict[str, dict[str, Figure]] = {}
    whole: dict[str, Figure] = {}
    version = ""
    for kind, labels in zip(KINDS, (inserted, natural), strict=True):
        if len(labels) > 1:
            raise MomusError("a blind-spot card takes one data set of each kind: measure them as one file")
        for label in labels:
            row = _row(results, label, critic)
            version = version or str(row.get("version", ""))
            by_category = row["slices"].get("category", {})
            recall[kind] = {
                name: Figure.from_json(figures[measure])
                for name, figures in by_category.items()
                if measure in figures and figures[measure]["n"]
            }
            if measure not in row["measures"]:
                raise MomusError(f"the results have no {measure}: name a measure that is in them")
            whole[kind] = Figure.from_json(row["measures"][measure])
    sets = {kind: tuple(labels) for kind, labels in zip(KINDS, (inserted, natural), strict=True)}
    return Card(critic, version, measure, recall, whole, sets, command)


def _row(results: Mapping[str, Any], label: str, critic: str) -> Mapping[str, Any]:
    data = next((data for data in results.get("data", ()) if data["label"] == label), None)
    if data is None:
        known = ", ".join(repr(data["label"]) for data in results.get("data", ())) or "none"
        raise MomusError(f"the results have no data set {label!r}: those there are {known}")
    found: Mapping[str, Any] | None = next((row for row in data["critics"] if row["critic"] == critic), None)
    if found is None:
        raise MomusError(f"the results of {label!r} have no critic {critic!r}: measure it first")
    return found


def save(found: Card, folder: Path) -> Path:
    """Write the card into a bundle's folder."""
    path = folder / FILE
    partial = path.with_name(path.name + ".partial")
    try:
        partial.write_text(json.dumps(found.to_json(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        raise MomusError(f"can't write {path}: {error.strerror or error}: choose another folder") from None
    return path


def load(folder: Path) -> Card | None:
    """The card in a bundle's folder; None where it ships none. Raises MomusError where it cannot be read."""
    path = folder / FILE
    try:
        body = from_json(path.read_text(encoding="utf-8"))
        return Card(
            critic=str(body["critic"]),
            version=str(body["version"]),
            measure=str(body["measure"]),
            recall={k: {n: Figure.from_json(f) for n, f in of.items()} for k, of in body["recall"].items()},
            whole={kind: Figure.from_json(figure) for kind, figure in body["whole"].items()},
            sets={kind: tuple(labels) for kind, labels in body.get("sets", {}).items()},
            command=str(body.get("command", "")),
        )
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise MomusError(f"can't read the blind-spot card {path}: {error}: install the bundle again") from None


def table(found: Card) -> str:
    """The card as text for a terminal: the classes by recall on inserted bugs, the blindest first."""
    names = sorted({name for of in found.recall.values() for name in of}, key=lambda name: _order(found, name))
    width = max(map(len, [*names, "all bugs"]))
    kinds = [kind for kind in KINDS if kind in found.recall]
    head = f"{'':{width}}  " + "  ".join(f"{kind:>22}" for kind in kinds)
    lines = [f"What {found.critic} finds of each class of bug ({found.measure}, in percent; 95% intervals)", head]
    for name in ["all bugs", *names]:
        figures = [found.whole.get(k) if name == "all bugs" else found.recall[k].get(name) for k in kinds]
        lines.append(f"{name:{width}}  " + "  ".join(f"{_cell(figure):>22}" for figure in figures))
    if "natural" in found.recall:
        lines.append("Natural bugs are classed by what their fix changes; other: it rewrites more than one thing")
    if any(f.n < _FEW for of in found.recall.values() for f in of.values()):
        lines.append(f"* fewer than {_FEW} bugs: the figure says little")
    if found.command:
        lines.append(f"Made by: {found.command}")
    return "\n".join(lines) + "\n"


def _order(found: Card, name: str) -> tuple[float, str]:
    figure = found.recall.get(KINDS[0], {}).get(name) or found.recall.get(KINDS[1], {}).get(name)
    return (2.0 if figure is None or math.isnan(figure.mean) else figure.mean, name)


def _cell(figure: Figure | None) -> str:
    if figure is None or math.isnan(figure.mean):
        return "–"
    mark = "*" if figure.n < _FEW else " "
    return f"{100 * figure.mean:.0f} ({100 * figure.low:.0f}–{100 * figure.high:.0f}) n={figure.n}{mark}"
