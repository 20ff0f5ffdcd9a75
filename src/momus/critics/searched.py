"""The bundled critic with search: the gate says whether to speak, FSBS what to say, the dial how much of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from pathlib import Path
from typing import Literal

from momus import __version__
from momus.critics.dial import Dial
from momus.critics.fsbs import MOMUS, Candidate, Mode, SearchResult, SearchSettings, quotable, search, select
from momus.critics.mending import DRAFTS, Mender, behind, excerpts
from momus.critics.protocol import failed
from momus.critics.refuted import unrefuted
from momus.critics.windowed import Window, Windows, left_out, placed
from momus.critique import Comment, Critique, TextMap
from momus.errors import MomusError
from momus.models.bundled import Bundle, RuntimeName, open_bundle
from momus.models.reward import BundledScorer
from momus.records import Sampled, Task

MAX_COMMENTS = 5  # on one answer, in mode momus; promises of the dial count on it
PERCENTILE = 50  # of the dial, as in the paper


@dataclass(frozen=True, slots=True)
class SearchedWindow:
    """A window's search: its first line in the answer, its text, the gate's confidence by line of the answer.

    `mends`: the suggestion for each line of the window (None: none), where they were chosen before the search.
    """

    first: int
    text: TextMap
    confidence: dict[int, float]
    result: SearchResult
    mends: Mapping[int, str | None] | None = None


@dataclass(frozen=True, slots=True)
class Searched:
    """All searches of one answer; none where the gate found nothing to speak of. `left_out` as in `Sampled`."""

    text: TextMap
    windows: tuple[SearchedWindow, ...]
    left_out: str | None


class SearchedCritic:
    """FSBS over a bundle's policy and reward model, window by window.

    In mode momus only lines that the gate suspects are spoken of (`threshold` overrides the gate's; 0 suspects every
    line that does something), and at most `comments` of them, the most suspect first; a window without one is not
    searched. With `mend` the suggestion for a line is the one that reads best (`momus.critics.mending`), and the search
    words it; else each candidate makes its own. What the answer refutes is not said (`momus.critics.refuted`).

    Mode paper is the paper's: every window is searched, any line may be spoken of, suggestions are the candidates' own,
    and all is said. Raises MomusError where the bundle has no reward model.
    """

    cut: Literal["bare"] = "bare"  # trained on functions alone: imports above them would be strange to it

    def __init__(
        self,
        bundle: Bundle,
        *,
        settings: SearchSettings = MOMUS,
        modifier: float = 0.0,
        threshold: float | None = None,
        comments: int = MAX_COMMENTS,
        mend: bool = True,
    ) -> None:
        if bundle.reward is None:
            raise MomusError(
                f"the bundle {bundle.folder} has no reward model to search with: use the critic bundled, or export one "
                "with momus train export --reward"
            )
        if comments < 1:
            raise MomusError("a critic needs at least one comment: give comments of 1 or more")
        self.name = "bundled+fsbs"
        self.modifier = modifier
        self._bundle = bundle
        self._scorer: BundledScorer | None = None
        self._windows = Windows(bundle, room=bundle.arch.context // 3)  # for several comments
        self._settings = settings
        self._threshold = bundle.gate.threshold if threshold is None else threshold
        self._comments = comments
        self._mender = Mender(bundle) if mend else None
        told = (*astuple(settings), modifier, threshold, comments, mend)
        self.version = "/".join(map(str, (__version__, bundle.version, *told)))

    def critique(self, tasks: Iterable[Task], *, n: int = 1, seed: int) -> Iterator[Sampled]:
        """`n` critiques of each task. Where the gate finds nothing, silence costs one pass over the answer."""
        for task in tasks:
            for i in range(n):
                try:
                    yield self.choose(task, self.search(task, seed + i), self.modifier, i)
                except Exception as error:
                    yield failed(self.name, task, i, error)

    def search(self, task: Task, seed: int) -> Searched:
        """Search every window of an answer that is worth it; to choose from with any length modifier."""
        text = TextMap(task.answer)
        places = self._windows.places(task)
        found = []
        for window in self._windows.judged(task, text):
            suspects = window.suspects(self._threshold, self._comments)
            if self._settings.mode == "paper" or suspects:
                found.append(self._search(window, suspects, seed))
            window.session.close()
        covered = {line for first, last in places for line in range(first, last + 1)}
        return Searched(text, tuple(found), left_out(text, covered))

    def _search(self, window: Window, suspects: Sequence[int], seed: int) -> SearchedWindow:
        if self._scorer is None:
            assert self._bundle.reward is not None
            self._scorer = self._bundle.reward.scorer(self._bundle.dialect)
        session = window.session
        mode = self._settings.mode
        only = suspects if mode == "momus" else None
        mends = None
        if only is not None and self._mender is not None:
            mends = self._mender.suggestions(
                session, only, drafts=DRAFTS, temperature=self._settings.temperature, seed=seed
            )
        mended = {line: tokens for line, mend in (mends or {}).items() if (tokens := behind(session, line, mend))}
        allowed = excerpts(session, mends or dict.fromkeys(suspects)) if mode == "momus" else None
        scores = self._scorer.open(session.prompt)
        try:
            result = search(
                session,
                scores,
                session.prompt.answer,
                codec=session.dialect,
                quote=quotable(session.prompt.answer, mode, only, mended, allowed),
                settings=self._settings,
                seed=seed,
            )
        finally:
            scores.close()
        return SearchedWindow(window.first, session.text, window.confidence, result, mends)

    def choose(self, task: Task, searched: Searched, modifier: float, i: int = 0) -> Sampled:
        """The critique that a length modifier picks of the searches; nothing is sampled again."""
        candidates = [select(window.result, modifier) for window in searched.windows]
        whole = joined(task, self.name, searched, candidates, i)
        if self._settings.mode == "paper":
            return whole
        said = unrefuted(whole.critique, searched.text)
        gravest = sorted(said, key=lambda comment: -(comment.confidence or 0))[: self._comments]
        return whole.model_copy(update={"critique": Critique(tuple(gravest))})


def joined(task: Task, critic: str, searched: Searched, candidates: Sequence[Candidate], i: int = 0) -> Sampled:
    """One candidate of each window as a critique of the answer; what two windows say of a line stands once.

    Its score and log-probability are the means of the candidates'.
    """
    comments: list[Comment] = []
    spoken_of: set[int] = set()  # by the windows before: neighbours overlap
    for window, candidate in zip(searched.windows, candidates, strict=True):
        lines = []
        for comment in candidate.critique:
            place = window.text.line(comment.highlight.start)
            line = window.first + place - 1
            lines.append(line)
            if line in spoken_of:
                continue
            if window.mends is not None:
                comment = replace(comment, suggestion=window.mends.get(place))
            comments.append(placed(comment, window.text, searched.text, line, window.confidence.get(line, 0.0)))
        spoken_of.update(lines)
    return Sampled(
        task_id=task.id,
        critic=critic,
        i=i,
        critique=Critique(tuple(comments)),
        logprob=_mean([candidate.logprob for candidate in candidates if candidate.logprob is not None]),
        score=_mean([candidate.score for candidate in candidates]),
        finish="length" if any(candidate.finish == "length" for candidate in candidates) else "stop",
        left_out=searched.left_out,
    )


def open_searched(
    *,
    bundle: Path | str | None = None,
    runtime: RuntimeName = "onnx",
    dial: int | None = None,
    max_spurious: float | None = None,
    modifier: float | None = None,
    mode: Mode = "momus",
    threshold: float | None = None,
    comments: int = MAX_COMMENTS,
    mend: bool = True,
) -> SearchedCritic:
    """The critic over a bundle; the shipped one where no folder is named. Raises MomusError.

    How much it says is a percentile of the bundle's `dial`, a promise (`max_spurious` comments in 10 reviews) or a
    length `modifier`; by default the 50th percentile, or where no dial was fitted a modifier of 0.
    """
    if sum(setting is not None for setting in (dial, max_spurious, modifier)) > 1:
        raise MomusError("dial, max_spurious and modifier set the same thing: give one of them")
    opened = open_bundle(Path(bundle) if bundle else None, runtime=runtime)
    if modifier is None:
        modifier = _modifier(opened, dial, max_spurious)
    return SearchedCritic(
        opened,
        settings=SearchSettings(mode=mode),
        modifier=modifier,
        threshold=threshold,
        comments=comments,
        mend=mend,
    )


def _modifier(bundle: Bundle, dial: int | None, max_spurious: float | None) -> float:
    fitted = Dial.from_dict(bundle.dial) if bundle.dial is not None else None
    if fitted is None:
        if bundle.reward is None or (dial is None and max_spurious is None):
            return 0.0
        raise MomusError(f"the bundle {bundle.folder} has no fitted dial: export it again, or leave the dial alone")
    return fitted.promising(max_spurious) if max_spurious is not None else fitted.at(dial or PERCENTILE)


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
