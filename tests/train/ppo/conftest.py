"""Tiny policies with opinions: random weights, sharpened so that their choices are not all alike."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from momus.train.policy import Policy, open_policy
from momus.train.ppo.config import PPOConfig
from momus.train.ppo.loop import Trainer
from momus.train.ppo.policy_value import PolicyValue
from momus.train.ppo.requests import Request, requests_of
from tiny_llama import save_tiny_llama
from tiny_policy import save_tiny_qwen
from tiny_ppo import SMALL, TASKS, Planted, sharpen

torch.set_num_threads(1)


@pytest.fixture(scope="session")
def llama_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_llama(tmp_path_factory.mktemp("llama"))


@pytest.fixture(scope="session")
def qwen_folder(tmp_path_factory: pytest.TempPathFactory, tiny_corpus: Path) -> Path:
    return save_tiny_qwen(tmp_path_factory.mktemp("qwen"), tiny_corpus / "tokenizer" / "tokenizer.json")


@pytest.fixture
def policy(llama_folder: Path) -> Policy:
    """A model that is not ours, with markdown for a codec."""
    opened = open_policy(llama_folder)
    sharpen(opened.model)
    return opened


@pytest.fixture
def ours(qwen_folder: Path) -> Policy:
    """Our architecture and dialect. Its embeddings are tied: sharp logits, and large states."""
    opened = open_policy(qwen_folder)
    sharpen(opened.model, 3.0)
    return opened


@pytest.fixture
def model(policy: Policy) -> PolicyValue:
    return PolicyValue(policy.model)


@pytest.fixture
def requests(policy: Policy) -> list[Request]:
    return requests_of(TASKS, policy.codec, 512)


@pytest.fixture
def trainer(policy: Policy, requests: list[Request], tmp_path: Path) -> Callable[..., Trainer]:
    def make(out: str = "out", *, scores: Any = None, seed: int = 1, **settings: Any) -> Trainer:
        config = PPOConfig.model_validate({**SMALL, **settings})
        fresh = open_policy(policy.folder)
        sharpen(fresh.model)
        return Trainer(fresh, scores or Planted(150), requests, config, tmp_path / out, seed=seed)

    return make
