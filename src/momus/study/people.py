"""Simulated people, so that a study's report holds the figures that are of people. They are no people.

Each follows a rule with a few chances, drawn by the seed and the task, and says so: their critics are named
`simulated-human`, their records `simulated`. What such a figure shows is that the way to it works, and what real
people's records must look like; it says nothing about people.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from momus.critics.trivial import on_lines
from momus.critique import Comment, Critique
from momus.measure import Bootstrap
from momus.measure.edits import SIMULATED_HUMAN, SIMULATED_TEAM
from momus.measure.figure import figures_of
from momus.measure.item import Item
from momus.measure.scores import in_place
from momus.raters.gold import gold_critique
from momus.records import Sampled

NOTICES = 0.3  # of a bug, by oneself
NITPICKS = 0.3  # of an answer, by oneself
KEEPS, KEEPS_WRONG = 0.9, 0.4  # a comment of the critic's that finds a bug, and one that finds none
EDITS = 0.2  # of what is kept
BELIEVES, MISLED = 0.8, 0.1  # by a comment that finds a bug, by one that finds none: the answer is rated lower
STRAY = 0.03  # of answers are rated lower for no reason
TOP = 0.5  # share of the answers with comments that are looked at again

Said = Mapping[str, Sampled]  # a critic's critique of each answer, by the id of the versioned task


def human(item: Item, seed: int) -> Sampled:
    """What a simulated person writes of a tampered answer without help."""
    rng = _rng(seed, "human", item)
    return Sampled(task_id=item.task.id, critic=SIMULATED_HUMAN, critique=Critique(tuple(_own(item, rng))))


def team(item: Item, draft: Sampled, seed: int) -> Sampled:
    """What a simulated person makes of a critic's comments: kept, edited, dropped, and own ones added."""
    rng = _rng(seed, "team", item)
    kept = []
    found: set[int] = set()
    for comment in draft.critique:
        right = in_place(comment, item)
        if rng.random() < (KEEPS if right else KEEPS_WRONG):
            found.update(right)
            kept.append(_edited(comment) if rng.random() < EDITS else comment)
    own = [comment for comment in _own(item, rng) if found.isdisjoint(in_place(comment, item))]
    said = Critique((*kept, *own)).without_metadata()
    return Sampled(task_id=item.task.id, critic=f"{SIMULATED_TEAM}{draft.critic}", critique=said)


def audit(items: Sequence[Item], said: Said, *, seed: int, draws: int) -> dict[str, Any]:
    """Answers that had been rated good are rated again (section 3.6): `audit.json`, as the report reads it.

    Good are clean twins, and tampered answers whose bug a simulated person did not notice. Of those that the critic
    comments on, the share `TOP` with the highest scores of the reward model is rated again, with its critiques and
    without; beside them as many drawn at random. No figure where the critic comments on nothing.
    """
    good: list[tuple[Item, Sampled, bool]] = []
    for item in items:
        noticed = _rng(seed, "first look", item).random() < NOTICES
        for task, tampered in ((item.task, True), (item.twin, False)):
            if task.id in said and said[task.id].critique.comments and not (tampered and noticed):
                good.append((item, said[task.id], tampered))
    count = max(1, round(TOP * len(good)))
    drawn = random.Random(seed).sample(good, min(count, len(good)))
    first = sorted(good, key=lambda one: -(one[1].score or 0.0))[:count]
    ways = {
        "with a critique, by reward": (first, True),
        "with a critique, at random": (drawn, True),
        "control, without critiques": (first, False),
    }
    rerated = {}
    for name, (those, shown) in ways.items():
        if those:
            lower = np.array([_lower(one, shown, seed) for one in those])
            bootstrap = Bootstrap([item.group for item, _, _ in those], draws=draws, seed=seed)
            rerated[name] = figures_of({"lower": lower}, bootstrap)["lower"].to_json()
    return {"schema_version": 1, "simulated": "both looks were taken by simulated people", "rerated": rerated}


def _own(item: Item, rng: random.Random) -> Iterator[Comment]:
    """The comments of somebody who notices a bug now and then, and finds a line odd now and then."""
    for bug in item.tamper.bugs:
        if rng.random() < NOTICES:
            yield from gold_critique((bug,), item.task.answer, rng)
    if rng.random() < NITPICKS:
        yield from on_lines(item.text, [rng.choice(item.text.code_lines)], "This line could be clearer.")


def _edited(comment: Comment) -> Comment:
    return replace(comment, text=f"{comment.text.rstrip()} Please check.".lstrip())


def _lower(one: tuple[Item, Sampled, bool], shown: bool, seed: int) -> float:
    """Whether a simulated person rates an answer substantially lower at the second look."""
    item, sampled, tampered = one
    rng = _rng(seed, f"second look/{tampered}/{shown}", item)
    chance = NOTICES if tampered else STRAY
    if shown:
        right = tampered and any(in_place(comment, item) for comment in sampled.critique)
        chance = max(chance, BELIEVES if right else MISLED)
    return float(rng.random() < chance)


def _rng(seed: int, what: str, item: Item) -> random.Random:
    return random.Random(f"{seed}/{what}/{item.task.id}")
