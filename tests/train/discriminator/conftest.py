"""A checkpoint with random weights for discriminators to start from, and two trained ones of different sizes."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch

torch.set_num_threads(1)
sys.path.insert(0, str(Path(__file__).parent))  # `planted_twins` can be imported

from momus.models.dialect import Dialect  # noqa: E402
from momus.train.config import DiscriminatorConfig  # noqa: E402

QUICK = DiscriminatorConfig(epochs=3, batch_comparisons=8, lr=4e-3, held_out=0.25)


@pytest.fixture(scope="session")
def start(tmp_path_factory: pytest.TempPathFactory, dialect: Dialect, tiny_corpus: Path) -> Path:
    from tiny_policy import save_tiny_qwen

    return save_tiny_qwen(tmp_path_factory.mktemp("start"), tiny_corpus / "tokenizer" / "tokenizer.json")


@pytest.fixture(scope="session")
def trained(start: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the discriminators `small`, of one step, and `large`, which has learned to see the planted sign."""
    from planted_twins import write_twins

    from momus.train.discriminator.stage import discriminator

    folder = tmp_path_factory.mktemp("discriminators")
    twins = write_twins(folder / "twins.jsonl", 60)
    brief = QUICK.model_copy(update={"lr": 1e-5, "epochs": 1, "batch_comparisons": 60})
    assert discriminator(start, folder / "large", config=QUICK, tampers=[twins], flops=1e12)
    assert discriminator(start, folder / "small", config=brief, tampers=[twins], flops=1e11)
    return folder
