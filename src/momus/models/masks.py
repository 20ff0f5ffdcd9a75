"""Which tokens may come next inside a highlight, so that it can only be an exact quote of the answer.

A masker is a small automaton over token ids. Its states are integers; `DONE` is the one after the closer, and after
what is written behind it without a choice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from momus.critique import Span

State = int
DONE: State = -1
Ids = npt.NDArray[np.int64]
_NOTHING: Mapping[Span, Sequence[int]] = MappingProxyType({})


class Vocabulary(Protocol):
    """What masks must know of a tokenizer: opener and closer of a highlight, each one token, and a line's tokens.

    `open` is -1 where it has no such token.
    """

    @property
    def open(self) -> int: ...

    @property
    def close(self) -> int: ...

    def quote_line(self, number: int, text: str) -> list[int]:
        """What stands between opener and closer to quote line `number` (1-based), whose stripped text is `text`."""
        ...


@runtime_checkable
class SpellingVocabulary(Vocabulary, Protocol):
    """What quotes of any substring need besides: the tokens of a text, and back."""

    def encode(self, text: str) -> list[int]: ...

    def decode(self, ids: list[int]) -> str: ...


@runtime_checkable
class PieceVocabulary(Vocabulary, Protocol):
    """What holding code in the words to excerpts needs besides."""

    def piece(self, token: int) -> str | None:
        """What a token spells in a text; None for a special one."""
        ...

    @property
    def spelling(self) -> Mapping[str, Sequence[int]]:
        """The tokens that spell each piece."""
        ...


class Masker(Protocol):
    """An automaton over the tokens between opener and closer, the closer included."""

    def start(self) -> State: ...

    def allowed(self, state: State) -> Ids:
        """Token ids that may come next, ascending; empty once the quote is closed."""
        ...

    def advance(self, state: State, token: int) -> State:
        """The state after a token. Raises ValueError if it is not allowed."""
        ...

    def forced_run(self, state: State) -> list[int]:
        """The tokens that follow without any choice, the closer included if it is reached."""
        ...

    def locate(self, tokens: Sequence[int]) -> Span | None:
        """The span of the answer that a whole quote (opener and closer left out) stands for; the first of equals."""
        ...


class _Automaton:
    """What both maskers share: transitions as one dictionary a state, filled at once or when first asked for."""

    def __init__(self, close: int) -> None:
        self._close = close
        self._next: list[dict[int, State]] = []
        self._allowed: dict[State, Ids] = {DONE: np.empty(0, dtype=np.int64)}

    def _transitions(self, state: State) -> dict[int, State]:
        return self._next[state]

    def start(self) -> State:
        return 0

    def allowed(self, state: State) -> Ids:
        if state not in self._allowed:
            self._allowed[state] = np.array(sorted(self._transitions(state)), dtype=np.int64)
        return self._allowed[state]

    def advance(self, state: State, token: int) -> State:
        following = None if state == DONE else self._transitions(state).get(token)
        if following is None:
            raise ValueError(f"token {token} does not continue a quote of the answer")
        return following

    def forced_run(self, state: State) -> list[int]:
        run: list[int] = []
        while state != DONE and len(options := self._transitions(state)) == 1:
            token, state = next(iter(options.items()))
            run.append(token)
        return run

    def _walk(self, tokens: Iterable[int]) -> State | None:
        state = self.start()
        for token in tokens:
            if state == DONE or token not in self._transitions(state):
                return None
            state = self._transitions(state)[token]
        return state


class LineMasker(_Automaton):
    """Whole lines, as a trie of their tokens."""

    def __init__(
        self, quotes: Iterable[tuple[Span, Sequence[int]]], close: int, behind: Mapping[Span, Sequence[int]] = _NOTHING
    ) -> None:
        """`quotes`: span of each line that may be quoted, and its tokens between opener and closer; `behind`: what is
        written straight behind the closer of some of them, without a choice."""
        super().__init__(close)
        self._quotes = list(quotes)
        self._behind = behind
        self._next.append({})
        self._spans: dict[State, Span] = {}
        for span, tokens in self._quotes:
            quoted = self._path(0, tokens)
            if self._close in self._next[quoted]:  # an equal line, which stands for this one too
                continue
            self._spans[quoted] = span
            *most, last = self._close, *behind.get(span, ())
            written = self._path(quoted, most)
            self._spans[written] = span
            self._next[written][last] = DONE

    def _path(self, state: State, tokens: Iterable[int]) -> State:
        """The state behind some tokens, made where it is not there yet."""
        for token in tokens:
            following = self._next[state].get(token)
            if following is None:
                following = self._next[state][token] = len(self._next)
                self._next.append({})
            state = following
        return state

    def without(self, made: frozenset[Span]) -> LineMasker:
        """The automaton of the other lines."""
        others = ((span, tokens) for span, tokens in self._quotes if span not in made)
        return LineMasker(others, self._close, self._behind)

    def locate(self, tokens: Sequence[int]) -> Span | None:
        state = self._walk(tokens)
        return None if state is None else self._spans.get(state)


class SubstringMasker(_Automaton):
    """Any run of the answer's own tokens that begins and ends between code points.

    A state is the set of places in the answer's tokens that the quote so far may have reached; states are numbered as
    they are met. `min_chars` counts characters that are not blank.
    """

    def __init__(self, answer: str, vocabulary: Vocabulary, min_chars: int) -> None:
        if not isinstance(vocabulary, SpellingVocabulary):
            raise TypeError("substring quotes need a vocabulary that can encode and decode")
        super().__init__(vocabulary.close)
        self._min = min_chars
        self._tokens = vocabulary.encode(answer)
        self._offset = _offsets(answer, self._tokens, vocabulary)
        # non-blank characters before each place; a place inside a code point counts what is whole
        blank_free, filled, at = [], 0, 0
        for offset in self._offset:
            if offset is not None:
                filled += sum(not c.isspace() for c in answer[at:offset])
                at = offset
            blank_free.append(filled)
        self._filled = blank_free
        starts = tuple(
            place
            for place in range(len(self._tokens))
            if self._offset[place] is not None and blank_free[-1] - blank_free[place] >= min_chars
        )
        self._keys: list[tuple[tuple[int, ...], int]] = []  # places reached, tokens read
        self._numbers: dict[tuple[tuple[int, ...], int], State] = {}
        self._known: list[dict[int, State] | None] = []
        self._number(starts, 0)

    def _number(self, places: tuple[int, ...], read: int) -> State:
        key = (places, read)
        if key not in self._numbers:
            self._numbers[key] = len(self._keys)
            self._keys.append(key)
            self._known.append(None)
        return self._numbers[key]

    def _transitions(self, state: State) -> dict[int, State]:
        known = self._known[state]
        if known is not None:
            return known
        places, read = self._keys[state]
        following: dict[int, list[int]] = {}
        for place in places:
            if place < len(self._tokens):
                following.setdefault(self._tokens[place], []).append(place + 1)
        options = {token: self._number(tuple(reached), read + 1) for token, reached in following.items()}
        if read and places:
            end = places[0]  # all places have the same text behind them, so one stands for all
            if self._offset[end] is not None and self._filled[end] - self._filled[end - read] >= self._min:
                options[self._close] = DONE
        self._known[state] = options
        return options

    def locate(self, tokens: Sequence[int]) -> Span | None:
        state = self._walk(tokens)
        if state is None or state == DONE or self._close not in self._transitions(state):
            return None
        places, read = self._keys[state]
        start, end = self._offset[places[0] - read], self._offset[places[0]]
        return None if start is None or end is None else Span(start, end)


def _offsets(text: str, tokens: Sequence[int], vocabulary: SpellingVocabulary) -> list[int | None]:
    """The offset in `text` before each token and after the last; None inside a code point.

    Raises ValueError if the tokens do not spell the text.
    """
    offsets: list[int | None] = [0]
    at = 0
    held: list[int] = []
    for token in tokens:
        held.append(token)
        piece = vocabulary.decode(held)
        if piece and text.startswith(piece, at):
            at += len(piece)
            held = []
            offsets.append(at)
        else:
            offsets.append(None)
    if at != len(text):
        raise ValueError("the vocabulary does not spell the answer back")
    return offsets
