"""Does a critique help to tell the right solution? Two solutions of one task, one passes its tests (section 7.8)."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from momus.measure.figure import NOTHING, Figure, figures_of
from momus.measure.intervals import Bootstrap
from momus.measure.paired import sign_flip
from momus.records import Choice


@dataclass(frozen=True, slots=True)
class Truth:
    """The share of right choices without and with a critique, and what the critique adds, over whole groups.

    `p` is the sign-flip test's, over tasks that were chosen on with and without. `open` counts choices that were not
    made, which are left out; `simulated` is whether any chooser is. `seconds` are medians, None where not kept.
    """

    without: Figure
    with_critique: Figure
    added: Figure
    p: float
    open: int
    simulated: bool
    seconds: tuple[float | None, float | None]

    def to_json(self) -> dict[str, Any]:
        return {
            "without": self.without.to_json(),
            "with": self.with_critique.to_json(),
            "added": self.added.to_json(),
            "p_sign_flip": None if np.isnan(self.p) else round(self.p, 6),
            "open": self.open,
            "simulated": self.simulated,
            "median_seconds": list(self.seconds),
            "verdict": self.added.verdict if self.added.n else "cannot be told",
        }


def truth(choices: Iterable[Choice], *, draws: int = 2000, seed: int = 0) -> Truth:
    """Accuracy of choices, by whether a critique was shown.

    A chooser who chose twice on one task in one way counts once, the last. Tasks in one way only count for the accuracy
    of that way; `added` is the difference of the two accuracies, drawn by task.
    """
    last = {(c.task_id, c.rater, c.critic is not None): c for c in choices}
    made = [choice for choice in last.values() if choice.chosen is not None]
    right = np.array([float(choice.chosen == choice.passes) for choice in made])
    helped = np.array([choice.critic is not None for choice in made], np.bool_)
    groups: Sequence[Hashable] = [choice.task_id for choice in made]
    count = len(last) - len(made)
    simulated = any(choice.simulated for choice in last.values())
    if not made:
        return Truth(NOTHING, NOTHING, NOTHING, float("nan"), count, simulated, (None, None))
    columns = {"without": np.where(helped, np.nan, right), "with": np.where(helped, right, np.nan)}
    bootstrap = Bootstrap(groups, draws=draws, seed=seed)
    figures = figures_of(columns, bootstrap)
    drawn = bootstrap.means(np.stack([columns["without"], columns["with"]], axis=1))
    both = min(figures["without"].n, figures["with"].n)
    added = NOTHING
    if both:
        gap = figures["with"].mean - figures["without"].mean
        added = Figure.of(gap, drawn[:, 1] - drawn[:, 0], both, bootstrap.clusters)
    by_task: dict[str, dict[bool, list[float]]] = {}
    for choice, was_right in zip(made, right, strict=True):
        by_task.setdefault(choice.task_id, {}).setdefault(choice.critic is not None, []).append(float(was_right))
    tasks = list(by_task)
    of_task = {way: np.array([_mean(by_task[task].get(way, [])) for task in tasks]) for way in (False, True)}
    p = sign_flip(of_task[True], of_task[False], tasks, seed=seed)
    return Truth(
        figures["without"], figures["with"], added, p, count, simulated, (_median(made, False), _median(made, True))
    )


def lines(found: Truth) -> list[str]:
    """What was found, as text."""
    who = " by simulated choosers" if found.simulated else ""
    said = [f"Right choices{who}, with 95% intervals over draws of tasks:"]
    ways = (("without a critique", found.without), ("with a critique", found.with_critique))
    for (name, figure), seconds in zip(ways, found.seconds, strict=True):
        took = "" if seconds is None else f", median {seconds:.0f} s"
        shown = f"{_percent(figure)}, {figure.n} choices{took}" if figure.n else "nobody chose so"
        said.append(f"{name:20} {shown}")
    if found.added.n:
        said.append(f"{'the critique adds':20} {_percent(found.added)}, p {found.p:.3g}: {found.added.verdict}")
    if found.open:
        said.append(f"{found.open} choices were left open, and are in no number")
    return said


def _percent(figure: Figure) -> str:
    return f"{100 * figure.mean:.1f}% ({100 * figure.low:.1f} to {100 * figure.high:.1f})"


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else float("nan")


def _median(made: Sequence[Choice], helped: bool) -> float | None:
    seconds = [c.seconds for c in made if c.seconds is not None and (c.critic is not None) == helped]
    return float(np.median(seconds)) if seconds else None
