"""The weights file of a bundle: every tensor in one `weights.bin`, found through an index, for both runtimes.

Matrices stand as in Hugging Face, [out, in], with those that read the same input joined (q, k and v; gate and up). The
1/sqrt(head_dim) of attention is folded into the query norm. With 8 bits a matrix is kept as `NAME.q8`, uint8
[out, in / 32, 32] around 128, and `NAME.scale`, float32 [out, in / 32]; everything else is float32.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from momus.errors import MomusError
from momus.models.arch import Arch

FILE = "weights.bin"
BLOCK = 32
ZERO = 128
_ALIGN = 64
_DTYPES: dict[str, np.dtype[Any]] = {"float32": np.dtype("<f4"), "uint8": np.dtype("u1")}

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.floating[Any]]  # float32 throughout; arithmetic is typed more widely
Index = dict[str, Any]


def join(arch: Arch, tensors: Mapping[str, Array]) -> dict[str, Floats]:
    """The bundle's float32 tensors from those of a Hugging Face Qwen3. MomusError where one is missing or odd."""

    def take(name: str, *shape: int) -> Floats:
        if name not in tensors:
            raise MomusError(f"the checkpoint has no tensor {name}; export from a Qwen3 checkpoint of `momus train`")
        found = np.asarray(tensors[name], dtype=np.float32)
        if found.shape != shape:
            raise MomusError(f"tensor {name} has shape {found.shape} where the configuration says {shape}")
        return found

    width, kv_width = arch.heads * arch.head_dim, arch.kv_heads * arch.head_dim
    joined = {"embed": take("model.embed_tokens.weight", arch.vocab, arch.hidden)}
    for i in range(arch.layers):
        hf, own = f"model.layers.{i}.", f"layers.{i}."
        joined[own + "attn_norm"] = take(hf + "input_layernorm.weight", arch.hidden)
        joined[own + "qkv"] = np.concatenate(
            [
                take(hf + "self_attn.q_proj.weight", width, arch.hidden),
                take(hf + "self_attn.k_proj.weight", kv_width, arch.hidden),
                take(hf + "self_attn.v_proj.weight", kv_width, arch.hidden),
            ]
        )
        q_norm = take(hf + "self_attn.q_norm.weight", arch.head_dim)
        joined[own + "q_norm"] = (q_norm * np.float32(arch.head_dim**-0.5)).astype(np.float32)
        joined[own + "k_norm"] = take(hf + "self_attn.k_norm.weight", arch.head_dim)
        joined[own + "out"] = take(hf + "self_attn.o_proj.weight", arch.hidden, width)
        joined[own + "mlp_norm"] = take(hf + "post_attention_layernorm.weight", arch.hidden)
        joined[own + "gate_up"] = np.concatenate(
            [
                take(hf + "mlp.gate_proj.weight", arch.ffn, arch.hidden),
                take(hf + "mlp.up_proj.weight", arch.ffn, arch.hidden),
            ]
        )
        joined[own + "down"] = take(hf + "mlp.down_proj.weight", arch.hidden, arch.ffn)
    joined["norm"] = take("model.norm.weight", arch.hidden)
    joined["rope.cos"], joined["rope.sin"] = rope_tables(arch)
    return joined


def shapes(arch: Arch) -> dict[str, tuple[int, ...]]:
    """The names and shapes of the float32 tensors of a model."""
    width, kv_width = arch.heads * arch.head_dim, arch.kv_heads * arch.head_dim
    layer: dict[str, tuple[int, ...]] = {
        "attn_norm": (arch.hidden,),
        "qkv": (width + 2 * kv_width, arch.hidden),
        "q_norm": (arch.head_dim,),
        "k_norm": (arch.head_dim,),
        "out": (arch.hidden, width),
        "mlp_norm": (arch.hidden,),
        "gate_up": (2 * arch.ffn, arch.hidden),
        "down": (arch.hidden, arch.ffn),
    }
    rope = (arch.context, arch.head_dim // 2)
    all_layers = {f"layers.{i}.{name}": shape for i in range(arch.layers) for name, shape in layer.items()}
    whole: dict[str, tuple[int, ...]] = {"embed": (arch.vocab, arch.hidden), "norm": (arch.hidden,)}
    return {**whole, **all_layers, "rope.cos": rope, "rope.sin": rope}


def rope_tables(arch: Arch) -> tuple[Floats, Floats]:
    """Cosines and sines [context, head_dim / 2] of the rotary positions."""
    frequency = arch.rope_theta ** -(np.arange(0, arch.head_dim, 2) / arch.head_dim)
    angle = np.arange(arch.context)[:, None] * frequency[None, :]
    return np.cos(angle).astype(np.float32), np.sin(angle).astype(np.float32)


def quantise(matrix: Floats) -> tuple[npt.NDArray[np.uint8], Floats]:
    """Symmetric 8 bits over blocks of 32 along a row. Raises MomusError unless the rows are a multiple of 32 wide."""
    rows, width = matrix.shape
    if width % BLOCK:
        raise MomusError(
            f"8-bit weights need sizes that are multiples of {BLOCK}, not {width}; choose others or 32 bits"
        )
    blocks = matrix.reshape(rows, width // BLOCK, BLOCK)
    scale = (np.abs(blocks).max(axis=2) / 127).astype(np.float32)
    safe = np.where(scale > 0, scale, np.float32(1))
    return (np.rint(blocks / safe[:, :, None]) + ZERO).astype(np.uint8), scale


def dequantise(q8: npt.NDArray[np.uint8], scale: Floats) -> Floats:
    """The float32 matrix [out, in] that `quantise` stands for."""
    blocks = (q8.astype(np.float32) - np.float32(ZERO)) * scale[:, :, None]
    return blocks.reshape(q8.shape[0], -1)


def save(joined: Mapping[str, Floats], folder: Path, bits: Literal[8, 32]) -> Index:
    """Write `weights.bin` into a folder and return its index: bits, size in bytes, and each tensor's place."""
    places: dict[str, dict[str, Any]] = {}
    offset = 0
    with (folder / FILE).open("wb") as out:

        def put(name: str, array: Array) -> None:
            nonlocal offset
            offset += out.write(b"\0" * (-offset % _ALIGN))
            places[name] = {"dtype": array.dtype.name, "shape": list(array.shape), "offset": offset}
            offset += out.write(np.ascontiguousarray(array.astype(_DTYPES[array.dtype.name])).tobytes())

        for name, array in joined.items():
            if bits == 8 and array.ndim == 2 and not name.startswith("rope."):
                q8, scale = quantise(array)
                put(name + ".q8", q8)
                put(name + ".scale", scale)
            else:
                put(name, array)
    return {"bits": bits, "bytes": offset, "tensors": places}


def load(folder: Path, index: Index) -> dict[str, Floats]:
    """Read every tensor as float32, 8-bit ones dequantised. MomusError where file and index do not fit."""
    path = folder / FILE
    try:
        raw = np.fromfile(path, dtype=np.uint8)
        if raw.size != index["bytes"]:
            raise ValueError(f"{raw.size:,} bytes instead of {index['bytes']:,}")
        stored = {name: _view(raw, place) for name, place in index["tensors"].items()}
        dense = {name: array for name, array in stored.items() if not name.endswith((".q8", ".scale"))}
        for name in (n.removesuffix(".q8") for n in stored if n.endswith(".q8")):
            dense[name] = dequantise(stored[name + ".q8"], stored[name + ".scale"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise MomusError(
            f"the weights {path} cannot be read ({error}); reinstall or export the bundle again"
        ) from error
    return dense


def rows(folder: Path, index: Index, name: str, which: Sequence[int]) -> Floats:
    """Some rows of one matrix as float32, without reading the others. Raises KeyError without such a matrix."""
    stored = index["tensors"]
    raw = np.memmap(folder / FILE, dtype=np.uint8, mode="r")
    if name in stored:
        return np.asarray(_view(raw, stored[name])[list(which)], dtype=np.float32)
    q8, scale = (_view(raw, stored[name + part])[list(which)] for part in (".q8", ".scale"))
    return dequantise(q8, scale)


def _view(raw: npt.NDArray[np.uint8], place: Mapping[str, Any]) -> Array:
    dtype, shape, offset = _DTYPES[place["dtype"]], tuple(place["shape"]), place["offset"]
    size = int(np.prod(shape)) * dtype.itemsize
    if offset + size > raw.size:
        raise ValueError("a tensor runs past the end")
    found: Array = raw[offset : offset + size].view(dtype).reshape(shape)
    return found
