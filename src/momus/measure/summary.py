"""All that ratings say of critics, over the same draws of tasks: Elo, preference, rates, agreement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from momus.measure.agreement import Agreement, preference_agreement, scores_agreement
from momus.measure.ballots import ORIGINS, Ballots, Origin, Panel
from momus.measure.elo import PRIOR, Standing, standings
from momus.measure.figure import Figure
from momus.measure.intervals import Bootstrap
from momus.measure.preference import duels_of, win_rates
from momus.measure.rates import Rate, either, rates
from momus.records import Attribute

# "spurious" is at least one nitpick or fake problem.
RATED: tuple[Attribute, ...] = ("cbi", "comprehensiveness", "nitpick", "fake_problem", "conciseness")
SPURIOUS = "spurious"


@dataclass(frozen=True, slots=True)
class Part:
    """Comparisons of one origin: how many, critics by Elo, who is preferred to whom, and rates by attribute."""

    comparisons: int
    standings: list[Standing]
    preferred: dict[tuple[str, str], Figure]
    rates: dict[str, list[Rate]]

    def to_json(self) -> dict[str, Any]:
        return {
            "comparisons": self.comparisons,
            "elo": [standing.to_json() for standing in self.standings],
            "preferred": [{"critic": a, "to": b, **f.to_json()} for (a, b), f in self.preferred.items()],
            "rates": {name: [rate.to_json() for rate in found] for name, found in self.rates.items()},
        }


@dataclass(frozen=True, slots=True)
class Summary:
    """Parts by origin, with all comparisons under `all`; agreement by attribute, and on preference by whether the
    answer has a reference bug. `raters` says of each whether it is simulated."""

    ratings: int
    parts: dict[str, Part]
    agreement: dict[str, Agreement]
    raters: dict[str, bool]
    draws: int
    seed: int
    prior: float = PRIOR

    @property
    def simulated(self) -> str:
        """Which raters are simulated, in words; empty where none is."""
        return simulated(self.raters)

    def to_json(self) -> dict[str, Any]:
        return {
            "ratings": self.ratings,
            "raters": [{"rater": name, "simulated": is_so} for name, is_so in self.raters.items()],
            "draws": self.draws,
            "seed": self.seed,
            "prior_sd": self.prior,
            "parts": {name: part.to_json() for name, part in self.parts.items()},
            "agreement": {name: found.to_json() for name, found in self.agreement.items()},
        }


def summarise(panel: Panel, *, draws: int = 1000, seed: int = 0) -> Summary:
    """Every statistic of `panel`, with 95% intervals over `draws` draws of whole tasks. The time grows linearly."""
    bootstrap = Bootstrap(panel.groups(), draws=draws, seed=seed)
    preferences = panel.preferences()
    scores: dict[str, Ballots] = {name: panel.ballots(name) for name in RATED}
    tables = {**scores, SPURIOUS: either(scores["nitpick"], scores["fake_problem"])}
    present: list[Origin] = [o for o in ORIGINS if any(o in table.origins for table in (preferences, *tables.values()))]
    parts = {"all": _part(preferences, tables, bootstrap)} if present else {}
    if len(present) == 1:
        parts[present[0]] = parts["all"]
    else:
        for origin in present:
            of_origin = {name: table.of_origin(origin) for name, table in tables.items()}
            parts[origin] = _part(preferences.of_origin(origin), of_origin, bootstrap)
    agreement = {name: scores_agreement(table, bootstrap) for name, table in scores.items() if len(table)}
    with_bug, without = preferences.of_origin("inserted", "natural"), preferences.of_origin("clean")
    if len(with_bug):
        agreement["preference, with a reference bug"] = preference_agreement(with_bug, bootstrap)
    if len(without):
        agreement["preference, without"] = preference_agreement(without, bootstrap)
    return Summary(panel.ratings, parts, agreement, dict(panel.simulated), draws, seed)


def _part(preferences: Ballots, tables: Mapping[str, Ballots], bootstrap: Bootstrap) -> Part:
    duels = duels_of(preferences)
    over = bootstrap.over(duels.groups)
    seen = {int(c) for table in (preferences, *tables.values()) for c in table.comparisons}
    return Part(
        comparisons=len(seen),
        standings=standings(duels, over),
        preferred=win_rates(duels, over),
        rates={name: rates(table, bootstrap.over(table.groups)) for name, table in tables.items() if len(table)},
    )


def simulated(raters: Mapping[str, bool]) -> str:
    """Which raters are simulated, in words; empty where none is."""
    names = [name for name, is_so in raters.items() if is_so]
    if not names:
        return ""
    all_of_them = " (all ratings are simulated)" if len(names) == len(raters) else ""
    return f"simulated raters: {', '.join(names)}{all_of_them}"
