"""The two ends of the pipe between an answer and its tests: calls, and stand-ins for what stays on the other side.

The answer's end gives out its functions, classes and objects by number; the tests' end holds a `Proxy` for each. A call
takes copies of its arguments along and brings back the value, the exception, what was printed, and every change of an
argument. The tests' end gives out only functions that tests pass as arguments, and they can only be called.

No comparison is ever left to the answer: a `Proxy` refuses `==` and its like with `NotCertifiable`, and so does it
operators that would show a value of the tests to an object that could answer to please (`result - expected`).
"""

from __future__ import annotations

import builtins
import contextlib
import io
import json
import operator
import os
import struct
import sys
import threading
import traceback
import types
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

from momus.sandbox.forms import Malformed, NotCertifiable, is_iterator
from momus.sandbox.wire import Receiver, Sender, Side, consumed

MESSAGE_BYTES = 64_000_000
PRINTED = 200_000  # characters of one call that cross


class PeerGone(BaseException):
    """The other process ended, or sent what no honest one sends."""


class AnswerExit(SystemExit):
    """The answer tried to end the program."""


class Channel:
    """One end. `answer` is the end of the answer, whose objects all may be used; the other end's only called.

    `calls` counts what was asked of the other side, `broken` says why nothing can be certified any more.
    """

    def __init__(self, read_fd: int, write_fd: int, side: Side, *, answer: bool) -> None:
        self._read, self._write = read_fd, write_fd
        self.side, self._answer = side, answer
        self._lock = threading.RLock()
        self._bounds: AbstractContextManager[Any] = contextlib.nullcontext()
        self._pid = os.getpid()
        self.calls = 0
        self.broken: str | None = None

    def ask(self, op: str, target: Any, args: Sequence[object] = (), kwargs: dict[str, object] | None = None) -> Any:
        """Ask the other side and return its value, or raise its exception. Raises PeerGone, NotCertifiable."""
        with self._lock:
            self.calls += 1
            try:
                sender = Sender(self.side)
                values = sender.values([*args, *(kwargs or {}).values()])
                request = {"op": op, "target": target, "names": list(kwargs or {}), "v": values, "nodes": sender.nodes}
                self.send(request)
                while True:
                    reply = self.receive()
                    if "op" not in reply:
                        break
                    self._serve(reply)  # a call of ours, from within the call
                value, error = self._result(reply, sender)
            except NotCertifiable as refusal:
                self.broken = self.broken or str(refusal)
                raise
            except (PeerGone, Malformed, LookupError, TypeError, ValueError, AttributeError) as fault:
                self.broken = self.broken or f"the other process ended or broke the protocol ({fault})"
                raise PeerGone(self.broken) from None
        if error is not None:
            raise error
        return value

    def serve(self, bounds: AbstractContextManager[Any] | None = None) -> bool:
        """Answer requests, each within `bounds`, until the other side is gone (False) or wants to begin anew (True)."""
        self._bounds = bounds or contextlib.nullcontext()
        while True:
            try:
                request = self.receive()
                if "op" not in request:
                    return True
                self._serve(request)
            except PeerGone:
                return False

    def send(self, message: object) -> None:
        """Write one message. Raises PeerGone, NotCertifiable."""
        body = json.dumps(message, separators=(",", ":")).encode()
        if len(body) > MESSAGE_BYTES:
            raise NotCertifiable("a value of more than 64 MB does not cross")
        data = memoryview(struct.pack("<I", len(body)) + body)
        try:
            while data:
                data = data[os.write(self._write, data) :]
        except OSError as error:
            raise PeerGone(str(error)) from None

    def receive(self) -> dict[str, Any]:
        """Read one message. Raises PeerGone."""
        (length,) = struct.unpack("<I", self._bytes(4))
        if length > MESSAGE_BYTES:
            raise PeerGone("a message that is too long")
        try:
            message = json.loads(self._bytes(length))
        except (ValueError, RecursionError):
            raise PeerGone("a message that is no JSON") from None
        if not isinstance(message, dict):
            raise PeerGone("a message that is no object")
        return message

    def _bytes(self, length: int) -> bytes:
        parts = bytearray()
        while len(parts) < length:
            try:
                chunk = os.read(self._read, min(1 << 20, length - len(parts)))
            except OSError as error:
                raise PeerGone(str(error)) from None
            if not chunk:
                raise PeerGone("it ended")
            parts += chunk
        return bytes(parts)

    def _result(self, reply: dict[str, Any], sender: Sender) -> tuple[Any, BaseException | None]:
        sys.stdout.write(str(reply["printed"]))
        values = Receiver(self.side, sender.objects).take(reply["nodes"], reply["changed"], reply["v"])
        if "refused" in reply:
            raise NotCertifiable(str(reply["refused"]))
        if "raised" in reply:
            return None, _exception(reply["raised"], values[0], values[1:])
        return values[0], None

    def _serve(self, request: dict[str, Any]) -> None:
        objects: list[object] = []
        before = request["nodes"]
        reply: dict[str, Any] = {}
        result: list[object] = [None]
        printed, own = io.StringIO(), sys.stdout
        try:
            values = Receiver(self.side, objects).take(before, {}, request["v"])
            count = len(values) - len(request["names"])
            kwargs = dict(zip(request["names"], values[count:], strict=True))
            if self._answer:
                sys.stdout = printed
            try:
                with self._bounds:
                    result = [self._act(request["op"], request["target"], values[:count], kwargs)]
            finally:
                sys.stdout = own
                if os.getpid() != self._pid:  # a child of the answer's own: the call is its parent's
                    os._exit(0)
        except (NotCertifiable, Malformed) as error:
            reply["refused"] = str(error)
        except PeerGone:
            raise
        except BaseException as error:
            reply["raised"] = told(error)
            result = [type(error), *error.args]
        sender = Sender(self.side, objects)
        try:
            reply["v"] = sender.values(result)
            reply["changed"] = sender.changes(before)
        except NotCertifiable as error:
            sender = Sender(self.side, objects)
            reply = {"refused": str(error), "v": [None], "changed": {}}
        reply["nodes"] = sender.nodes[len(objects) :]
        reply["printed"] = printed.getvalue()[:PRINTED]
        self.send(reply)

    def _act(self, op: str, target: Any, args: list[Any], kwargs: dict[str, Any]) -> Any:
        thing = self.side.own(target)  # type: ignore[attr-defined]
        if op == "call":
            return thing(*args, **kwargs)
        if not self._answer:
            raise Malformed("tests can only be called")
        return OPERATIONS[op](thing, *args)


_ARITHMETIC = ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul")
_BINARY = (*_ARITHMETIC, "and_", "or_", "xor", "lshift", "rshift")
_JUDGING = frozenset({*_BINARY, *(f"r{name}" for name in _BINARY), "contains"})
_OTHERS = ("neg", "pos", "invert", "index", "getitem", "setitem", "delitem", "contains")
OPERATIONS: dict[str, Callable[..., Any]] = {name: getattr(operator, name) for name in (*_BINARY, *_OTHERS)}


OPERATIONS |= {f"r{n}": lambda thing, other, act=OPERATIONS[n]: act(other, thing) for n in _BINARY}
OPERATIONS |= {
    "eq": operator.eq,  # asked by nobody but who takes no Yes from the answer
    "type": lambda thing: f"{type(thing).__module__}.{type(thing).__qualname__}",
    "len": len,
    "iter": iter,
    "next": next,
    "reversed": reversed,
    "str": str,
    "repr": repr,
    "bool": bool,
    "int": int,
    "float": float,
    "abs": abs,
    "round": round,
    "format": format,
    "attr": getattr,
    "set": setattr,
    "delattr": delattr,
    "instance": lambda kind, thing: isinstance(thing, kind),
    "subclass": lambda kind, other: issubclass(other, kind),
    "enter": lambda thing: type(thing).__enter__(thing),
    "exit": lambda thing, *error: type(thing).__exit__(thing, *error),
}


class Proxy:
    """Stands in the tests' process for something of the answer's. What it is asked, the answer's process does."""

    __slots__ = ("_momus",)

    def __init__(self, channel: Channel, number: int) -> None:
        object.__setattr__(self, "_momus", (channel, number))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name not in ("__name__", "__qualname__", "__annotations__", "__dict__"):
            raise AttributeError(name)
        return _do(self, "attr", name)

    def __setattr__(self, name: str, value: object) -> None:
        _do(self, "set", name, value)

    def __delattr__(self, name: str) -> None:
        _do(self, "delattr", name)

    def __call__(self, *args: object, **kwargs: object) -> Any:
        channel, number = object.__getattribute__(self, "_momus")
        return channel.ask("call", number, args, kwargs)

    def __instancecheck__(self, thing: object) -> bool:
        return isinstance(thing, Proxy) and _do(self, "instance", thing) is True

    def __subclasscheck__(self, kind: object) -> bool:
        return isinstance(kind, Proxy) and _do(self, "subclass", kind) is True

    def __exit__(self, kind: object, error: object, trace: object) -> Any:
        return _do(self, "exit", None, None, None) if error is None else False


def _do(proxy: Proxy, op: str, *args: object) -> Any:
    channel, number = object.__getattribute__(proxy, "_momus")
    return channel.ask(op, number, args)


def _forwarded(op: str) -> Callable[..., Any]:
    def forward(self: Proxy, *args: object) -> Any:
        return _do(self, op, *args)

    def among_its_own(self: Proxy, other: object) -> Any:
        return _do(self, op, other) if isinstance(other, Proxy) else _refused(self)

    return among_its_own if op in _JUDGING else forward


def _refused(self: Proxy, *_: object) -> Any:
    channel, _number = object.__getattribute__(self, "_momus")
    channel.broken = (
        channel.broken or "the tests compare or reckon with the answer's own objects, and only the answer could say how"
    )
    raise NotCertifiable(channel.broken)


for _name in OPERATIONS:
    if _name not in ("eq", "type", "attr", "set", "delattr", "instance", "subclass", "exit"):
        setattr(Proxy, f"__{_name.rstrip('_')}__", _forwarded(_name))
for _name in ("eq", "ne", "lt", "le", "gt", "ge", "hash"):
    setattr(Proxy, f"__{_name}__", _refused)


class AnswerSide(Side):
    """The answer's end: everything that is no plain value is given out by number."""

    def __init__(self) -> None:
        super().__init__()
        self._given: list[object] = []
        self._numbers: dict[int, int] = {}
        self._channel: Channel | None = None

    def join(self, channel: Channel) -> None:
        """Say over which channel functions of the tests are called."""
        self._channel = channel

    def own(self, number: int) -> object:
        """What was given out under a number."""
        return self._given[number]

    def export(self, thing: object) -> list[Any]:
        """Give a thing out."""
        number = self._numbers.setdefault(id(thing), len(self._given))
        if number == len(self._given):
            self._given.append(thing)
        if isinstance(thing, type) and issubclass(thing, BaseException):
            return ["error class", number, *_named(thing)]
        return ["yours", number]

    def adopt(self, node: list[Any]) -> object:
        """A function of the tests, or something of our own that comes back."""
        if node[0] == "mine":
            return self._given[node[1]]
        if node[0] == "function":
            channel, number = self._channel, node[1]
            assert channel is not None
            return lambda *args, **kwargs: channel.ask("call", number, args, kwargs)
        return super().adopt(node)


class TestsSide(Side):
    """The tests' end: only functions are given out, and proxies taken in."""

    __test__ = False

    def __init__(self) -> None:
        super().__init__()
        self._given: list[Callable[..., Any]] = []
        self._errors: dict[int, type[Exception]] = {}
        self._channel: Channel | None = None

    def join(self, channel: Channel) -> None:
        """Say over which channel the answer is reached."""
        self._channel = channel

    def own(self, number: int) -> object:
        """The function that was given out under a number. Raises Malformed."""
        if type(number) is not int or not 0 <= number < len(self._given):
            raise Malformed("no such function")
        return self._given[number]

    def export(self, thing: object) -> list[Any]:
        """Give a function out, or an iterator's items. Raises NotCertifiable."""
        if isinstance(thing, Proxy):
            return ["mine", object.__getattribute__(thing, "_momus")[1]]
        if isinstance(thing, types.FunctionType | types.MethodType):
            self._given.append(thing)
            return ["function", len(self._given) - 1]
        if is_iterator(thing):
            sender = Sender(self)
            items = sender.values(consumed(thing))  # type: ignore[arg-type]
            if sender.nodes:
                raise NotCertifiable("an iterator of anything but plain values does not cross")
            return ["iterator", items]
        number = next((n for n, kind in self._errors.items() if kind is thing), None)
        return ["mine", number] if number is not None else super().export(thing)

    def adopt(self, node: list[Any]) -> object:
        """A proxy for something of the answer's."""
        assert self._channel is not None
        if node[0] == "error class":
            base = getattr(builtins, node[3], None)
            if not (isinstance(base, type) and issubclass(base, Exception)):
                return AnswerExit
            for name in reversed(node[2]):
                base = type(str(name), (base,), {})
            return self._errors.setdefault(node[1], base)
        if node[0] == "yours" and type(node[1]) is int:
            return Proxy(self._channel, node[1])
        return super().adopt(node)


def told(error: BaseException) -> dict[str, Any]:
    """What is told of an exception beside its class and arguments: its lines in the answer, from the call inwards."""
    lines = [at.lineno for at in traceback.extract_tb(error.__traceback__) if at.filename == "answer.py"]
    where = f"line {lines[-1]} of the answer" if lines else "the answer"
    return {"name": type(error).__name__, "where": where, "message": str(error)[:2000], "lines": lines[:1000]}


def _named(kind: type) -> tuple[list[str], str]:
    """The names of an exception's own classes, and of the interpreter's that they are made of."""
    own = [each.__name__ for each in kind.__mro__ if each.__module__ != "builtins"]
    return own, next(each.__name__ for each in kind.__mro__ if each.__module__ == "builtins")


def _exception(said: dict[str, Any], kind: Any, args: list[Any]) -> BaseException:
    error: BaseException
    if not (isinstance(kind, type) and issubclass(kind, BaseException)):
        raise Malformed("no exception")
    if not issubclass(kind, Exception):
        error = AnswerExit(f"the answer raised {said['name']}")
    else:
        try:
            error = kind(*args)
        except TypeError:
            error = Exception(str(said["message"]))
    vars(error)["said"] = said
    error.add_note(f"raised by {said['where']}: {said['name']}")
    return error
