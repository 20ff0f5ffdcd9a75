"""Branches of a local model: what forking, cropping, forcing and company change, which is nothing."""

from __future__ import annotations

import numpy as np
import pytest

from momus.models.excerpts import CODE, Excerpts
from momus.models.local import LocalModel
from momus.models.local_session import ROWS
from momus.models.protocol import Branch, Session
from momus.models.quote import QuoteSpace
from tiny_local import PROMPT, TinyLocal

NONE: frozenset[int] = frozenset()


@pytest.fixture(scope="module")
def model(tiny_local: TinyLocal) -> LocalModel:
    return tiny_local.open()


@pytest.fixture(scope="module")
def prompt(model: LocalModel) -> list[int]:
    return model.tokens.encode(PROMPT).ids


def draw(session: Session, branches: list[Branch], length: int = 12, seed: int = 3) -> list[tuple[int, ...]]:
    drawn = session.sample(branches, max_tokens=length, temperature=1.0, stop=NONE, quote=None, seed=seed)
    return [d.tokens for d in drawn]


def test_a_branch_is_the_same_in_any_company(model: LocalModel, prompt: list[int]) -> None:
    """Alone, of as many as a batch has, and of more than one batch."""
    found = {n: draw(session := model.start(prompt), session.fork(None, n)) for n in (1, 3, ROWS, ROWS + 3)}
    many = found[ROWS + 3]
    assert len(set(many)) == len(many)
    for n, drawn in found.items():
        assert drawn == many[:n]


def test_the_log_probabilities_of_a_draw_are_those_of_a_fresh_pass(model: LocalModel, prompt: list[int]) -> None:
    """Over forks, forced tokens, crops, and rows of unequal length."""
    session = model.start(prompt)
    branches = session.fork(None, 3)
    draw(session, branches, 9)
    session.crop(branches[0], 2)
    session.crop(branches[1], 0)
    session.extend(branches[:2], [[7, 8, 9, 10, 11], [12]])
    branches += session.fork(branches[:1], 2)
    session.extend(branches[3:], [[], [40, 41]])
    before = [len(branch.tokens) for branch in branches]
    assert len(set(before)) > 2
    draw(session, branches, 8, seed=9)
    for branch, first in zip(branches, before, strict=True):
        assert len(branch.tokens) == first + 8
        read = model.read([*prompt, *branch.tokens], len(prompt) + first)
        assert np.abs(read.logprobs - np.array(branch.logprobs[first:])).max() < 1e-4
    session.close()


def test_a_cropped_branch_sampled_again_is_the_same(model: LocalModel, prompt: list[int]) -> None:
    session = model.start(prompt)
    branches = session.fork(None, 2)
    first = draw(session, branches)
    for branch in branches:
        session.crop(branch, 0)
    assert draw(session, branches) == first
    session.crop(branches[0], 5)
    draw(session, branches[:1], 7)
    assert tuple(branches[0].tokens) == first[0]


def test_children_share_what_their_parent_wrote_and_part_then(model: LocalModel, prompt: list[int]) -> None:
    session = model.start(prompt)
    (parent,) = session.fork(None, 1)
    (written,) = draw(session, [parent], 6)
    children = session.fork([parent], 3)
    draws = draw(session, children, 6)
    assert len(set(draws)) == 3
    assert all(tuple(child.tokens[:6]) == written for child in children)


def test_a_nucleus_of_nothing_is_greedy(model: LocalModel, prompt: list[int]) -> None:
    greedy = model.complete(prompt, max_tokens=10)[0]
    nucleus = model.complete(prompt, max_tokens=10, temperature=1.0, top_p=1e-6, seed=8)[0]
    assert nucleus.ids == greedy.ids


def test_code_between_backticks_is_an_excerpt(model: LocalModel, prompt: list[int]) -> None:
    """A random model writes anything; whatever it puts between backticks is the answer's."""
    answer = "total = xs[0]\nreturn total + last\n"
    tick = model.tokens.encode("`").ids
    for space in (QuoteSpace(answer), QuoteSpace("x = 1\n", excerpts=Excerpts([answer]))):
        session = model.start(prompt)
        branches = session.fork(None, 4)
        session.extend(branches, [tick] * 4)
        session.sample(branches, max_tokens=60, temperature=1.0, stop=NONE, quote=space, seed=2)
        texts = [model.tokens.decode(branch.tokens) for branch in branches]
        code = [piece for text in texts for piece in CODE.findall(text)]
        assert code and all(Excerpts([answer]).holds(piece) for piece in code)


def test_a_session_refuses_what_is_not_its_own(model: LocalModel, prompt: list[int]) -> None:
    session, other = model.start(prompt), model.start(prompt)
    (branch,) = session.fork(None, 1)
    with pytest.raises(ValueError, match="belongs to the session"):
        other.fork([branch], 1)
    with pytest.raises(ValueError, match="named twice"):
        draw(session, [branch, branch])
    with pytest.raises(ValueError, match="cannot be cropped"):
        session.crop(branch, 1)
    with pytest.raises(ValueError, match="room"):
        session.extend([branch], [[1] * model.context])
    with pytest.raises(ValueError, match="token ids below"):
        model.start([10**6])
    session.close()
    with pytest.raises(ValueError, match="closed"):
        session.fork(None, 1)
