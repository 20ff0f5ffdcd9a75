"""Comments, strings and keywords of Python code by position: enough colour for a page, by the standard library."""

from __future__ import annotations

import io
import keyword
import tokenize

from momus.critique import TextMap

_STRINGS = {
    getattr(tokenize, name)
    for name in (
        "STRING",
        "FSTRING_START",
        "FSTRING_MIDDLE",
        "FSTRING_END",
        "TSTRING_START",
        "TSTRING_MIDDLE",
        "TSTRING_END",
    )
    if hasattr(tokenize, name)
}


def colours(text: TextMap) -> list[tuple[int, int, str]]:
    """(start, end, "comment" | "string" | "keyword") in order. Code that does not tokenise is coloured up to there."""
    found: list[tuple[int, int, str]] = []
    try:
        for token in tokenize.generate_tokens(io.StringIO(text.text, newline="").readline):
            if token.type == tokenize.COMMENT:
                kind = "comment"
            elif token.type in _STRINGS:
                kind = "string"
            elif token.type == tokenize.NAME and keyword.iskeyword(token.string):
                kind = "keyword"
            else:
                continue
            start = text.offset(token.start[0], token.start[1] + 1)
            end = text.offset(token.end[0], token.end[1] + 1)
            if start < end and (not found or found[-1][1] <= start):
                found.append((start, end, kind))
    except (tokenize.TokenError, SyntaxError, ValueError):
        pass
    return found
