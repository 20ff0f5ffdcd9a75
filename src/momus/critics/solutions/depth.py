"""How much work a unit is worth."""

from __future__ import annotations

from dataclasses import dataclass

from momus.errors import MomusError

DEFAULT_DEPTH = "normal"


@dataclass(frozen=True, slots=True)
class Depth:
    """`solutions` are written at first, and as many `more` where they are near to agreeing; they are run on `calls`.

    `docstrings`: in a file without a stated task the docstring of a function is taken as its question. `seconds` is
    about what a question costs on two cores, for the time that is told before a review begins.
    """

    solutions: int
    more: int
    calls: int
    docstrings: bool
    seconds: float


DEPTHS = {
    "quick": Depth(0, 0, 0, False, 0),
    "normal": Depth(8, 8, 50, False, 25),
    "thorough": Depth(16, 8, 100, True, 60),
}


def depth_named(name: str) -> Depth:
    """Raises MomusError on an unknown name."""
    if name not in DEPTHS:
        raise MomusError(f"there is no depth {name!r}: choose one of {', '.join(DEPTHS)}")
    return DEPTHS[name]
