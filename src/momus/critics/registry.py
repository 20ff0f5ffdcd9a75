"""One string names a critic, everywhere: `auto`, `local:NAME`, `bundled`, `linter:ruff`, `surprisal`, `empty`, ..."""

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


def _auto(**options: Any) -> Critic:
    """The best local model that is here, behind what `auto` does before it asks for a scan."""
    from momus.critics.automatic import AUTO, best_local

    return _local(f"{best_local()}{''.join(AUTO)}")(**options)


def _local(name: str) -> Callable[..., Critic]:
    def opened(**options: Any) -> Critic:
        from momus.models.openvino_package import openvino

        openvino()  # without it no weights would help
        from momus.critics.local import open_local_critic

        _refuse_unknown(f"local:{name}", open_local_critic, options)
        return open_local_critic(name, **options)

    return opened


def _solutions(model: str | None) -> Callable[..., Critic]:
    """Independent solutions by a local model, by the best that is here where none is named."""

    def opened(**options: Any) -> Critic:
        from momus.models.openvino_package import openvino

        openvino()  # without it no weights would help
        from momus.critics.solutions.critic import open_solutions

        _refuse_unknown(f"solutions:{model}" if model else "solutions", open_solutions, options)
        return open_solutions(model, **options)

    return opened


def _server(name: str) -> Callable[..., Critic]:
    def opened(**options: Any) -> Critic:
        from momus.critics.served.opening import open_served

        _refuse_unknown(f"server:{name}", open_served, options)
        return open_served(name, **options)

    return opened


def _surprisal(*, bundle: Path | str | None = None, comments: int | None = 1) -> Critic:
    from momus.critics.surprisal import Surprisal

    return Surprisal(bundle, comments)


def _examples(*, sandbox: str = "auto") -> Critic:
    from momus.critics.examples import ExamplesCritic

    return ExamplesCritic(sandbox)


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
    "auto": _auto,
    "bundled": _bundled,
    "bundled+fsbs": _searched,
    **{f"linter:{name}": _linter(name) for name in ("ruff", "pylint", "pyright", "mypy", "bandit")},
    "examples": _examples,
    "solutions": _solutions(None),
    "surprisal": _surprisal,
    "random": _random,
    "everything": _everything,
    "empty": _empty,
}
# A critic whose name goes on after this: what opens it, by the rest of the name.
FORMS = ("local:NAME|PATH", "solutions:NAME|PATH", "server:MODEL@URL")  # how such names look
PREFIXES: dict[str, Callable[[str], Callable[..., Critic]]] = {
    "local:": _local,
    "solutions:": _solutions,
    "server:": _server,
}
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
