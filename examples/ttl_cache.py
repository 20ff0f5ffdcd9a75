# Task: "Write a small in-memory cache for Python. It holds at most `capacity` entries and throws out the least
# recently used one when it is full. Every entry lives for `ttl` seconds after it was written; an expired entry counts
# as missing. The clock must be replaceable, so that I can test it without sleeping."

import time
from collections import OrderedDict
from typing import Any, Callable, Hashable


class TTLCache:
    """A least-recently-used cache whose entries expire."""

    def __init__(
        self,
        capacity: int,
        ttl: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if capacity < 1:
            raise ValueError("capacity must be at least 1")
        if ttl <= 0:
            raise ValueError("ttl must be positive")
        self.capacity = capacity
        self.ttl = ttl
        self._clock = clock
        self._entries: OrderedDict[Hashable, tuple[Any, float]] = OrderedDict()
        self.hits = 0
        self.misses = 0

    def get(self, key: Hashable, default: Any = None) -> Any:
        """Return the value of a key and mark it as recently used."""
        entry = self._entries.get(key)
        if entry is None:
            self.misses += 1
            return default
        value, expires_at = entry
        if self._clock() >= expires_at:
            del self._entries[key]
            self.misses += 1
            return default
        self._entries.move_to_end(key)
        self.hits += 1
        return value

    def put(self, key: Hashable, value: Any) -> None:
        """Store a value; its time to live starts anew."""
        self._entries[key] = (value, self._clock() + self.ttl)
        self._entries.move_to_end(key)
        if len(self._entries) > self.capacity:
            self._evict()

    def _evict(self) -> None:
        """Drop expired entries, or the least recently used one if none has expired."""
        now = self._clock()
        expired = [key for key, (_, expires_at) in self._entries.items() if now >= expires_at]
        for key in expired:
            del self._entries[key]
        if not expired:
            self._entries.popitem()

    def __len__(self) -> int:
        now = self._clock()
        return sum(1 for _, expires_at in self._entries.values() if now < expires_at)

    def __contains__(self, key: Hashable) -> bool:
        entry = self._entries.get(key)
        return entry is not None and self._clock() < entry[1]

    @property
    def hit_rate(self) -> float:
        """Share of lookups that found a value; 0.0 before the first lookup."""
        lookups = self.hits + self.misses
        return self.hits / lookups if lookups else 0.0
