"""A critic with random weights in a folder, for what needs a checkpoint but no skill."""

from __future__ import annotations

import shutil
from pathlib import Path


def save_tiny_qwen(folder: Path, tokenizer: Path, *, hidden: int = 32, layers: int = 2, seed: int = 0) -> Path:
    """A checkpoint of our architecture, with its tokenizer beside it."""
    from momus.corpus.tokenizer import Tokenizer
    from momus.models.dialect import Dialect
    from momus.train.config import ModelConfig
    from momus.train.model import new_model

    dialect = Dialect(Tokenizer.load(tokenizer))
    config = ModelConfig(hidden=hidden, layers=layers, heads=2, kv_heads=1, head_dim=16, ffn=2 * hidden)
    new_model(config, dialect.tokenizer.size, dialect.pad, dialect.end, seed).save_pretrained(folder)
    shutil.copyfile(tokenizer, folder / "tokenizer.json")
    return folder
