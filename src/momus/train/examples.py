"""Functions and tampers as training examples: tokens, what each position should say, and what kind of saying it is."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from momus.critique import Comment, TextMap
from momus.errors import MomusError
from momus.models.dialect import MAX_LINES, Dialect, quoted_line
from momus.models.protocol import Prompt
from momus.records import Tamper, Task

Ints = npt.NDArray[np.uint16]


class Kind(IntEnum):
    """Why a position carries a loss."""

    NONE = 0
    CODE = 1  # the next token of question or answer
    SCAN = 2  # is this line a bug's?
    DECISION = 3  # speak or be silent, and of which line
    COMMENT = 4  # what is said of it


@dataclass(frozen=True, slots=True)
class Example:
    """`targets[i]` is what position i should say, where `kinds[i]` is not NONE."""

    ids: Ints
    targets: Ints
    kinds: npt.NDArray[np.uint8]

    def until_critique(self) -> Example:
        """The prompt alone, up to the last line that is scanned."""
        end = int(np.flatnonzero(self.kinds == Kind.SCAN)[-1]) + 1
        return Example(self.ids[:end], self.targets[:end], self.kinds[:end])


def code_example(task: Task, dialect: Dialect, offset: int = 0) -> Example:
    """Plain code: every token of question and answer predicts the next; the scan is fed, but asked nothing."""
    prompt = dialect.prompt(Prompt(task.question, task.answer), offset)
    end = prompt.scan[0] - 1 if prompt.scan else len(prompt.ids)
    return _example(prompt.ids[:end], [Kind.CODE] * (end - 1))


def critique_example(
    task: Task, comments: Sequence[Comment] | None, dialect: Dialect, offset: int = 0, described: bool = True
) -> Example:
    """A prompt and the critique that it should get; no comments stand for silence.

    With `described=False` only the places are known (a natural bug with its fix): nothing is asked of the words.
    Raises ValueError on an answer, or a highlight, of blanks.
    """
    text = TextMap(task.answer)
    prompt = dialect.prompt(Prompt(task.question, task.answer), offset)
    comments = comments or ()
    if not prompt.scan:
        raise ValueError("an answer of blanks cannot be criticised")
    buggy = {quoted_line(comment.highlight, text) for comment in comments}
    ids = list(prompt.ids)
    kinds = [Kind.CODE] * (len(ids) - 1)
    kinds[prompt.scan[0] - 1 :] = [Kind.NONE] * (len(ids) - prompt.scan[0])
    labels: dict[int, int] = {}
    for position, line in zip(prompt.scan, prompt.lines, strict=True):
        labels[position] = dialect.bug if line in buggy else dialect.ok
        kinds[position] = Kind.SCAN
    for n, comment in enumerate(comments):
        tokens, chosen = dialect.comment(comment, text, offset)
        head = tokens.index(dialect.close) + 1
        if not described:
            tokens, chosen = tokens[:head], chosen[:head]
        for i, (token, choice) in enumerate(zip(tokens, chosen, strict=True)):
            # the opener of a further comment is weighed as speech, the first as the decision to speak
            kind = Kind.DECISION if i < 2 and (n == 0 or i == 1) else Kind.COMMENT
            # behind a quote without words stand words that nobody knows
            asked = choice and (described or kind == Kind.DECISION)
            kinds.append(kind if asked else Kind.NONE)
            ids.append(token)
    if described or not comments:
        kinds.append(Kind.COMMENT if comments else Kind.DECISION)
        ids.append(dialect.end)
    return _example(ids, kinds, labels)


def comments_of(tamper: Tamper) -> list[Comment]:
    """The gold critique: the tamper's own bugs as comments, in the order of the answer."""
    return [
        Comment(bug.spans[0], bug.description, bug.category, bug.severity, bug.suggestion)
        for bug in sorted(tamper.bugs, key=lambda bug: bug.spans[0])
    ]


def fits(task: Task, max_lines: int = MAX_LINES) -> bool:
    """Whether an answer has something on its lines, and fits the line markers."""
    return bool(task.answer.strip()) and TextMap(task.answer).line_count <= max_lines


def random_offset(task: Task, rng: random.Random, share: float) -> int:
    """Where the markers start: mostly at 1, sometimes later, so that every marker is trained."""
    room = MAX_LINES - TextMap(task.answer).line_count
    return rng.randrange(room + 1) if room > 0 and rng.random() < share else 0


class ExampleFile:
    """Many examples in one file: flat arrays and offsets. Raises MomusError where the file cannot be read."""

    def __init__(self, path: Path) -> None:
        try:
            with np.load(path) as arrays:
                self.ids: Ints = arrays["ids"]
                self.targets: Ints = arrays["targets"]
                self.kinds: npt.NDArray[np.uint8] = arrays["kinds"]
                self.starts: npt.NDArray[np.int64] = arrays["starts"]
            if not self.starts[-1] == len(self.ids) == len(self.targets) == len(self.kinds):
                raise ValueError("its parts are of unequal length")
        except (OSError, EOFError, BadZipFile, KeyError, IndexError, TypeError, ValueError) as error:
            raise MomusError(
                f"cannot read training examples from {path} ({error}): remove the file, and it is made again"
            ) from None

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        return np.diff(self.starts)

    def __getitem__(self, i: int) -> Example:
        cut = slice(self.starts[i], self.starts[i + 1])
        return Example(self.ids[cut], self.targets[cut], self.kinds[cut])

    @staticmethod
    def write(path: Path, examples: Iterable[Example]) -> int:
        """Write examples to a temporary name, then rename. Returns the count."""
        kept = list(examples)
        starts = np.cumsum([0, *(len(e.ids) for e in kept)])
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(path.name + ".partial.npz")
        empty = np.zeros(0, np.uint16)
        np.savez(
            partial,
            ids=np.concatenate([empty, *(e.ids for e in kept)]),
            targets=np.concatenate([empty, *(e.targets for e in kept)]),
            kinds=np.concatenate([empty.astype(np.uint8), *(e.kinds for e in kept)]),
            starts=starts,
        )
        partial.replace(path)
        return len(kept)


def _example(ids: Sequence[int], kinds: Sequence[Kind], labels: dict[int, int] | None = None) -> Example:
    """The last token is only ever a target, so it is not fed."""
    targets = list(ids[1:])
    for position, label in (labels or {}).items():
        targets[position] = label
    return Example(np.array(ids[:-1], np.uint16), np.array(targets, np.uint16), np.array(kinds, np.uint8))
