"""From an answer to what independent solutions say of it: write, run, vote, and more of them where it is close."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from momus.critics.solutions import asking
from momus.critics.solutions import writing as drawing
from momus.critics.solutions.asking import Subject, subject_of
from momus.critics.solutions.depth import Depth
from momus.critics.solutions.finding import comment_on
from momus.critics.solutions.hearing import Heard, hear, why_not
from momus.critics.solutions.writing import Writer, write
from momus.critique import Comment
from momus.errors import MomusError
from momus.evidence.votes import Gate
from momus.inputs.target import parse
from momus.sandbox.run import check_mode

if TYPE_CHECKING:
    from momus.critics.local.scan import LineSuspicion, Looked
    from momus.critics.local.store import ScanStore
    from momus.models.local import LocalModel
    from momus.records import Task

REVISION = "1"  # of what is made of solutions: another makes other critiques of them
LEAST_DOCSTRING = 40  # characters of a docstring that could be a question
NEAR = 3  # programs that may vote, from which more are worth writing


@dataclass(frozen=True, slots=True)
class Writing:
    """Who writes solutions and how many; `store` keeps them, `gate` says when they may be believed."""

    model: LocalModel | Writer
    depth: Depth
    gate: Gate = field(default_factory=Gate)
    store: ScanStore | None = None
    seed: int = 0
    sandbox: str = "auto"

    @property
    def version(self) -> str:
        """What changes with whatever makes it find other contradictions, but for the model."""
        return f"{REVISION}/{asking.VERSION}/{drawing.WRITING}/{self.depth}/{self.gate}"

    def expected_s(self, task: Task) -> float:
        """About how many seconds a task's solutions take on two cores; nothing where none would be written."""
        return self.depth.seconds if isinstance(_wanted(task, self), tuple) else 0.0


@dataclass(frozen=True, slots=True)
class Outvoted:
    """What solutions make of an answer: the `comments` that they give cause for, and what they said, if they were
    asked; `left_out` says in words why none could be run, if so."""

    comments: tuple[Comment, ...] = ()
    heard: Heard | None = None
    left_out: str | None = None


def heard_of(task: Task, writing: Writing) -> Heard:
    """What solutions to its question say of a task's answer. Raises MomusError where there is no sandbox."""
    depth, wanted = writing.depth, _wanted(task, writing)
    if isinstance(wanted, str):  # the model need not be asked
        return Heard(why=wanted, gate=writing.gate)
    check_mode(writing.sandbox)  # before anything is written that could not be run
    asked, subject = wanted
    heard = _heard(asked, subject, depth.solutions, writing)
    if not heard.speaks and depth.more and heard.programs >= NEAR:
        heard = _heard(asked, subject, depth.solutions + depth.more, writing)
    return heard


def _heard(task: Task, subject: Subject, n: int, writing: Writing) -> Heard:
    texts = write(writing.model, task.question, subject, n=n, seed=writing.seed, store=writing.store)
    return hear(
        task,
        subject,
        texts,
        gate=writing.gate,
        calls=writing.depth.calls,
        seed=writing.seed,
        sandbox=writing.sandbox,
    )


def outvoted(task: Task, writing: Writing, scans: Sequence[Looked], lines: Sequence[LineSuspicion]) -> Outvoted:
    """What solutions make of an answer whose `lines` are given, most suspicious first."""
    try:
        heard = heard_of(task, writing)
        said = comment_on(task, heard, scans, lines, writing.sandbox)
    except MomusError as error:
        return Outvoted(left_out=f"no solutions were run: {error}")
    return Outvoted(() if said is None else (said,), heard)


def _wanted(task: Task, writing: Writing) -> tuple[Task, Subject] | str:
    """What the model is asked to write, with the task that states the question; in words why nothing, if so."""
    if not task.run:
        return "running code is turned off"
    asked = _asked(task, writing.depth)
    if not writing.depth.solutions or not asked.question.strip():
        return "no question"
    subject = subject_of(asked)
    if subject is None:
        return "nothing that could be called"
    return why_not(asked, subject, writing.gate) or (asked, subject)


def _asked(task: Task, depth: Depth) -> Task:
    """The task; where it has no question, and docstrings are questions, with that of its only function as one."""
    if task.question.strip() or not depth.docstrings:
        return task
    tree = parse(task.answer)
    functions = [n for n in tree.body if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)] if tree else []
    said = (ast.get_docstring(functions[0]) or "") if len(functions) == 1 else ""
    return task.model_copy(update={"question": said}) if len(said) >= LEAST_DOCSTRING else task
