"""Texts parsed and compiled, without warnings on the console and without running anything."""

from __future__ import annotations

import ast
import dis
import warnings
from collections.abc import Hashable
from types import CodeType


def parse(text: str) -> ast.Module:
    """The syntax tree, without warnings on the console. Raises SyntaxError for anything that is not Python."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except (ValueError, RecursionError, MemoryError) as error:  # null bytes, lone surrogates, nesting too deep
        raise SyntaxError(str(error)) from None


def compiles(tree: ast.Module) -> bool:
    """Whether a tree is accepted by the compiler, which refuses more than the parser (`return` outside a function)."""
    return _compiled(tree) is not None


def byte_code(text: str) -> Hashable | None:
    """Equal for texts that are compiled to the same instructions, wherever they stand; None where one isn't compiled.

    What can never run, and what the compiler works out by itself, makes no difference. Raises SyntaxError.
    """
    tree = parse(text)
    for node in ast.walk(tree):  # on one line no instruction is there for the debugger's sake alone
        if isinstance(node, ast.expr | ast.stmt | ast.arg | ast.keyword | ast.alias | ast.excepthandler | ast.pattern):
            node.lineno = node.end_lineno = 1
            node.col_offset = node.end_col_offset = 0
    code = _compiled(tree)
    return None if code is None else _instructions(code)


def _compiled(tree: ast.Module) -> CodeType | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return compile(tree, "<answer>", "exec", dont_inherit=True, optimize=0)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _instructions(code: CodeType) -> Hashable:
    steps = tuple((step.opname, _value(step.argval)) for step in dis.get_instructions(code))
    named = code.co_argcount + code.co_kwonlyargcount + bool(code.co_flags & 4) + bool(code.co_flags & 8)
    shape = (code.co_name, code.co_varnames[:named], code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags)
    return steps, shape, getattr(code, "co_exceptiontable", b"")


def _value(value: object) -> Hashable:
    return _instructions(value) if isinstance(value, CodeType) else (type(value).__name__, repr(value))
