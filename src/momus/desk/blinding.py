"""What a person who works may see: nothing that tells who made what.

A slot's name goes by the project's secret, the assignment and the person, so that it leads nowhere, differs between
people, and stays the same for one person when a lease is lost and found again. Positions and names of critiques,
models and people never leave the server on these paths; texts are freed of names that models give themselves.
"""

from __future__ import annotations

import hashlib
import hmac
import random
from collections.abc import Iterable
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from momus.critique import Critique, Severity
from momus.desk.names import cover, is_code, scrub


class Blind(BaseModel):
    """What all views share: no field but those named here goes out."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Place(Blind):
    """A half-open range of code points."""

    start: int
    end: int


class ShownComment(Blind):
    """A comment as everybody's look: no confidence, no witness."""

    highlight: Place
    text: str
    category: str
    severity: Severity
    suggestion: str | None


@dataclass(frozen=True, slots=True)
class Eye:
    """How one person sees the parts of one assignment: `slots[i]` names part i, `order` is how they are laid out."""

    slots: tuple[str, ...]
    order: tuple[int, ...]
    names: tuple[str, ...] = ()
    arm: str = ""

    def index(self, slot: str) -> int | None:
        """Which part a slot is; None for a name that is none of them."""
        return self.slots.index(slot) if slot in self.slots else None

    def scrub(self, text: str) -> str:
        return scrub(text, self.names)

    def code(self, text: str, language: str = "python") -> str:
        """Code, or an answer in words with code in it: names are covered, so that every place stays where it is."""
        return cover(text, self.names, code=is_code(text, language))

    def asked(self, question: str) -> str:
        """A question: what it says of whoever answers it is covered, and all that it asks for stays."""
        return cover(question, self.names, code=True)

    def comments(self, critique: Critique) -> list[ShownComment]:
        return [
            ShownComment(
                highlight=Place(start=c.highlight.start, end=c.highlight.end),
                text=self.scrub(c.text),
                category=c.category,
                severity=c.severity,
                suggestion=None if c.suggestion is None else self.code(c.suggestion),
            )
            for c in critique
        ]


def eye_of(
    secret: str, assignment_id: int, user_id: int, parts: int, *, names: Iterable[str] = (), arm: str = ""
) -> Eye:
    """Raises nothing; the same arguments give the same eye."""
    base = f"{assignment_id}/{user_id}"

    def digest(what: str) -> str:
        return hmac.new(secret.encode(), f"{base}/{what}".encode(), hashlib.sha256).hexdigest()

    slots = tuple(f"s{digest(f'slot/{i}')[:16]}" for i in range(parts))
    order = list(range(parts))
    random.Random(digest("order")).shuffle(order)
    return Eye(slots, tuple(order), tuple(sorted(set(names))), arm)
