"""What a person who works may see: nothing that tells who made what.

A slot's name goes by the project's secret, the assignment and the person, so that it leads nowhere, differs between
people, and stays the same for one person when a lease is lost and found again. Positions and names of critiques,
models and people never leave the server on these paths; texts are freed of names that models give themselves.
"""

from __future__ import annotations

import hashlib
import hmac
import random
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from pydantic import BaseModel, ConfigDict

from momus.critique import Critique, Severity

# Families of models that are apt to name themselves ("As GPT-4, I think ..."). An open list; projects add their own.
NAMES = (
    "chatgpt", "criticgpt", "gpt", "openai", "claude", "anthropic", "gemini", "deepmind", "llama", "mistral", "mixtral",
    "qwen", "deepseek", "codex", "copilot", "grok", "momus", "kimi", "phi-3", "phi-4", "starcoder",
)  # fmt: skip
HIDDEN = "[name]"


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

    def comments(self, critique: Critique) -> list[ShownComment]:
        return [
            ShownComment(
                highlight=Place(start=c.highlight.start, end=c.highlight.end),
                text=self.scrub(c.text),
                category=c.category,
                severity=c.severity,
                suggestion=c.suggestion,
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


def scrub(text: str, names: Sequence[str] = ()) -> str:
    """A text without the names of critics and model families. Code in backticks is left as it is: it may be quoted."""
    return "".join(
        part if i % 2 else _pattern(tuple(names)).sub(HIDDEN, part) for i, part in enumerate(_CODE.split(text))
    )


def names_in(critics: Iterable[str]) -> set[str]:
    """The names to take out of texts, of the strings that name critics: of models and tools, not of plain words."""
    found: set[str] = set()
    for critic in critics:
        kind, _, rest = critic.partition(":")
        model = rest.partition("@")[0] if rest else kind
        found |= {part for part in (model, model.rpartition("/")[2]) if rest or re.search(r"[\d/-]", part)}
    return {name for name in found if name}


_CODE = re.compile(r"(```.*?```|`[^`\n]*`)", re.DOTALL)


@lru_cache(maxsize=64)
def _pattern(names: tuple[str, ...]) -> re.Pattern[str]:
    known = sorted({*NAMES, *(name.lower() for name in names if len(name) > 2)}, key=len, reverse=True)
    words = "|".join(re.escape(name) for name in known)
    # A family's name with what is tied to it: gpt-4o, llama3.1, claude-3-opus.
    return re.compile(rf"(?<![\w-])(?:{words})(?:[-.\w]*\d\w*)?(?:-\w+)*(?!\w)", re.IGNORECASE)
