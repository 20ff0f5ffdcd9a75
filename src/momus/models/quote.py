"""The only authority on exact quotes: what of an answer may be highlighted, for every kind of model.

Models whose tokens we choose get a masker; servers get a grammar; models that nobody can hold get their quotes
re-anchored, or dropped.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cached_property
from typing import Literal

from momus.critique import Span, TextMap
from momus.models.anchor import Anchor, anchor
from momus.models.excerpts import Excerpts
from momus.models.masks import DONE, LineMasker, Masker, State, SubstringMasker, Vocabulary

__all__ = ["DONE", "Anchor", "Masker", "QuoteSpace", "State", "Vocabulary"]


class QuoteSpace:
    """What may be quoted of one answer: whole lines without their indentation, or any substring. Built once an answer.

    Blank lines are never quoted. `min_chars` (that are not blank) bounds substrings and inexact quotes from below; a
    whole line may be shorter. Of equal lines each is reached by its number where the vocabulary writes numbers, else
    the first stands for all.

    Of lines, `only` says which may be quoted (1-based numbers; None for all), and with `once` a critique quotes none
    twice. `behind` has, by line, tokens that a masker writes straight behind its quote, e.g. a suggestion that was
    chosen before the words. `excerpts` is what code in the words may be. Raises ValueError on an unknown mode, and on
    `only`, `once` or `behind` with substrings.
    """

    def __init__(
        self,
        answer: str,
        mode: Literal["lines", "substring"] = "lines",
        min_chars: int = 4,
        *,
        only: Collection[int] | None = None,
        once: bool = False,
        behind: Mapping[int, Sequence[int]] | None = None,
        excerpts: Excerpts | None = None,
    ) -> None:
        if mode not in ("lines", "substring"):
            raise ValueError(f"mode is lines or substring, not {mode!r}")
        if mode == "substring" and (once or only is not None or behind):
            raise ValueError("only lines can be chosen, counted, or written behind: use mode='lines'")
        self.answer = answer
        self.mode = mode
        self.min_chars = max(1, min_chars)
        self.only = None if only is None else frozenset(only)
        self.once = once
        self.behind = dict(behind or {})
        self.excerpts = excerpts
        self._maskers: dict[tuple[int, frozenset[Span]], tuple[Vocabulary, Masker]] = {}

    @cached_property
    def text(self) -> TextMap:
        return TextMap(self.answer)

    @cached_property
    def lines(self) -> dict[int, Span]:
        """The span of each quotable line by its 1-based number, indentation and trailing blanks left out."""
        spans: dict[int, Span] = {}
        for number in range(1, self.text.line_count + 1):
            start, end = self.text.line_span(number)
            raw = self.answer[start:end]
            if raw.strip() and (self.only is None or number in self.only):
                spans[number] = Span(start + len(raw) - len(raw.lstrip()), start + len(raw.rstrip()))
        return spans

    def masker(self, vocabulary: Vocabulary, made: frozenset[Span] = frozenset()) -> Masker:
        """The automaton over a vocabulary's tokens; kept, so that asking again is free.

        `made`: the highlights of a critique so far, which are left out where each line is quoted once.
        """
        made = made if self.once else frozenset()
        key = (id(vocabulary), made)
        known = self._maskers.get(key)
        if known is None:
            masker: Masker
            if self.mode == "substring":
                masker = SubstringMasker(self.answer, vocabulary, self.min_chars)
            elif made and isinstance(whole := self.masker(vocabulary), LineMasker):
                masker = whole.without(made)
            else:
                quotes = ((s, vocabulary.quote_line(n, s.of(self.answer))) for n, s in self.lines.items())
                behind = {span: self.behind[n] for n, span in self.lines.items() if n in self.behind}
                masker = LineMasker(quotes, vocabulary.close, behind)
            known = self._maskers[key] = (vocabulary, masker)
        return known[1]

    def anchor(self, quote: str) -> Anchor | None:
        """Where an inexact quote stands, or None where that is not certain. Take the answer's text, not the quote's."""
        return anchor(quote, self.answer, self.text, self.min_chars)

    def to_regex(self, open: str, close: str, *, inside: bool = False) -> str:
        """A regular expression of whole critiques whose quotes are exact; `inside`: of one cut just after an opener.

        Comments may not hold the opener's first character. Lines mode only: substrings make no compact expression.
        Understood by Python, Rust and the guided decoding of servers. Raises ValueError on an empty marker or mode.
        """
        quote = "(?:" + "|".join(_regex(line) for line in self._alternatives(open, close)) + ")" + _regex(close)
        text = f"[^{_in_class(open[0])}]*"
        loop = f"(?:{_regex(open)}{quote}{text})*"
        return f"{quote}{text}{loop}" if inside else f"{text}{loop}"

    def to_ebnf(self, open: str, close: str, *, inside: bool = False) -> str:
        """The same as `to_regex`, as a grammar (GBNF, as llama.cpp and XGrammar read it)."""
        quotes = " | ".join(_literal(line) for line in self._alternatives(open, close))
        root = "quote close text (open quote close text)*" if inside else "text (open quote close text)*"
        rules = {
            "root": root,
            "text": f"[^{_in_class(open[0])}]*",
            "open": _literal(open),
            "close": _literal(close),
            "quote": quotes,
        }
        return "".join(f"{name} ::= {body}\n" for name, body in rules.items())

    def _alternatives(self, open: str, close: str) -> list[str]:
        if self.mode != "lines":
            raise ValueError("a grammar is written for mode='lines' only")
        if not open or not close:
            raise ValueError("a highlight needs an opener and a closer")
        distinct = list(dict.fromkeys(span.of(self.answer) for span in self.lines.values()))
        if not distinct:
            raise ValueError("an answer without a line to quote has no grammar")
        return distinct


_CONTROL = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}


def _escaped(text: str, special: str, control: Callable[[int], str]) -> str:
    def escape(match: re.Match[str]) -> str:
        c = match.group()
        return _CONTROL.get(c) or (control(ord(c)) if ord(c) < 0x20 or ord(c) == 0x7F else "\\" + c)

    return re.sub(rf"[\x00-\x1f\x7f{re.escape(special)}]", escape, text)


def _regex(text: str) -> str:
    return _escaped(text, r"\.^$*+?()[]{}|", lambda code: f"\\x{code:02x}")


def _literal(text: str) -> str:
    return '"' + _escaped(text, '\\"', lambda code: f"\\x{code:02x}") + '"'


def _in_class(character: str) -> str:
    return _escaped(character, r"\]^[-", lambda code: f"\\x{code:02x}")
