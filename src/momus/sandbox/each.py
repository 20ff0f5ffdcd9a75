"""What runs in the two sandboxes where snippets are looked at one by one, each on an answer that is loaded anew.

As `ends`, with bounds of time for each of them: an answer that takes too long ends its own process, and how that ended
says so. Who looks starts anew with the snippets that are left.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import io
import itertools
import json
import os
import re
import sys
import types
from typing import Any

from momus.sandbox.bounded import TOO_LONG, Bounds, Lines, limit, settled
from momus.sandbox.ends import DEEPER, SHOWN, execute, load_names, offered, say
from momus.sandbox.forms import Malformed, NotCertifiable, is_iterator
from momus.sandbox.peer import AnswerExit, AnswerSide, Channel, PeerGone, Proxy, TestsSide, told
from momus.sandbox.wire import Sender

PRINTED = 200_000  # characters of what a snippet prints
VALUE_CHARS = 300_000  # of a value, as it crosses; of a longer one only the start is shown
LATE = 6  # snippets stopped within their process, after which the others are not looked at


def answer_end(prelude: str, answer: str, bounds: list[float], traced: str | None, read_fd: int, write_fd: int) -> None:
    """Load an answer, anew whenever that is asked for, and do what is asked of it.

    `bounds`: seconds for loading, for a call, without computing, and for a call before it is stopped within this
    process (0: only from without). `traced`: the file whose lines are noted as they run.
    """
    _to_nowhere()
    sys.setrecursionlimit(sys.getrecursionlimit() + DEEPER)
    load_s, call_s, idle_s, soft_s = bounds
    again = True
    while again:
        lines = Lines(traced) if traced is not None else None
        side = AnswerSide()
        channel = Channel(read_fd, write_fd, side, answer=True)
        side.join(channel)
        module = types.ModuleType("answer")
        sys.modules["answer"] = module
        space = module.__dict__
        try:
            with Bounds(load_s, idle_s):
                execute(prelude, "prelude.py", space)
                before = dict(space)
                execute(answer, "answer.py", space)
            message = offered(side, before, space, shared=True)
            message["module"] = side.export(module)[1]
            message["settled"] = side.export(settled)[1]
            message["lines"] = side.export(lines.ran)[1] if lines is not None else None
        except BaseException as error:
            message = {"failed": type(error).__name__, "error": _error(told(error), type(error))}
            if isinstance(error, SyntaxError) and error.filename == "answer.py":
                message["error"]["lines"] = [error.lineno or 1]
        channel.send(message)
        again = channel.serve(Bounds(call_s, idle_s, soft_s, lines))


def tests_end(
    prelude: str, wanted: list[dict[str, Any]], bounds: list[float], read_fd: int, write_fd: int, verdict_fd: int
) -> None:
    """Look at one snippet after the other, and say of each what it came to; JSON, one object a line.

    A line with `gone` is the last one: the answer's process went away while it was loaded, or called.
    """
    _to_nowhere()
    late = 0
    for at, snippet in enumerate(wanted):
        if late >= LATE:
            say(verdict_fd, {"left": True})
            continue
        found = _looked_at(prelude, snippet, bounds, (read_fd, write_fd), anew=at > 0)
        late += _is_late(found)
        if snippet["twice"] and "gone" not in found and not _is_late(found):
            second = _looked_at(prelude, snippet, bounds, (read_fd, write_fd), anew=True)
            found = second if "gone" in second else {**found, "steady": _told_alike(found, second)}
        say(verdict_fd, found)
        if "gone" in found:
            return


def _looked_at(
    prelude: str, snippet: dict[str, Any], bounds: list[float], fds: tuple[int, int], *, anew: bool
) -> dict[str, Any]:
    """What one snippet came to, on an answer that is loaded for it."""
    side = TestsSide()
    channel = Channel(*fds, side, answer=False)
    side.join(channel)
    module = types.ModuleType("__main__")
    sys.modules["__main__"] = module
    limit(bounds[0])
    try:
        execute(prelude, "prelude.py", module.__dict__)
        for name, thing in list(module.__dict__.items()):
            if isinstance(thing, type) and thing.__module__ == "__main__":
                side.classes[name], side.names[thing] = thing, name
        if anew:
            channel.send({"anew": True})
        loaded = channel.receive()
        if "failed" in loaded:
            return {"unloaded": loaded["error"]}
    except (PeerGone, LookupError, TypeError):
        return {"gone": "load"}
    except Exception as error:
        return {"unready": f"what the code stands on can't be loaded ({type(error).__name__})"}
    limit(bounds[1])
    try:
        return _Look(snippet, loaded, module.__dict__, channel).found()
    except (PeerGone, Malformed, LookupError, TypeError, ValueError):
        return {"gone": "call"}


def _is_late(found: dict[str, Any]) -> bool:
    return "raised" in found and found["raised"]["kinds"] == [TOO_LONG]


def _told_alike(first: dict[str, Any], second: dict[str, Any]) -> bool:
    """Whether two looks at one snippet came to the same, but for where things lie in memory."""

    def text(found: dict[str, Any]) -> str:
        told = {key: value for key, value in found.items() if key != "ran"}
        return re.sub(r" at 0x[0-9a-fA-F]+", "", json.dumps(told))

    return text(first) == text(second)


class _Look:
    """One snippet on an answer that was just loaded."""

    def __init__(
        self, snippet: dict[str, Any], loaded: dict[str, Any], space: dict[str, Any], channel: Channel
    ) -> None:
        self._snippet, self._space, self._channel = snippet, space, channel
        names = set(loaded["names"])
        trusting = snippet["own"] is None
        own = names if trusting else set(snippet["own"])
        self._clashes = {name for name in names - own if name in space or hasattr(builtins, name)}
        load_names(loaded, channel.side, space, own, modules_only=trusting)
        # What the answer may set again: read again whenever it is used.
        self._module = Proxy(channel, loaded["module"])
        self._settled = Proxy(channel, loaded["settled"])
        self._lines = Proxy(channel, loaded["lines"]) if loaded["lines"] is not None else None
        self._plain = {name for name in names - self._clashes if type(space.get(name)) in _PLAIN}

    def found(self) -> dict[str, Any]:
        """What the snippet came to, and which lines of the answer it ran. Raises PeerGone."""
        found = self._found()
        if self._lines is not None:
            with contextlib.suppress(Exception, NotCertifiable, AnswerExit):
                found["ran"] = [line for line in self._lines() if type(line) is int]
        return found

    def _found(self) -> dict[str, Any]:
        setup, code, expected = self._snippet["setup"], self._snippet["code"], self._snippet["expected"]
        try:
            for source in setup:
                try:
                    self._run(source)
                except ImportError as error:
                    if not _at_hand(source, self._space):
                        return {"unready": f"it needs a module that is not here ({error})"}
                except AnswerExit as error:
                    return self._raised(error)
                except Exception as error:
                    return {"unready": f"what stands before it fails ({type(error).__name__})"}
            before = self._watched()
            printed = io.StringIO()
            try:
                with contextlib.redirect_stdout(printed):
                    value = self._settle(self._run(code))
            except Exception as error:
                return self._raised(error)
            except AnswerExit as error:
                return self._raised(error)
            found = {"printed": printed.getvalue()[:PRINTED], **self._value(value)}
            found["changed"] = {name: now for name, now in self._watched().items() if now != before.get(name)}
            if expected is not None:
                try:
                    promised = self._run(expected)
                except Exception as error:
                    return {"unready": f"what it promises can't be computed ({type(error).__name__})"}
                found["promised"] = self._value(promised)
                if isinstance(value, Proxy) and isinstance(promised, Proxy):
                    found["unequal"] = self._asked(value, "eq", promised) is False
            return found
        except (NotCertifiable, AnswerExit) as refusal:
            return {"uncertain": str(refusal)[:SHOWN]}

    def _run(self, source: str) -> Any:
        """Run statements; the value of the last one, where it is an expression. Raises NotCertifiable."""
        tree = ast.parse(source, "snippet.py")
        read = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        if read & self._clashes:
            raise NotCertifiable(f"the code has a {min(read & self._clashes)} of its own")
        value = None
        for at, statement in enumerate(tree.body):
            for node in ast.walk(statement):
                if isinstance(node, ast.Name) and node.id in self._plain:
                    self._space[node.id] = getattr(self._module, node.id)
            if isinstance(statement, ast.Expr) and at == len(tree.body) - 1:
                value = eval(_compiled(ast.Expression(statement.value), "eval"), self._space)
            else:
                exec(_compiled(ast.Module([statement], []), "exec"), self._space)
        return value

    def _watched(self) -> dict[str, Any]:
        """The values of the watched names, as they are now; none where only the answer has them."""
        names = [name for name in self._snippet["watched"] if name in self._space]
        return {name: self._value(self._space[name]) for name in names if not isinstance(self._space[name], Proxy)}

    def _settle(self, value: Any) -> Any:
        """The first items of an iterator, and what a coroutine comes to."""
        most = self._snippet["items"]
        if not most:
            return value
        if isinstance(value, Proxy):
            came_to = self._settled(value, most)
            return came_to[0] if len(came_to) == 1 else value
        return list(itertools.islice(value, most)) if is_iterator(value) else value

    def _asked(self, thing: Proxy, op: str, *args: object) -> Any:
        return self._channel.ask(op, object.__getattribute__(thing, "_momus")[1], args)

    def _value(self, value: object) -> dict[str, Any]:
        """What a value is called and looks like, and the value itself where it is plain."""
        if isinstance(value, Proxy):
            return {"kind": str(self._asked(value, "type"))[:SHOWN], "shown": str(repr(value))[:SHOWN]}
        found: dict[str, Any] = {"kind": f"{type(value).__module__}.{type(value).__qualname__}"}
        try:
            found |= {"shown": repr(value)[:SHOWN], "true": bool(value)}
            sender = Sender(self._channel.side)
            crossing = {"v": sender.values([value]), "nodes": sender.nodes}
            if len(json.dumps(crossing)) <= VALUE_CHARS:
                found |= crossing
        except (NotCertifiable, Exception):
            found.setdefault("shown", "...")
        return found

    def _raised(self, error: BaseException) -> dict[str, Any]:
        said = getattr(error, "said", None)
        if isinstance(said, dict):  # by the answer
            found = _error(said, type(error))
            if isinstance(error, AnswerExit):
                found["kinds"] = [str(said["name"])]
            return {"raised": found}
        if isinstance(error, MemoryError):
            return {"uncertain": "it needs too much memory outside of the code"}
        return {"raised": _error({"message": str(error), "lines": []}, type(error))}


_PLAIN = (type(None), bool, int, float, complex, str, bytes, tuple, frozenset)


def _error(said: dict[str, Any], kind: type) -> dict[str, Any]:
    """An exception: the names of its classes, and those of them that are the interpreter's own."""
    kinds = [each for each in kind.__mro__ if each is not object]
    own = [each.__name__ for each in kinds if getattr(builtins, each.__name__, None) is each]
    return {
        "kinds": [each.__name__ for each in kinds],
        "builtin": own,
        "message": str(said["message"])[:300],
        "lines": [line for line in said["lines"] if type(line) is int],
    }


def _compiled(tree: Any, mode: str) -> Any:
    return compile(tree, "snippet.py", mode, dont_inherit=True)


def _at_hand(source: str, names: dict[str, Any]) -> bool:
    """Whether all that an import would bind is there already: examples import what they are examples of."""
    nodes = ast.parse(source).body
    bound = [alias.asname or alias.name for n in nodes if isinstance(n, ast.ImportFrom) for alias in n.names]
    return all(isinstance(n, ast.ImportFrom) for n in nodes) and all(name == "*" or name in names for name in bound)


def _to_nowhere() -> None:
    """Nothing is read from or written to the streams of a sandbox."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
