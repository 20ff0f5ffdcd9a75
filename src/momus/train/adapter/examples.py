"""Examples to train on: the scan's request, and the answer whose tokens carry the loss."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from momus.critics.local.request import ask, indentation
from momus.critics.local.scan import moved_in
from momus.train.adapter.pairs import Pair

if TYPE_CHECKING:
    from momus.models.tokens import Tokens
    from momus.records import Task

CHANGED = 6.0  # what a token weighs that the correction changed; one that is copied weighs 1


@dataclass(frozen=True, slots=True)
class Example:
    """`ids`: request and answer; the answer begins at `first`, and `weights` has one for each of its tokens."""

    source: str
    ids: tuple[int, ...]
    first: int
    weights: tuple[float, ...]


def examples(pairs: Iterable[Pair], tokens: Tokens, most: int) -> Iterator[Example]:
    """Of each pair the correction, and the copy of its twin where it has one; none of more than `most` tokens."""
    for pair in pairs:
        made = [correction(pair.source, pair.buggy, pair.twin.answer, tokens)]
        if pair.copied:
            made.append(correction(pair.source, pair.twin, pair.twin.answer, tokens))
        yield from (one for one in made if len(one.ids) <= most and any(one.weights))


def correction(source: str, task: Task, correct: str, tokens: Tokens) -> Example:
    """The answer of a task corrected, or copied where it is correct, exactly as a scan reads it."""
    indent = indentation(task.context)
    shown, wanted = moved_in(task.answer, indent), moved_in(correct, indent)
    head = ask(tokens, task.question, task.context, shown)
    before, after = tokens.encode(shown).ids, tokens.encode(wanted).ids
    return Example(source, (*head, *after), len(head), tuple(weights(before, after)))


def weights(before: Sequence[int], after: Sequence[int]) -> list[float]:
    """For each token of `after` CHANGED where it is not copied, or follows on something left out; else 1."""
    found = [1.0] * len(after)
    for tag, _, _, start, end in difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag == "equal":
            continue
        for k in range(start, max(end, start + 1)):
            if k < len(found):
                found[k] = CHANGED
    return found
