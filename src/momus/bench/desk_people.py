"""People at a desk, over HTTP, as fast as they can: each claims, hands in, and claims again, in a thread of their own.

They are simulated. Whatever is not answered (the server was killed) or answered by 503 (its database was) is sent
again, with the same key where something is handed in.
"""

from __future__ import annotations

import http.client
import json
import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from momus.errors import MomusError

PATIENCE_S = 300  # without any answer, until a person gives up
_AGAIN_S = 0.05
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Claimed:
    """`seat` is what the site calls it, `task` the number of the task in it, `text` the code under review."""

    seat: str
    task: int
    text: str


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes | None = None


class Site(Protocol):
    """What a person says to a site, and how its answers are read. `key` is who is asking."""

    def claim(self, key: str) -> Request: ...
    def claimed(self, status: int, body: bytes) -> Claimed | None: ...
    def submit(self, key: str, claimed: Claimed, once: str, comment: str) -> Request: ...
    def submitted(self, status: int, body: bytes) -> None: ...


@dataclass(slots=True)
class Record:
    """What happened to one person: (task, seconds) of claims, (task, key) of what was acknowledged, times it was."""

    claims: list[tuple[int, float]] = field(default_factory=list)
    acknowledged: list[tuple[int, str]] = field(default_factory=list)
    at: list[float] = field(default_factory=list)
    again: int = 0  # requests sent again
    failed: str | None = None


class People:
    """Some people at work. `port` says where the site listens at the moment; `enough` ends the work, when it is true.

    Without it, they work until there is nothing more to claim.
    """

    def __init__(self, site: Site, keys: Sequence[str], port: Callable[[], int], *, seed: object = 0) -> None:
        self._site, self._port = site, port
        self.records = [Record() for _ in keys]
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._work, args=(key, record, random.Random(f"{seed}/{i}")), daemon=True)
            for i, (key, record) in enumerate(zip(keys, self.records, strict=True))
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Each finishes what they are at."""
        self._stopping.set()
        self.join()

    def join(self) -> None:
        """Wait until all is done. Raises MomusError where somebody was refused, or got no answer for too long."""
        for thread in self._threads:
            thread.join()
        for record in self.records:
            if record.failed is not None:
                raise MomusError(record.failed)

    @property
    def working(self) -> bool:
        return any(thread.is_alive() for thread in self._threads)

    @property
    def acknowledged(self) -> int:
        return sum(len(record.acknowledged) for record in self.records)

    def wait_for(self, count: int) -> None:
        """Until so many submissions are acknowledged, or the work is done."""
        while self.working and self.acknowledged < count:
            time.sleep(0.005)

    def _work(self, key: str, record: Record, rng: random.Random) -> None:
        line = _Line(self._port, record)
        try:
            while not self._stopping.is_set():
                began = time.perf_counter()
                found = self._site.claimed(*line.ask(self._site.claim(key)))
                if found is None:
                    return
                record.claims.append((found.task, time.perf_counter() - began))
                once = f"{rng.getrandbits(128):032x}"
                self._site.submitted(*line.ask(self._site.submit(key, found, once, comment(rng))))
                record.acknowledged.append((found.task, once))
                record.at.append(time.monotonic())
        except MomusError as error:
            record.failed = str(error)
        finally:
            line.close()


def comment(rng: random.Random) -> str:
    """A comment of a few lines, as long as people write them."""
    return " ".join(rng.choices(_SAID.split(), k=30))


class _Line:
    """A connection that is kept open, and made anew where it broke."""

    def __init__(self, port: Callable[[], int], record: Record) -> None:
        self._port, self._record = port, record
        self._open: http.client.HTTPConnection | None = None

    def ask(self, request: Request) -> tuple[int, bytes]:
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            try:
                if self._open is None:
                    self._open = http.client.HTTPConnection("127.0.0.1", self._port(), timeout=PATIENCE_S)
                self._open.request(request.method, request.path, request.body, request.headers)
                with self._open.getresponse() as answer:
                    status, body = answer.status, answer.read()
            except (OSError, http.client.HTTPException):
                self.close()
            else:
                if status != 503:
                    return status, body
            self._record.again += 1
            time.sleep(_AGAIN_S)
        raise MomusError(f"the server gave no answer for {PATIENCE_S} s")

    def close(self) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None


class DeskSite:
    """The desk, where `write` is done: one comment on the answer's first line."""

    def __init__(self, project: str) -> None:
        self._project = project

    def claim(self, key: str) -> Request:
        return _post(f"/api/v1/projects/{self._project}/queue/write/claim", f"Bearer {key}")

    def claimed(self, status: int, body: bytes) -> Claimed | None:
        if status == 204:
            return None
        seen = read(status, body, 200)
        return Claimed(seen["id"], number(seen["view"]["task"]["question"]), seen["view"]["task"]["answer"])

    def submit(self, key: str, claimed: Claimed, once: str, comment: str) -> Request:
        place = {"start": 0, "end": len(claimed.text.splitlines()[0])}
        form = {"comments": [{"highlight": place, "text": comment, "category": "other", "severity": "low"}]}
        body = {"form": form, "active_ms": 0}
        return _post(f"/api/v1/seats/{claimed.seat}/submit", f"Bearer {key}", body, {"Idempotency-Key": once})

    def submitted(self, status: int, body: bytes) -> None:
        read(status, body, 201)


class LabelStudioSite:
    """Label Studio, where the same is done: the first line labelled, and a comment on it."""

    def __init__(self, project: int) -> None:
        self._project = project

    def claim(self, key: str) -> Request:
        return Request("GET", f"/api/projects/{self._project}/next", {"Authorization": f"Token {key}"})

    def claimed(self, status: int, body: bytes) -> Claimed | None:
        if status == 404:  # no more tasks
            return None
        seen = read(status, body, 200)
        return Claimed(str(seen["id"]), number(seen["data"]["question"]), seen["data"]["answer"])

    def submit(self, key: str, claimed: Claimed, once: str, comment: str) -> Request:
        line = claimed.text.splitlines()[0]
        of = {"id": once[:10], "to_name": "answer"}
        place = {"start": 0, "end": len(line)}
        marked = {
            **of,
            "from_name": "category",
            "type": "labels",
            "value": {**place, "text": line, "labels": ["other"]},
        }
        said = {**of, "from_name": "comment", "type": "textarea", "value": {**place, "text": [comment]}}
        body = {"result": [marked, said], "lead_time": 0.0, "was_cancelled": False}
        return _post(f"/api/tasks/{claimed.seat}/annotations/", f"Token {key}", body)

    def submitted(self, status: int, body: bytes) -> None:
        read(status, body, 201)


def question(n: int) -> str:
    return f"Task {n}: write total, which adds up the numbers of a list."


def number(question: str) -> int:
    """The number in a task's `question`."""
    return int(question.partition(":")[0].removeprefix("Task "))


def read(status: int, body: bytes, expected: int) -> Json:
    if status != expected:
        raise MomusError(f"the server answered {status} where {expected} was expected: {body[:300]!r}")
    found: Json = json.loads(body)
    return found


def _post(path: str, who: str, body: Json | None = None, more: dict[str, str] | None = None) -> Request:
    headers = {"Authorization": who, "Content-Type": "application/json", **(more or {})}
    return Request("POST", path, headers, b"" if body is None else json.dumps(body).encode())


_SAID = (
    "the loop returns before its last item is seen and an empty list gives nothing where zero is asked for so that "
    "whoever adds up prices is told none of them count; begin at zero and return after the loop instead"
)
