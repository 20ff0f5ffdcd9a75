"""Both runtimes compute what Hugging Face computes, however tokens arrive; int8 gives the same bits in any company."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from momus.bench.random_weights import tensors
from momus.errors import MomusError
from momus.models import graph, weights
from momus.models.arch import Arch
from momus.models.live import Live
from momus.models.numpy_backend import NumpyRuntime
from momus.models.onnx_backend import OnnxRuntime
from momus.models.protocol import Branch
from momus.models.runtime import Cache, Runtime
from momus.models.session import TokenBackend, TokenSession

Reference = Callable[[Sequence[int]], np.ndarray]
TOLERANCE = 1e-4
VOCAB = 300


def all_logits(session: TokenSession) -> np.ndarray:
    """The logits after every token of the prompt, from its hidden states and the output layer in 32 bits."""
    arch = session._runtime.arch
    return session.prompt_hidden @ tensors(arch, seed=1, scale=0.12)["model.embed_tokens.weight"].T


def prompt(length: int, seed: int = 0) -> list[int]:
    return np.random.default_rng(seed).integers(0, VOCAB, length).tolist()


@pytest.mark.parametrize("length", [1, 3, 4, 127, 128, 129, 300])
def test_a_prompt_read_in_pieces_gives_the_logits_of_the_whole(
    runtime: Runtime, reference: Reference, length: int, vocabulary: Any
) -> None:
    ids = prompt(length)
    session = TokenBackend(runtime, vocabulary).open_tokens(ids)
    expected = reference(ids)
    assert np.abs(all_logits(session) - expected).max() <= TOLERANCE
    assert np.abs(session.prompt_logits - expected[-1]).max() <= TOLERANCE


def agrees(session: TokenSession, branches: Sequence[Branch], ids: list[int], reference: Reference) -> None:
    peek = session.peek(branches)
    for branch, logits in zip(branches, peek.logits, strict=True):
        assert np.abs(logits - reference([*ids, *branch.tokens])[-1]).max() <= TOLERANCE


@pytest.mark.parametrize("length", [2, 130, 275])
def test_branches_agree_after_any_fork_crop_run_and_draw(
    runtime: Runtime, reference: Reference, length: int, vocabulary: Any
) -> None:
    ids = prompt(length)
    rng = random.Random(length)
    session = TokenBackend(runtime, vocabulary).open_tokens(ids)
    branches = session.fork(None, 3)
    agrees(session, branches, ids, reference)
    for round_ in range(6):
        # ragged forced runs, some empty
        session.extend(branches, [prompt(rng.choice([0, 1, 4, 9]), seed=rng.randrange(99)) for _ in branches])
        if round_ % 2:
            agrees(session, branches, ids, reference)
        for branch in branches:
            session.crop(branch, rng.randint(0, len(branch.tokens)))
        drawn = session.sample(
            branches, max_tokens=rng.randint(1, 8), temperature=1.0, stop=frozenset({5}), quote=None, seed=round_
        )
        assert all(d.tokens for d in drawn)
        agrees(session, branches, ids, reference)
        survivors = rng.sample(branches, 2)
        branches = session.fork([survivors[1], survivors[0]], 2)
        agrees(session, branches, ids, reference)
    assert max(len(branch.tokens) for branch in branches) > 8


def test_hidden_states_are_those_that_the_logits_come_from(runtime: Runtime, vocabulary: Any) -> None:
    session = TokenBackend(runtime, vocabulary).open_tokens(prompt(50))
    branches = session.fork(None, 2)
    session.extend(branches, [[7, 8, 9], [4]])
    peek = session.peek(branches)
    embedding = tensors(runtime.arch, seed=1, scale=0.12)["model.embed_tokens.weight"]
    assert peek.hidden.shape == (2, embedding.shape[1])
    assert np.abs(peek.hidden @ embedding.T - peek.logits).max() <= TOLERANCE


def test_int8_on_numpy_is_the_dequantised_model_and_near_on_onnx(bundles: dict[int, Any], vocabulary: Any) -> None:
    ids = prompt(64)
    dense, onnx, numpy = (
        all_logits(TokenBackend(runtime, vocabulary).open_tokens(ids))
        for runtime in (bundles[32].onnx(), bundles[8].onnx(), bundles[8].numpy())
    )
    spread = dense.std()
    assert 0 < np.sqrt(np.mean((numpy - dense) ** 2)) < 0.05 * spread
    assert 0 < np.sqrt(np.mean((onnx - dense) ** 2)) < 0.08 * spread
    assert (onnx.argmax(1) == dense.argmax(1)).mean() > 0.8


@pytest.mark.parametrize("kv_heads", [2, 4])
@pytest.mark.parametrize("bits", [8, 32])
def test_a_branch_gets_the_same_bits_alone_as_among_others(tmp_path: Path, kv_heads: int, bits: int) -> None:
    arch = Arch(vocab=300, hidden=128, layers=2, heads=4, kv_heads=kv_heads, head_dim=32, ffn=192)
    runtime = OnnxRuntime(tmp_path, arch, graph.write(arch, tensors(arch, 3, 0.1), tmp_path, bits))  # type: ignore[arg-type]
    for seed in range(12):
        rng = np.random.default_rng(seed)

        def cache(length: int, rng: np.random.Generator = rng) -> Cache:
            shape = (2, arch.layers, kv_heads, length, arch.head_dim)
            keys, values = rng.standard_normal(shape, dtype=np.float32)
            return Cache(keys, values)

        prefix = cache(4 * int(rng.integers(0, 60)))
        suffixes = [cache(int(length)) for length in rng.integers(0, 70, rng.integers(1, 10))]
        new = [rng.integers(0, arch.vocab, rng.choice([1, 1, 2, 11])).tolist() for _ in suffixes]
        together, _ = Live(runtime, prefix, suffixes).step(new)
        for i, suffix in enumerate(suffixes):
            alone, _ = Live(runtime, prefix, [suffix]).step([new[i]])
            assert np.array_equal(alone[0], together[i])


@pytest.fixture
def copy(bundles: dict[int, Any], tmp_path: Path) -> SimpleNamespace:
    shutil.copytree(bundles[8].folder, tmp_path / "bundle")
    index = json.loads(json.dumps(bundles[8].index))
    return SimpleNamespace(arch=bundles[8].arch, folder=tmp_path / "bundle", index=index)


@pytest.mark.parametrize("loader", [OnnxRuntime, NumpyRuntime])
class TestDamage:
    def refused(self, loader: type[OnnxRuntime], bundle: SimpleNamespace) -> None:
        with pytest.raises(MomusError, match="reinstall or export") as caught:
            loader(bundle.folder, bundle.arch, bundle.index)
        assert "\n" not in str(caught.value)

    def test_truncated_weights(self, loader: type[OnnxRuntime], copy: SimpleNamespace) -> None:
        path = copy.folder / weights.FILE
        path.write_bytes(path.read_bytes()[:-1000])
        self.refused(loader, copy)

    def test_missing_weights(self, loader: type[OnnxRuntime], copy: SimpleNamespace) -> None:
        (copy.folder / weights.FILE).unlink()
        self.refused(loader, copy)

    def test_another_model_than_the_configuration_says(self, loader: type[OnnxRuntime], copy: SimpleNamespace) -> None:
        copy.arch = Arch(**{**copy.arch.to_dict(), "layers": 2})
        self.refused(loader, copy)

    def test_an_index_without_a_size(self, loader: type[OnnxRuntime], copy: SimpleNamespace) -> None:
        del copy.index["bytes"]
        self.refused(loader, copy)


@pytest.mark.parametrize("damage", [b"", b"no graph", None])
def test_a_damaged_graph_is_refused(copy: SimpleNamespace, damage: bytes | None) -> None:
    path = copy.folder / graph.FILE
    if damage is None:
        path.unlink()
    else:
        path.write_bytes(damage)
    with pytest.raises(MomusError, match="reinstall or export"):
        OnnxRuntime(copy.folder, copy.arch, copy.index)


def test_an_index_that_points_past_the_file_is_refused(copy: SimpleNamespace) -> None:
    copy.index["tensors"]["norm"]["offset"] = copy.index["bytes"]
    with pytest.raises(MomusError, match="reinstall or export"):
        NumpyRuntime(copy.folder, copy.arch, copy.index)
