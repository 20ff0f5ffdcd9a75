"""How often a second look found an answer worse than it was rated: with a critique, and without one as control.

An answer is re-rated lower where a comment that weighs enough stands in what the person handed in: with a critique the
comments that they kept, mended or added, without one those that they found by themselves. Intervals are over draws of
whole problems.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from momus import __version__
from momus.audit.select import Arm, Chosen
from momus.critique import Critique
from momus.errors import MomusError
from momus.measure.edits import ACTIONS, edits, shares
from momus.measure.figure import NOTHING, Figure, figures_of
from momus.measure.intervals import Bootstrap
from momus.records import Sampled, read_jsonl

Level = Literal["low", "medium", "high"]
LEVELS: tuple[Level, ...] = ("low", "medium", "high")
NAMES: Mapping[str, str] = {"critique": "with a critique", "control": "control, without critiques"}
HUMAN, TEAM = "human", "human+"  # how the desk names who wrote alone, and who began from a critic's comments
SIMULATED = "the second look was taken by simulated people"


@dataclass(frozen=True, slots=True)
class Look:
    """What one person handed in of one answer."""

    chosen: Chosen
    handed_in: Critique

    @property
    def group(self) -> str:
        return self.chosen.task.group or self.chosen.task.id

    def lower(self, level: Level) -> bool:
        """Whether a comment of this severity, or of a higher one, stands."""
        return any(LEVELS.index(comment.severity) >= LEVELS.index(level) for comment in self.handed_in)


def looks_of(chosen: Iterable[Chosen], folder: Path) -> list[Look]:
    """What people handed in, of the records that the desk exported into a folder. Raises MomusError without any."""
    arms = {(row.task.id, row.arm): row for row in chosen}
    path = folder / "critiques.jsonl"
    try:
        said = list(read_jsonl(path, Sampled))
    except FileNotFoundError:
        raise MomusError(f"there is no {path}: nobody has looked again yet, or it is no export of records") from None
    except OSError as error:
        raise MomusError(f"can't read {path}: {error.strerror or error}") from None
    found = []
    for sampled in said:
        arm: Arm | None = (
            "control" if sampled.critic == HUMAN else "critique" if sampled.critic.startswith(TEAM) else None
        )
        row = None if arm is None else arms.get((sampled.task_id, arm))
        if row is not None and sampled.error is None:
            found.append(Look(row, sampled.critique))
    if not found:
        raise MomusError(f"{path} holds nobody's second look at these answers: export the project that they went to")
    return found


def report(
    chosen: Sequence[Chosen],
    looks: Sequence[Look],
    *,
    critic: str,
    ordered: str,
    level: Level = "medium",
    simulated: bool = False,
    draws: int = 2000,
    seed: int = 0,
) -> dict[str, Any]:
    """What `audit.json` holds: the share re-rated lower in each arm and their difference, as the report reads it."""
    bootstrap = Bootstrap([look.group for look in looks], draws=draws, seed=seed)
    rerated, difference = _arms(looks, level, bootstrap)
    by_level = {name: _arms(looks, name, bootstrap)[0] for name in LEVELS}
    seen = {(look.chosen.task.id, look.chosen.arm) for look in looks}
    waiting = {arm: sum(row.arm == arm and (row.task.id, arm) not in seen for row in chosen) for arm in NAMES}
    return {
        "schema_version": 1,
        "momus": __version__,
        "rerated": {NAMES[arm]: figure.to_json() for arm, figure in rerated.items() if figure.n},
        "difference": difference.to_json(),
        "verdict": difference.verdict if difference.n else "cannot be told",
        "rule": f"re-rated lower: a comment of severity {level} or more stands in what the person handed in",
        "by_severity": {
            name: {NAMES[arm]: figure.to_json() for arm, figure in arms.items()} for name, arms in by_level.items()
        },
        "by_place": _by_place(looks, level, draws, seed),
        "comments": _kept(looks, draws, seed),
        "critic": critic,
        "ordered": ordered,
        "looks": {arm: sum(look.chosen.arm == arm for look in looks) for arm in NAMES},
        "waiting": waiting,
        "simulated": SIMULATED if simulated else False,
    }


def lines(body: Mapping[str, Any]) -> list[str]:
    """The report as text."""
    who = f" ({body['simulated']})" if body["simulated"] else ""
    said = [f"{body['rule']}{who}", f"{body['critic']}, answers ordered {body['ordered']}", ""]
    for name, figure in body["rerated"].items():
        said.append(f"{name:28} {_percent(figure)} of {figure['n']} looks")
    said.append(f"{'difference':28} {_percent(body['difference'])}: {body['verdict']}")
    for name, figure in body["by_place"].items():
        said.append(f"{name:28} {_percent(figure)} of {figure['n']} looks")
    if body["comments"]:
        dropped = body["comments"]["dropped %"]
        said.append(f"{'comments dropped':28} {_percent(dropped)} of those that were shown")
    if waiting := sum(body["waiting"].values()):
        said.append(f"{waiting} answers wait for their second look")
    return said


def _arms(looks: Sequence[Look], level: Level, bootstrap: Bootstrap) -> tuple[dict[str, Figure], Figure]:
    """The share of each arm that is re-rated lower, and the first less the second, over the same draws."""
    lower = np.array([float(look.lower(level)) for look in looks])
    columns = {arm: np.where([look.chosen.arm == arm for look in looks], lower, np.nan) for arm in NAMES}
    found = figures_of(columns, bootstrap)
    if not all(figure.n for figure in found.values()):
        return found, NOTHING
    drawn = bootstrap.means(np.stack([columns["critique"], columns["control"]], axis=1))
    gap = found["critique"].mean - found["control"].mean
    fewest = min(found.values(), key=lambda figure: figure.n).n
    return found, Figure.of(gap, drawn[:, 0] - drawn[:, 1], fewest, bootstrap.clusters)


def _by_place(looks: Sequence[Look], level: Level, draws: int, seed: int) -> dict[str, Any]:
    """Whether the order tells: the more suspect half of the criticised answers, and the less suspect one."""
    mine = [look for look in looks if look.chosen.place is not None]
    if len({look.chosen.place for look in mine}) < 2:
        return {}
    places = np.array([look.chosen.place for look in mine], np.float64)
    lower = np.array([float(look.lower(level)) for look in mine])
    first = places <= np.median(places)
    columns = {
        "the more suspect half": np.where(first, lower, np.nan),
        "the less suspect half": np.where(first, np.nan, lower),
    }
    found = figures_of(columns, Bootstrap([look.group for look in mine], draws=draws, seed=seed))
    return {name: figure.to_json() for name, figure in found.items() if figure.n}


def _kept(looks: Sequence[Look], draws: int, seed: int) -> dict[str, Any]:
    """What people did to the comments that they were shown: a dropped one was held to be wrong."""
    mine = [(look, look.chosen.critique) for look in looks if look.chosen.critique is not None]
    if not mine:
        return {}
    done = [edits(draft.critique, look.handed_in, look.chosen.task.answer) for look, draft in mine]
    found = shares(done, [look.group for look, _ in mine], draws=draws, seed=seed)
    return {name: figure.to_json() for name, figure in found.items() if name.removesuffix(" %") in ACTIONS}


def _percent(figure: Mapping[str, Any]) -> str:
    if figure["mean"] is None:
        return "nobody"
    mean, low, high = (100 * float("nan" if figure[k] is None else figure[k]) for k in ("mean", "low", "high"))
    return f"{mean:.1f}% ({low:.1f} to {high:.1f})"
