"""A folder of Hugging Face (config.json, safetensors, tokenizer.json): sizes, tokenizer, tensors, as a GGUF has them.

Read without torch or transformers. The three families and tokenizers are those that are read from GGUF files.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from momus.errors import MomusError
from momus.models.gguf_file import Writing, stored_size
from momus.models.gguf_rewrite import AT_ONCE, FAMILIES, Floats, Shape, as_kind, kind_kept
from momus.models.tokens import Vocabulary, pre_of

_NAMES = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "attn_q_norm": "self_attn.q_norm",
    "attn_k_norm": "self_attn.k_norm",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
_WHOLE = {"token_embd": "model.embed_tokens", "output_norm": "model.norm", "output": "lm_head"}
_DTYPES = {"F32": "<f4", "F16": "<f2", "BF16": "<u2"}


@dataclass(frozen=True, slots=True)
class Folder:
    """A checkpoint's sizes and tokenizer, and its tensors ready to be written as a GGUF has them."""

    shape: Shape
    vocabulary: Vocabulary
    tensors: list[Writing]


@dataclass(frozen=True, slots=True)
class _Stored:
    file: Path
    dtype: str
    shape: tuple[int, ...]
    at: int


def read_folder(path: Path) -> Folder:
    """Read a checkpoint; its weights are read when they are written. Raises MomusError on what can't be converted."""
    config = _json(path / "config.json")
    shape = _shape(path, config)
    stored = _stored(path)
    tensors = [_writing(path, name, due, shape, stored) for name, due in shape.tensors().items()]
    used = {_name(name) for name in shape.tensors()}
    if "lm_head.weight" in stored and not config.get("tie_word_embeddings", False):
        tensors.append(_writing(path, "output.weight", (shape.vocabulary, shape.hidden), shape, stored))
    if others := sorted(set(stored) - used - {"lm_head.weight"}):
        raise MomusError(f"{path} holds {others[0]}, which is not read here in the family {shape.family}")
    return Folder(shape, _vocabulary(path, config, shape.vocabulary), tensors)


def _shape(path: Path, config: Mapping[str, Any]) -> Shape:
    family = config.get("model_type")
    if family not in FAMILIES:
        raise MomusError(f"{path} is a model of the family {family!r}; those read here are {', '.join(FAMILIES)}")
    rope = config.get("rope_parameters") or config.get("rope_scaling") or {}
    unread = {
        "quantization_config": config.get("quantization_config"),
        "rope scaling": None if rope.get("rope_type", rope.get("type", "default")) == "default" else rope,
        "use_sliding_window": config.get("use_sliding_window") or None,
        "mlp_bias": config.get("mlp_bias") or None,
        "attention_bias": (family != "qwen2" and config.get("attention_bias")) or None,
        "hidden_act": None if config.get("hidden_act", "silu") == "silu" else config["hidden_act"],
    }
    for key, value in unread.items():
        if value is not None:
            raise MomusError(f"{path} has {key} = {value!r}, which is not read here")
    try:
        heads, hidden = int(config["num_attention_heads"]), int(config["hidden_size"])
        return Shape(
            family=family,
            layers=int(config["num_hidden_layers"]),
            hidden=hidden,
            ffn=int(config["intermediate_size"]),
            heads=heads,
            kv_heads=int(config.get("num_key_value_heads") or heads),
            head_dim=int(config.get("head_dim") or hidden // heads),
            vocabulary=int(config["vocab_size"]),
            context=int(config.get("max_position_embeddings", 2048)),
            rope_base=float(rope.get("rope_theta") or config.get("rope_theta") or 10000.0),
            epsilon=float(config["rms_norm_eps"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise MomusError(f"{path / 'config.json'} lacks a size, or one is no number: {error}") from None


def _stored(path: Path) -> dict[str, _Stored]:
    """Where each tensor of the checkpoint stands, by its name."""
    files = sorted(path.glob("*.safetensors"))
    if not files:
        raise MomusError(f"{path} holds no .safetensors file: other checkpoints are not read")
    found: dict[str, _Stored] = {}
    for file in files:
        try:
            with file.open("rb") as data:
                length = struct.unpack("<Q", data.read(8))[0]
                if length > file.stat().st_size:
                    raise ValueError
                header = json.loads(data.read(length))
            for name, told in header.items():
                if name != "__metadata__":
                    start, end = told["data_offsets"]
                    if 8 + length + end > file.stat().st_size:
                        raise ValueError
                    found[name] = _Stored(file, told["dtype"], tuple(told["shape"]), 8 + length + start)
        except (OSError, struct.error, ValueError, KeyError, TypeError, AttributeError):
            raise MomusError(f"{file} is no whole safetensors file: fetch it again") from None
    return found


def _writing(path: Path, name: str, due: tuple[int, ...], shape: Shape, stored: Mapping[str, _Stored]) -> Writing:
    tensor = stored.get(_name(name))
    if tensor is None:
        raise MomusError(f"{path} lacks {_name(name)}, which a model of the family {shape.family} has")
    if tensor.shape != due or tensor.dtype not in _DTYPES:
        raise MomusError(f"{path}: {_name(name)} is {tensor.dtype} {tensor.shape}; F32, F16 or BF16 {due} is read")
    heads = {"attn_q.weight": shape.heads, "attn_k.weight": shape.kv_heads}.get(
        name.rpartition("blk.")[2].partition(".")[2]
    )
    kind = kind_kept(due)
    blocks = (as_kind(rows, kind, path) for rows in _rows(tensor, heads if shape.family == "llama" else None))
    return Writing(name, due, kind, stored_size(due, kind, path), blocks)


def _rows(tensor: _Stored, paired: int | None) -> Iterator[Floats]:
    """Rows so many at a time that they fit into memory. With `paired` heads, a Llama's q or k: from the halves that
    Hugging Face rotates to the pairs that a GGUF rotates next to each other."""
    data = np.memmap(tensor.file, _DTYPES[tensor.dtype], "r", tensor.at, tensor.shape)
    rows: npt.NDArray[np.intp] = np.arange(len(data))
    if paired is not None:
        rows = rows.reshape(paired, 2, len(data) // paired // 2).swapaxes(1, 2).reshape(-1)
    at_once = max(1, AT_ONCE // math.prod(tensor.shape[1:])) if data.ndim > 1 else len(data)
    for start in range(0, len(data), at_once):
        taken = data[rows[start : start + at_once]]
        if tensor.dtype == "BF16":  # the upper half of a 32-bit float
            yield (taken.astype(np.uint32) << 16).view(np.float32)
        else:
            yield taken.astype(np.float32)


def _name(name: str) -> str:
    """What Hugging Face calls a tensor of a GGUF."""
    stem, _, kind = name.rpartition(".")
    if stem in _WHOLE:
        return f"{_WHOLE[stem]}.{kind}"
    _, layer, part = stem.split(".")
    return f"model.layers.{layer}.{_NAMES[part]}.{kind}"


def _vocabulary(path: Path, config: Mapping[str, Any], size: int) -> Vocabulary:
    tokenizer, settings = _json(path / "tokenizer.json"), _json(path / "tokenizer_config.json", needed=False)
    try:
        model = tokenizer["model"]
        pre = pre_of(tokenizer)
        named: dict[str, int] = dict(model["vocab"])
        kinds = dict.fromkeys(named.values(), 1)
        for added in tokenizer.get("added_tokens") or ():
            named[added["content"]] = added["id"]
            kinds[added["id"]] = 3 if added["special"] else 4
        tokens = {id: token for token, id in named.items()}
        merges = tuple(merge if isinstance(merge, str) else " ".join(merge) for merge in model["merges"])
    except (KeyError, TypeError, ValueError, AttributeError):
        raise MomusError(f"{path / 'tokenizer.json'} is damaged: fetch it again") from None
    if pre is None:
        raise MomusError(f"{path} has a tokenizer of an unknown kind; read are those of Qwen2 and 3, SmolLM2, Llama 3")
    if tokens and max(tokens) >= size:
        raise MomusError(f"{path} has {max(tokens) + 1} tokens and a model of {size}")
    ends = [_json(path / "generation_config.json", needed=False).get("eos_token_id"), config.get("eos_token_id")]
    listed = [id for end in ends for id in (end if isinstance(end, list) else [end])]
    begin = settings.get("bos_token")
    return Vocabulary(
        pre=pre,
        tokens=tuple(tokens.get(id, f"[PAD{id}]") for id in range(size)),
        kinds=tuple(kinds.get(id, 5) for id in range(size)),
        merges=merges,
        template=_template(path, settings),
        bos=named.get(begin["content"] if isinstance(begin, dict) else begin or ""),
        eos=tuple(dict.fromkeys(id for id in listed if isinstance(id, int) and 0 <= id < size)),
    )


def _template(path: Path, settings: Mapping[str, Any]) -> str | None:
    if (file := path / "chat_template.jinja").is_file():
        return file.read_text(encoding="utf-8")
    found = settings.get("chat_template")
    if isinstance(found, list):  # several by name
        found = next((one.get("template") for one in found if one.get("name") == "default"), None)
    return found if isinstance(found, str) else None


def _json(path: Path, *, needed: bool = True) -> dict[str, Any]:
    if not needed and not path.is_file():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise MomusError(f"can't read {path}: {error.strerror or error}") from None
    except ValueError:
        raise MomusError(f"{path} is no JSON: fetch it again") from None
    if not isinstance(found, dict):
        raise MomusError(f"{path} is not what it should be: fetch it again")
    return found
