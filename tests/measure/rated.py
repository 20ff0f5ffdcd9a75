"""Comparisons and ratings to do statistics on: critics by name, scores by hand or by a rule."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from planted import WRONG, make_tamper

from momus.critique import Comment, Critique, Span
from momus.records import Attribute, Bug, Comparison, Ranking, Rating, Sampled, Task

Score = Callable[[int, int, str], int | None]  # number of the comparison, place, critic


def comparison(
    i: int, critics: Sequence[str], *, kind: str = "inserted", group: str | None = None, failed: Sequence[str] = ()
) -> Comparison:
    """A comparison of critiques that say nothing of note, of an answer with one bug or none."""
    tamper = make_tamper(i, group=group)
    bugs: tuple[Bug, ...] = tamper.bugs
    if kind == "natural":
        bugs = tuple(bug.model_copy(update={"operator": None, "severity": "high"}) for bug in bugs)
    task = tamper.task if kind != "clean" else tamper.task.model_copy(update={"answer": tamper.twin})
    place = Span(0, 5)
    return Comparison(
        id=f"{kind}{i}",
        task=task,
        critiques=tuple(
            Sampled(task_id=task.id, critic=name, error="down")
            if name in failed
            else Sampled(task_id=task.id, critic=name, critique=Critique((Comment(place, f"{name} {i}"),)))
            for name in critics
        ),
        bugs=() if kind == "clean" else bugs,
    )


def rate(
    comparisons: Sequence[Comparison],
    score: Score,
    *,
    rater: str = "ann",
    attribute: Attribute = "overall",
    simulated: bool = False,
) -> list[Rating]:
    return [
        Rating(
            comparison_id=c.id,
            critique=place,
            rater=rater,
            attribute=attribute,
            score=score(i, place, sampled.critic),
            bug=0 if attribute == "cbi" else None,
            simulated=simulated,
        )
        for i, c in enumerate(comparisons)
        for place, sampled in enumerate(c.critiques)
        if attribute != "cbi" or c.bugs
    ]


def rank(c: Comparison, *order: Sequence[int], rater: str = "ann") -> Ranking:
    return Ranking(comparison_id=c.id, rater=rater, order=tuple(tuple(tier) for tier in order))


def found(task: Task) -> Critique:
    """The bug of `make_tamper`, and nothing else."""
    start = task.answer.index(WRONG)
    return Critique((Comment(Span(start, start + len(WRONG)), "One past the end.", "off-by-one"),))
