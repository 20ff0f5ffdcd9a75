"""Some code on many calls, in the sandbox: what each comes to, as a value that can be compared.

The code runs in one sandbox, the calls are made from another, where the arguments lie; what crosses are values. So the
code can lie about nothing but what it computes: it neither sees a verdict nor has a say in a comparison. Each call
finds the code freshly loaded, and is made twice, as a result that depends on chance or on the clock tells nothing.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from momus.inputs.calls import Call
from momus.inputs.of_task import Program, program_of
from momus.inputs.programs import FILE, as_function, printed_alike, runs_whole
from momus.inputs.target import BUILTINS, bound_names, parse
from momus.inputs.values import Encoded, comparable, encode, same_either_way, written
from momus.records import Task
from momus.sandbox import Seen, Snippet, Value, observe_each

Kind = Literal["value", "raised", "exited", "timeout", "uncertain"]

SHOWN = 400  # characters of a result that are shown
# What comes of where the code runs, not of what it does: no file, no network, no module of somebody else's.
_SURROUNDINGS = frozenset({"ImportError", "OSError", "EOFError", "KeyboardInterrupt"})
# Of the standard library, made on our side of the pipe: their text tells them apart.
_BY_TEXT = ("builtins.range", "builtins.bytearray", "decimal.", "fractions.", "datetime.", "collections.", "numpy.")
_UNTOLD = {
    "slow": "the code takes too long to load",
    "busy": "the input needs too much time or memory before the code is called",
    "left": "too many calls before it did not end",
}


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of running. Seconds of computing for a call and for loading, without any computing, and of wall clock for
    all calls of one code; `items` of an iterator are taken."""

    call_s: float = 0.5
    load_s: float = 10.0
    idle_s: float = 3.0
    timeout_s: float = 90.0
    memory_mb: int = 1024
    items: int = 1000
    mode: str = "auto"


@dataclass(frozen=True, slots=True)
class Result:
    """What a call came to. `shown` reads as a result: "[1, 2]", "IndexError: list index out of range".

    `value` is None but for kind `value`. `changed` are arguments, and names that the setup binds, of another value
    after the call. `error` is the exception's class, `errors` all that it is one of, `reason` why nothing can be told
    (`uncertain`). `loading`: the exception came before any call. `lines`: the code's lines that ran, 1-based, as far as
    it can be believed.
    """

    kind: Kind
    shown: str
    value: Encoded | None = None
    printed: str = ""
    changed: tuple[tuple[str, Encoded], ...] = ()
    error: str = ""
    errors: tuple[str, ...] = ()
    reason: str = ""
    loading: bool = False
    lines: tuple[int, ...] = ()

    @property
    def certain(self) -> bool:
        return self.kind != "uncertain"


def run_calls(
    task: Task, code: str, calls: Sequence[Call], *, limits: Limits | None = None, lines: bool = False
) -> list[Result]:
    """What `code`, run in the place of the task's answer, comes to on each call, in their order.

    A call that hangs, exits, forks or fills the memory costs only itself. With `lines` it is noted which lines run.
    Raises MomusError where there is no sandbox.
    """
    bounds = limits or Limits()
    program = program_of(task, code)
    if program is None:
        return [Result("uncertain", "", reason="the code does not parse")] * len(calls)
    return run_program_calls(program, calls, bounds, lines=lines)


def run_program_calls(program: Program, calls: Sequence[Call], limits: Limits, *, lines: bool = False) -> list[Result]:
    """As `run_calls`, of code whose surroundings are known."""
    whole = runs_whole(program.code, (call.code for call in calls))
    code = as_function(program.code) if whole else program.code
    own = _defined(code) | _defined(program.prelude)
    asked = [_snippet(call, own, limits.items) for call in calls]
    if not asked:
        return []
    seen = observe_each(
        code,
        asked,
        prelude=program.prelude,
        load_s=limits.load_s,
        call_s=limits.call_s + 1,
        idle_s=limits.idle_s,
        soft_s=limits.call_s,
        timeout_s=limits.timeout_s,
        memory_mb=limits.memory_mb,
        traced=(FILE if whole else "answer.py") if lines else None,
        mode=limits.mode,
    )
    return [_result(one, limits) for one in seen]


def same(a: Result, b: Result, *, effects: bool = False) -> bool:
    """Whether two calls came to the same; never where one of them is uncertain.

    Numbers are compared with a tolerance for floats, containers item by item, exceptions by class. What was printed
    and which arguments were changed counts where neither call gives a value, and with `effects` always.
    """
    if a.kind != b.kind or not (a.certain and b.certain):
        return False
    if a.kind == "raised":
        return a.error == b.error
    if a.kind == "timeout":
        return True
    if a.value is not None and b.value is not None and not same_either_way(a.value, b.value):
        return False
    counts = effects or a.kind == "exited" or (a.value == ["n"] and b.value == ["n"])
    return not counts or (printed_alike(a.printed, b.printed) and _same_changes(a, b))


def told_apart(before: Result, after: Result) -> tuple[str, str]:
    """Two results in words that differ: their values, else what was printed, else what they change."""
    if before.kind != after.kind or before.shown != after.shown:
        return before.shown, after.shown
    if before.printed != after.printed:
        return f"prints {before.printed.rstrip()!r}", f"prints {after.printed.rstrip()!r}"
    return _changes(before), _changes(after)


def _changes(result: Result) -> str:
    told = ", ".join(f"{name} to {written(value)}" for name, value in result.changed)
    return f"changes {told}" if told else "leaves its arguments as they are"


def _same_changes(a: Result, b: Result) -> bool:
    first, second = dict(a.changed), dict(b.changed)
    return first.keys() == second.keys() and all(same_either_way(first[name], second[name]) for name in first)


def _defined(code: str) -> frozenset[str]:
    tree = parse(code)
    return frozenset(bound_names(tree.body)) if tree is not None else frozenset()


def _snippet(call: Call, own: frozenset[str], items: int) -> Snippet:
    """The call with its arguments bound to names first, so that it can be told what it changes."""
    tree = parse(call.code)
    setup = list(call.setup)
    code = call.code
    watched = [name for source in setup if (node := parse(source)) is not None for name in bound_names(node.body)]
    if tree is not None:
        hoist = _Hoist(own)
        code = ast.unparse(hoist.visit(tree))
        setup += [f"{name} = {source}" for name, source in hoist.bound.items()]
        watched += hoist.bound
    return Snippet(code, tuple(setup), own=own, watched=tuple(watched), items=items, twice=True)


class _Hoist(ast.NodeTransformer):
    """Takes arguments that may be changed out of the calls of the code's own functions."""

    def __init__(self, own: frozenset[str]) -> None:
        self._own = own
        self.bound: dict[str, str] = {}

    def visit_Call(self, node: ast.Call) -> ast.AST:
        root: ast.expr = node.func
        while isinstance(root, ast.Attribute | ast.Call):
            root = root.value if isinstance(root, ast.Attribute) else root.func
        if isinstance(root, ast.Name) and (root.id in self._own or root.id not in BUILTINS):
            node.args = [self._name(one, f"argument_{at}") for at, one in enumerate(node.args, 1)]
            for keyword in node.keywords:
                keyword.value = self._name(keyword.value, f"argument_{keyword.arg}")
        return self.generic_visit(node)

    def _name(self, node: ast.expr, name: str) -> ast.expr:
        built = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id.endswith("_node")
        if not built and not isinstance(node, ast.List | ast.Dict | ast.Set):
            return node
        while name in self.bound:
            name += "_"
        self.bound[name] = ast.unparse(node)
        return ast.Name(name, ast.Load())


def _result(seen: Seen, limits: Limits) -> Result:
    if seen.status == "returned" and seen.value is not None:
        return _of_value(seen, seen.value)
    if seen.status in ("raised", "unloaded"):
        return _of_exception(seen)
    if seen.status in ("unended", "idle"):
        what = (
            f"has not ended after {limits.call_s:g} s of computing" if seen.status == "unended" else "waits and waits"
        )
        return Result("timeout", what, lines=seen.ran)
    if seen.status == "memory":
        return Result("raised", "MemoryError", error="MemoryError", lines=seen.ran)
    if seen.status == "gone":
        return Result("exited", "ends the program")
    return Result("uncertain", "", reason=_UNTOLD.get(seen.status, seen.message))


def _of_value(seen: Seen, value: Value) -> Result:
    shown = _cut(value.shown)
    if not seen.steady:
        reason = "two runs of the same call differ: it depends on chance, the clock or what an earlier run left behind"
        return Result("uncertain", shown, reason=reason, lines=seen.ran)
    encoded = encode(value.value, set()) if value.is_plain else None
    if encoded is None or not _comparable(encoded):
        reason = f"a {value.kind.rpartition('.')[2]} cannot be compared from outside of the code"
        return Result("uncertain", shown, reason=reason, lines=seen.ran)
    changes = [(name, encode(now.value, set())) for name, now in seen.changed.items() if now.is_plain]
    changed = tuple((name, now) for name, now in changes if _comparable(now))
    return Result("value", _cut(written(encoded)), encoded, seen.printed, changed, lines=seen.ran)


def _of_exception(seen: Seen) -> Result:
    name, loading = seen.kinds[0], seen.status == "unloaded"
    shown = _cut(f"{name}: {seen.message}" if seen.message else name)
    if name == "SystemExit" and not loading:
        return Result("exited", shown, lines=seen.ran)
    if _SURROUNDINGS.intersection(seen.kinds) or name == "SystemExit":
        what = "the code can't be loaded here" if loading else "it needs what is not here"
        return Result("uncertain", shown, reason=f"{what} ({shown})", lines=seen.ran)
    if not seen.steady:
        reason = "two runs of the same call differ: it depends on chance, the clock or what an earlier run left behind"
        return Result("uncertain", shown, reason=reason, lines=seen.ran)
    return Result("raised", shown, error=name, errors=seen.kinds, reason=seen.message, loading=loading, lines=seen.ran)


def _comparable(value: Encoded) -> bool:
    """Whether two such values can be told apart: plain ones, and those of the standard library that cross as such."""
    if value[0] in "ltSF":
        return all(map(_comparable, value[1]))
    if value[0] == "d":
        return all(map(_comparable, _parts(value)))
    if value[0] == "o":
        return str(value[1]).startswith(_BY_TEXT) and len(str(value[2])) < 200
    return comparable(value)


def _parts(value: Encoded) -> Iterable[Encoded]:
    return (part for pair in value[1] for part in pair)


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= SHOWN else line[: SHOWN - 3] + "..."
