"""What a critic was fitted on is not measured: problems and code are known again by keys that it carries."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import TypeVar

from momus.corpus.dedupe import fingerprint
from momus.critics import Critic
from momus.measure.datasets import task_of
from momus.records import Tamper, Task

T = TypeVar("T", Tamper, Task)


def keys_of(items: Iterable[Tamper | Task]) -> tuple[str, ...]:
    """Keys of the problem, package or repository of each item, and of its code but for layout, comments and names."""
    return tuple(sorted({key for item in items for key in _keys(item)}))


def unfitted(critics: Iterable[Critic], items: Sequence[T]) -> list[T]:
    """The items that share neither problem nor code with what one of the critics was fitted on, by its `fitted`."""
    known: frozenset[str] = frozenset().union(*(getattr(critic, "fitted", ()) for critic in critics))
    return [item for item in items if known.isdisjoint(_keys(item))] if known else list(items)


def _keys(item: Tamper | Task) -> set[str]:
    task = task_of(item)
    codes = (task.answer, item.twin) if isinstance(item, Tamper) else (task.answer,)
    said = {f"group {task.group or task.id}", *(f"code {fingerprint(code)}" for code in codes)}
    return {hashlib.sha256(one.encode("utf-8", "surrogatepass")).hexdigest()[:16] for one in said}
