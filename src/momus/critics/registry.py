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

    _refuse_unknown("bundled", open_bundled, options)
    return open_bundled(**options)


def _searched(**options: Any) -> Critic:
    from momus.critics.searched import open_searched

    _refuse_unknown("bundled+fsbs", open_searched, options)
    return open_searched(**options)


def _auto(*, bundle: Path | str | None = None, **options: Any) -> Critic:
    """The best that a bundle has: with search where it holds a reward model. The dial is of the search."""
    from momus.models.bundled import SHIPPED, read_about

    about = read_about(Path(bundle) if bundle else SHIPPED)
    if about.get("reward"):
        return _searched(bundle=bundle, **options)
    if dialled := [name for name in ("dial", "max_spurious") if name in options]:
        raise MomusError(
            f"this bundle has no reward model, so that {dialled[0].replace('_', '-')} has nothing to set: leave it out"
        )
    return _bundled(bundle=bundle, **options)


def _server(name: str) -> Callable[..., Critic]:
    def opened(**options: Any) -> Critic:
        from momus.critics.prompted import open_prompted

        _refuse_unknown(f"server:{name}", open_prompted, options)
        return open_prompted(name, **options)

    return opened


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
    "bundled+fsbs": _searched,
    "auto": _auto,
    **{f"linter:{name}": _linter(name) for name in ("ruff", "pylint", "pyright", "mypy", "bandit")},
    "surprisal": _surprisal,
    "random": _random,
    "everything": _everything,
    "empty": _empty,
}
# A critic whose name goes on after this: what opens it, by the rest of the name.
FORMS = ("server:MODEL@URL",)  # how such names look
PREFIXES: dict[str, Callable[[str], Callable[..., Critic]]] = {"server:": _server}
TRIVIAL = ("surprisal", "random", "everything", "empty")


def open_critic(name: str, **options: Any) -> Critic:
    """Open a critic by name. Raises MomusError on an unknown name or option, and where the critic can't be opened."""
    opener = CRITICS.get(name)
    for prefix, opens in PREFIXES.items():
        if name.startswith(prefix):
            opener = opens(name.removeprefix(prefix))
    if opener is None:
        near = difflib.get_close_matches(name, CRITICS, n=1, cutoff=0.5)
        meant = f"did you mean {near[0]}? " if near else ""
        raise MomusError(f"there is no critic {name!r}: {meant}known are {', '.join((*CRITICS, *FORMS))}")
    _refuse_unknown(name, opener, options)
    return opener(**options)


def _refuse_unknown(name: str, opener: Callable[..., Critic], options: dict[str, Any]) -> None:
    takes = inspect.signature(opener).parameters.values()
    if not any(parameter.kind is parameter.VAR_KEYWORD for parameter in takes):
        allowed = [parameter.name for parameter in takes if parameter.kind is parameter.KEYWORD_ONLY]
        unknown = sorted(options.keys() - set(allowed))
        if unknown:
            known = ", ".join(allowed) or "none"
            raise MomusError(f"the critic {name} takes no option {unknown[0]!r}: its options are {known}")
