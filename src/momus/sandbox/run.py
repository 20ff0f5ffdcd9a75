"""`run` one program, or many: the layers put together, and their outcome in one word."""

from __future__ import annotations

import functools
import json
import os
import sys
import tempfile
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal, get_args

from momus.errors import MomusError
from momus.sandbox import bubblewrap, macos, seccomp
from momus.sandbox.advice import first_look
from momus.sandbox.limits import ENVIRONMENT, Limits, limited
from momus.sandbox.supervise import Ended, supervise

Mode = Literal["auto", "unsafe-local"]
MODES: tuple[Mode, ...] = get_args(Mode)
Status = Literal["passed", "failed", "timeout", "memory", "output", "refused"]

_SIGXCPU = 24


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended. `refused`: the program does not parse and was not started; `output`: more than was allowed.

    `exit_code` is None where it was refused or killed; above 128 it is 128 + the signal. `advice` is what the program
    reaches for, by a first look that nothing relies on.
    """

    status: Status
    exit_code: int | None
    stdout: str
    stderr: str
    seconds: float
    advice: tuple[str, ...] = ()


def run(
    code: str,
    *,
    timeout_s: float = 5,
    memory_mb: int = 512,
    output_bytes: int = 64_000,
    mode: str = "auto",
    stdin: str = "",
) -> Outcome:
    """Run a Python program with no network, no files but its own small /tmp, and bounded resources.

    `timeout_s` is wall clock, `output_bytes` holds for each of stdout and stderr. Mode `unsafe-local` has no isolation
    at all: it bounds time, memory and output, but leaves the user's own files, network and processes. Raises MomusError
    where this machine offers no isolation (mode `auto`), on an unknown mode, or where the sandbox itself fails: that is
    never an outcome.
    """
    if mode not in MODES:
        raise MomusError(f"there is no sandbox mode {mode!r}: choose auto or unsafe-local")
    unrunnable, advice = first_look(code)
    if unrunnable is not None:
        return Outcome("refused", None, "", unrunnable, 0.0)
    if mode == "auto":
        from momus.sandbox.selftest import why_not

        reason = why_not()
        if reason is not None:
            raise MomusError(
                f"there is no sandbox to run code in: {reason}; or accept the risk to this machine with "
                "--sandbox unsafe-local"
            )
    limits = Limits(timeout_s, memory_mb, output_bytes)
    ended = execute(code, limits, stdin=stdin, isolated=mode == "auto")
    return _outcome(ended, advice)


def run_many(
    programs: Iterable[str],
    *,
    jobs: int = 2,
    timeout_s: float = 5,
    memory_mb: int = 512,
    output_bytes: int = 64_000,
    mode: str = "auto",
) -> Iterator[Outcome]:
    """Outcomes of many programs, in their order, `jobs` at a time; takes programs only as fast as it runs them."""
    once = functools.partial(run, timeout_s=timeout_s, memory_mb=memory_mb, output_bytes=output_bytes, mode=mode)
    with ThreadPoolExecutor(max(1, jobs)) as pool:
        running: deque[Future[Outcome]] = deque()
        try:
            for code in programs:
                running.append(pool.submit(once, code))
                if len(running) >= 2 * jobs:
                    yield running.popleft().result()
            while running:
                yield running.popleft().result()
        finally:
            for future in running:
                future.cancel()


def execute(code: str, limits: Limits, *, stdin: str = "", isolated: bool = True) -> Ended:
    """One run without the checks around it. Raises MomusError where the sandbox cannot be set up."""
    with tempfile.TemporaryFile() as given:
        given.write(stdin.encode("utf-8", "surrogateescape"))
        given.seek(0)
        if isolated and sys.platform == "linux":
            return _in_bubblewrap(code, limits, given)
        with tempfile.TemporaryDirectory(prefix="momus-") as folder:
            program = Path(folder, "answer.py")
            program.write_text(code, encoding="utf-8", newline="")
            env = {**ENVIRONMENT, "HOME": folder, "TMPDIR": folder}
            command = (
                macos.command(folder, limits)
                if isolated
                else limited([sys.executable, "-s", "-P", str(program)], limits, count_processes=False)
            )
            return supervise(command, limits, stdin=given, env=env, cwd=folder)


def _in_bubblewrap(code: str, limits: Limits, stdin: IO[bytes]) -> Ended:
    program_fd = _memory_file("answer", code.encode("utf-8"))
    filter_bytes = seccomp.program()
    seccomp_fd = _memory_file("seccomp", filter_bytes) if filter_bytes is not None else None
    status_read, status_write = os.pipe()
    fds = [fd for fd in (program_fd, seccomp_fd, status_write) if fd is not None]
    try:
        command = bubblewrap.command(limits, program_fd=program_fd, seccomp_fd=seccomp_fd, status_fd=status_write)
        # Not our own environment even for bubblewrap itself: the program could read it in /proc.
        ended = supervise(command, limits, stdin=stdin, env={"PATH": ENVIRONMENT["PATH"]}, cwd="/", pass_fds=fds)
        os.close(status_write)
        fds.remove(status_write)
        report = os.read(status_read, 65536).decode("utf-8", "replace")
    except OSError as error:
        raise MomusError(f"the sandbox did not start ({error}): install bubblewrap and util-linux") from None
    finally:
        for fd in (*fds, status_read):
            os.close(fd)
    if ended.cause is None and not any("exit-code" in json.loads(line) for line in report.splitlines()):
        said = ended.stderr.decode("utf-8", "replace").strip().splitlines() or ["it said nothing"]
        raise MomusError(f"the sandbox did not start ({said[-1]}): see that bubblewrap runs here, as in `bwrap --help`")
    return ended


def _memory_file(name: str, content: bytes) -> int:
    fd = os.memfd_create(name)
    with os.fdopen(os.dup(fd), "wb") as out:
        out.write(content)
    os.lseek(fd, 0, os.SEEK_SET)
    return fd


def _outcome(ended: Ended, advice: tuple[str, ...]) -> Outcome:
    stderr = ended.stderr.decode("utf-8", "replace")
    code: int | None = ended.exit_code if ended.exit_code >= 0 else 128 - ended.exit_code
    status: Status
    if ended.cause is not None:
        status, code = ended.cause, None
    elif code == 0:
        status = "passed"
    elif code == 128 + _SIGXCPU:
        status = "timeout"
    elif "MemoryError" in (stderr.strip().splitlines() or [""])[-1]:
        status = "memory"
    else:
        status = "failed"
    return Outcome(status, code, ended.stdout.decode("utf-8", "replace"), stderr, ended.seconds, advice)
