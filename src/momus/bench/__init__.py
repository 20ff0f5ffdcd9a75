"""Benches: what is promised to be fast, in CPU-seconds on one thread, as ratios against named peers in one run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

Say = Callable[[str], None]  # hears what is being timed
SUITES: tuple[str, ...] = ("decode", "quote", "fsbs", "train", "ppo", "startup", "review", "summary", "model", "desk")


@dataclass(frozen=True, slots=True)
class Goal:
    """A promise and what was found: `value` is to be at most (or at least) `limit`."""

    name: str
    value: float
    bound: Literal["at most", "at least"]
    limit: float
    unit: str

    @property
    def holds(self) -> bool:
        return self.value <= self.limit if self.bound == "at most" else self.value >= self.limit


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a suite found: its goals, and the figures behind them as they go into the results file."""

    suite: str
    goals: list[Goal]
    figures: dict[str, Any]
    packages: tuple[str, ...] = ()  # whose versions matter


def run(
    suite: str,
    *,
    seed: int = 0,
    say: Say = lambda line: None,
    trl_python: Path | None = None,
    label_studio: Path | None = None,
    model: str | None = None,
) -> Outcome:
    """Run one suite. Raises MomusError where something it needs is missing.

    `trl_python` is a Python that has TRL 1.12.0, for the suite ppo; `label_studio` one that has Label Studio, for desk.
    `model` is what the suite model opens, instead of the default.
    """
    if suite == "decode":
        from momus.bench import decode

        return decode.bench(seed=seed, say=say)
    if suite == "fsbs":
        from momus.bench import fsbs

        return fsbs.bench(seed=seed, say=say)
    if suite == "train":
        from momus.bench import train

        return train.bench(seed=seed, say=say)
    if suite == "ppo":
        from momus.bench import ppo

        return ppo.bench(seed=seed, say=say, trl_python=trl_python)
    if suite == "quote":
        from momus.bench import quote

        return quote.bench(seed=seed, say=say)
    if suite == "startup":
        from momus.bench import startup

        return startup.bench(seed=seed, say=say)
    if suite == "review":
        from momus.bench import review

        return review.bench(seed=seed, say=say)
    if suite == "summary":
        from momus.bench import summary

        return summary.bench(seed=seed, say=say)
    if suite == "model":
        from momus.bench import model as local

        return local.bench(seed=seed, say=say, model=model)
    if suite == "desk":
        from momus.bench import desk

        return desk.bench(seed=seed, say=say, label_studio=label_studio)
    raise ValueError(f"a suite is one of {', '.join(SUITES)}, not {suite!r}")
