"""Checkpoint folders as policies: ours, and any of Hugging Face."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch

from momus.errors import MomusError
from momus.models.dialect import Dialect
from momus.models.markdown import MarkdownCodec
from momus.train.policy import open_policy, save_tokenizer, token_count
from tiny_llama import save_tiny_llama
from tiny_policy import save_tiny_qwen


def test_our_dialect_is_known_by_its_tokenizer(tiny_corpus: Path, tmp_path: Path) -> None:
    policy = open_policy(save_tiny_qwen(tmp_path, tiny_corpus / "tokenizer" / "tokenizer.json"))
    assert isinstance(policy.codec, Dialect)
    assert not policy.model.training
    assert policy.model.config.pad_token_id == policy.codec.pad
    assert token_count(policy.codec) == policy.model.config.vocab_size


def test_any_other_model_gets_markdown_and_a_row_for_padding(tmp_path: Path) -> None:
    policy = open_policy(save_tiny_llama(tmp_path / "llama"))
    assert isinstance(policy.codec, MarkdownCodec)
    assert policy.model.get_input_embeddings().num_embeddings == policy.codec.size > policy.codec.pad

    policy.model.save_pretrained(tmp_path / "again")
    save_tokenizer(policy, tmp_path / "again")
    again = open_policy(tmp_path / "again")
    assert again.model.get_input_embeddings().num_embeddings == policy.codec.size
    assert again.codec.pad == policy.codec.pad
    twice = open_policy(policy.folder).model.state_dict()
    assert all(torch.equal(twice[name], weight) for name, weight in policy.model.state_dict().items())


def test_a_tokenizer_of_ours_is_copied_to_the_letter(tiny_corpus: Path, tmp_path: Path) -> None:
    tokenizer = tiny_corpus / "tokenizer" / "tokenizer.json"
    save_tokenizer(open_policy(save_tiny_qwen(tmp_path / "a", tokenizer)), tmp_path / "b")
    assert (tmp_path / "b" / "tokenizer.json").read_bytes() == tokenizer.read_bytes()


def test_what_is_missing_is_named(tiny_corpus: Path, tmp_path: Path) -> None:
    with pytest.raises(MomusError, match="no checkpoint in"):
        open_policy(tmp_path)
    folder = save_tiny_llama(tmp_path / "llama", hidden=16)
    shutil.copyfile(tiny_corpus / "tokenizer" / "tokenizer.json", folder / "tokenizer.json")
    with pytest.raises(MomusError, match="tokens where the model has"):
        open_policy(folder)
    for name in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"):
        (folder / name).unlink(missing_ok=True)
    with pytest.raises(MomusError, match="no tokenizer in"):
        open_policy(folder)
    shutil.copyfile(tiny_corpus / "tokenizer" / "tokenizer.json", folder / "tokenizer.json")
    (folder / "model.safetensors").write_bytes(b"damaged")
    with pytest.raises(MomusError, match="cannot be read"):
        open_policy(folder)
