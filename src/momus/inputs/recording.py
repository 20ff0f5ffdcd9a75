"""The program that runs a project's tests inside the sandbox and tells with which literals they call some functions.

What it says is a list of inputs to try, and no more is believed of it: the tests, and the code, could make it say
anything.
"""

from __future__ import annotations

import ast
import contextlib
import importlib
import inspect
import io
import json
import os
import sys
import unittest
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

ROOT = "/tmp/project"
MOST = 200  # calls that are told
LONGEST = 1_000  # characters of one


def main() -> None:
    """Lay out the files of the request on standard input, run the tests that it names, write the calls."""
    request = json.loads(sys.stdin.buffer.read())
    out = os.fdopen(os.dup(1), "w")
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
    for name, text in request["files"].items():
        place = Path(ROOT, name)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")
    os.chdir(ROOT)
    sys.path[:0] = [str(Path(ROOT, folder)) for folder in request["folders"]]
    record = Record(str(Path(ROOT, request["path"])))
    with contextlib.suppress(BaseException):
        _run(request["tests"], record)
    print(json.dumps(list(record.calls)), file=out, flush=True)
    os._exit(0)


def _run(tests: list[str], record: Record) -> None:
    """By pytest where it is here, without other plugins; else what needs no fixture: plain functions, and unittest."""
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    try:
        import pytest
    except ImportError:
        for name in tests:
            with contextlib.suppress(BaseException):
                _run_plainly(name, record)
        return

    class Recording:
        @pytest.hookimpl(hookwrapper=True)
        def pytest_runtest_call(self, item: object) -> Iterator[None]:
            with record:
                yield

    pytest.main(["-q", "-p", "no:cacheprovider", "-o", "addopts=", *tests], plugins=[Recording()])


def _run_plainly(name: str, record: Record) -> None:
    sys.path.insert(0, str(Path(ROOT, name).parent))
    module = importlib.import_module(Path(name).stem)
    with record:
        for test, thing in vars(module).copy().items():
            if test.startswith("test") and callable(thing):
                with contextlib.suppress(Exception):
                    thing()
        unittest.TextTestRunner(io.StringIO()).run(unittest.defaultTestLoader.loadTestsFromModule(module))


class Record:
    """Notes the calls of what one file defines, where all that they are given is a literal; a profile function."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._made: dict[int, tuple[Any, str]] = {}  # by id, the object kept alive: how it was constructed
        self.calls: dict[str, None] = {}

    def __enter__(self) -> None:
        sys.setprofile(self)

    def __exit__(self, *_: object) -> None:
        sys.setprofile(None)

    def __call__(self, frame: Any, event: str, argument: Any) -> None:
        code = frame.f_code
        if event != "call" or len(self.calls) >= MOST or code.co_filename != self._path:
            return
        name = code.co_qualname if hasattr(code, "co_qualname") else code.co_name
        if code.co_name.startswith("<") or "<locals>" in name:
            return
        self._note(frame, code, name)

    def _note(self, frame: Any, code: Any, name: str) -> None:
        if code.co_flags & (inspect.CO_VARARGS | inspect.CO_VARKEYWORDS):  # how they were given is not told
            return
        count = code.co_argcount
        names, keywords = code.co_varnames[:count], code.co_varnames[count : count + code.co_kwonlyargcount]
        owner = names[:1] if names[:1] in (("self",), ("cls",)) else ()
        parts = list(_written(frame.f_locals, names[len(owner) :], keywords))
        if None in parts:
            return
        arguments = ", ".join(str(part) for part in parts)
        instance = frame.f_locals.get("self") if owner == ("self",) else None
        if instance is None:
            called = f"{name}({arguments})"
        elif code.co_name == "__init__":
            self._made[id(instance)] = instance, f"{type(instance).__name__}({arguments})"
            return
        else:
            _, made = self._made.get(id(instance), (None, f"{type(instance).__name__}()"))
            called = f"{made}.{code.co_name}({arguments})"
        if len(called) <= LONGEST:
            self.calls.setdefault(called)


def _written(given: dict[str, Any], names: Sequence[str], keywords: Sequence[str]) -> Iterator[str | None]:
    """Arguments as source; None for one that is no literal."""
    for name in (*names, *keywords):
        source = _literal(given.get(name))
        yield None if source is None else source if name in names else f"{name}={source}"


def _literal(value: Any) -> str | None:
    try:
        source = repr(value)
        return source if len(source) <= LONGEST and ast.literal_eval(source) == value else None
    except Exception:
        return None


if __name__ == "__main__":
    main()
