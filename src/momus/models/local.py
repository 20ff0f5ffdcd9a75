"""A pretrained language model on this machine: read code and say how likely each token is, complete, follow a draft."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from momus.errors import MomusError
from momus.models.adapters import adapter_digest, read_adapter
from momus.models.following import follow
from momus.models.local_session import LocalSession
from momus.models.openvino_engine import Engine, Floats, Mode
from momus.models.pieces import Pieces
from momus.models.protocol import Caps
from momus.models.tokens import Tokens

CONTEXT = 8192  # tokens of a prompt and what follows it: the state of one row stays within some 500 MB


@dataclass(frozen=True, slots=True)
class Reading:
    """What a model thinks of tokens, position by position: `logprobs` [n]; `top_ids` and `top_logprobs` [n, top], best
    first; `hidden` [layers, n, width], after each token, of the layers that were asked for."""

    logprobs: Floats
    top_ids: npt.NDArray[np.int32]
    top_logprobs: Floats
    hidden: Floats | None = None


@dataclass(frozen=True, slots=True)
class Completion:
    """What a model wrote: its tokens without the one that ended it, their log-probabilities, the text up to where it
    stops.

    `finish` is "stop" at a stop token or text, "length" where the room was used up.
    """

    ids: tuple[int, ...]
    text: str
    logprobs: tuple[float, ...]
    finish: Literal["stop", "length"]


class LocalModel:
    """An opened model.

    `digest` is the SHA-256 of its weights, and of the adapter in use where there is one; `mode` how it computes,
    `context` how many tokens a prompt and what follows it may have.
    """

    caps = Caps(n=True, token_prompts=True, continuation=True, logprobs=True, constraint="mask", samples=True)

    def __init__(self, engine: Engine, tokens: Tokens, digest: str, mode: Mode, context: int = CONTEXT) -> None:
        self.tokens = tokens
        self.digest = self._weights = digest
        self.mode = mode
        self.context = context
        self._engine = engine
        self._pieces = Pieces(tokens)
        self._bare = engine.inputs_of(None)
        self._adapters: dict[Path, Mapping[str, Any]] = {}

    def use(self, adapter: Path | None) -> None:
        """Read, complete and follow with the adapter in this folder from now on, or with none. Kept once it was read.

        Raises MomusError where it is none, or of another base, and where the model was opened without `adapters`.
        """
        if adapter is not None and not self._engine.sizes:
            raise MomusError("this model was opened without room for adapters; open it with adapters=True")
        if adapter is None:
            self._engine.use(self._bare)
            self.digest = self._weights
            return
        place = adapter.resolve()
        if place not in self._adapters:
            self._adapters[place] = self._engine.inputs_of(read_adapter(place, self._engine.sizes))
        self._engine.use(self._adapters[place])
        self.digest = hashlib.sha256(f"{self._weights}/{adapter_digest(place)}".encode()).hexdigest()

    def forget(self, adapter: Path) -> None:
        """Let an adapter's memory go: its files are read anew when it is used again."""
        self._adapters.pop(adapter.resolve(), None)

    def read(self, ids: Sequence[int], first: int, *, top: int = 0) -> Reading:
        """What the model thinks of `ids[first:]`, each after all that stand before it, in one fresh pass.

        `first` is 1 at least. Raises MomusError where there are more tokens than the context holds.
        """
        if not 1 <= first < len(ids):
            raise ValueError(f"there is nothing to read from token {first} of {len(ids)} on")
        self._check_room(len(ids))
        rows = self._engine.rows()
        try:
            # of the last token only its hidden states are of use
            states = rows.extend([ids if self._engine.outputs else ids[:-1]])[0]
            hidden = np.stack([layer[0, first:] for layer in rows.hidden]) if rows.hidden else None
            found = self._engine.scores(states[first - 1 : len(ids) - 1], ids[first:], top)
        finally:
            rows.close()
        return Reading(found.chosen, found.top_ids, found.top_logprobs, hidden)

    def start(self, prompt_ids: Sequence[int]) -> LocalSession:
        """Read a prompt, to continue it. Raises MomusError where it leaves no room in the context."""
        self._check_room(len(prompt_ids) + 1)
        return LocalSession(
            self._engine, prompt_ids, context=self.context, vocabulary=self._pieces, decode=self.tokens.decode
        )

    def complete(
        self,
        prompt_ids: Sequence[int],
        *,
        n: int = 1,
        max_tokens: int,
        temperature: float = 0.0,
        top_p: float = 1.0,
        stop: frozenset[int] = frozenset(),
        stop_text: Sequence[str] = (),
        seed: int = 0,
    ) -> list[Completion]:
        """`n` continuations of a prompt, until a token of `stop` or one that ends a turn, or a text of `stop_text`."""
        session = self.start(prompt_ids)
        try:
            drawn = session.sample(
                session.fork(None, n),
                max_tokens=max_tokens,
                temperature=temperature,
                top_p=top_p,
                stop=stop | self.tokens.ends,
                stop_text=stop_text,
                seed=seed,
            )
        finally:
            session.close()
        ends = stop | self.tokens.ends
        return [self._completion(d.branch.tokens, d.branch.logprobs, ends, stop_text, d.finish) for d in drawn]

    def _completion(
        self,
        ids: Sequence[int],
        logprobs: Sequence[float],
        ends: frozenset[int],
        stop_text: Sequence[str],
        finish: Literal["stop", "length"],
    ) -> Completion:
        n = len(ids) - (len(ids) > 0 and ids[-1] in ends)
        text = self.tokens.decode(ids[:n])
        cut = min((at for at in (text.find(stop) for stop in stop_text) if at >= 0), default=len(text))
        return Completion(tuple(ids[:n]), text[:cut], tuple(logprobs[:n]), finish)

    def follow(
        self,
        prompt_ids: Sequence[int],
        draft_ids: Sequence[int],
        *,
        max_tokens: int,
        stop: frozenset[int] = frozenset(),
        reading: Reading | None = None,
    ) -> Completion:
        """What greedy decoding writes, guessed by a draft: what it would have written itself is checked in one pass.

        Where it disagrees it goes its own way, until it is back in the draft. A draft changes how long it takes and
        nothing else. `reading`: what `read([*prompt_ids, *draft_ids], len(prompt_ids), top=1)` has given, and that pass
        is not made again.
        """
        self._check_room(len(prompt_ids) + 1)
        read = None
        if reading is not None:
            if len(reading.top_ids) != len(draft_ids) or reading.top_ids.shape[1] < 1:
                raise ValueError("the reading is not of this draft, or without the likeliest tokens")
            read = zip(reading.top_ids[:, 0].tolist(), reading.top_logprobs[:, 0].tolist(), strict=True)
        ends = stop | self.tokens.ends
        room = min(max_tokens, self.context - len(prompt_ids))
        chosen = follow(self._engine, prompt_ids, draft_ids, max_tokens=room, ends=ends, read=read)
        ids, logprobs = [token for token, _ in chosen], [logprob for _, logprob in chosen]
        finish: Literal["stop", "length"] = "stop" if ids and ids[-1] in ends else "length"
        return self._completion(ids, logprobs, ends, (), finish)

    def _check_room(self, tokens: int) -> None:
        if tokens > self.context:
            raise MomusError(
                f"{tokens} tokens are more than the {self.context} that are read at once; review less at once"
            )


def open_local(
    name_or_path: str,
    *,
    mode: Mode = "fast",
    threads: int | None = None,
    adapter: Path | None = None,
    adapters: bool = False,
    bf16: bool = True,
    layers: Sequence[int] = (),
    progress: Callable[[str, float], None] | None = None,
) -> LocalModel:
    """Open a model of the catalogue that lies in the cache, or a GGUF file or folder; convert it if that is to be done.

    `mode`: "exact" computes in float32; "fast" in what the processor is fastest with. `bf16=False` keeps "fast" from
    bfloat16, as on a processor without it. `threads`: None for all that the machine gives. `layers`: those whose hidden
    states `read` gives as well. `adapter` is used at once; `adapters` makes room for some that come later, at a small
    cost in speed. `progress` hears of a conversion, and the share of it that is done. Raises MomusError where there is
    no such model, it cannot be opened, or memory does not suffice.
    """
    from momus.models.catalogue import resolve
    from momus.models.convert import check_memory, converted

    model = converted(resolve(name_or_path), progress=progress)
    check_memory(model.facts)
    room = adapters or adapter is not None
    engine = Engine(model.graph, mode=mode, threads=threads, bf16=bf16, layers=layers, adapters=room)
    context = min(CONTEXT, model.facts.context)
    opened = LocalModel(engine, model.tokens, model.digest, mode, context)
    opened.use(adapter)
    return opened
