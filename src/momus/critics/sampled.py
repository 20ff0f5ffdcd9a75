"""A model's critic without search: one pass decides which lines are suspect, best-of-n words each remark."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from momus import __version__
from momus.critics.protocol import failed
from momus.critics.trivial import acting_lines
from momus.critique import Comment, Critique, TextMap
from momus.errors import MomusError
from momus.models.bundled import Bundle, BundledSession, RuntimeName, Suspicion, open_bundle, windows
from momus.models.dialect import stripped_line
from momus.models.protocol import Drawn, Prompt
from momus.records import Sampled, Task

DRAFTS = 4
TEMPERATURE = 0.7
MAX_TOKENS = 160  # of one remark with its suggestion
MAX_COMMENTS = 5
WORDLESS = "This line looks wrong."  # where the model is sure of a line and finds no words


@dataclass(frozen=True, slots=True)
class _Remark:
    comment: Comment
    logprob: float
    finish: Literal["stop", "length"]


class SampledCritic:
    """The bundled critic by itself. `threshold` overrides the gate's; 0 speaks of every answer.

    Of each suspect line `drafts` remarks are sampled, and the one is kept whose tokens, those that were free choices,
    have the highest mean log-probability. `comments` is how many lines may be remarked on.
    """

    cut: Literal["bare"] = "bare"  # trained on functions alone: imports above them would be strange to it

    def __init__(
        self, bundle: Bundle, *, threshold: float | None = None, drafts: int = DRAFTS, comments: int = MAX_COMMENTS
    ) -> None:
        if drafts < 1 or comments < 1:
            raise MomusError("a critic needs at least one draft and one comment: give drafts and comments of 1 or more")
        self.name = "bundled"
        self.version = f"{__version__}/{bundle.version}/{threshold}/{drafts}/{comments}"
        self._bundle = bundle
        self._backend = bundle.backend
        self._threshold = bundle.gate.threshold if threshold is None else threshold
        self._drafts, self._comments = drafts, comments

    def critique(self, tasks: Iterable[Task], *, n: int = 1, seed: int) -> Iterator[Sampled]:
        """`n` critiques of each task. Silence costs one pass over the answer and no sampling."""
        for task in tasks:
            for i in range(n):
                try:
                    yield self._critique(task, i, seed + i)
                except Exception as error:
                    yield failed(self.name, task, i, error)

    def suspicions(self, task: Task) -> list[Suspicion]:
        """What the model makes of an answer's lines; where windows overlap, the graver view counts.

        Imports, docstrings and comments are read, but never suspected: no bug that trains stands there.
        """
        gravest: dict[int, Suspicion] = {}
        text = TextMap(task.answer)
        arguable = set(acting_lines(text, signatures=True))
        for first, last in self._windows(task):
            session = self._open(task.question, text, first, last)
            for found in _judged(session, first, arguable):
                known = gravest.get(found.line)
                if known is None or self._confidence(found) > self._confidence(known):
                    gravest[found.line] = found
            session.close()
        return [gravest[line] for line in sorted(gravest)]

    def _critique(self, task: Task, i: int, seed: int) -> Sampled:
        text = TextMap(task.answer)
        suspects: dict[int, tuple[float, tuple[int, int]]] = {}  # line -> confidence, the window that has it
        arguable = set(acting_lines(text, signatures=True))
        covered: set[int] = set()
        at: tuple[int, int] | None = None
        for window in self._windows(task):
            covered.update(range(window[0], window[1] + 1))
            session, at = self._open(task.question, text, *window), window
            for found in _judged(session, window[0], arguable):
                confidence = self._confidence(found)
                if confidence >= self._threshold and confidence > suspects.get(found.line, (-1.0,))[0]:
                    suspects[found.line] = confidence, window
        gravest = sorted(suspects, key=lambda line: -suspects[line][0])[: self._comments]
        remarks: dict[int, _Remark] = {}
        # the window that is still open comes first, and each other one is opened once
        for line in sorted(gravest, key=lambda line: (suspects[line][1] != at, suspects[line][1])):
            confidence, window = suspects[line]
            if window != at:
                session, at = self._open(task.question, text, *window), window
            remarks[line] = self._remark(session, line - window[0] + 1, confidence, text, line, seed)
        kept = [remarks[line] for line in gravest]
        return Sampled(
            task_id=task.id,
            critic=self.name,
            i=i,
            critique=Critique(tuple(remark.comment for remark in kept)),
            logprob=sum(r.logprob for r in kept) / len(kept) if kept else None,
            finish="length" if any(r.finish == "length" for r in kept) else "stop",
            left_out=_left_out(text, covered),
        )

    def _remark(
        self, session: BundledSession, line: int, confidence: float, text: TextMap, whole_line: int, seed: int
    ) -> _Remark:
        """The best of the drafts about one line; `line` counts in the window, `whole_line` in the answer."""
        dialect = session.dialect
        start, end = session.text.line_span(line)
        quote = [dialect.open, *dialect.quote_line(line, session.text.text[start:end]), dialect.close]
        quoted = session.fork(None, 1)
        session.extend(quoted, [quote])
        branches = session.fork(quoted, self._drafts)  # which read the quote once
        drawn = session.sample(
            branches,
            max_tokens=MAX_TOKENS,
            temperature=TEMPERATURE,
            stop=frozenset((dialect.end, dialect.open)),
            quote=None,
            seed=seed,
        )
        read = [(draft, self._said(session, draft)) for draft in drawn]
        best, said = max(read, key=lambda pair: (pair[1].text != "", pair[0].branch.mean_logprob))
        highlight = stripped_line(text, whole_line)
        assert highlight is not None  # only lines with something on them are judged
        suggestion = said.suggestion
        if suggestion is not None:
            begin, stop = text.line_span(whole_line)
            suggestion = _indented(suggestion, text.text[begin : highlight.start], session.text.text[start:end])
            if text.text.startswith("\r\n", stop):
                suggestion = suggestion.replace("\r\n", "\n").replace("\n", "\r\n")
            if suggestion == highlight.of(text.text):
                suggestion = None  # proposes what stands there already
        comment = Comment(
            highlight, said.text or WORDLESS, said.category, said.severity, suggestion, round(confidence, 4)
        )
        return _Remark(comment, best.branch.mean_logprob, best.finish)

    def _said(self, session: BundledSession, draft: Drawn) -> Comment:
        tokens = draft.branch.tokens
        if draft.finish == "stop":
            tokens = tokens[:-1]  # it may be the opener of a further comment
        return session.dialect.read(tokens, session.text).critique.comments[0]

    def _open(self, question: str, text: TextMap, first: int, last: int) -> BundledSession:
        lines = [text.line_text(number) for number in range(first, last + 1)]
        return self._backend.open(Prompt(question, textwrap.dedent("\n".join(lines))))

    def _windows(self, task: Task) -> list[tuple[int, int]]:
        return windows(task.question, task.answer, self._bundle.dialect, self._bundle.arch.context)

    def _confidence(self, suspicion: Suspicion) -> float:
        return self._bundle.gate.confidence(suspicion.scan_logit, suspicion.log_point)


def open_bundled(
    *,
    bundle: Path | str | None = None,
    runtime: RuntimeName = "auto",
    threshold: float | None = None,
    drafts: int = DRAFTS,
    comments: int = MAX_COMMENTS,
) -> SampledCritic:
    """The critic over a bundle; the shipped one where no folder is named. Raises MomusError."""
    opened = open_bundle(Path(bundle) if bundle else None, runtime=runtime)
    return SampledCritic(opened, threshold=threshold, drafts=drafts, comments=comments)


def _judged(session: BundledSession, first: int, arguable: set[int]) -> Iterator[Suspicion]:
    """The session's suspicions of arguable lines, counted in the answer; its window begins at line `first`."""
    for found in session.suspicions():
        line = first + found.line - 1
        if line in arguable:
            yield Suspicion(line, found.scan_logit, found.log_point)


def _indented(suggestion: str, indent: str, windowed: str) -> str:
    """A suggestion made in a dedented window, with the further lines indented as the answer has them."""
    inner = windowed[: len(windowed) - len(windowed.lstrip())]
    taken = indent[: len(indent) - len(inner)] if indent.endswith(inner) else ""
    first, *further = suggestion.split("\n")
    return "\n".join([first, *(taken + line if line.strip() else line for line in further)])


def _left_out(text: TextMap, covered: set[int]) -> str | None:
    missing = [number for number in text.code_lines if number not in covered]
    if not missing:
        return None
    named = ", ".join(str(number) for number in missing[:5]) + (", ..." if len(missing) > 5 else "")
    return f"line{'s' if len(missing) > 1 else ''} {named}: too long for the model's context"
