"""One prompt of a local model, read once, and its branches: fork, crop, extend, sample.

Rows of the state are a cache: a branch is continued from whichever row has most of it. Sampling runs on rows of one
fixed number, whatever is sampled, so that a branch's row is computed alike in any company.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from momus.models.masks import Vocabulary
from momus.models.openvino_engine import Engine, Floats
from momus.models.protocol import Branch, Drawn
from momus.models.quote import QuoteSpace
from momus.models.sampling import Stream
from momus.models.writer import Writer

ROWS = 8  # rows of a batch of samples
_STALE = 1024  # columns of the state that no row has in sight, before it is begun anew


@dataclass(slots=True)
class _State:
    branch: Branch
    lineage: tuple[int, ...]
    children: int = 0


class LocalSession:
    """A `momus.models.protocol.Session` over token ids of a local model."""

    def __init__(
        self,
        engine: Engine,
        prompt: Sequence[int],
        *,
        context: int,
        vocabulary: Vocabulary,
        decode: Callable[[Sequence[int]], str],
    ) -> None:
        if not prompt or not all(0 <= token < engine.vocabulary for token in prompt):
            raise ValueError(f"a prompt is one or more token ids below {engine.vocabulary}")
        self.room = context - len(prompt)
        self._vocabulary = vocabulary
        self._decode = decode
        self._engine = engine
        self._prompt = list(prompt)
        self._rows = engine.rows()
        self._held: list[list[int]] = [[]]  # what each row has behind the prompt
        states = self._rows.extend([self._prompt])[0]
        self._first: Floats = engine.logprobs(states[-1:])[0].copy()
        self._states: dict[int, _State] = {}
        self._origin = _State(Branch(), (zlib.crc32(np.asarray(prompt, dtype="<i8").tobytes()),))
        self._closed = False

    def fork(self, parents: Sequence[Branch] | None, n: int) -> list[Branch]:
        """`n` children of each parent, parent-major; of the bare prompt where `parents` is None."""
        self._check_open()
        states = [self._origin] if parents is None else [self._state(parent) for parent in parents]
        return [self._child(state) for state in states for _ in range(n)]

    def _child(self, parent: _State) -> Branch:
        of = parent.branch
        branch = Branch(list(of.tokens), list(of.logprobs), list(of.free), slot=len(self._states))
        self._states[branch.slot] = _State(branch, (*parent.lineage, parent.children))
        parent.children += 1
        return branch

    def crop(self, branch: Branch, n_tokens: int) -> None:
        """Keep the first `n_tokens` of a branch's suffix. Raises ValueError if it has fewer."""
        self._state(branch)
        if not 0 <= n_tokens <= len(branch.tokens):
            raise ValueError(f"a branch of {len(branch.tokens)} tokens cannot be cropped to {n_tokens}")
        for part in (branch.tokens, branch.logprobs, branch.free):
            del part[n_tokens:]

    def extend(self, branches: Sequence[Branch], forced: Sequence[Sequence[int]]) -> None:
        """Append forced tokens; they are read in the one pass that next needs them. ValueError beyond the context."""
        for branch, tokens in zip(branches, forced, strict=True):
            self._state(branch)
            if len(branch.tokens) + len(tokens) > self.room:
                raise ValueError(f"a branch has room for {self.room} tokens")
            branch.tokens.extend(tokens)
            branch.logprobs.extend([0.0] * len(tokens))
            branch.free.extend([False] * len(tokens))

    def sample(
        self,
        branches: Sequence[Branch],
        *,
        max_tokens: int,
        temperature: float,
        stop: frozenset[int],
        quote: QuoteSpace | None = None,
        seed: int,
        top_p: float = 1.0,
        stop_text: Sequence[str] = (),
    ) -> list[Drawn]:
        """Continue every branch until a stop token (kept as its last), a text of `stop_text`, `max_tokens` or the end
        of the context.

        With `quote`, code between backticks is confined to its excerpts, or where it has none to the answer itself:
        these models have no token that opens a highlight. Each token is drawn from the fewest likeliest that hold
        `top_p` of the probability. A draw depends on seed, prompt, lineage and place alone.
        """
        if temperature < 0 or not 0 < top_p <= 1:
            raise ValueError(f"temperature is 0 or more and top_p in (0, 1], not {temperature} and {top_p}")
        states = [self._state(branch) for branch in branches]
        if len({state.branch.slot for state in states}) < len(states):
            raise ValueError("a branch is named twice")
        said = _Said(tuple(stop_text), self._decode) if stop_text else None
        writers = [
            Writer(
                branch=state.branch,
                stream=Stream(seed, state.lineage),
                quote=quote,
                vocabulary=self._vocabulary,
                temperature=temperature,
                top_p=top_p,
                max_tokens=max_tokens,
                room=self.room,
                stop=stop,
                said=said,
            )
            for state in states
        ]
        size = self._engine.alone if len(writers) == 1 else ROWS
        for first in range(0, len(writers), size):
            self._sample(writers[first : first + size], size)
        return [Drawn(w.branch, tuple(w.branch.tokens[w.begun :]), w.finish or "length") for w in writers]

    def _sample(self, writers: Sequence[Writer], size: int) -> None:
        """Sample one batch, filled up to `size` rows by copies of its first."""
        padded = [*writers, *([writers[0]] * (size - len(writers)))]
        tokens = [writer.branch.tokens for writer in padded]
        logprobs = self._read(tokens) if any(tokens) else np.repeat(self._first[None], size, axis=0)
        while True:
            for row, writer in enumerate(writers):
                if writer.finish is None:
                    writer.write(logprobs[row])
            if all(writer.finish for writer in writers):
                return
            logprobs = self._read([writer.branch.tokens for writer in padded])

    def _nearest(self, wanted: Sequence[Sequence[int]]) -> tuple[list[int], list[int]]:
        """For each wanted suffix the row that has most of it, and how much."""
        parents, common = [], []
        for tokens in wanted:
            shared = [_common(held, tokens) for held in self._held]
            best = max(range(len(shared)), key=shared.__getitem__)
            parents.append(best)
            common.append(shared[best])
        return parents, common

    def _read(self, wanted: Sequence[Sequence[int]]) -> Floats:
        """Make the rows these suffixes; log-probabilities [n, vocabulary] of what follows each. A view."""
        parents, common = self._nearest(wanted)
        stale = self._rows.columns - max(self._rows.lengths)
        if stale > _STALE or (not any(common) and self._rows.columns > len(self._prompt)):
            self._rows.reset()  # as fresh as it was for the first batch
            self._rows.extend([self._prompt])
            parents = common = [0] * len(wanted)
        # the state after a token comes from reading it: what is read whole is read again from its last token on
        common = [min(n, len(tokens) - 1) if tokens else 0 for n, tokens in zip(common, wanted, strict=True)]
        self._rows.select(parents)
        for row, n in enumerate(common):
            self._rows.crop(row, len(self._prompt) + n)
        states = self._rows.extend([tokens[n:] for tokens, n in zip(wanted, common, strict=True)])
        self._held = [list(tokens) for tokens in wanted]
        bare = [row for row, tokens in enumerate(wanted) if not tokens]
        last = np.stack([part[-1] if len(part) else states[-1][-1] for part in states])
        logprobs = self._engine.logprobs(last)
        if bare:
            logprobs = logprobs.copy()
            logprobs[bare] = self._first
        return logprobs

    def close(self) -> None:
        """Let the state go. The session is of no use afterwards."""
        self._closed = True
        self._states.clear()
        self._rows.close()

    def _state(self, branch: Branch) -> _State:
        self._check_open()
        state = self._states.get(branch.slot)
        if state is None or state.branch is not branch:
            raise ValueError("a branch belongs to the session that forked it")
        return state

    def _check_open(self) -> None:
        if self._closed:
            raise ValueError("the session is closed")


@dataclass(frozen=True, slots=True)
class _Said:
    """Whether the last of some tokens completes one of `texts`."""

    texts: tuple[str, ...]
    decode: Callable[[Sequence[int]], str]

    def __call__(self, tokens: Sequence[int]) -> bool:
        longest = max(len(text.encode()) for text in self.texts)
        tail = self.decode(tokens[-longest - 4 :])  # a token is a byte at least, and a code point four at most
        return any(text in tail for text in self.texts)


def _common(held: Sequence[int], tokens: Sequence[int]) -> int:
    """How many first tokens two runs share."""
    n = min(len(held), len(tokens))
    if held[:n] == tokens[:n]:
        return n
    return next(i for i in range(n) if held[i] != tokens[i])
