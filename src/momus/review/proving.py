"""Evidence on what a critic says of a file's units, kept from one run to the next."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from momus.badges import Evidence
from momus.critique import Critique
from momus.errors import MomusError

if TYPE_CHECKING:
    from momus.evidence.witness import Prover
    from momus.records import Sampled, Task
    from momus.review.cache import Cache
    from momus.review.config import Settings


class Proving:
    """Puts evidence on critiques. Without a sandbox there is none, which is said where it was asked for."""

    def __init__(self, prover: Prover, cache: Cache | None = None) -> None:
        self._prover, self._cache = prover, cache
        self._missing: str | None = None
        self.everything = prover.everything

    def proved(self, task: Task, sampled: Sampled) -> Sampled:
        """A critique of a task with evidence on its comments."""
        if sampled.error is not None or not sampled.critique.comments or not task.run:
            return sampled
        known = self._cache.get(task) if self._cache is not None else None
        if known is not None and _said(known) == _said(sampled):
            return known
        if self._missing is None:
            try:
                found = self._prover.proved(task, sampled)
            except MomusError as error:
                self._missing = str(error)
            else:
                if self._cache is not None:
                    self._cache.put(task, found)
                return found
        return self._unproved(sampled) if self.everything else sampled

    def _unproved(self, sampled: Sampled) -> Sampled:
        evidence = Evidence("not-run", reason=(self._missing or "").rstrip("."))
        comments = [
            replace(comment, evidence=evidence) if comment.suggestion is not None else comment
            for comment in sampled.critique
        ]
        return sampled.model_copy(update={"critique": Critique(tuple(comments))})


def proving_for(settings: Settings, *, runs: bool, identity: str, root: Path) -> Proving | None:
    """What puts evidence on a critic's comments; None where nothing may be run, or this critic runs nothing by itself.

    `identity` says exactly which critic that is; "": nothing is kept, nor is it where inputs come from tests below
    `root`, which may be others tomorrow.
    """
    if not settings.run or not (settings.prove or runs):
        return None
    from momus.evidence.witness import VERSION, Prover
    from momus.review.cache import Cache
    from momus.review.project_tests import ProjectTests

    how = f"{identity} evidence {VERSION}{' of everything' if settings.prove else ''}"
    tested = ProjectTests(root) if settings.project_tests else None
    cache = Cache(how, settings.seed) if identity and settings.cache and tested is None else None
    return Proving(Prover(everything=settings.prove, seed=settings.seed, tested=tested), cache)


def _said(sampled: Sampled) -> list[object]:
    return [replace(comment, evidence=None) for comment in sampled.critique]
