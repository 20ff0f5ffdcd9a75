"""One string names a critic, everywhere: `bundled`, `linter:ruff`, `surprisal`, `empty`, ..."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

from momus.critics.protocol import Critic
from momus.errors import MomusError


def _bundled(**options: Any) -> Critic:
    from momus.critics.sampled import open_bundled

    return open_bundled(**options)


def _surprisal(*, bundle: Path | str | None = None, comments: int | None = 1) -> Critic:
    from momus.critics.surprisal import Surprisal

    return Surprisal(bundle, comments)


def _empty() -> Critic:
    from momus.critics.trivial import Empty

    return Empty()


def _everything() -> Critic:
    from momus.critics.trivial import Everything

    return Everything()


def _random(*, comments: int | None = 1) -> Critic:
    from momus.critics.trivial import Random

    return Random(comments)


def _linter(linter: str) -> Callable[[], Critic]:
    def opened() -> Critic:
        from momus.critics.linter import LinterCritic

        return LinterCritic(linter)

    return opened


# Name -> what opens it; its keyword arguments are the critic's options.
CRITICS: dict[str, Callable[..., Critic]] = {
    "bundled": _bundled,
    **{f"linter:{name}": _linter(name) for name in ("ruff", "pylint", "pyright", "mypy", "bandit")},
    "surprisal": _surprisal,
    "random": _random,
    "everything": _everything,
    "empty": _empty,
}
TRIVIAL = ("surprisal", "random", "everything", "empty")


def open_critic(name: str, **options: Any) -> Critic:
    """Open a critic by name. Raises MomusError on an unknown name or option, and where the critic can't be opened."""
    opener = CRITICS.get(name)
    if opener is None:
        near = difflib.get_close_matches(name, CRITICS, n=1, cutoff=0.5)
        meant = f"did you mean {near[0]}? " if near else ""
        raise MomusError(f"there is no critic {name!r}: {meant}known are {', '.join(CRITICS)}")
    takes = inspect.signature(opener).parameters.values()
    if not any(parameter.kind is parameter.VAR_KEYWORD for parameter in takes):
        unknown = sorted(options.keys() - {parameter.name for parameter in takes})
        if unknown:
            known = ", ".join(parameter.name for parameter in takes) or "none"
            raise MomusError(f"the critic {name} takes no option {unknown[0]!r}: its options are {known}")
    return opener(**options)
