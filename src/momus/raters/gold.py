"""The gold critique: a tamper's own bugs as comments, worded anew, so that nobody can learn them by their style.

Half of the texts are the descriptions as they stand, which is how the models that are trained on tampers write as well;
the others are shorter, longer or of another build. The severity is sometimes a neighbour, the suggestion is sometimes
left out, and the highlight is the whole line, as models quote. So the gold critique is not always the best one either.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

from momus.critique import SEVERITIES, Comment, Critique, Severity, Span, TextMap
from momus.records import Bug

AS_IT_STANDS = 0.5  # share of descriptions that are left as they are
WITH_SUGGESTION = 0.7
OTHER_SEVERITY = 0.3
SHORT = 60  # characters of code that a sentence may quote

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z`])")
_OPENINGS = ("Bug: ", "Problem: ", "This is wrong. ", "Look at this line again. ", "This cannot be right. ", "")
_FROM_CODE = (
    "`{old}` should be `{new}`.",
    "It says `{old}` where `{new}` is meant.",
    "Expected `{new}` here, not `{old}`.",
    "Write `{new}` in place of `{old}`.",
)
_FROM_CATEGORY = (
    "This looks like a case of {category}.",
    "Here is a mistake ({category}).",
    "{category}: this line does not do what was asked.",
)


@dataclass(frozen=True, slots=True)
class _Marked:
    """A bug's place as a comment highlights it. `suggestion` replaces the highlight and does what the bug's does."""

    highlight: Span
    suggestion: str | None


def gold_critique(bugs: tuple[Bug, ...], answer: str, rng: random.Random) -> Critique:
    """A comment on each bug of `answer`, the gravest first, worded by `rng`. Bugs on blank places alone have none."""
    text = TextMap(answer)
    comments = [comment for bug in bugs if (comment := _comment(bug, text, rng)) is not None]
    rng.shuffle(comments)
    comments.sort(key=lambda comment: -SEVERITIES.index(comment.severity))
    return Critique(tuple(comments))


def _comment(bug: Bug, text: TextMap, rng: random.Random) -> Comment | None:
    marked = _marked(bug, text)
    if marked is None:
        return None
    words = _worded(bug, marked, text, rng)
    suggestion = marked.suggestion if rng.random() < WITH_SUGGESTION else None
    return Comment(marked.highlight, words, bug.category, _severity(bug.severity, rng), suggestion)


def _marked(bug: Bug, text: TextMap) -> _Marked | None:
    """Within one line, all of its code is highlighted; a blank place gives way to the code beside it."""
    span = bug.spans[0]
    lines = text.lines(span)
    if span.of(text.text).strip() and len(lines) > 1:
        return _Marked(span, bug.suggestion)
    blank = not text.line_text(lines[0]).strip()
    line = _code_near(lines[0], text) if blank else lines[0]
    if line is None:
        return None
    start, end = text.line_span(line)
    code = text.text[start:end]
    whole = Span(start + len(code) - len(code.lstrip()), start + len(code.rstrip()))
    if blank or bug.suggestion is None or not (whole.start <= span.start and span.end <= whole.end):
        return _Marked(whole, bug.suggestion if span == whole else None)
    mended = text.text[whole.start : span.start] + bug.suggestion + text.text[span.end : whole.end]
    return _Marked(whole, mended)


def _code_near(line: int, text: TextMap) -> int | None:
    return min(text.code_lines, key=lambda number: (abs(number - line), -number), default=None)


def _severity(severity: Severity, rng: random.Random) -> Severity:
    if rng.random() >= OTHER_SEVERITY:
        return severity
    at = SEVERITIES.index(severity)
    return rng.choice(SEVERITIES[max(0, at - 1) : at] + SEVERITIES[at + 1 : at + 2])


def _worded(bug: Bug, marked: _Marked, text: TextMap, rng: random.Random) -> str:
    described = bug.description.strip()
    if described and rng.random() < AS_IT_STANDS:
        return described
    old, new = marked.highlight.of(text.text), marked.suggestion
    quotable = new is not None and _short(old) and _short(new) and new.strip() != ""
    sentences: list[str] = []
    if described:
        first = _SENTENCE_END.split(described)[0]
        sentences = [described, first, rng.choice(_OPENINGS) + described, rng.choice(_OPENINGS) + first]
        if quotable and f"`{new}`" not in described:
            sentences.append(f"{described} That is, `{new}`.")
    if quotable:
        sentences.append(rng.choice(_FROM_CODE).format(old=old, new=new))
    if not sentences:
        sentences.append(rng.choice(_FROM_CATEGORY).format(category=bug.category.replace("-", " ")))
    said = rng.choice(sentences)
    return said[0].upper() + said[1:]


def _short(code: str) -> bool:
    return len(code) <= SHORT and "\n" not in code and "`" not in code
