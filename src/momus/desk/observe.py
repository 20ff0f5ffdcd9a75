"""What can be seen of a running desk: Prometheus metrics and one JSON line of log for each request.

A line holds the route, never the query, the body or a header, so that no key or text gets into a log.
"""

from __future__ import annotations

import json
import logging
import secrets
import sys
import time
from datetime import UTC, datetime
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOG = logging.getLogger("momus.desk")


class Metrics:
    """Of one desk. Routes, not paths, are the labels: nobody's ids get into them."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "momus_desk_requests",
            "Requests by route and status.",
            ["method", "route", "status"],
            registry=self.registry,
        )
        self.seconds = Histogram(
            "momus_desk_request_seconds", "Time to answer.", ["method", "route"], registry=self.registry
        )
        self.submissions = Counter(
            "momus_desk_submissions", "Work handed in.", ["kind", "late"], registry=self.registry
        )
        self.jobs = Counter("momus_desk_jobs", "Jobs that ended.", ["what", "state"], registry=self.registry)

    def text(self) -> bytes:
        return generate_latest(self.registry)


class Observed:
    """Counts, times and logs every request, and gives it an id."""

    def __init__(self, app: ASGIApp, metrics: Metrics, log: bool) -> None:
        self._app, self._metrics, self._log = app, metrics, log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start = time.perf_counter()
        request_id = secrets.token_hex(8)
        status = 500

        async def observed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (b"x-request-id", request_id.encode())]
            await send(message)

        try:
            await self._app(scope, receive, observed)
        finally:
            seconds = time.perf_counter() - start
            route = _route(scope)
            self._metrics.requests.labels(scope["method"], route, str(status)).inc()
            self._metrics.seconds.labels(scope["method"], route).observe(seconds)
            if self._log:
                state: dict[str, Any] = scope.get("state", {})
                log(
                    "request",
                    id=request_id,
                    method=scope["method"],
                    route=route,
                    status=status,
                    ms=round(seconds * 1000, 1),
                    user=state.get("user_id"),
                )


def log(what: str, **fields: Any) -> None:
    """One line of JSON."""
    LOG.info(json.dumps({"at": datetime.now(UTC).isoformat(timespec="milliseconds"), "what": what, **fields}))


def log_to_stderr() -> None:
    """For the command line: lines go to standard error as they are."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(message)s"))
    LOG.handlers = [handler]
    LOG.setLevel(logging.INFO)
    LOG.propagate = False


def _route(scope: Scope) -> str:
    context = (
        scope.get("fastapi", {}).get("effective_route_context") if isinstance(scope.get("fastapi"), dict) else None
    )
    path = getattr(context, "path", None) or getattr(scope.get("route"), "path", None)
    return str(path) if path else "none"
