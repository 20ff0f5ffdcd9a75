"""Branches of one prompt: drawn by the seed and their lineage alone, quoted exactly, with honest log-probabilities."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from momus.errors import MomusError
from momus.models.arch import Arch
from momus.models.protocol import Branch, Drawn
from momus.models.quote import QuoteSpace
from momus.models.runtime import Pass, Passed, Runtime
from momus.models.sampling import Stream, draw, log_softmax
from momus.models.session import TokenBackend, TokenSession

ANSWER = """def f(xs):
    if not xs:
        return 0

    total = 0
    for x in xs:
        total += x
    return 0
"""
Reference = Callable[[Sequence[int]], np.ndarray]


class Counted:
    """A real runtime that counts its passes and tokens."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.passes = self.tokens = 0

    @property
    def arch(self) -> Arch:
        return self.runtime.arch

    @property
    def granule(self) -> int:
        return self.runtime.granule

    def forward(self, batch: Pass, *, hidden: bool = False) -> Passed:
        self.passes += 1
        self.tokens += len(batch.ids)
        return self.runtime.forward(batch, hidden=hidden)


def prompt(length: int = 141) -> list[int]:
    return np.random.default_rng(0).integers(0, 300, length).tolist()


def open_(runtime: Runtime, vocabulary: Any, length: int = 141) -> TokenSession:
    return TokenBackend(runtime, vocabulary).open_tokens(prompt(length))


def sample(session: TokenSession, branches: Sequence[Branch], **options: Any) -> list[Drawn]:
    given = {"max_tokens": 12, "temperature": 1.0, "stop": frozenset(), "quote": None, "seed": 0, **options}
    return session.sample(branches, **given)


def tokens(branches: Sequence[Branch]) -> list[list[int]]:
    return [list(branch.tokens) for branch in branches]


@pytest.mark.parametrize("quote", [None, QuoteSpace(ANSWER)])
def test_a_branch_has_the_same_tokens_whatever_the_batch(int8: Runtime, vocabulary: Any, quote: Any) -> None:
    def opened() -> tuple[TokenSession, list[Branch]]:
        session = open_(int8, vocabulary)
        branches = session.fork(None, 9)
        session.extend(branches, [[vocabulary.open] if i % 2 else [9] * i for i in range(9)])
        return session, branches

    stop = frozenset(range(250, 300))  # about one draw in six: branches end at different places
    session, together = opened()
    sample(session, together, quote=quote, stop=stop, max_tokens=40)
    assert len({len(branch.tokens) for branch in together}) > 3
    session, apart = opened()
    for i in (5, 0, 8, 1):
        sample(session, [apart[i]], quote=quote, stop=stop, max_tokens=40)
    rest = [apart[i] for i in (7, 2, 3, 6, 4)]
    sample(session, rest, quote=quote, stop=stop, max_tokens=40)
    assert tokens(apart) == tokens(together)
    assert [b.logprobs for b in apart] == [b.logprobs for b in together]


def test_a_seed_gives_the_same_tokens_and_another_seed_others(runtime: Runtime, vocabulary: Any) -> None:
    drawn = []
    for seed in (1, 1, 2):
        session = open_(runtime, vocabulary)
        branches = session.fork(None, 4)
        sample(session, branches, seed=seed)
        drawn.append(tokens(branches))
    assert drawn[0] == drawn[1]
    assert all(a != b for a, b in zip(drawn[0], drawn[2], strict=True))
    assert len({tuple(t) for t in drawn[0]}) == 4


def test_forks_made_together_or_one_by_one_are_the_same(int8: Runtime, vocabulary: Any) -> None:
    one, other = open_(int8, vocabulary), open_(int8, vocabulary)
    together = one.fork(None, 4)
    singly = [*other.fork(None, 1), *other.fork(None, 2), *other.fork(None, 1)]
    sample(one, together)
    sample(other, singly)
    assert tokens(together) == tokens(singly)
    assert tokens(one.fork(together[1:3], 2)) == [list(together[i].tokens) for i in (1, 1, 2, 2)]


def test_branches_are_isolated(runtime: Runtime, vocabulary: Any) -> None:
    session = open_(runtime, vocabulary)
    parent = session.fork(None, 1)[0]
    sample(session, [parent])
    before = list(parent.tokens)
    logits = session.peek([parent]).logits
    children = session.fork([parent], 2)
    session.crop(children[0], 3)
    session.extend([children[0]], [[11, 12, 13]])
    sample(session, children, seed=5)
    assert parent.tokens == before
    assert np.array_equal(session.peek([parent]).logits, logits)
    assert children[0].tokens[:6] == [*before[:3], 11, 12, 13]
    assert children[1].tokens[: len(before)] == before


def test_cropped_and_sampled_again_a_branch_is_the_same(int8: Runtime, vocabulary: Any) -> None:
    session = open_(int8, vocabulary)
    branch = session.fork(None, 1)[0]
    sample(session, [branch], max_tokens=30)
    whole = list(branch.tokens)
    for keep in (17, 1, 0):
        session.crop(branch, keep)
        assert branch.tokens == whole[:keep]
        sample(session, [branch], max_tokens=30 - keep)
        assert branch.tokens == whole
    session.crop(branch, 10)
    sample(session, [branch], max_tokens=20, seed=1)
    assert branch.tokens != whole


def test_a_stop_token_is_kept_as_the_last(runtime: Runtime, vocabulary: Any) -> None:
    session = open_(runtime, vocabulary)
    stop = frozenset(range(100, 300))
    drawn = sample(session, session.fork(None, 8), stop=stop, max_tokens=50)
    assert {d.finish for d in drawn} == {"stop"}
    for d in drawn:
        assert d.tokens[-1] in stop and not stop & set(d.tokens[:-1])
        assert tuple(d.branch.tokens) == d.tokens


def test_sampling_ends_at_the_limit_and_at_the_end_of_the_context(runtime: Runtime, vocabulary: Any) -> None:
    session = open_(runtime, vocabulary, 500)
    assert session.room == 12
    branches = session.fork(None, 3)
    session.extend(branches[1:], [[4] * 8, [4] * 12])
    drawn = sample(session, branches, max_tokens=7)
    assert [len(d.tokens) for d in drawn] == [7, 4, 0]
    assert {d.finish for d in drawn} == {"length"}
    with pytest.raises(ValueError, match="room for 12"):
        session.extend([branches[0]], [[4] * 6])
    assert sample(session, branches, max_tokens=0)[0].tokens == ()
    with pytest.raises(MomusError, match="context is 512"):
        open_(runtime, vocabulary, 512)


def test_temperature_0_takes_the_likeliest(runtime: Runtime, vocabulary: Any, reference: Reference) -> None:
    session = open_(runtime, vocabulary)
    branches = session.fork(None, 2)
    sample(session, branches, temperature=0, max_tokens=6)
    assert branches[0].tokens == branches[1].tokens
    ids = prompt()
    for token, logprob in zip(branches[0].tokens, branches[0].logprobs, strict=True):
        expected = log_softmax(reference(ids)[-1])
        assert token == expected.argmax()
        assert logprob == pytest.approx(expected[token], abs=1e-4)
        ids.append(token)


@pytest.mark.parametrize("temperature", [0.7, 1.0])
def test_log_probabilities_are_those_of_the_distribution_drawn_from(
    runtime: Runtime, vocabulary: Any, reference: Reference, temperature: float
) -> None:
    session = open_(runtime, vocabulary)
    space = QuoteSpace(ANSWER)
    masker = space.masker(vocabulary)
    branches = session.fork(None, 3)
    session.extend(branches, [[vocabulary.open], [], [vocabulary.open]])
    sample(session, branches, temperature=temperature, quote=space, max_tokens=30)
    free = 0
    for branch in branches:
        logits = reference([*prompt(), *branch.tokens])
        state = None
        for i, token in enumerate(branch.tokens):
            row = logits[len(prompt()) + i - 1] / temperature
            if state is not None:
                allowed = masker.allowed(state)
                expected = log_softmax(row[allowed])[list(allowed).index(token)]
                assert branch.free[i] == (len(allowed) > 1)
                state = masker.advance(state, token)
                state = None if token == vocabulary.close else state
            else:
                expected = 0.0 if i == 0 and token == vocabulary.open else log_softmax(row)[token]
                assert branch.free[i] == (i > 0 or token != vocabulary.open)
                state = masker.start() if token == vocabulary.open else None
            assert branch.logprobs[i] == pytest.approx(expected, abs=2e-4)
            free += branch.free[i]
        chosen = [p for p, f in zip(branch.logprobs, branch.free, strict=True) if f]
        assert branch.mean_logprob == pytest.approx(sum(chosen) / len(chosen))
    assert free > 10


def test_draws_follow_the_distribution() -> None:
    logits = np.array([0.0, 1.0, -1.0, -np.inf, 2.0], dtype=np.float32)
    stream = Stream(3, (1, 2))
    n = 20_000
    counts = np.bincount([draw(logits, 2.0, stream.uniform(i))[0] for i in range(n)], minlength=5)
    assert np.abs(counts / n - np.exp(log_softmax(logits / 2))).max() < 0.015
    assert counts[3] == 0
    assert draw(logits, 0, 0.99)[0] == 4
    assert Stream(3, (1, 2)).uniform(7) == stream.uniform(7) != Stream(3, (12,)).uniform(7)


@pytest.mark.parametrize("mode", ["lines", "substring"])
def test_every_quote_of_a_random_model_is_exact(int8: Runtime, vocabulary: Any, mode: Any) -> None:
    space = QuoteSpace(ANSWER, mode)
    masker = space.masker(vocabulary)
    session = open_(int8, vocabulary)
    branches = session.fork(None, 24)
    session.extend(branches, [[vocabulary.open]] * 24)
    sample(session, branches, quote=space, max_tokens=120, temperature=1.5)
    quotes = 0
    for branch in branches:
        text = list(branch.tokens)
        while vocabulary.open in text:
            text = text[text.index(vocabulary.open) + 1 :]
            if vocabulary.close not in text:
                break
            quote = text[: text.index(vocabulary.close)]
            span = masker.locate(quote)
            assert span is not None
            said = quote if mode == "substring" else quote[1:]
            assert vocabulary.decode(said) == span.of(ANSWER)
            text = text[len(quote) :]
            quotes += 1
    assert quotes > 12


def test_nothing_opens_where_nothing_can_be_quoted(int8: Runtime, vocabulary: Any) -> None:
    session = open_(int8, vocabulary)
    branches = session.fork(None, 60)
    sample(session, branches, max_tokens=60, temperature=3.0)
    assert any(vocabulary.open in branch.tokens for branch in branches)
    branches = session.fork(None, 60)
    sample(session, branches, max_tokens=60, temperature=3.0, quote=QuoteSpace(" \n\n"))
    assert not any(vocabulary.open in branch.tokens for branch in branches)


def test_tokens_without_a_choice_are_read_in_one_pass(int8: Runtime, vocabulary: Any) -> None:
    space = QuoteSpace(ANSWER)
    counted = Counted(int8)
    session = TokenBackend(counted, vocabulary).open_tokens(prompt())
    branches = session.fork(None, 6)
    session.extend(branches, [[vocabulary.open]] * 6)
    counted.passes = counted.tokens = 0
    sample(session, branches, quote=space, stop=frozenset({vocabulary.close}), max_tokens=40)
    # the opener is read, a number is drawn, the rest is forced
    assert counted.passes == 1 and counted.tokens == 6
    assert all(branch.tokens[-1] == vocabulary.close for branch in branches)
    assert [sum(branch.free) for branch in branches] == [1] * 6
    counted.passes = counted.tokens = 0
    sample(session, branches, quote=space, max_tokens=1)
    assert counted.passes == 1 and counted.tokens == sum(len(b.tokens) - 2 for b in branches)


def test_a_forced_run_respects_the_limit_and_goes_on_after_it(int8: Runtime, vocabulary: Any) -> None:
    space = QuoteSpace(ANSWER)
    whole, cut = open_(int8, vocabulary), open_(int8, vocabulary)
    a, b = whole.fork(None, 1), cut.fork(None, 1)
    for session, branches in ((whole, a), (cut, b)):
        session.extend(branches, [[vocabulary.open]])
    sample(whole, a, quote=space, max_tokens=30)
    for _ in range(10):
        assert len(sample(cut, b, quote=space, max_tokens=3)[0].tokens) == 3
    assert tokens(a) == tokens(b)


def test_pending_tokens_are_read_once_before_a_fork(int8: Runtime, vocabulary: Any) -> None:
    counted = Counted(int8)
    session = TokenBackend(counted, vocabulary).open_tokens(prompt())
    parent = session.fork(None, 1)
    session.extend(parent, [[7] * 10])
    counted.tokens = 0
    children = session.fork(parent, 5)
    sample(session, children, max_tokens=1)
    assert counted.tokens == 10
    assert len({branch.tokens[-1] for branch in children}) > 1


def test_misuse_is_refused(int8: Runtime, vocabulary: Any) -> None:
    backend = TokenBackend(int8, vocabulary)
    assert backend.caps.constraint == "mask"
    for bad in ([], [300], [-1]):
        with pytest.raises(ValueError):
            backend.open_tokens(bad)
    session = open_(int8, vocabulary)
    other = open_(int8, vocabulary).fork(None, 1)
    branch = session.fork(None, 1)
    with pytest.raises(ValueError, match="session that forked it"):
        session.peek(other)
    with pytest.raises(ValueError, match="twice"):
        sample(session, branch * 2)
    with pytest.raises(ValueError, match="temperature"):
        sample(session, branch, temperature=-1)
    with pytest.raises(ValueError, match="cropped to 1"):
        session.crop(branch[0], 1)
    session.close()
    session.close()
    with pytest.raises(ValueError, match="closed"):
        session.fork(None, 1)


def test_with_once_no_line_is_quoted_twice_and_then_none_at_all(runtime: Runtime, vocabulary: Any) -> None:
    """The opener is forced again and again; when every line is quoted, it is not drawn any more."""
    answer = "a = 1\nb = 2\nc = 3\n"
    for once in (True, False):
        quote = QuoteSpace(answer, once=once)
        session = open_(runtime, vocabulary)
        branches = session.fork(None, 6)
        for _ in range(3):
            session.extend(branches, [[vocabulary.open]] * 6)
            sample(session, branches, quote=quote, stop=frozenset((vocabulary.close,)), max_tokens=9)
        quoted = [[token for token in branch.tokens if 3 <= token <= 5] for branch in branches]
        repeated = sum(len(set(lines)) < 3 for lines in quoted)
        assert repeated == 0 if once else repeated > 0
        if once:
            sample(session, branches, quote=quote, max_tokens=200)
            assert all(branch.tokens.count(vocabulary.open) == 3 for branch in branches)


def test_only_chosen_lines_are_quoted(runtime: Runtime, vocabulary: Any) -> None:
    session = open_(runtime, vocabulary)
    branches = session.fork(None, 8)
    session.extend(branches, [[vocabulary.open]] * 8)
    sample(session, branches, quote=QuoteSpace(ANSWER, only=(2, 7)), stop=frozenset((vocabulary.close,)), max_tokens=60)
    assert {branch.tokens[1] - 2 for branch in branches} == {2, 7}
    with pytest.raises(ValueError, match="use mode='lines'"):
        QuoteSpace(ANSWER, "substring", once=True)


def test_each_prompt_has_luck_of_its_own(int8: Runtime, vocabulary: Any) -> None:
    """One number for the first draft of all answers would make all of them silent, or none."""
    firsts = []
    for length in range(133, 141):
        session = open_(int8, vocabulary, length)
        (branch,) = session.fork(None, 1)
        sample(session, [branch], max_tokens=12, temperature=50.0)  # as good as uniform: luck alone decides
        firsts.append(tuple(branch.tokens))
    assert len(set(firsts)) == len(firsts)
