"""The figures that come from comparisons and their ratings."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from momus.critique import SEVERITIES
from momus.measure.ballots import Ballots, Origin, Panel
from momus.measure.bugsets import BugSet, compare, missed_by
from momus.measure.edits import drafted_by, is_human
from momus.measure.figure import Figure
from momus.measure.frontier import Track, beyond
from momus.measure.rates import Rate, by_critic, decided, either
from momus.measure.report.charts import Dots, Line, Lines, Series
from momus.measure.report.made import Made, percent, points
from momus.measure.report.source import COMPARISONS, RANKINGS, RATINGS, Source
from momus.measure.summary import SPURIOUS, Part, Summary
from momus.records import GOLD

Floats = npt.NDArray[np.float64]
FILES = (COMPARISONS, RATINGS, RANKINGS)
_MANY_PAIRS = 36  # of critics: beyond, a chart of all of them cannot be read
_NAMES = {"fake_problem": "fake problem", SPURIOUS: "either"}


def elo(source: Source) -> Made | None:
    """Figure 1a: Elo by critic on inserted bugs."""
    part = _part(source, "inserted")
    if source.summary is None or part is None or len(part.standings) < 2:
        return None
    best = next((s for s in part.standings if s.critic != GOLD), part.standings[0])
    marked = [s for s in part.standings if s.mark]
    said = f"`{best.critic}` stands highest{_gold(s.critic for s in part.standings)}. "
    said += "A difference of 100 points is preferred in 64% of comparisons."
    if marked:
        said += " Held by the prior alone: " + ", ".join(f"{s.critic} ({s.mark})" for s in marked) + "."
    chart = Dots(
        tuple(f"{s.critic}{f' ({s.mark})' if s.mark else ''}" for s in part.standings),
        (Series("Elo", tuple(Figure(s.elo, s.low, s.high, s.duels) for s in part.standings)),),
        "Elo, the mean of all critics is 0",
        level=0.0,
    )
    return _made(source.summary, chart, said, _comparisons(part))


def preferred(source: Source) -> Made | None:
    """Table 3: who is preferred to whom on natural bugs."""
    part = _part(source, "natural")
    if source.summary is None or part is None or not part.preferred:
        return None
    order = [standing.critic for standing in part.standings]
    pairs = [(a, b) for i, a in enumerate(order) for b in order[i + 1 :] if (a, b) in part.preferred]
    best = next((name for name in order if name != GOLD and not is_human(name)), order[0])
    if len(pairs) > _MANY_PAIRS:
        pairs = [pair for pair in pairs if best in pair]
    figures = tuple(part.preferred[pair] for pair in pairs)
    sure = sum(figure.low > 0.5 or figure.high < 0.5 for figure in figures)
    chart = Dots(
        tuple(f"{a} over {b}" for a, b in pairs), (Series("preferred", figures),), "preferred, %, ties half", True, 0.5
    )
    said = f"Of {len(pairs)} pairs of critics {sure} can be told apart."
    if len(order) * (len(order) - 1) // 2 > _MANY_PAIRS:
        said += f" Of so many, the pairs are those with `{best}`, which stands highest of those that write alone."
    return _made(source.summary, chart, said, _comparisons(part))


def caught(source: Source) -> Made | None:
    """Figure 1b: inserted bugs caught."""
    part = _part(source, "inserted")
    if source.summary is None or part is None or "cbi" not in part.rates:
        return None
    chart = _rates({"caught": part.rates["cbi"]}, "bugs caught, % of those decided")
    best = _best(part.rates["cbi"])
    said = f"Highest: `{best.critic}`, {percent(best.yes)}." if best else "No score is decided."
    return _made(source.summary, chart, said + _unsure(part.rates["cbi"]), _comparisons(part))


def comprehensive(source: Source) -> Made | None:
    """Figure 6: comprehensiveness by critic."""
    if source.summary is None:
        return None
    found = {
        origin: part.rates["comprehensiveness"]
        for origin, part in source.summary.parts.items()
        if origin != "all" and "comprehensiveness" in part.rates
    }
    if not found:
        return None
    whole = source.summary.parts["all"].rates["comprehensiveness"]
    chart = _rates(found, "all severe problems mentioned, % of those decided")
    best = _best(whole)
    said = f"Highest over all answers: `{best.critic}`, {percent(best.yes)}." if best else "None is decided."
    return _made(source.summary, chart, said + _unsure(whole), _comparisons(source.summary.parts["all"]))


def spurious(source: Source) -> Made | None:
    """Figure 7: nitpicks and fake problems by critic."""
    part = _part(source, "all")
    if source.summary is None or part is None or SPURIOUS not in part.rates:
        return None
    found = {_NAMES.get(n, n): part.rates[n] for n in ("nitpick", "fake_problem", SPURIOUS) if n in part.rates}
    chart = _rates(found, "critiques with at least one, % of those decided")
    worst = _best(part.rates[SPURIOUS])
    said = f"`{worst.critic}` has most: {percent(worst.yes)} of its critiques." if worst else "None is decided."
    return _made(source.summary, chart, said + _unsure(part.rates[SPURIOUS]), _comparisons(part))


def frontier(source: Source) -> Made | None:
    """Figure 8: comprehensiveness against spurious claims, teams against the models' frontier."""
    part = _part(source, "all")
    if source.summary is None or part is None or source.panel is None or SPURIOUS not in part.rates:
        return None
    costs = {rate.critic: rate.yes for rate in part.rates[SPURIOUS]}
    gains = {rate.critic: rate.yes for rate in part.rates.get("comprehensiveness", ())}
    tracks = _tracks(costs, gains)
    if not tracks:
        return None
    chart = Lines(
        _lines(tracks, costs, gains), "critiques with a nitpick or fake problem, %", "comprehensive, %", True, True
    )
    return _made(source.summary, chart, _teams(source, source.panel, tracks), _comparisons(part))


def _tracks(across: Mapping[str, Figure], up: Mapping[str, Figure]) -> dict[str, list[str]]:
    """The critics that have both figures, in order; the settings of one dial under one name."""
    tracks: dict[str, list[str]] = {}
    for critic in sorted(up, key=lambda name: (name.partition("@")[0], len(name), name)):
        known = critic in across and not math.isnan(up[critic].mean) and not math.isnan(across[critic].mean)
        if known and critic != GOLD:
            tracks.setdefault(critic.rpartition("@")[0] if _dialled(critic) else critic, []).append(critic)
    return tracks


def _lines(
    tracks: Mapping[str, Sequence[str]], across: Mapping[str, Figure], up: Mapping[str, Figure]
) -> tuple[Line, ...]:
    return tuple(
        Line(
            name,
            tuple(across[critic].mean for critic in critics),
            tuple(up[critic] for critic in critics),
            tuple(critic.rpartition("@")[2] if _dialled(critic) else "" for critic in critics),
            joined=len(critics) > 1,
        )
        for name, critics in tracks.items()
    )


def _teams(source: Source, panel: Panel, tracks: dict[str, list[str]]) -> str:
    """Whether each team lies beyond the frontier of the critics that write alone."""
    teams = [critic for critics in tracks.values() for critic in critics if drafted_by(critic) is not None]
    alone = [critic for critics in tracks.values() for critic in critics if not is_human(critic)]
    if not teams or not alone:
        return "No team of a person and a critic is in the ratings."
    gains = panel.ballots("comprehensiveness")
    costs = either(panel.ballots("nitpick"), panel.ballots("fake_problem"))
    keys = {(int(c), int(r)): i for i, (c, r) in enumerate(zip(costs.comparisons, costs.by, strict=True))}
    rows = [
        (i, keys[key])
        for i, key in enumerate(zip(gains.comparisons.tolist(), gains.by.tolist(), strict=True))
        if key in keys
    ]
    mask = np.zeros(len(gains), np.bool_)
    mask[[i for i, _ in rows]] = True
    kept = gains.where(mask)
    found = by_critic(decided(kept.scores), kept)
    spent = by_critic(decided(costs.scores[[j for _, j in rows]]), kept)
    both = [critic for critic in (*teams, *alone) if critic in found and critic in spent]
    people, models = [c for c in both if c in teams], [c for c in both if c in alone]
    if not people or not models:
        return "No team has decided scores on both counts."

    def track(name: str, critics: Sequence[str]) -> Track:
        return Track(name, tuple(critics), np.array([spent[c] for c in critics]), np.array([found[c] for c in critics]))

    against = beyond(
        track("teams", people), track("critics alone", models), kept.groups, draws=source.draws, seed=source.seed
    )
    return " ".join(
        f"`{b.point}` against the frontier of the critics alone: {b.verdict}"
        + (f", {points(b.above)}." if not math.isnan(b.above.mean) else ".")
        for b in against
    )


def bug_sets(source: Source) -> Made | None:
    """Figure 10: severity and difficulty of inserted and natural bugs."""
    if source.panel is None or source.summary is None:
        return None
    table = source.panel.ballots("cbi")
    sets = [_bug_set(source.panel, table, origin) for origin in ("inserted", "natural")]
    if any(not of.bugs for of in sets):
        return None
    found = compare(sets[0], sets[1], draws=source.draws, seed=source.seed)
    rows = (*(f"severity {name}" for name in SEVERITIES), "missed by critics")
    series = tuple(
        Series(of.name, (*(found.severity[of.name][s] for s in SEVERITIES), found.missed[of.name])) for of in sets
    )
    hard, severe = found.differences["missed"], found.differences["severity"]
    said = f"Inserted less natural: {points(hard)} missed, severity {severe.mean:+.2f} on 1 to 3 ({severe.verdict})."
    n = " and ".join(f"{len(of.bugs)} {of.name} bugs" for of in sets)
    return _made(source.summary, Dots(rows, series, "share of bugs, %", True), said, n)


def _bug_set(panel: Panel, table: Ballots, origin: Origin) -> BugSet:
    from momus.measure.ballots import group_of, origin_of

    comparisons = list(panel.comparisons.values())
    bugs = [
        (i, b, bug, group_of(c.task))
        for i, c in enumerate(comparisons)
        if origin_of(c) == origin
        for b, bug in enumerate(c.bugs)
    ]
    at = {(i, b): k for k, (i, b, _, _) in enumerate(bugs)}
    columns = {name: values for name, values in by_critic(decided(table.scores), table).items() if name != GOLD}
    scored: dict[str, Floats] = {name: np.full(len(bugs), np.nan) for name in columns}
    for name, values in columns.items():
        sums, counts = np.zeros(len(bugs)), np.zeros(len(bugs))
        for row, value in enumerate(values):
            k = at.get((int(table.comparisons[row]), int(table.bugs[row])))
            if k is not None and not math.isnan(value):
                sums[k] += value
                counts[k] += 1
        with np.errstate(invalid="ignore"):
            scored[name] = sums / counts
    missed = missed_by(scored) if scored else np.full(len(bugs), np.nan)
    return BugSet(origin, [bug for _, _, bug, _ in bugs], [group for _, _, _, group in bugs], missed)


def agreement(source: Source) -> Made | None:
    """Figure 11: agreement of raters by attribute, and on preference with and without a reference bug."""
    found = source.summary.agreement if source.summary is not None else {}
    known = {name: of for name, of in found.items() if of.pairs.n}
    if source.summary is None or not known:
        return None
    rows = tuple(_NAMES.get(name, name) for name in known)
    chart = Dots(
        rows,
        (
            Series("Krippendorff's alpha", tuple(of.alpha for of in known.values())),
            Series("pairs of raters on one side", tuple(of.pairs for of in known.values())),
        ),
        "1: all agree; alpha 0: as by chance",
        level=0.0,
    )
    alphas = {name: of.alpha.mean for name, of in known.items() if not math.isnan(of.alpha.mean)}
    best = max(alphas, key=lambda name: alphas[name]) if alphas else None
    said = f"Raters agree most on {_NAMES.get(best, best)}." if best else "Raters had nothing to differ about."
    pairs = max(of.pairs.n for of in known.values())
    return _made(source.summary, chart, said, f"up to {pairs} pairs of scores by {len(source.summary.raters)} raters")


def both_sets(source: Source) -> Made | None:
    """Figure 12: CBI on inserted bugs against comprehensiveness on natural ones."""
    inserted, natural = _part(source, "inserted"), _part(source, "natural")
    if source.summary is None or inserted is None or natural is None:
        return None
    across = {rate.critic: rate.yes for rate in inserted.rates.get("cbi", ())}
    up = {rate.critic: rate.yes for rate in natural.rates.get("comprehensiveness", ())}
    tracks = _tracks(across, up)
    if not tracks:
        return None
    chart = Lines(_lines(tracks, across, up), "inserted bugs caught, %", "comprehensive on natural bugs, %", True, True)
    n = f"{inserted.comparisons} and {natural.comparisons} comparisons"
    return _made(source.summary, chart, "Intervals are upright; those across stand in Figure 1b.", n)


def _part(source: Source, origin: str) -> Part | None:
    return source.summary.parts.get(origin) if source.summary is not None else None


def _made(summary: Summary, chart: Dots | Lines, said: str, n: str) -> Made:
    return Made(chart, said, n, FILES, summary.simulated)


def _rates(found: dict[str, list[Rate]] | dict[Origin, list[Rate]], across: str) -> Dots:
    names = list(dict.fromkeys(rate.critic for rates in found.values() for rate in sorted(rates, key=_highest_first)))
    series = []
    for name, rates in found.items():
        by_name = {rate.critic: rate.yes for rate in rates if rate.yes.n}
        series.append(Series(str(name), tuple(by_name.get(critic) for critic in names)))
    return Dots(tuple(names), tuple(series), across, True)


def _highest_first(rate: Rate) -> tuple[float, str]:
    return (-rate.yes.mean if rate.yes.n else math.inf, rate.critic)


def _gold(names: Iterable[str]) -> str:
    return f"; `{GOLD}` is made of the reference bugs" if GOLD in names else ""


def _best(rates: Sequence[Rate]) -> Rate | None:
    known = [rate for rate in rates if rate.yes.n and rate.critic != GOLD]
    return max(known, key=lambda rate: rate.yes.mean, default=None)


def _unsure(rates: Sequence[Rate]) -> str:
    share = max((rate.unsure.mean for rate in rates), default=0.0)
    return f" Up to {100 * share:.0f}% of a critic's scores were unsure and are left out." if share > 0 else ""


def _comparisons(part: Part) -> str:
    return f"{part.comparisons} comparisons"


def _dialled(critic: str) -> bool:
    return critic.rpartition("@")[2].isdigit() and "@" in critic
