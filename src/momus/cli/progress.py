"""Progress on a terminal; silence in a pipe."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from rich.progress import Progress

    from momus.review.pace import Meter

T = TypeVar("T")


def progress(items: Iterable[T], what: str, total: int | None = None) -> Iterator[T]:
    """Yield the items, drawing a bar on standard error where that is a terminal."""
    if not sys.stderr.isatty():
        yield from items
        return
    from rich.console import Console
    from rich.progress import track

    yield from track(items, description=what, total=total, console=Console(stderr=True), transient=True)


class _Bar:
    """A `Meter` that draws itself once the work begins."""

    def __init__(self, bar: Progress, what: str) -> None:
        self._bar = bar
        self._what = what
        self._units = self._answered = 0

    def begin(self, units: int, characters: int, expected_s: float) -> None:
        from momus.review.pace import Pace, in_words

        if not units:
            return
        self._units = units
        self._pace = Pace(characters)
        self._task = self._bar.add_task(
            self._what, total=characters, units=f"0/{units}", left=in_words(expected_s or None)
        )
        self._bar.start()

    def answered(self, characters: int) -> None:
        from momus.review.pace import in_words

        if not self._units:
            return
        self._pace.answered(characters)
        self._answered += 1
        left = in_words(self._pace.left_s())
        self._bar.update(self._task, advance=characters, units=f"{self._answered}/{self._units}", left=left)


@contextmanager
def pace_bar(what: str) -> Iterator[Meter | None]:
    """A bar, with what is left of the work in words, on standard error where that is a terminal; else None."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    columns = [TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[units]}  {task.fields[left]}")]
    bar = Progress(*columns, console=Console(stderr=True), transient=True)
    try:
        yield _Bar(bar, what)
    finally:
        bar.stop()
