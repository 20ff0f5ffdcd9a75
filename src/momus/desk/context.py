"""What a running desk has at hand; made once by `app.create_app` and passed along."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from anyio import CapacityLimiter

from momus.critics.protocol import Critic
from momus.desk.limits import RateLimiter
from momus.desk.observe import Metrics
from momus.desk.settings import DeskSettings
from momus.desk.store import Store

AT_ONCE = 2  # programs in the sandbox
HASHED_AT_ONCE = 1  # passwords: each takes a core and 64 MiB for a while, and everybody else's requests go on


@dataclass(slots=True)
class Desk:
    """`clock` is the time of day, in UTC; `open_critic` opens the critic that the settings name."""

    settings: DeskSettings
    store: Store
    clock: Callable[[], datetime]
    limiter: RateLimiter
    metrics: Metrics
    open_critic: Callable[[], Critic]
    sandbox: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(AT_ONCE))
    hashing: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(HASHED_AT_ONCE))
    wake: threading.Condition = field(default_factory=threading.Condition)  # there is a new job
    news: int = 0  # how many there have been
    _critics: threading.local = field(default_factory=threading.local)

    def critic(self) -> Critic:
        """The current critic, opened when it is first needed; each thread that does jobs has its own.

        Raises MomusError where it can't be.
        """
        found: Critic | None = getattr(self._critics, "critic", None)
        if found is None:
            found = self._critics.critic = self.open_critic()
        return found

    def woken(self) -> None:
        """Tell those who wait for jobs that there is one."""
        with self.wake:
            self.news += 1
            self.wake.notify_all()
