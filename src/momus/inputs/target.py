"""What of some code its examples may speak of: the names that it defines, and the one that the question asks for."""

from __future__ import annotations

import ast
import builtins
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

_FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef
_SOLUTION = re.compile(r"(\w+)\(\)\.(\w+)")
BUILTINS = frozenset(dir(builtins))


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of the function that a question asks for."""

    name: str
    annotation: str
    required: bool


@dataclass(frozen=True, slots=True)
class Target:
    """What examples may call. `defined`: the code's own names; `known`: those, and what it imports or is given.

    `entry` is the function that the question asks for, as it is called: `median`, or `Solution().median`; None where
    several might be meant. `in_place`: it is annotated to return nothing. `builders` make linked lists and trees.
    """

    defined: frozenset[str]
    known: frozenset[str]
    entry: str | None = None
    parameters: tuple[Parameter, ...] = ()
    returns: str = ""
    in_place: bool = False
    builders: frozenset[str] = frozenset()

    def closed(self, tree: ast.AST) -> bool:
        """Whether an expression reads no name but known ones, and those that it binds itself."""
        bound = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Load)}
        bound |= {n.arg for n in ast.walk(tree) if isinstance(n, ast.arg)}
        names = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
        return names <= self.known | BUILTINS | bound

    def speaks_of(self, tree: ast.AST) -> bool:
        """Whether an expression names anything that the code defines."""
        return any(isinstance(node, ast.Name) and node.id in self.defined for node in ast.walk(tree))


def target_of(code: str, *, entry_point: str | None = None, prelude: str = "") -> Target | None:
    """The target of some code; None where it does not parse. `entry_point` as a task names it."""
    tree = parse(code)
    if tree is None:
        return None
    own = frozenset(bound_names(tree.body))
    around = parse(prelude)
    given = frozenset(bound_names(around.body)) if around is not None else frozenset()
    entry, node = _entry(tree, entry_point)
    defined = own if entry_point is None or "(" in entry_point else own | {entry_point}
    builders = frozenset(name for name in ("list_node", "tree_node") if name in given | own)
    if node is None:
        return Target(defined, defined | given, entry, builders=builders)
    arguments = node.args
    positional = [*arguments.posonlyargs, *arguments.args]
    if entry is not None and "." in entry:
        positional = positional[1:]
    optional = len(arguments.defaults)
    parameters = [
        Parameter(arg.arg, ast.unparse(arg.annotation) if arg.annotation else "", at < len(positional) - optional)
        for at, arg in enumerate(positional)
    ]
    returns = ast.unparse(node.returns) if node.returns is not None else ""
    several = arguments.vararg is not None or bool(arguments.kwonlyargs)
    return Target(
        defined,
        defined | given,
        entry,
        () if several else tuple(parameters),
        returns,
        in_place=returns == "None",
        builders=builders,
    )


def parse(code: str) -> ast.Module | None:
    """The tree of some code, or None."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _entry(tree: ast.Module, entry_point: str | None) -> tuple[str | None, _FunctionNode | None]:
    functions = {node.name: node for node in tree.body if isinstance(node, _FunctionNode)}
    methods = {
        node.name: {inner.name: inner for inner in node.body if isinstance(inner, _FunctionNode)}
        for node in tree.body
        if isinstance(node, ast.ClassDef)
    }
    if entry_point is not None:
        named = _SOLUTION.fullmatch(entry_point)
        if named is not None:
            return entry_point, methods.get(named[1], {}).get(named[2])
        return entry_point, functions.get(entry_point)
    public = [name for name in methods.get("Solution", {}) if not name.startswith("_")]
    if len(public) == 1:
        return f"Solution().{public[0]}", methods["Solution"][public[0]]
    if len(functions) == 1 and not methods:
        return next(iter(functions.items()))
    return None, None


def bound_names(body: list[ast.stmt]) -> Iterator[str]:
    """The names that statements bind at their own level, also below `if` and `try`."""
    for node in body:
        if isinstance(node, _FunctionNode | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Import | ast.ImportFrom):
            yield from (alias.asname or alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            yield from (n.id for target in targets for n in ast.walk(target) if isinstance(n, ast.Name))
        else:
            for part in ("body", "orelse", "finalbody"):
                yield from bound_names([n for n in getattr(node, part, []) if isinstance(n, ast.stmt)])
            for handler in getattr(node, "handlers", []):
                yield from bound_names(handler.body)
