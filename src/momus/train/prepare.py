"""Corpus and records into example files, over several processes; the same seed gives the same file."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache, partial
from itertools import chain, islice
from multiprocessing import get_context
from pathlib import Path
from typing import Protocol, TypeVar

from momus.corpus.functions import Function
from momus.corpus.tasks import to_task
from momus.corpus.tokenizer import Tokenizer
from momus.critique import TextMap
from momus.models.dialect import Dialect, quoted_line
from momus.records import Tamper, Task
from momus.train.config import DataConfig
from momus.train.examples import (
    Example,
    ExampleFile,
    code_example,
    comments_of,
    critique_example,
    fits,
    random_offset,
)

CHUNK = 64  # items handed to a process at once
Item = Function | Task | Tamper
T = TypeVar("T")


class Builder(Protocol):
    def __call__(self, item: Item, dialect: Dialect, data: DataConfig, seed: int) -> list[Example]: ...


def pretrain_examples(item: Item, dialect: Dialect, data: DataConfig, seed: int) -> list[Example]:
    """Code alone, one example."""
    task, rng = _task(item, data, seed, 0)
    if task is None:
        return []
    return _short([code_example(task, dialect, random_offset(task, rng, data.marker_offset))], data)


def scan_examples(item: Item, dialect: Dialect, data: DataConfig, seed: int) -> list[Example]:
    """An answer with as many bugs as it has room for and its clean twin, with the verdicts on tokens and lines.

    A single bug teaches little per token: one line in many. Here about a quarter of the lines are wrong. The twin keeps
    the model from learning which lines are bugs' more often, instead of which are wrong.
    """
    from momus.tamper import tamper

    examples: list[Example] = []
    for n in range(data.rounds):
        task, rng = _task(item, data, seed, n)
        if task is None:
            break
        most = min(data.scan_bugs, task.answer.count("\n") // 3)
        for n_bugs in range(rng.randint((most + 1) // 2, most), 0, -1):
            made = tamper(task, rng=rng, n_bugs=n_bugs, operators=_trained_operators())
            if made is not None:
                examples += _pair(made, dialect, data, rng, critique=False)
                break
    return examples


def _trained_operators() -> list[str]:
    from momus.tamper import OPERATORS

    return [name for name, operator in OPERATORS.items() if not operator.held_out]


def sft_examples(item: Item, dialect: Dialect, data: DataConfig, seed: int) -> list[Example]:
    """Tampers with their gold critiques, each followed by its clean twin, where silence is right.

    A record that has its bugs already is used as it is: where no bug is described, only the places are taught.
    """
    if isinstance(item, Tamper):
        rng = random.Random(f"{seed}:{item.task.id}")
        return _pair(item, dialect, data, rng, described=all(bug.description for bug in item.bugs))
    from momus.tamper import tamper

    examples: list[Example] = []
    for n in range(data.rounds):
        task, rng = _task(item, data, seed, n)
        if task is None:
            break
        n_bugs = rng.choices(range(1, len(data.bug_counts) + 1), data.bug_counts)[0]
        made = tamper(task, rng=rng, n_bugs=n_bugs, operators=_trained_operators())
        if made is not None:
            examples += _pair(made, dialect, data, rng)
    return examples


def build(
    items: Iterable[Item], builder: Builder, tokenizer: Path, data: DataConfig, out: Path, *, seed: int, jobs: int
) -> int:
    """Write the examples of all items to one file. Returns how many."""
    work = partial(_work, builder=builder, tokenizer=tokenizer, data=data, seed=seed)
    if jobs <= 1:
        return ExampleFile.write(out, chain.from_iterable(map(work, _chunks(items, CHUNK))))
    with get_context("spawn").Pool(jobs) as pool:
        return ExampleFile.write(out, chain.from_iterable(pool.imap(work, _chunks(items, CHUNK))))


def _work(items: Sequence[Item], builder: Builder, tokenizer: Path, data: DataConfig, seed: int) -> list[Example]:
    dialect = _dialect(tokenizer)
    return [example for item in items for example in builder(item, dialect, data, seed)]


@lru_cache(maxsize=1)
def _dialect(tokenizer: Path) -> Dialect:
    """Opened once a process."""
    return Dialect(Tokenizer.load(tokenizer))


def _task(item: Item, data: DataConfig, seed: int, n: int) -> tuple[Task | None, random.Random]:
    rng = random.Random(f"{seed}:{n}:{item.id if not isinstance(item, Tamper) else item.task.id}")
    task = to_task(item, seed=seed + n, asked=data.docstring_in_question) if isinstance(item, Function) else item
    if not isinstance(task, Task) or not fits(task):
        return None, rng
    return task, rng


def _pair(
    made: Tamper,
    dialect: Dialect,
    data: DataConfig,
    rng: random.Random,
    *,
    described: bool = True,
    critique: bool = True,
) -> list[Example]:
    """A tamper and its twin, both or neither; without `critique`, as far as the scan."""
    twin = made.task.model_copy(update={"answer": made.twin})
    text = TextMap(made.task.answer)
    if not (made.bugs and fits(made.task) and fits(twin)):
        return []
    if any(quoted_line(bug.spans[0], text) is None for bug in made.bugs):
        return []
    longer = max(made.task, twin, key=lambda task: task.answer.count("\n"))
    offset = random_offset(longer, rng, data.marker_offset)
    pair = [
        critique_example(made.task, comments_of(made), dialect, offset, described, made.twin),
        critique_example(twin, None, dialect, offset),
    ]
    if not critique:
        pair = [example.until_critique() for example in pair]
    return pair if len(_short(pair, data)) == 2 else []


def _short(examples: list[Example], data: DataConfig) -> list[Example]:
    return [example for example in examples if len(example.ids) <= data.max_tokens]


def _chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk
