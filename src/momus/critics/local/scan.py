"""The scan: how likely each token of the code is while the model copies it under the request to correct it.

A token that the model would not have written there has a low probability; the lowest of a line is the line's
suspicion. One pass over the request and the code, no sampling and no training.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

from momus.critics.local.bare import Bare, bare
from momus.critics.local.request import VERSION, ask, indentation, line_lengths, windows
from momus.critique import TextMap

if TYPE_CHECKING:
    from momus.critics.local.store import ScanStore
    from momus.models.local import LocalModel
    from momus.records import Task

TOP = 5  # alternatives kept of each position
ROOM = 4_000  # tokens of a request and its answer; longer code is read in windows
OVERLAP = 120  # tokens that a window repeats of the one before it


@dataclass(frozen=True, slots=True)
class LineSuspicion:
    """A 1-based line and its score: the largest negative log-probability of a token that begins on it (nats)."""

    line: int
    score: float


class Looked(Protocol):
    """One window of an answer as a model has looked at it: which lines of the answer (1-based) its lines are, each
    moved in by `indent`."""

    @property
    def lines(self) -> tuple[int, ...]: ...

    @property
    def indent(self) -> str: ...

    @property
    def code(self) -> str: ...

    def suspicions(self) -> list[LineSuspicion]:
        """The lines of the answer, most suspicious first; of equal ones the upper first."""
        ...


@dataclass(frozen=True, slots=True)
class Scan:
    """One window of an answer as the model read it: without comments.

    `head` [h] are the tokens of the request, `ids` [n] those of `code`, whose lines are the `lines` of the answer
    (1-based), each moved in by `indent`; `offsets` [n] are their code points in it. `logprobs` [n]; `top_ids` and
    `top_logprobs` [n, TOP] are what the `model` would rather have written.
    """

    model: LocalModel = field(repr=False, compare=False)

    lines: tuple[int, ...]
    indent: str
    code: str
    head: list[int]
    ids: list[int]
    offsets: list[tuple[int, int]]
    logprobs: npt.NDArray[np.float32]
    top_ids: npt.NDArray[np.int32]
    top_logprobs: npt.NDArray[np.float32]

    def worst(self) -> dict[int, int]:
        """For each line of the code with a token on it (1-based in the window) the index of its least likely token."""
        text = TextMap(self.code)
        found: dict[int, int] = {}
        for index, (start, end) in enumerate(self.offsets):
            token = self.code[start:end]
            if not token.strip():
                continue
            line = text.line(start + len(token) - len(token.lstrip()))
            if line not in found or self.logprobs[index] < self.logprobs[found[line]]:
                found[line] = index
        return found

    def suspicions(self) -> list[LineSuspicion]:
        """The lines of the answer, most suspicious first; of equal ones the upper first."""
        found = [LineSuspicion(self.lines[line - 1], -float(self.logprobs[k])) for line, k in self.worst().items()]
        return sorted(found, key=lambda line: (-line.score, line.line))


class Scanner:
    """Scans answers with one model. With a store, what was scanned before is read from it."""

    def __init__(self, model: LocalModel, store: ScanStore | None = None) -> None:
        self._model = model
        self._store = store

    def scan(self, task: Task, shown: Bare | None = None) -> list[Scan]:
        """The windows of an answer, mostly one; none where it holds no code. MomusError where the model can't read.

        `shown` is what is read in place of the answer without its comments.
        """
        return list(self._windows(task, shown or bare(task.answer))) if task.answer.strip() else []

    def _windows(self, task: Task, shown: Bare) -> Iterator[Scan]:
        indent = indentation(task.context)
        answer = moved_in(shown.code, indent)
        tokens, text = self._model.tokens, TextMap(answer)
        whole = tokens.encode(answer)
        frame = len(ask(tokens, task.question, task.context, ""))
        room = max(ROOM // 8, (ROOM - frame) // 2)  # the code stands in the request and again in the answer
        for first, last in windows(line_lengths(text, whole.offsets), room, OVERLAP):
            start, end = text.starts[first - 1], text.line_span(last)[1]
            code = answer[start:end] if (first, last) != (1, text.line_count) else answer
            if code.strip():
                yield self._scan(task, shown.lines[first - 1 : last], indent, code)

    def _scan(self, task: Task, lines: tuple[int, ...], indent: str, code: str) -> Scan:
        tokens = self._model.tokens
        head, body = ask(tokens, task.question, task.context, code), tokens.encode(code)
        known = self._store.get(head, body.ids) if self._store is not None else None
        if known is None:
            read = self._model.read([*head, *body.ids], len(head), top=TOP)
            known = read.logprobs, read.top_ids, read.top_logprobs
            if self._store is not None:
                self._store.put(head, body.ids, known)
        return Scan(self._model, lines, indent, code, head, body.ids, body.offsets, *known)


def scan_key(model: LocalModel) -> str:
    """What a scan depends on beside the answer: the weights with their adapter, the mode, the request."""
    return f"{model.digest}/{model.mode}/{VERSION}"


def moved_in(code: str, indent: str) -> str:
    """Code with each line that is not blank moved in; line endings and lines stay."""
    starts = [*TextMap(code).starts, len(code)]
    lines = (code[start:end] for start, end in itertools.pairwise(starts))
    return "".join(indent + line if line.strip() else line for line in lines) if indent else code


def line_scores(scans: Iterable[Looked]) -> list[LineSuspicion]:
    """The lines of all windows, most suspicious first; of a line in two windows the later one has read on."""
    latest = {found.line: found for scan in scans for found in scan.suspicions()}
    return sorted(latest.values(), key=lambda line: (-line.score, line.line))
