"""A rewrite: code that a model has written once more under the request to correct it, held against the code.

Each token of it comes with its probability. Where it wrote what stands there, the probability is that of the code;
where it wrote something else, the code's own token is mostly among the likeliest that it passed over. So a rewrite
tells of each line how suspicious it is, and holds the fixes: no other model needs to be asked.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from momus.critics.local.scan import LineSuspicion
from momus.critique import TextMap
from momus.models.chat_replies import Token

LIKE = 0.5  # share of the code that a copy of it has at least
SHORT = 400  # characters of code up to which letters are compared, not lines
LEAST = 1e-6  # probability that is left for what is not among the likeliest, at least


@dataclass(frozen=True, slots=True)
class Change:
    """Lines `first` to `back` - 1 of a window (1-based; none where they are the same) give way to `new`.

    `line` is the suspect one, and `gain` by how many nats the model finds what it wrote likelier than what stood there.
    """

    line: int
    first: int
    back: int
    new: tuple[str, ...]
    gain: float


@dataclass(frozen=True, slots=True)
class Rewrite:
    """One window of an answer and what a model has made of it. `lines` are those of the answer (1-based) that the lines
    of `code` are, each moved in by `indent`; `scores` are nats by line of the answer."""

    lines: tuple[int, ...]
    indent: str
    code: str
    scores: dict[int, float] = field(default_factory=dict)
    changes: tuple[Change, ...] = ()

    def suspicions(self) -> list[LineSuspicion]:
        """The lines of the answer, most suspicious first; of equal ones the upper first."""
        found = [LineSuspicion(line, score) for line, score in self.scores.items()]
        return sorted(found, key=lambda line: (-line.score, line.line))


def rewrite(
    lines: tuple[int, ...],
    indent: str,
    code: str,
    tokens: Sequence[Token],
    *,
    before: str = "",
    read: Sequence[Token] = (),
) -> Rewrite | None:
    """Hold what was written against the code, and `before` in front of it, which was to be repeated too.

    `read` are the tokens of the code itself, as likely as the model finds them where they stand: with them every line
    has its suspicion and every change its gain, not only as far as the rewrite tells. None where what was written is no
    copy: less than half of the code is in it.
    """
    old, head = _plain(before + code), len(_plain(before).split("\n")) - 1
    new = _Typed(tokens)
    a, b = old.rstrip("\n").split("\n"), new.lines
    if not _is_copy(a, b):
        return None
    window, stood = TextMap(code), _Typed(read) if read else None
    scores: dict[int, float] = {}
    changes: list[Change] = []

    def suspect(line: int, score: float) -> None:
        """Of a 0-based line of what was to be repeated."""
        at = line - head
        if 0 <= at < min(len(lines), window.line_count) and a[line].strip():
            scores[lines[at]] = max(score, scores.get(lines[at], 0.0))

    starts = TextMap(old).starts
    for tag, a0, a1, b0, b1 in difflib.SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        for line in range(a0, a1):
            written = new.worst(b0 + line - a0) if tag == "equal" else 0.0
            suspect(line, written if stood is None else stood.worst(line - head))
        if tag == "equal":
            continue
        place = starts[a0] if a0 < len(a) else len(old)
        parted = new.parted(old, place, b0)
        if parted is None:
            continue
        at, left, likelihood = parted
        line = min(max(a0, old.count("\n", 0, at)), max(a0, a1 - 1), len(a) - 1)
        if stood is not None:
            begin = starts[head] if head < len(starts) else len(old)
            end = starts[a1] if a1 < len(a) else len(old)
            likelihood = stood.between(at - begin, end - begin)
        else:
            suspect(line, -likelihood)
        if a0 < head:
            continue  # in what stands before the code
        gain = new.logprob(left, b1) - likelihood
        first, back = a0 - head + 1, a1 - head + 1
        changes.append(Change(line - head + 1, first, back, tuple(b[b0:b1]), gain))
    return Rewrite(lines, indent, code, scores, tuple(changes))


class _Typed:
    """What was written, by lines and by tokens."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self._tokens = tokens
        self._text = "".join(token.text for token in tokens)
        self._starts = [0]  # of each token in the text
        for token in tokens:
            self._starts.append(self._starts[-1] + len(token.text))
        self._map = TextMap(self._text)
        self.lines = [line.rstrip() for line in self._text.rstrip("\n").split("\n")]

    def worst(self, line: int) -> float:
        """Negative log-probability of the least likely token that begins on a 0-based line, blanks not counted."""
        found = 0.0
        for k, token in enumerate(self._tokens):
            text = token.text
            at = self._starts[k] + len(text) - len(text.lstrip())
            if text.strip() and self._map.line(at) == line + 1:
                found = max(found, -token.logprob)
        return found

    def between(self, first: int, last: int) -> float:
        """Log-probability of the tokens that end behind one place of the text and begin before another, one at
        least."""
        inside = [
            token.logprob
            for k, token in enumerate(self._tokens)
            if self._starts[k + 1] > first and self._starts[k] < max(last, first + 1)
        ]
        return sum(inside)

    def parted(self, old: str, place: int, line: int) -> tuple[int, int, float] | None:
        """From a 0-based line on, the first token that is not what stands at a place of the code: where in the code,
        which token, and how likely the code's own was. None where the rest is the same."""
        begin = self._map.starts[line] if line < len(self._map.starts) else len(self._text)
        first = next((k for k in range(len(self._tokens)) if self._starts[k + 1] > begin), len(self._tokens))
        at = place - (begin - self._starts[first]) if first < len(self._tokens) else place
        for k in range(first, len(self._tokens)):
            token = self._tokens[k]
            if token.text and not old.startswith(token.text, at):
                return at, k, _passed_over(token, old[at:])
            at += len(token.text)
        return None

    def logprob(self, first: int, line: int) -> float:
        """Log-probability of the tokens from one on to the end of what stands before a 0-based line, one at least."""
        end = self._map.starts[line] if line < len(self._map.starts) else len(self._text)
        last = max(first, *(k for k in range(len(self._tokens)) if self._starts[k] < end)) if end else first
        return sum(token.logprob for token in self._tokens[first : last + 1])


def _passed_over(token: Token, rest: str) -> float:
    """Log-probability of what stands in the code where another token was written; a bound where it is not told."""
    same = [logprob for text, logprob in token.others if text and rest.startswith(text)]
    if same:
        return max(same)
    told = [logprob for _, logprob in token.others] or [token.logprob]
    left = max(LEAST, 1.0 - sum(math.exp(logprob) for logprob in told))
    return min(math.log(left), min(told))


def _plain(code: str) -> str:
    lines = code.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\n".join(line.rstrip() for line in lines)


def _is_copy(a: list[str], b: list[str]) -> bool:
    one, other = "\n".join(a), "\n".join(b)
    if len(one) <= SHORT:
        return difflib.SequenceMatcher(None, one, other, autojunk=False).ratio() >= LIKE
    blocks = difflib.SequenceMatcher(None, a, b, autojunk=False).get_matching_blocks()
    return sum(block.size for block in blocks) >= LIKE * len(a)


def code_of(tokens: Sequence[Token], opened: str = "") -> tuple[list[Token], bool]:
    """The tokens of the first code block of a reply, and whether it was closed; of a reply without any, all of it.

    `opened` is the fence of a block that the reply begins in.
    """
    text = "".join(token.text for token in tokens)
    at, start = 0, 0
    for line in text.splitlines(keepends=True):
        mark = line.strip()
        ticks = mark[: len(mark) - len(mark.lstrip("`"))]
        if len(ticks) >= 3 and not opened:
            opened, start = ticks, at + len(line)
        elif opened and mark == "`" * len(mark) and len(mark) >= len(opened):
            return cut(tokens, start, at), True
        at += len(line)
    return cut(tokens, start, len(text)), False


def cut(tokens: Sequence[Token], start: int, end: int) -> list[Token]:
    """The tokens of a part of the text; one that crosses an end of it keeps what is inside."""
    found, at = [], 0
    for token in tokens:
        inside = token.text[max(0, start - at) : max(0, end - at)]
        whole = inside == token.text
        if inside:
            found.append(token if whole else Token(inside, token.logprob, ()))
        at += len(token.text)
    return found
