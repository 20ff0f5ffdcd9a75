"""Two sandboxes and a pipe each way between them: the answer in one, what judges it in the other."""

from __future__ import annotations

import functools
import json
import marshal
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from momus.sandbox.execute import execute
from momus.sandbox.limits import Limits
from momus.sandbox.supervise import Ended

_MODULES = ("wire", "peer", "ends")
_VERDICT_BYTES = 1 << 24


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
    answer_in, to_answer = os.pipe()
    tests_in, to_tests = os.pipe()
    verdict_in, verdict_out = os.pipe()
    stop_in, stop_out = os.pipe()
    judged = _program(
        "tests_end",
        prelude,
        tests if isinstance(tests, str) else list(tests),
        entry_point,
        fds=(tests_in, to_answer, verdict_out),
    )
    served = _program("answer_end", prelude, answer, fds=(answer_in, to_tests))
    try:
        with ThreadPoolExecutor(2) as pool:
            answering = pool.submit(
                execute, served, limits, isolated=isolated, pass_fds=(answer_in, to_tests), stop_fd=stop_in
            )
            verdict = pool.submit(_read_all, verdict_in)
            try:
                testing = execute(judged, limits, isolated=isolated, pass_fds=(tests_in, to_answer, verdict_out))
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


def _program(function: str, *args: object, fds: Sequence[int]) -> str:
    """A program that calls a function of `ends`, whose modules it brings along: the sandbox has no momus.

    They come compiled: it is this very interpreter that runs there.
    """
    given = json.dumps([*args, *fds])
    return f"{_bootstrap()}\nsys.modules['momus.sandbox.ends'].{function}(*json.loads({given!r}))\n"


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
