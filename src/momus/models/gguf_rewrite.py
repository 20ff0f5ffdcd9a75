"""A GGUF refused in a sentence where OpenVINO's reader would fail on it or misread it, else rewritten for that reader.

It takes Q8_0 as it is. It rounds Q4_K and Q4_1 to whole zero points (weights 9% off on average), differs by 0.02 in a
logit with Q6_K, makes 16-bit floats of norms and rotary frequencies where no matrix is quantised, and fails on Q5_0 and
32-bit matrices. So every matrix is stored as Q8_0: the graph then equals Hugging Face on these weights within 1e-4.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from momus.errors import MomusError
from momus.models.gguf_file import GGUF, Tensor, Writing, encoded, stored_size, write_gguf

FAMILIES = ("llama", "qwen2", "qwen3")
F32, F16, Q8_0 = 0, 1, 8  # GGML's numbers
_BLOCK = 32  # weights of a block of Q8_0
_AT_ONCE = 1 << 23  # weights in memory at a time
_MOSTLY_Q8_0 = 7  # what `general.file_type` must say for the reader to look for scales

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Shape:
    """The sizes of a decoder. `rope_base` is the base of its rotary frequencies, `epsilon` that of its norms."""

    family: str
    layers: int
    hidden: int
    ffn: int
    heads: int
    kv_heads: int
    head_dim: int
    vocabulary: int
    context: int
    rope_base: float
    epsilon: float

    def tensors(self) -> dict[str, tuple[int, ...]]:
        """The tensors that a model of these sizes must have, by name: [out, in] or [n]."""
        wide, narrow = self.heads * self.head_dim, self.kv_heads * self.head_dim
        found: dict[str, tuple[int, ...]] = {
            "token_embd.weight": (self.vocabulary, self.hidden),
            "output_norm.weight": (self.hidden,),
        }
        for layer in range(self.layers):
            of_layer: dict[str, tuple[int, ...]] = {
                "attn_norm.weight": (self.hidden,),
                "attn_q.weight": (wide, self.hidden),
                "attn_k.weight": (narrow, self.hidden),
                "attn_v.weight": (narrow, self.hidden),
                "attn_output.weight": (self.hidden, wide),
                "ffn_norm.weight": (self.hidden,),
                "ffn_gate.weight": (self.ffn, self.hidden),
                "ffn_up.weight": (self.ffn, self.hidden),
                "ffn_down.weight": (self.hidden, self.ffn),
            }
            if self.family == "qwen2":
                of_layer |= {"attn_q.bias": (wide,), "attn_k.bias": (narrow,), "attn_v.bias": (narrow,)}
            if self.family == "qwen3":
                of_layer |= {"attn_q_norm.weight": (self.head_dim,), "attn_k_norm.weight": (self.head_dim,)}
            found |= {f"blk.{layer}.{name}": shape for name, shape in of_layer.items()}
        return found


def shape_of(source: GGUF) -> Shape:
    """The sizes of a model that can be read. Raises MomusError, in a sentence, on any that can't."""
    path, family = source.path, source.family
    if family not in FAMILIES:
        raise MomusError(f"{path} is a model of the family {family!r}; those read here are {', '.join(FAMILIES)}")
    if source.metadata.get("split.count", 0) not in (0, 1):
        raise MomusError(f"{path} is one part of several: join them first (llama-gguf-split --merge)")
    hidden, heads = _whole(source, "embedding_length"), _whole(source, "attention.head_count")
    found = Shape(
        family=family,
        layers=_whole(source, "block_count"),
        hidden=hidden,
        ffn=_whole(source, "feed_forward_length"),
        heads=heads,
        kv_heads=_whole(source, "attention.head_count_kv", heads),
        head_dim=_whole(source, "attention.key_length", hidden // heads),
        vocabulary=len(source.metadata.get("tokenizer.ggml.tokens") or ()),
        context=_whole(source, "context_length", 2048),
        rope_base=_real(source, "rope.freq_base", 10000.0),
        epsilon=_real(source, "attention.layer_norm_rms_epsilon"),
    )
    _refuse_other_attention(source, found)
    _refuse_other_tensors(source, found)
    return found


def _refuse_other_attention(source: GGUF, shape: Shape) -> None:
    same = {
        "attention.value_length": shape.head_dim,
        "rope.dimension_count": shape.head_dim,
        "expert_count": 0,
        "attention.sliding_window": None,
        "rope.scaling.type": "none",
    }
    for key, value in same.items():
        if (found := source.of_model(key)) not in (None, value):
            raise MomusError(f"{source.path} has {key} = {found!r}, which is not read here")
    if shape.head_dim % 2 or shape.heads % shape.kv_heads:
        raise MomusError(f"{source.path} is damaged: its attention heads do not add up; fetch it again")


def _refuse_other_tensors(source: GGUF, shape: Shape) -> None:
    needed = shape.tensors()
    optional = {"output.weight": needed["token_embd.weight"]}
    held = {tensor.name: tensor for tensor in source.tensors}
    if missing := [name for name in needed if name not in held]:
        raise MomusError(f"{source.path} lacks {missing[0]}, which a model of the family {shape.family} has")
    for name, tensor in held.items():
        if (due := needed.get(name) or optional.get(name)) is None:
            raise MomusError(f"{source.path} holds {name}, which is not read here in the family {shape.family}")
        if tensor.shape != due:
            raise MomusError(f"{source.path} is damaged: {name} is {tensor.shape} and not {due}; fetch it again")
    for kind in sorted({tensor.kind for tensor in source.tensors}):
        _refuse_unreadable(source.path, kind)


def _refuse_unreadable(path: Path, kind: int) -> None:
    import gguf

    known = gguf.GGMLQuantizationType(kind)
    block = np.zeros((1, gguf.GGML_QUANT_SIZES[known][1]), np.uint8)
    try:
        gguf.quants.dequantize(block, known)
    except NotImplementedError:
        raise MomusError(f"{path} stores tensors as {known.name}, which is not read here") from None


def _whole(source: GGUF, key: str, default: int | None = None) -> int:
    found = source.of_model(key, default)
    if isinstance(found, bool) or not isinstance(found, int) or found < 1:
        raise MomusError(f"{source.path} has {key} = {found!r}, which is not read here")
    return found


def _real(source: GGUF, key: str, default: float | None = None) -> float:
    found = source.of_model(key, default)
    if not isinstance(found, int | float) or not math.isfinite(found) or found <= 0:
        raise MomusError(f"{source.path} has {key} = {found!r}, which is not read here")
    return float(found)


def kind_kept(shape: tuple[int, ...]) -> int:
    """How a tensor is stored: vectors as 32-bit floats, matrices as Q8_0, or as F16 where rows aren't blocks of 32."""
    if len(shape) == 1:
        return F32
    return F16 if shape[-1] % _BLOCK else Q8_0


def rewrite(source: GGUF, shape: Shape, out: Path) -> Iterator[float]:
    """Write at `out` what the reader needs of a file, in the types that it takes as they are; yields the share done.

    Raises MomusError on weights that no 16-bit float can hold, OSError where the disk is full.
    """
    data = np.memmap(source.path, np.uint8, "r")
    writings = [_writing(source.path, data, tensor) for tensor in source.tensors]
    yield from write_model(shape, writings, out)


def write_model(shape: Shape, writings: list[Writing], out: Path) -> Iterator[float]:
    """Write a model whose tensors are kept as `kind_kept` has it; yields the share that is done. Raises OSError."""
    keys = reader_keys(shape)
    total = sum(writing.size for writing in writings)
    done = 0
    for size in write_gguf(out, [encoded(key, value) for key, value in keys.items()], writings):
        done += size
        yield done / total


def reader_keys(shape: Shape) -> Mapping[str, Any]:
    """What the reader asks of a file besides tensors. Its tokenizer is a stand-in: ours is not made by the reader."""
    of = shape.family
    return {
        "general.architecture": of,
        "general.file_type": _MOSTLY_Q8_0,
        f"{of}.block_count": shape.layers,
        f"{of}.context_length": shape.context,
        f"{of}.embedding_length": shape.hidden,
        f"{of}.feed_forward_length": shape.ffn,
        f"{of}.attention.head_count": shape.heads,
        f"{of}.attention.head_count_kv": shape.kv_heads,
        f"{of}.attention.key_length": shape.head_dim,
        f"{of}.attention.value_length": shape.head_dim,
        f"{of}.attention.layer_norm_rms_epsilon": shape.epsilon,
        f"{of}.rope.freq_base": shape.rope_base,
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "qwen2",
        "tokenizer.ggml.tokens": ["a", "b", "ab", "<end>"],
        "tokenizer.ggml.token_type": [1, 1, 1, 3],
        "tokenizer.ggml.merges": ["a b"],
        "tokenizer.ggml.bos_token_id": 3,
        "tokenizer.ggml.eos_token_id": 3,
        "tokenizer.ggml.padding_token_id": 3,
        "tokenizer.chat_template": "{{ messages[0]['content'] }}",
    }


def _writing(path: Path, data: npt.NDArray[np.uint8], tensor: Tensor) -> Writing:
    kind = kind_kept(tensor.shape)
    stored = data[tensor.at : tensor.at + tensor.size].reshape(math.prod(tensor.shape[:-1]), -1)
    if kind == tensor.kind:
        blocks = (stored[a:b].tobytes() for a, b in _pieces(tensor.shape))
    else:
        blocks = (as_kind(_floats(stored[a:b], tensor.kind), kind, path) for a, b in _pieces(tensor.shape))
    return Writing(tensor.name, tensor.shape, kind, stored_size(tensor.shape, kind, path), blocks)


def _pieces(shape: tuple[int, ...]) -> Iterator[tuple[int, int]]:
    """Rows from and to, so many at a time that they fit into memory."""
    rows, at_once = math.prod(shape[:-1]), max(1, _AT_ONCE // shape[-1])
    return ((start, min(rows, start + at_once)) for start in range(0, rows, at_once))


def _floats(stored: npt.NDArray[np.uint8], kind: int) -> Floats:
    import gguf

    found: Floats = gguf.quants.dequantize(stored, gguf.GGMLQuantizationType(kind)).astype(np.float32)
    return found


def as_kind(values: Floats, kind: int, path: Path) -> bytes:
    """Rows of weights as F32, F16 or Q8_0 stores them. Raises MomusError on what 16 bits can't hold."""
    import gguf

    if not np.isfinite(values).all() or (kind != F32 and np.abs(values).max(initial=0) > np.finfo(np.float16).max):
        raise MomusError(f"{path} holds weights that are no number, or too large to be one; fetch it again")
    found: bytes = gguf.quants.quantize(values, gguf.GGMLQuantizationType(kind)).tobytes()
    return found
