"""The architecture goes to Hugging Face and back, and what is none of it is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from momus.bench.random_weights import ARCH_44M, tensors
from momus.errors import MomusError
from momus.models import weights
from momus.models.arch import Arch


def test_a_configuration_comes_back(tiny: Arch) -> None:
    from transformers import Qwen3Config

    assert Arch.from_hf(Qwen3Config(**tiny.to_hf()).to_dict()) == tiny
    assert Arch.from_dict(tiny.to_dict()) == tiny


def test_the_number_of_weights_is_counted(tiny: Arch) -> None:
    assert tiny.parameters == sum(array.size for array in tensors(tiny).values())
    assert round(ARCH_44M.parameters / 1e6) == 44


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"model_type": "llama"}, "no Qwen3"),
        ({"tie_word_embeddings": False}, "not tied"),
        ({"attention_bias": True}, "biases"),
        ({"use_sliding_window": True}, "slides"),
        ({"hidden_act": "gelu"}, "silu"),
        ({"rope_parameters": {"rope_type": "yarn"}}, "scaled"),
    ],
)
def test_another_architecture_is_refused(tiny: Arch, change: dict[str, Any], what: str) -> None:
    with pytest.raises(MomusError, match=what):
        Arch.from_hf({**tiny.to_hf(), **change})


@pytest.mark.parametrize("change", [{"heads": 3}, {"head_dim": 7}, {"layers": 0}])
def test_impossible_sizes_are_refused(tiny: Arch, change: dict[str, int]) -> None:
    with pytest.raises(ValueError):
        Arch(**{**tiny.to_dict(), **change})
    with pytest.raises(MomusError, match="bundle"):
        Arch.from_dict({**tiny.to_dict(), **change})
    with pytest.raises(MomusError, match="bundle"):
        Arch.from_dict({"vocab": 5})


def test_tensors_that_do_not_fit_are_refused(tiny: Arch) -> None:
    made = tensors(tiny)
    name = "model.layers.1.mlp.up_proj.weight"
    with pytest.raises(MomusError, match=name):
        weights.join(tiny, {**made, name: made[name][1:]})
    del made[name]
    with pytest.raises(MomusError, match=name):
        weights.join(tiny, made)


def test_joined_tensors_have_the_shapes_that_are_promised(tiny: Arch) -> None:
    joined = weights.join(tiny, tensors(tiny))
    assert {name: array.shape for name, array in joined.items()} == weights.shapes(tiny)


def test_eight_bits_are_within_half_a_step_and_keep_zero() -> None:
    rng = np.random.default_rng(0)
    matrix = rng.standard_normal((40, 96)).astype(np.float32) * np.float32(3)
    matrix[5] = 0
    q8, scale = weights.quantise(matrix)
    back = weights.dequantise(q8, scale)
    step = np.repeat(scale, weights.BLOCK, axis=1)
    assert (np.abs(back - matrix) <= step / 2 * 1.0001).all()
    assert (back[5] == 0).all()
    with pytest.raises(MomusError, match="multiples of 32"):
        weights.quantise(matrix[:, :50])
