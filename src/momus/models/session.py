"""One prompt, read once, and its branches: fork, crop, extend, sample. The same for every runtime.

A branch's tokens are the same whatever else is sampled beside it: draws come from the seed, the prompt and the
branch's lineage, and the ONNX runtime computes a row to the same bits in any company. The prompt is in it so that
answers have luck of their own: with one number for all, every first draft is silent, or none is.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from momus.errors import MomusError
from momus.models.live import Live
from momus.models.masks import Vocabulary
from momus.models.protocol import Branch, Caps, Drawn
from momus.models.quote import QuoteSpace
from momus.models.runtime import Cache, Floats, Pass, Runtime
from momus.models.sampling import Stream
from momus.models.writer import Writer

_CHUNK = 128  # prompt tokens read at a time
_SHARED = 4  # the shared part of a prompt is a multiple of this (see onnx_backend); each branch copies the rest


@dataclass(frozen=True, slots=True)
class Peek:
    """What the model makes of branches so far: logits [n, vocab] of the next token, hidden [n, hidden] of the last."""

    logits: Floats
    hidden: Floats


class TokenBackend:
    """Opens sessions on prompts of token ids."""

    caps = Caps(n=True, token_prompts=True, continuation=True, logprobs=True, constraint="mask", samples=True)

    def __init__(self, runtime: Runtime, vocabulary: Vocabulary) -> None:
        self.runtime = runtime
        self.vocabulary = vocabulary

    def open_tokens(self, prompt: Sequence[int]) -> TokenSession:
        """Read a prompt. Raises MomusError where it leaves no room in the context, ValueError on an empty one or a
        token outside the vocabulary."""
        return TokenSession(self.runtime, self.vocabulary, prompt)


@dataclass(slots=True)
class _State:
    """What a session knows of a branch. `cache` holds the prompt's tail and the first `read` of the branch's tokens."""

    branch: Branch
    lineage: tuple[int, ...]
    cache: Cache
    read: int = 0
    head: tuple[Floats, Floats] | None = None  # logits and hidden after the last token read, if still at hand
    children: int = 0

    @property
    def pending(self) -> list[int]:
        return self.branch.tokens[self.read :]


class TokenSession:
    """A `momus.models.protocol.Session` over token ids.

    `room`: how many tokens fit behind the prompt. `prompt_hidden` [tokens, hidden]: the last hidden state after each of
    its tokens. `prompt_logits` [vocab]: of what follows it. With `scores`
    it is there to read whole critiques, and faster at it; their last bits then depend on what is read together.
    """

    def __init__(
        self, runtime: Runtime, vocabulary: Vocabulary, prompt: Sequence[int], *, scores: bool = False
    ) -> None:
        arch = runtime.arch
        if not prompt or not all(0 <= token < arch.vocab for token in prompt):
            raise ValueError(f"a prompt is one or more token ids below {arch.vocab}")
        self.room = arch.context - len(prompt)
        if self.room < 1:
            raise MomusError(
                f"the prompt has {len(prompt)} tokens where the model's context is {arch.context}; review less at once"
            )
        self._runtime = runtime
        self._vocabulary = vocabulary
        self._scores = scores
        self._states: dict[int, _State] = {}
        self._forked = 0
        self._closed = False
        self._luck = zlib.crc32(np.asarray(prompt, dtype="<i8").tobytes())
        self._read_prompt(np.asarray(prompt, dtype=np.int64))

    def _read_prompt(self, ids: np.ndarray[tuple[int], np.dtype[np.int64]]) -> None:
        arch = self._runtime.arch
        whole = Cache(*(np.zeros((arch.layers, arch.kv_heads, 0, arch.head_dim), np.float32) for _ in range(2)))
        states = np.zeros((len(ids), arch.hidden), dtype=np.float32)
        for first in range(0, len(ids), _CHUNK):
            piece = ids[first : first + _CHUNK]
            slots = -(-(first + len(piece)) // self._runtime.granule) * self._runtime.granule - first
            shape = (arch.layers, arch.kv_heads, 1, slots, arch.head_dim)
            blank = np.zeros(shape, dtype=np.float32)
            rows = np.array([len(piece) - 1], dtype=np.int64)
            at = np.arange(len(piece))
            owner = np.zeros(len(piece), dtype=np.int64)
            batch = Pass(piece, owner, at, rows, whole, Cache(blank, blank), many=True)
            out = self._runtime.forward(batch, hidden=True)
            assert out.hidden is not None
            states[first : first + len(piece)] = out.hidden
            whole = Cache(
                np.concatenate([whole.keys, out.keys], axis=2), np.concatenate([whole.values, out.values], axis=2)
            )
        self.prompt_hidden: Floats = states
        self.prompt_logits: Floats = out.logits[-1].copy()
        shared = len(ids) // _SHARED * _SHARED
        self._prefix = Cache(*(np.ascontiguousarray(part[:, :, :shared]) for part in (whole.keys, whole.values)))
        self._tail = Cache(*(part[:, :, shared:].copy() for part in (whole.keys, whole.values)))

    def fork(self, parents: Sequence[Branch] | None, n: int) -> list[Branch]:
        """`n` children of each parent, parent-major; of the bare prompt where `parents` is None."""
        self._check_open()
        if parents is None:
            origin = _State(Branch(), (self._luck,), self._tail, head=(self.prompt_logits, self.prompt_hidden[-1]))
            origin.children = self._forked
            self._forked += n
            return [self._child(origin) for _ in range(n)]
        states = [self._state(parent) for parent in parents]
        if n > 1:  # read what is pending once, not in every child
            self._read(states)
        return [self._child(state) for state in states for _ in range(n)]

    def _child(self, parent: _State) -> Branch:
        of = parent.branch
        branch = Branch(list(of.tokens), list(of.logprobs), list(of.free), slot=len(self._states))
        lineage = (*parent.lineage, parent.children)
        parent.children += 1
        # caches are never written to once made, so that children share their parent's
        self._states[branch.slot] = _State(branch, lineage, parent.cache, parent.read, parent.head)
        return branch

    def crop(self, branch: Branch, n_tokens: int) -> None:
        """Keep the first `n_tokens` of a branch's suffix. Raises ValueError if it has fewer."""
        state = self._state(branch)
        if not 0 <= n_tokens <= len(branch.tokens):
            raise ValueError(f"a branch of {len(branch.tokens)} tokens cannot be cropped to {n_tokens}")
        for part in (branch.tokens, branch.logprobs, branch.free):
            del part[n_tokens:]
        if state.read > n_tokens:
            # the last token is read again, by whoever needs its logits
            state.read = n_tokens
            state.cache = _first(state.cache, self._tail.length + state.read)
            state.head = (self.prompt_logits, self.prompt_hidden[-1]) if n_tokens == 0 else None

    def extend(self, branches: Sequence[Branch], forced: Sequence[Sequence[int]]) -> None:
        """Append forced tokens; they are read in the one pass that next needs them. ValueError beyond the context."""
        for branch, tokens in zip(branches, forced, strict=True):
            self._state(branch)
            if len(branch.tokens) + len(tokens) > self.room:
                raise ValueError(f"a branch has room for {self.room} tokens")
            branch.tokens.extend(tokens)
            branch.logprobs.extend([0.0] * len(tokens))
            branch.free.extend([False] * len(tokens))

    def peek(self, branches: Sequence[Branch]) -> Peek:
        """Logits of the next token and the last hidden state of each branch, for gates and scores."""
        states = [self._state(branch) for branch in branches]
        self._read(states)
        heads = [state.head for state in states if state.head is not None]
        return Peek(np.stack([head[0] for head in heads]), np.stack([head[1] for head in heads]))

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
        """Continue every branch until a stop token (kept as its last), `max_tokens` or the end of the context.

        With `quote`, what follows the opener is confined to exact quotes of the answer; tokens without a choice are
        not drawn, and read together. A draw depends on seed, prompt, lineage and place alone: cropped and sampled again
        with the same seed, a branch is the same. Log-probabilities are over the tokens that were allowed.
        """
        if temperature < 0:
            raise ValueError(f"temperature is 0 or more, not {temperature}")
        states = [self._state(branch) for branch in branches]
        if len({state.branch.slot for state in states}) < len(states):
            raise ValueError("a branch is named twice")
        writers = [
            Writer(
                branch=state.branch,
                stream=Stream(seed, state.lineage),
                quote=quote,
                vocabulary=self._vocabulary,
                temperature=temperature,
                max_tokens=max_tokens,
                room=self.room,
                stop=stop,
            )
            for state in states
        ]
        for writer in writers:
            writer.write_forced()
        going = [i for i, writer in enumerate(writers) if writer.finish is None]
        live = self._live([states[i] for i in going]) if going else None
        while live is not None:
            unread = [states[i].pending for i in going]
            if any(unread):
                logits, _ = live.step(unread)
            row = 0
            for place, i in enumerate(going):
                state = states[i]
                if unread[place]:
                    state.read = len(state.branch.tokens)
                    writers[i].write(logits[row])
                    row += 1
                else:
                    assert state.head is not None
                    writers[i].write(state.head[0])
                state.head = None
            ended = [place for place, i in enumerate(going) if writers[i].finish is not None]
            for place in ended:
                states[going[place]].cache = live.suffix(place)
            stay = [place for place in range(len(going)) if place not in ended]
            going = [going[place] for place in stay]
            if not stay:
                live = None
            elif ended:
                live.keep(stay)
        return [Drawn(w.branch, tuple(w.branch.tokens[w.begun :]), w.finish or "length") for w in writers]

    def close(self) -> None:
        """Let the caches go. The session is of no use afterwards."""
        self._closed = True
        self._states.clear()
        self._prefix = self._tail = _first(self._tail, 0)

    def _read(self, states: Sequence[_State]) -> None:
        """Read what is pending, so that every state has its head."""
        needy = {s.branch.slot: s for s in states if s.read < len(s.branch.tokens) or s.head is None}
        if not needy:
            return
        chosen = list(needy.values())
        live = self._live(chosen)
        logits, hidden = live.step([state.pending for state in chosen], hidden=True, many=self._scores)
        assert hidden is not None
        for i, state in enumerate(chosen):
            state.cache, state.read = live.suffix(i), len(state.branch.tokens)
            state.head = (logits[i].copy(), hidden[i].copy())

    def _live(self, states: Sequence[_State]) -> Live:
        for state in states:
            if not state.pending and state.head is None:  # the logits were let go: read the last token again
                state.read -= 1
                state.cache = _first(state.cache, self._tail.length + state.read)
        room = max(1, *(len(state.pending) for state in states))
        return Live(self._runtime, self._prefix, [state.cache for state in states], room)

    def _state(self, branch: Branch) -> _State:
        self._check_open()
        state = self._states.get(branch.slot)
        if state is None or state.branch is not branch:
            raise ValueError("a branch belongs to the session that forked it")
        return state

    def _check_open(self) -> None:
        if self._closed:
            raise ValueError("the session is closed")


def _first(cache: Cache, length: int) -> Cache:
    return Cache(cache.keys[:, :, :length], cache.values[:, :, :length])
