"""Twins as what a discriminator trains on: one tampered answer and one clean of each problem, so that a coin has ln 2.

A pair is a comparison of two (`momus.train.reward.data.Group`): what the two requests begin with is read once, and
each goes on by itself. The tampered one is in tier 0, as its score is to be the higher.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F  # noqa: N812 (the name the field uses)

from momus.corpus.dedupe import fingerprint
from momus.errors import MomusError
from momus.measure.datasets import load_bugs
from momus.models.protocol import Codec, Prompt
from momus.records import Tamper
from momus.tamper import OPERATORS
from momus.train.reward.data import Candidate, Group
from momus.train.sources import refuse_reserved

NATURAL = "natural"  # in place of an operator, of a bug that no rule put in
TAMPERED, CLEAN = 0, 1  # the tiers


@dataclass(frozen=True, slots=True)
class Twins:
    """A tampered answer beside its clean original, in tokens; `operators` made its bugs, `clean` tells the original."""

    group: Group
    operators: tuple[str, ...]
    clean: str

    @property
    def tampered(self) -> tuple[int, ...]:
        """The request for the tampered answer, whole."""
        return (*self.group.prompt, *self.group.candidates[TAMPERED].tokens)

    @property
    def twin(self) -> tuple[int, ...]:
        """The request for the clean one."""
        return (*self.group.prompt, *self.group.candidates[CLEAN].tokens)

    @property
    def trains(self) -> bool:
        """Whether the pair may train: by its split, and as no operator of it is held out."""
        return self.group.trains and not any(is_held_out(name) for name in self.operators)


def is_held_out(operator: str) -> bool:
    """Whether an operator is never trained on."""
    return operator in OPERATORS and OPERATORS[operator].held_out


def read(paths: Iterable[Path], *, measured: bool = False) -> list[Tamper]:
    """Tampers of files, in either form. Unless they are only `measured`, none that is set aside for measuring.

    Raises MomusError naming the line.
    """
    found = [tamper for path in paths for tamper in load_bugs(path)]
    for tamper in () if measured else found:
        refuse_reserved(tamper.task)
    return found


def twins_of(tampers: Iterable[Tamper], codec: Codec, limit: int | None, left_out: Counter[str]) -> list[Twins]:
    """Pairs in tokens. What does not fit the model's `limit` of tokens, or is no pair, is left out and counted."""
    found: list[Twins] = []
    taken: set[tuple[str, str, str]] = set()
    for tamper in tampers:
        task = tamper.task
        key = (task.question, task.answer, tamper.twin)
        if task.answer == tamper.twin or key in taken:
            left_out["pairs that are the same answer twice, or stand there already"] += 1
            continue
        taken.add(key)
        try:
            tampered, clean = (codec.ask(Prompt(task.question, answer)) for answer in (task.answer, tamper.twin))
        except ValueError:
            left_out["pairs of an answer that does not fit the model"] += 1
            continue
        if limit is not None and max(len(tampered), len(clean)) > limit:
            left_out["pairs of an answer that is longer than the context"] += 1
            continue
        if tampered == clean:
            left_out["pairs that are the same to the tokenizer"] += 1
            continue
        shared = _shared(tampered, clean)
        group = Group(
            id=task.id,
            problem=task.group or task.id,
            prompt=tuple(tampered[:shared]),
            candidates=(Candidate(tuple(tampered[shared:]), TAMPERED), Candidate(tuple(clean[shared:]), CLEAN)),
            buggy=True,
            trains=task.split in (None, "", "train"),
        )
        operators = tuple(sorted({bug.operator or NATURAL for bug in tamper.bugs})) or (NATURAL,)
        found.append(Twins(group, operators, fingerprint(tamper.twin)))
    return found


def unseen(trained: Iterable[Twins], measured: Iterable[Twins], left_out: Counter[str]) -> list[Twins]:
    """What may measure: pairs whose clean answer does not train under another problem, but for layout and names.

    Raises MomusError where one and the same problem both trains and measures.
    """
    problems: set[str] = set()
    answers: set[str] = set()
    for pair in trained:
        problems.add(pair.group.problem)
        answers.add(pair.clean)
    found: list[Twins] = []
    for pair in measured:
        if pair.group.problem in problems:
            raise MomusError(
                f"{pair.group.id} is to be measured on, but its problem {pair.group.problem} trains: take it out of "
                "one of the two"
            )
        if pair.clean in answers:
            left_out["pairs to measure on whose clean answer trains as well"] += 1
        else:
            found.append(pair)
    return found


def twin_loss(scores: torch.Tensor, tiers: torch.Tensor) -> torch.Tensor:
    """The log-loss of "tampered or not", where a score is the logit of tampered: the mean over a pair of twins."""
    return F.binary_cross_entropy_with_logits(scores, (tiers == TAMPERED).to(scores.dtype))


def _shared(a: Sequence[int], b: Sequence[int]) -> int:
    """How many tokens two requests begin with alike; one at least is left of each."""
    most = min(len(a), len(b)) - 1
    return next((n for n in range(most) if a[n] != b[n]), most)
