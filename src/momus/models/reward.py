"""The bundle's reward model: scores critiques while they grow, reading only what it has not read before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from momus.models.protocol import Branch, Codec, Prompt
from momus.models.runtime import Floats, Runtime
from momus.models.session import TokenSession


class _NothingQuoted:
    """A reward model draws no tokens, so that nothing is quoted."""

    open = close = -1

    def quote_line(self, number: int, text: str) -> list[int]:
        return []


@dataclass(frozen=True, slots=True)
class BundledScorer:
    """A `momus.models.protocol.Scorer`: a decoder with a scalar head on the critique's last token.

    `head` [hidden] has no bias, as in Hugging Face's sequence classifiers; a score is (raw - mean) / std, where mean
    and std are those of the raw scores of samples of the policy that training started from.
    """

    runtime: Runtime
    codec: Codec
    head: Floats
    mean: float = 0.0
    std: float = 1.0

    def open(self, prompt: Prompt) -> TokenScores:
        """Read a prompt. Raises ValueError where the answer cannot be put, MomusError beyond the context."""
        return TokenScores(self, self.codec.ask(prompt))


class TokenScores:
    """A `momus.models.protocol.ScoreSession`. Branches are known by their tokens, whoever sampled them."""

    def __init__(self, scorer: BundledScorer, prompt: Sequence[int]) -> None:
        self._scorer = scorer
        self._session = TokenSession(scorer.runtime, _NothingQuoted(), prompt, scores=True)
        self._read: list[Branch] = []  # what has been scored, in this model's own session

    def score(self, branches: Sequence[Branch]) -> list[float]:
        """The normalised score of each critique so far. Raises ValueError where one is longer than the context."""
        if not branches:
            return []
        own = [self._continued(branch.tokens) for branch in branches]
        hidden = self._session.peek(own).hidden
        self._read += own
        raw = hidden.astype(np.float64) @ self._scorer.head.astype(np.float64)
        return [(float(value) - self._scorer.mean) / self._scorer.std for value in raw]

    def close(self) -> None:
        self._session.close()

    def _continued(self, tokens: Sequence[int]) -> Branch:
        """A branch of these tokens, forked where they part from what has been read."""
        shared, nearest = 0, None
        for branch in self._read:
            if (length := _shared(branch.tokens, tokens)) > shared:
                shared, nearest = length, branch
        (own,) = self._session.fork(None if nearest is None else [nearest], 1)
        self._session.crop(own, shared)
        self._session.extend([own], [tokens[shared:]])
        return own


def _shared(a: Sequence[int], b: Sequence[int]) -> int:
    """How many tokens two sequences have in common from the start."""
    for at, (x, y) in enumerate(zip(a, b, strict=False)):
        if x != y:
            return at
    return min(len(a), len(b))
