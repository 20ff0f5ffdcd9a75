"""What a reasoning model thinks before it speaks, taken out of its reply: it is no part of what it says."""

from __future__ import annotations

import re

_OPENS = re.compile(r"(?<![`'\"\w])<(think|thinking|reasoning)>", re.IGNORECASE)
_CLOSES = re.compile(r"(?<![`'\"])</(?:think|thinking|reasoning)>", re.IGNORECASE)
_FENCE = re.compile(r" {0,3}(`{3,})[^`]*")


def without_thinking(text: str) -> str:
    """The reply without `<think>...</think>`, an unclosed one to its end.

    Templates that open it in the prompt leave a closing tag alone: all before that is thinking. In a code block, and in
    quotes or backticks, a tag is code that is spoken of, but for a closing one that stands alone on its line.
    """
    kept: list[str] = []
    fence = ""  # of the code block that is open
    lines = text.split("\n")
    while lines:
        line = lines.pop(0)
        closing = _CLOSES.fullmatch(line.strip()) if fence else _CLOSES.search(line)
        opening = None if fence else _OPENS.search(line)
        if opening is not None and (closing is None or opening.start() < closing.start()):
            rest = "\n".join([line[opening.end() :], *lines])
            end = _CLOSES.search(rest)
            kept.append(line[: opening.start()])
            lines = [] if end is None else rest[end.end() :].split("\n")
            continue
        if closing is not None:
            kept, fence = [], ""
            lines.insert(0, line.strip()[closing.end() :] if closing.string != line else line[closing.end() :])
            continue
        if marks := _FENCE.fullmatch(line):
            bare = line.strip()
            if not fence:
                fence = marks[1]
            elif set(bare) == {"`"} and len(bare) >= len(fence):
                fence = ""
        kept.append(line)
    return "\n".join(kept)
