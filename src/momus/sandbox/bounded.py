"""Bounds of the calls in a sandbox, the lines that they run, and what iterators and coroutines come to.

Run inside the sandbox, as `each` is.
"""

from __future__ import annotations

import collections.abc
import contextlib
import inspect
import itertools
import os
import signal
import sys
import time
import types
from collections.abc import Callable
from typing import Any

IDLE_EXIT = 75  # the exit code of an answer that waits for something
TOO_LONG = "TooLong"  # what a call that is stopped within its process is said to have raised
STEPS = 200_000  # lines of one call that are noted
_TICK_S = 0.5
_COMPUTED_S = 0.02  # of computing between two ticks: whoever gets less waits
_TAKEN: tuple[Any, ...] = (collections.abc.Iterator, type({}.keys()), type({}.values()), type({}.items()))


def limit(more_s: float) -> None:
    """So many seconds of computing from here on; then the system ends this process."""
    with contextlib.suppress(Exception):
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_CPU)
        resource.setrlimit(resource.RLIMIT_CPU, (int(time.process_time()) + 1 + int(more_s), hard))


class TooLong(BaseException):
    """Raised in a call that computes for too long. Not an `Exception`: no answer is to catch it by chance."""


class Bounds:
    """Bounds of what the answer does: so much computing, and so long without any; on a busy machine that is little.

    After `soft_s` of computing the call is stopped within the process, where it lets itself be stopped.
    """

    def __init__(self, more_s: float, idle_s: float, soft_s: float = 0, lines: Lines | None = None) -> None:
        self._more_s, self._idle_s, self._soft_s, self._lines = more_s, idle_s, soft_s, lines

    def __enter__(self) -> None:
        limit(self._more_s)
        self._spent, self._active = time.process_time(), time.monotonic()
        with contextlib.suppress(ValueError, AttributeError):  # no main thread, or no such clock
            signal.signal(signal.SIGALRM, self._tick)
            signal.setitimer(signal.ITIMER_REAL, _TICK_S, _TICK_S)
            if self._soft_s:
                signal.signal(signal.SIGPROF, _stop)
                signal.setitimer(signal.ITIMER_PROF, self._soft_s, _TICK_S)
        if self._lines is not None:
            sys.settrace(self._lines)

    def __exit__(self, *_: object) -> None:
        if self._lines is not None:
            sys.settrace(None)
        with contextlib.suppress(ValueError, AttributeError):
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.setitimer(signal.ITIMER_PROF, 0)

    def _tick(self, *_: object) -> None:
        now, spent = time.monotonic(), time.process_time()
        if spent > self._spent + _COMPUTED_S:
            self._spent, self._active = spent, now
        elif now - self._active > self._idle_s:
            os._exit(IDLE_EXIT)


def _stop(*_: object) -> None:
    raise TooLong("it computes for too long")


class Lines:
    """Notes which lines of one file run. It may be lied to: nothing is decided by it."""

    def __init__(self, file: str) -> None:
        self._file, self._seen, self._left = file, set[int](), STEPS

    def __call__(self, frame: types.FrameType, event: str, argument: object) -> Callable[..., Any] | None:
        return self._line if frame.f_code.co_filename == self._file else None

    def _line(self, frame: types.FrameType, event: str, argument: object) -> Callable[..., Any]:
        if event == "line":
            self._seen.add(frame.f_lineno)
            self._left -= 1
            if self._left <= 0:
                sys.settrace(None)
        return self._line

    def ran(self) -> list[int]:
        """The lines, in order."""
        return sorted(self._seen)


def settled(thing: Any, most: int) -> tuple[Any, ...]:
    """What a coroutine comes to, or the first items of an iterator, alone in a tuple; for all else an empty one."""
    awaited = inspect.iscoroutine(thing) or inspect.isasyncgen(thing)
    if awaited:
        import asyncio

        async def collected() -> list[Any]:
            items = []
            async for item in thing:
                items.append(item)
                if len(items) >= most:
                    break
            return items

        thing = asyncio.run(thing if inspect.iscoroutine(thing) else collected())
    if isinstance(thing, _TAKEN):
        return (list(itertools.islice(thing, most)),)
    return (thing,) if awaited else ()
