"""Known bugs slipped in among the real work, each proved by tests, to see how often they are caught.

Whoever hands one in is told at once, with the bug and the clean code, so that no tampered code is ever taken for real.
Nothing that is said of a canary is exported as work, and one that enough people have seen is withdrawn by itself.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from momus.critique import Critique, TextMap
from momus.desk.assign import Seats, withdraw
from momus.desk.blinding import Eye
from momus.desk.design import design_of
from momus.desk.kinds.rate import shown_bugs
from momus.desk.problems import invalid, wrong
from momus.desk.store.tables import Assignment, Project, Submission
from momus.match import same_place
from momus.records import Prefilled, Sampled, Tamper

Json = dict[str, Any]


def add_canary(
    session: Session, project: Project, tamper: Tamper, now: datetime, *, critique: Sampled | None = None
) -> Assignment | None:
    """Slip a bug in: into `write`, or, with a critique to begin from, into `team`. None where it is there already.

    Raises Problem 422 on a bug that no test has proved, or whose place is not known.
    """
    if tamper.proof != "tests" or not tamper.bugs:
        raise invalid(wrong("", "unproved", "A canary's bug fails the task's tests, and its place is known."))
    kind = "write" if critique is None else "team"
    item = tamper.task if critique is None else Prefilled(task=tamper.task, critique=critique)
    return Seats(session, project, kind).add(
        item,
        now,
        overlap=design_of(project).canary_exposures,
        canary=True,
        gold={
            "twin": tamper.twin,
            "bugs": tamper.model_dump(mode="json")["bugs"],
            "critic": None if critique is None else critique.critic,
            "critic_caught": None if critique is None else caught(critique.critique, tamper),
        },
    )


def caught(critique: Critique, tamper: Tamper) -> bool:
    """Whether a comment touches a line of one of the bugs."""
    text = TextMap(tamper.task.answer)
    return any(same_place(c.highlight, bug.spans, text) for c in critique for bug in tamper.bugs)


def after_submission(session: Session, project: Project, assignment: Assignment, made: Submission) -> None:
    """Score a canary and withdraw it when enough people have had it. Other assignments are left alone."""
    if not assignment.canary:
        return
    made.used = True  # the bug is shown now: nothing can be taken back
    made.payload = {**made.payload, "caught": caught(_critique(made), tamper_of(assignment))}
    session.flush()
    seen = select(func.count()).select_from(Submission).where(Submission.assignment_id == assignment.id)
    if (session.scalar(seen) or 0) >= design_of(project).canary_exposures:
        withdraw(session, assignment)


def told(assignment: Assignment, made: Submission, eye: Eye) -> Json:
    """What the person is told once it is handed in."""
    tamper = tamper_of(assignment)
    return {
        "caught": made.payload["caught"],
        "bugs": [bug.model_dump(mode="json") for bug in shown_bugs(tamper.bugs, eye)],
        "twin": tamper.twin,
    }


def tamper_of(assignment: Assignment) -> Tamper:
    gold = assignment.gold or {}
    task = assignment.payload["task"] if assignment.kind == "team" else assignment.payload
    return Tamper.model_validate({"task": task, "twin": gold["twin"], "bugs": gold["bugs"], "proof": "tests"})


@dataclass(slots=True)
class Rate:
    """How many canaries were seen, and how many of them caught."""

    seen: int = 0
    caught: int = 0

    def add(self, hit: bool) -> None:
        self.seen += 1
        self.caught += hit

    def to_json(self) -> Json:
        return {"seen": self.seen, "caught": self.caught, "rate": self.caught / self.seen if self.seen else None}


@dataclass(slots=True)
class Caught:
    """Catch rates: of each person, of each critic (on the canaries that began with its comments), and by week."""

    people: dict[str, Rate] = field(default_factory=lambda: defaultdict(Rate))
    critics: dict[str, Rate] = field(default_factory=lambda: defaultdict(Rate))
    weeks: dict[str, Rate] = field(default_factory=lambda: defaultdict(Rate))
    critic_weeks: dict[str, Rate] = field(default_factory=lambda: defaultdict(Rate))
    open: int = 0
    withdrawn: int = 0

    def to_json(self) -> Json:
        tables = {name: getattr(self, name) for name in ("people", "critics", "weeks", "critic_weeks")}
        found = {name: {key: rate.to_json() for key, rate in sorted(t.items())} for name, t in tables.items()}
        return {**found, "open": self.open, "withdrawn": self.withdrawn}


def rates(session: Session, project: Project, names: dict[int, str]) -> Caught:
    """Catch rates over all canaries so far. `names` are the pseudonyms of people."""
    result = Caught()
    rows = session.execute(
        select(Submission, Assignment)
        .join(Assignment, Assignment.id == Submission.assignment_id)
        .where(Assignment.project_id == project.id, Assignment.canary.is_(True))
    )
    for made, assignment in rows:
        year, week, _ = made.created.isocalendar()
        stamp = f"{year}-W{week:02}"
        hit = bool(made.payload["caught"])
        result.people[names.get(made.user_id, "?")].add(hit)
        result.weeks[stamp].add(hit)
        gold = assignment.gold or {}
        if gold.get("critic"):
            result.critics[gold["critic"]].add(bool(gold["critic_caught"]))
            result.critic_weeks[stamp].add(bool(gold["critic_caught"]))
    states = select(Assignment.state, func.count()).where(
        Assignment.project_id == project.id, Assignment.canary.is_(True)
    )
    for state, count in session.execute(states.group_by(Assignment.state)):
        if state == "open":
            result.open += count
        else:
            result.withdrawn += count
    return result


def _critique(made: Submission) -> Critique:
    data = {"task_id": "", "critic": "human", "critique": {"comments": made.payload["comments"]}}
    return Sampled.model_validate(data).critique
