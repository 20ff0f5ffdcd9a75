"""What a study found: every arm on the same items, paired differences between arms, frontiers by dial.

An *arm* is a policy and a way to write critiques with it; one with several seeds is scored as their mean on each item.
Intervals draw whole groups of items, all arms over the same draws. They say how sure the items make a figure; how much
it moves from seed to seed stands beside it, in `by_seed`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from momus.measure import Bootstrap, Figure
from momus.measure.frontier import Beyond, Track, beyond
from momus.measure.intervals import means_of
from momus.measure.item import Item, flagged_lines
from momus.measure.scores import any_found, claims, fixes, in_place, repeated_fix, spurious
from momus.records import Sampled

NAN = math.nan
Floats = npt.NDArray[np.float64]
Columns = dict[str, Floats]  # a value for each item, by measure

MEASURES = (
    *("cbi_place", "cbi_claim", "cbi_fix", "spurious", "twin_flagged", "twin_comments", "twin_fix"),
    *("comments", "lines", "reward", "reward_twin", "false_claims"),
)
COST = "false_claims"  # what the frontier costs: spurious comments on the answer, and every one on its clean twin
FOUND = "cbi_claim"  # what the frontier is drawn of; fixes are for reviews, which mend suggestions, as no arm does


@dataclass(frozen=True, slots=True)
class Arm:
    """`policy` names what was trained, `way` how critiques are written with it; `dial` is the percentile where it has
    one, `seed` that of SFT and PPO. `said` holds critiques by the id of the versioned task; several are averaged."""

    policy: str
    way: str
    said: Mapping[str, Sequence[Sampled]]
    dial: int | None = None
    seed: int | None = None

    @property
    def name(self) -> str:
        way = f"+{self.way}" if self.way else ""
        return f"{self.policy}{way}" + ("" if self.dial is None else f"@{self.dial}")


def score(arm: Arm, item: Item) -> dict[str, float]:
    """All measures of one arm on one item; what cannot be scored, or failed, is left out."""
    buggy = [_on_buggy(sampled, item) for sampled in arm.said.get(item.task.id, ()) if sampled.error is None]
    twin = [_on_twin(sampled, item) for sampled in arm.said.get(item.twin.id, ()) if sampled.error is None]
    scores = {**_average(buggy), **_average(twin)}
    if buggy and twin:
        scores["twin_fix"] = scores["cbi_fix"] - scores["twin_fix"]
        scores[COST] = scores["spurious"] + scores["twin_comments"]
    return scores


def _on_buggy(sampled: Sampled, item: Item) -> dict[str, float]:
    """CBI reads the whole critique: it holds the bug where some comment stands in its place, names its category there
    too (`claim`), or undoes it (`fix`)."""
    comments = sampled.critique.comments
    nameable = any(bug.category != "other" for bug in item.tamper.bugs)
    return {
        "cbi_place": any_found([in_place(comment, item) for comment in comments], item),
        "cbi_claim": any_found([claims(comment, item) for comment in comments], item) if nameable else NAN,
        "cbi_fix": any_found([fixes(comment, item) for comment in comments], item),
        "spurious": spurious(sampled.critique, item),
        "comments": float(len(comments)),
        "lines": float(len(flagged_lines(comments, item.text))),
        "reward": NAN if sampled.score is None else sampled.score,
    }


def _on_twin(sampled: Sampled, item: Item) -> dict[str, float]:
    """On the clean twin a comment is spurious whatever it says."""
    comments = sampled.critique.comments
    return {
        "twin_flagged": float(len(comments) > 0),
        "twin_comments": float(len(comments)),
        "twin_fix": repeated_fix(comments, item),
        "reward_twin": NAN if sampled.score is None else sampled.score,
    }


def _average(scores: Sequence[Mapping[str, float]]) -> dict[str, float]:
    if not scores:
        return {}
    means = means_of(np.array([list(row.values()) for row in scores], np.float64))
    return dict(zip(scores[0], means.tolist(), strict=True))


@dataclass(frozen=True, slots=True)
class Row:
    """One arm's figures; `by_seed` are the means of each seed, `failed` the critiques that failed, of all seeds."""

    name: str
    policy: str
    way: str
    dial: int | None
    figures: dict[str, Figure]
    by_seed: dict[int, dict[str, float]]
    failed: int

    def to_json(self) -> dict[str, Any]:
        return {
            **{name: getattr(self, name) for name in ("name", "policy", "way", "dial", "failed")},
            **_measures(self.figures, self.by_seed),
        }


@dataclass(frozen=True, slots=True)
class Difference:
    """`b` less `a` on the same items, and how many seeds agree with its sign."""

    a: str
    b: str
    figures: dict[str, Figure]
    by_seed: dict[int, dict[str, float]]

    def to_json(self) -> dict[str, Any]:
        return {
            "from": self.a,
            "to": self.b,
            **_measures(self.figures, self.by_seed),
        }


@dataclass(frozen=True, slots=True)
class Results:
    items: int
    groups: int
    rows: list[Row]
    differences: list[Difference]
    frontiers: list[Beyond]
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "items": self.items,
            "groups": self.groups,
            "arms": [row.to_json() for row in self.rows],
            "differences": [difference.to_json() for difference in self.differences],
            "frontiers": [found.to_json() for found in self.frontiers],
            "notes": list(self.notes),
        }

    def row(self, name: str) -> Row | None:
        return next((row for row in self.rows if row.name == name), None)


def results(
    items: Sequence[Item],
    arms: Sequence[Arm],
    *,
    pairs: Sequence[tuple[str, str]] = (),
    tracks: Sequence[tuple[str, str]] = (),
    seed: int = 0,
    draws: int = 2000,
) -> Results:
    """Score all arms. `pairs` names arms to subtract, `tracks` a way (`ppo+fsbs`, without its dial) and another, whose
    settings are held against the first one's frontier; those that no arm answers to are passed over."""
    groups = [item.group for item in items]
    bootstrap = Bootstrap(groups, draws=draws, seed=seed)
    seeds: dict[str, dict[int, Columns]] = {}
    failed: dict[str, int] = {}
    first: dict[str, Arm] = {}
    for arm in arms:
        columns = _columns([score(arm, item) for item in items])
        seeds.setdefault(arm.name, {})[arm.seed if arm.seed is not None else 0] = columns
        errors = [sampled.error for several in arm.said.values() for sampled in several if sampled.error is not None]
        failed[arm.name] = failed.get(arm.name, 0) + len(errors)
        first.setdefault(arm.name, arm)
    whole = {name: _mean(list(of.values())) for name, of in seeds.items()}
    rows = [
        Row(
            name=name,
            policy=arm.policy,
            way=arm.way,
            dial=arm.dial,
            figures=_figures(whole[name], bootstrap),
            by_seed={number: _means(columns) for number, columns in seeds[name].items()}
            if arm.seed is not None
            else {},
            failed=failed[name],
        )
        for name, arm in first.items()
    ]
    differences = [_difference(a, b, seeds, bootstrap) for a, b in pairs if a in seeds and b in seeds]
    drawn = {name: _track(name, first, whole) for pair in tracks for name in pair}
    frontiers = [
        found
        for name, other in tracks
        if drawn[name].settings and drawn[other].settings
        for found in beyond(drawn[other], drawn[name], groups, silence=True, draws=draws, seed=seed)
    ]
    return Results(len(items), len(set(groups)), rows, differences, frontiers)


def with_notes(found: Results, notes: Sequence[str]) -> Results:
    """The same, with what a reader has to know said beside it."""
    return replace(found, notes=(*found.notes, *notes))


def _difference(a: str, b: str, seeds: Mapping[str, dict[int, Columns]], bootstrap: Bootstrap) -> Difference:
    """Over the seeds that both have, where they have any in common."""
    both = [seed for seed in seeds[b] if seed in seeds[a]]
    of_a, of_b = ([seeds[name][seed] for seed in both or seeds[name]] for name in (a, b))
    by_seed = {seed: _means(_less(seeds[b][seed], seeds[a][seed])) for seed in both if len(both) > 1}
    return Difference(a, b, _figures(_less(_mean(of_b), _mean(of_a)), bootstrap), by_seed)


def _track(name: str, first: Mapping[str, Arm], whole: Mapping[str, Columns]) -> Track:
    """All settings of one policy's way, as one track."""
    settings = [arm for arm in first.values() if replace(arm, dial=None).name == name]
    dialled = [arm for arm in settings if arm.dial is not None] or settings
    return Track(
        name,
        tuple(arm.name for arm in dialled),
        np.array([whole[arm.name][COST] for arm in dialled]),
        np.array([whole[arm.name][FOUND] for arm in dialled]),
    )


def _columns(scores: Sequence[Mapping[str, float]]) -> Columns:
    return {name: np.array([row.get(name, NAN) for row in scores], np.float64) for name in MEASURES}


def _mean(several: Sequence[Columns]) -> Columns:
    """The mean of the seeds that scored an item; NaN where none did."""
    return {name: means_of(np.stack([columns[name] for columns in several])) for name in MEASURES}


def _less(b: Columns, a: Columns) -> Columns:
    return {name: b[name] - a[name] for name in MEASURES}


def _means(columns: Columns) -> dict[str, float]:
    return {name: float(means_of(values[:, None])[0]) for name, values in columns.items() if not np.isnan(values).all()}


def _figures(columns: Columns, bootstrap: Bootstrap) -> dict[str, Figure]:
    """Means with intervals, of the measures that any item has."""
    known = {name: values for name, values in columns.items() if not np.isnan(values).all()}
    if not known:
        return {}
    values = np.stack(list(known.values()), axis=1)
    means, ends, scored = means_of(values), bootstrap.intervals(values), (~np.isnan(values)).sum(axis=0)
    return {
        name: Figure(float(means[i]), float(ends[i, 0]), float(ends[i, 1]), int(scored[i]))
        for i, name in enumerate(known)
    }


def _measures(figures: Mapping[str, Figure], by_seed: Mapping[int, Mapping[str, float]]) -> dict[str, Any]:
    return {
        "measures": {name: figure.to_json() for name, figure in figures.items()},
        "by_seed": {
            str(seed): {name: _number(value) for name, value in means.items()} for seed, means in by_seed.items()
        },
    }


def _number(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 6)
