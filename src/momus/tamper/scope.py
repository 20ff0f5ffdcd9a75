"""What one function (or the module's top level) binds, and how each name is used."""

from __future__ import annotations

import ast
from collections import defaultdict
from dataclasses import dataclass


@dataclass(slots=True)
class Scope:
    """Of one function or the top level: name -> the line that binds it first, and how each name is used."""

    bound: dict[str, int]
    uses: dict[str, set[str]]
    numbers: frozenset[str] = frozenset()  # names, and attributes of names, that the code shows to be numbers

    @property
    def parameters(self) -> frozenset[str]:
        return frozenset(name for name, kinds in self.uses.items() if "parameter" in kinds)

    def alternatives(self, name: ast.Name) -> list[str]:
        """Other names bound before this one's line that are used, or were made, in a way this one is too."""
        kinds = self.uses.get(name.id, set())
        return [
            other
            for other, line in self.bound.items()
            if other != name.id and line < name.lineno and kinds & self.uses.get(other, set())
        ]


def scope_of(owner: ast.AST, parents: dict[ast.AST, ast.AST]) -> Scope:
    """The scope of a function, or of a module; `parents` gives the parent of each node in it."""
    bound: dict[str, int] = {}
    uses: dict[str, set[str]] = defaultdict(set)
    hidden: set[str] = {"self", "cls", "_"}
    if isinstance(owner, ast.FunctionDef | ast.AsyncFunctionDef):
        for arg in (*owner.args.posonlyargs, *owner.args.args, *owner.args.kwonlyargs):
            bound[arg.arg] = owner.lineno
            uses[arg.arg].add("parameter")
    stack: list[ast.AST] = list(ast.iter_child_nodes(owner))
    while stack:
        node = stack.pop()
        if isinstance(node, ast.comprehension):  # its names live in the comprehension alone
            hidden.update(n.id for n in ast.walk(node.target) if isinstance(n, ast.Name))
        elif isinstance(node, ast.Global | ast.Nonlocal):
            hidden.update(node.names)
        elif isinstance(node, ast.Name):
            if isinstance(node.ctx, ast.Store):
                bound[node.id] = min(bound.get(node.id, node.lineno), node.lineno)
            uses[node.id].add(_use(node, parents.get(node)))
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            stack.extend(ast.iter_child_nodes(node))
    visible = {name: line for name, line in sorted(bound.items()) if name not in hidden}
    return Scope(visible, {name: kinds - {""} for name, kinds in uses.items()}, numbers_in(owner))


_COUNTING = frozenset(
    (
        *("len", "sum", "abs", "int", "float", "round", "ord", "hash", "id", "time", "monotonic", "perf_counter"),
        *("bit_length", "total_seconds", "find", "rfind", "count", "sqrt", "floor", "ceil", "log", "exp"),
        *("getsize", "tell"),
    )
)


def place_of(node: ast.AST) -> str | None:
    """`a`, `a.b` or `a.b.c` of a name or of attributes of one; None for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (base := place_of(node.value)) is not None:
        return f"{base}.{node.attr}"
    return None


def counts(value: ast.AST, numbers: frozenset[str] | set[str]) -> bool:
    """Whether an expression is a number, given the names and attributes that are known to be."""
    match value:
        case ast.Constant(value=found):
            return isinstance(found, int | float) and not isinstance(found, bool)
        case ast.UnaryOp(op=ast.USub() | ast.UAdd() | ast.Invert()):
            return True
        case ast.Call(func=ast.Name(id="min" | "max"), args=args):
            return any(counts(arg, numbers) for arg in args)
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
            return name in _COUNTING
        case ast.BinOp(op=ast.Mult() | ast.Mod(), left=left, right=right):  # a text may be the one side
            return counts(left, numbers) and counts(right, numbers)
        case ast.BinOp(left=left, right=right):
            return counts(left, numbers) or counts(right, numbers)
        case ast.Name() | ast.Attribute():
            return place_of(value) in numbers
    return False


def numbers_in(owner: ast.AST) -> frozenset[str]:
    """The names, and attributes of names, that the code of a function or module shows to be numbers."""
    found: set[str] = set()
    nodes = list(ast.walk(owner))
    for _ in range(2):  # what is set from a number that is found later
        for node in nodes:
            found.update(place for n in _numbers_of(node, found) if (place := place_of(n)) is not None)
    return frozenset(found)


def _numbers_of(node: ast.AST, numbers: set[str]) -> list[ast.AST]:
    """The parts of a node that are numbers, as it shows."""
    match node:
        case ast.arg(arg=name, annotation=ast.Name(id="int" | "float")):
            return [ast.Name(name)]
        case ast.AnnAssign(target=target, annotation=ast.Name(id="int" | "float")):
            return [target]
        case ast.Assign(targets=targets, value=value) if counts(value, numbers):
            return list(targets)
        case ast.AugAssign(target=target, op=ast.Add() | ast.Sub(), value=value) if counts(value, numbers):
            return [target]
        case ast.Compare(left=left, ops=[op], comparators=[right]) if not isinstance(op, ast.In | ast.NotIn):
            ordered = isinstance(op, ast.Lt | ast.LtE | ast.Gt | ast.GtE)
            return [
                side
                for side, other in ((left, right), (right, left))
                if counts(other, numbers if ordered else frozenset())
            ]
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub() | ast.Div() | ast.FloorDiv() | ast.Pow(), right=right):
            return [side for side, other in ((left, right), (right, left)) if counts(other, numbers)]
        case ast.For(target=target, iter=ast.Call(func=ast.Name(id="range"))):
            return [target]
        case ast.comprehension(target=target, iter=ast.Call(func=ast.Name(id="range"))):
            return [target]
        case ast.For(target=ast.Tuple(elts=[first, *_]), iter=ast.Call(func=ast.Name(id="enumerate"))):
            return [first]
        case ast.comprehension(target=ast.Tuple(elts=[first, *_]), iter=ast.Call(func=ast.Name(id="enumerate"))):
            return [first]
        case ast.Call(func=ast.Name(id="range"), args=args):
            return list(args)
        case ast.Slice(lower=lower, upper=upper):
            return [bound for bound in (lower, upper) if bound is not None]
    return []


def _use(name: ast.Name, parent: ast.AST | None) -> str:
    """How a name is used: two names of one use may be mistaken for each other."""
    match parent:
        case ast.Attribute():
            return f".{parent.attr}"
        case ast.Subscript():
            return "[]" if parent.value is name else "index"
        case ast.Call():
            return "()" if parent.func is name else "argument"
        case ast.BinOp() | ast.AugAssign():
            return "arithmetic"
        case ast.Compare():
            return "compared"
        case ast.For() | ast.AsyncFor() | ast.comprehension():
            return "iterated" if parent.iter is name else "item"
        case ast.Return():
            return "returned"
        case ast.Assign(value=ast.Constant(value=value)):
            return type(value).__name__
        case ast.Assign(value=ast.List() | ast.Dict() | ast.Set() | ast.ListComp() as value):
            return type(value).__name__.removesuffix("Comp")
        case ast.Tuple():
            return "unpacked" if isinstance(name.ctx, ast.Store) else ""
    return ""
