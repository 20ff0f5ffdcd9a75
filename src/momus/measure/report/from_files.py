"""The figures that come from edits, studies, discriminators, choices and audits."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from momus.errors import MomusError
from momus.measure.ballots import group_of
from momus.measure.edits import SIMULATED_TEAM, drafts_and_finals, edits, shares
from momus.measure.figure import Figure
from momus.measure.report.charts import Dots, Line, Lines, Series
from momus.measure.report.made import Made, points
from momus.measure.report.source import AUDIT, CHOICES, COMPARISONS, DISCRIMINATORS, SCALING, Source
from momus.measure.scaling import Size, multiplier, read_families
from momus.measure.truth import truth

BY_CODE = "judged by code, not by people"
GIVEN = "95% intervals as the files give them"


def edited(source: Source) -> Made | None:
    """Figure 4: what people did to pre-filled comments."""
    if source.panel is None:
        return None
    tasks = {c.task.id: c.task for c in source.panel.comparisons.values()}
    said = [*(s for c in source.panel.comparisons.values() for s in c.critiques), *source.critiques]
    pairs = [(draft, team) for draft, team in drafts_and_finals(said) if team.task_id in tasks]
    teams = list(dict.fromkeys(team.critic for _, team in pairs))
    if not teams:
        return None
    series = []
    readings = []
    for name in teams:
        mine = [(draft, team) for draft, team in pairs if team.critic == name]
        done = [edits(draft.critique, team.critique, tasks[team.task_id].answer) for draft, team in mine]
        figures = shares(
            done, [group_of(tasks[team.task_id]) for _, team in mine], draws=source.draws, seed=source.seed
        )
        series.append(Series(name, tuple(figures[action] for action in ("kept", "edited", "dropped", "added"))))
        if "dropped %" in figures:
            readings.append(f"`{name}` dropped {100 * figures['dropped %'].mean:.0f}% of the comments it was given.")
    chart = Dots(("kept", "edited", "dropped", "added"), tuple(series), "comments for each answer")
    simulated = "simulated people" if any(name.startswith(SIMULATED_TEAM) for name in teams) else ""
    n = f"{len(pairs)} critiques that began with a draft"
    return Made(chart, " ".join(readings), n, (COMPARISONS,), simulated)


def caught_by_code(source: Source) -> Made | None:
    """Figure 1b without ratings: bugs that code finds in the comments, their place and their fix."""
    sets = [(name, data) for name, data in source.measured if data.get("critics")]
    if not sets:
        return None
    critics = list(dict.fromkeys(str(row["critic"]) for _, data in sets for row in data["critics"]))
    series = []
    for _, data in sets:
        rows = {str(row["critic"]): row for row in data["critics"]}
        for what in ("place", "fix"):
            measure = f"{what}@{data['k']}"
            figures = tuple(_measure(rows[critic], measure) if critic in rows else None for critic in critics)
            series.append(Series(f"{data['label']}: {measure}", figures))
    chart = Dots(tuple(critics), tuple(series), "bugs caught, %", True)
    said = "No ratings of CBI on inserted bugs are here: code holds each comment against the known bug instead."
    n = "; ".join(f"{data['items']} answers of {data['label']}" for _, data in sets)
    return Made(chart, said, n, tuple(dict.fromkeys(name for name, _ in sets)), BY_CODE, GIVEN)


def preferred_by_compute(source: Source) -> Made | None:
    """Figure 5a: how often RL is preferred, over compute."""
    if source.scaling is None:
        return None
    families = _families(source.scaling, "preferred")
    if not families:
        return None
    low = [s for sizes in families.values() for s in sizes if s.figure.low > 0.5]
    count = sum(map(len, families.values()))
    said = f"Preferred at {len(low)} of {count} sizes with the whole interval above a half."
    return Made(
        _over_compute(families, "preferred, %, ties half", share=True),
        said,
        _sizes(families),
        (SCALING,),
        _simulated(source.scaling),
        GIVEN,
    )


def caught_by_compute(source: Source) -> Made | None:
    """Figure 5b: bugs caught over compute, and the compute multiplier to match."""
    if source.scaling is None:
        return None
    families = _families(source.scaling, str(source.scaling.get("measure", "cbi")))
    if not families:
        return None
    said = "One family only: there is nothing to match."
    if len(families) > 1:
        higher, lower = (
            str(source.scaling.get(k, n)) for k, n in zip(("higher", "lower"), list(families), strict=False)
        )
        if higher not in families or lower not in families:
            raise MomusError(f"{SCALING} names the families {higher} and {lower}, but holds {', '.join(families)}")
        found = multiplier(families[higher], families[lower], seed=source.seed)
        said = f"Compute that {lower} needs to match {higher}: {found.verdict}."
    return Made(
        _over_compute(families, "bugs caught, %", share=True),
        said,
        _sizes(families),
        (SCALING,),
        _simulated(source.scaling, BY_CODE),
        GIVEN,
    )


def dials(source: Source) -> Made | None:
    """Figure 9: bugs caught against spurious comments as the dial turns, for each policy."""
    if source.arms is None:
        return None
    name, body = source.arms
    tracks: dict[str, list[Mapping[str, Any]]] = {}
    for arm in body["arms"]:
        if {"cbi_claim", "spurious"} <= arm["measures"].keys() and arm.get("policy") != "everything":
            tracks.setdefault(str(arm["name"]).partition("@")[0], []).append(arm)
    tracks = {track: arms for track, arms in tracks.items() if any(arm.get("dial") is not None for arm in arms)}
    if not tracks:
        return None
    both = all("false_claims" in arm["measures"] for arms in tracks.values() for arm in arms)  # not in older results
    cost, across = ("false_claims", " and clean twin") if both else ("spurious", "")
    lines = tuple(
        Line(
            track,
            tuple(Figure.from_json(arm["measures"][cost]).mean for arm in arms),
            tuple(Figure.from_json(arm["measures"]["cbi_claim"]) for arm in arms),
            tuple("" if arm.get("dial") is None else str(arm["dial"]) for arm in arms),
        )
        for track, arms in tracks.items()
    )
    verdicts = [
        f"`{found['point']}` against the frontier of `{found['frontier']}`: {found['verdict']}"
        for found in body.get("frontiers", ())
    ]
    said = (
        "At equal spurious comments: " + "; ".join(verdicts) + "."
        if verdicts
        else "Numbers are the dial's percentiles."
    )
    chart = Lines(lines, f"spurious comments per answer{across}", "bugs caught, place and category, %", False, True)
    return Made(chart, said, f"{body.get('items', '?')} answers", (name,), _simulated(body, BY_CODE), GIVEN)


def variants(source: Source) -> Made | None:
    """Section 3.5: without tampered data, and the study's other variants."""
    if source.arms is None:
        return None
    name, body = source.arms
    arms = [arm for arm in body["arms"] if "cbi_fix" in arm["measures"]]
    if not any("no-tampered" in str(arm["name"]) for arm in arms):
        return None
    rows = tuple(str(arm["name"]) for arm in arms)
    series = tuple(
        Series(label, tuple(_measure(arm, measure) for arm in arms))
        for label, measure in (("its place", "cbi_place"), ("the fix", "cbi_fix"))
    )
    moved = [
        d for d in body.get("differences", ()) if "no-tampered" in (d["from"] + d["to"]) and "cbi_fix" in d["measures"]
    ]
    said = " ".join(
        f"`{d['to']}` less `{d['from']}`: {points(Figure.from_json(d['measures']['cbi_fix']))} fixed." for d in moved
    )
    chart = Dots(rows, series, "bugs caught, %", True)
    return Made(
        chart, said or "See the table.", f"{body.get('items', '?')} answers", (name,), _simulated(body, BY_CODE)
    )


def discriminators(source: Source) -> Made | None:
    """Figure 13: telling tampered from clean twins, by size."""
    if source.discriminators is None:
        return None
    families = _families(source.discriminators, "log_loss")
    if not families:
        return None
    losses = [size.figure for sizes in families.values() for size in sorted(sizes, key=lambda s: s.flops)]
    said = f"Log loss goes from {losses[0].mean:.3f} to {losses[-1].mean:.3f}; a coin has {math.log(2):.3f}."
    tenth = source.discriminators.get("wrong_tenth")
    if tenth:
        said += " Where the largest is most confidently wrong, critics catch " + ", ".join(
            f"{critic} {100 * Figure.from_json(figure).mean:.0f}%" for critic, figure in tenth.items()
        )
        said += " (the tenth)."
    return Made(
        _over_compute(families, "log loss on balanced twins", share=False),
        said,
        _sizes(families),
        (DISCRIMINATORS,),
        _simulated(source.discriminators),
        GIVEN,
    )


def chosen(source: Source) -> Made | None:
    """Figure 14: choosing the solution that passes, with and without a critique."""
    if not source.choices:
        return None
    found = truth(source.choices, draws=source.draws, seed=source.seed)
    if not found.without.n and not found.with_critique.n:
        return None
    known = [("without a critique", found.without), ("with a critique", found.with_critique)]
    chart = Dots(
        tuple(name for name, _ in known), (Series("right", tuple(f for _, f in known)),), "right choices, %", True, 0.5
    )
    said = "Nobody chose in both ways."
    if found.added.n:
        said = f"The critique adds {points(found.added)}; help: {found.added.verdict}."
    n = f"{found.without.n} choices without and {found.with_critique.n} with; {found.open} left open"
    simulated = "simulated choosers" if found.simulated else ""
    return Made(chart, said, n, (CHOICES,), simulated)


def audited(source: Source) -> Made | None:
    """Section 3.6: answers rated good that were re-rated lower, with critiques and without."""
    if source.audit is None:
        return None
    try:
        rated = {name: Figure.from_json(body) for name, body in source.audit["rerated"].items()}
    except (KeyError, AttributeError, TypeError):
        raise MomusError(f"{AUDIT} needs `rerated`: a figure (mean, low, high, n) for each way to audit") from None
    if not rated:
        return None
    chart = Dots(tuple(rated), (Series("re-rated", tuple(rated.values())),), "re-rated substantially lower, %", True)
    n = ", ".join(f"{figure.n} {name}" for name, figure in rated.items())
    return Made(chart, "Answers that had been rated good.", n, (AUDIT,), _simulated(source.audit), GIVEN)


def _simulated(body: Mapping[str, Any], otherwise: str = "") -> str:
    """What a results file says was simulated: a sentence of its own, or that its ratings were."""
    said = body.get("simulated")
    if isinstance(said, str):
        return said
    return "; ".join(part for part in ("trained on simulated ratings" if said else "", otherwise) if part)


def _families(body: Mapping[str, Any], measure: str) -> dict[str, list[Size]]:
    try:
        return read_families(body, measure)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise MomusError(
            f"{SCALING} and {DISCRIMINATORS} hold families of sizes with flops and measures: {error}"
        ) from None


def _over_compute(families: Mapping[str, Sequence[Size]], up: str, *, share: bool) -> Lines:
    lines = tuple(
        Line(name, tuple(size.flops for size in sizes), tuple(size.figure for size in sizes))
        for name, sizes in families.items()
    )
    return Lines(lines, "pre-training compute, FLOPs", up, share_y=share, log=True)


def _sizes(families: Mapping[str, Sequence[Size]]) -> str:
    return "; ".join(f"{name}: {len(sizes)} sizes" for name, sizes in families.items())


def _measure(arm: Mapping[str, Any], measure: str) -> Figure | None:
    return Figure.from_json(arm["measures"][measure]) if measure in arm["measures"] else None
