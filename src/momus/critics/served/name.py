"""What the name of a critic over a served model says: `server:MODEL@URL+STRATEGY+examples+solutions`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from momus.critics.automatic import EXAMPLES, SOLUTIONS
from momus.errors import MomusError
from momus.models.chat_name import model_and_url

Strategy = Literal["scan", "rewrite", "critique"]
STRATEGIES: tuple[Strategy, ...] = ("scan", "rewrite", "critique")  # the first that a server can do is taken
SERVER = "server:"


@dataclass(frozen=True, slots=True)
class ServedName:
    """`strategy` is None where it is left to what the server can do."""

    model: str
    url: str
    strategy: Strategy | None = None
    examples: bool = False
    solutions: bool = False

    @classmethod
    def of(cls, name: str) -> ServedName:
        """Read what stands behind `server:`. Raises MomusError where it is no such name."""
        ends: set[str] = set()
        known = (EXAMPLES, SOLUTIONS, *(f"+{strategy}" for strategy in STRATEGIES))
        while found := next((end for end in known if name.endswith(end)), None):
            name = name.removesuffix(found)
            ends.add(found)
        chosen = [strategy for strategy in STRATEGIES if f"+{strategy}" in ends]
        if len(chosen) > 1:
            raise MomusError(f"{SERVER}{name} names {len(chosen)} strategies: name one of {', '.join(STRATEGIES)}")
        model, url = model_and_url(name, "server")
        return cls(model, url, chosen[0] if chosen else None, EXAMPLES in ends, SOLUTIONS in ends)

    def __str__(self) -> str:
        strategy = f"+{self.strategy}" if self.strategy is not None else ""
        return f"{SERVER}{self.model}@{self.url}{strategy}{EXAMPLES * self.examples}{SOLUTIONS * self.solutions}"
