"""A checkpoint folder as a policy: the model, and the codec that joins its tokens to critiques."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from transformers import AutoModelForCausalLM
from transformers.utils import logging

from momus.corpus.tokenizer import Tokenizer
from momus.decode import from_json
from momus.errors import MomusError
from momus.models.dialect import SCAN, SPECIALS, Dialect
from momus.models.markdown import MarkdownCodec
from momus.models.protocol import Codec, Prompt

TOKENIZER_FILES = (  # what may stand beside a model, of any tokenizer
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "chat_template.jinja",
    "chat_template.json",
    "vocab.json",
    "merges.txt",
    "vocab.txt",
    "tokenizer.model",
    "spiece.model",
)


@dataclass(frozen=True, slots=True)
class Policy:
    """A causal language model of Hugging Face in fp32, in evaluation mode, and its codec."""

    model: Any
    codec: Codec
    folder: Path


def open_policy(folder: Path) -> Policy:
    """Open a checkpoint folder of Hugging Face with its tokenizer beside it.

    A model whose tokenizer lacks a padding token gets one, and a row of its embedding for it. Raises MomusError where
    the folder holds no checkpoint, no tokenizer, or one that does not fit the model.
    """
    if not (folder / "config.json").is_file():
        raise MomusError(f"no checkpoint in {folder}; name the folder of a finished stage, or of a Hugging Face model")
    codec = open_codec(folder)
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, local_files_only=True)
    except (OSError, ValueError, RuntimeError, KeyError, SafetensorError) as error:
        reason = str(error).strip().split("\n")[0][:200]
        raise MomusError(f"the checkpoint in {folder} cannot be read ({reason}); write or copy it again") from None
    rows = model.get_input_embeddings().num_embeddings
    if isinstance(codec, MarkdownCodec) and codec.pad == rows == codec.size - 1:
        _add_padding(model, codec.size)
    elif token_count(codec) > rows:
        raise MomusError(
            f"the tokenizer in {folder} has {token_count(codec)} tokens where the model has {rows}; "
            "put the tokenizer there that it was trained with"
        )
    model.config.pad_token_id, model.config.eos_token_id = codec.pad, codec.end
    return Policy(model.eval(), codec, folder)


def open_codec(folder: Path) -> Codec:
    """The codec of a checkpoint folder: the bundled critic's dialect where its tokenizer knows it, else markdown."""
    path = folder / "tokenizer.json"
    try:
        content = from_json(path.read_text(encoding="utf-8")) if path.is_file() else {}
        ours = any(token.get("content") == SCAN for token in content.get("added_tokens", ()))
    except (OSError, ValueError, AttributeError, TypeError):
        ours = False
    if ours:
        return Dialect(Tokenizer.load(path))
    if not any((folder / name).is_file() for name in TOKENIZER_FILES):
        raise MomusError(f"no tokenizer in {folder}; copy the one that the model was trained with there")
    return MarkdownCodec.load(folder)


def token_count(codec: Codec) -> int:
    """How many tokens a codec's tokenizer has."""
    return codec.tokenizer.size if isinstance(codec, Dialect) else codec.size if isinstance(codec, MarkdownCodec) else 0


def same_tokens(one: Codec, other: Codec) -> bool:
    """Whether two codecs write the same text in the same tokens, and end and pad it alike."""
    return _tokens(one) == _tokens(other)


def save_tokenizer(policy: Policy, folder: Path) -> None:
    """Put a policy's tokenizer into another folder, so that a checkpoint there can be opened."""
    folder.mkdir(parents=True, exist_ok=True)
    if isinstance(policy.codec, MarkdownCodec):
        policy.codec.tokenizer.save_pretrained(folder)
        return
    for name in TOKENIZER_FILES:
        if (policy.folder / name).is_file() and policy.folder.resolve() != folder.resolve():
            shutil.copyfile(policy.folder / name, folder / name)


def _add_padding(model: Any, size: int) -> None:
    """One more row for the padding that a model lacks: the mean of the others, so that opening it twice is the same."""
    model.resize_token_embeddings(size, mean_resizing=False)
    with torch.no_grad():
        for layer in (model.get_input_embeddings(), model.get_output_embeddings()):
            layer.weight[-1] = layer.weight[:-1].mean(0)


def _tokens(codec: Codec) -> tuple[Any, ...]:
    named: Any = codec
    if isinstance(codec, Dialect):
        return ("dialect", named.tokenizer.token_bytes, *(named.tokenizer.id(token) for token in SPECIALS))
    backend = getattr(named.tokenizer, "backend_tokenizer", None)
    rules = from_json(backend.to_str()) if backend is not None else {"vocab": named.tokenizer.get_vocab()}
    for what in ("truncation", "padding"):  # how it was last called, not what it does
        rules.pop(what, None)
    return ("markdown", codec.pad, codec.end, tuple(codec.ask(Prompt("?", "x\n"))), rules)
