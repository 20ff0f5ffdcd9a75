"""The imports that an answer to a question takes for granted: such a snippet is seldom the whole file."""

from __future__ import annotations

import ast
import functools
import importlib
from collections.abc import Iterator

from momus.inputs.target import BUILTINS, bound_names, parse

# Of these the names are known; of two that define the same the first is meant. Importing them only defines names.
_EXPORTING = (
    *("collections", "typing", "math", "itertools", "functools", "heapq", "bisect", "copy", "string", "dataclasses"),
    *("abc", "enum", "decimal", "fractions", "datetime", "statistics", "operator"),
)
_MODULES = (*_EXPORTING, "re", "random", "json", "sys", "os", "time", "hashlib", "contextlib", "textwrap", "queue")


def supplied(code: str, prelude: str = "") -> str:
    """Import lines for the standard library's names that neither the code nor its prelude binds; "" where none is."""
    tree, around = parse(code), parse(prelude)
    if tree is None:
        return ""
    bound = set(_bound_anywhere(tree)) | (set(bound_names(around.body)) if around is not None else set())
    read = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
    lines = []
    for name in sorted(read - bound - BUILTINS):
        if (name in _MODULES and name not in ("copy", "datetime")) or _used_as_module(tree, name):
            lines.append(f"import {name}")
        elif (module := _exports().get(name)) is not None:
            lines.append(f"from {module} import {name}")
    return "".join(f"{line}\n" for line in lines)


def _used_as_module(tree: ast.Module, name: str) -> bool:
    """Whether `copy` or `datetime`, each a module and a name in it, is read as the module."""
    if name not in _MODULES:
        return False
    inner = {
        n.attr
        for n in ast.walk(tree)
        if isinstance(n, ast.Attribute) and isinstance(n.value, ast.Name) and n.value.id == name
    }
    return bool(inner & set(dir(importlib.import_module(name)))) and not inner & {
        "now",
        "today",
        "strptime",
        "fromisoformat",
    }


@functools.cache
def _exports() -> dict[str, str]:
    found: dict[str, str] = {}
    for module in _EXPORTING:
        loaded = importlib.import_module(module)
        for name in getattr(loaded, "__all__", None) or [name for name in dir(loaded) if not name.startswith("_")]:
            found.setdefault(name, module)
    return found


def _bound_anywhere(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            yield node.id
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.alias):
            yield node.asname or node.name.split(".")[0]
        elif isinstance(node, ast.ExceptHandler) and node.name:
            yield node.name
