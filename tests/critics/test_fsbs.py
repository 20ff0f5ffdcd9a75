"""FSBS: the paper's steps, held against a slow oracle over a scripted model and over the real tiny bundle."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from momus.critics.fsbs import Candidate, SearchResult, SearchSettings, fsbs, quotable, search, select
from momus.critique import Comment, Critique, Span, TextMap
from momus.errors import MomusError
from momus.models.dialect import stripped_line
from momus.models.protocol import Branch, Caps, Drawn, Prompt, Written
from momus.models.quote import QuoteSpace
from tiny_reward import TinyReward

ANSWER = "a = 1\nb = 2\nc = 3\nd = 4\n"
END, OPEN, CLOSE, BREAK, LINE, WORDS = 0, 1, 2, 3, 10, 20  # LINE + n quotes line n
TEXT = TextMap(ANSWER)


class Paragraphs:
    """A codec as of markdown: paragraphs stand between breaks, and one may hold no highlight."""

    pad, end = 99, END
    opener = (OPEN,)

    def ask(self, prompt: Prompt) -> list[int]:
        return [50, 51]

    def write(self, comments: Sequence[Comment], answer: TextMap) -> list[int]:
        return [*(t for c in comments for t in (OPEN, LINE + answer.line(c.highlight.start), CLOSE, BREAK)), END]

    def read(self, tokens: Sequence[int], answer: TextMap) -> Written:
        comments = []
        for at, token in enumerate(tokens):
            if token == OPEN and list(tokens[at + 2 : at + 3]) == [CLOSE]:
                highlight = stripped_line(answer, tokens[at + 1] - LINE)
                assert highlight is not None
                comments.append(Comment(highlight, "words"))
        return Written(Critique(tuple(comments)), 0)

    def forced(self, tokens: Sequence[int], answer: TextMap) -> list[int]:
        return []

    def settled(self, tokens: Sequence[int]) -> int:
        stay = len(tokens) - (list(tokens[-1:]) == [END])
        last = max((at for at in range(stay) if tokens[at] == BREAK), default=-1) + 1
        return stay if OPEN in tokens[last:stay] else last


def continuation(seed: int, lineage: tuple[int, ...], begun: Sequence[int], most: int) -> list[int]:
    """What the scripted model writes behind the opener: a quote, words, and perhaps more paragraphs, quotes and END."""
    rng = random.Random(f"{seed}{lineage}{list(begun)}")
    written = [LINE + rng.randint(1, 4), CLOSE]
    while len(written) < most:
        written += rng.choice([[WORDS + rng.randrange(9)], [BREAK, WORDS], [BREAK, OPEN, LINE + 1, CLOSE], [END]])
        if written[-1] == END:
            break
    return written[:most]


@dataclass
class Scripted:
    """A session of the scripted model. `lose`: samples that never come back, by their number; `room`: its context."""

    lose: frozenset[int] = frozenset()
    room: int = 10_000
    drawn: int = 0
    forks: int = 0
    lineage: dict[int, tuple[int, ...]] = field(default_factory=dict)
    children: dict[int, int] = field(default_factory=dict)
    kept: list[Branch] = field(default_factory=list)
    begun_with: list[tuple[int, ...]] = field(default_factory=list)

    def fork(self, parents: Sequence[Branch] | None, n: int) -> list[Branch]:
        made = []
        for parent in [None] if parents is None else parents:
            for _ in range(n):
                key = 0 if parent is None else id(parent)
                number = self.children[key] = self.children.get(key, -1) + 1
                branch = Branch(list(parent.tokens) if parent else [])
                self.lineage[id(branch)] = (*(self.lineage[id(parent)] if parent else ()), number)
                self.kept.append(branch)  # so that ids stay theirs
                made.append(branch)
        return made

    def crop(self, branch: Branch, n_tokens: int) -> None:
        del branch.tokens[n_tokens:]

    def extend(self, branches: Sequence[Branch], forced: Sequence[Sequence[int]]) -> None:
        for branch, tokens in zip(branches, forced, strict=True):
            if len(branch.tokens) + len(tokens) > self.room:
                raise ValueError("full")
            branch.tokens += tokens

    def sample(self, branches: Sequence[Branch], *, max_tokens: int, seed: int, **options: Any) -> list[Drawn]:
        assert options["stop"] == frozenset((END,))
        found = []
        for branch in branches:
            self.drawn += 1
            self.begun_with.append(tuple(branch.tokens))
            most = min(max_tokens, self.room - len(branch.tokens))
            written = continuation(seed, self.lineage[id(branch)], branch.tokens, most)
            branch.tokens += written
            branch.logprobs = [-1.0] * len(branch.tokens)
            branch.free = [True] * len(branch.tokens)
            if self.drawn not in self.lose:
                found.append(Drawn(branch, tuple(written), "stop" if written[-1:] == [END] else "length"))
        return found[::-1]  # the order is nobody's promise

    def close(self) -> None:
        pass


@dataclass
class Marked:
    """Scores from a hash of the tokens; `seen` counts how often each was asked for."""

    odd: Callable[[int], bool] = lambda number: False
    seen: list[tuple[int, ...]] = field(default_factory=list)

    def score(self, branches: Sequence[Branch]) -> list[float]:
        found = []
        for branch in branches:
            self.seen.append(tuple(branch.tokens))
            found.append(math.nan if self.odd(len(self.seen)) else mark(branch.tokens))
        return found

    def close(self) -> None:
        pass


def mark(tokens: Sequence[int]) -> float:
    return random.Random(str(list(tokens))).gauss(0, 1)


def searched(session: Any = None, scores: Any = None, **options: Any) -> SearchResult:
    names = SearchSettings.__dataclass_fields__.keys() & options.keys()
    settings = SearchSettings(**{"max_tokens": 8, "temperature": 1.0, **{name: options.pop(name) for name in names}})
    given: dict[str, Any] = {"quote": None, "codec": Paragraphs(), **options}
    return search(session or Scripted(), scores or Marked(), ANSWER, settings=settings, **given)


def oracle(seed: int, n: int, k: int, rounds: int, most: int = 8) -> list[tuple[tuple[int, ...], float]]:
    """The paper's section 7.1 written out, one critique at a time."""
    everything: list[tuple[tuple[int, ...], float]] = []
    beginnings: list[tuple[tuple[int, ...], list[int]]] = [((), [])]
    for _ in range(rounds):
        fresh: list[tuple[tuple[int, ...], list[int]]] = []
        for lineage, begun in beginnings:
            for child in range(n):
                forced = [*begun, OPEN]
                fresh.append(((*lineage, child), forced + continuation(seed, (*lineage, child), forced, most)))
        everything += [(tuple(tokens), mark(tokens)) for _, tokens in fresh]
        best = sorted(fresh, key=lambda one: mark(one[1]), reverse=True)[:k]
        beginnings = []
        for lineage, tokens in best:
            paragraphs: list[list[int]] = [[]]
            for token in [token for token in tokens if token != END]:
                paragraphs[-1].append(token)
                if token == BREAK:
                    paragraphs.append([])
            if OPEN not in paragraphs[-1]:
                paragraphs.pop()
            beginnings.append((lineage, [token for paragraph in paragraphs for token in paragraph]))
    return everything


@pytest.mark.parametrize(("n", "k", "rounds"), [(4, 2, 4), (4, 4, 2), (3, 1, 3), (1, 1, 1), (5, 2, 1)])
def test_it_takes_the_paper_s_steps(n: int, k: int, rounds: int) -> None:
    for seed in range(12):
        result = searched(n=n, k=k, rounds=rounds, seed=seed)
        assert [(c.tokens, c.score) for c in result.candidates] == oracle(seed, n, k, rounds)
        assert len(result.candidates) == n * (k * (rounds - 1) + 1)
        assert result.mode == "paper" and result.lost == 0


def test_there_are_28_candidates_by_default_each_with_its_round_and_parent() -> None:
    result = searched(seed=3)
    assert [c.round for c in result.candidates] == [1] * 4 + [2] * 8 + [3] * 8 + [4] * 8
    for candidate in result.candidates:
        assert (candidate.parent is None) is (candidate.round == 1)
        if candidate.parent is not None:
            parent = result.candidates[candidate.parent]
            assert parent.round == candidate.round - 1
            rivals = sorted((c.score for c in result.candidates if c.round == parent.round), reverse=True)
            assert parent.score in rivals[:2]
        assert candidate.highlights == len(candidate.critique) >= 1
        assert candidate.logprob == -1.0


def test_what_is_gone_on_from_has_no_end_and_no_last_paragraph_without_a_highlight() -> None:
    dropped = 0
    for seed in range(30):
        session = Scripted()
        result = searched(session, seed=seed)
        for begun, candidate in zip(session.begun_with, result.candidates, strict=True):
            assert begun[-1] == OPEN and END not in begun
            if candidate.parent is not None:
                parent = result.candidates[candidate.parent].tokens
                assert begun[:-1] == parent[: len(begun) - 1]
                dropped += parent[-1] != END and len(begun) - 1 < len(parent)
                after = parent[len(begun) - 1 :]
                assert OPEN not in after, "only what holds no highlight is dropped"
    assert dropped > 5


def candidates(draw: st.DrawFn) -> tuple[Candidate, ...]:
    pairs = draw(st.lists(st.tuples(st.integers(-4, 4), st.integers(0, 4)), min_size=1, max_size=12))
    comment = Comment(Span(0, 5), "x")
    return tuple(
        Candidate((i,), Critique((comment,) * highlights), score / 2, 1) for i, (score, highlights) in enumerate(pairs)
    )


@given(st.composite(candidates)(), st.floats(-5, 5))
def test_selection_is_the_formula_and_the_first_of_equals(found: tuple[Candidate, ...], modifier: float) -> None:
    chosen = select(SearchResult(found, "paper"), modifier)
    best, at = -math.inf, -1
    for i, candidate in enumerate(found):
        if candidate.score + modifier * candidate.highlights > best:
            best, at = candidate.score + modifier * candidate.highlights, i
    assert chosen is found[at]


@given(st.composite(candidates)(), st.floats(-5, 5), st.floats(0, 5))
def test_a_higher_modifier_never_says_less(found: tuple[Candidate, ...], modifier: float, more: float) -> None:
    result = SearchResult(found, "paper")
    low, high = select(result, modifier), select(result, modifier + more)
    if more > 1e-6:
        assert high.highlights >= low.highlights


def test_words_with_the_same_code_on_both_sides_give_way_to_others_of_the_same_places() -> None:
    def of(score: float, *said: tuple[int, str]) -> Candidate:
        return Candidate((), Critique(tuple(Comment(Span(at, at + 5), text) for at, text in said)), score, 1)

    echo, elsewhere = of(3.0, (0, "`a` should be `a`.")), of(2.5, (6, "`b` should be `c`."))
    worse, better, silence = of(1.0, (0, "`a` is late.")), of(2.0, (0, "`a` should be `b`.")), of(2.9)
    found = (silence, echo, elsewhere, worse, better)
    assert select(SearchResult(found, "momus"), 0.0) is better
    assert select(SearchResult(found, "paper"), 0.0) is echo
    assert select(SearchResult((silence, echo, elsewhere), "momus"), 0.0) is echo, "that it speaks is settled"
    assert select(SearchResult(found, "momus"), -1.0) is silence


def test_lost_samples_and_scores_are_counted_and_never_end_the_search() -> None:
    result = searched(Scripted(lose=frozenset((1, 2, 9))), seed=1)
    assert result.lost == 3 and len(result.candidates) == 25
    assert sum(c.round == 1 for c in result.candidates) == 2
    result = searched(scores=Marked(odd=lambda number: number % 3 == 0), seed=1)
    assert 0 < result.lost == 28 - len(result.candidates) and all(math.isfinite(c.score) for c in result.candidates)
    result = searched(scores=Marked(odd=lambda number: number > 4), seed=1)
    assert (len(result.candidates), result.lost) == (4, 8), "a round that is lost whole ends it with what there is"
    with pytest.raises(MomusError, match="was lost"):
        searched(Scripted(lose=frozenset(range(99))))


def test_a_critique_without_room_is_a_candidate_and_not_gone_on_from() -> None:
    counts = []
    for seed in range(12):
        result = searched(Scripted(room=7), seed=seed)
        assert all(len(c.tokens) <= 7 for c in result.candidates)
        ended = [at for at, c in enumerate(result.candidates) if Paragraphs().settled(c.tokens) == 7]
        assert not {c.parent for c in result.candidates}.intersection(ended)
        counts.append(len(result.candidates))
    assert 4 <= min(counts) < 28


def test_mode_momus_adds_silence_and_scores_nothing_twice() -> None:
    for seed in range(10):
        marks = Marked()
        result = searched(scores=marks, seed=seed, mode="momus", max_tokens=3)
        (silence,) = [c for c in result.candidates if c.round == 0]
        assert silence.tokens == (END,) and silence.critique == Critique() and silence.score == mark([END])
        assert len(marks.seen) == len(set(marks.seen)) == len({c.tokens for c in result.candidates})
        assert select(result, -1e9) is silence
        for turn in (1, 2, 3):
            parents = {c.parent for c in result.candidates if c.round == turn + 1}
            beginnings = [result.candidates[p].tokens for p in parents if p is not None]
            assert len(beginnings) == len(set(beginnings))


def test_impossible_searches_are_refused() -> None:
    for options in ({"n": 0}, {"k": 5}, {"k": 0}, {"rounds": 0}):
        with pytest.raises(MomusError, match="k from 1 to n"):
            searched(**options)
    with pytest.raises(MomusError, match="paper or momus, not 'fast'"):
        SearchSettings(mode="fast")  # type: ignore[arg-type]


def test_where_nothing_can_be_quoted_silence_is_all() -> None:
    result = searched(quote=QuoteSpace(ANSWER, only=()))
    assert [c.tokens for c in result.candidates] == [(END,)]


class Singly:
    """A session that samples its branches one at a time, the last first."""

    def __init__(self, session: Any) -> None:
        self._session = session

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)

    def sample(self, branches: Sequence[Branch], **options: Any) -> list[Drawn]:
        return [self._session.sample([branch], **options)[0] for branch in reversed(branches)]


class Afresh:
    """A scorer that reads everything again for every critique."""

    caps = Caps(True, True, True, True, "mask", True)

    def __init__(self, scorer: Any, prompt: Prompt) -> None:
        self._scorer, self._prompt = scorer, prompt

    def score(self, branches: Sequence[Branch]) -> list[float]:
        return [self._scorer.open(self._prompt).score([Branch(list(branch.tokens))])[0] for branch in branches]

    def close(self) -> None:
        pass


CODE = "def f(xs):\n    total = 0\n    for x in xs:\n        total += x\n    return total\n"


def test_over_the_real_bundle_it_is_the_same_whatever_the_batch(tiny_reward: TinyReward) -> None:
    bundle = tiny_reward.opened("onnx")
    assert bundle.reward is not None
    scorer, prompt = bundle.reward.scorer(bundle.dialect), Prompt("Sum.", CODE)
    settings = SearchSettings(max_tokens=12, temperature=1.0)
    options: dict[str, Any] = {"codec": bundle.dialect, "settings": settings}
    whole = fsbs(bundle.backend, scorer, prompt, seed=5, **options)
    assert len(whole.candidates) == 28
    again = search(
        Singly(bundle.backend.open(prompt)),
        Afresh(scorer, prompt),
        CODE,
        quote=quotable(CODE, "paper"),
        seed=5,
        **options,
    )
    assert [c.tokens for c in again.candidates] == [c.tokens for c in whole.candidates]
    assert [c.score for c in again.candidates] == pytest.approx([c.score for c in whole.candidates], abs=1e-4)
    assert [c.parent for c in again.candidates] == [c.parent for c in whole.candidates]
    other = fsbs(bundle.backend, scorer, prompt, seed=6, **options)
    assert [c.tokens for c in other.candidates] != [c.tokens for c in whole.candidates]


@pytest.mark.parametrize("mode", ["paper", "momus"])
def test_every_highlight_is_an_exact_quote_and_in_mode_momus_made_once(tiny_reward: TinyReward, mode: Any) -> None:
    bundle = tiny_reward.opened("onnx")
    assert bundle.reward is not None
    scorer = bundle.reward.scorer(bundle.dialect)
    short = "x = 1\ny = 2\n"
    settings = SearchSettings(mode=mode, max_tokens=9, temperature=1.0)
    result = fsbs(bundle.backend, scorer, Prompt("", short), codec=bundle.dialect, settings=settings)
    text = TextMap(short)
    lines = {stripped_line(text, 1), stripped_line(text, 2)}
    repeated = 0
    for candidate in result.candidates:
        places = [comment.highlight for comment in candidate.critique]
        assert set(places) <= lines
        opened = candidate.tokens.count(bundle.dialect.open)
        assert opened - candidate.highlights <= 1, "only the last can be cut off"
        repeated += len(places) > len(set(places))
    assert (repeated > 0) is (mode == "paper"), "three highlights on two lines have to repeat"
    if mode == "momus":
        assert max(c.highlights for c in result.candidates) == 2
