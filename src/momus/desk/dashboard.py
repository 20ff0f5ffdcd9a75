"""How a project goes: progress, time, agreement, Elo, the trade between catching and making up, what teams did."""

from __future__ import annotations

from collections import defaultdict
from statistics import median, quantiles
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from momus.desk.record_files import choices_of, comparisons_of, edited_of
from momus.desk.settled import pseudonyms, settled
from momus.desk.store.tables import Assignment, Hold, Project, Seat, Skip, Submission
from momus.desk.submissions import current
from momus.measure.agreement import preference_agreement, scores_agreement
from momus.measure.ballots import Panel
from momus.measure.elo import standings
from momus.measure.intervals import Bootstrap
from momus.measure.preference import duels_of, win_rates
from momus.measure.rates import either, rates
from momus.measure.truth import truth
from momus.raters.form import ATTRIBUTES

Json = dict[str, Any]
DRAWS = 1000


def progress(session: Session, project: Project, *, blind: bool = False) -> Json:
    """By kind: assignments and seats by state, work handed in, what of it was late, skips and declines.

    Canaries are left out; for those who could tell by that what they have in hand (`blind`), they are in it.
    """
    kinds: dict[str, Json] = defaultdict(
        lambda: {"assignments": {}, "seats": {}, "submitted": 0, "late": 0, "skipped": 0, "declined": 0}
    )
    of_kind = [] if blind else [Assignment.canary.is_(False)]
    here = (Assignment.project_id == project.id, *of_kind)
    for kind, state, count in session.execute(
        select(Assignment.kind, Assignment.state, func.count()).where(*here).group_by(Assignment.kind, Assignment.state)
    ):
        kinds[kind]["assignments"][state] = count
    for kind, state, count in session.execute(
        select(Seat.kind, Seat.state, func.count())
        .where(Seat.project_id == project.id, *([] if blind else [Seat.canary.is_(False)]))
        .group_by(Seat.kind, Seat.state)
    ):
        kinds[kind]["seats"][state] = count
    for kind, late, count in session.execute(
        select(Submission.kind, Submission.late, func.count())
        .join(Assignment, Assignment.id == Submission.assignment_id)
        .where(*here, Submission.undone.is_(False), Submission.superseded.is_(False))
        .group_by(Submission.kind, Submission.late)
    ):
        kinds[kind]["submitted"] += count
        kinds[kind]["late"] += count if late else 0
    for kind, what, count in session.execute(
        select(Assignment.kind, Skip.what, func.count())
        .join(Hold, Hold.id == Skip.hold_id)
        .join(Assignment, Assignment.id == Hold.assignment_id)
        .where(*here)
        .group_by(Assignment.kind, Skip.what)
    ):
        kinds[kind]["declined" if what == "decline" else "skipped"] = count
    return dict(kinds)


def pace(session: Session, project: Project) -> Json:
    """By kind and by person: how many, and the active time in minutes, median and 90th percentile."""
    by_kind: dict[str, list[float]] = defaultdict(list)
    people: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    names = pseudonyms(session)
    for made in session.scalars(current(project.id)):
        by_kind[made.kind].append(made.active_ms / 60_000)
        people[names[made.user_id]][made.kind].append(made.active_ms / 60_000)
    return {
        "kinds": {kind: _times(times) for kind, times in by_kind.items()},
        "people": {
            name: {kind: _times(times) for kind, times in kinds.items()} for name, kinds in sorted(people.items())
        },
    }


def ratings(session: Session, project: Project) -> Json:
    """Of all that was rated: agreement by attribute and on preference, without the bug and with it; Elo and who beats
    whom; the rate of bugs caught and of spurious claims, by critic. Each with its interval and its n."""
    panel = Panel(*comparisons_of(session, project))
    before = Panel(*comparisons_of(session, project, first=True))
    if not panel.comparisons:
        return {"comparisons": 0, "groups": 0, "agreement": {}, "elo": [], "wins": [], "pareto": []}
    bootstrap = Bootstrap(panel.groups(), draws=DRAWS)
    agreement: Json = {}
    for name in ATTRIBUTES:
        ballots = panel.ballots(name)
        if len(ballots):
            agreement[name] = scores_agreement(ballots, bootstrap).to_json()
    agreement["preference"] = preference_agreement(panel.preferences(), bootstrap).to_json()
    agreement["preference, bug not shown"] = preference_agreement(before.preferences(), bootstrap).to_json()
    duels = duels_of(panel.preferences())
    over = bootstrap.over(duels.groups)
    return {
        "comparisons": len(panel.comparisons),
        "groups": bootstrap.clusters,
        "agreement": agreement,
        "elo": [standing.to_json() for standing in standings(duels, over)],
        "wins": [
            {"critic": a, "over": b, **figure.to_json()} for (a, b), figure in sorted(win_rates(duels, over).items())
        ],
        "pareto": _pareto(panel, bootstrap),
    }


def _pareto(panel: Panel, bootstrap: Bootstrap) -> list[Json]:
    caught = panel.ballots("cbi")
    spurious = either(panel.ballots("nitpick"), panel.ballots("fake_problem"))
    found: dict[str, Json] = {}
    for name, ballots in (("caught", caught), ("spurious", spurious)):
        if len(ballots):
            for rate in rates(ballots, bootstrap.over(ballots.groups)):
                found.setdefault(rate.critic, {"critic": rate.critic, "caught": None, "spurious": None})
                found[rate.critic][name] = rate.yes.to_json()
    return sorted(found.values(), key=lambda row: str(row["critic"]))


def teams(session: Session, project: Project) -> Json:
    """What people did to pre-filled comments, by critic: of all comments, and for each person's share kept."""
    counts: dict[str, dict[str, int]] = defaultdict(lambda: {"kept": 0, "edited": 0, "dropped": 0, "added": 0, "n": 0})
    for edited in edited_of(session, project):
        row = counts[edited.critic]
        row["n"] += 1
        row["added"] += edited.added
        for did in edited.did:
            row[did] += 1
    return {"critics": dict(counts)}


def judging(session: Session, project: Project) -> Json:
    """How often the solution that passes was chosen, without and with the critic; what came too late is left out."""
    return truth(choices_of(session, project), draws=DRAWS).to_json()


def gold(session: Session, project: Project) -> Json:
    """Of items where the right answer is known: how often each person had it."""
    found: dict[str, Json] = defaultdict(lambda: {"n": 0, "right": 0})
    for kind in ("rate", "compare", "judge"):
        for work in settled(session, project, kind):
            if work.corrected:
                continue
            for right in _rights(kind, work.payload, work.assignment.payload, work.assignment.gold):
                found[work.rater]["n"] += 1
                found[work.rater]["right"] += right
    return {"people": {name: {**row, "share": row["right"] / row["n"]} for name, row in sorted(found.items())}}


def _rights(kind: str, payload: Json, item: Json, known: Json | None) -> list[bool]:
    if kind == "judge":
        return [payload["choice"] == item["passes"]] if item.get("passes") is not None else []
    if known is None:
        return []
    if kind == "compare":
        side = known.get("choice")
        return [] if side is None else [_sign(payload["choice"]) == _sign(side)]
    forms = payload["second"]["forms"]
    rights = []
    for gold in known["scores"]:
        if gold["critique"] >= len(forms):
            continue
        form = forms[gold["critique"]]
        scores = form["cbi"][gold["bug"]] if gold["attribute"] == "cbi" else form[gold["attribute"]]
        rights.append(scores is not None and abs(scores - gold["score"]) <= 1)
    return rights


def _sign(choice: int) -> int:
    return (choice > 0) - (choice < 0)


def _times(minutes: list[float]) -> Json:
    ordered = sorted(minutes)
    high = quantiles(ordered, n=10)[-1] if len(ordered) > 1 else ordered[0]
    return {"n": len(ordered), "median": round(median(ordered), 2), "p90": round(high, 2)}
