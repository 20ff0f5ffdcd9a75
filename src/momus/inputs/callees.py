"""What of some code can be called to see what it does: functions, methods of classes that can be constructed."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from momus.inputs.of_task import Program
from momus.inputs.target import parse
from momus.records import Task

_FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef
_PLAIN = frozenset({"staticmethod", "classmethod"})
_CONSTANT_CLASSES = frozenset({"Enum", "IntEnum", "StrEnum", "Flag", "Protocol", "TypedDict", "NamedTuple", "ABC"})


@dataclass(frozen=True, slots=True)
class Argument:
    """A parameter to find values for. `uses` is the function that it belongs to, to see how it is used."""

    name: str
    annotation: ast.expr | None
    default: ast.expr | None
    keyword: bool
    uses: _FunctionNode


@dataclass(frozen=True, slots=True)
class Callee:
    """Something to call: `prefix` stands before the arguments, `owner` are those of the constructor of its class.

    A method's prefix begins with the name `OBJECT`, which a call's setup binds.
    """

    prefix: str
    arguments: tuple[Argument, ...]
    owner: tuple[str, tuple[Argument, ...]] | None = None

    @property
    def name(self) -> str:
        return self.prefix.rpartition(".")[2]


OBJECT = "_object"


def callees_of(task: Task, program: Program) -> list[Callee]:
    """What the question asks for, or what a unit of a file defines; several where that is left open."""
    tree = parse(program.code)
    if tree is None:
        return []
    functions = {n.name: n for n in tree.body if isinstance(n, _FunctionNode)}
    classes = {n.name: n for n in tree.body if isinstance(n, ast.ClassDef)}
    if task.surroundings is not None:
        return list(_on_lines(tree, set(task.surroundings.lines)))
    if task.entry_point is not None:
        owner, _, name = task.entry_point.rpartition(".")
        if not owner and name in functions:
            return [_function(functions[name])]
        if not owner and name in classes:
            return list(_methods(classes[name]))
        if (held := classes.get(owner.removesuffix("()"))) is not None:
            return [one for one in _methods(held) if one.name == name]
    if "Solution" in classes:
        return list(_methods(classes["Solution"]))
    if functions:
        return [_function(node) for node in _outermost(list(functions.values()))]
    return [one for node in classes.values() for one in _methods(node)]


def _on_lines(tree: ast.Module, lines: set[int]) -> Iterator[Callee]:
    for node in tree.body:
        if isinstance(node, _FunctionNode) and node.lineno in lines:
            yield _function(node)
        elif isinstance(node, ast.ClassDef):
            inner = [n for n in node.body if isinstance(n, _FunctionNode) and n.lineno in lines]
            names = {n.name for n in inner}
            whole = node.lineno in lines or names & {"__init__", "__new__"}
            yield from (one for one in _methods(node) if whole or one.name in names)


def _outermost(functions: Sequence[_FunctionNode]) -> list[_FunctionNode]:
    """Those that no other one calls; of several the last three."""
    used = {
        inner.id
        for node in functions
        for inner in ast.walk(node)
        if isinstance(inner, ast.Name) and inner.id != node.name
    }
    public = [node for node in functions if not node.name.startswith("_")] or list(functions)
    return [node for node in public if node.name not in used][-3:] or public[-1:]


def _function(node: _FunctionNode) -> Callee:
    return Callee(node.name, _arguments(node, 0))


def _methods(node: ast.ClassDef) -> Iterator[Callee]:
    """The public methods of a class, where the constructor's arguments are known from the class itself."""
    bases = [ast.unparse(base).rpartition(".")[2] for base in node.bases]
    if _CONSTANT_CLASSES.intersection(bases) or any(base not in ("object", "Generic") for base in bases):
        return
    inner = {n.name: n for n in node.body if isinstance(n, _FunctionNode)}
    if "__init__" in inner:
        made = _arguments(inner["__init__"], 1)
    elif "__new__" in inner:
        return
    else:
        is_data = any("dataclass" in ast.unparse(one) for one in node.decorator_list)
        made = _fields(node) if is_data else ()
    for name, method in inner.items():
        marks = {ast.unparse(one) for one in method.decorator_list}
        if name.startswith("_") or marks - _PLAIN:
            continue
        if "staticmethod" in marks:
            yield Callee(f"{node.name}.{name}", _arguments(method, 0))
        elif "classmethod" in marks:
            yield Callee(f"{node.name}.{name}", _arguments(method, 1))
        else:
            yield Callee(f"{OBJECT}.{name}", _arguments(method, 1), (node.name, made))


def _arguments(node: _FunctionNode, skipped: int) -> tuple[Argument, ...]:
    arguments = node.args
    positional = [*arguments.posonlyargs, *arguments.args]
    defaults: list[ast.expr | None] = [None] * (len(positional) - len(arguments.defaults)) + list(arguments.defaults)
    found = [
        Argument(one.arg, one.annotation, default, False, node)
        for one, default in zip(positional, defaults, strict=True)
    ][skipped:]
    found += [
        Argument(one.arg, one.annotation, default, True, node)
        for one, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    ]
    return tuple(found)


def _fields(node: ast.ClassDef) -> tuple[Argument, ...]:
    """The fields of a dataclass as arguments of its constructor."""
    nothing = ast.parse("def __init__(): pass").body[0]
    assert isinstance(nothing, ast.FunctionDef)
    return tuple(
        Argument(n.target.id, n.annotation, n.value, False, nothing)
        for n in node.body
        if isinstance(n, ast.AnnAssign) and isinstance(n.target, ast.Name)
    )
