"""Tokenizer and 5-gram as stages over a built corpus, by the functions and by the commands."""

from __future__ import annotations

import importlib.util
import inspect
import json
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from momus.cli.corpus_commands import corpus, tokenizer
from momus.corpus.build import build
from momus.corpus.ngram import NGram
from momus.corpus.packages import Package
from momus.corpus.prepare import prepare_tokenizer
from momus.corpus.tokenizer import Tokenizer
from momus.errors import MomusError
from momus.models.dialect import SPECIALS

if importlib.util.find_spec("tokenizers") is None:
    pytest.skip("the 'train' extra is not installed", allow_module_level=True)


@pytest.fixture(scope="module")
def built(make_wheel: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("built") / "corpus"
    make_wheel(folder / "packages", "one", {"one.py": inspect.getsource(json.decoder) + inspect.getsource(inspect)})
    make_wheel(folder / "packages", "two", {"two.py": inspect.getsource(textwrap)})
    packages = [Package("one", "1.0", "MIT", "text"), Package("two", "1.0", "MIT", "text", "heldout")]
    build(folder, packages, jobs=1, stdlib=False)
    return folder


def test_both_are_trained_measured_and_not_run_again(built: Path, tmp_path: Path) -> None:
    arguments = ["--corpus", str(built), "--out", str(tmp_path / "tokenizer"), "--size", "1200", "--json"]
    done = CliRunner().invoke(tokenizer, arguments, catch_exceptions=False)
    told = json.loads(done.stdout)
    assert Tokenizer.load(tmp_path / "tokenizer" / "tokenizer.json").id(SPECIALS[-1]) == len(SPECIALS) - 1
    assert NGram.load(tmp_path / "ngram" / "ngram.npz").vocabulary == told["tokenizer"]["tokens"]
    assert told["tokenizer"]["characters_per_token"] > 1.5
    assert told["ngram"]["bits_per_token"] < told["ngram"]["bits_per_token_shuffled"] - 1
    again = CliRunner().invoke(tokenizer, arguments, catch_exceptions=False)
    assert again.stderr.count("is trained already") == 2
    assert again.stdout == done.stdout


def test_figures_are_also_said_in_words(built: Path, tmp_path: Path) -> None:
    arguments = ["--corpus", str(built), "--out", str(tmp_path / "t"), "--ngram", str(tmp_path / "n"), "--size", "1200"]
    done = CliRunner().invoke(tokenizer, arguments, catch_exceptions=False)
    assert "bits a token" in done.stdout
    assert (tmp_path / "n" / "ngram.npz").is_file()


def test_other_options_train_anew(built: Path, tmp_path: Path) -> None:
    small, _ = prepare_tokenizer(built, tmp_path, SPECIALS, size=1100)
    large, _ = prepare_tokenizer(built, tmp_path, SPECIALS, size=1200)
    assert (small.size, large.size) == (1100, 1200)


def test_without_a_corpus_it_says_how_to_build_one(tmp_path: Path) -> None:
    with pytest.raises(MomusError, match="momus train corpus"):
        prepare_tokenizer(tmp_path / "none", tmp_path, SPECIALS)


@pytest.mark.parametrize("command", [corpus, tokenizer])
def test_help_shows_an_example(command: object) -> None:
    assert "Example: momus train" in CliRunner().invoke(command, ["--help"]).output  # type: ignore[arg-type]


def test_the_corpus_command_says_what_it_has(built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packages = (Package("one", "1.0", "MIT", "text"), Package("two", "1.0", "MIT", "text", "heldout"))
    monkeypatch.setattr(build, "__defaults__", (packages,))
    monkeypatch.setattr(build, "__kwdefaults__", {**(build.__kwdefaults__ or {}), "stdlib": False})
    done = CliRunner().invoke(corpus, ["--out", str(built)], catch_exceptions=False)
    assert "train" in done.stdout and "heldout" in done.stdout
    assert "is built already" in done.stderr
    as_json = CliRunner().invoke(corpus, ["--out", str(built), "--json"], catch_exceptions=False)
    assert json.loads(as_json.stdout)["packages"][0]["licence"] == "MIT"
