"""What a verb says on standard error: whatever it quotes can neither drive a terminal nor command a service's log."""

from __future__ import annotations

import sys


def say(sentence: str) -> None:
    """One line on standard error, behind `momus: `. Nowhere where there is no such stream."""
    tell(f"momus: {sentence}")


def tell(line: str) -> None:
    """One line of how a run goes, on standard error."""
    if sys.stderr is not None:
        print(printable(line), file=sys.stderr, flush=True)


def printable(text: str) -> str:
    """Text on one line, with what cannot be seen, or would be taken for a command, spelled out."""
    from momus.review.output.visible import inert, one_line

    return inert(one_line(text))
