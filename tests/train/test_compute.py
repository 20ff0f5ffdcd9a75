"""What a stage costs, against the model itself, hand-worked cases and a stage that was run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from momus.errors import MomusError
from momus.train.compute import compute_of, non_embedding, training
from momus.train.config import ModelConfig
from momus.train.examples import ExampleFile
from momus.train.model import new_model
from tiny_run import TinyRun

SIZES = [
    ModelConfig(hidden=32, layers=1, heads=1, kv_heads=1, head_dim=32, ffn=48),
    ModelConfig(hidden=96, layers=3, heads=6, kv_heads=2, head_dim=16, ffn=200),
]


@pytest.mark.parametrize("size", SIZES, ids=["one layer", "grouped heads"])
def test_the_parameters_are_those_of_the_model_but_for_its_embedding(size: ModelConfig) -> None:
    model = new_model(size, 300, 0, 1, 0)
    embedding = model.get_input_embeddings().weight.numel()
    assert non_embedding(size) == sum(p.numel() for p in model.parameters()) - embedding


def test_a_token_costs_six_flops_a_parameter_and_its_share_of_attention() -> None:
    size = SIZES[1]
    alone, among = training(size, 1000, 0.0), training(size, 1000, 50.0)
    assert alone.flops == 6 * non_embedding(size) * 1000
    assert among.flops - alone.flops == 1000 * 3 * (2 * 3 * 50 * 6 * 16)  # 3 passes, 3 layers, 6 heads of 16
    assert training(size, 2000, 50.0).flops == 2 * among.flops


def test_a_stage_is_counted_by_what_it_kept(tiny_run: TinyRun) -> None:
    found = compute_of(tiny_run.folder / "pretrain")
    lengths = np.diff(ExampleFile(tiny_run.folder / "pretrain" / "examples.npz").starts)
    assert found.tokens == tiny_run.metrics("pretrain")[-1]["tokens"] >= 6000
    assert lengths.min() < found.context < lengths.max()
    mean_over_tokens = np.repeat(lengths, lengths).mean()
    assert found.context == pytest.approx(mean_over_tokens)
    assert found.flops > 6 * found.parameters * found.tokens


def test_a_folder_without_a_stage_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(MomusError, match=r"cannot tell what training in .* has cost .*: run its stage again"):
        compute_of(tmp_path)
