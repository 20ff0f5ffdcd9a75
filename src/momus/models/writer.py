"""One branch as it is written: tokens drawn under the masks of quotes and excerpts, until something ends it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

from momus.critique import Span
from momus.models.excerpts import TICK, Excerpts
from momus.models.masks import DONE, Masker, PieceVocabulary, State, Vocabulary
from momus.models.protocol import Branch
from momus.models.quote import QuoteSpace
from momus.models.runtime import Floats
from momus.models.sampling import Stream, draw

_REDRAWS = 8  # tokens that are passed over one by one, before all are looked through for one that fits


@dataclass(slots=True)
class Writer:
    """Appends tokens to one branch, under the mask inside highlights, until something ends it.

    Where the vocabulary has no opener, `quote` holds code between backticks to its excerpts, or where it has none, to
    the answer. `said` tells of the new tokens whether they complete a text that ends the branch.
    """

    branch: Branch
    stream: Stream
    quote: QuoteSpace | None
    vocabulary: Vocabulary
    temperature: float
    max_tokens: int
    room: int
    stop: frozenset[int]
    top_p: float = 1.0
    said: Callable[[Sequence[int]], bool] | None = None
    begun: int = field(init=False)
    finish: Literal["stop", "length"] | None = None
    masker: Masker | None = None
    _state: State = DONE
    _quoted: list[int] = field(default_factory=list)  # the tokens of the highlight that is open
    _made: frozenset[Span] = frozenset()
    _excerpts: Excerpts | None = None  # none either where the vocabulary cannot spell
    _code: str | None = None  # what stands since the backtick that is open in the words

    def __post_init__(self) -> None:
        self.begun = len(self.branch.tokens)
        if self.quote is not None:
            opens = self.vocabulary.open >= 0
            self.masker = self.quote.masker(self.vocabulary) if opens else None
            if isinstance(self.vocabulary, PieceVocabulary):
                self._excerpts = self.quote.excerpts or (None if opens else Excerpts([self.quote.answer]))
        for token in self.branch.tokens:
            self._follow(token)
        self._end()

    def write(self, logits: Floats) -> None:
        """Draw the next token, then write those that leave no choice."""
        uniform = self.stream.uniform(len(self.branch.tokens))
        if self.masker is not None and self._state != DONE:
            allowed = self.masker.allowed(self._state)
            index, logprob = self._draw(logits[allowed], uniform)
            self._append(int(allowed[index]), logprob, len(allowed) > 1)
        else:
            if self.masker is not None and len(self.masker.allowed(self.masker.start())) == 0:
                logits = logits.copy()
                logits[self.vocabulary.open] = -np.inf  # nothing can be quoted
            token, logprob = self._draw(logits, uniform)
            if self._excerpts is not None:
                token, logprob = self._excerpted(token, logprob, logits, uniform)
            self._append(token, logprob, True)
        self.write_forced()

    def _draw(self, logits: Floats, uniform: float) -> tuple[int, float]:
        return draw(logits, self.temperature, uniform, self.top_p)

    def _excerpted(self, token: int, logprob: float, logits: Floats, uniform: float) -> tuple[int, float]:
        """What was drawn, or where code in the words would be no excerpt, a draw of the tokens that make one."""
        left = logits
        for _ in range(_REDRAWS):
            if self._read_on(token)[1]:
                return token, logprob
            if left is logits:
                left = logits.copy()
            left[token] = -np.inf
            token, logprob = self._draw(left, uniform)
        fitting = self._fitting(len(logits))
        if not len(fitting):
            return self._draw(logits, uniform)
        index, logprob = self._draw(logits[fitting], uniform)
        return int(fitting[index]), logprob

    def _fitting(self, size: int) -> npt.NDArray[np.int64]:
        """The tokens that keep all code an excerpt, ascending."""
        assert isinstance(self.vocabulary, PieceVocabulary) and self._excerpts is not None
        spelling = self.vocabulary.spelling
        ticked = [token for piece, tokens in spelling.items() if TICK in piece for token in tokens]
        fits = np.full(size, self._code is None)
        fits[ticked] = [self._read_on(token)[1] for token in ticked]
        if self._code is not None:
            longest = max(map(len, spelling))
            for piece in self._excerpts.continuations(self._code, longest):
                fits[spelling.get(piece, [])] = True
        return np.flatnonzero(fits)

    def _read_on(self, token: int) -> tuple[str | None, bool]:
        """The open code after a token, and whether it is an excerpt so far. A special token closes all words."""
        assert isinstance(self.vocabulary, PieceVocabulary) and self._excerpts is not None
        piece = self.vocabulary.piece(token)
        if piece is None:
            return None, self._code is None
        return self._excerpts.follow(self._code, piece)

    def write_forced(self) -> None:
        if self.masker is None or self._state == DONE:
            return
        for token in self.masker.forced_run(self._state):
            if self.finish is not None:
                return
            self._append(token, 0.0, False)

    def _append(self, token: int, logprob: float, free: bool) -> None:
        self.branch.tokens.append(token)
        self.branch.logprobs.append(logprob)
        self.branch.free.append(free)
        self._follow(token)
        if token in self.stop or (self.said is not None and self.said(self.branch.tokens[self.begun :])):
            self.finish = "stop"
        else:
            self._end()

    def _end(self) -> None:
        if len(self.branch.tokens) >= min(self.begun + self.max_tokens, self.room):
            self.finish = "length"

    def _follow(self, token: int) -> None:
        """Keep the mask's state. A quote written by others that is none of the answer's is not judged here."""
        if self._excerpts is not None:
            # what is quoted has its own mask, and its backticks are the answer's
            self._code = self._read_on(token)[0] if self._state == DONE else None
        if self.masker is None:
            return
        if self._state != DONE:
            try:
                self._state = self.masker.advance(self._state, token)
            except ValueError:
                self._state = DONE
                return
            if self._state == DONE:
                self._close()
            else:
                self._quoted.append(token)
        elif token == self.vocabulary.open:
            self._state = self.masker.start()
            self._quoted = []

    def _close(self) -> None:
        """A highlight has been made; where each line is quoted once, it is not made again."""
        if self.quote is None or not self.quote.once or self.masker is None:
            return
        span = self.masker.locate(self._quoted)
        if span is not None:
            self._made |= {span}
            self.masker = self.quote.masker(self.vocabulary, self._made)
