"""Runs a bundle's graph on ONNX Runtime, on one thread unless told otherwise."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from momus.errors import MissingExtra, MomusError
from momus.models import weights
from momus.models.arch import Arch
from momus.models.graph import FILE
from momus.models.runtime import Floats, Pass, Passed

_MASKED = np.float32(-1e30)
# Kernels for one row take four columns (or terms) at a time and round the remainder otherwise: leave none.
_COLUMNS = 4


def library() -> Any:
    """The module `onnxruntime`. Raises MissingExtra where it is not installed."""
    try:
        import onnxruntime
    except ImportError:
        raise MissingExtra("the bundled model", "bundled") from None
    return onnxruntime


class OnnxRuntime:
    """A loaded graph. Raises MissingExtra, and MomusError where the files can't be read or do not fit `arch`."""

    granule = 64  # the softmax kernels add 64 values at a time, the rest otherwise

    def __init__(self, folder: Path, arch: Arch, index: weights.Index, *, threads: int = 1) -> None:
        onnxruntime = library()
        self.arch = arch
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        # a waiting thread that spins takes the core from whoever works
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 4
        try:
            size = (folder / weights.FILE).stat().st_size
            if size != index["bytes"]:
                raise ValueError(f"{weights.FILE} has {size:,} bytes instead of {index['bytes']:,}")
            self._session = onnxruntime.InferenceSession(
                str(folder / FILE), options, providers=["CPUExecutionProvider"]
            )
            self._check()
        except Exception as error:  # onnxruntime raises classes of its own, derived from Exception alone
            reason = str(error).strip().split("\n")[0][:200]
            raise MomusError(
                f"the model in {folder} cannot be loaded ({reason}); reinstall or export the bundle again"
            ) from error

    def _check(self) -> None:
        shapes = {v.name: v.shape for v in (*self._session.get_inputs(), *self._session.get_outputs())}
        layers = sum(name.startswith("prefix_k.") for name in shapes)
        found = (shapes["logits"][1], shapes["hidden"][1], layers, *shapes["prefix_k.0"][::2])
        a = self.arch
        if found != (a.vocab, a.hidden, a.layers, a.kv_heads, a.head_dim):
            raise ValueError("the graph is of another model than the configuration says")

    def forward(self, batch: Pass, *, hidden: bool = False) -> Passed:
        a = self.arch
        n, branches, slots = len(batch.ids), batch.suffix.keys.shape[2], batch.suffix.length
        counts = np.bincount(batch.owner, minlength=branches)
        first = np.cumsum(counts) - counts
        column = np.arange(n) - first[batch.owner]
        width = -(-int(counts.max()) // _COLUMNS) * _COLUMNS
        grid = np.zeros((branches, width), dtype=np.int64)
        grid[batch.owner, column] = np.arange(n)
        place = np.zeros((branches, width, slots), dtype=np.float32)
        place[batch.owner, column, batch.slot] = 1
        bias = np.where(np.arange(slots) <= batch.slot[:, None], np.float32(0), _MASKED)
        tokens: dict[str, Any] = {
            "ids": batch.ids,
            "positions": batch.slot + batch.prefix.length,
            "cell": batch.owner * width + column,
            "bias": bias,
        }
        if n * a.repeat == 1:  # nor leave one row, which takes a kernel of its own: let the token stand twice
            tokens = {name: np.repeat(array, 2, axis=0) for name, array in tokens.items()}
        feed: dict[str, Any] = {
            **tokens,
            "grid": grid,
            "rows": batch.rows,
            "gang": np.array((1, width * a.repeat) if batch.many else (width * a.repeat, 1), dtype=np.int64),
            "place": place,
        }
        for i in range(a.layers):
            feed[f"prefix_k.{i}"] = batch.prefix.keys[i]
            feed[f"prefix_v.{i}"] = batch.prefix.values[i]
            feed[f"suffix_k.{i}"] = batch.suffix.keys[i]
            feed[f"suffix_v.{i}"] = batch.suffix.values[i]
        wanted = ["logits", *(f"new_k.{i}" for i in range(a.layers)), *(f"new_v.{i}" for i in range(a.layers))]
        out: list[Floats] = self._session.run([*wanted, "hidden"] if hidden else wanted, feed)
        keys, values = np.stack(out[1 : a.layers + 1]), np.stack(out[a.layers + 1 : 2 * a.layers + 1])
        return Passed(out[0], keys[:, :, :n], values[:, :, :n], out[-1][:n] if hidden else None)
