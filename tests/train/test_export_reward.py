"""`momus train export --reward`: a bundle of both, or one sentence on why not."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from momus.errors import MomusError
from momus.models.bundled import read_about
from momus.train.export import export
from tiny_reward import TinyReward
from tiny_run import TinyRun


def refused(run: TinyRun, reward: Path, out: Path) -> str:
    folder = run.folder
    with pytest.raises(MomusError) as error:
        export(
            folder / "sft",
            folder / "tokenizer" / "tokenizer.json",
            folder / "ngram" / "ngram.npz",
            folder / "corpus",
            out,
            name="x",
            reward=reward,
            pairs=20,
            dial_pairs=20,
        )
    assert not out.exists() and "\n" not in str(error.value)
    return str(error.value)


def test_the_export_says_what_the_dial_does(tiny_reward: TinyReward) -> None:
    about = read_about(tiny_reward.bundle)
    assert about["format"] == 2 and about["weights"]["bits"] == about["reward"]["weights"]["bits"] == 32
    assert [notch["percentile"] for notch in about["dial"]["notches"]] == [10, 25, 50, 75]
    if tiny_reward.result is not None:
        assert tiny_reward.result.exit_code == 0
        report = json.loads(tiny_reward.result.stdout)
        assert report["dial"] == about["dial"] and report["pairs"] == about["fitted_on"]["pairs"] == 20


def _without(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


def _scaled(std: float) -> Callable[[Path], None]:
    return lambda folder: (folder / "reward.json").write_text(json.dumps({"mean": 0.0, "std": std})) and None


def _headless(folder: Path) -> None:
    from safetensors.numpy import load_file, save_file

    tensors = load_file(folder / "model.safetensors")
    save_file({name: t for name, t in tensors.items() if name != "score.weight"}, folder / "model.safetensors")


def _other_tokenizer(folder: Path) -> None:
    from momus.corpus.tokenizer import train
    from momus.models.dialect import SPECIALS

    train(["def f(x): return x"] * 9, SPECIALS, folder / "tokenizer.json", size=440)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (_without("reward.json"), "finish momus train reward first"),
        (_without("config.json"), "finish momus train reward first"),
        (_without("model.safetensors"), "finish momus train reward first"),
        (_without("tokenizer.json"), "finish momus train reward first"),
        (_headless, "finish momus train reward first"),
        (_scaled(0.0), "have mean 0.0 and deviation 0.0: train again"),
        (_other_tokenizer, "has another tokenizer than"),
    ],
)
def test_a_reward_model_that_cannot_serve_is_one_sentence(
    tiny_run: TinyRun, tiny_reward: TinyReward, tmp_path: Path, spoil: Callable[[Path], None], said: str
) -> None:
    reward = Path(shutil.copytree(tiny_reward.reward, tmp_path / "reward"))
    spoil(reward)
    assert said in refused(tiny_run, reward, tmp_path / "out")
