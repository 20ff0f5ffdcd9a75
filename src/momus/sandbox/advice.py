"""The first look: what a program reaches for, by its syntax tree. Advice for people, trusted by nothing.

Any program can hide what it does from a reader of its source, so no other layer is ever left out for what stands here.
"""

from __future__ import annotations

import ast
import threading
import warnings
from collections.abc import Iterator

LOOKED_AT = 20_000  # characters: a tree takes 100 times the memory of its text, and the parser holds everybody up
_FILTERS = threading.Lock()
_REACHES: dict[str, str] = {
    "socket": "network",
    "ssl": "network",
    "http": "network",
    "urllib": "network",
    "requests": "network",
    "httpx": "network",
    "asyncio": "network",
    "subprocess": "processes",
    "multiprocessing": "processes",
    "pty": "processes",
    "signal": "processes",
    "ctypes": "native code",
    "cffi": "native code",
    "shutil": "files",
    "pathlib": "files",
    "tempfile": "files",
    "os": "the system",
    "sys": "the interpreter",
    "importlib": "dynamic code",
}
_CALLS: dict[str, str] = {
    "eval": "dynamic code",
    "exec": "dynamic code",
    "compile": "dynamic code",
    "__import__": "dynamic code",
    "open": "files",
    "exit": "an early exit",
    "quit": "an early exit",
}


def advise(code: str) -> tuple[str, ...]:
    """What a program reaches for, as `line 3: socket (network)`; empty also where it does not parse, or is longer than
    `LOOKED_AT`. Never raises.
    """
    return first_look(code)[1]


def first_look(code: str) -> tuple[str | None, tuple[str, ...]]:
    """Why a program cannot even be started (or None), and what it reaches for. Never raises.

    A program longer than `LOOKED_AT` is only ever parsed in the sandbox, under its limits.
    """
    try:
        code.encode("utf-8")
    except UnicodeEncodeError:
        return "the program holds a lone surrogate, which no source file can", ()
    if len(code) > LOOKED_AT:
        return None, ()
    try:
        # The parser warns of bad escapes on the caller's own standard error; the filters are the whole process's.
        with _FILTERS, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(code)
        return None, tuple(f"line {line}: {name} ({what})" for line, name, what in sorted(set(_reaches(tree))))
    except (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError) as error:
        return f"the program does not parse: {type(error).__name__}: {error}", ()


def _reaches(tree: ast.AST) -> Iterator[tuple[int, str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            modules = [node.module or ""]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _CALLS:
            yield node.lineno, node.func.id, _CALLS[node.func.id]
            continue
        else:
            continue
        for module in modules:
            root = module.partition(".")[0]
            if root in _REACHES:
                yield node.lineno, root, _REACHES[root]
