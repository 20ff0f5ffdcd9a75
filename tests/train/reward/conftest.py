"""A policy with random weights, and rated comparisons with a preference planted in them."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest
import torch

from momus.models.dialect import Dialect
from momus.train.policy import Policy, open_policy

torch.set_num_threads(1)
sys.path.insert(0, str(Path(__file__).parent))  # `planted` can be imported


@pytest.fixture(scope="session")
def policy_folder(tmp_path_factory: pytest.TempPathFactory, dialect: Dialect, tiny_corpus: Path) -> Path:
    from tiny_policy import save_tiny_qwen

    return save_tiny_qwen(tmp_path_factory.mktemp("policy"), tiny_corpus / "tokenizer" / "tokenizer.json")


@pytest.fixture(scope="session")
def policy(policy_folder: Path) -> Policy:
    return open_policy(policy_folder)


@pytest.fixture(scope="session")
def _rated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from planted_ratings import write_rated

    return write_rated(tmp_path_factory.mktemp("rated"), 40)


@pytest.fixture
def rated(_rated: Path, tmp_path: Path) -> Path:
    """A copy, to be spoilt."""
    return Path(shutil.copytree(_rated, tmp_path / "rated"))
