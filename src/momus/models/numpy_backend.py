"""Runs a bundle on numpy alone: the fallback where ONNX Runtime has no wheel, and the oracle of the tests.

8-bit weights are dequantised on load and multiplied as float32; activations are not quantised, so that its logits
differ a little from ONNX Runtime's int8 arithmetic. Threads are BLAS's own (OPENBLAS_NUM_THREADS).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from momus.errors import MomusError
from momus.models import weights
from momus.models.arch import Arch
from momus.models.runtime import Floats, Ints, Pass, Passed

_MASKED = np.float32(-1e30)


class NumpyRuntime:
    """The same forward pass as the graph, in numpy. Raises MomusError where the weights do not fit `arch`."""

    granule = 1

    def __init__(self, folder: Path, arch: Arch, index: weights.Index) -> None:
        self.arch = arch
        self._w = weights.load(folder, index)
        if {name: array.shape for name, array in self._w.items()} != weights.shapes(arch):
            raise MomusError(
                f"the weights in {folder} are of another model than the configuration says; "
                "reinstall or export the bundle again"
            )

    def forward(self, batch: Pass, *, hidden: bool = False) -> Passed:
        a, w = self.arch, self._w
        positions = batch.slot + batch.prefix.length
        cos, sin = w["rope.cos"][positions][:, None, :], w["rope.sin"][positions][:, None, :]
        x: Floats = w["embed"][batch.ids]
        keys, values = [], []
        for i in range(a.layers):
            layer = f"layers.{i}."
            qkv = self._norm(x, layer + "attn_norm") @ w[layer + "qkv"].T
            heads: Floats = qkv.reshape(len(x), a.heads + 2 * a.kv_heads, a.head_dim)
            queried, keyed = a.heads, a.heads + a.kv_heads
            q = _turn(self._norm(heads[:, :queried], layer + "q_norm"), cos, sin)
            k = _turn(self._norm(heads[:, queried:keyed], layer + "k_norm"), cos, sin)
            v = heads[:, keyed:]
            keys.append(k.transpose(1, 0, 2))
            values.append(v.transpose(1, 0, 2))
            x = x + self._attend(batch, i, q, k, v) @ w[layer + "out"].T
            h = self._norm(x, layer + "mlp_norm") @ w[layer + "gate_up"].T
            gate, up = h[:, : a.ffn], h[:, a.ffn :]
            x = x + (_silu(gate) * up) @ w[layer + "down"].T
        x = self._norm(x, "norm")
        return Passed(x[batch.rows] @ w["embed"].T, np.stack(keys), np.stack(values), x if hidden else None)

    def _norm(self, x: Floats, name: str) -> Floats:
        mean = np.mean(x * x, axis=-1, keepdims=True, dtype=np.float32)
        normed: Floats = x / np.sqrt(mean + np.float32(self.arch.norm_eps)) * self._w[name]
        return normed

    def _attend(self, batch: Pass, layer: int, q: Floats, k: Floats, v: Floats) -> Floats:
        """q [N, H, D], k and v [N, G, D] -> [N, H * D]."""
        a = self.arch
        n, owner, slot = len(q), batch.owner, batch.slot
        q = q.reshape(n, a.kv_heads, a.repeat, a.head_dim).transpose(1, 0, 2, 3)
        prefix = batch.prefix.length
        on_prefix = q.reshape(a.kv_heads, n * a.repeat, a.head_dim) @ batch.prefix.keys[layer].swapaxes(1, 2)
        on_prefix = on_prefix.reshape(a.kv_heads, n, a.repeat, prefix)
        suffix_k, suffix_v = batch.suffix.keys[layer].copy(), batch.suffix.values[layer].copy()
        suffix_k[:, owner, slot] = k.transpose(1, 0, 2)
        suffix_v[:, owner, slot] = v.transpose(1, 0, 2)
        own = np.empty((a.kv_heads, n, a.repeat, a.head_dim), dtype=np.float32)
        share_prefix = np.empty_like(on_prefix)
        for branch in np.unique(owner):
            mine: Ints = np.flatnonzero(owner == branch)
            on_suffix = q[:, mine] @ suffix_k[:, branch, None].swapaxes(2, 3)
            seen = np.arange(batch.suffix.length) <= slot[mine][:, None]
            on_suffix = np.where(seen[None, :, None, :], on_suffix, _MASKED)
            scores = np.concatenate([on_prefix[:, mine], on_suffix], axis=-1)
            scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
            scores /= scores.sum(axis=-1, keepdims=True)
            share_prefix[:, mine] = scores[..., :prefix]
            own[:, mine] = scores[..., prefix:] @ suffix_v[:, branch, None]
        read = share_prefix.reshape(a.kv_heads, n * a.repeat, prefix) @ batch.prefix.values[layer]
        own += read.reshape(own.shape)
        return own.transpose(1, 0, 2, 3).reshape(n, a.heads * a.head_dim)


def _silu(x: Floats) -> Floats:
    smooth: Floats = x / (np.float32(1) + np.exp(-np.maximum(x, np.float32(-80))))
    return smooth


def _turn(x: Floats, cos: Floats, sin: Floats) -> Floats:
    """Rotate the two halves of each head by its position."""
    half = x.shape[-1] // 2
    low, high = x[..., :half], x[..., half:]
    return np.concatenate([low * cos - high * sin, high * cos + low * sin], axis=-1)
