"""Clean files to review: functions of the standard library that use nothing but what they import and the builtins."""

from __future__ import annotations

import ast
import builtins
import symtable
import sysconfig
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from momus.corpus.functions import extract, is_wanted_file, read_source
from momus.errors import MomusError

_KNOWN = frozenset(dir(builtins)) | {"__name__", "__file__", "__doc__"}
# what stands in no file of ours: platforms' own corners, and what only tests or tools use
_SKIPPED = ("test", "idlelib", "lib2to3", "tkinter", "turtledemo", "site-packages", "encodings", "msilib")
_LEAST_LINES = 10
_MOST_OF_A_MODULE = 4


def write(folder: Path, count: int) -> list[Path]:
    """Write so many files, a function each with the imports it needs. Raises MomusError without a standard library."""
    written: list[Path] = []
    for source, code in _functions():
        text = _stands_alone(source, code)
        if text is not None:
            written.append(folder / f"clean_{len(written):03}.py")
            written[-1].write_text(text, encoding="utf-8")
            if len(written) == count:
                return written
    raise MomusError("the bench of reviews cuts its files from the standard library; use a Python that ships it")


def _functions() -> Iterator[tuple[str, str]]:
    """(module source, function code), a few functions a module, so that none dominates."""
    root = Path(sysconfig.get_paths()["stdlib"])
    for path in sorted(root.rglob("*.py")):
        name = path.relative_to(root)
        if name.parts[0].startswith("_") or name.parts[0] in _SKIPPED or not is_wanted_file(name.as_posix()):
            continue
        source = read_source(path.read_bytes())
        if source is None:
            continue
        codes = [code for qualified, code, _ in extract(source) if "." not in qualified]
        codes = [code for code in codes if code.count("\n") >= _LEAST_LINES]
        for code in codes[:_MOST_OF_A_MODULE]:
            yield source, code


def _stands_alone(source: str, code: str) -> str | None:
    """The function under its imports; None where it uses other names of its module."""
    free = _free_names(code)
    imports = []
    for node in ast.parse(source).body:
        if isinstance(node, ast.Import | ast.ImportFrom) and not getattr(node, "level", 0):
            bound = {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
            if bound & free and all(find_spec(module.partition(".")[0]) for module in _modules(node)):
                node.names = [a for a in node.names if (a.asname or a.name).partition(".")[0] in free]
                imports.append(ast.unparse(node))
                free -= bound
    if free:
        return None
    head = '"""One function of the standard library."""\n\n'
    return head + ("\n".join(imports) + "\n\n\n" if imports else "\n") + code.rstrip("\n") + "\n"


def _modules(node: ast.Import | ast.ImportFrom) -> list[str]:
    return [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]


def _free_names(code: str) -> set[str]:
    table = symtable.symtable(code, "<function>", "exec")
    own = {symbol.get_name() for symbol in table.get_symbols() if symbol.is_assigned() or symbol.is_namespace()}
    free: set[str] = set()
    pending = [table]
    while pending:
        scope = pending.pop()
        pending += scope.get_children()
        for symbol in scope.get_symbols():
            outside = symbol.is_global() or (scope is table and symbol.is_referenced())
            if outside and symbol.get_name() not in own and symbol.get_name() not in _KNOWN:
                free.add(symbol.get_name())
    return free
