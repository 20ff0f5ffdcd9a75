"""`run` one program, or many: refused where there is no isolation, and the outcome in one word."""

from __future__ import annotations

import functools
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal, TypeVar, get_args

from momus.errors import MomusError
from momus.sandbox import selftest
from momus.sandbox.advice import first_look
from momus.sandbox.execute import execute
from momus.sandbox.limits import Limits
from momus.sandbox.supervise import Ended

Mode = Literal["auto", "unsafe-local"]
MODES: tuple[Mode, ...] = get_args(Mode)
Status = Literal["passed", "failed", "timeout", "memory", "output", "refused"]

T = TypeVar("T")
R = TypeVar("R")
SIGXCPU_EXIT = (128 + 24, -24)  # the exit code of what took more computing than it was allowed


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
    unrunnable, advice = first_look(code)
    if unrunnable is not None and mode in MODES:
        return Outcome("refused", None, "", unrunnable, 0.0)
    check_mode(mode)
    limits = Limits(timeout_s, memory_mb, output_bytes)
    ended = execute(code, limits, stdin=stdin, isolated=mode == "auto")
    return _outcome(ended, advice)


def check_mode(mode: str) -> None:
    """Raises MomusError on an unknown mode, and in mode `auto` where this machine offers no isolation."""
    if mode not in MODES:
        raise MomusError(f"there is no sandbox mode {mode!r}: choose auto or unsafe-local")
    reason = selftest.why_not() if mode == "auto" else None
    if reason is not None:
        raise MomusError(
            f"there is no sandbox to run code in: {reason}; or accept the risk to this machine with "
            "--sandbox unsafe-local"
        )


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
    return ahead(programs, once, jobs)


def ahead(items: Iterable[T], act: Callable[[T], R], jobs: int) -> Iterator[R]:
    """What `act` makes of each item, in their order, `jobs` at a time; takes items only as fast as it is done."""
    with ThreadPoolExecutor(max(1, jobs)) as pool:
        running: deque[Future[R]] = deque()
        try:
            for item in items:
                running.append(pool.submit(act, item))
                if len(running) >= 2 * jobs:
                    yield running.popleft().result()
            while running:
                yield running.popleft().result()
        finally:
            for future in running:
                future.cancel()


def _outcome(ended: Ended, advice: tuple[str, ...]) -> Outcome:
    stderr = ended.stderr.decode("utf-8", "replace")
    code: int | None = ended.exit_code if ended.exit_code >= 0 else 128 - ended.exit_code
    status: Status
    if ended.cause is not None and ended.cause != "stopped":
        status, code = ended.cause, None
    elif code == 0:
        status = "passed"
    elif code in SIGXCPU_EXIT:
        status = "timeout"
    elif "MemoryError" in (stderr.strip().splitlines() or [""])[-1]:
        status = "memory"
    else:
        status = "failed"
    return Outcome(status, code, ended.stdout.decode("utf-8", "replace"), stderr, ended.seconds, advice)
