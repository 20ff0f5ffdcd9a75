"""The ways in which a policy's critiques are written and chosen, as work in shards: sampled, gated, searched, ranked.

`policy`: whole critiques as the policy writes them by itself; quotes are exact, and none is forced. `forced`: with the
opener put in, as a search begins. `gate`: the critic `bundled`, which speaks of lines that its gate suspects. `fsbs`:
search under the reward model. `best`: as many critiques as a search makes, ranked by their mean log-probability, which
needs no reward model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from momus.critics.dial import fit_percentiles
from momus.critics.fsbs import PAPER, Candidate, SearchResult, quotable, select
from momus.critics.protocol import failed
from momus.critics.refuted import unrefuted
from momus.critics.sampled import SampledCritic
from momus.critics.searched import Searched, SearchedCritic, SearchedWindow, joined
from momus.critics.windowed import Windows, left_out
from momus.critique import TextMap
from momus.models.bundled import Bundle, open_bundle
from momus.records import Sampled, Task, read_jsonl
from momus.study.config import FsbsConfig

Way = Literal["policy", "forced", "gate", "fsbs", "best"]
SHARD = 8  # tasks: what a killed run may lose


@dataclass(frozen=True, slots=True)
class Write:
    """What `momus.sharding.map_shards` does to each shard of tasks: critiques of them by a bundle, one way.

    `policy`, `forced` and `gate` write `n` of each (`gate` first one as in use, then such as explore). Of a
    search the candidates are written one by one (`dial` empty, under the id of task and window), or what each length
    modifier chooses of them: `dial` holds (percentile, modifier), and the critic of a critique is then
    `WAY@PERCENTILE`.
    """

    way: Way
    bundle: str
    search: FsbsConfig
    n: int = 1
    temperature: float = 1.0
    seed: int = 0
    dial: tuple[tuple[int, float], ...] = ()

    def open(self) -> Callable[[Sequence[Task]], Iterable[Sampled]]:
        """Raises MomusError where the bundle cannot be opened, or has no reward model to search with."""
        bundle = open_bundle(Path(self.bundle))
        if self.way == "gate":
            critic = SampledCritic(bundle, explore=self.n > 1)
            return lambda tasks: critic.critique(tasks, n=self.n, seed=self.seed)
        policy = PolicyCritic(
            bundle,
            temperature=self.temperature,
            max_tokens=self.search.max_tokens,
            forced=self.way == "forced",
            gate=self.way == "best" and self.search.gate,
        )
        if self.way in ("policy", "forced"):
            return lambda tasks: policy.critique(tasks, n=self.n, seed=self.seed)
        settings = self.search.settings
        search = _search(bundle, self.search).search if self.way == "fsbs" else policy.drafts(settings.candidates)
        return lambda tasks: (row for task in tasks for row in self._chosen(task, search))

    def _chosen(self, task: Task, search: Callable[[Task, int], Searched]) -> Iterator[Sampled]:
        names = [f"{self.way}@{percentile}" for percentile, _ in self.dial] or [self.way]
        try:
            searched = search(task, self.seed)
            if self.dial:
                for name, (_, modifier) in zip(names, self.dial, strict=True):
                    row = joined(task, name, searched, [select(w.result, modifier) for w in searched.windows])
                    if self.search.gate:  # as a review has it
                        row = row.model_copy(update={"critique": unrefuted(row.critique, searched.text)})
                    yield row
                return
            for number, window in enumerate(searched.windows):
                for i, candidate in enumerate(window.result.candidates):
                    one = Searched(searched.text, (window,), searched.left_out)
                    row = joined(task, self.way, one, [candidate], i)
                    yield row.model_copy(update={"task_id": f"{task.id}#{number}"})
        except Exception as error:
            for name in names:
                yield failed(name, task, 0, error)


class PolicyCritic:
    """A bundle's policy without gate or search. In answers of several windows, each is written about by itself.

    `forced`: it begins with the opener, so that it speaks wherever a line can be quoted. `gate`: of lines that the gate
    suspects alone, and of a window without one nothing is written, as a search has it.
    """

    def __init__(
        self,
        bundle: Bundle,
        *,
        temperature: float,
        max_tokens: int = PAPER.max_tokens,
        forced: bool = False,
        gate: bool = False,
    ) -> None:
        self._windows = Windows(bundle, room=bundle.arch.context // 3)  # as a search has it
        self.name = "forced" if forced else "policy"
        self._temperature, self._max_tokens, self._forced = temperature, max_tokens, forced
        self._threshold = bundle.gate.threshold if gate else 0.0

    def critique(self, tasks: Iterable[Task], *, n: int = 1, seed: int) -> Iterator[Sampled]:
        """`n` critiques of each task."""
        write = self.drafts(n)
        for task in tasks:
            try:
                drafts = write(task, seed)
            except Exception as error:
                yield from (failed(self.name, task, i, error) for i in range(n))
                continue
            for i in range(n):
                yield joined(task, self.name, drafts, [window.result.candidates[i] for window in drafts.windows], i)

    def drafts(self, n: int) -> Callable[[Task, int], Searched]:
        """What samples `n` candidates in each window of a task, with a seed. Their score is the mean log-probability
        over the free choices."""

        def write(task: Task, seed: int) -> Searched:
            text = TextMap(task.answer)
            found = []
            for window in self._windows.judged(task, text):
                session = window.session
                suspects = window.suspects(self._threshold)
                if self._threshold and not suspects:
                    session.close()
                    continue
                branches = session.fork(None, n)
                if self._forced and suspects:
                    session.extend(branches, [session.dialect.opener] * n)
                drawn = session.sample(
                    branches,
                    max_tokens=self._max_tokens,
                    temperature=self._temperature,
                    stop=frozenset((session.dialect.end,)),
                    quote=quotable(session.prompt.answer, "momus", suspects),
                    seed=seed,
                )
                candidates = tuple(
                    Candidate(
                        tuple(draft.branch.tokens),
                        session.dialect.read(draft.branch.tokens, session.text).critique,
                        draft.branch.mean_logprob,
                        1,
                        logprob=draft.branch.mean_logprob,
                        finish=draft.finish,
                    )
                    for draft in drawn
                )
                result = SearchResult(candidates, "momus")
                found.append(SearchedWindow(window.first, session.text, window.confidence, result))
                session.close()
            covered = {line for first, last in self._windows.places(task) for line in range(first, last + 1)}
            return Searched(text, tuple(found), left_out(text, covered))

        return write


def fit_dial(path: Path, config: FsbsConfig) -> tuple[tuple[int, float], ...]:
    """The length modifiers of the dial's percentiles, from a file of candidates (`Write` without a dial)."""
    searches: dict[str, list[Candidate]] = {}
    for row in read_jsonl(path, Sampled):
        if row.error is None and row.score is not None:
            searches.setdefault(row.task_id, []).append(Candidate((), row.critique, row.score, 1))
    results = [SearchResult(tuple(candidates), config.mode) for candidates in searches.values()]
    return tuple((notch.percentile, notch.modifier) for notch in fit_percentiles(results, config.percentiles))


def _search(bundle: Bundle, config: FsbsConfig) -> SearchedCritic:
    return SearchedCritic(bundle, settings=config.settings, threshold=None if config.gate else 0.0)
