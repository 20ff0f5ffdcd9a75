"""What a language model does for us: continue a critique, and score one. A prompt is prefilled once, then branched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from momus.critique import Comment, Critique, TextMap
    from momus.models.quote import QuoteSpace


@dataclass(frozen=True, slots=True)
class Prompt:
    """A request for a critique: the question and the answer (or the window of it) under review."""

    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class Caps:
    """What a backend can do, found by trying, never by believing."""

    n: bool
    token_prompts: bool
    continuation: bool
    logprobs: bool
    constraint: Literal["mask", "ebnf", "regex", "gbnf", "none"]
    samples: bool


@dataclass(frozen=True, slots=True)
class Written:
    """What a critique's tokens say: the critique, and how many of its highlights are no exact quotes of the answer."""

    critique: Critique
    unanchored: int


class Codec(Protocol):
    """How prompts and critiques stand in one model's tokens. `pad` and `end` are never the same token."""

    pad: int
    end: int  # closes a critique
    opener: tuple[int, ...]  # opens a highlight

    def ask(self, prompt: Prompt) -> list[int]:
        """The tokens of a request, up to where its critique begins. ValueError where the answer cannot be put."""
        ...

    def write(self, comments: Sequence[Comment], answer: TextMap) -> list[int]:
        """A critique as the model would write it, `end` included. Raises ValueError on a highlight of blanks."""
        ...

    def read(self, tokens: Sequence[int], answer: TextMap) -> Written:
        """What a model wrote, `end` or not. Never raises on tokens of the vocabulary."""
        ...

    def forced(self, tokens: Sequence[int], answer: TextMap) -> list[int]:
        """What must come next, being no choice: the rest of a quote whose line is named. Mostly nothing."""
        ...

    def settled(self, tokens: Sequence[int]) -> int:
        """How many tokens stay without `end` and without a last paragraph that has no highlight (paper, 7.1)."""
        ...


@dataclass(slots=True, eq=False)
class Branch:
    """One continuation of a prompt. The session owns its cache; `tokens` is what stands after the prompt.

    `logprobs` and `free` run beside `tokens`: the log-probability of each at the temperature it was drawn with (0.0 for
    forced ones) and whether it was a free choice of the model (not forced, and more than one token was allowed).
    """

    tokens: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)
    free: list[bool] = field(default_factory=list)
    slot: int = -1  # the session's own handle

    @property
    def mean_logprob(self) -> float:
        """Mean log-probability over the free choices; 0.0 where there was none."""
        chosen = [p for p, free in zip(self.logprobs, self.free, strict=True) if free]
        return sum(chosen) / len(chosen) if chosen else 0.0


@dataclass(frozen=True, slots=True)
class Drawn:
    """What one call of `sample` added to a branch."""

    branch: Branch
    tokens: tuple[int, ...]
    finish: Literal["stop", "length"]


class Session(Protocol):
    """One prompt, prefilled; branches share its cache and own only their suffix."""

    def fork(self, parents: Sequence[Branch] | None, n: int) -> list[Branch]:
        """`n` children of each parent, in parent-major order; of the bare prompt where parents is None."""
        ...

    def crop(self, branch: Branch, n_tokens: int) -> None:
        """Keep the first `n_tokens` of a branch's suffix."""
        ...

    def extend(self, branches: Sequence[Branch], forced: Sequence[Sequence[int]]) -> None:
        """Append forced tokens to each branch, in one pass."""
        ...

    def sample(
        self,
        branches: Sequence[Branch],
        *,
        max_tokens: int,
        temperature: float,
        stop: frozenset[int],
        quote: QuoteSpace | None,
        seed: int,
    ) -> list[Drawn]:
        """Continue every branch until a stop token (kept as its last) or `max_tokens`.

        With `quote`, whatever follows a highlight opener is confined to exact quotes of the answer; a model that has
        none holds code between backticks to them. The same seed gives a branch the same tokens whatever else is in the
        batch. A local model in its fast mode promises less: the same calls give the same tokens on the same machine,
        as it computes in 16 bits, in batches of one fixed form.
        """
        ...

    def close(self) -> None: ...


class Backend(Protocol):
    caps: Caps

    def open(self, prompt: Prompt) -> Session: ...


class ScoreSession(Protocol):
    def score(self, branches: Sequence[Branch]) -> list[float]:
        """A reward for each branch's critique so far; only tokens not seen before are computed."""
        ...

    def close(self) -> None: ...


class Scorer(Protocol):
    """A reward model."""

    def open(self, prompt: Prompt) -> ScoreSession: ...
