"""How often somebody may do something: a bucket for each key that fills up again with time."""

from __future__ import annotations

import ipaddress
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import ceil

from momus.desk.problems import Problem

_MOST = 10_000  # keys kept; beyond, the fullest buckets are forgotten, which loses nothing
_OF_NETWORK = 10  # times as many failures of a whole network as of one person there: an office shares its address
_OF_ACCOUNT = 5  # and of all networks together at one account


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
            left = self._left(what, key, per_minute, now)
            if left < 1:
                wait = ceil((1 - left) * 60 / per_minute)
                raise Problem(429, "too-often", "Too often", f"Wait {wait} s and try again.", retry_after=wait)
            self._buckets[what, key] = left - 1, now
            if len(self._buckets) > _MOST:
                for old in sorted(self._buckets, key=lambda k: self._buckets[k][1])[: _MOST // 10]:
                    del self._buckets[old]

    def give_back(self, what: str, key: str, per_minute: int) -> None:
        """Put back what was taken: it does not count."""
        now = self._clock()
        with self._lock:
            left = self._left(what, key, per_minute, now)
            self._buckets[what, key] = min(float(per_minute), left + 1), now

    def is_full(self, what: str, key: str, per_minute: int) -> bool:
        """Whether nothing has been taken of late."""
        with self._lock:
            return self._left(what, key, per_minute, self._clock()) >= per_minute

    def _left(self, what: str, key: str, per_minute: int, now: float) -> float:
        left, then = self._buckets.get((what, key), (float(per_minute), now))
        return min(float(per_minute), left + max(0.0, now - then) * per_minute / 60)


@contextmanager
def guessing(limiter: RateLimiter, account: str, address: str, per_minute: int) -> Iterator[None]:
    """Around a look at a password. Only what fails counts, by account and network together, and by network.

    Who guesses at an account from many networks is slowed down there, but nobody who has not failed from theirs: its
    owner is never locked out by others elsewhere, nor an office by its own number. Raises Problem 429.
    """
    network = network_of(address)
    buckets = [("login", f"{account} {network}", per_minute), ("login-network", network, per_minute * _OF_NETWORK)]
    everywhere = ("login-account", account, per_minute * _OF_ACCOUNT)
    if not limiter.is_full(*buckets[0]):
        buckets.append(everywhere)
    taken = []
    try:
        for bucket in buckets:
            limiter.take(*bucket)
            taken.append(bucket)
    except Problem:
        for bucket in taken:
            limiter.give_back(*bucket)
        raise
    yield
    for bucket in taken:  # it was right
        limiter.give_back(*bucket)


def network_of(address: str) -> str:
    """What one person has of addresses: one of IPv4, and a /64 of IPv6."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(found)
