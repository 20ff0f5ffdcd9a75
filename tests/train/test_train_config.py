"""Every config that ships is read; a wrong one is one sentence that names the setting."""

from __future__ import annotations

from pathlib import Path

import pytest

from momus.errors import MomusError
from momus.train.config import load_config
from tiny_run import CONFIG

CONFIGS = sorted((Path(__file__).parents[2] / "configs").glob("**/*.toml"))


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.name)
def test_every_config_that_ships_is_read(path: Path) -> None:
    config = load_config(path)
    assert config.name and config.model.hidden % 32 == config.model.ffn % 32 == 0  # as 8-bit weights need
    assert config.data.max_tokens <= config.model.context
    for stage in (config.pretrain, config.scan, config.sft):
        assert stage.optim.micro_tokens <= stage.optim.batch_tokens


def test_there_is_a_config_for_the_bundle() -> None:
    assert "bundled.toml" in [path.name for path in CONFIGS]


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("seed = 5", "sead = 5", "there is no setting sead"),
        ("hidden = 64", "hidden = 64\nwidth = 9", "there is no setting model.width"),
        ("tokens = 6_000", 'tokens = "many"', "pretrain.optim.tokens: input should be a valid integer"),
        ("tokens = 6_000", "tokens = 0", "pretrain.optim.tokens"),
        ("heads = 2", "heads = 3\nkv_heads = 2", "not TOML"),
        ("heads = 2\nkv_heads = 1", "heads = 3\nkv_heads = 2", "3 heads cannot share 2"),
        ("head_dim = 32", "head_dim = 33", "model.head_dim"),
        ("[sft.loss]", "[sft.loss]\ncode_fraction = 0.0", "sft.loss.code_fraction"),
        ('name = "tiny"', "", "name: field required"),
        ("[pretrain.loss]", "[pretrain.", "is not TOML"),
    ],
)
def test_a_wrong_setting_is_one_sentence(tmp_path: Path, before: str, after: str, words: str) -> None:
    path = tmp_path / "run.toml"
    assert before in CONFIG
    path.write_text(CONFIG.replace(before, after, 1), encoding="utf-8")
    with pytest.raises(MomusError) as error:
        load_config(path)
    assert words in str(error.value) and str(path) in str(error.value) and "\n" not in str(error.value)


def test_a_config_that_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(MomusError, match="no config at"):
        load_config(tmp_path / "absent.toml")
    with pytest.raises(MomusError, match="cannot read the config"):
        load_config(tmp_path)
    (tmp_path / "latin.toml").write_bytes('name = "é"'.encode("latin-1"))
    with pytest.raises(MomusError, match="is not TOML"):
        load_config(tmp_path / "latin.toml")
