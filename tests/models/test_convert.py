"""Weights become a graph in the cache: once, whole or not at all, and equal to Hugging Face on the same weights."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hf_of_gguf import hf_of_gguf, rewritten
from momus.errors import MomusError
from momus.models import convert
from momus.models.convert import Converted, check_memory, converted
from momus.models.openvino_package import openvino
from momus.models.stored import graphs_folder
from tiny_gguf import write_tiny_gguf

EXACT = {
    "EXECUTION_MODE_HINT": "ACCURACY",
    "INFERENCE_PRECISION_HINT": "f32",
    "KV_CACHE_PRECISION": "f32",
    "DYNAMIC_QUANTIZATION_GROUP_SIZE": "0",
}
CONVERT = (
    "import sys; from pathlib import Path; from momus.models.convert import converted; converted(Path(sys.argv[1]))"
)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MOMUS_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture(scope="session")
def real(smollm2: Path) -> Converted:
    """SmolLM2, converted once per machine into the user's cache."""
    return converted(smollm2)


def logits(graph: Path, ids: Sequence[int]) -> np.ndarray:
    """Logits [n, vocabulary] of one pass in 32 bits."""
    request = openvino().Core().compile_model(graph, "CPU", EXACT).create_infer_request()
    given = {
        "input_ids": np.array([ids]),
        "attention_mask": np.ones((1, len(ids)), np.int64),
        "position_ids": np.arange(len(ids))[None],
        "beam_idx": np.zeros(1, np.int32),
    }
    request.infer(given)
    found: np.ndarray = request.get_output_tensor(0).data[0].astype(np.float32)
    return found


def reference(weights: Path, ids: Sequence[int], folder: Path) -> np.ndarray:
    import torch

    torch.set_num_threads(1)
    with torch.no_grad():
        found: np.ndarray = (
            hf_of_gguf(rewritten(weights, folder / "rewritten.gguf"))(torch.tensor([ids])).logits[0].numpy()
        )
    return found


@pytest.mark.parametrize(
    ("family", "kind", "sizes"),
    [
        ("llama", "Q4_K", {"hidden": 256, "ffn": 512, "head_dim": 64}),
        ("qwen2", "F32", {"tied": False}),
        ("qwen3", "BF16", {"head_dim": 32}),
    ],
)
def test_a_graph_equals_hugging_face_on_the_rewritten_weights(
    tmp_path: Path, cache: Path, family: Any, kind: str, sizes: dict[str, Any]
) -> None:
    weights = write_tiny_gguf(tmp_path / "tiny.gguf", family, kind=kind, **sizes)
    made = converted(weights)
    ids = list(range(5, 65))
    assert np.abs(logits(made.graph, ids) - reference(weights, ids, tmp_path)).max() < 1e-3
    assert made.family == made.facts.family == family
    assert sorted(file.name for file in made.graph.parent.iterdir()) == [
        "facts.json",
        "openvino_model.bin",
        "openvino_model.xml",
        "tokens.json",
    ]


@pytest.mark.slow
def test_the_graph_of_a_real_model_equals_hugging_face(real: Converted, smollm2: Path, tmp_path: Path) -> None:
    ids = real.tokens.encode('def add(a, b):\n    """Return the sum of a and b."""\n    return a - b\n' * 6).ids
    assert np.abs(logits(real.graph, ids) - reference(smollm2, ids, tmp_path)).max() < 1e-3


def test_what_was_converted_is_not_converted_again(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = write_tiny_gguf(tmp_path / "tiny.gguf")
    heard: list[tuple[str, float]] = []
    made = converted(weights, progress=lambda what, share: heard.append((what, share)))
    shares = [share for _, share in heard]
    assert shares == sorted(shares) and shares[-1] == 1.0 and 0 < shares[0] < 0.5
    monkeypatch.setattr(subprocess, "run", None)  # nothing is started any more
    again = converted(weights)
    assert again.facts == made.facts and again.graph == made.graph
    text = "def f(x): return x"
    assert again.tokens.encode(text) == made.tokens.encode(text)


def test_a_graph_that_is_not_whole_is_made_anew(tmp_path: Path, cache: Path) -> None:
    weights = write_tiny_gguf(tmp_path / "tiny.gguf")
    graph = converted(weights).graph
    graph.with_suffix(".bin").write_bytes(b"cut short")
    assert converted(weights).graph.with_suffix(".bin").stat().st_size > 1000


def test_processes_at_once_convert_once(tmp_path: Path, cache: Path) -> None:
    weights = write_tiny_gguf(tmp_path / "tiny.gguf")
    trace = tmp_path / "sitecustomize.py"  # notes each process that starts with this folder on its path
    trace.write_text("import os, sys\nopen(os.environ['TRACE'], 'a').write(' '.join(sys.orig_argv) + '\\n')\n")
    noted = tmp_path / "started"
    path = os.pathsep.join([str(tmp_path), *sys.path])
    environment = {**os.environ, "PYTHONPATH": path, "TRACE": str(noted)}
    started = [subprocess.Popen([sys.executable, "-c", CONVERT, str(weights)], env=environment) for _ in range(2)]
    assert [process.wait(120) for process in started] == [0, 0]
    assert sum("graph_child" in line for line in noted.read_text().splitlines()) == 1
    assert [place.name for place in graphs_folder().iterdir() if not place.name.startswith(".")] == [
        converted(weights).graph.parent.name
    ]


def test_a_failed_conversion_leaves_nothing(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weights = write_tiny_gguf(tmp_path / "tiny.gguf")

    def full(*_: object) -> Iterator[float]:
        yield 0.1
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(convert, "rewrite", full)  # a disk that fills up in the middle
    with pytest.raises(MomusError, match="No space left on device"):
        converted(weights)
    assert [place.name for place in graphs_folder().iterdir() if not place.name.endswith(".lock")] == []


def test_a_disk_without_room_is_said_before_anything_is_written(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = write_tiny_gguf(tmp_path / "tiny.gguf")
    monkeypatch.setattr(convert.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 1000}))
    with pytest.raises(MomusError, match=r"of disk in .*graphs; 0\.0 GB are free"):
        converted(weights)


def test_too_little_memory_is_one_sentence(tmp_path: Path, cache: Path) -> None:
    facts = converted(write_tiny_gguf(tmp_path / "tiny.gguf")).facts
    check_memory(facts)
    with pytest.raises(MomusError, match=r"needs 0\.5 GB of memory and 0\.1 GB are free"):
        check_memory(facts, available=100_000_000)


def test_importing_openvino_imports_no_telemetry() -> None:
    code = (
        "import sys, json\n"
        "from momus.models.openvino_package import openvino\n"
        "openvino()\n"
        "import openvino_genai\n"
        "print(json.dumps([name for name in sys.modules if 'telemetry' in name or '.ovc' in name]))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert json.loads(said) == []
