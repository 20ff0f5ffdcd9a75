"""How a long review goes, and how long the rest of it will take: measured on what was done. Before anything is, a
critic may say what it expects."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

_UNITS = 3  # answered before anything is said of what is left
_SECONDS = 2.0


class Meter(Protocol):
    """Told how a review goes, in characters of code that the critic reads."""

    def begin(self, units: int, characters: int, expected_s: float) -> None:
        """So much is to be put to the critic; what the cache answers is not counted.

        `expected_s`: about how long that takes on two cores, by the critic's own account; 0 where it gives none.
        """
        ...

    def answered(self, characters: int) -> None:
        """A unit has been answered."""
        ...


class Pace:
    """What is left of work whose size is known. The first unit's time, with what had to be loaded for it, is left out.

    `clock` gives seconds.
    """

    def __init__(self, characters: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._left = characters
        self._units = 0
        self._since = 0.0  # when the first unit was answered
        self._done = 0  # characters answered since
        self._last = 0.0

    def answered(self, characters: int) -> None:
        """A unit of so many characters has been answered."""
        self._last = self._clock()
        self._left = max(0, self._left - characters)
        self._units += 1
        if self._units == 1:
            self._since = self._last
        else:
            self._done += characters

    def left_s(self) -> float | None:
        """Seconds that the rest will take at the pace so far; None while too little was done to say."""
        taken = self._last - self._since
        if self._units < _UNITS or taken < _SECONDS or not self._done:
            return None
        return self._left * taken / self._done


def in_words(seconds: float | None) -> str:
    """For example "about 3 min left"; "" for None."""
    if seconds is None:
        return ""
    if seconds < 10:
        return "a few seconds left"
    if seconds < 55:
        return f"about {round(seconds / 10) * 10} s left"
    if seconds < 55 * 60:
        return f"about {max(1, round(seconds / 60))} min left"
    hours = seconds / 3600
    return f"about {hours:.1f} h left" if hours < 9.5 else f"about {hours:.0f} h left"
