"""The record files that `momus train` and `momus measure` read, out of what people did."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

from pydantic import Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from momus.critique import Span
from momus.desk.kinds import KINDS
from momus.desk.kinds.choose import ASSISTED
from momus.desk.kinds.rate import rated_of
from momus.desk.settled import Settled, pseudonyms, settled
from momus.desk.store.tables import Project, Review
from momus.desk.submissions import written
from momus.raters.form import as_records
from momus.records import (
    Choice,
    Comparison,
    Pair,
    Prefilled,
    Ranking,
    Rating,
    Record,
    Sampled,
    Tamper,
    Task,
    write_jsonl,
)

Json = dict[str, Any]


class Preferred(Record):
    """Which of two answers somebody preferred: -3 the first by far, 3 the second. `critic` was shown with them."""

    pair_id: str
    rater: str
    choice: int = Field(ge=-3, le=3)
    why: str
    critic: str | None = None


class Graded(Record):
    """How severe and how hard to find somebody found a bug, 1..7; `real` is false where it is none."""

    task_id: str
    bug: int
    rater: str
    severity: int = Field(ge=1, le=7)
    difficulty: int = Field(ge=1, le=7)
    real: bool = True


class Edited(Record):
    """What somebody did to each of a critic's comments, and how many they added (Fig. 4)."""

    task_id: str
    rater: str
    critic: str
    did: tuple[Literal["kept", "edited", "dropped"], ...]
    added: int = Field(ge=0)


class Label(Record):
    """A comment that somebody accepted or dismissed on the reviewer's page."""

    task: Task
    rater: str
    critic: str
    highlight: Span
    text: str
    verdict: Literal["accept", "dismiss"]
    reason: str = ""


def comparisons_of(
    session: Session, project: Project, *, first: bool = False
) -> tuple[list[Comparison], list[Rating], list[Ranking]]:
    """All that was rated, with ratings and rankings: of the second pass, or of the first.

    In the first the bugs were not shown, so that its comparisons have none and nothing is scored for one.
    """
    comparisons: dict[int, Comparison] = {}
    taken: set[str] = set()
    ratings: list[Rating] = []
    rankings: list[Ranking] = []
    for work in settled(session, project, "rate"):
        which = work.assignment.id
        if which not in comparisons:
            comparison = Comparison.model_validate(work.assignment.payload)
            if comparison.id in taken:  # the same id with other critiques, in two imports
                comparison = comparison.model_copy(update={"id": f"{comparison.id}#{which}"})
            taken.add(comparison.id)
            comparisons[which] = comparison.model_copy(update={"bugs": (), "twin": None}) if first else comparison
        passed = work.payload["first" if first else "second"]
        rows, order = as_records(comparisons[which], rated_of(passed), work.rater, simulated=False)
        ratings += rows
        rankings += order
    return list(comparisons.values()), ratings, rankings


def tampers_of(session: Session, project: Project) -> list[Tamper]:
    return [
        Tamper.model_validate(work.payload["tamper"]).model_copy(update={"author": work.rater})
        for work in settled(session, project, "tamper")
    ]


def critiques_of(session: Session, project: Project) -> list[Sampled]:
    """What people and teams wrote, and before each team's the critic's own that it began from."""
    found: list[Sampled] = []
    for kind in ("write", "team"):
        numbers: dict[tuple[str, str], int] = {}
        for work in settled(session, project, kind):
            item = _item(work)
            made = written(work.submission, item, work.payload)
            i = numbers[made.task_id, made.critic] = numbers.get((made.task_id, made.critic), -1) + 1
            if kind == "team":
                found.append(item.critique.model_copy(update={"task_id": made.task_id, "i": i}))
            found.append(made.model_copy(update={"i": i}))
    return found


def tasks_of(session: Session, project: Project) -> list[Task]:
    """The tasks that critiques were written of."""
    found: dict[str, Task] = {}
    for kind in ("write", "team"):
        for work in settled(session, project, kind):
            item = _item(work)
            task: Task = item.task if kind == "team" else item
            found[task.id] = task
    return list(found.values())


def choices_of(session: Session, project: Project, *, in_time: bool = True) -> list[Choice]:
    """Judgements, and whether they are right; what came after its time limit is left out, or not."""
    found = []
    for work in settled(session, project, "judge"):
        pair = Pair.model_validate(work.assignment.payload)
        if pair.passes is None or (in_time and work.submission.over_time):
            continue
        found.append(
            Choice(
                task_id=pair.id,
                rater=work.rater,
                passes=pair.passes,
                chosen=work.payload["choice"],
                critic=_critic(pair, work),
                seconds=work.submission.active_ms / 1000,
            )
        )
    return found


def preferred_of(session: Session, project: Project) -> list[tuple[Pair, Preferred]]:
    found = []
    for work in settled(session, project, "compare"):
        pair = Pair.model_validate(work.assignment.payload)
        told = work.payload
        made = Preferred(
            pair_id=pair.id, rater=work.rater, choice=told["choice"], why=told["why"], critic=_critic(pair, work)
        )
        found.append((pair, made))
    return found


def graded_of(session: Session, project: Project) -> list[Graded]:
    return [
        Graded(task_id=_item(work).task.id, bug=i, rater=work.rater, **grade)
        for work in settled(session, project, "grade")
        for i, grade in enumerate(work.payload["bugs"])
    ]


def edited_of(session: Session, project: Project) -> list[Edited]:
    found = []
    for work in settled(session, project, "team"):
        item: Prefilled = _item(work)
        told = work.payload
        found.append(
            Edited(
                task_id=item.task.id,
                rater=work.rater,
                critic=item.critique.critic,
                did=tuple(told["did"]),
                added=told["added"],
            )
        )
    return found


def labels_of(session: Session, project: Project) -> list[Label]:
    names = pseudonyms(session)
    found = []
    for review in session.scalars(select(Review).where(Review.project_id == project.id).order_by(Review.created)):
        if review.critique is None:
            continue
        said = Sampled.model_validate(review.critique)
        for i, label in sorted(review.labels.items(), key=lambda pair: int(pair[0])):
            comment = said.critique.comments[int(i)]
            found.append(
                Label(
                    task=Task.model_validate(review.task),
                    rater=names[review.user_id],
                    critic=said.critic,
                    highlight=comment.highlight,
                    text=comment.text,
                    verdict=label["verdict"],
                    reason=label["reason"],
                )
            )
    return found


Pass = Literal["first", "second"]


def tables_of(session: Session, project: Project, passed: Pass = "second") -> dict[str, list[Record]]:
    """Everything that there is, by the name of its file; what is empty is left out.

    `passed` is the pass of ratings that stands at the top, where a reward model is trained from; the other one stands
    in a folder of its own name.
    """
    other: Pass = "first" if passed == "second" else "second"
    comparisons, ratings, rankings = comparisons_of(session, project, first=passed == "first")
    beside = comparisons_of(session, project, first=other == "first")
    tables: dict[str, Iterable[Record]] = {
        "comparisons": comparisons,
        "ratings": ratings,
        "rankings": rankings,
        f"{other}/comparisons": beside[0],
        f"{other}/ratings": beside[1],
        f"{other}/rankings": beside[2],
        "tampers": tampers_of(session, project),
        "tasks": tasks_of(session, project),
        "critiques": critiques_of(session, project),
        "edits": edited_of(session, project),
        "choices": choices_of(session, project),
        "preferred": [made for _, made in preferred_of(session, project)],
        "pairs": list({pair.id: pair for pair, _ in preferred_of(session, project)}.values()),
        "grades": graded_of(session, project),
        "labels": labels_of(session, project),
    }
    return {name: rows for name, found in tables.items() if (rows := list(found))}


def write_records(session: Session, project: Project, folder: Path, passed: Pass = "second") -> dict[str, int]:
    """One file of JSON lines for each table; the counts by name."""
    tables = tables_of(session, project, passed)
    return {name: write_jsonl(folder / f"{name}.jsonl", rows) for name, rows in tables.items()}


def _item(work: Settled) -> Any:
    return KINDS[work.assignment.kind].item.model_validate(work.assignment.payload)


def _critic(pair: Pair, work: Settled) -> str | None:
    if pair.critiques is None or work.submission.arm != ASSISTED:
        return None
    return pair.critiques[0].critic
