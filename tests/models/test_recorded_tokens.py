"""Ids and offsets are those that were recorded of 2,500 functions: another implementation's, see recorded_tokens.py."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from momus.models.catalogue import cached
from momus.models.gguf_file import read_gguf
from momus.models.tokens import Tokens, Vocabulary
from recorded_tokens import digest, functions, of_tokens, recorded


def differing(weights: Path, record: str) -> tuple[int, list[str]]:
    """How many functions were compared, and the text of those whose ids or offsets differ."""
    tokens = Tokens(Vocabulary.of_gguf(read_gguf(weights).metadata, weights))
    known = recorded(record)
    compared = [text for text in functions() if digest(text) in known]
    wrong = []
    for text in compared:
        encoded = tokens.encode(text)
        if of_tokens(encoded.ids, encoded.offsets) != known[digest(text)]:
            wrong.append(text)
    return len(compared), wrong


# Recorded on Python 3.11; in later ones many functions of the standard library read otherwise.
ENOUGH = 1500 if sys.version_info[:2] == (3, 11) else 700


def test_smollm2_reads_functions_as_recorded(smollm2: Path) -> None:
    compared, wrong = differing(smollm2, "smollm2-135m")
    assert compared >= ENOUGH and wrong == []


@pytest.mark.parametrize("name", ["qwen2.5-coder-0.5b", "qwen2.5-coder-1.5b"])
def test_qwen_reads_functions_as_recorded(name: str) -> None:
    weights = cached(name)
    if weights is None:
        pytest.skip(f"the weights of {name} are not here: momus model get {name}")
    compared, wrong = differing(weights, "qwen2.5-coder")
    assert compared >= ENOUGH and wrong == []
