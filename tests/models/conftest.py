"""A tiny random Qwen3, written as graphs of 32 and 8 bits, its twin in Hugging Face, and a vocabulary of bytes."""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # waiting threads would take the cores from each other

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from momus.bench.random_weights import tensors
from momus.models import graph
from momus.models.arch import Arch
from momus.models.numpy_backend import NumpyRuntime
from momus.models.onnx_backend import OnnxRuntime
from momus.models.runtime import Runtime

TINY = Arch(vocab=300, hidden=64, layers=3, heads=4, kv_heads=2, head_dim=32, ffn=96, context=512)


class Bytes:
    """Opener, closer, end, 17 line markers, then the 256 bytes."""

    open, close, end = 0, 1, 2
    first = 20

    def encode(self, text: str) -> list[int]:
        return [byte + self.first for byte in text.encode("utf-8", "surrogatepass")]

    def decode(self, ids: list[int]) -> str:
        return bytes(max(0, i - self.first) % 256 for i in ids).decode("utf-8", "replace")

    def quote_line(self, number: int, text: str) -> list[int]:
        return [2 + number, *self.encode(text)]


class PlainBytes(Bytes):
    """The same without line numbers: equal lines cannot be told apart."""

    def quote_line(self, number: int, text: str) -> list[int]:
        return self.encode(text)


@dataclass(frozen=True)
class Bundle:
    arch: Arch
    folder: Path
    index: dict[str, Any]

    def onnx(self) -> Runtime:
        return OnnxRuntime(self.folder, self.arch, self.index)

    def numpy(self) -> Runtime:
        return NumpyRuntime(self.folder, self.arch, self.index)


@pytest.fixture(scope="session")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Bundle]:
    made = {}
    for bits in (32, 8):
        folder = tmp_path_factory.mktemp(f"bundle{bits}")
        index = graph.write(TINY, tensors(TINY, seed=1, scale=0.12), folder, bits)  # type: ignore[arg-type]
        made[bits] = Bundle(TINY, folder, index)
    return made


@pytest.fixture(scope="session", params=["onnx", "numpy"])
def runtime(request: pytest.FixtureRequest, bundles: dict[int, Bundle]) -> Runtime:
    """The float32 model on each runtime."""
    made: Runtime = getattr(bundles[32], request.param)()
    return made


@pytest.fixture(scope="session")
def int8(bundles: dict[int, Bundle]) -> Runtime:
    return bundles[8].onnx()


@pytest.fixture(scope="session")
def reference() -> Callable[[Sequence[int]], np.ndarray]:
    """Logits [n, vocab] of Hugging Face for a sequence of token ids, without any cache."""
    import torch
    from transformers import Qwen3Config, Qwen3ForCausalLM

    torch.set_num_threads(1)
    model = Qwen3ForCausalLM(Qwen3Config(**TINY.to_hf())).eval()
    state = {name: torch.from_numpy(array) for name, array in tensors(TINY, seed=1, scale=0.12).items()}
    missing, unexpected = model.load_state_dict(state, strict=False)
    assert missing in ([], ["lm_head.weight"]) and not unexpected
    model.tie_weights()

    def logits(ids: Sequence[int]) -> np.ndarray:
        with torch.no_grad():
            found: np.ndarray = model(torch.tensor([list(ids)])).logits[0].numpy()
        return found

    return logits


@pytest.fixture(scope="session")
def tiny() -> Arch:
    return TINY


@pytest.fixture(scope="session")
def vocabulary() -> Bytes:
    return Bytes()


@pytest.fixture(scope="session")
def plain_vocabulary() -> PlainBytes:
    return PlainBytes()
