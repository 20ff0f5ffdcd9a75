"""A model's critic without search: one pass decides which lines are suspect, best-of-n words each remark."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from momus import __version__
from momus.critics.mending import DRAFTS, Mender, behind, excerpts
from momus.critics.protocol import failed
from momus.critics.refuted import refuted
from momus.critics.windowed import Windows, left_out, placed
from momus.critique import Comment, Critique, TextMap
from momus.errors import MomusError
from momus.models.bundled import Bundle, BundledSession, RuntimeName, Suspicion, open_bundle
from momus.models.excerpts import repeats
from momus.models.protocol import Drawn
from momus.models.quote import QuoteSpace
from momus.records import Sampled, Task

TEMPERATURE = 0.7
MAX_TOKENS = 160  # of one remark with its suggestion
MAX_COMMENTS = 5
ANOTHER = 0.4  # chance, in an exploring critique, of one more comment


@dataclass(frozen=True, slots=True)
class _Remark:
    comment: Comment
    logprob: float
    finish: Literal["stop", "length"]


class SampledCritic:
    """The bundled critic by itself. `threshold` overrides the gate's; 0 speaks of every answer.

    Of each suspect line `drafts` remarks are sampled. Of those whose words do not have the same code on both sides, if
    there are any, the one is kept whose tokens, those that were free choices, have the highest mean log-probability.
    `comments` is how many lines may be remarked on.

    With `mend` the suggestion is the one that reads best (`momus.critics.mending`), and remarks are worded behind it;
    else each remark makes its own. What the answer refutes is not said (`momus.critics.refuted`).

    With `explore` the first critique of a task is that one, and each further one is there to be rated: it speaks though
    the gate is silent, of one line or a few drawn by their confidence, in the words of a single draft.
    """

    cut: Literal["bare"] = "bare"  # trained on functions alone: imports above them would be strange to it

    def __init__(
        self,
        bundle: Bundle,
        *,
        threshold: float | None = None,
        drafts: int = DRAFTS,
        comments: int = MAX_COMMENTS,
        temperature: float = TEMPERATURE,
        explore: bool = False,
        mend: bool = True,
    ) -> None:
        if drafts < 1 or comments < 1:
            raise MomusError("a critic needs at least one draft and one comment: give drafts and comments of 1 or more")
        if not (math.isfinite(temperature) and temperature >= 0):
            raise MomusError(f"a temperature is 0 or more, not {temperature}")
        self.name = "bundled"
        self.version = f"{__version__}/{bundle.version}/{threshold}/{drafts}/{comments}/{temperature}/{explore}/{mend}"
        self._windows = Windows(bundle)
        self._mender = Mender(bundle) if mend else None
        self._threshold = bundle.gate.threshold if threshold is None else threshold
        self._drafts, self._comments = drafts, comments
        self._temperature, self._explore = temperature, explore

    def critique(self, tasks: Iterable[Task], *, n: int = 1, seed: int) -> Iterator[Sampled]:
        """`n` critiques of each task. Silence costs one pass over the answer and no sampling."""
        for task in tasks:
            for i in range(n):
                try:
                    yield self._critique(task, i, seed + i)
                except Exception as error:
                    yield failed(self.name, task, i, error)

    def suspicions(self, task: Task) -> list[Suspicion]:
        """What the model makes of an answer's lines; where windows overlap, the graver view counts."""
        gravest: dict[int, Suspicion] = {}
        confidence = self._windows.confidence
        for window in self._windows.judged(task, TextMap(task.answer)):
            for found in window.suspicions:
                known = gravest.get(found.line)
                if known is None or confidence(found) > confidence(known):
                    gravest[found.line] = found
            window.session.close()
        return [gravest[line] for line in sorted(gravest)]

    def _critique(self, task: Task, i: int, seed: int) -> Sampled:
        text = TextMap(task.answer)
        explores = self._explore and i > 0
        threshold, drafts = (-1.0, 1) if explores else (self._threshold, self._drafts)
        suspects: dict[int, tuple[float, tuple[int, int]]] = {}  # line -> confidence, the window that has it
        places = self._windows.places(task)
        covered = {line for first, last in places for line in range(first, last + 1)}
        at: tuple[int, int] | None = None
        for at, window in zip(places, self._windows.judged(task, text), strict=True):
            session = window.session
            for line, confidence in window.confidence.items():
                if confidence >= threshold and confidence > suspects.get(line, (-1.0,))[0]:
                    suspects[line] = confidence, at
        if explores:
            rng = random.Random(f"{seed}/{task.id}")
            suspects = {line: suspects[line] for line in _drawn({n: c for n, (c, _) in suspects.items()}, rng)}
        gravest = sorted(suspects, key=lambda line: -suspects[line][0])[: self._comments]
        remarks: dict[int, _Remark] = {}
        # the window that is still open comes first, and each other one is opened once
        for line in sorted(gravest, key=lambda line: (suspects[line][1] != at, suspects[line][1])):
            confidence, place = suspects[line]
            if place != at:
                session, at = self._windows.open(task.question, text, place), place
            remark = self._remark(
                session, line - place[0] + 1, confidence, text, line, seed, drafts, mends=not explores
            )
            remarks[line] = remark
        kept = [remarks[line] for line in gravest if explores or not refuted(remarks[line].comment, text)]
        return Sampled(
            task_id=task.id,
            critic=self.name,
            i=i,
            critique=Critique(tuple(remark.comment for remark in kept)),
            logprob=sum(r.logprob for r in kept) / len(kept) if kept else None,
            finish="length" if any(r.finish == "length" for r in kept) else "stop",
            left_out=left_out(text, covered),
        )

    def _remark(
        self,
        session: BundledSession,
        line: int,
        confidence: float,
        text: TextMap,
        whole_line: int,
        seed: int,
        drafts: int,
        *,
        mends: bool,
    ) -> _Remark:
        """The best of the drafts about one line; `line` counts in the window, `whole_line` in the answer.

        One that is there to be rated is left as it was written (`mends` false).
        """
        dialect = session.dialect
        head = dialect.quote(line, session.text.line_text(line))
        mender = self._mender if mends else None
        mend = None
        if mender is not None:
            mend = mender.suggestions(session, [line], drafts=drafts, temperature=self._temperature, seed=seed)[line]
            head += behind(session, line, mend)
        quoted = session.fork(None, 1)
        session.extend(quoted, [head])
        branches = session.fork(quoted, drafts)  # which read the quote once
        drawn = session.sample(
            branches,
            max_tokens=MAX_TOKENS,
            temperature=self._temperature,
            stop=frozenset((dialect.end, dialect.open)),
            quote=QuoteSpace(session.prompt.answer, excerpts=excerpts(session, {line: mend})),
            seed=seed,
        )
        read = [(draft, self._said(session, draft)) for draft in drawn]
        best, said = max(
            read, key=lambda pair: (pair[1].text != "", not repeats(pair[1].text), pair[0].branch.mean_logprob)
        )
        if mender is not None:
            said = replace(said, suggestion=mend)
        comment = placed(said, session.text, text, whole_line, confidence)
        return _Remark(comment, best.branch.mean_logprob, best.finish)

    def _said(self, session: BundledSession, draft: Drawn) -> Comment:
        tokens = draft.branch.tokens
        if draft.finish == "stop":
            tokens = tokens[:-1]  # it may be the opener of a further comment
        return session.dialect.read(tokens, session.text).critique.comments[0]


def open_bundled(
    *,
    bundle: Path | str | None = None,
    runtime: RuntimeName = "onnx",
    threshold: float | None = None,
    drafts: int = DRAFTS,
    comments: int = MAX_COMMENTS,
    temperature: float = TEMPERATURE,
    explore: bool = False,
    mend: bool = True,
) -> SampledCritic:
    """The critic over a bundle; the shipped one where no folder is named. Raises MomusError."""
    opened = open_bundle(Path(bundle) if bundle else None, runtime=runtime)
    return SampledCritic(
        opened,
        threshold=threshold,
        drafts=drafts,
        comments=comments,
        temperature=temperature,
        explore=explore,
        mend=mend,
    )


def _drawn(confidences: Mapping[int, float], rng: random.Random) -> list[int]:
    """One line or a few, drawn without replacement, each as likely as it is confident beside the others."""
    count = 1
    while rng.random() < ANOTHER:
        count += 1
    races = sorted((rng.expovariate(1.0) / (confidence + 1e-6), line) for line, confidence in confidences.items())
    return [line for _, line in races[:count]]
