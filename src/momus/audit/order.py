"""Which critique to believe first: by a reward model, or where there is none by what the critic says of itself."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from momus.errors import MomusError
from momus.models.protocol import Branch, Prompt
from momus.records import Sampled, Task

Score = Callable[[Task, Sequence[Sampled]], Sequence[float | None]]  # None: cannot be scored
Said = Mapping[str, Sequence[Sampled]]  # the critiques of each task, by its id


def by_reward_folder(folder: Path) -> Score:
    """The scores of a reward model that `momus train reward` wrote. Raises MomusError where there is none."""
    from momus.train.reward.model import context_of, open_reward

    reward = open_reward(folder)
    limit = context_of(reward.model)

    def score(task: Task, said: Sequence[Sampled]) -> list[float | None]:
        found: list[float | None] = [None] * len(said)
        asked: list[tuple[int, list[int]]] = []
        for i, sampled in enumerate(said):
            try:
                tokens = reward.tokens(Prompt(task.question, task.answer), sampled.critique)
            except ValueError:
                continue
            if limit is None or len(tokens) <= limit:
                asked.append((i, tokens))
        for (i, _), value in zip(asked, reward.score([tokens for _, tokens in asked]), strict=True):
            found[i] = value
        return found

    return score


def by_bundle(folder: Path | None) -> Score | None:
    """The scores of the reward model in a bundle (None: the one that ships); None where it holds none."""
    from momus.critique import TextMap
    from momus.models.bundled import open_bundle

    bundle = open_bundle(folder)
    if bundle.reward is None:
        return None
    scorer = bundle.reward.scorer(bundle.dialect)

    def score(task: Task, said: Sequence[Sampled]) -> list[float | None]:
        text = TextMap(task.answer)
        try:
            session = scorer.open(Prompt(task.question, task.answer))
        except (ValueError, MomusError):
            return [None] * len(said)
        found: list[float | None] = []
        for sampled in said:
            try:
                (value,) = session.score([Branch(bundle.dialect.write(sampled.critique.comments, text))])
            except (ValueError, MomusError):  # a quote of blanks; longer than the context
                found.append(None)
            else:
                found.append(value)
        session.close()
        return found

    return score


def scored(tasks: Iterable[Task], said: Said, score: Score | None) -> tuple[dict[str, list[Sampled]], str]:
    """The critiques that say something, with a score to order them by, and in words what that score is.

    Failed and silent critiques are left out. `score` is a reward model's; without one it is the critic's own: the
    reward of its search, the highest confidence of a comment, or the mean log-probability. A critic that says nothing
    of the kind leaves no order: all scores are None then.
    """
    speaking = {
        task.id: [s for s in said.get(task.id, ()) if s.error is None and s.critique.comments] for task in tasks
    }
    if score is not None:
        rated = {
            task.id: _with(speaking[task.id], score(task, speaking[task.id])) for task in tasks if speaking[task.id]
        }
        return rated, "by the reward model"
    ways: tuple[tuple[str, Callable[[Sampled], float | None]], ...] = (
        ("by the reward model that the critic searched with", lambda s: s.score),
        ("by the highest confidence of a comment, as there is no reward model", _confidence),
        (
            "by how likely the critic finds its words, as there is no reward model and no confidence",
            lambda s: s.logprob,
        ),
    )
    for words, own in ways:
        values = {name: [own(sampled) for sampled in rows] for name, rows in speaking.items() if rows}
        if any(value is not None for row in values.values() for value in row):
            return {name: _with(speaking[name], row) for name, row in values.items()}, words
    bare = {name: _with(rows, [None] * len(rows)) for name, rows in speaking.items() if rows}
    return bare, "at random, as there is no reward model and this critic gives no score of its own"


def first(rated: Mapping[str, Sequence[Sampled]], top: int, seed: int) -> list[Sampled]:
    """The best critique of each answer, the best of all first, `top` of them; ties in an order drawn by the seed."""
    best = [max(rows, key=_value) for rows in rated.values()]
    random.Random(f"{seed}/ties").shuffle(best)
    return sorted(best, key=lambda sampled: -_value(sampled))[:top]


def _with(rows: Sequence[Sampled], scores: Sequence[float | None]) -> list[Sampled]:
    return [row.model_copy(update={"score": score}) for row, score in zip(rows, scores, strict=True)]


def _value(sampled: Sampled) -> float:
    return float("-inf") if sampled.score is None else sampled.score


def _confidence(sampled: Sampled) -> float | None:
    return max((c.confidence for c in sampled.critique if c.confidence is not None), default=None)
