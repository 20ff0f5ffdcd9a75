"""Watches one run from outside: wall clock, output cap, memory of the whole group; kills all of it at the end."""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal

from momus.sandbox.limits import Limits
from momus.sandbox.usage import over_memory

Cause = Literal["timeout", "output", "memory", "stopped"]
_TICK_S = 0.1


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run ended. `cause` says why we ended it; None where it ended by itself. `report` is bubblewrap's own."""

    exit_code: int
    stdout: bytes
    stderr: bytes
    seconds: float
    cause: Cause | None
    report: tuple[dict[str, object], ...] = ()


def supervise(
    command: list[str],
    limits: Limits,
    *,
    stdin: bytes,
    env: dict[str, str],
    cwd: str,
    pass_fds: Sequence[int] = (),
    status_fd: int | None = None,
    stop_fd: int | None = None,
) -> Ended:
    """Start a command in a session of its own and see it to its end. Raises OSError where it cannot be started.

    `pass_fds` are the child's from then on: they are closed here. `status_fd` is where bubblewrap reports; the process
    that it names, the first of its namespace, is killed at the end, and all others there with it. The run is over as
    well when the other end of `stop_fd` is closed.
    """
    started = time.monotonic()
    given, feed = os.pipe()  # not a file: the program could open that again, to write
    try:
        process = subprocess.Popen(
            command,
            stdin=given,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=env,
            cwd=cwd,
            pass_fds=pass_fds,
            start_new_session=True,
        )
    except BaseException:
        os.close(feed)
        raise
    finally:
        for fd in (*pass_fds, given):
            os.close(fd)
    watch = _Watch(process, limits, started + limits.timeout_s, status_fd, stop_fd, feed, memoryview(stdin))
    try:
        cause = watch.until_it_ends()
    finally:
        watch.kill()
    stdout, stderr = bytes(watch.taken[0]), bytes(watch.taken[1])
    return Ended(process.returncode, stdout, stderr, time.monotonic() - started, cause, tuple(watch.report))


@dataclass(slots=True)
class _Watch:
    """One run under way."""

    process: subprocess.Popen[bytes]
    limits: Limits
    deadline: float
    status_fd: int | None
    stop_fd: int | None
    feed: int
    given: memoryview
    taken: tuple[bytearray, bytearray] = field(default_factory=lambda: (bytearray(), bytearray()))
    report: list[dict[str, object]] = field(default_factory=list)
    _fed: bool = False
    _told: bytearray = field(default_factory=bytearray)
    _first: int | None = None  # a descriptor of the namespace's first process
    _first_pid: int | None = None

    def until_it_ends(self) -> Cause | None:
        assert self.process.stdout is not None and self.process.stderr is not None
        with selectors.DefaultSelector() as ready:
            streams = {self.process.stdout.fileno(): self.taken[0], self.process.stderr.fileno(): self.taken[1]}
            for fd, buffer in streams.items():
                os.set_blocking(fd, False)
                ready.register(fd, selectors.EVENT_READ, buffer)
            if self.status_fd is not None:
                ready.register(self.status_fd, selectors.EVENT_READ, self._told)
            if self.stop_fd is not None:
                ready.register(self.stop_fd, selectors.EVENT_READ)
            os.set_blocking(self.feed, False)
            ready.register(self.feed, selectors.EVENT_WRITE)
            next_look = time.monotonic() + _TICK_S
            while True:
                over = self.process.poll() is not None  # before the look: what it wrote is there by then
                events = ready.select(max(0.0, min(self.deadline - time.monotonic(), _TICK_S)))
                for key, _ in events:
                    if key.fd == self.stop_fd:
                        return "stopped"
                    if key.fd == self.feed:
                        self._give(ready)
                        continue
                    chunk = os.read(key.fd, 65536)
                    if not chunk:
                        ready.unregister(key.fd)
                    key.data.extend(chunk)
                    if key.fd == self.status_fd:
                        self._take_report()
                    elif len(key.data) > self.limits.output_bytes:
                        del key.data[self.limits.output_bytes :]
                        return "output"
                now = time.monotonic()
                # Ended; where its output is still open, a process that it left behind holds it.
                if not events and over:
                    return None
                if now >= self.deadline:
                    return "timeout"
                if now >= next_look:
                    next_look = now + _TICK_S
                    if over_memory(self.process.pid, self._first_pid, self.limits.memory_mb):
                        return "memory"

    def _give(self, ready: selectors.BaseSelector) -> None:
        try:
            self.given = self.given[os.write(self.feed, self.given) :]
        except OSError:  # nobody reads it
            self.given = self.given[:0]
        if not self.given:
            ready.unregister(self.feed)
            os.close(self.feed)
            self._fed = True

    def _take_report(self) -> None:
        while (end := self._told.find(b"\n")) >= 0:
            line, self._told[:] = bytes(self._told[:end]), self._told[end + 1 :]
            with suppress(ValueError):
                said = json.loads(line)
                self.report.append(said)
                if "child-pid" in said and self._first is None:
                    self._first_pid = int(said["child-pid"])
                    with suppress(OSError, AttributeError):  # it is gone, or this is no Linux
                        self._first = os.pidfd_open(self._first_pid)

    def kill(self) -> None:
        """All of it: the namespace by its first process, whatever that has become; then what we started."""
        if not self._fed:
            os.close(self.feed)
        if self._first is not None:
            with suppress(ProcessLookupError, PermissionError):
                signal.pidfd_send_signal(self._first, signal.SIGKILL)
            os.close(self._first)
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()
