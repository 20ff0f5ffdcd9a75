"""Code in the words of a comment is an excerpt: between backticks stands what the comment is of, to the letter.

A small model that writes code from memory writes other code. Like a quote, code in the words is held to what is there;
what is said of it, and any other text, is free.
"""

from __future__ import annotations

from collections.abc import Iterable

TICK = "`"
_ENDS = ("(...)", " ...")  # as descriptions cut long code short
_ALWAYS = ("None", "return", "else")  # what falls off the end gives back, what is missing, what else runs


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
        if not code or "\n" in code or code[0] == " " or (whole and code[-1] == " "):
            return False
        at = self._text.find(code)
        while at >= 0:
            end = at + len(code)
            if not self._inside(at) and not (whole and self._inside(end)):
                return True
            at = self._text.find(code, at + 1)
        return False

    def _inside(self, at: int) -> bool:
        """Whether a place is within a word."""
        return all(character.isalnum() or character == "_" for character in self._text[at - 1 : at + 1])
