"""Does this comment make this claim? The one judge behind localisation, CBI, the twin test, dedupe and dismissals.

A claim has three parts, each stricter than the last: the *place* (the highlight touches a line of the bug), the
*category* (the same class of bug, at that place) and the *fix* (the suggestion, put in place of the highlight, undoes
the bug). Lines, not characters, decide the place, as people point at lines.
"""

from __future__ import annotations

import ast
import difflib
import io
import tokenize
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from momus.critique import Comment, Span, TextMap
from momus.records import Bug

WIDEST = 3  # lines that a highlight may have; one as wide as the answer would touch every bug


@dataclass(frozen=True, slots=True)
class Verdict:
    """How far a comment makes the claim of a bug. `category` and `fix` are only ever true where `place` is."""

    place: bool
    category: bool = False
    fix: bool = False


def judge(comment: Comment, bug: Bug, answer: str, twin: str | None = None) -> Verdict:
    """Hold one comment against one reference bug of `answer`. With `twin`, restoring it is a fix."""
    if not same_place(comment.highlight, bug.spans, TextMap(answer)):
        return Verdict(place=False)
    return Verdict(True, comment.category == bug.category, undoes(comment, bug, answer, twin))


def same_place(highlight: Span, spans: Sequence[Span], text: TextMap) -> bool:
    """Whether a highlight touches a line that one of the spans touches."""
    lines = set(text.lines(highlight))
    return any(not lines.isdisjoint(text.lines(span)) for span in spans)


def undoes(comment: Comment, bug: Bug, answer: str, twin: str | None = None) -> bool:
    """Whether the comment's suggestion undoes the bug: the same code results as from the bug's own suggestion.

    Only the highlighted place is held against it, so that one bug of several can be fixed alone.
    """
    if comment.suggestion is None:
        return False
    mended = code_key(apply_suggestion(answer, comment.highlight, comment.suggestion))
    if bug.suggestion is not None and mended == code_key(apply_suggestion(answer, bug.spans[0], bug.suggestion)):
        return True
    return twin is not None and mended == code_key(twin)


def apply_suggestion(answer: str, highlight: Span, suggestion: str) -> str:
    """The answer with the highlighted text replaced."""
    return answer[: highlight.start] + suggestion + answer[highlight.end :]


def same_claim(a: Comment, text_a: TextMap, b: Comment, text_b: TextMap) -> bool:
    """Whether two comments, each on its own version of a text, say the same of the same lines.

    Categories part two claims only where both are known: `other` agrees with every category.
    """
    if a.category != b.category and "other" not in (a.category, b.category):
        return False
    carried = carry(a.highlight, text_a, text_b)
    return carried is not None and same_place(b.highlight, (carried,), text_b)


def carry(span: Span, before: TextMap, after: TextMap) -> Span | None:
    """Where the lines of a span stand in another version of the text; None where they are gone.

    A line that was changed is carried to the lines that took its place.
    """
    line_map = LineMap(before, after)
    lines = [line for old in before.lines(span) for line in line_map.after(old)]
    if not lines:
        return None
    start, _ = after.line_span(min(lines))
    _, end = after.line_span(max(lines))
    return Span(start, end) if start < end else None


class LineMap:
    """Maps 1-based lines of one version of a text to the lines that stand for them in another."""

    def __init__(self, before: TextMap, after: TextMap) -> None:
        self._after: dict[int, range] = {}
        matcher = difflib.SequenceMatcher(None, _lines(before), _lines(after), autojunk=False)
        for tag, a0, a1, b0, b1 in matcher.get_opcodes():
            for line in range(a0, a1):
                if tag == "equal" or (tag == "replace" and a1 - a0 == b1 - b0):
                    self._after[line + 1] = range(b0 + line - a0 + 1, b0 + line - a0 + 2)
                else:
                    self._after[line + 1] = range(b0 + 1, b1 + 1)

    def after(self, line: int) -> range:
        """The lines that stand for a line; empty where it was deleted."""
        return self._after.get(line, range(0))


@lru_cache(maxsize=2048)
def code_key(code: str) -> str:
    """Equal for two programs that differ in layout and comments only. Broken code goes by its tokens."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an invalid escape in somebody's code is not ours to report
            return ast.dump(ast.parse(code))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return "\0" + _tokens(code)


def _tokens(code: str) -> str:
    # Indentation and line ends are part of a program even where it does not parse; blank lines and comments are not.
    kept: list[str] = []
    marks = {tokenize.NEWLINE: "\n", tokenize.INDENT: "\1", tokenize.DEDENT: "\2"}
    try:
        for token in tokenize.generate_tokens(io.StringIO(code).readline):
            if token.type not in (tokenize.COMMENT, tokenize.NL):
                kept.append(marks.get(token.type, token.string))
    except (tokenize.TokenError, SyntaxError, ValueError):
        return "\0" + "\n".join(line.rstrip() for line in code.splitlines() if line.strip())
    return "\n".join(kept)


def _lines(text: TextMap) -> list[str]:
    return [text.line_text(n) for n in range(1, text.line_count + 1)]
