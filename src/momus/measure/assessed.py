"""What a critic makes of answers before its gate, kept as it comes: what gate, confidence and dial are fitted on."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

from momus.critique import Comment, TextMap
from momus.errors import MomusError
from momus.measure.datasets import twin_of
from momus.measure.item import lines_of
from momus.measure.runs import append, read_kept
from momus.measure.scores import pointed
from momus.records import Record, Tamper, Task, versioned


class Assessment(Protocol):
    """Comments with their scores, the highest first."""

    @property
    def comments(self) -> Sequence[tuple[float, Comment]]: ...


@runtime_checkable
class Assesses(Protocol):
    """A critic that tells its comments and their scores before any threshold; `version` changes with its model."""

    name: str
    version: str

    def assess(self, task: Task) -> Assessment: ...


@runtime_checkable
class Gated(Assesses, Protocol):
    """One whose gate can be fitted: for a model (`digest`), a request and a mode."""

    digest: str
    request: str
    mode: str


class Assessed(Record):
    """One answer: the score of each comment before the gate, the highest first, and whether its place is right.

    `asked`: it answers a question. `buggy` is false for a clean answer, where no comment is right. `group` is its
    problem, package or repository.
    """

    task_id: str
    group: str
    asked: bool
    buggy: bool
    comments: tuple[tuple[float, bool], ...] = ()

    @property
    def score(self) -> float:
        """The highest score: from which threshold on the critic is silent."""
        return self.comments[0][0] if self.comments else 0.0

    def spurious(self, threshold: float) -> int:
        """How many comments that reach a threshold are wrong."""
        return sum(score >= threshold and not right for score, right in self.comments)


def with_twins(items: Iterable[Tamper | Task]) -> list[Tamper | Task]:
    """The items, and behind them of each tamper its fixed version, as a clean answer.

    Correct answers that were collected as such are easier to tell than those that are one edit from a bug.
    """
    every = list(items)
    return [*every, *(twin_of(item) for item in every if isinstance(item, Tamper))]


Watch = Callable[[Iterable[Tamper | Task]], Iterable[Tamper | Task]]


def assess_all(
    critic: Assesses,
    items: Sequence[Tamper | Task],
    *,
    folder: Path | None = None,
    watch: Watch = lambda items: items,
) -> list[Assessed]:
    """Assess tampers (which hold a bug) and tasks (which are clean). What stands in `folder` is not done again.

    Raises MomusError where the critic fails on every one; where it fails on some, those are left out.
    """
    path = None if folder is None else folder / _file_name(critic)
    known = {} if path is None else {found.task_id: found for found in read_kept(path, Assessed)}
    waiting = [item for item in items if _id(item) not in known]
    failure: Exception | None = None
    for item in watch(waiting):
        try:
            found = _assess(critic, item)
        except Exception as error:
            failure = error
            continue
        known[found.task_id] = found
        if path is not None:
            append(path, found)
    done = [known[_id(item)] for item in items if _id(item) in known]
    if failure is not None and not done:
        raise MomusError(f"{critic.name} could assess nothing: {failure}")
    return done


def _assess(critic: Assesses, item: Tamper | Task) -> Assessed:
    task, bugs = (item.task, item.bugs) if isinstance(item, Tamper) else (item, ())
    text = TextMap(task.answer)
    open_lines = {line for bug in bugs for line in lines_of(bug.spans, text)}
    comments: list[tuple[float, bool]] = []
    for score, comment in critic.assess(task).comments:
        line = pointed(comment, text)
        comments.append((float(score), line in open_lines))
        open_lines.discard(line or 0)  # to say it again is not right again
    return Assessed(
        task_id=_id(item),
        group=task.group or task.id,
        asked=bool(task.question.strip()),
        buggy=isinstance(item, Tamper),
        comments=tuple(comments),
    )


def _id(item: Tamper | Task) -> str:
    return versioned(item.task if isinstance(item, Tamper) else item).id


def _file_name(critic: Assesses) -> str:
    slug = re.sub(r"[^A-Za-z0-9.+-]+", "-", critic.name).strip("-")
    return f"{slug}-{hashlib.sha256(critic.version.encode()).hexdigest()[:8]}-assessed.jsonl"
