"""What a verb says on standard error: whatever it quotes can neither drive a terminal nor command a service's log."""

from __future__ import annotations

import sys


def say(sentence: str) -> None:
    """One line on standard error, behind `momus: `. Nowhere where there is no such stream."""
    if sys.stderr is not None:
        print(f"momus: {printable(sentence)}", file=sys.stderr)


def printable(text: str) -> str:
    """Text on one line, with what cannot be seen, or would be taken for a command, spelled out."""
    from momus.review.output.visible import inert, one_line

    return inert(one_line(text))
