"""The 5-gram baseline: the lines that are unlike other code come first."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from momus.corpus.ngram import NGram
from momus.corpus.tokenizer import Tokenizer, train
from momus.critics import open_critic
from momus.critics.surprisal import Surprisal
from momus.critique import TextMap
from momus.errors import MomusError
from momus.records import Task

USUAL = "def add(a, b):\n    total = a + b\n    return total\n"
ODD = "def add(a, b):\n    total = b ** a % 0x7f\n    return total\n"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("tokenizers")
    folder = tmp_path_factory.mktemp("bundle")
    texts = [USUAL.replace("add", name) for name in ("add", "plus", "sum_of", "join")] * 20
    tokenizer = train(texts, ["<|end|>"], folder / "tokenizer.json", size=400)
    model = NGram.train([tokenizer.encode(text) for text in texts], vocabulary=tokenizer.size)
    model.save(folder / "ngram.npz")
    return folder


def lines(critic: Surprisal, answer: str) -> list[int]:
    (sampled,) = critic.critique([Task(id="t", question="", answer=answer)], seed=0)
    assert sampled.error is None
    return [TextMap(answer).line(comment.highlight.start) for comment in sampled.critique]


def test_the_odd_line_comes_first_and_confidence_falls(bundle: Path) -> None:
    critic = Surprisal(bundle, comments=None)
    (sampled,) = critic.critique([Task(id="t", question="", answer=ODD)], seed=0)
    assert lines(critic, ODD)[0] == 2
    levels = [comment.confidence or 0.0 for comment in sampled.critique]
    assert levels == sorted(levels, reverse=True) and 0 <= levels[-1] <= levels[0] < 1
    assert len(levels) == 3
    assert lines(Surprisal(bundle), ODD) == [2]


def test_the_sum_over_lines_is_the_sum_over_tokens(bundle: Path) -> None:
    critic = Surprisal(bundle)
    tokenizer, model = Tokenizer.load(bundle / "tokenizer.json"), NGram.load(bundle / "ngram.npz")
    for answer in (ODD, "x = 'é😀'\r\n\r\n\ty = 1\rz", "\n\n\na\n\n"):
        whole = model.surprisal(tokenizer.encode(answer)).sum()
        assert critic.lines(TextMap(answer)).sum() == pytest.approx(whole)


def test_a_token_counts_to_the_line_that_it_stands_on(bundle: Path) -> None:
    critic = Surprisal(bundle)
    before = critic.lines(TextMap(USUAL + "\n" + USUAL))
    after = critic.lines(TextMap(USUAL + "\n" + ODD))
    assert np.flatnonzero(~np.isclose(before, after)).tolist()[0] == 5  # line 6 is the first that differs
    wide = critic.lines(TextMap("é😀 = 'ü'\n" + USUAL))
    assert wide[0] > wide[2]


@settings(max_examples=50)
@given(st.text(max_size=40))
def test_any_answer_is_ranked(bundle: Path, answer: str) -> None:
    text = TextMap(answer)
    assert sorted(lines(Surprisal(bundle, comments=None), answer)) == list(text.code_lines)


def test_the_version_changes_with_the_model_and_the_setting(bundle: Path, tmp_path: Path) -> None:
    one, other = open_critic("surprisal", bundle=bundle), open_critic("surprisal", bundle=bundle, comments=3)
    assert one.version != other.version  # type: ignore[attr-defined]


def test_a_broken_bundle_is_one_sentence(bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_bytes((bundle / "tokenizer.json").read_bytes())
    (tmp_path / "ngram.npz").write_bytes(b"not an archive")
    with pytest.raises(MomusError, match="is not a 5-gram that momus made"):
        Surprisal(tmp_path)
    (tmp_path / "tokenizer.json").unlink()
    with pytest.raises(MomusError, match=r"there is no tokenizer\.json in"):
        Surprisal(tmp_path)
