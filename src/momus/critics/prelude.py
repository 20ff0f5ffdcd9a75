"""A task's prelude as a linter can read it: star imports spelled out, and only what the answer needs of them.

An answer to be run behind `from typing import *` is not wrong to say `List`; a linter that is shown the answer alone,
or a star that it can't see through, would say so on every line.
"""

from __future__ import annotations

import ast
import importlib
import re
import warnings

# Where a star may be looked into: importing these does nothing but define names.
_MODULES = (
    *("bisect", "cmath", "collections", "copy", "dataclasses", "datetime", "decimal", "enum", "fractions", "functools"),
    *("heapq", "itertools", "json", "math", "operator", "queue", "random", "re", "statistics", "string", "sys", "time"),
    "typing",
)


def spelled_out(prelude: str, answer: str) -> str:
    """The lines to put before an answer; empty, or ending in a line end. What the answer binds itself is left out."""
    tree, own = _parsed(prelude), _parsed(answer)
    if tree is None:
        return ""
    used = set(re.findall(r"\w+", answer)) - _bound(own)
    lines = []
    for node in tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [name for alias in node.names for name in _names(node, alias) if _binds(name) in used]
            if names:
                origin = f"from {'.' * node.level}{node.module or ''} " if isinstance(node, ast.ImportFrom) else ""
                lines.append(f"{origin}import {', '.join(names)}")
        elif not _bound(ast.Module([node], [])) or _bound(ast.Module([node], [])) & used:
            lines.append(ast.unparse(node))
    return "".join(f"{line}\n" for line in dict.fromkeys(lines))


def _names(node: ast.Import | ast.ImportFrom, alias: ast.alias) -> list[str]:
    """What one clause of an import brings, as it would be written."""
    if alias.name == "*" and isinstance(node, ast.ImportFrom) and node.module in _MODULES:
        module = importlib.import_module(node.module)
        return list(getattr(module, "__all__", None) or [name for name in dir(module) if not name.startswith("_")])
    return [alias.name if alias.asname is None else f"{alias.name} as {alias.asname}"]


def _binds(name: str) -> str:
    """The name that `import NAME` binds."""
    return name.rpartition(" as ")[2] if " as " in name else name.partition(".")[0]


def _bound(tree: ast.Module | None) -> set[str]:
    """All names that a program binds, wherever it does."""
    found: set[str] = set()
    for node in ast.walk(tree) if tree is not None else ():
        if isinstance(node, ast.alias):
            found.add(node.asname or node.name.partition(".")[0])
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, ast.arg):
            found.add(node.arg)
    return found


def _parsed(code: str) -> ast.Module | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
