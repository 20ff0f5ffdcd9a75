"""Writes one ONNX graph that serves prefill, decoding, forced runs and scoring, with the prompt's cache shared.

Tokens come flat: N of them, from B branches with at most S new ones each, so that matrices never see padding; only
attention among a branch's own tokens is padded, to a grid [B, S]. Keys and values of the prompt have no branch axis;
those of a branch's suffix stand in C slots, slot = place in the suffix. A new token's scores are put into its slot by
a product with one-hot `place`. So a row's softmax has one layout, whatever the batch, and a branch gets the same bits
alone as among others. Dimensions below: G key/value heads, R queries per such head, D head_dim, P prompt tokens.

    ids, positions [N]    grid [B, S]: which token stands in a cell    cell [N]: in which cell a token stands
    place [B, S, C]       bias [N, C]: 0 where a token may look, very low elsewhere    rows [M]: tokens to get logits
    prefix_k.i, prefix_v.i [G, P, D]    suffix_k.i, suffix_v.i [G, B, C, D]
    gang [2]: (S * R, 1), each query against a branch's keys alone, or (1, S * R), all in one product: the first is
    faster for few and has the same bits whatever S, the second is for reading a prompt
    -> logits [M, vocab]  hidden [N, hidden] (after the last norm)  new_k.i, new_v.i [G, N, D]
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from momus.errors import MissingExtra
from momus.models import weights
from momus.models.arch import Arch

FILE = "graph.onnx"
_OPSET = 17
_MICROSOFT = "com.microsoft"


def write(arch: Arch, tensors: Mapping[str, weights.Array], folder: Path, bits: Literal[8, 32] = 8) -> weights.Index:
    """Write `graph.onnx` and `weights.bin` from Hugging Face Qwen3 tensors; return the index of the weights.

    Raises MissingExtra without `onnx`, MomusError on tensors that do not fit `arch`.
    """
    try:
        import onnx
    except ImportError as error:
        raise MissingExtra("writing a model's graph", "train") from error
    joined = weights.join(arch, tensors)
    folder.mkdir(parents=True, exist_ok=True)
    index = weights.save(joined, folder, bits)
    onnx.save(_Builder(onnx, arch, index).model(), str(folder / FILE))
    return index


class _Builder:
    """Collects nodes; every method takes and returns value names."""

    def __init__(self, onnx: Any, arch: Arch, index: weights.Index) -> None:
        self.onnx = onnx
        self.arch = arch
        self.index = index
        self.nodes: list[Any] = []
        self.initializers: dict[str, Any] = {}

    def op(self, kind: str, *inputs: str, n: int = 1, domain: str = "", **attributes: Any) -> Any:
        outputs = [f"t{len(self.nodes)}.{i}" for i in range(n)]
        self.nodes.append(self.onnx.helper.make_node(kind, list(inputs), outputs, domain=domain, **attributes))
        return outputs[0] if n == 1 else outputs

    def name_last(self, name: str) -> None:
        """Give the output of the node just added the name of a graph output."""
        self.nodes[-1].output[0] = name

    def ints(self, *values: int) -> str:
        name = "ints." + "_".join(map(str, values))
        if name not in self.initializers:
            array = np.array(values, dtype=np.int64)
            self.initializers[name] = self.onnx.numpy_helper.from_array(array, name)
        return name

    def stored(self, name: str) -> str:
        """A tensor of weights.bin, by reference."""
        if name not in self.initializers:
            place = self.index["tensors"][name]
            tensor = self.onnx.TensorProto()
            tensor.name = name
            tensor.data_type = {"float32": tensor.FLOAT, "uint8": tensor.UINT8}[place["dtype"]]
            tensor.dims.extend(place["shape"])
            tensor.data_location = tensor.EXTERNAL
            size = int(np.prod(place["shape"])) * (4 if place["dtype"] == "float32" else 1)
            for key, value in (("location", weights.FILE), ("offset", place["offset"]), ("length", size)):
                tensor.external_data.add(key=key, value=str(value))
            self.initializers[name] = tensor
        return name

    def linear(self, x: str, name: str) -> str:
        """x [N, in] times a stored matrix [out, in] -> [N, out]."""
        if self.index["bits"] == 32:
            return str(self.op("Gemm", x, self.stored(name), transB=1))
        out, blocks, block = self.index["tensors"][name + ".q8"]["shape"]
        return str(
            self.op(
                "MatMulNBits",
                x,
                self.stored(name + ".q8"),
                self.stored(name + ".scale"),
                domain=_MICROSOFT,
                K=blocks * block,
                N=out,
                bits=8,
                block_size=block,
                accuracy_level=4,  # int8 arithmetic
            )
        )

    def embed(self) -> str:
        if self.index["bits"] == 32:
            return str(self.op("Gather", self.stored("embed"), "ids"))
        zero = self.onnx.numpy_helper.from_array(np.array(weights.ZERO, dtype=np.float32), "zero")
        self.initializers["zero"] = zero
        values = self.op("Cast", self.op("Gather", self.stored("embed.q8"), "ids"), to=1)
        scale = self.op("Unsqueeze", self.op("Gather", self.stored("embed.scale"), "ids"), self.ints(2))
        blocks = self.op("Mul", self.op("Sub", values, "zero"), scale)
        return str(self.op("Reshape", blocks, self.ints(-1, self.arch.hidden)))

    def norm(self, x: str, name: str) -> str:
        epsilon = self.arch.norm_eps
        return str(self.op("SimplifiedLayerNormalization", x, self.stored(name), axis=-1, epsilon=epsilon))

    def heads(self, x: str, count: int, norm: str, positions: str) -> str:
        """Norm each head of x [N, count * D] and turn it by its position."""
        d = self.arch.head_dim
        x = self.norm(self.op("Reshape", x, self.ints(-1, count, d)), norm)
        # each token a row of its own: the kernel takes no row that is longer than the context
        x = self.op("Reshape", x, self.ints(-1, 1, count * d))
        cos, sin = self.stored("rope.cos"), self.stored("rope.sin")
        return str(self.op("RotaryEmbedding", x, positions, cos, sin, domain=_MICROSOFT))

    def shape(self, *parts: str) -> str:
        return str(self.op("Concat", *parts, axis=0))

    def size(self, of: str, axis: int) -> str:
        return str(self.op("Slice", self.op("Shape", of), self.ints(axis), self.ints(axis + 1)))

    def model(self) -> Any:
        a = self.arch
        g, r, d = self.ints(a.kv_heads), self.ints(a.repeat), self.ints(a.head_dim)
        n, b, s = self.size("ids", 0), self.size("grid", 0), self.size("grid", 1)
        p, c = self.size("prefix_v.0", 1), self.size("bias", 1)
        nr, one = self.op("Mul", n, r), self.ints(1)
        self.shapes = {
            "prefix_rows": self.shape(g, nr, d),
            "prefix_scores": self.shape(g, n, r, p),
            "prefix_weights": self.shape(g, nr, p),
            "flat": self.shape(g, n, r, d),
            "grid_rows": self.shape(g, b, "gang", d),
            "grid_new": self.shape(g, b, one, s, d),
            "grid_scores": self.shape(g, self.op("Mul", b, s), r, c),
            "grid_weights": self.shape(g, b, "gang", c),
            "suffix": self.shape(g, b, one, c, d),
            "grid_flat": self.shape(g, self.op("Mul", b, s), r, d),
            "split": self.shape(p, c),
        }
        self.cells = self.op("Reshape", "grid", self.ints(-1))
        self.place = self.op("Unsqueeze", "place", one)
        self.unplace = self.op("Transpose", self.place, perm=[0, 1, 3, 2])
        self.bias = self.op("Unsqueeze", "bias", self.ints(1))
        positions = self.op("Unsqueeze", "positions", self.ints(1))

        x = self.embed()
        for i in range(a.layers):
            x = self.op("Add", x, self.attention(i, self.norm(x, f"layers.{i}.attn_norm"), positions))
            h = self.linear(self.norm(x, f"layers.{i}.mlp_norm"), f"layers.{i}.gate_up")
            gate, up = self.op("Split", h, self.ints(a.ffn, a.ffn), n=2, axis=1)
            h = self.op("Mul", self.op("QuickGelu", gate, domain=_MICROSOFT, alpha=1.0), up)
            x = self.op("Add", x, self.linear(h, f"layers.{i}.down"))
        self.norm(x, "norm")
        self.name_last("hidden")
        self.linear(self.op("Gather", "hidden", "rows"), "embed")
        self.name_last("logits")
        return self.finish()

    def attention(self, i: int, x: str, positions: str) -> str:
        a, shapes = self.arch, self.shapes
        width, kv_width = a.heads * a.head_dim, a.kv_heads * a.head_dim
        qkv = self.linear(x, f"layers.{i}.qkv")
        q, k, v = self.op("Split", qkv, self.ints(width, kv_width, kv_width), n=3, axis=1)
        q = self.heads(q, a.heads, f"layers.{i}.q_norm", positions)
        k = self.heads(k, a.kv_heads, f"layers.{i}.k_norm", positions)
        q = self.op("Reshape", q, self.ints(-1, a.kv_heads, a.repeat, a.head_dim))
        q = self.op("Transpose", q, perm=[1, 0, 2, 3])  # [G, N, R, D]
        k = self.op("Transpose", self.op("Reshape", k, self.ints(-1, a.kv_heads, a.head_dim)), perm=[1, 0, 2])
        self.name_last(k := f"new_k.{i}")
        v = self.op("Transpose", self.op("Reshape", v, self.ints(-1, a.kv_heads, a.head_dim)), perm=[1, 0, 2])
        self.name_last(v := f"new_v.{i}")

        # every token against the prompt: one wide product per key/value head
        on_prefix = self.against(self.reshape(q, shapes["prefix_rows"]), f"prefix_k.{i}")
        on_prefix = self.reshape(on_prefix, shapes["prefix_scores"])
        # every token against its own branch: cached slots, and new tokens put into theirs
        q_grid = self.reshape(self.op("Gather", q, self.cells, axis=1), shapes["grid_rows"])
        k_new = self.reshape(self.op("Gather", k, self.cells, axis=1), shapes["grid_new"])
        v_new = self.reshape(self.op("Gather", v, self.cells, axis=1), shapes["grid_new"])
        on_cached = self.against(q_grid, self.reshape(f"suffix_k.{i}", shapes["suffix"]))
        on_new = self.op("MatMul", self.against(q_grid, k_new), self.place)
        on_suffix = self.reshape(self.op("Add", on_cached, on_new), shapes["grid_scores"])
        on_suffix = self.op("Add", self.op("Gather", on_suffix, "cell", axis=1), self.bias)

        share = self.op("Softmax", self.op("Concat", on_prefix, on_suffix, axis=-1), axis=-1)
        on_prefix, on_suffix = self.op("Split", share, shapes["split"], n=2, axis=-1)
        read = self.op("MatMul", self.reshape(on_prefix, shapes["prefix_weights"]), f"prefix_v.{i}")
        read = self.reshape(read, shapes["flat"])
        on_suffix = self.reshape(self.op("Gather", on_suffix, self.cells, axis=1), shapes["grid_weights"])
        cached = self.op("MatMul", on_suffix, self.reshape(f"suffix_v.{i}", shapes["suffix"]))
        new = self.op("MatMul", self.op("MatMul", on_suffix, self.unplace), v_new)
        own = self.op("Gather", self.reshape(self.op("Add", cached, new), shapes["grid_flat"]), "cell", axis=1)
        read = self.op("Transpose", self.op("Add", read, own), perm=[1, 0, 2, 3])
        return self.linear(self.op("Reshape", read, self.ints(-1, width)), f"layers.{i}.out")

    def against(self, queries: str, keys: str) -> str:
        return str(self.op("FusedMatMul", queries, keys, domain=_MICROSOFT, transB=1))

    def reshape(self, x: str, shape: str) -> str:
        """To a computed shape, in which 0 means 0: the prompt is empty while its first piece is read."""
        return str(self.op("Reshape", x, shape, allowzero=1))

    def finish(self) -> Any:
        helper, proto, a = self.onnx.helper, self.onnx.TensorProto, self.arch

        def value(name: str, kind: int, shape: Sequence[int | str]) -> Any:
            return helper.make_tensor_value_info(name, kind, shape)

        inputs = [
            value("ids", proto.INT64, ["N"]),
            value("positions", proto.INT64, ["N"]),
            value("grid", proto.INT64, ["B", "S"]),
            value("cell", proto.INT64, ["N"]),
            value("rows", proto.INT64, ["M"]),
            value("gang", proto.INT64, [2]),
            value("place", proto.FLOAT, ["B", "S", "C"]),
            value("bias", proto.FLOAT, ["N", "C"]),
        ]
        outputs = [
            value("logits", proto.FLOAT, ["M", a.vocab]),
            value("hidden", proto.FLOAT, ["N", a.hidden]),
        ]
        for i in range(a.layers):
            inputs += [
                value(f"prefix_k.{i}", proto.FLOAT, [a.kv_heads, "P", a.head_dim]),
                value(f"prefix_v.{i}", proto.FLOAT, [a.kv_heads, "P", a.head_dim]),
                value(f"suffix_k.{i}", proto.FLOAT, [a.kv_heads, "B", "C", a.head_dim]),
                value(f"suffix_v.{i}", proto.FLOAT, [a.kv_heads, "B", "C", a.head_dim]),
            ]
            outputs += [
                value(f"new_k.{i}", proto.FLOAT, [a.kv_heads, "N", a.head_dim]),
                value(f"new_v.{i}", proto.FLOAT, [a.kv_heads, "N", a.head_dim]),
            ]
        graph = helper.make_graph(self.nodes, "momus", inputs, outputs, list(self.initializers.values()))
        opsets = [helper.make_opsetid("", _OPSET), helper.make_opsetid(_MICROSOFT, 1)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=8, producer_name="momus")
