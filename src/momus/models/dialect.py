"""The bundled critic's own language: how a prompt and a critique become tokens, and tokens a critique again.

    <|question|> ... <|answer|> line <|1|> line <|2|> ... <|scan|> <|1|> <|2|> ... <|critique|>
    <|quote|> <|2|> line <|/quote|> <|suggest|> mended line <|/suggest|> <|off-by-one|> <|high|> comment ... <|end|>

Four things make this small-model friendly. A line's marker stands at its end, where a causal model has read the line,
and takes the place of its newline. After the answer every marker is fed once more: at these *scan* positions the model
has read the whole answer and says `<|ok|>` or `<|bug|>` of each line, so that one pass over the prompt judges every
line; the same is asked at every token of the answer, of what was read so far. And a quote opens with its line's
marker, so that choosing what to quote is one token, and the rest is forced. The mend stands before the words: what is
wrong with a line is said best by one who has read what it should be, and a mend that was chosen otherwise can be put
there (`momus.critics.mending`). Silence is `<|end|>` straight after
`<|critique|>`.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from momus.corpus.tokenizer import Tokenizer
from momus.critique import CATEGORIES, SEVERITIES, Comment, Critique, Severity, Span, TextMap
from momus.models.protocol import Prompt, Written

MAX_LINES = 128  # lines of one window; a marker is a token of its own
QUESTION_TOKENS = 128  # a longer question is cut: what it asks stands at its beginning
QUESTION_CHARACTERS = 8192  # and this much of it is looked at

PAD, END, QUESTION, ANSWER, SCAN, CRITIQUE = (
    "<|pad|>",
    "<|end|>",
    "<|question|>",
    "<|answer|>",
    "<|scan|>",
    "<|critique|>",
)
OPEN, CLOSE, SUGGEST, UNSUGGEST, OK, BUG = (
    "<|quote|>",
    "<|/quote|>",
    "<|suggest|>",
    "<|/suggest|>",
    "<|ok|>",
    "<|bug|>",
)
SPECIALS: tuple[str, ...] = (
    *(PAD, END, QUESTION, ANSWER, SCAN, CRITIQUE, OPEN, CLOSE, SUGGEST, UNSUGGEST, OK, BUG),
    *(f"<|{severity}|>" for severity in SEVERITIES),
    *(f"<|{number}|>" for number in range(1, MAX_LINES + 1)),
    *(f"<|{category}|>" for category in CATEGORIES),
)


@dataclass(frozen=True, slots=True)
class EncodedPrompt:
    """A prompt as tokens. `lines` are the answer's 1-based lines that can be quoted (the non-blank ones); in the same
    order, `starts` are the positions in `ids` where their tokens begin, `ends` those of the markers behind them, and
    `scan` those at which the model judges them."""

    ids: tuple[int, ...]
    lines: tuple[int, ...]
    starts: tuple[int, ...]
    ends: tuple[int, ...]
    scan: tuple[int, ...]


class Dialect:
    """Tokens of prompts and critiques over one tokenizer. Raises KeyError if the tokenizer lacks a special token."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer
        ids = {token: tokenizer.id(token) for token in SPECIALS}
        self.pad, self.end = ids[PAD], ids[END]
        self.open, self.close = ids[OPEN], ids[CLOSE]
        self.opener: tuple[int, ...] = (self.open,)
        self.suggest, self.unsuggest = ids[SUGGEST], ids[UNSUGGEST]
        self.ok, self.bug = ids[OK], ids[BUG]
        self.question, self.answer, self.scan, self.critique = ids[QUESTION], ids[ANSWER], ids[SCAN], ids[CRITIQUE]
        self.markers = [ids[f"<|{number}|>"] for number in range(1, MAX_LINES + 1)]
        self.categories = {ids[f"<|{category}|>"]: category for category in CATEGORIES}
        self.severities: dict[int, Severity] = {ids[f"<|{severity}|>"]: severity for severity in SEVERITIES}
        self._category_ids = {category: token for token, category in self.categories.items()}
        self._severity_ids = {severity: token for token, severity in self.severities.items()}
        self._special = frozenset(ids.values())
        self._line_of_marker = {marker: number for number, marker in enumerate(self.markers, 1)}

    def line(self, text: str) -> list[int]:
        """The tokens of one line: its indentation, then the rest, so that a line reads the same where it is quoted."""
        code = text.lstrip()
        indent = text[: len(text) - len(code)]
        return [*self.tokenizer.encode(indent), *self.tokenizer.encode(code.rstrip())]

    def asked(self, question: str) -> list[int]:
        """The tokens of a question, as much of it as is read."""
        return self.tokenizer.encode(question[:QUESTION_CHARACTERS])[:QUESTION_TOKENS]

    def prompt(self, prompt: Prompt, offset: int = 0) -> EncodedPrompt:
        """Encode a question and a window of an answer. `offset` shifts the markers (training uses all of them).

        Raises ValueError if the window has more than MAX_LINES lines.
        """
        text = TextMap(prompt.answer)
        if text.line_count + offset > MAX_LINES:
            raise ValueError(f"a window holds at most {MAX_LINES} lines, not {text.line_count + offset}")
        ids = [self.question, *self.asked(prompt.question), self.answer]
        lines: list[int] = []
        starts: list[int] = []
        ends: list[int] = []
        for number in range(1, text.line_count + 1):
            start, end = text.line_span(number)
            line = prompt.answer[start:end]
            if not line.strip():
                continue
            starts.append(len(ids))
            ids += self.line(line)
            ends.append(len(ids))
            ids.append(self.markers[number - 1 + offset])
            lines.append(number)
        ids.append(self.scan)
        first = len(ids)
        ids += [self.markers[number - 1 + offset] for number in lines]
        ids.append(self.critique)
        scan = range(first, first + len(lines))
        return EncodedPrompt(tuple(ids), tuple(lines), tuple(starts), tuple(ends), tuple(scan))

    def quote(self, number: int, text: str, offset: int = 0) -> list[int]:
        """A whole quote: opener, what `quote_line` gives, closer."""
        return [self.open, *self.quote_line(number, text, offset), self.close]

    def quote_line(self, number: int, text: str, offset: int = 0) -> list[int]:
        """The tokens of a quoted line, without opener and closer. `number` is its 1-based line in the window."""
        return [self.markers[number - 1 + offset], *self.line(text.strip())]

    def piece(self, token: int) -> str | None:
        """What a token spells in a text; None for a special one."""
        return self._pieces[token]

    @cached_property
    def spelling(self) -> dict[str, list[int]]:
        """The tokens that spell each piece."""
        found: dict[str, list[int]] = {}
        for token, piece in enumerate(self._pieces):
            if piece is not None:
                found.setdefault(piece, []).append(token)
        return found

    @cached_property
    def _pieces(self) -> list[str | None]:
        decode = self.tokenizer.decode
        return [None if token in self._special else decode([token]) for token in range(self.tokenizer.size)]

    def mend(self, suggestion: str) -> list[int]:
        """The tokens of a suggestion, its opener and closer included."""
        return [self.suggest, *self.tokenizer.encode(suggestion), self.unsuggest]

    def comment(self, comment: Comment, answer: TextMap, offset: int = 0) -> tuple[list[int], list[bool]]:
        """One comment as tokens, and which of them are choices (the quoted text behind its marker is forced).

        The quote is `quoted_line`. A suggestion is told only where the highlight is that line, whole: one for
        several lines, or for a part of one, would be read as another. Raises ValueError on a highlight of blanks.
        """
        number = quoted_line(comment.highlight, answer)
        if number is None:
            raise ValueError("a highlight of blanks cannot be quoted")
        head = self.quote(number, answer.text[slice(*answer.line_span(number))], offset)
        chosen = [True, True, *[False] * (len(head) - 2)]
        tail: list[int] = []
        if comment.suggestion is not None and comment.highlight == stripped_line(answer, number):
            tail += self.mend(comment.suggestion)
        tail += [self._category_ids[comment.category], self._severity_ids[comment.severity]]
        tail += self.tokenizer.encode(comment.text)
        return head + tail, chosen + [True] * len(tail)

    def ask(self, prompt: Prompt) -> list[int]:
        """The tokens of a prompt. Raises ValueError on more than MAX_LINES lines, or on an answer of blanks."""
        encoded = self.prompt(prompt)
        if not encoded.lines:
            raise ValueError("an answer of blanks cannot be criticised")
        return list(encoded.ids)

    def write(self, comments: Sequence[Comment], answer: TextMap) -> list[int]:
        """A critique's tokens, closed by `end`; no comments are silence."""
        return [*(token for comment in comments for token in self.comment(comment, answer)[0]), self.end]

    def read(self, tokens: Sequence[int], answer: TextMap) -> Written:
        """Read what a model wrote after the prompt. A comment that was cut off before its quote closed is dropped, and
        one whose quote is not its line's text to the letter."""
        comments: list[Comment] = []
        body = list(tokens)
        starts = [i for i, token in enumerate(body) if token == self.open]
        for start, stop in itertools.pairwise([*starts, len(body)]):
            comment = self._comment_of(body[start + 1 : stop], answer)
            if comment is not None:
                comments.append(comment)
        return Written(Critique(tuple(comments)), len(starts) - len(comments))

    def forced(self, tokens: Sequence[int], answer: TextMap) -> list[int]:
        """Behind an opener and the marker of a line of the answer: that line, and the closer."""
        number = self._line_of_marker.get(tokens[-1]) if len(tokens) > 1 and tokens[-2] == self.open else None
        highlight = stripped_line(answer, number) if number is not None and number <= answer.line_count else None
        return [] if highlight is None else [*self.line(highlight.of(answer.text)), self.close]

    def settled(self, tokens: Sequence[int]) -> int:
        """How many tokens stay without `end`. Here every paragraph opens with its highlight: only one that was cut off
        within it, or within the suggestion behind it, is dropped."""
        stay = len(tokens) - (1 if tokens and tokens[-1] == self.end else 0)
        opened = next((at for at in reversed(range(stay)) if tokens[at] == self.open), None)
        if opened is None:
            return stay
        last = tokens[opened:stay]
        whole = self.close in last and (self.suggest not in last or self.unsuggest in last)
        return stay if whole else opened

    def _comment_of(self, body: list[int], answer: TextMap) -> Comment | None:
        number = self._line_of_marker.get(body[0]) if body else None
        if number is None or number > answer.line_count or self.close not in body:
            return None
        highlight = stripped_line(answer, number)
        if highlight is None or body[1 : body.index(self.close)] != self.line(highlight.of(answer.text)):
            return None
        tail = [token for token in body[body.index(self.close) + 1 :] if token != self.end]
        suggestion = None
        text = tail
        if self.suggest in tail:
            cut = tail.index(self.suggest)
            text, proposed = tail[:cut], tail[cut + 1 :]
            if self.unsuggest in proposed:  # a suggestion that was cut off is none
                until = proposed.index(self.unsuggest)
                suggestion = self.tokenizer.decode(proposed[:until])
                text = [*text, *proposed[until + 1 :]]
        category = next((self.categories[t] for t in text if t in self.categories), "other")
        severity: Severity = next((self.severities[t] for t in text if t in self.severities), "medium")
        return Comment(highlight, self.tokenizer.decode(text), category, severity, suggestion)


def quoted_line(highlight: Span, text: TextMap) -> int | None:
    """The 1-based line that stands for a highlight: the first that it touches and that is not blank; None without."""
    return next((number for number in text.lines(highlight) if text.line_text(number).strip()), None)


def stripped_line(text: TextMap, number: int) -> Span | None:
    """The span of a 1-based line without its indentation and trailing blanks; None for a blank line."""
    start, end = text.line_span(number)
    line = text.text[start:end]
    code = line.strip()
    if not code:
        return None
    begin = start + line.index(code)
    return Span(begin, begin + len(code))
