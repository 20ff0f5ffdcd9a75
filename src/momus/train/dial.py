"""Fit the dial on development answers: half of them to fit it, the others to check what it promises."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from momus.critics.dial import CONFIDENCE, REVIEWS, Dial, Promise, fit_percentiles
from momus.critics.searched import MAX_COMMENTS, Searched, SearchedCritic
from momus.errors import MomusError
from momus.measure.bounds import highest_mean
from momus.measure.item import Item
from momus.measure.scores import in_place, spurious
from momus.models.bundled import Bundle
from momus.records import Tamper

# From the most silent up, in deviations of the reward model's scores: fixed before any answer is seen, so that each
# setting may be tested at full confidence, in order, until one fails (fixed-sequence testing, Angelopoulos 2021).
MODIFIERS = tuple(float(value) for value in np.arange(-3.0, 3.0 + 1e-9, 0.125))


@dataclass(frozen=True, slots=True)
class Pair:
    """A tampered answer and its clean twin, both searched: two reviews."""

    item: Item
    tampered: Searched
    clean: Searched


def fit_dial(bundle: Bundle, tampers: Sequence[Tamper], seed: int = 0) -> Dial:
    """The dial of a bundle in mode momus. Raises MomusError on fewer than 20 tampers, or none that is searched."""
    if len(tampers) < 20:
        raise MomusError(f"a dial needs at least 20 development tampers, not {len(tampers)}: give more functions")
    critic = SearchedCritic(bundle, mend=False)  # the dial counts places alone
    pairs = []
    for tamper in tampers:
        item = Item.of(tamper)
        pairs.append(Pair(item, critic.search(item.task, seed), critic.search(item.twin, seed)))
    random.Random(seed).shuffle(pairs)
    half = (len(pairs) + 1) // 2
    fitting, checking = pairs[:half], pairs[half:]
    results = [window.result for pair in fitting for part in (pair.tampered, pair.clean) for window in part.windows]
    return Dial(fit_percentiles(results), promises(critic, fitting, checking))


def promises(critic: SearchedCritic, fitting: Sequence[Pair], checking: Sequence[Pair]) -> tuple[Promise, ...]:
    """What each length modifier does; of those that do the same, the last."""
    found: list[Promise] = []
    bound = 0.0
    for modifier in MODIFIERS:
        rates = [_rate(critic, pair, modifier) for pair in fitting]
        bound = max(bound, REVIEWS * highest_mean(rates, MAX_COMMENTS, CONFIDENCE))
        promise = Promise(
            modifier,
            round(bound, 4),
            round(REVIEWS * float(np.mean(rates)), 4),
            round(REVIEWS * float(np.mean([_rate(critic, pair, modifier) for pair in checking])), 4),
            round(float(np.mean([_finds(critic, pair, modifier) for pair in checking])), 4),
        )
        if found and _same(found[-1], promise):
            found.pop()
        found.append(promise)
    return tuple(found)


def _rate(critic: SearchedCritic, pair: Pair, modifier: float) -> float:
    """Spurious comments a review, over the pair's two: off every bug's lines, or on the clean twin."""
    tampered = critic.choose(pair.item.task, pair.tampered, modifier).critique
    clean = critic.choose(pair.item.twin, pair.clean, modifier).critique
    return (spurious(tampered, pair.item) + len(clean)) / 2


def _finds(critic: SearchedCritic, pair: Pair, modifier: float) -> bool:
    critique = critic.choose(pair.item.task, pair.tampered, modifier).critique
    return any(in_place(comment, pair.item) for comment in critique)


def _same(a: Promise, b: Promise) -> bool:
    return (a.bound, a.fitted, a.checked, a.found) == (b.bound, b.fitted, b.checked, b.found)
