# Task: "Write a client that wraps a `send(request)` function and retries. After the first attempt it makes up to
# `retries` further attempts when the response status is 429 or 5xx or when the connection fails. It waits between
# attempts with exponential backoff, honours a retry_after value if the response has one, and never waits longer than
# `max_delay` seconds. No real network: send and sleep are passed in."

import time
from dataclasses import dataclass
from typing import Callable, Optional


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    body: bytes = b""


@dataclass(frozen=True)
class Response:
    status: int
    body: bytes = b""
    retry_after: Optional[float] = None


class GaveUp(Exception):
    """Raised when the last attempt failed to connect, too."""

    def __init__(self, attempts: int) -> None:
        super().__init__(f"gave up after {attempts} attempts")
        self.attempts = attempts


def is_retryable(response: Response) -> bool:
    """Tell whether another attempt may help."""
    return response.status == 429 or 500 <= response.status < 600


class RetryingClient:
    def __init__(
        self,
        send: Callable[[Request], Response],
        retries: int = 3,
        base_delay: float = 0.5,
        max_delay: float = 30.0,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.send = send
        self.retries = retries
        self.base_delay = base_delay
        self.max_delay = max_delay
        self.sleep = sleep

    def delay_before(self, retry: int, response: Optional[Response]) -> float:
        """Seconds to wait before the given retry, counted from 1."""
        if response is not None and response.retry_after is not None:
            return min(response.retry_after, self.max_delay)
        return min(self.base_delay * 2 ** (retry - 1), self.max_delay)

    def request(self, method: str, path: str, body: bytes = b"") -> Response:
        """Send a request, retrying as configured, and return the last response."""
        request = Request(method, path, body)
        response: Optional[Response] = None
        attempts = 0
        for attempt in range(self.retries):
            if attempt > 0:
                self.sleep(self.delay_before(attempt, response))
            attempts += 1
            try:
                response = self.send(request)
            except ConnectionError:
                response = None
                continue
            if not is_retryable(response):
                return response
        if response is None:
            raise GaveUp(attempts)
        return response
