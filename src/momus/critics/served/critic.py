"""The critic over a served model that looks at code: what it would have written instead is fixed, worded and gated."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Protocol

from momus import __version__
from momus.critics.local.calibration import DEFAULT_DIAL, Calibration
from momus.critics.local.fixing import FixingCritic, Looks
from momus.critics.local.request import VERSION
from momus.critics.local.scan import Looked
from momus.critics.served.ahead import account_of, ahead, digest_of
from momus.critics.served.rewriting import Window, windows_of

if TYPE_CHECKING:
    from momus.critics.served.name import ServedName
    from momus.critics.solutions.outvoted import Writing
    from momus.models.chat import Chat
    from momus.models.chat_abilities import Abilities
    from momus.records import Task

REVISION = "1"  # of what is made of replies: another makes other critiques of them


class LooksAtWindows(Looks, Protocol):
    def look(self, asked: Sequence[Window]) -> Sequence[Looked]:
        """The same for windows that were made before."""
        ...


class ServedCritic(FixingCritic):
    """`server:MODEL@URL` with the strategy *scan* or *rewrite*. Several answers are looked at at a time."""

    suspects = 8  # lines: a rewrite holds its fixes, so that no more is asked for one

    def __init__(
        self,
        name: ServedName,
        chat: Chat,
        looks: LooksAtWindows,
        abilities: Abilities,
        *,
        calibration: Calibration | None = None,
        dial: int = DEFAULT_DIAL,
        max_spurious: float | None = None,
        solutions: Writing | None = None,
    ) -> None:
        super().__init__(
            f"server:{name.model}@{name.url}",
            looks,
            calibration=calibration,
            dial=dial,
            max_spurious=max_spurious,
            examples=name.examples,
            solutions=solutions,
        )
        self.name = str(name)
        self.abilities = abilities
        self.digest, self.mode = digest_of(name.model, abilities.named), name.strategy or "rewrite"
        self.request = VERSION
        self._chat, self._windows = chat, looks
        fitted = hashlib.sha256(repr(calibration).encode()).hexdigest()[:12] if calibration is not None else ""
        self.version = (
            f"{__version__}/{REVISION}/{VERSION}/{abilities}/{fitted}/{self._thresholds[0]:.6g}/"
            f"{self._thresholds[1]:.6g}"
        )
        if solutions is not None:
            self.version += f"/{solutions.version}"

    @property
    def account(self) -> str:
        """What was asked of the server and used, in words."""
        return account_of(self._chat, self.mode)

    def _ahead(self, tasks: Iterable[Task]) -> Iterator[tuple[Task, Callable[[], Sequence[Looked]]]]:
        return ahead(tasks, lambda task: partial(self._windows.look, windows_of(task)), self._chat)
