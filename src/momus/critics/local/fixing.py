"""What every critic does that lets a model speak where it disagrees: look, fix, word what a fix changes, and a gate.

Who looks is another matter: a local model scans (`momus.critics.local.critic`), one on a server scans or rewrites
(`momus.critics.served`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Literal, Protocol

from momus.critics.local.bare import Bare, bare, without_prose
from momus.critics.local.calibration import DEFAULT_DIAL, Calibration, gate
from momus.critics.local.checks import names_around
from momus.critics.local.fix import Fix, best_of_lines, fixes, replacement
from momus.critics.local.needed import needed
from momus.critics.local.scan import LineSuspicion, Looked, line_scores
from momus.critics.local.words import words
from momus.critics.protocol import failed
from momus.critique import Comment, Critique, TextMap
from momus.errors import MomusError
from momus.match import apply_suggestion
from momus.records import Sampled, Task

if TYPE_CHECKING:
    from momus.badges import Evidence
    from momus.critics.solutions.hearing import Heard
    from momus.critics.solutions.outvoted import Outvoted, Writing

SUSPECTS = 2  # lines that a fix is looked for
WIDEST = 3  # lines that a comment may be on
COMMENTS = 3
FLOOR = 1.0  # nats of suspicion below which no fix of a line is looked for
UNCALIBRATED = 2.0  # score from which a model without a calibration speaks
OPPOSED = "1"  # of what is left out for what solutions agree on
ENOUGH = 20  # inputs on which a fix changes nothing, from which there is nothing to fix


@dataclass(frozen=True, slots=True)
class Assessment:
    """What the critic makes of an answer before its gate: comments with their scores, highest first; `lines` are all
    lines, most suspicious first."""

    lines: tuple[LineSuspicion, ...]
    comments: tuple[tuple[float, Comment], ...]

    @property
    def score(self) -> float:
        """The score from which on the critic is silent; 0 where it has nothing to say."""
        return self.comments[0][0] if self.comments else 0.0


@dataclass(frozen=True, slots=True)
class _Found:
    """A comment with its score, and the suspect line that its fix came from."""

    score: float
    line: int
    comment: Comment


def score(suspicion: float, gain: float) -> float:
    """How much there is for a comment, in nats: the geometric mean of how unlikely the worst token of its line is, and
    of how much likelier its fix than what stands there. 0 where the fix is less likely.

    A line alone may be odd and right; a fix alone may be a matter of taste.
    """
    return math.sqrt(suspicion * gain) if gain > 0 else 0.0


class Looks(Protocol):
    """Who looks at answers: a model that scans them, or writes them once more."""

    def scan(self, task: Task, shown: Bare | None = None) -> Sequence[Looked]:
        """The windows of an answer, mostly one; none where it holds no code. MomusError where it can't be done.

        `shown` is what is looked at in place of the answer without its comments.
        """
        ...


class FixingCritic:
    """A critic whose model looks at code, and says what it would have written instead.

    A comment needs a suspect line and a fix of it that parses, means something else and is not refuted by the code; it
    is made where the score of both reaches the threshold, which `dial` (10, 25, 50, 75) or `max_spurious` set. With
    `examples` the examples of question and docstrings are run first, in the sandbox; what contradicts one is said
    whatever the model makes of it. With `solutions` a model answers the question itself next, and what these outvote
    is said as well. `called` is the critic's name before its `+examples`, for messages.
    """

    cut: Literal["unit"] = "unit"
    suspects = SUSPECTS

    def __init__(
        self,
        called: str,
        looks: Looks,
        *,
        calibration: Calibration | None = None,
        dial: int = DEFAULT_DIAL,
        max_spurious: float | None = None,
        examples: bool = False,
        solutions: Writing | None = None,
    ) -> None:
        self.name = called
        self.runs = examples or solutions is not None
        self.calibration = calibration
        self.fitted = frozenset(calibration.fitted) if calibration is not None else frozenset()
        self._looks = looks
        self._examples, self._solutions = examples, solutions
        self._thresholds = gate(called, calibration, dial=dial, max_spurious=max_spurious, otherwise=UNCALIBRATED)

    def critique(self, tasks: Iterable[Task], *, n: int = 1, seed: int) -> Iterator[Sampled]:
        """`n` times the same critique of each task: nothing is drawn."""
        for task, looked in self._ahead(tasks):
            try:
                said = self._critique(task, looked)
            except Exception as error:
                yield from (failed(self.name, task, i, error) for i in range(n))
                continue
            yield from (said.model_copy(update={"i": i}) for i in range(n))

    def _ahead(self, tasks: Iterable[Task]) -> Iterator[tuple[Task, Callable[[], Sequence[Looked]]]]:
        """The tasks, each with what looks at it."""
        for task in tasks:
            yield task, partial(self._looks.scan, task)

    def suspicions(self, task: Task) -> list[LineSuspicion]:
        """The lines of an answer by their suspicion, highest first, before any gate."""
        return line_scores(self._looks.scan(task))

    def assess(self, task: Task, *, floor: float = FLOOR) -> Assessment:
        """Comments before the gate, of lines whose suspicion reaches the floor."""
        scans = self._looks.scan(task)
        found = self._found(task, scans, floor)
        return Assessment(tuple(line_scores(scans)), tuple((one.score, one.comment) for one in found))

    def _found(self, task: Task, scans: Sequence[Looked], floor: float = FLOOR) -> list[_Found]:
        """Comments of suspect lines before the gate, the highest score first."""
        lines = line_scores(scans)
        suspicion = {found.line: found.score for found in lines}
        suspects = [found.line for found in lines if found.score >= floor][: self.suspects]
        text, known = TextMap(task.answer), names_around(task)
        found = best_of_lines(self._fixes(task, scans, suspects, known))
        side = self.calibration.side(task.question) if self.calibration is not None else None
        comments: list[_Found] = []
        taken: set[int] = set()
        for fix in sorted(found, key=lambda fix: (-score(suspicion[fix.line], fix.gain), fix.line)):
            said = _comment(fix, task.answer, text, known)
            if said is None or not taken.isdisjoint(text.lines(said.highlight)):
                continue
            worth = score(suspicion[fix.line], fix.gain)
            taken.update(text.lines(said.highlight))
            rated = said if side is None else replace(said, confidence=side.chance(worth))
            comments.append(_Found(worth, fix.line, rated))
        return comments

    def _fixes(self, task: Task, scans: Sequence[Looked], suspects: list[int], known: frozenset[str]) -> Iterator[Fix]:
        left = set(suspects)
        for scan in reversed(scans):  # of a line in two windows the later one has read on
            here = [line for line in suspects if line in left and line in scan.lines]
            if here:
                left.difference_update(here)
                for fix in self._fixes_of(scan, task.answer, here, known):
                    if fix.last - fix.first < WIDEST:
                        yield fix

    def _fixes_of(self, scan: Looked, answer: str, lines: list[int], known: frozenset[str]) -> Iterable[Fix]:
        return fixes(scan, answer, lines, known=known)

    def _critique(self, task: Task, looked: Callable[[], Sequence[Looked]]) -> Sampled:
        threshold = self._thresholds[0 if task.question.strip() else 1]
        if not task.answer.strip():
            return Sampled(task_id=task.id, critic=self.name)
        scans = looked()
        vote = partial(self._outvoted, task, scans) if self._solutions is not None else None
        first = certain_of(task, scans, examples=self._examples, vote=vote)
        certain = first.comments
        text = TextMap(task.answer)
        taken = {line for comment in certain for line in text.lines(comment.highlight)}
        likely = [
            found.comment
            for found in self._found(task, scans)
            if found.score >= threshold
            and taken.isdisjoint(text.lines(found.comment.highlight))
            and self._rests_on_code(task, {found.line, *text.lines(found.comment.highlight)})
        ]
        if first.heard is not None and first.heard.speaks:
            likely = unopposed(task, likely, first.heard)
        if self._examples:
            likely = unrefuted(task, likely)
        said = Critique((*certain, *likely)[:COMMENTS])
        return Sampled(task_id=task.id, critic=self.name, critique=said, left_out=first.left_out)

    def _outvoted(self, task: Task, scans: Sequence[Looked]) -> Outvoted:
        from momus.critics.solutions.outvoted import outvoted

        assert self._solutions is not None
        return outvoted(task, self._solutions, scans, line_scores(scans))

    def _rests_on_code(self, task: Task, lines: set[int]) -> bool:
        """Whether one of the lines is still suspect where docstrings and long strings are left out.

        A docstring that tells a model what to find, or what to write, makes lines suspect that are not.
        """
        shown = without_prose(task.answer, frozenset(lines))
        if shown == bare(task.answer):
            return True
        found = line_scores(self._looks.scan(task, shown))
        return any(line.score >= FLOOR for line in found if line.line in lines)


def certain_of(task: Task, scans: Sequence[Looked], *, examples: bool, vote: Callable[[], Outvoted] | None) -> Outvoted:
    """What running contradicts: examples first, and solutions where these say nothing."""
    from momus.critics.local.contradicted import contradicted
    from momus.critics.solutions.outvoted import Outvoted

    certain, left_out = contradicted(task, scans, line_scores(scans)) if examples else ([], None)
    if vote is None or certain:
        return Outvoted(tuple(certain), left_out=left_out)
    found = vote()
    return replace(found, left_out=left_out or found.left_out)


def unopposed(task: Task, comments: list[Comment], heard: Heard) -> list[Comment]:
    """Comments without those whose fix goes against what independent solutions agree on where the code gives it."""
    from momus.critics.solutions.hearing import breaks

    return [
        comment
        for comment in comments
        if comment.suggestion is None
        or not breaks(task, apply_suggestion(task.answer, comment.highlight, comment.suggestion), heard)
    ]


def unrefuted(task: Task, comments: list[Comment]) -> list[Comment]:
    """Comments with what running shows of each, without those that it speaks against: whose fix breaks an example, or
    comes to the same as the code on every input that was tried. All of them as they are where nothing can be run."""
    from momus.evidence.witness import Prover

    try:
        told = Prover().critique(task, Critique(tuple(comments))).comments
    except MomusError:  # there is no sandbox
        return comments
    return [
        _with_input(comment) for comment in told if comment.evidence is None or not _speaks_against(comment.evidence)
    ]


def _with_input(comment: Comment) -> Comment:
    """The comment, with the input that shows it and both results in its text, where one was found."""
    shown = comment.evidence.shown if comment.evidence is not None else ""
    return replace(comment, text=f"{comment.text} {shown}") if shown else comment


def _speaks_against(evidence: Evidence) -> bool:
    if evidence.badge == "no-difference":
        return evidence.inputs >= ENOUGH and not evidence.reason
    return evidence.badge == "disproved"


def _comment(fix: Fix, answer: str, text: TextMap, known: frozenset[str]) -> Comment | None:
    fix = needed(fix, answer)
    placed, said = replacement(fix, text), words(answer, fix.code, known)
    if placed is None or said is None:
        return None
    highlight, suggestion = placed
    return Comment(highlight, said.text, said.category, said.severity, suggestion)
