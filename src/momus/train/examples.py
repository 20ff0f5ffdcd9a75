"""Functions and tampers as training examples: tokens, what each position should say, and what kind of saying it is."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import IntEnum
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from momus.critique import Comment, TextMap
from momus.errors import MomusError
from momus.models.dialect import MAX_LINES, Dialect, EncodedPrompt, quoted_line
from momus.models.protocol import Prompt
from momus.records import Tamper, Task

Ints = npt.NDArray[np.uint16]
Bytes = npt.NDArray[np.uint8]


class Kind(IntEnum):
    """What a position is asked."""

    NONE = 0
    CODE = 1  # the next token of question or answer
    SCAN = 2  # the verdict on a line, all of the answer being known
    DECISION = 3  # speak or be silent, and of which line
    COMMENT = 4  # what is said of it


class Verdict(IntEnum):
    """What the answer's tokens are, and its lines: untouched, or a bug's."""

    NONE = 0
    OK = 1
    BUG = 2


@dataclass(frozen=True, slots=True)
class Example:
    """`targets[i]` is the token that position i should say, where `kinds[i]` asks for one.

    `verdicts[i]` is besides what it should make of what it has just read: at a SCAN position of that line, in the
    answer of the token itself, and at a line's marker of the line so far.
    """

    ids: Ints
    targets: Ints
    kinds: Bytes
    verdicts: Bytes

    def until_critique(self) -> Example:
        """The prompt alone, up to the last line that is scanned."""
        end = int(np.flatnonzero(self.kinds == Kind.SCAN)[-1]) + 1
        return Example(self.ids[:end], self.targets[:end], self.kinds[:end], self.verdicts[:end])


def code_example(task: Task, dialect: Dialect, offset: int = 0) -> Example:
    """Plain code: every token of question and answer predicts the next; the scan is fed, but asked nothing."""
    prompt = dialect.prompt(Prompt(task.question, task.answer), offset)
    end = prompt.scan[0] - 1 if prompt.scan else len(prompt.ids)
    return _example(prompt.ids[:end], [Kind.CODE] * (end - 1))


def critique_example(
    task: Task,
    comments: Sequence[Comment] | None,
    dialect: Dialect,
    offset: int = 0,
    described: bool = True,
    twin: str | None = None,
) -> Example:
    """A prompt and the critique that it should get; no comments stand for silence.

    With `described=False` only the places are known (a natural bug with its fix): nothing is asked of the words.
    `twin` is the clean answer, from which the tokens that were touched are told. Raises ValueError on an answer, or a
    highlight, of blanks.
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
    for position in prompt.scan:
        kinds[position] = Kind.SCAN
    clean = dialect.prompt(Prompt(task.question, twin), offset) if twin is not None else prompt
    verdicts = _verdicts(prompt, clean, buggy)
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
    return _example(ids, kinds, verdicts)


def _verdicts(prompt: EncodedPrompt, clean: EncodedPrompt, buggy: set[int | None]) -> list[int]:
    """The verdict on every token of the answer, on its line markers and on the scan; none before and behind.

    A token is a bug's where it differs from the clean answer; where something was taken out, what follows the gap, if
    only the line's marker.
    """
    verdicts = [int(Verdict.NONE)] * len(prompt.ids)
    lines, clean_lines = ([p.ids[a:b] for a, b in zip(p.starts, p.ends, strict=True)] for p in (prompt, clean))
    for start, end in zip(prompt.starts, prompt.ends, strict=True):
        verdicts[start : end + 1] = [Verdict.OK] * (end + 1 - start)
    matcher = SequenceMatcher(None, lines, clean_lines, autojunk=False)
    for tag, a0, a1, b0, b1 in matcher.get_opcodes():
        if tag == "equal":
            continue
        places = [place for i in range(a0, a1) for place in range(prompt.starts[i], prompt.ends[i])]
        here = [token for line in lines[a0:a1] for token in line]
        there = [token for line in clean_lines[b0:b1] for token in line]
        same = min(len(here), len(there))
        front = next((i for i in range(same) if here[i] != there[i]), same)
        back = next((i for i in range(same - front) if here[-1 - i] != there[-1 - i]), same - front)
        touched = places[front : len(places) - back] or places[front : front + 1]
        if a0 == a1 < len(lines):  # a line was taken out
            touched = [prompt.starts[a1]]
        for place in touched:
            verdicts[place] = Verdict.BUG
    for line, end, position in zip(prompt.lines, prompt.ends, prompt.scan, strict=True):
        verdicts[end] = verdicts[position] = Verdict.BUG if line in buggy else Verdict.OK
    return verdicts


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
                self.kinds: Bytes = arrays["kinds"]
                self.verdicts: Bytes = arrays["verdicts"]
                self.starts: npt.NDArray[np.int64] = arrays["starts"]
            parts = (self.ids, self.targets, self.kinds, self.verdicts)
            if any(len(part) != self.starts[-1] for part in parts):
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
        return Example(self.ids[cut], self.targets[cut], self.kinds[cut], self.verdicts[cut])

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
            verdicts=np.concatenate([empty.astype(np.uint8), *(e.verdicts for e in kept)]),
            starts=starts,
        )
        partial.replace(path)
        return len(kept)


def _example(ids: Sequence[int], kinds: Sequence[Kind], verdicts: Sequence[int] = ()) -> Example:
    """The last token is only ever a target, so it is not fed."""
    fed = len(ids) - 1
    judged = np.zeros(fed, np.uint8)
    judged[: min(fed, len(verdicts))] = verdicts[:fed]
    return Example(np.array(ids[:-1], np.uint16), np.array(ids[1:], np.uint16), np.array(kinds, np.uint8), judged)
