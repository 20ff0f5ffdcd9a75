"""One comment at several lines of an answer: at a bug, and at lines without one. What ranks them is the place alone.

Between critiques in words of their own a reward model learns first which words fit which code. Here they are equal, and
so all that is left to tell them by is where the bug is.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

from momus.critics.trivial import acting_lines, line_highlight
from momus.critique import Comment, Critique, TextMap
from momus.records import Bug

MOVED = "moved"  # the critic of a critique whose comment was put elsewhere


def moved(comment: Comment, bugs: Sequence[Bug], answer: str, size: int, rng: random.Random) -> list[Critique]:
    """Critiques of `comment` alone, one on a line of a bug and up to `size` - 1 on others; none where that can't be.

    Its suggestion is left out, as it would not fit elsewhere.
    """
    text = TextMap(answer)
    buggy = {line for bug in bugs for span in bug.spans for line in text.lines(span)}
    acting = acting_lines(text, signatures=True)
    hits = [line for line in acting if line in buggy]
    others = [line for line in acting if line not in buggy]
    if not hits or not others:
        return []
    lines = [rng.choice(hits), *rng.sample(others, min(size - 1, len(others)))]
    words = replace(comment, suggestion=None, confidence=None)
    return [Critique((replace(words, highlight=line_highlight(text, line)),)) for line in lines]
