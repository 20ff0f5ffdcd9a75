"""The program that runs examples inside the sandbox. It is sent there as text, so it imports nothing of ours.

It reads one request from standard input and writes one line of JSON for each example, as soon as that is known. Each
example runs in a process of its own, forked before any of the code was loaded, with its own limit of computing time:
one that hangs, exits, forks or fills a pipe leaves the others as they are. The process that runs the code is never told
what a literal example promises: results are encoded, and compared outside of the sandbox.
"""

from __future__ import annotations

import ast
import contextlib
import io
import json
import os
import sys
import types
from pathlib import Path
from typing import Any

CODE = "<answer>"
LOADED = b"loaded\n"
MAX_NODES = 20_000
MAX_DEPTH = 60
MAX_TEXT = 200_000  # characters of one string; a longer one is opaque
MAX_STEPS = 300_000  # of a traced run
_PLAIN: dict[Any, str] = {list: "l", tuple: "t", set: "S", frozenset: "F", dict: "d"}


def encode(value: Any, seen: set[int], depth: int = 0, count: list[int] | None = None) -> list[Any]:
    """A value as JSON that says its type; what is no plain value is `["o", type, text]`."""
    count = [0] if count is None else count
    count[0] += 1
    kind = type(value)
    if count[0] > MAX_NODES or depth > MAX_DEPTH or id(value) in seen:
        return ["o", f"{kind.__module__}.{kind.__qualname__}", "..."]
    if value is None:
        return ["n"]
    if kind is bool:
        return ["b", value]
    if kind is int and value.bit_length() < 12_000:
        return ["i", str(value)]
    if kind is float or kind is complex:
        return ["f" if kind is float else "c", repr(value)]
    if kind is str and len(value) <= MAX_TEXT:
        return ["s", value]
    if kind is bytes and len(value) <= MAX_TEXT:
        return ["y", value.hex()]
    if kind.__name__ == "dict_keys":
        value, kind = set(value), set
    if (nodes := _nodes(value)) is not None:
        return ["l", [encode(item, seen, depth + 1, count) for item in nodes]]
    base = next((known for known in _PLAIN if isinstance(value, known)), None)
    if base is not None and (kind.__eq__ is base.__eq__ or kind.__module__ == "collections"):
        inner = seen | {id(value)}
        if base is dict:
            pairs = dict.items(value)
            return ["d", [[encode(part, inner, depth + 1, count) for part in pair] for pair in pairs]]
        return [_PLAIN[base], [encode(item, inner, depth + 1, count) for item in base.__iter__(value)]]
    return ["o", f"{kind.__module__}.{kind.__qualname__}", _text(value)]


def _text(value: Any) -> str:
    try:
        return str(repr(value))[:200]
    except Exception:
        return "..."


def _nodes(value: Any) -> list[Any] | None:
    """A linked list or a binary tree of the usual two classes as the list that such tasks write."""
    name = type(value).__name__
    if name == "ListNode" and hasattr(value, "val") and hasattr(value, "next"):
        listed: list[Any] = []
        seen = set()
        while value is not None and id(value) not in seen and len(listed) < MAX_NODES:
            seen.add(id(value))
            listed.append(value.val)
            value = value.next
        return listed
    if name == "TreeNode" and hasattr(value, "val") and hasattr(value, "left") and hasattr(value, "right"):
        level, listed = [value], []
        while level and len(listed) < MAX_NODES:
            node = level.pop(0)
            listed.append(None if node is None else node.val)
            if node is not None:
                level += [node.left, node.right]
        while listed and listed[-1] is None:
            listed.pop()
        return listed
    return None


def main() -> None:
    """Answer the request on standard input."""
    import signal

    _unreadable()
    request = json.loads(sys.stdin.buffer.read())
    out = os.fdopen(os.dup(1), "w")
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
    unended = 0
    for at, example in enumerate(request["examples"]):
        if unended >= request["patience"]:
            break
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            with contextlib.suppress(BaseException):
                os.setsid()
                os.close(read)
                os.close(out.fileno())
                _limit(request["load_s"])
                with os.fdopen(write, "w") as pipe:
                    json.dump(_answer(request, example, pipe), pipe)
            os._exit(0)
        os.close(write)
        said = _read(read, child, request["idle_s"], request["wall_s"])
        with contextlib.suppress(OSError):
            os.killpg(child, signal.SIGKILL)
        with contextlib.suppress(OSError):
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        answer = _parsed(said)
        if answer is None:
            spent = os.WIFSIGNALED(status) and os.WTERMSIG(status) == getattr(signal, "SIGXCPU", 24)
            if spent and not (said or b"").startswith(LOADED):
                answer = {"ended": "unready", "why": "the code takes too long to load"}
            else:
                answer = {"ended": "cpu" if spent else "wall" if said is None else "gone"}
            unended += spent or said is None
        print(json.dumps({**answer, "at": at}), file=out, flush=True)


def _unreadable() -> None:
    """Let no child look into this process or its open files (Linux)."""
    with contextlib.suppress(Exception):
        import ctypes

        ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)  # PR_SET_DUMPABLE


def _limit(more_s: int) -> None:
    """So many seconds of computing from here on; then the system ends this process."""
    with contextlib.suppress(Exception):
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_CPU)
        resource.setrlimit(resource.RLIMIT_CPU, (int(sum(os.times()[:2])) + 1 + more_s, hard))


def _read(fd: int, child: int, idle_s: float, wall_s: float) -> bytes | None:
    """What a child writes until it closes its end; None where it computes nothing for a while, or for too long.

    On a busy machine a child may get little of the processor: as long as it gets some, it is waited for.
    """
    import select
    import time

    parts: list[bytes] = []
    started = active = time.monotonic()
    spent = 0.0
    while sum(map(len, parts)) < 4_000_000:
        ready, _, _ = select.select([fd], [], [], 0.5)
        if ready:
            chunk = os.read(fd, 65536)
            if not chunk:
                break
            parts.append(chunk)
            continue
        now, computed = time.monotonic(), _computed(child)
        if computed > spent + 0.02:
            spent, active = computed, now
        if now - active > idle_s or now - started > wall_s:
            os.close(fd)
            return None
    os.close(fd)
    return b"".join(parts)


def _computed(pid: int) -> float:
    """Seconds of computing of a process so far (Linux); elsewhere 0."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError):
        return 0.0


def _parsed(said: bytes | None) -> dict[str, Any] | None:
    try:
        answer = json.loads((said or b"").removeprefix(LOADED))
    except ValueError:
        return None
    return answer if isinstance(answer, dict) and answer.get("ended") in ("value", "raised", "unready") else None


def _answer(request: dict[str, Any], example: dict[str, Any], pipe: Any) -> dict[str, Any]:
    """Load the code, run one example in it, and say what came out; on the pipe first that it was loaded."""
    module = types.ModuleType("answer")
    names = module.__dict__
    sys.modules["answer"] = module
    try:
        exec(compile(request["prelude"], "<prelude>", "exec"), names)
        exec(compile(request["code"], CODE, "exec"), names)
    except BaseException as error:
        return {**_raised(error), "stage": "load"}
    pipe.write(LOADED.decode())
    pipe.flush()
    _limit(request["cpu_s"])
    for source in example["setup"]:
        try:
            exec(compile(source, "<example>", "exec"), names)
        except ImportError as error:
            if not _at_hand(source, names):
                return {"ended": "unready", "why": f"it needs a module that is not here ({error})"}
        except BaseException as error:
            return {"ended": "unready", "why": f"what stands before it fails ({type(error).__name__})"}
    printed = io.StringIO()
    trace = _Trace() if example.get("trace") else None
    body = ast.parse(example["call"]).body
    last = body.pop()
    try:
        with contextlib.redirect_stdout(printed):
            if trace is not None:
                sys.settrace(trace)
            try:
                exec(compile(ast.Module(body, []), "<example>", "exec"), names)
                if isinstance(last, ast.Expr):
                    value = eval(compile(ast.Expression(last.value), "<example>", "eval"), names)
                else:
                    value = None
                    exec(compile(ast.Module([last], []), "<example>", "exec"), names)
            finally:
                sys.settrace(None)
    except BaseException as error:
        return {**_raised(error), "stage": "call", **(trace.seen() if trace else {})}
    answer: dict[str, Any] = {"ended": "value", "printed": printed.getvalue()[:MAX_TEXT]}
    if trace is not None:
        answer.update(trace.seen())
    answer["value"] = encode(value, set())
    if example.get("expected"):
        try:
            promised = eval(compile(example["expected"], "<example>", "eval"), names)
            answer["promised"] = encode(promised, set())
            answer["equal"] = bool(value == promised)
        except BaseException as error:
            return {"ended": "unready", "why": f"what it promises can't be computed ({type(error).__name__})"}
    return answer


def _at_hand(source: str, names: dict[str, Any]) -> bool:
    """Whether all that an import would bind is there already: examples import what they are examples of."""
    nodes = ast.parse(source).body
    bound = [alias.asname or alias.name for n in nodes if isinstance(n, ast.ImportFrom) for alias in n.names]
    return all(isinstance(n, ast.ImportFrom) for n in nodes) and all(name == "*" or name in names for name in bound)


def _raised(error: BaseException) -> dict[str, Any]:
    lines, at = [], error.__traceback__
    if isinstance(error, SyntaxError) and error.filename == CODE:
        lines.append(error.lineno or 1)
    while at is not None:
        if at.tb_frame.f_code.co_filename == CODE:
            lines.append(at.tb_lineno)
        at = at.tb_next
    try:
        said = str(error)[:300]
    except Exception:
        said = ""
    names = [kind.__name__ for kind in type(error).__mro__ if kind is not object]
    return {"ended": "raised", "kinds": names, "said": said, "lines": lines[:1000]}


class _Trace:
    """Which lines of the code run, and where its outermost call returned."""

    def __init__(self) -> None:
        self._steps = 0
        self._lines: dict[int, int] = {}  # line -> the step at which it last ran
        self._outer: Any = None
        self._last = 0

    def __call__(self, frame: Any, event: str, argument: Any) -> Any:
        if frame.f_code.co_filename != CODE or self._steps > MAX_STEPS:
            return None
        if event == "call" and self._outer is None:
            self._outer = frame
        self._steps += 1
        if event == "line":
            self._lines[frame.f_lineno] = self._steps
        if event in ("line", "return") and frame is self._outer:
            self._last = frame.f_lineno
        if event == "return" and frame is self._outer:
            self._outer = None
        return self

    def seen(self) -> dict[str, Any]:
        ordered = sorted(self._lines, key=lambda line: self._lines[line])
        return {"executed": ordered, "last": self._last}


if __name__ == "__main__":
    main()
