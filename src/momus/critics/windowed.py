"""The bundled model over answers of any length: cut into windows, dedented, and what it says put back in its place."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, replace

from momus.critics.trivial import acting_lines
from momus.critique import Comment, TextMap
from momus.models.bundled import Bundle, BundledBackend, BundledSession, Suspicion, windows
from momus.models.dialect import stripped_line
from momus.models.protocol import Prompt
from momus.records import Task

ROOM = 176  # tokens behind a window's prompt and one quote: a remark and its suggestion
WORDLESS = "This line looks wrong."  # where the model is sure of a line and finds no words


@dataclass(frozen=True, slots=True)
class Window:
    """A window of an answer that is open in the model: its first 1-based line, and what the model makes of its lines.

    `confidence`: the gate's, by line of the answer. Imports, docstrings and comments are read, but never suspected:
    no bug that trains stands there.
    """

    first: int
    session: BundledSession
    suspicions: tuple[Suspicion, ...]
    confidence: dict[int, float]

    def suspects(self, threshold: float, most: int | None = None) -> list[int]:
        """The lines of which the gate is as sure as that, counted in the window; 0 suspects all that do something.

        Of more than `most` the gravest.
        """
        found = [line for line, sure in self.confidence.items() if sure >= threshold]
        gravest = sorted(found, key=lambda line: -self.confidence[line])[:most]
        return sorted(line - self.first + 1 for line in gravest)


class Windows:
    """Opens an answer in a bundle's model, window by window. `room`: tokens kept free behind each prompt."""

    def __init__(self, bundle: Bundle, room: int = ROOM) -> None:
        self._bundle = bundle
        self._backend: BundledBackend = bundle.backend
        self._room = room

    def places(self, task: Task) -> list[tuple[int, int]]:
        """The 1-based (first, last) lines of each window."""
        return windows(task.question, task.answer, self._bundle.dialect, self._bundle.arch.context, self._room)

    def prompt(self, question: str, text: TextMap, place: tuple[int, int]) -> Prompt:
        """What the model is asked of a window."""
        lines = [text.line_text(number) for number in range(place[0], place[1] + 1)]
        return Prompt(question, textwrap.dedent("\n".join(lines)))

    def open(self, question: str, text: TextMap, place: tuple[int, int]) -> BundledSession:
        """Read a window, without judging it."""
        return self._backend.open(self.prompt(question, text, place))

    def judged(self, task: Task, text: TextMap) -> Iterator[Window]:
        """Every window in turn, read and judged. Whoever takes one closes its session."""
        arguable = set(acting_lines(text, signatures=True))
        for place in self.places(task):
            session = self.open(task.question, text, place)
            found = tuple(
                replace(suspicion, line=line)
                for suspicion in session.suspicions()
                if (line := place[0] + suspicion.line - 1) in arguable
            )
            yield Window(place[0], session, found, {s.line: self.confidence(s) for s in found})

    def confidence(self, suspicion: Suspicion) -> float:
        return self._bundle.gate.confidence(suspicion)


def placed(comment: Comment, windowed: TextMap, text: TextMap, line: int, confidence: float) -> Comment:
    """A comment on a line of a window as one on that line of the answer, its suggestion indented as the answer is.

    `windowed` is the window, in which the comment's line stands at its own indentation; `line` counts in the answer.
    """
    highlight = stripped_line(text, line)
    assert highlight is not None  # blank lines are not quoted
    suggestion = comment.suggestion
    if suggestion is not None:
        begin, stop = text.line_span(line)
        own = windowed.line_text(windowed.line(comment.highlight.start))
        suggestion = _indented(suggestion, text.text[begin : highlight.start], own)
        if text.text.startswith("\r\n", stop):
            suggestion = suggestion.replace("\r\n", "\n").replace("\n", "\r\n")
        if suggestion == highlight.of(text.text):
            suggestion = None  # proposes what stands there already
    words = comment.text or WORDLESS
    return Comment(highlight, words, comment.category, comment.severity, suggestion, round(confidence, 4))


def left_out(text: TextMap, covered: set[int]) -> str | None:
    """Which lines of code no window holds, in words; None where all are covered."""
    missing = [number for number in text.code_lines if number not in covered]
    if not missing:
        return None
    named = ", ".join(str(number) for number in missing[:5]) + (", ..." if len(missing) > 5 else "")
    return f"line{'s' if len(missing) > 1 else ''} {named}: too long for the model's context"


def _indented(suggestion: str, indent: str, windowed: str) -> str:
    """A suggestion made in a dedented window, with the further lines indented as the answer has them."""
    inner = windowed[: len(windowed) - len(windowed.lstrip())]
    taken = indent[: len(indent) - len(inner)] if indent.endswith(inner) else ""
    first, *further = suggestion.split("\n")
    return "\n".join([first, *(taken + line if line.strip() else line for line in further)])
