"""The rater `solutions`: scores a critique by whether its claims agree with what independent solutions give.

It knows no reference bug, so that it can rate critiques of answers that nobody tampered with. It is a rule, and its
records say `simulated`. Where the solutions may not speak, nothing is scored. Of an answer that they contradict on some
input it is known that it is wrong, of one that they never contradict it is taken that it is right:

- a fix that makes the answer agree with them on every input is right (7), one that mends some inputs and breaks none is
  partly right (5), any other one of a wrong answer counts as unsure;
- a comment without a fix on a wrong answer points at a line that the contradicting input runs (4, unsure), or at none
  (a fake problem);
- on a right answer a comment is a fake problem, but for one of low severity or whose fix changes no result: a nitpick.

comprehensiveness is the best of these scores (1 for silence on a wrong answer, 7 on a right one); conciseness, the
utility and the ranking are the oracle's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from momus.critique import SEVERITIES, Comment, Critique, TextMap
from momus.match import apply_suggestion
from momus.raters.form import Form, Rated, order_of, unscored
from momus.raters.oracle import CONCISE, FAKE, NITPICK, UNSURE, conciseness, point
from momus.records import Comparison, Task

if TYPE_CHECKING:
    from momus.critics.solutions.hearing import Heard

RIGHT, PARTLY, POINTS, MISSED = 7, 5, 4, 1
CONTRADICTED, KEPT = "the solutions contradict the answer", "the answer gives what the solutions do"


@dataclass(slots=True)
class _Tally:
    best: int
    fakes: int = 0
    nitpicks: int = 0
    unsure: int = 0
    said: list[str] = field(default_factory=list)


class SolutionsRater:
    """Rates by what solutions give. `hears` finds what they say of a task; `sandbox` is how fixes are run."""

    name = "solutions"
    simulated = True

    def __init__(self, hears: Callable[[Task], Heard], sandbox: str = "auto") -> None:
        self._hears, self._sandbox = hears, sandbox

    def rate(self, comparison: Comparison) -> Rated:
        """Unscored where the solutions may not speak. Raises MomusError where there is no sandbox."""
        heard = self._hears(comparison.task)
        if not heard.speaks:
            return unscored(comparison, f"the solutions may not speak: {heard.why}")
        bare: tuple[int | None, ...] = (None,) * len(comparison.bugs)
        forms: list[Form] = []
        utilities: list[float | None] = []
        for sampled in comparison.critiques:
            if sampled.error is not None:
                forms.append(Form(cbi=bare, rationale=f"there is no critique: {sampled.error}"))
                utilities.append(None)
                continue
            tally = self._tally(comparison.task, sampled.critique, heard)
            concise = conciseness(sampled.critique)
            utility = tally.best - 1 - FAKE * tally.fakes - NITPICK * tally.nitpicks - UNSURE * tally.unsure
            utility -= FAKE if heard.contradictions and not sampled.critique.comments else 0.0
            utility = round(utility + CONCISE * (concise - 1), 9)
            utilities.append(utility)
            forms.append(
                Form(
                    cbi=bare,
                    comprehensiveness=tally.best,
                    nitpick=7 if tally.nitpicks else 1,
                    fake_problem=7 if tally.fakes else 4 if tally.unsure else 1,
                    conciseness=concise,
                    overall=point(utility + 1),
                    rationale="; ".join(tally.said) or "says nothing",
                )
            )
        order = order_of(utilities)
        return Rated(tuple(forms), order, CONTRADICTED if heard.contradictions else KEPT)

    def _tally(self, task: Task, critique: Critique, heard: Heard) -> _Tally:
        tally = _Tally(MISSED if heard.contradictions else RIGHT)
        for number, comment in enumerate(critique, 1):
            judge = self._on_wrong if heard.contradictions else self._on_right
            score, what, counts = judge(task, comment, heard)
            if heard.contradictions:
                tally.best = max(tally.best, score)
            if counts is not None:
                setattr(tally, counts, getattr(tally, counts) + 1)
            tally.said.append(f"comment {number} {what}")
        return tally

    def _on_wrong(self, task: Task, comment: Comment, heard: Heard) -> tuple[int, str, str | None]:
        """Score, words and what it counts as, of a comment on an answer that is contradicted."""
        if comment.suggestion is not None:
            before = [not vote.contradicts for vote in heard.agreed]
            after = self._after(task, comment, heard)
            if all(after):
                return RIGHT, "mends what the solutions contradict", None
            broken = any(was and not now for was, now in zip(before, after, strict=True))
            if sum(after) > sum(before) and not broken:
                return PARTLY, "mends some of what the solutions contradict", None
            return MISSED, "has a fix that mends none of it", "unsure"
        lines = TextMap(task.answer).lines(comment.highlight)
        ran = {line for vote in heard.contradictions for line in vote.got.lines}
        if ran.isdisjoint(lines):
            return MISSED, "is on lines that no contradicted input runs", "fakes"
        return POINTS, "is on a line that a contradicted input runs, and shows no fix", "unsure"

    def _on_right(self, task: Task, comment: Comment, heard: Heard) -> tuple[int, str, str | None]:
        changes = comment.suggestion is None or not all(self._after(task, comment, heard))
        if comment.severity == SEVERITIES[0] or not changes:
            return MISSED, "changes nothing that the solutions agree on", "nitpicks"
        return MISSED, "is a fake problem: the answer gives what the solutions do", "fakes"

    def _after(self, task: Task, comment: Comment, heard: Heard) -> list[bool]:
        from momus.critics.solutions.hearing import matching

        assert comment.suggestion is not None
        return matching(
            task, apply_suggestion(task.answer, comment.highlight, comment.suggestion), heard, self._sandbox
        )


def agreement(verdicts: Mapping[str, Sequence[int]]) -> str:
    """How far what it takes for wrong is what has a reference bug, in words.

    `verdicts`: of each rationale of a ranking the number of answers without a reference bug, and of those with one.
    """
    (right, wrong), (kept, missed) = (verdicts.get(name, (0, 0)) for name in (CONTRADICTED, KEPT))
    return (
        f"where the solutions may speak they contradict {wrong} of {wrong + missed} answers with a reference bug and "
        f"{right} of {right + kept} without one"
    )


def open_solutions_rater(model: str | None = None, *, seed: int = 0) -> SolutionsRater:
    """The rater over a local model; over the best that is here where none is named. Raises MomusError."""
    from momus.critics.solutions.critic import open_solutions
    from momus.critics.solutions.outvoted import heard_of

    writing = open_solutions(model).writing(seed)
    return SolutionsRater(lambda task: heard_of(task, writing))
