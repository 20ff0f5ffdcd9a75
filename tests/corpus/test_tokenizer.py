"""The run-time tokenizer: lossless, never special, and id for id that of the library that trained it."""

from __future__ import annotations

import importlib.util
import inspect
import json
import textwrap
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from momus.corpus.functions import Function
from momus.corpus.tokenizer import Tokenizer, sample_texts, train
from momus.errors import MissingExtra, MomusError

if importlib.util.find_spec("tokenizers") is None:
    pytest.skip("the 'train' extra is not installed", allow_module_level=True)

SPECIALS = ("<|pad|>", "<|end|>", "<|1|>", "<|quote|>")
TEXTS = st.one_of(
    st.text(max_size=60),
    st.text(alphabet=" \t\r\n\f\v\x00\x1c\x85\u2028\u00a0=()[]._'\"#0123abcdefXYZé中😀\u0301<|>", max_size=80),
    st.lists(
        st.sampled_from(
            ["def ", "self.", "return", "    ", "\n", "\r\n", "\r", "__init__", "12.5", "<|end|>", "):", " #"]
        )
    ).map("".join),
)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    texts = [inspect.getsource(module) for module in (json.decoder, json.encoder, textwrap, inspect)]
    file = tmp_path_factory.mktemp("tokenizer") / "tokenizer.json"
    train(texts, SPECIALS, file, size=700)
    return file


@pytest.fixture(scope="module")
def ours(path: Path) -> Tokenizer:
    return Tokenizer.load(path)


@pytest.fixture(scope="module")
def theirs(path: Path) -> Any:
    from tokenizers import Tokenizer as Library

    library = Library.from_file(str(path))
    library.encode_special_tokens = True
    return library


@settings(deadline=None)
@given(text=TEXTS)
def test_ids_are_those_of_the_library(ours: Tokenizer, theirs: Any, text: str) -> None:
    assert ours.encode(text) == theirs.encode(text).ids


@settings(deadline=None)
@given(text=TEXTS)
def test_what_is_encoded_comes_back_and_holds_no_special(ours: Tokenizer, text: str) -> None:
    ids = ours.encode(text)
    assert ours.decode(ids) == text
    assert all(number >= len(SPECIALS) for number in ids)
    assert b"".join(ours.token_bytes[number] for number in ids) == text.encode()


@settings(deadline=None)
@given(text=st.text(alphabet=st.characters(exclude_categories=()), max_size=20), at=st.integers(0, 20))
def test_lone_surrogates_become_replacement_characters(ours: Tokenizer, text: str, at: int) -> None:
    text = text[:at] + "\ud83d" + text[at:]
    expected = "".join("\ufffd" if "\ud800" <= character <= "\udfff" else character for character in text)
    assert ours.decode(ours.encode(text)) == expected


@settings(deadline=None)
@given(lines=st.lists(TEXTS.map(lambda text: text.replace("\r", "").replace("\n", "")), max_size=6))
def test_no_token_crosses_a_line_end(ours: Tokenizer, lines: list[str]) -> None:
    filled = [line + "x" for line in lines]  # blank lines alone share a token with their neighbours' ends
    separate: list[int] = []
    for line in filled:
        separate += [*ours.encode(line), *ours.encode("\n")]
    assert ours.encode("".join(line + "\n" for line in filled)) == separate


def test_digits_are_single_and_indentation_is_not_text(ours: Tokenizer) -> None:
    pieces = [ours.token_bytes[number] for number in ours.encode("x = 1234\n        return y")]
    assert b"".join(pieces[2:6]) == b" 1234" and len(pieces[2:6]) == 4
    assert b"        " in pieces
    assert not any(b"\n" in piece and piece.strip() for piece in pieces)


def test_specials_come_first_and_decode_to_nothing(ours: Tokenizer) -> None:
    assert [ours.id(token) for token in SPECIALS] == [0, 1, 2, 3]
    assert ours.size == 700 == len(ours.token_bytes)
    assert ours.decode([1, *ours.encode("a b"), 0, 3]) == "a b"
    with pytest.raises(KeyError):
        ours.id("return")


def test_half_a_character_decodes_to_a_replacement(ours: Tokenizer) -> None:
    lead = ours.token_bytes.index(b"\xc3")
    assert ours.decode([lead]) == "\ufffd"


def test_a_hostile_piece_of_any_length_is_quick_enough(ours: Tokenizer, theirs: Any) -> None:
    text = "=" * 50_000 + "é" * 50_000 + " " * 50_000
    assert ours.encode(text) == theirs.encode(text).ids


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content["model"].pop("merges"),
        lambda content: content["model"]["merges"].append(["no", "such"]),
        lambda content: content["pre_tokenizer"]["pretokenizers"].pop(),
        lambda content: content.pop("added_tokens"),
        lambda content: content["model"]["vocab"].pop("a"),
    ],
)
def test_a_damaged_file_is_one_sentence(path: Path, tmp_path: Path, damage: Any) -> None:
    content = json.loads(path.read_text(encoding="utf-8"))
    damage(content)
    bad = tmp_path / "tokenizer.json"
    bad.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(MomusError, match="train it anew"):
        Tokenizer.load(bad)


def test_a_missing_or_binary_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(MomusError, match="can't read the tokenizer"):
        Tokenizer.load(tmp_path / "none.json")
    (tmp_path / "binary").write_bytes(b"\xff\x00")
    with pytest.raises(MomusError, match="not a tokenizer"):
        Tokenizer.load(tmp_path / "binary")


def test_training_without_the_library_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "tokenizers", None)
    with pytest.raises(MissingExtra, match=r"momus\[train\]"):
        train(["a"], SPECIALS, tmp_path / "t.json")


def test_a_sample_takes_no_more_of_a_package_than_its_share() -> None:
    functions = [
        Function(id=f"{p}/{n}", package=p, version="1", licence="MIT", path="m.py", name="f", code="x" * 10)
        for p, many in (("big", 100), ("small", 3))
        for n in range(many)
    ]
    assert len(sample_texts(functions, per_package=200)) == 23
    assert sample_texts(functions, seed=1) == sample_texts(functions[::-1], seed=1)
