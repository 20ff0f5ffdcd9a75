"""Watches one run from outside: wall clock, output cap, memory of the whole group; kills all of it at the end."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

from momus.sandbox.limits import Limits

Cause = Literal["timeout", "output", "memory"]
_TICK_S = 0.1


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run ended. `cause` says why we ended it; None where it ended by itself."""

    exit_code: int
    stdout: bytes
    stderr: bytes
    seconds: float
    cause: Cause | None


def supervise(
    command: list[str], limits: Limits, *, stdin: IO[bytes], env: dict[str, str], cwd: str, pass_fds: Sequence[int] = ()
) -> Ended:
    """Start a command in a session of its own and see it to its end. Raises OSError where it cannot be started."""
    started = time.monotonic()
    process = subprocess.Popen(
        command,
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=env,
        cwd=cwd,
        pass_fds=pass_fds,
        start_new_session=True,
    )
    try:
        output, cause = _watch(process, limits, started + limits.timeout_s)
    finally:
        _kill(process)
    return Ended(process.returncode, output[0], output[1], time.monotonic() - started, cause)


def _watch(
    process: subprocess.Popen[bytes], limits: Limits, deadline: float
) -> tuple[tuple[bytes, bytes], Cause | None]:
    assert process.stdout is not None and process.stderr is not None
    taken = {process.stdout: bytearray(), process.stderr: bytearray()}
    cause: Cause | None = None
    with selectors.DefaultSelector() as ready:
        for stream, buffer in taken.items():
            os.set_blocking(stream.fileno(), False)
            ready.register(stream, selectors.EVENT_READ, buffer)
        next_look = time.monotonic() + _TICK_S
        while cause is None and ready.get_map():
            events = ready.select(max(0.0, min(deadline - time.monotonic(), _TICK_S)))
            for key, _ in events:
                buffer = key.data
                chunk = os.read(key.fd, 65536)
                if not chunk:
                    ready.unregister(key.fileobj)
                buffer += chunk
                if len(buffer) > limits.output_bytes:
                    del buffer[limits.output_bytes :]
                    cause = "output"
            now = time.monotonic()
            if cause is None and now >= deadline:
                cause = "timeout"
            elif cause is None and now >= next_look:
                next_look = now + _TICK_S
                if _resident_mb(process.pid) > limits.memory_mb:
                    cause = "memory"
            if not events and process.poll() is not None:
                break  # ended; a process that it left behind still holds the pipes
    while cause is None and process.poll() is None:  # it closed its output and goes on
        try:
            process.wait(max(0.0, min(deadline - time.monotonic(), _TICK_S)))
        except subprocess.TimeoutExpired:
            if time.monotonic() >= deadline:
                cause = "timeout"
            elif _resident_mb(process.pid) > limits.memory_mb:
                cause = "memory"
    return (bytes(taken[process.stdout]), bytes(taken[process.stderr])), cause


def _kill(process: subprocess.Popen[bytes]) -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass
    process.kill()
    process.wait()
    for stream in (process.stdout, process.stderr):
        if stream is not None:
            stream.close()


def _resident_mb(pid: int) -> float:
    """Private resident memory of a process and all below it, in MiB; 0 where there is no /proc to read it from."""
    if sys.platform != "linux":
        return 0.0
    pages, waiting, seen = 0, [pid], 0
    while waiting and seen < 1000:
        here = waiting.pop()
        seen += 1
        try:
            statm = Path(f"/proc/{here}/statm").read_text().split()
            pages += int(statm[1]) - int(statm[2])
            for thread in Path(f"/proc/{here}/task").iterdir():
                waiting += [int(child) for child in (thread / "children").read_text().split()]
        except (OSError, ValueError, IndexError):
            continue
    return pages * os.sysconf("SC_PAGE_SIZE") / (1024 * 1024)
