"""GGUF files: read as gguf's own reader reads them, refused in one sentence, rewritten in 8 bits."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest

from hf_of_gguf import rewritten
from momus.errors import MomusError
from momus.models.gguf_file import read_gguf
from momus.models.gguf_rewrite import shape_of
from momus.models.tokens import Vocabulary
from tiny_gguf import PRE, SCALES, TEMPLATE, write_tiny_gguf


def test_a_file_is_read_as_its_own_library_reads_it(tmp_path: Path) -> None:
    path = write_tiny_gguf(tmp_path / "tiny.gguf", "qwen2", kind="Q5_0")
    ours, theirs = read_gguf(path), gguf.GGUFReader(path)
    assert ours.metadata == {
        key: field.contents() for key, field in theirs.fields.items() if not key.startswith("GGUF.")
    }
    data = path.read_bytes()
    for mine, other in zip(ours.tensors, theirs.tensors, strict=True):
        assert (mine.name, mine.shape, mine.kind) == (other.name, tuple(reversed(other.shape)), other.tensor_type)
        assert data[mine.at : mine.at + mine.size] == other.data.tobytes()


@pytest.mark.parametrize("kind", ["F32", "F16", "BF16", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", *SCALES])
def test_rewriting_loses_half_a_step_of_eight_bits_at_most(tmp_path: Path, kind: str) -> None:
    path = write_tiny_gguf(tmp_path / "tiny.gguf", "qwen3", kind=kind, hidden=256, ffn=512, head_dim=64, layers=1)
    before = {tensor.name: tensor for tensor in gguf.GGUFReader(path).tensors}
    after = gguf.GGUFReader(rewritten(path, tmp_path / "rewritten.gguf")).tensors
    assert {tensor.name for tensor in after} == set(before)
    for tensor in after:
        old, new = (gguf.quants.dequantize(t.data, t.tensor_type) for t in (before[tensor.name], tensor))
        if old.ndim == 1:
            assert np.array_equal(old, new)
            continue
        assert tensor.tensor_type == gguf.GGMLQuantizationType.Q8_0
        blocks = old.reshape(-1, 32)
        step = np.abs(blocks).max(1, keepdims=True) / 127
        # Half a step, and what the step itself loses as a 16-bit float.
        assert (np.abs(blocks - new.reshape(-1, 32)) <= step * 0.57 + 5e-6).all()
        if kind == "Q8_0":
            assert np.array_equal(old, new)


def test_rows_that_are_no_blocks_of_32_stay_floats(tmp_path: Path) -> None:
    path = write_tiny_gguf(tmp_path / "tiny.gguf", kind="F16", hidden=48, heads=3, kv_heads=1)
    before = {tensor.name: tensor.data for tensor in gguf.GGUFReader(path).tensors}
    kinds = {}
    for tensor in gguf.GGUFReader(rewritten(path, tmp_path / "rewritten.gguf")).tensors:
        kinds[tensor.name] = tensor.tensor_type.name
        if kinds[tensor.name] == "F16":
            assert np.array_equal(tensor.data, before[tensor.name])
    assert kinds["blk.0.attn_q.weight"] == "F16" and kinds["blk.0.ffn_down.weight"] == "Q8_0"


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"architecture": "gemma3"}, "the family 'gemma3'; those read here are llama, qwen2, qwen3"),
        ({"pre": "tekken"}, "cuts text in the way 'tekken', which is not known; known are qwen2, smollm, llama-bpe"),
        ({"tokenizer": "llama"}, "a tokenizer of the kind 'llama'; only byte-level BPE"),
        ({"family": "qwen2", "architecture": "qwen3"}, "lacks blk.0.attn_q_norm.weight"),
        ({"family": "qwen2", "architecture": "llama"}, "holds blk.0.attn_q.bias, which is not read here"),
    ],
)
def test_an_unknown_kind_is_refused_in_a_sentence(tmp_path: Path, settings: dict[str, Any], said: str) -> None:
    path = write_tiny_gguf(tmp_path / "tiny.gguf", **{"family": "qwen3", **settings})
    source = read_gguf(path)
    with pytest.raises(MomusError) as refused:
        shape_of(source)
        Vocabulary.of_gguf(source.metadata, path)
    assert said in str(refused.value) and "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("llama.rope.scaling.type", "yarn", "rope.scaling.type = 'yarn'"),
        ("llama.expert_count", 8, "expert_count = 8"),
        ("split.count", 3, "is one part of several"),
        ("llama.block_count", 0, "block_count = 0"),
    ],
)
def test_what_would_be_computed_wrongly_is_refused(tmp_path: Path, key: str, value: Any, said: str) -> None:
    source = read_gguf(write_tiny_gguf(tmp_path / "tiny.gguf", "llama"))
    told = type(source)(source.path, {**source.metadata, key: value}, source.tensors)
    with pytest.raises(MomusError, match=said):
        shape_of(told)


@pytest.mark.parametrize(("kind", "said"), [(250, "type 250 of GGML"), (24, "as I8")])
def test_a_type_that_nobody_reads_is_refused(tmp_path: Path, kind: int, said: str) -> None:
    path = write_tiny_gguf(tmp_path / "tiny.gguf")
    name = b"blk.0.attn_q.weight"
    raw = bytearray(path.read_bytes())
    at = raw.index(name) + len(name) + 4 + 2 * 8
    raw[at : at + 4] = struct.pack("<I", kind)
    path.write_bytes(raw)
    with pytest.raises(MomusError, match=f"{said}, which is not read here"):
        shape_of(read_gguf(path))


@pytest.mark.parametrize("share", [0, 0.001, 0.01, 0.05, 0.3, 0.9, 0.9999])
def test_a_file_that_was_cut_short_is_one_sentence(tmp_path: Path, share: float) -> None:
    path = write_tiny_gguf(tmp_path / "tiny.gguf")
    raw = path.read_bytes()
    path.write_bytes(raw[: int(len(raw) * share)])
    with pytest.raises(MomusError) as refused:
        read_gguf(path)
    assert "tiny.gguf" in str(refused.value) and "\n" not in str(refused.value)


def test_damage_in_the_header_is_one_sentence_or_none_at_all(tmp_path: Path) -> None:
    path = write_tiny_gguf(tmp_path / "tiny.gguf", layers=1)
    raw = path.read_bytes()
    random = np.random.default_rng(0)
    refused = 0
    for _ in range(300):
        damaged = bytearray(raw)
        for at in random.integers(0, 12000, 3):
            damaged[at] = random.integers(0, 256)
        path.write_bytes(damaged)
        try:
            source = read_gguf(path)
            shape_of(source)
            Vocabulary.of_gguf(source.metadata, path)
        except MomusError as error:
            assert "\n" not in str(error)
            refused += 1
    assert refused > 20


@pytest.mark.parametrize(
    "raw", [b"", b"GG", b"PK\x03\x04 a zip", b"GGUF\x01\0\0\0" + b"\0" * 16, b"GGUF\0\0\0\x03" + b"\0" * 16]
)
def test_what_is_no_gguf_is_refused(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "other.gguf"
    path.write_bytes(raw)
    with pytest.raises(MomusError, match=r"other\.gguf"):
        read_gguf(path)
    with pytest.raises(MomusError, match="No such file"):
        read_gguf(tmp_path / "none.gguf")


def test_the_template_and_the_vocabulary_come_from_the_file(tmp_path: Path) -> None:
    path = write_tiny_gguf(tmp_path / "tiny.gguf", "qwen2")
    found = Vocabulary.of_gguf(read_gguf(path).metadata, path)
    assert found.template == TEMPLATE and found.pre == PRE["qwen2"]
    found.save(tmp_path / "kept.json")
    assert Vocabulary.load(tmp_path / "kept.json") == found
