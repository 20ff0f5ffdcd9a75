"""How a fetch of weights is shown, its sources as lines and on a terminal a bar; and when one is offered."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.progress import Progress


class Fetching:
    """Lines on standard error, and a bar there where it is a terminal. A context."""

    def __init__(self) -> None:
        self._bar: Progress | None = None

    def __enter__(self) -> Fetching:
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

            columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
            self._bar = Progress(*columns, console=Console(stderr=True), transient=True)
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def say(self, line: str) -> None:
        """One line on a source."""
        if self._bar is not None:
            self._bar.console.print(line, markup=False, highlight=False)
        else:
            click.echo(line, err=True)

    def at(self, what: str, done: int, total: int) -> None:
        """Move the bar, or begin one where something else is under way."""
        if self._bar is None:
            return
        tasks = self._bar.tasks
        if not tasks or tasks[-1].description != what:
            for task in tasks:
                self._bar.remove_task(task.id)
            self._bar.add_task(what, total=total or None)
        self._bar.update(self._bar.tasks[-1].id, completed=done, total=total or None)

    def counting(self, what: str, total: int) -> Callable[[int], None]:
        """What moves the bar by so many bytes more."""
        done = 0

        def more(count: int) -> None:
            nonlocal done
            done += count
            self.at(what, done, total)

        return more


def have_model(critic: str) -> None:
    """See to it that a local model can be opened before work begins: at a terminal the default one is offered.

    What has to be converted is, with a bar. Critics of other kinds need nothing. Raises NoModel where `auto` has no
    model and there is nobody to ask, or the offer is declined, MomusError where weights are missing or of no use.
    """
    from momus.critics.automatic import model_of

    named = model_of(critic)
    if named is None:
        return
    name = named or _automatic()
    from momus.models.catalogue import resolve
    from momus.models.convert import converted, is_converted
    from momus.models.openvino_package import openvino

    openvino()  # without it no weights would help
    weights = resolve(name)
    if is_converted(weights):
        return
    size = weights.stat().st_size
    with Fetching() as watch:
        watch.say(f"converting {name} for this machine, once")
        converted(weights, progress=lambda what, share: watch.at(what, round(share * size), size))


def _automatic() -> str:
    """The name of the model that `auto` opens, fetched first where a person at the terminal wants that."""
    from momus.critics.automatic import NoModel, best_local
    from momus.models.catalogue import default_model, known
    from momus.models.fetch import get
    from momus.models.source import in_bytes

    try:
        return best_local()
    except NoModel:
        model = known(default_model())
        question = f"No model is here yet. Fetch {model.name} ({in_bytes(model.size)}, {model.licence})?"
        asked = sys.stdin.isatty() and sys.stderr.isatty()
        if not asked or not click.confirm(question, default=True, err=True):
            raise
        with Fetching() as watch:
            get(model, watch)
        return model.name
