"""A tiny reward model: the tiny critic's checkpoint as a sequence classifier with a random head; a bundle of both."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from momus.models.bundled import Bundle, RuntimeName, open_bundle
from tiny_run import TinyRun

MEAN, STD = 0.25, 2.0


@dataclass(frozen=True)
class TinyReward:
    """`reward` is the Hugging Face folder, `bundle` (32 bits) holds policy and reward model, `result` is its export."""

    folder: Path
    result: Result

    @property
    def reward(self) -> Path:
        return self.folder / "reward"

    @property
    def bundle(self) -> Path:
        return self.folder / "bundle"

    def opened(self, runtime: RuntimeName = "onnx") -> Bundle:
        return open_bundle(self.bundle, runtime=runtime)


def make_reward(run: TinyRun, folder: Path) -> Path:
    """Write a reward model as `momus train reward` does."""
    import torch
    from transformers import Qwen3ForSequenceClassification

    model = Qwen3ForSequenceClassification.from_pretrained(run.folder / "sft", num_labels=1, dtype=torch.float32)
    with torch.no_grad():
        model.score.weight.copy_(torch.randn(model.score.weight.shape, generator=torch.Generator().manual_seed(1)))
    model.save_pretrained(folder)
    shutil.copyfile(run.folder / "tokenizer" / "tokenizer.json", folder / "tokenizer.json")
    (folder / "reward.json").write_text(json.dumps({"mean": MEAN, "std": STD}))
    return folder


def export_both(run: TinyRun, folder: Path) -> TinyReward:
    """Make the reward model and export both, by the command line; searches are short, as the model never ends."""
    from momus.cli.train import command
    from momus.critics.fsbs import SearchSettings
    from momus.critics.searched import SearchedCritic
    from momus.train import dial

    reward = make_reward(run, folder / "reward")
    where = ["--corpus", run.folder / "corpus", "--tokenizer", run.folder / "tokenizer", "--from", run.folder / "sft"]
    where += ["--ngram", run.folder / "ngram" / "ngram.npz", "--reward", reward, "--pairs", "20", "--dial-pairs", "20"]
    where += ["--clean-flagged", "0.5", "--name", "tiny-rl"]
    where += ["--bits", "32", "--out", folder / "bundle"]
    with pytest.MonkeyPatch.context() as patched:
        short = SearchSettings(mode="momus", max_tokens=20)
        patched.setattr(dial, "SearchedCritic", partial(SearchedCritic, settings=short))
        result = CliRunner().invoke(command, ["export", *map(str, where)], catch_exceptions=False)
    return TinyReward(folder, result)
