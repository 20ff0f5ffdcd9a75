"""What many tests share: one tiny critic, trained and exported once, and a small real model."""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch is imported: threads would take the cores from each other

import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

# A shell that runs the tests in the background has them ignore Ctrl-C, and all that they start.
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.path.insert(0, str(Path(__file__).parent))  # `tiny_run` can be imported, whatever pytest's import mode

if TYPE_CHECKING:
    from momus.corpus.functions import Function
    from momus.models.dialect import Dialect
    from tiny_local import TinyLocal
    from tiny_reward import TinyReward
    from tiny_run import TinyRun


@pytest.fixture(scope="session")
def stdlib_functions() -> dict[str, list[Function]]:
    """Functions of the standard library, by split: train and dev."""
    from tiny_run import stdlib_functions

    return stdlib_functions()


@pytest.fixture(scope="session")
def smollm2() -> Path:
    """The GGUF of SmolLM2-135M, a small real model, in the cache. The first test on a machine fetches it (98 MB)."""
    from real_model import smollm2

    return smollm2()


@pytest.fixture(scope="session")
def tiny_local(tmp_path_factory: pytest.TempPathFactory) -> TinyLocal:
    """Opens tiny random models of each family; their graphs lie in a cache of their own."""
    from tiny_local import TinyLocal

    return TinyLocal(tmp_path_factory.mktemp("local"))


@pytest.fixture(scope="session")
def tiny_corpus(tmp_path_factory: pytest.TempPathFactory, stdlib_functions: dict[str, list[Function]]) -> Path:
    """A folder with a corpus, a tokenizer, a 5-gram and a config."""
    from tiny_run import make_corpus

    return make_corpus(tmp_path_factory.mktemp("tiny"), stdlib_functions)


@pytest.fixture(scope="session")
def dialect(tiny_corpus: Path) -> Dialect:
    from tiny_run import dialect_of

    return dialect_of(tiny_corpus)


@pytest.fixture(scope="session")
def tiny_run(tiny_corpus: Path, stdlib_functions: dict[str, list[Function]]) -> TinyRun:
    """The tiny critic: every stage has run, its bundles are written."""
    from tiny_run import run_stages

    return run_stages(tiny_corpus, stdlib_functions)


@pytest.fixture(scope="session")
def tiny_reward(tiny_run: TinyRun, tmp_path_factory: pytest.TempPathFactory) -> TinyReward:
    """The tiny critic with a reward model (a random head), and a bundle of both."""
    from tiny_reward import export_both

    return export_both(tiny_run, tmp_path_factory.mktemp("reward"))
