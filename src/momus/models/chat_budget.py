"""What a model on a server may cost and has cost: tokens and money, reserved before a request, settled after it."""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass, field

from momus.errors import MomusError

PER = 1_000_000  # tokens that a price is for
WIDEST = 2.0  # bytes of a token, at least, before the server has told how many it counts
MARGIN = 1.25  # on what it has told so far


class ChatError(MomusError):
    """One request that came to nothing: a timeout, a server error, an unreadable reply. Another one may do better."""


class OutOfBudget(ChatError):
    """There is not enough left of a budget for a request, which was not sent."""


@dataclass(frozen=True, slots=True)
class Prices:
    """Dollars for a million tokens that are read and that are written."""

    read: float
    written: float

    @classmethod
    def of(cls, text: str) -> Prices:
        """Read `0.15,0.60`. Raises MomusError on anything else."""
        parts = text.split(",")
        try:
            found = cls(*map(float, parts))
        except (ValueError, TypeError):
            found = cls(-1, -1)
        if not all(math.isfinite(price) and price >= 0 for price in (found.read, found.written)):
            raise MomusError(
                f"{text!r} are no prices: write dollars for a million tokens read and written, such as 0.15,0.60"
            )
        return found

    def cost(self, read: int, written: int) -> float:
        return (self.read * read + self.written * written) / PER


@dataclass(slots=True)
class Spent:
    """What was asked and used. `kept` replies were there from before; of `untold` the server did not say how many
    tokens they were, and they are counted by their length. `refused` requests were not sent for want of budget.

    `cost` is None where there are no prices and no server that told a cost.
    """

    requests: int = 0
    read: int = 0
    written: int = 0
    cost: float | None = None
    kept: int = 0
    untold: int = 0
    refused: int = 0

    def __str__(self) -> str:
        count = "1 request" if self.requests == 1 else f"{self.requests:,} requests"
        said = f"{count}, {self.read:,} tokens read and {self.written:,} written"
        said += f", ${self.cost:.4f}" if self.cost is not None else ""
        said += f" ({self.untold:,} of them by estimate)" if self.untold else ""
        said += f"; {self.kept:,} {'reply' if self.kept == 1 else 'replies'} kept from before" if self.kept else ""
        return said + (f"; {self.refused:,} not sent, as the budget is used up" if self.refused else "")


@dataclass(frozen=True, slots=True)
class Usage:
    """What a reply says that it took: tokens read and written, and dollars; None where it does not say."""

    read: int | None = None
    written: int | None = None
    cost: float | None = None


@dataclass(slots=True)
class Budget:
    """So many tokens, and so many dollars, at most; None for no limit.

    A request is sent only where the most that it can take is left: its prompt by the server's own count so far, and all
    the tokens that it may write. It goes beyond only where a server writes more than it was allowed. Belongs to one
    event loop. Raises MomusError on a budget that lets nothing be asked, and on one of money without prices.
    """

    max_tokens: int | None = None
    max_cost: float | None = None
    prices: Prices | None = None
    spent: Spent = field(default_factory=Spent)
    _reserved: int = 0
    _reserved_cost: float = 0.0
    _waiting: asyncio.Event = field(default_factory=asyncio.Event)
    _flying: int = 0
    _per_byte: float = 1 / WIDEST  # tokens
    _dearer: float = 1.0  # by how much a server has charged more than the prices say

    def __post_init__(self) -> None:
        if self.max_tokens is not None and self.max_tokens <= 0:
            raise MomusError(
                f"a budget of {self.max_tokens} tokens lets nothing be asked: give more, or leave budget-tokens out"
            )
        if self.max_cost is not None and not self.max_cost > 0:
            raise MomusError(
                f"a budget of ${self.max_cost:g} lets nothing be asked: give more, or leave budget-dollars out"
            )
        if self.max_cost is not None and self.prices is None:
            raise MomusError(
                "a budget of money needs prices: set prices to dollars for a million tokens read and written, such as "
                "0.15,0.60"
            )
        if self.prices is not None:
            self.spent.cost = 0.0

    async def reserve(self, size: int, write: int) -> tuple[int, int, float]:
        """Set aside what a request of so many bytes takes that may write so many tokens: these, and dollars.

        Waits for requests under way, as these may take less than was set aside. Raises OutOfBudget.
        """
        while True:
            read = math.ceil(size * self._per_byte)
            if (why := self._lacks(read, write)) is None:
                cost = self._cost(read, write)
                self._reserved += read + write
                self._reserved_cost += cost
                self._flying += 1
                return read, write, cost
            if not self._flying:
                self.spent.refused += 1
                raise OutOfBudget(why)
            self._waiting.clear()
            await self._waiting.wait()

    def settle(self, asked: tuple[int, int, float], usage: Usage | None, size: int) -> None:
        """Give back what was set aside, and count what a reply says that it took; `usage` None: nothing was done."""
        self._reserved -= asked[0] + asked[1]
        self._reserved_cost -= asked[2]
        self._flying -= 1
        self._waiting.set()
        if usage is None:
            return
        read, written = usage.read or asked[0], asked[1] if usage.written is None else usage.written
        self.spent.untold += not usage.read or usage.written is None
        if usage.read and size:
            told = MARGIN * usage.read / size
            first = self.spent.requests == 0 or self._per_byte == 1 / WIDEST
            self._per_byte = told if first else max(self._per_byte, told)
        self.spent.requests += 1
        self.spent.read += read
        self.spent.written += written
        if usage.cost is not None or self.prices is not None:
            cost = self._cost(read, written) if usage.cost is None else usage.cost
            if self.prices is not None and (priced := self.prices.cost(read, written)) > 0:
                self._dearer = max(self._dearer, cost / priced)
            self.spent.cost = (self.spent.cost or 0.0) + cost

    def _cost(self, read: int, written: int) -> float:
        return self.prices.cost(read, written) * self._dearer if self.prices is not None else 0.0

    def _lacks(self, read: int, written: int) -> str | None:
        used = self.spent.read + self.spent.written
        if self.max_tokens is not None and used + self._reserved + read + written > self.max_tokens:
            return f"the budget of {self.max_tokens:,} tokens is used up: {used:,} were used, and this needs more"
        cost = self.spent.cost or 0.0
        if self.max_cost is not None and cost + self._reserved_cost + self._cost(read, written) > self.max_cost:
            return f"the budget of ${self.max_cost:g} is used up: ${cost:.4f} was spent, and this needs more"
        return None
