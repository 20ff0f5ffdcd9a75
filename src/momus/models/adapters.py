"""Low-rank adapters as peft writes them: `adapter_config.json` and `adapter_model.safetensors` (Hu et al. 2021)."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from momus.decode import from_json
from momus.errors import MomusError

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
Sizes = Mapping[tuple[int, str], tuple[int, int]]  # (in, out) by layer and projection
_NAME = re.compile(r"base_model\.model\.model\.layers\.(\d+)\.(?:self_attn|mlp)\.(\w+)\.lora_([AB])\.weight")
_NOT_DONE = {"use_dora": False, "bias": "none", "modules_to_save": None, "fan_in_fan_out": False}
_BLOCK = dict.fromkeys(("gate_proj", "up_proj", "down_proj"), "mlp") | dict.fromkeys(
    ("q_proj", "k_proj", "v_proj", "o_proj"), "self_attn"
)
_KINDS = {"F32": np.float32, "F16": np.float16, "F64": np.float64}


@dataclass(frozen=True, slots=True)
class Adapter:
    """A [rank, in] and B [out, rank], which has the scale in it, by layer and projection."""

    values: Mapping[tuple[int, str], tuple[npt.NDArray[Any], npt.NDArray[Any]]]


def read_adapter(folder: Path, sizes: Sizes) -> Adapter:
    """An adapter for a model with these projections; ranks may differ, and any projection may be left out.

    Raises MomusError on files that are missing or damaged, on another kind of adapter, and on one of another base.
    """
    try:
        config = from_json((folder / CONFIG).read_text(encoding="utf-8"))
        tensors = _tensors(folder / WEIGHTS)
        rank, alpha = int(config["r"]), float(config["lora_alpha"])
        kind = config.get("peft_type")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise MomusError(f"{folder} holds no adapter of peft ({error}); give the folder with {CONFIG}") from error
    if kind != "LORA":
        raise MomusError(f"the adapter {folder} is of the kind {kind}; only LORA is read")
    for setting, plain in _NOT_DONE.items():
        if config.get(setting, plain) not in (plain, []):
            raise MomusError(f"the adapter {folder} was trained with {setting}={config[setting]}, which is not read")
    pairs: dict[tuple[int, str], dict[str, npt.NDArray[Any]]] = {}
    for name, values in tensors.items():
        match = _NAME.fullmatch(name)
        if match is None or (int(match[1]), match[2]) not in sizes:
            raise MomusError(f"the adapter {folder} is of another base: this model has no {name}")
        pairs.setdefault((int(match[1]), match[2]), {})[match[3]] = values
    if not pairs:
        raise MomusError(f"the adapter {folder} is empty; train it anew")
    found = {}
    for (layer, projection), pair in pairs.items():
        width, out = sizes[layer, projection]
        a, b = pair.get("A"), pair.get("B")
        if a is None or b is None or a.ndim != 2 or a.shape[1] != width or b.shape != (out, a.shape[0]):
            raise MomusError(
                f"the adapter {folder} is of another base: {projection} of layer {layer} is {width} by {out} here"
            )
        path = f"model.layers.{layer}.{_BLOCK[projection]}.{projection}"
        r = _by_pattern(config.get("rank_pattern"), path, rank)
        scale = _by_pattern(config.get("alpha_pattern"), path, alpha)
        scale /= math.sqrt(r) if config.get("use_rslora") else r
        found[layer, projection] = (a.astype(np.float32), b.astype(np.float32) * np.float32(scale))
    return Adapter(found)


def adapter_digest(folder: Path) -> str:
    """The SHA-256 of an adapter's values and of what they are scaled by."""
    config = from_json((folder / CONFIG).read_text(encoding="utf-8"))
    scaled = repr([config.get(key) for key in ("r", "lora_alpha", "use_rslora", "rank_pattern", "alpha_pattern")])
    return hashlib.sha256(scaled.encode() + (folder / WEIGHTS).read_bytes()).hexdigest()


def _by_pattern(patterns: Mapping[str, float] | None, path: str, usual: float) -> float:
    """What peft's `rank_pattern` or `alpha_pattern` says of a module: keys are expressions of the end of its path."""
    for key, value in (patterns or {}).items():
        if re.match(rf"(.*\.)?({key})$", path):
            return float(value)
    return usual


def _tensors(path: Path) -> dict[str, npt.NDArray[Any]]:
    """The arrays of a safetensors file. ValueError where it is damaged, OSError where it cannot be read."""
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    if len(data) < 8 + length:
        raise ValueError(f"{path.name} is cut off")
    header = from_json(data[8 : 8 + length])
    found = {}
    for name, about in header.items():
        if name == "__metadata__":
            continue
        first, last = (8 + length + offset for offset in about["data_offsets"])
        if last > len(data):
            raise ValueError(f"{path.name} is cut off")
        raw = data[first:last]
        if about["dtype"] == "BF16":
            values = (np.frombuffer(raw, dtype="<u2").astype(np.uint32) << 16).view(np.float32)
        else:
            values = np.frombuffer(raw, dtype=_KINDS[about["dtype"]])
        found[name] = values.reshape(about["shape"])
    return found
