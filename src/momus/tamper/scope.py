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
    return Scope(visible, {name: kinds - {""} for name, kinds in uses.items()})


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
