"""The 5-gram: its numbers by hand, its probabilities a distribution, its file small and safe."""

from __future__ import annotations

import math
from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from momus.corpus.ngram import NGram
from momus.errors import MomusError

SEQUENCES = st.lists(st.lists(st.integers(0, 5), max_size=12), min_size=1, max_size=6).filter(lambda found: any(found))


def test_a_bigram_model_by_hand() -> None:
    # "0 1 0 1 0 2 2": unigrams 0:3 1:2 2:2, none seen once, so D = 0.5 (nothing to estimate it from).
    # Bigrams: ^0:1 01:2 10:2 02:1 22:1, so n1 = 3, n2 = 2, D = 3 / 7. All but the singletons are kept.
    model = NGram.train([[0, 1, 0, 1, 0, 2, 2]], vocabulary=4, order=2, entries=100)
    uniform = (3 * 0.5 / 7) / 4
    unigram = {0: 2.5 / 7 + uniform, 1: 1.5 / 7 + uniform, 2: 1.5 / 7 + uniform, 3: uniform}
    assert sum(unigram.values()) == pytest.approx(1)
    kept_01, kept_10 = (2 - 3 / 7) / 3, (2 - 3 / 7) / 2
    expected = [
        unigram[0],  # the context ^ has only a dropped singleton: all its mass is backed off
        kept_01 + (1 - kept_01) * unigram[1],
        kept_10 + (1 - kept_10) * unigram[0],
        (1 - kept_01) * unigram[2],
        unigram[3],
    ]
    assert model.surprisal([0, 1, 0, 2, 3]) == pytest.approx([-math.log(p) for p in expected])


@settings(deadline=None)
@given(sequences=SEQUENCES, context=st.lists(st.integers(0, 5), max_size=6), entries=st.sampled_from([0, 8, 12, 1000]))
def test_the_probabilities_of_the_next_token_add_up_to_one(
    sequences: list[list[int]], context: list[int], entries: int
) -> None:
    model = NGram.train(sequences, vocabulary=6, entries=entries)
    after = [math.exp(-model.surprisal([*context, token])[-1]) for token in range(6)]
    assert sum(after) == pytest.approx(1)
    assert min(after) > 0


@settings(deadline=None)
@given(sequences=SEQUENCES)
def test_a_sequence_knows_nothing_of_its_neighbours(sequences: list[list[int]]) -> None:
    model = NGram.train(sequences, vocabulary=6)
    other = NGram.train(sequences[::-1], vocabulary=6)
    for sequence in sequences:
        assert model.surprisal(sequence) == pytest.approx(other.surprisal(sequence))


def test_no_tokens_have_no_surprise_and_cannot_be_counted() -> None:
    assert NGram.train([[1, 2]], vocabulary=4).surprisal([]).shape == (0,)
    for length in range(1, 8):
        assert NGram.train([[1, 2]], vocabulary=4).surprisal([1] * length).shape == (length,)
    with pytest.raises(ValueError, match="no tokens"):
        NGram.train([[], []], vocabulary=4)


def test_memory_reaches_four_tokens_back() -> None:
    rng = np.random.default_rng(0)
    sequences = [[first, 1, 2, 3, 10 + first] for first in rng.integers(4, 9, 400).tolist()]
    model = NGram.train(sequences, vocabulary=20)
    assert all(model.surprisal([first, 1, 2, 3, 10 + first])[-1] < 0.2 for first in range(4, 9))
    assert model.surprisal([4, 1, 2, 3, 15])[-1] > 3


def _markov(rng: np.random.Generator, n: int) -> list[list[int]]:
    steps = rng.dirichlet([0.05] * 50, size=50)
    sequences = []
    for _ in range(n):
        sequence = [0]
        for _ in range(60):
            sequence.append(int(rng.choice(50, p=steps[sequence[-1]])))
        sequences.append(sequence)
    return sequences


def test_order_matters_and_the_best_n_grams_survive_pruning(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    sequences = _markov(rng, 260)
    seen, unseen = sequences[:200], sequences[200:]

    def bits(model: NGram, of: list[list[int]]) -> float:
        return float(np.concatenate([model.surprisal(sequence) for sequence in of]).mean())

    whole = NGram.train(seen, vocabulary=50, entries=10**6)
    small = NGram.train(seen, vocabulary=50, entries=400)
    none = NGram.train(seen, vocabulary=50, entries=0)
    shuffled = [rng.permutation(sequence).tolist() for sequence in unseen]
    assert small.entries <= 400 < whole.entries
    assert bits(whole, unseen) < 0.6 * bits(whole, shuffled)
    gain = bits(none, unseen) - bits(whole, unseen)
    assert bits(none, unseen) - bits(small, unseen) > 0.7 * gain


def test_a_saved_model_is_nearly_the_same_and_deterministic(tmp_path: Path) -> None:
    sequences = _markov(np.random.default_rng(2), 100)
    model = NGram.train(sequences, vocabulary=50)
    model.save(tmp_path / "a.npz")
    NGram.train(sequences, vocabulary=50).save(tmp_path / "b.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    loaded = NGram.load(tmp_path / "a.npz")
    assert (loaded.order, loaded.vocabulary, loaded.entries) == (5, 50, model.entries)
    for sequence in sequences[:20]:
        # a(h, w) is kept within 3.2%, b(h) within 1/512
        assert np.abs(loaded.surprisal(sequence) - model.surprisal(sequence)).max() < 0.3
    assert [path.name for path in tmp_path.glob("*.partial")] == []


def test_counts_agree_with_plain_counting() -> None:
    sequences = _markov(np.random.default_rng(3), 40)
    pairs = Counter(pair for s in sequences for pair in pairwise(s))
    firsts = Counter(token for s in sequences for token in s[:-1])
    model = NGram.train(sequences, vocabulary=50, order=2, entries=10**6)
    (best, count), *_ = pairs.most_common(1)
    assert math.exp(-model.surprisal(list(best))[-1]) == pytest.approx(count / firsts[best[0]], abs=0.01)


def test_a_missing_damaged_or_foreign_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(MomusError, match="can't read the 5-gram"):
        NGram.load(tmp_path / "none.npz")
    (tmp_path / "text.npz").write_text("text")
    np.savez(tmp_path / "other.npz", x=np.zeros(3))
    np.savez(tmp_path / "future.npz", header=np.array([99, 5, 10]))
    NGram.train([[1, 2, 3]], vocabulary=4).save(tmp_path / "good.npz")
    (tmp_path / "cut.npz").write_bytes((tmp_path / "good.npz").read_bytes()[:-50])
    for name in ("text", "other", "future", "cut"):
        with pytest.raises(MomusError, match="train it anew"):
            NGram.load(tmp_path / f"{name}.npz")
