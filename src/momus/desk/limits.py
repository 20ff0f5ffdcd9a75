"""How often somebody may do something: a bucket for each key that fills up again with time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from math import ceil

from momus.desk.problems import Problem

_MOST = 10_000  # keys kept; beyond, the fullest buckets are forgotten, which loses nothing


class RateLimiter:
    """Of one process. `clock` gives seconds that never go back."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._buckets: dict[tuple[str, str], tuple[float, float]] = {}  # key: (tokens left, when that was)
        self._lock = threading.Lock()

    def take(self, what: str, key: str, per_minute: int) -> None:
        """Take one. Raises Problem 429, with the seconds to wait, where the bucket is empty."""
        now = self._clock()
        with self._lock:
            left, then = self._buckets.get((what, key), (float(per_minute), now))
            left = min(float(per_minute), left + max(0.0, now - then) * per_minute / 60)
            if left < 1:
                wait = ceil((1 - left) * 60 / per_minute)
                raise Problem(429, "too-often", "Too often", f"Wait {wait} s and try again.", retry_after=wait)
            self._buckets[what, key] = left - 1, now
            if len(self._buckets) > _MOST:
                for old in sorted(self._buckets, key=lambda k: self._buckets[k][1])[: _MOST // 10]:
                    del self._buckets[old]
