"""A converted model, compiled: rows of tokens side by side in its key-value state, and the head."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from momus.models import adapter_graph
from momus.models import openvino_graph as graph
from momus.models.adapters import Adapter, Sizes
from momus.models.openvino_package import openvino

Mode = Literal["fast", "exact"]
Floats = npt.NDArray[np.float32]

_AT_ONCE = 1024  # new tokens of a row in one pass: it bounds the memory of a pass
_HEAD_ROWS = 64  # rows of the head at once: 39 MB of logits for a vocabulary of 152k, and as much for log-softmax
_EXACT = {
    "EXECUTION_MODE_HINT": "ACCURACY",
    "INFERENCE_PRECISION_HINT": "f32",
    "KV_CACHE_PRECISION": "f32",
    "DYNAMIC_QUANTIZATION_GROUP_SIZE": "0",
}


@dataclass(frozen=True, slots=True)
class Scores:
    """Of n positions: `chosen` [n], the log-probability of the wanted tokens; `top_ids`, `top_logprobs` [n, top]."""

    chosen: Floats
    top_ids: npt.NDArray[np.int32]
    top_logprobs: Floats


class Engine:
    """Both graphs of a model, compiled.

    `vocabulary` is the head's width; `outputs` name the layers whose states are kept; `alone` is how many rows a single
    branch is computed on; `sizes` are what an adapter has to fit, where there is room for adapters.
    """

    def __init__(
        self,
        xml: Path,
        *,
        mode: Mode = "fast",
        threads: int | None = None,
        bf16: bool = True,
        layers: Sequence[int] = (),
        adapters: bool = False,
    ) -> None:
        ov = openvino()
        settings: dict[str, Any] = {"PERFORMANCE_HINT": "LATENCY", "NUM_STREAMS": "1", "ENABLE_CPU_PINNING": "NO"}
        if mode == "exact":
            settings |= _EXACT
        elif not bf16:
            settings["INFERENCE_PRECISION_HINT"] = "f32"
        if threads is not None:
            settings["INFERENCE_NUM_THREADS"] = str(threads)
        self.outputs = tuple(f"hidden.{layer}" for layer in layers)
        # in float32 a single row takes another kernel than several do, and other last bits
        self.alone = 2 if mode == "exact" else 1
        core = ov.Core()
        model = graph.read(xml)
        self.sizes: Sizes = adapter_graph.sizes(model) if adapters else {}
        self._half = mode == "fast"
        if adapters:
            adapter_graph.make_room(model, self._half)
        self._layers = core.compile_model(graph.layers_of(model, layers), "CPU", settings)
        del model
        head = core.compile_model(graph.head_of(graph.read(xml)), "CPU", settings)
        self.vocabulary = int(head.output("logprobs").get_partial_shape()[1].get_length())
        self._head = head.create_infer_request()
        self._free: list[_Request] = []
        self._inputs: Mapping[str, Any] = {}

    def inputs_of(self, adapter: Adapter | None) -> Mapping[str, Any]:
        """An adapter as inputs of the graph, zero where it has nothing; none where the graph has no room for one."""
        ov = openvino()
        kind = np.float16 if self._half else np.float32
        found = {}
        for (layer, projection), (width, out) in self.sizes.items():
            none = np.zeros((1, width)), np.zeros((out, 1))
            pair = adapter.values.get((layer, projection), none) if adapter else none
            for letter, values in zip("ab", pair, strict=True):
                found[f"{layer}.{projection}.{letter}"] = ov.Tensor(np.ascontiguousarray(values, dtype=kind))
        return found

    def use(self, inputs: Mapping[str, Any]) -> None:
        """Open rows with this adapter from now on; those that are open keep theirs."""
        self._inputs = inputs

    def rows(self) -> Rows:
        """An empty state. Close it, and its memory serves the next."""
        request = self._free.pop() if self._free else _Request(self._layers.create_infer_request())
        request.set(self._inputs)
        return Rows(self, request)

    def give_back(self, request: _Request) -> None:
        """Keep a request for the next rows."""
        request.of.reset_state()
        self._free.append(request)

    def logprobs(self, states: Floats) -> Floats:
        """Log-probabilities [n, vocabulary] of what follows each state [n, width]. A view, until the next call."""
        self._run_head(states, np.zeros((len(states), 1), dtype=np.int64), 1)
        out: Floats = self._head.get_tensor("logprobs").data
        return out

    def scores(self, states: Floats, wanted: Sequence[int], top: int) -> Scores:
        """What the model thinks of wanted tokens after states [n, width], and its `top` likeliest, best first."""
        n = len(states)
        chosen = np.empty(n, dtype=np.float32)
        ids = np.empty((n, top), dtype=np.int32)
        logprobs = np.empty((n, top), dtype=np.float32)
        ask = np.asarray(wanted, dtype=np.int64)[:, None]
        for first in range(0, n, _HEAD_ROWS):
            part = slice(first, min(first + _HEAD_ROWS, n))
            self._run_head(states[part], ask[part], max(top, 1))
            chosen[part] = self._head.get_tensor("chosen").data[:, 0]
            ids[part] = self._head.get_tensor("top_ids").data[:, :top]
            logprobs[part] = self._head.get_tensor("top_logprobs").data[:, :top]
        return Scores(chosen, ids, logprobs)

    def _run_head(self, states: Floats, wanted: npt.NDArray[np.int64], top: int) -> None:
        self._head.infer({"states": states, "wanted": wanted, "top": np.array(top, dtype=np.int64)})


@dataclass(slots=True)
class _Request:
    """A request, and the inputs that it keeps from pass to pass."""

    of: Any
    inputs: Mapping[str, Any] = field(default_factory=dict)

    def set(self, inputs: Mapping[str, Any]) -> None:
        if inputs is not self.inputs:
            for name, tensor in inputs.items():
                self.of.set_tensor(name, tensor)
            self.inputs = inputs


class Rows:
    """Rows of tokens in the state of one request: continued, forked, cropped.

    `hidden`: of each layer that is kept, [rows, new tokens, width] of the last pass.

    A row's tokens stand in columns that it shares with the others; what a row does not have, or has no more, is masked
    out, and positions go on without it.
    """

    def __init__(self, engine: Engine, request: _Request) -> None:
        self._engine = engine
        self._request = request
        self._closed = False
        self.hidden: list[Floats] = []
        self._mask = np.zeros((0, 0), dtype=np.int64)
        self._order = np.zeros(0, dtype=np.int32)  # the row of the state that each row continues

    @property
    def columns(self) -> int:
        """Columns of the state, those that are out of sight included."""
        return int(self._mask.shape[1])

    def reset(self) -> None:
        """Begin anew, without rows."""
        self._request.of.reset_state()
        self._mask = np.zeros((0, 0), dtype=np.int64)
        self._order = np.zeros(0, dtype=np.int32)

    @property
    def lengths(self) -> list[int]:
        out: list[int] = self._mask.sum(axis=1).tolist()
        return out

    def select(self, parents: Sequence[int]) -> None:
        """Row i is from now on what row `parents[i]` was."""
        self._order = self._order[list(parents)]
        self._mask = self._mask[list(parents)]

    def extend(self, new: Sequence[Sequence[int]]) -> list[Floats]:
        """Put `new[i]` behind row i; a state without rows gets as many as needed.

        Returns the states [len(new[i]), width] after each row's new tokens. Rows may get no token, but not all.
        """
        if len(self._mask) == 0:
            self._mask = np.zeros((len(new), 0), dtype=np.int64)
            self._order = np.zeros(len(new), dtype=np.int32)
        width = max(len(tokens) for tokens in new)
        if width == 0:
            raise ValueError("no row gets a token")
        ids = np.zeros((len(new), width), dtype=np.int64)
        real = np.zeros((len(new), width), dtype=np.int64)
        for i, tokens in enumerate(new):
            ids[i, : len(tokens)] = tokens
            real[i, : len(tokens)] = 1
        mask = self._mask
        begun = mask.sum(axis=1, keepdims=True)
        places = begun + np.maximum(np.cumsum(real, axis=1) - 1, 0)
        parts: dict[str, list[Floats]] = {name: [] for name in ("states", *self._engine.outputs)}
        for first in range(0, width, _AT_ONCE):
            part = slice(first, first + _AT_ONCE)
            mask = np.concatenate([mask, real[:, part]], axis=1)
            feed = {
                "input_ids": ids[:, part],
                "attention_mask": mask,
                "position_ids": places[:, part],
                "beam_idx": self._order,
            }
            self._request.of.infer(feed)
            for name, found in parts.items():
                found.append(self._request.of.get_tensor(name).data.copy())
            self._order = np.arange(len(new), dtype=np.int32)
        self._mask = mask
        states, *self.hidden = (np.concatenate(found, axis=1) for found in parts.values())
        return [states[i, : len(tokens)] for i, tokens in enumerate(new)]

    def crop(self, row: int, length: int) -> None:
        """Keep the first `length` tokens of a row: the others are out of sight, and their place is not used again."""
        columns = np.flatnonzero(self._mask[row])
        self._mask[row, columns[length:]] = 0

    def close(self) -> None:
        """Give the state back. The rows are of no use afterwards."""
        if not self._closed:
            self._engine.give_back(self._request)
            self._closed = True
