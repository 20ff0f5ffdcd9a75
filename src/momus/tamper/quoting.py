"""What may stand between backticks in a description: code that is there, whole or with `...` for what is left out.

A reviewer's sentence that quotes code which stands nowhere is false, however true the rest of it is. So each quote of a
description is held against the tampered text and its twin before the description is used (`quotes_what_is_there`).
"""

from __future__ import annotations

import builtins
import keyword
import re

_COMMENT = re.compile(r"#[^\r\n]*")
_QUOTED = re.compile(r"`([^`]*)`")
_HEAD = re.compile(r"(?:(?:raise|return|await|yield|yield from|not|del) )?[\w.]{1,60}(?=[(\[])")
_WORDS = frozenset({*keyword.kwlist, *keyword.softkwlist, *dir(builtins)})


def quotable(code: str, limit: int = 56) -> str | None:
    """The code, where it is one short line that can stand between backticks in a sentence."""
    return code if len(code) <= limit and "\n" not in code and "\r" not in code and "`" not in code else None


def brief(code: str, limit: int = 40) -> str:
    """The code on one line, shortened where it is long: `name(...)`, `raise Error(...)`, `a + ...`.

    It is cut before what cannot be shown: a backtick, or the first comment of several lines.
    """
    several = "\n" in code or "\r" in code
    line = " ".join(code.split()) if several else code
    if len(line) <= limit + 8 and "`" not in line and not (several and "#" in line):
        return line
    head = _HEAD.match(line)
    if head and _closes_last(line, head.end()):
        return f"{head.group()}{line[head.end()]}...{line[-1]}"
    shown = min((at for at in (line.find("`"), line.find("#") if several else -1) if at >= 0), default=len(line))
    cut = shown if shown <= limit else max(line.rfind(" ", 12, limit), 0) or limit
    return line[:cut].rstrip(" ,([{") + " ..."


def quotes_what_is_there(said: str, *texts: str) -> bool:
    """Whether each quote of a description is code of one of the texts, or words of Python itself.

    Line breaks, comments and blanks make no difference; where a quote has `...`, the parts beside it must stand in the
    same text, in that order. An odd backtick, or one within another quote, is not true of any text.
    """
    if said.count("`") % 2:
        return False
    known = [_level(text) for text in texts]
    return all(_is_there(quote, known) for quote in _QUOTED.findall(said))


def _is_there(quote: str, known: list[tuple[str, str]]) -> bool:
    line = " ".join(quote.split())
    if not line:
        return False
    if all(word in _WORDS for word in line.split()):
        return True
    return any(line in text or _in_parts(line, text) for pair in known for text in pair)


def _in_parts(line: str, text: str) -> bool:
    at = 0
    for part in line.split("..."):
        at = text.find(part.strip(), at)
        if at < 0:
            return False
        at += len(part.strip())
    return "..." in line


def _level(text: str) -> tuple[str, str]:
    """A text with single blanks for all white space, as it stands and without its comments."""
    return " ".join(text.split()), " ".join(_COMMENT.sub("", text).split())


def _closes_last(line: str, opening: int) -> bool:
    """Whether the bracket that opens at an offset is closed by the last character."""
    depth = 0
    for i in range(opening, len(line)):
        depth += (line[i] in "([{") - (line[i] in ")]}")
        if depth == 0:
            return i == len(line) - 1
    return False
