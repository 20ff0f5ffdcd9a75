"""Force Sampling Beam Search (paper sections 2.3 and 7.1): critiques that must quote, kept by a reward model.

Written once over any `Session` and `ScoreSession`; it does not know what runs behind them.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from momus.critique import Critique, Span, TextMap
from momus.errors import MomusError
from momus.models.excerpts import Excerpts, repeats
from momus.models.protocol import Backend, Branch, Codec, Drawn, Prompt, Scorer, ScoreSession, Session
from momus.models.quote import QuoteSpace

Mode = Literal["paper", "momus"]


@dataclass(frozen=True, slots=True)
class SearchSettings:
    """How a search goes; the numbers are the paper's. `max_tokens` are of one continuation, of several comments maybe.

    Raises MomusError on numbers that make no search.
    """

    n: int = 4
    k: int = 2
    rounds: int = 4
    mode: Mode = "paper"
    temperature: float = 0.7
    max_tokens: int = 256

    def __post_init__(self) -> None:
        if self.mode not in ("paper", "momus"):
            raise MomusError(f"the mode of a search is paper or momus, not {self.mode!r}")
        if not (1 <= self.k <= self.n and self.rounds >= 1 and self.temperature >= 0 and self.max_tokens >= 1):
            raise MomusError("a search needs n of 1 or more, k from 1 to n, rounds of 1 or more, and room for tokens")

    @property
    def candidates(self) -> int:
        """How many critiques it makes where every one can be gone on from: 28 in the paper."""
        return self.n * (self.k * (self.rounds - 1) + 1)


PAPER, MOMUS = SearchSettings(), SearchSettings(mode="momus")


@dataclass(frozen=True, slots=True)
class Candidate:
    """One critique of a search: its tokens, what they say, and the reward model's score of them.

    `round` counts from 1; the empty critique that mode momus adds has round 0. `parent` is the place among the
    candidates of the one that it continues. `logprob`: mean over the free choices, None where there was none.
    """

    tokens: tuple[int, ...]
    critique: Critique
    score: float
    round: int
    parent: int | None = None
    logprob: float | None = None
    finish: Literal["stop", "length"] = "stop"

    @property
    def highlights(self) -> int:
        return len(self.critique)


@dataclass(frozen=True, slots=True)
class SearchResult:
    """Every candidate of a search in the order they were made; `lost`: how many samples or scores never came."""

    candidates: tuple[Candidate, ...]
    mode: Mode
    lost: int = 0


def select(result: SearchResult, length_modifier: float) -> Candidate:
    """The candidate with the highest score + length_modifier * highlights; of equals, the one that was made first.

    In mode momus, where its words have the same code on both sides, the best that says of the same places what has not.
    """
    ranked = sorted(result.candidates, key=lambda candidate: -candidate.score - length_modifier * candidate.highlights)
    best = ranked[0]
    if result.mode == "paper" or not _repeats(best):
        return best
    places = _places(best)
    return next((other for other in ranked if _places(other) == places and not _repeats(other)), best)


def _repeats(candidate: Candidate) -> bool:
    return any(repeats(comment.text) for comment in candidate.critique)


def _places(candidate: Candidate) -> set[Span]:
    return {comment.highlight for comment in candidate.critique}


def quotable(
    answer: str,
    mode: Mode,
    only: Collection[int] | None = None,
    behind: Mapping[int, Sequence[int]] | None = None,
    excerpts: Excerpts | None = None,
) -> QuoteSpace:
    """What a search may quote: any line of `only` (1-based; None for all); in mode momus each but once. `behind` and
    `excerpts` are those of `QuoteSpace`."""
    return QuoteSpace(answer, only=only, once=mode == "momus", behind=behind, excerpts=excerpts)


def fsbs(
    backend: Backend,
    scorer: Scorer,
    prompt: Prompt,
    *,
    codec: Codec,
    settings: SearchSettings = PAPER,
    seed: int = 0,
) -> SearchResult:
    """Open a prompt with policy and reward model, search, and close both. See `search`."""
    quote = quotable(prompt.answer, settings.mode) if backend.caps.constraint != "none" else None
    session = backend.open(prompt)
    try:
        scores = scorer.open(prompt)
        try:
            return search(session, scores, prompt.answer, codec=codec, quote=quote, settings=settings, seed=seed)
        finally:
            scores.close()
    finally:
        session.close()


def search(
    session: Session,
    scores: ScoreSession,
    answer: str,
    *,
    codec: Codec,
    quote: QuoteSpace | None,
    settings: SearchSettings = PAPER,
    seed: int = 0,
) -> SearchResult:
    """Search over an open prompt.

    Mode paper, to the letter: the opener is forced and `n` critiques are sampled; of each round's, the `k` best by
    the reward model alone lose their end and a last paragraph without a highlight, get the opener again and `n`
    continuations each; n * (k * (rounds - 1) + 1) candidates in all. Mode momus adds the empty critique to the
    candidates, quotes no line twice in one critique (pass a `quote` of `quotable`), and goes on from `k` different
    critiques.

    A critique that has no room left, or in mode momus no line to quote, is a candidate but not gone on from. A sample
    that does not come back, or whose score is no number, is counted and passed over. Raises MomusError where all are
    lost.
    """
    n, rounds, mode = settings.n, settings.rounds, settings.mode
    text, opener = TextMap(answer), list(codec.opener)
    found: list[Candidate] = []
    marks = _Marks(scores)
    speaks = quote is None or bool(quote.lines)
    batch = session.fork(None, n) if speaks else []
    session.extend(batch, [opener] * len(batch))
    parents: list[int | None] = [None] * n
    branches: dict[int, Branch] = {}
    for turn in range(1, rounds + 1):
        if not batch:
            break
        drawn = session.sample(
            batch,
            max_tokens=settings.max_tokens,
            temperature=settings.temperature,
            stop=frozenset((codec.end,)),
            quote=quote,
            seed=seed,
        )
        came = _in_order(batch, drawn)
        values = marks.of([batch[place] for place in came])
        first = len(found)
        for (place, finish), value in zip(came.items(), values, strict=True):
            branch = batch[place]
            if math.isfinite(value):
                branches[len(found)] = branch
                critique = codec.read(branch.tokens, text).critique
                logprob = branch.mean_logprob if any(branch.free) else None
                found.append(Candidate(tuple(branch.tokens), critique, value, turn, parents[place], logprob, finish))
        marks.lost += len(batch) - len(came)
        if turn == rounds:
            break
        going: list[int] = []
        for at in _best(found, first, settings.k, distinct=mode == "momus"):
            session.crop(branches[at], codec.settled(branches[at].tokens))
            if _opened(session, branches[at], opener, found[at], quote):
                going.append(at)
        batch = session.fork([branches[at] for at in going], n) if going else []
        parents = [at for at in going for _ in range(n)]
        branches = {}
    if mode == "momus" or not speaks:
        silence = Branch(codec.write([], text))
        (value,) = marks.of([silence])
        if math.isfinite(value):
            found.append(Candidate(tuple(silence.tokens), Critique(), value, 0))
    if not found:
        raise MomusError(
            "every critique of a search was lost: the model or its reward model gave nothing; run it again"
        )
    return SearchResult(tuple(found), mode, marks.lost)


class _Marks:
    """Scores by tokens: what was scored is not scored again."""

    def __init__(self, scores: ScoreSession) -> None:
        self._scores = scores
        self._known: dict[tuple[int, ...], float] = {}
        self.lost = 0

    def of(self, branches: Sequence[Branch]) -> list[float]:
        keys = [tuple(branch.tokens) for branch in branches]
        new = {key: branch for key, branch in zip(keys, branches, strict=True) if key not in self._known}
        if new:
            self._known.update(zip(new, self._scores.score(list(new.values())), strict=True))
        found = [self._known[key] for key in keys]
        self.lost += sum(not math.isfinite(value) for value in found)
        return found


def _in_order(batch: Sequence[Branch], drawn: Sequence[Drawn]) -> dict[int, Literal["stop", "length"]]:
    """How each branch that came back ended, by its place in the batch."""
    ended = {id(draft.branch): draft.finish for draft in drawn}
    return {place: ended[id(branch)] for place, branch in enumerate(batch) if id(branch) in ended}


def _best(found: Sequence[Candidate], first: int, k: int, *, distinct: bool) -> list[int]:
    """The places of the k best from `first` on; of equals the earlier. `distinct`: of the same tokens only one."""
    ranked = sorted(range(first, len(found)), key=lambda at: -found[at].score)
    if distinct:
        first_of: dict[tuple[int, ...], int] = {}
        for at in ranked:
            first_of.setdefault(found[at].tokens, at)
        ranked = list(first_of.values())
    return ranked[:k]


def _opened(
    session: Session, branch: Branch, opener: list[int], candidate: Candidate, quote: QuoteSpace | None
) -> bool:
    """Append the opener to a survivor, if there is a line left to quote and room for it."""
    if quote is not None and quote.once:
        made = {comment.highlight for comment in candidate.critique}
        if made.issuperset(quote.lines.values()):
            return False
    try:
        session.extend([branch], [opener])
    except ValueError:  # the context is full
        return False
    return True
