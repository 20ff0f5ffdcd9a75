"""What the model is asked: to repeat the code and correct it. The scan, and the fixes, are its answer to this."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from momus.critique import TextMap

if TYPE_CHECKING:
    from momus.models.tokens import Tokens

VERSION = "2"  # of the request's words: a threshold fitted to one version says nothing of another
MAX_QUESTION = 6_000  # characters
_BACKTICKS = re.compile(r"`{3,}")


def ask(tokens: Tokens, question: str, context: str, code: str) -> list[int]:
    """The tokens of the request, with the beginning of the answer at their end: its code block, and the context in it.

    The context stands before the code on both sides, so that the model repeats it before it comes to the code. What is
    under review goes in as plain text: it holds no control token, whatever it says.
    """
    said, begun = request(question, context, code)
    chat = tokens.chat([{"role": "user", "content": said}])
    return tokens.encode(replace(chat, parts=(*chat.parts, (begun, False)))).ids


def request(question: str, context: str, code: str) -> tuple[str, str]:
    """The words of the request, and the beginning of the answer: its code block, and the context in it."""
    before = context.rstrip() + "\n" if context.strip() else ""
    fence = "`" * max([3, *(len(run[0]) + 1 for run in _BACKTICKS.finditer(code + context))])
    said = f"Task:\n{question.strip()[:MAX_QUESTION]}\n\n" if question.strip() else ""
    said += f"The following Python code may contain a bug:\n{fence}python\n{before}{code.rstrip()}\n{fence}\n"
    said += "Repeat the code exactly, correcting the bug if there is one. Answer with the code only."
    return said, f"{fence}python\n{before}"


def indentation(context: str) -> str:
    """How far code stands in from the left behind its context: by a class's four spaces where that is what comes last.

    A method is cut out of its file without its class's indentation.
    """
    last = next((line for line in reversed(context.split("\n")) if line.strip()), "")
    is_head = last.startswith("class ") and last.endswith(":")
    return "    " if is_head else last[: len(last) - len(last.lstrip())]


def windows(lengths: Sequence[int], room: int, overlap: int) -> list[tuple[int, int]]:
    """Runs of lines (1-based, both ends in) of at most `room` tokens, each beginning `overlap` tokens before the last
    one ended. One run where all fit; a line longer than the room has a run of its own.

    `lengths` are the tokens of each line.
    """
    runs: list[tuple[int, int]] = []
    first = 0
    while first < len(lengths):
        last, used = first, lengths[first]
        while last + 1 < len(lengths) and used + lengths[last + 1] <= room:
            last += 1
            used += lengths[last]
        runs.append((first + 1, last + 1))
        if last + 1 == len(lengths):
            break
        again, kept = last + 1, 0
        while again - 1 > first and kept + lengths[again - 1] <= overlap:
            again -= 1
            kept += lengths[again]
        first = again
    return runs


def line_lengths(text: TextMap, offsets: Sequence[tuple[int, int]]) -> list[int]:
    """How many tokens begin on each line."""
    lengths = [0] * len(text.starts)
    for start, _ in offsets:
        lengths[text.line(start) - 1] += 1
    return lengths[: text.line_count]
