"""Between backticks, words have only what stands in what they are of."""

from __future__ import annotations

import re

import numpy as np
import pytest

from momus.models.dialect import Dialect
from momus.models.excerpts import Excerpts, repeats
from momus.models.protocol import Branch
from momus.models.quote import QuoteSpace
from momus.models.sampling import Stream
from momus.models.writer import Writer
from tiny_run import TinyRun

EXCERPTS = Excerpts(["total += xs[0]\n    and  more(a, b)", "mend"])


@pytest.mark.parametrize(
    ("pieces", "code", "fine"),
    [
        (["Anything at all, foreign_names() too."], None, True),
        (["Say `", "total"], "total", True),
        (["Say `tot"], "tot", True),  # it may become a word
        (["Say `tot", "`"], None, False),  # and has not
        (["Say `otal"], "otal", False),
        (["Say `total", "` and `xs[0]", "`."], None, True),
        (["`xs[0] and more", "`"], None, True),  # blanks and line ends are one blank
        (["`xs[0]\n"], "xs[0]\n", False),
        (["`total or `", "other"], None, False),
        (["`total.x"], "total.x", False),
        (["`more(..."], "more(...", True),
        (["`more(...)", "`"], None, True),
        (["`more(...", "`"], None, False),
        (["`total += ...", "`"], None, True),
        (["`tot(...)"], "tot(...)", False),
        (["``"], None, False),
        (["` total"], " total", False),
        (["`and ", "`"], None, False),
        (["`mend mend"], "mend mend", False),  # across two texts
        (["`None", "` or `return", "`"], None, True),
    ],
)
def test_code_is_followed_through_the_pieces(pieces: list[str], code: str | None, fine: bool) -> None:
    state, all_fine = None, True
    for piece in pieces:
        state, here = EXCERPTS.follow(state, piece)
        all_fine = all_fine and here
    assert (state, all_fine) == (code, fine)


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_whatever_the_model_wants_code_is_an_excerpt(tiny_run: TinyRun, temperature: float) -> None:
    """It gets the likeliest token that keeps to one."""
    dialect = tiny_run.opened().dialect
    wanted = dialect.tokenizer.encode("The `result` is `res.total` here, and result stays.")
    allowed = Excerpts(["total = xs"])
    branch = Branch()
    writer = Writer(
        branch, Stream(3, (1,)), QuoteSpace("x = 1\n", excerpts=allowed), dialect, temperature, 80, 400, frozenset()
    )
    rng = np.random.default_rng(0)
    for token in [*wanted, *wanted]:
        logits = rng.normal(size=dialect.tokenizer.size).astype(np.float32)
        logits[token] += 12.0
        writer.write(logits)
    text = "".join(dialect.piece(token) or "\0" for token in branch.tokens)
    closed = re.findall("`([^`\0]*)`", text)
    assert closed and all(allowed.holds(code) for code in closed)
    assert len(branch.logprobs) == len(branch.tokens) and max(branch.logprobs) <= 1e-6
    free = Writer(Branch(), Stream(3, (1,)), QuoteSpace("x = 1\n"), dialect, temperature, 80, 400, frozenset())
    for token in wanted:
        logits = np.zeros(dialect.tokenizer.size, dtype=np.float32)
        logits[token] = 30.0
        free.write(logits)
    assert free.branch.tokens == wanted


def test_a_token_spells_what_it_is_decoded_to_and_special_ones_nothing(dialect: Dialect) -> None:
    for token in dialect.tokenizer.encode("total = xs[0]  # why"):
        assert dialect.piece(token) == dialect.tokenizer.decode([token])
    assert dialect.piece(dialect.end) is dialect.piece(dialect.markers[0]) is None


@pytest.mark.parametrize(
    "code", [None, "", "t", "total", "total ", "x", "xs[", "more", "more(", "more(.", "and", "zzz", " ", "None", "mend"]
)
def test_the_tokens_that_fit_are_those_that_a_look_at_each_finds(tiny_run: TinyRun, code: str | None) -> None:
    dialect = tiny_run.opened().dialect
    writer = Writer(Branch(), Stream(3, (1,)), QuoteSpace("x", excerpts=EXCERPTS), dialect, 1.0, 80, 400, frozenset())
    writer._code = code
    size = dialect.tokenizer.size
    assert writer._fitting(size).tolist() == [token for token in range(size) if writer._read_on(token)[1]]


@pytest.mark.parametrize(
    ("words", "same"),
    [
        ("`n` should be `n`.", True),
        ("`n` should be `n - 1`.", False),
        ("`n` is the neighbour of `m`, not `m`.", False),
        ("The `loop` ends late.", False),
        ("No code at all, `` neither.", False),
        ("Swap `a` and `a`, then `b`.", True),
    ],
)
def test_words_that_have_the_same_code_on_both_sides(words: str, same: bool) -> None:
    assert repeats(words) == same
