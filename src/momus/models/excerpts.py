"""Code in the words of a comment is an excerpt: between backticks stands what the comment is of, to the letter.

A small model that writes code from memory writes other code. Like a quote, code in the words is held to what is there;
what is said of it, and any other text, is free.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

TICK = "`"
CODE = re.compile(r"`([^`\n]+)`")  # in words
_ENDS = ("(...)", " ...")  # as descriptions cut long code short
_ALWAYS = ("None", "return", "else")  # what falls off the end gives back, what is missing, what else runs


def repeats(words: str) -> bool:
    """Whether words have the same code on both sides, as in "`x` should be `x`": the first two pieces of it are one."""
    code: list[str] = CODE.findall(words)
    return len(code) > 1 and code[0] == code[1]


class Excerpts:
    """What may stand between backticks: any run of whole words of some texts, or its beginning with `(...)` or ` ...`.

    Line ends and runs of blanks count as one blank.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        self._text = "\n".join(("", *(" ".join(text.split()) for text in (*texts, *_ALWAYS)), ""))

    def holds(self, code: str) -> bool:
        """Whether code is an excerpt."""
        return self._stands(code, whole=True) or any(
            code.endswith(end) and self._stands(code.removesuffix(end), whole=True) for end in _ENDS
        )

    def begins(self, code: str) -> bool:
        """Whether code may become one."""
        if not code or self._stands(code, whole=False):
            return True
        cut = (end[:n] for end in _ENDS for n in range(1, len(end) + 1))
        return any(code.endswith(part) and self._stands(code.removesuffix(part), whole=True) for part in cut)

    def continuations(self, code: str, longest: int) -> set[str]:
        """What of up to `longest` characters, none of them a backtick, may stand next in open code."""
        found: set[str] = set()
        for at in self._reached(code):
            rest = self._text[at : at + longest].split("\n")[0]
            for n in range(len(rest) + 1):
                found.add(rest[:n])
                if self._stands(code + rest[:n], whole=True):
                    found.update(rest[:n] + end[:m] for end in _ENDS for m in range(1, len(end) + 1))
        for end in _ENDS:
            for n in range(1, len(end)):
                if code.endswith(end[:n]) and self._stands(code[: len(code) - n], whole=True):
                    found.update(end[n:m] for m in range(n + 1, len(end) + 1))
        return {text for text in found if text and TICK not in text}

    def _reached(self, code: str) -> Iterator[int]:
        """Where in the texts one stands after reading code from the beginning of a word on; at each beginning, where
        there is no code yet."""
        if not code:
            places = range(1, len(self._text) - 1)
            yield from (at for at in places if self._text[at] not in " \n" and not self._inside(at))
        elif code[0] != " " and "\n" not in code:
            at = self._text.find(code)
            while at >= 0:
                if not self._inside(at):
                    yield at + len(code)
                at = self._text.find(code, at + 1)

    def follow(self, code: str | None, piece: str) -> tuple[str | None, bool]:
        """Read on: `code` is what stands since the backtick that is open, None where none is.

        Returns the same after `piece`, and whether all code that was read is an excerpt, or may become one.
        """
        fine = True
        first, *rest = piece.split(TICK)
        if code is not None:
            code += first
        for part in rest:
            if code is None:
                code = part
            else:
                fine, code = fine and self.holds(code), None
        return code, fine and (code is None or self.begins(code))

    def _stands(self, code: str, *, whole: bool) -> bool:
        """Whether the texts have it from the beginning of a word on; `whole`: to the end of one."""
        if not code or (whole and code[-1] == " "):
            return False
        return any(not (whole and self._inside(end)) for end in self._reached(code))

    def _inside(self, at: int) -> bool:
        """Whether a place is within a word."""
        return all(character.isalnum() or character == "_" for character in self._text[at - 1 : at + 1])
