"""Programs that read standard input: whether some code is one, and how it is called as a function of its input."""

from __future__ import annotations

import ast
import math
import re
import textwrap
from collections.abc import Iterable

from momus.inputs.target import bound_names, parse
from momus.inputs.values import value_of

RUN_PROGRAM = "run_program"  # what a program on standard input is called by, with its input as text
FILE = "program.py"  # the file name that a program's lines are noted under
TOLERANCE = 1e-6  # of decimals in what is printed, relative or absolute

_DEFINING = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom)
_BLANKS = re.compile(r"(\s+)")
_DECIMAL = re.compile(r"[-+]?\d+(?:\.\d*)?(?:e[-+]?\d+)?", re.IGNORECASE)


def reads_input(code: str) -> bool:
    """Whether some code is a program that reads standard input when it is run."""
    tree = parse(code)
    if tree is None or not any(map(_reads, ast.walk(tree))):
        return False
    return any(not isinstance(node, _DEFINING) and not _is_text(node) for node in tree.body)


def runs_whole(code: str, calls: Iterable[str]) -> bool:
    """Whether some calls run code as a program, rather than what it defines."""
    if not any(call.startswith(f"{RUN_PROGRAM}(") for call in calls):
        return False
    tree = parse(code)
    return tree is None or RUN_PROGRAM not in bound_names(tree.body)


def call_on(text: str) -> str:
    """The call of a program on its standard input."""
    return f"{RUN_PROGRAM}({text!r})"


def in_words(call: str) -> str:
    """A call as a reader would write it; that of a program without the line end of its input."""
    if not call.startswith(f"{RUN_PROGRAM}("):
        return call
    try:
        text = value_of(call.removeprefix(RUN_PROGRAM))
    except ValueError:
        return call
    return f"the program on {text.rstrip()!r}" if isinstance(text, str) else call


def as_function(code: str) -> str:
    """A program as a module with one function, which takes its standard input as text and prints what it prints.

    What the program exits with is what the function returns.
    """
    return textwrap.dedent(f"""
        def {RUN_PROGRAM}(text):
            import io, os, sys, tempfile
            given = tempfile.TemporaryFile()
            given.write(text.encode())
            given.seek(0)
            os.dup2(given.fileno(), 0)
            sys.stdin = io.TextIOWrapper(open(0, "rb", closefd=False), encoding="utf-8")
            try:
                exec(compile({code!r}, {FILE!r}, "exec"), {{"__name__": "__main__"}})
            except SystemExit as end:
                return end.code
    """).lstrip()


def printed_alike(a: str, b: str) -> bool:
    """Whether two printed texts are the same but for blanks at the ends of lines, decimals within a tolerance."""
    return len(lines := _lines(a)) == len(others := _lines(b)) and all(map(_same_line, lines, others))


def _same_line(a: str, b: str) -> bool:
    parts, others = _BLANKS.split(a), _BLANKS.split(b)
    return a == b or (len(parts) == len(others) and all(map(_same_word, parts, others)))


def _same_word(a: str, b: str) -> bool:
    if a == b:
        return True
    if "." not in a + b or not (_DECIMAL.fullmatch(a) and _DECIMAL.fullmatch(b)):
        return False
    return math.isclose(float(a), float(b), rel_tol=TOLERANCE, abs_tol=TOLERANCE)


def _lines(printed: str) -> list[str]:
    return [line.rstrip() for line in printed.rstrip().split("\n")]


def _reads(node: ast.AST) -> bool:
    if isinstance(node, ast.Attribute):
        return node.attr == "stdin"
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
        return False
    first = node.args[0] if node.args else None
    return node.func.id == "input" or (
        node.func.id == "open" and isinstance(first, ast.Constant) and first.value in (0, "/dev/stdin")
    )


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
