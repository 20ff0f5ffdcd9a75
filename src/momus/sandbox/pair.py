"""Two sandboxes and a pipe each way between them: the answer in one, what judges it in the other."""

from __future__ import annotations

import functools
import json
import marshal
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from momus.sandbox.execute import execute
from momus.sandbox.limits import Limits
from momus.sandbox.supervise import Ended

_MODULES = ("forms", "wire", "peer", "ends", "bounded", "each")
_VERDICT_BYTES = 1 << 24
GRACE_S = 5  # seconds for an answer's process that is gone to have ended


@dataclass(frozen=True, slots=True)
class Both:
    """How the two processes ended, and what the tests' said: a line for each snippet, and the verdict (or None)."""

    lines: tuple[dict[str, Any], ...]
    verdict: dict[str, Any] | None
    tests: Ended
    answer: Ended


def run_both(
    prelude: str,
    answer: str,
    tests: str | Sequence[Any],
    limits: Limits,
    *,
    entry_point: str | None = None,
    isolated: bool = True,
) -> Both:
    """Run tests on an answer, each in a sandbox of its own. Raises MomusError where a sandbox cannot be set up."""
    given = tests if isinstance(tests, str) else list(tests)
    return _run_both(
        ("ends.answer_end", prelude, answer), ("ends.tests_end", prelude, given, entry_point), limits, isolated
    )


def run_each(
    prelude: str,
    answer: str,
    snippets: Sequence[Any],
    bounds: Sequence[float],
    traced: str | None,
    limits: Limits,
    *,
    isolated: bool = True,
) -> Both:
    """Run snippets on an answer that is loaded anew for each; see `momus.sandbox.each`. Raises as `run_both` does.

    Where the answer's process went away, how it ended is waited for.
    """
    return _run_both(
        ("each.answer_end", prelude, answer, list(bounds), traced),
        ("each.tests_end", prelude, list(snippets), list(bounds)),
        limits,
        isolated,
        GRACE_S,
    )


def _run_both(
    serving: Sequence[object], judging: Sequence[object], limits: Limits, isolated: bool, grace_s: float = 0
) -> Both:
    answer_in, to_answer = os.pipe()
    tests_in, to_tests = os.pipe()
    verdict_in, verdict_out = os.pipe()
    stop_in, stop_out = os.pipe()
    judged = _program(*judging, fds=(tests_in, to_answer, verdict_out))
    served = _program(*serving, fds=(answer_in, to_tests))
    try:
        with ThreadPoolExecutor(2) as pool:
            answering = pool.submit(
                execute, served, limits, isolated=isolated, pass_fds=(answer_in, to_tests), stop_fd=stop_in
            )
            verdict = pool.submit(_read_all, verdict_in)
            try:
                testing = execute(judged, limits, isolated=isolated, pass_fds=(tests_in, to_answer, verdict_out))
                if grace_s and any("gone" in line for line in _objects(verdict.result())):
                    wait([answering], timeout=grace_s)
            finally:
                os.close(stop_out)  # there is nobody left to answer to
            answered, told = answering.result(), verdict.result()
    finally:
        for fd in (verdict_in, stop_in):
            os.close(fd)
    said = list(_objects(told))
    verdict_line = said.pop() if said and "verdict" in said[-1] else None
    return Both(tuple(said), verdict_line, testing, answered)


def _objects(told: bytes) -> Iterator[dict[str, Any]]:
    for line in told.splitlines():
        try:
            body = json.loads(line)
        except (ValueError, RecursionError):
            return  # it was cut off
        if isinstance(body, dict):
            yield body


def _read_all(fd: int) -> bytes:
    taken = bytearray()
    while len(taken) < _VERDICT_BYTES and (chunk := os.read(fd, 65536)):
        taken += chunk
    return bytes(taken)


def _program(function: object, *args: object, fds: Sequence[int]) -> str:
    """A program that calls a function of one of the modules below, which it brings along: the sandbox has no momus.

    They come compiled: it is this very interpreter that runs there.
    """
    given = json.dumps([*args, *fds])
    module, _, name = str(function).partition(".")
    return f"{_bootstrap()}\nsys.modules['momus.sandbox.{module}'].{name}(*json.loads({given!r}))\n"


@functools.cache
def _bootstrap() -> str:
    lines = [
        "import json, marshal, sys, types",
        "for name in ('momus', 'momus.sandbox'): sys.modules[name] = types.ModuleType(name)",
        "def module(name, code):",
        "    made = sys.modules[name] = types.ModuleType(name)",
        "    exec(marshal.loads(code), made.__dict__)",
    ]
    for name in _MODULES:
        text = (files("momus.sandbox") / f"{name}.py").read_text(encoding="utf-8")
        code = marshal.dumps(compile(text, f"momus/sandbox/{name}.py", "exec", dont_inherit=True))
        lines.append(f"module('momus.sandbox.{name}', {code!r})")
    return "\n".join(lines)
