"""What runs in the two sandboxes of a verdict: the answer behind its pipe, and the tests, or a few snippets, before it.

The tests' process says how it went on a pipe of its own that the answer's process has never seen.
"""

from __future__ import annotations

import ast
import builtins
import collections
import contextlib
import importlib
import io
import json
import linecache
import os
import sys
import time
import traceback
import types
from collections.abc import Collection
from typing import Any

from momus.sandbox.forms import Malformed, NotCertifiable
from momus.sandbox.peer import AnswerExit, AnswerSide, Channel, PeerGone, Proxy, TestsSide
from momus.sandbox.wire import Receiver, Sender, Side

SHOWN = 2_000  # characters of a value's repr, or of a message
_HOMES = ("math", "cmath", "copy", "functools", "itertools", "collections", "heapq", "bisect", "typing")
_CHANGING = (list, dict, set, bytearray, collections.deque)
DEEPER = 50  # frames that an answer finds below it here and not in a program of its own


def answer_end(prelude: str, answer: str, read_fd: int, write_fd: int) -> None:
    """Load an answer and do what its tests ask until they are gone."""
    sys.setrecursionlimit(sys.getrecursionlimit() + DEEPER)
    side = AnswerSide()
    channel = Channel(read_fd, write_fd, side, answer=True)
    side.join(channel)
    module = types.ModuleType("answer")
    sys.modules["answer"] = module
    space = module.__dict__
    try:
        execute(prelude, "prelude.py", space)
        before = dict(space)
        execute(answer, "answer.py", space)
    except BaseException as error:
        traceback.print_exc()
        sys.stderr.flush()
        channel.send({"failed": f"{type(error).__name__}: {error}"[:SHOWN]})
        return
    channel.send(offered(side, before, space))
    channel.serve()


def offered(side: AnswerSide, before: dict[str, Any], space: dict[str, Any], *, shared: bool = False) -> dict[str, Any]:
    """The message with the answer's names; `shared`: its variables that can be changed stay here, and are reached."""
    for scope in (before, space):  # what the answer defines anew is what the tests' objects become
        for name, thing in scope.items():
            if name in before and isinstance(thing, type) and thing.__module__ == "answer":
                side.classes[name], side.names[thing] = thing, name
    names = [name for name, thing in space.items() if before.get(name) is not thing and not name.startswith("__")]
    sender = Sender(side)
    kept = [name for name in names if shared and isinstance(space[name], _CHANGING)]
    names = [name for name in names if name not in kept]
    values = sender.values([space[name] for name in names])
    for name in kept:
        values.append([len(sender.nodes)])
        sender.nodes.append(side.export(space[name]))
    return {"names": names + kept, "v": values, "nodes": sender.nodes}


def tests_end(
    prelude: str,
    tests: str | list[Any],
    entry_point: str | None,
    read_fd: int,
    write_fd: int,
    verdict_fd: int,
) -> None:
    """Run a test program, or one snippet or call after the other, on an answer behind the pipe; say how it went.

    What is said is JSON, one object a line: one for each snippet, and the verdict last.
    """
    side = TestsSide()
    channel = Channel(read_fd, write_fd, side, answer=False)
    side.join(channel)
    module = types.ModuleType("__main__")
    sys.modules["__main__"] = module
    space = module.__dict__
    told: dict[str, Any] = {"verdict": "passed"}
    started = time.monotonic()
    try:
        execute(prelude, "prelude.py", space)
        for name, thing in list(space.items()):
            if isinstance(thing, type) and thing.__module__ == "__main__":
                side.classes[name], side.names[thing] = thing, name
        root = (entry_point or "").partition("(")[0].partition(".")[0]
        load_names(channel.receive(), side, space, {root} - {""}, modules_only=not root)
        started = time.monotonic()
        if isinstance(tests, str):
            told = _tested(tests, space)
        else:
            for wanted in tests:
                say(verdict_fd, _observed(wanted, space, channel, side))
    except (PeerGone, Malformed, NotCertifiable, MemoryError, RecursionError) as error:
        told = {"verdict": "failed", "reason": f"{type(error).__name__}: {error}"[:SHOWN]}
    if channel.broken is not None:
        told |= {"verdict": "uncertain", "reason": channel.broken}
    elif told["verdict"] == "passed" and channel.calls == 0:
        told |= {"verdict": "uncertain", "reason": "the tests never called anything of the answer"}
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
        sys.stderr.flush()
    say(verdict_fd, {**told, "calls": channel.calls, "seconds": time.monotonic() - started})


def say(fd: int, told: dict[str, Any]) -> None:
    data = memoryview(json.dumps(told).encode() + b"\n")
    while data:
        data = data[os.write(fd, data) :]


def execute(code: str, name: str, space: dict[str, Any]) -> None:
    """Run a program's text in a namespace, its lines shown in tracebacks."""
    linecache.cache[name] = (len(code), None, code.splitlines(keepends=True), name)
    exec(compile(code, name, "exec", dont_inherit=True), space)


def load_names(
    loaded: dict[str, Any], side: Side, space: dict[str, Any], own: Collection[str], *, modules_only: bool
) -> None:
    """Put the answer's names where the tests find them. Raises PeerGone where it does not load.

    What the prelude, the interpreter or the standard library defines is never the answer's to change, but for its `own`
    names, which are under test: tests that use `math` or `isclose` because the answer imports it get the real one.
    """
    if "failed" in loaded:
        raise PeerGone(f"the answer does not load: {loaded['failed']}")
    values = Receiver(side, []).take(loaded["nodes"], {}, loaded["v"])
    for name, value in zip(loaded["names"], values, strict=True):
        if name in own:
            space[name] = value
        elif not (name.startswith("__") or name in space or hasattr(builtins, name)):
            space[name] = _of_the_library(name, value, modules_only=modules_only)


def _of_the_library(name: str, value: object, *, modules_only: bool) -> object:
    """The real thing where a name is the library's. Only a module where nobody says which function is under test."""
    if isinstance(value, types.ModuleType):
        return value
    if name in sys.stdlib_module_names:
        return importlib.import_module(name)
    if modules_only or not isinstance(value, Proxy):
        return value
    homes = (importlib.import_module(home) for home in _HOMES)
    return next((getattr(home, name) for home in homes if hasattr(home, name)), value)


def _tested(tests: str, space: dict[str, Any]) -> dict[str, Any]:
    try:
        execute(tests, "tests.py", space)
    except SystemExit as error:
        # `unittest.main()` ends so. The tests say it, and not the answer, whose exits are another class.
        if error.code in (None, 0, False) and not isinstance(error, AnswerExit):
            return {"verdict": "passed"}
        return {"verdict": "failed", "reason": f"SystemExit: {error.code}"[:SHOWN]}
    except (PeerGone, NotCertifiable):
        raise
    except BaseException as error:
        _print_error(error)
        return {"verdict": "failed", "reason": f"{type(error).__name__}: {error}"[:SHOWN]}
    return {"verdict": "passed"}


def _print_error(error: BaseException) -> None:
    """The traceback as from a program of its own: without our frames at its start."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename != "tests.py":
        trace = trace.tb_next
    traceback.print_exception(type(error), error, trace)


def _observed(wanted: Any, space: dict[str, Any], channel: Channel, side: Side) -> dict[str, Any]:
    """What a snippet or a call came to: the value of its last expression, what was printed or raised.

    The value of a call is its result with the arguments as they are afterwards.
    """
    printed = io.StringIO()
    found: dict[str, Any] = {}
    with contextlib.redirect_stdout(printed):
        try:
            if isinstance(wanted, str):
                tree = ast.parse(wanted, "snippet.py")
                last = tree.body[-1] if tree.body else None
                if isinstance(last, ast.Expr):
                    tree.body.pop()
                exec(compile(tree, "snippet.py", "exec", dont_inherit=True), space)
                if isinstance(last, ast.Expr):
                    value = eval(compile(ast.Expression(last.value), "snippet.py", "eval", dont_inherit=True), space)
                    found = _value([value], channel)
            else:
                args = Receiver(side, []).take(wanted["nodes"], {}, wanted["v"])
                kwargs = dict(zip(wanted["names"], args[len(args) - len(wanted["names"]) :], strict=True))
                args = args[: len(args) - len(kwargs)]
                called = eval(compile(wanted["call"], "snippet.py", "eval", dont_inherit=True), space)
                found = _value([called(*args, **kwargs), *args, *kwargs.values()], channel)
        except (PeerGone, NotCertifiable) as error:
            found = {"uncertain": str(error)[:SHOWN]}
            if isinstance(error, NotCertifiable):
                channel.broken = None  # of this snippet alone
        except BaseException as error:
            found = {"error": type(error).__name__, "message": str(error)[:SHOWN]}
    return {**found, "printed": printed.getvalue()[:SHOWN]}


def _value(values: list[Any], channel: Channel) -> dict[str, Any]:
    found: dict[str, Any] = {"shown": repr(values[0])[:SHOWN]}
    sender = Sender(channel.side)
    with contextlib.suppress(NotCertifiable):
        found |= {"v": sender.values(values), "nodes": sender.nodes}
    return found
