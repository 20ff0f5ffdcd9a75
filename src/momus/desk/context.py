"""What a running desk has at hand; made once by `app.create_app` and passed along."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from momus.critics.protocol import Critic
from momus.desk.limits import RateLimiter
from momus.desk.observe import Metrics
from momus.desk.settings import DeskSettings
from momus.desk.store import Store

AT_ONCE = 2  # programs in the sandbox


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
    wake: threading.Event = field(default_factory=threading.Event)  # there is a new job
    _critic: Critic | None = None
    _opening: threading.Lock = field(default_factory=threading.Lock)

    def critic(self) -> Critic:
        """The current critic, opened when it is first needed. Raises MomusError where it can't be."""
        with self._opening:
            if self._critic is None:
                self._critic = self.open_critic()
            return self._critic
