"""What a rater is."""

from __future__ import annotations

from typing import Protocol

from momus.raters.form import Rated
from momus.records import Comparison


class Rater(Protocol):
    """Whatever scores critiques. `simulated` is true where a rule stands in for a person, and every record says so.

    It may also have `concurrency`: how many comparisons it may be given at a time.
    """

    name: str
    simulated: bool

    def rate(self, comparison: Comparison) -> Rated:
        """The form of each critique, and their order. The comparison is `shown()`: who wrote what is not in it.

        What cannot be scored is None with the reason in the rationale, never a number.
        """
        ...
