"""A project's own tests as a source of inputs: those that import a reviewed file, run in the sandbox once for it."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from momus.inputs.recorded import calls_in_tests
from momus.inputs.target import parse
from momus.records import Task
from momus.review.files import find

MOST_FILES = 2_000
MOST_BYTES = 8_000_000  # of all files together
MOST_TESTS = 20  # files of tests that are run for one file


class ProjectTests:
    """The calls that the tests below a folder make. What is read is what lies on the disk, not what git ignores."""

    def __init__(self, root: Path, *, timeout_s: float = 60, sandbox: str = "auto") -> None:
        self._root, self._timeout_s, self._sandbox = root, timeout_s, sandbox
        self._files: dict[str, str] | None = None
        self._calls: dict[str, list[str]] = {}

    def __call__(self, task: Task) -> Sequence[str]:
        """The calls of what the file of a reviewed unit defines, as its tests make them; none where no test imports it.

        Raises MomusError where there is no sandbox.
        """
        path = task.source.rpartition(":")[0]
        if not path or task.surroundings is None:
            return ()
        if path not in self._calls:
            self._calls[path] = self._recorded(path, task.surroundings.code)
        return self._calls[path]

    def _recorded(self, path: str, code: str) -> list[str]:
        if self._files is None:
            self._files = dict(_python_below(self._root))
        modules = modules_of(path, self._files)
        tests = [name for name, text in self._files.items() if is_test(name) and imports(text, name, modules)]
        if not tests:
            return []
        folders = dict.fromkeys([_package_root(path, self._files), "src", "."])
        files = {**self._files, path: code}
        return calls_in_tests(
            files, path, tests[:MOST_TESTS], list(folders), timeout_s=self._timeout_s, sandbox=self._sandbox
        )


def is_test(name: str) -> bool:
    """Whether a file is one of tests by its name."""
    stem = PurePosixPath(name).stem
    return name.endswith(".py") and (stem.startswith("test_") or stem.endswith("_test") or stem == "tests")


def modules_of(path: str, files: dict[str, str]) -> frozenset[str]:
    """The dotted names by which a file may be imported: from the folder above its package, from src, from the root."""
    parts = PurePosixPath(path).with_suffix("").parts
    parts = parts[:-1] if parts[-1] == "__init__" else parts
    above = PurePosixPath(_package_root(path, files)).parts
    names = {".".join(parts[len(above) :]), ".".join(parts), ".".join(parts[1:] if parts[:1] == ("src",) else parts)}
    return frozenset(name for name in names if name)


def imports(text: str, name: str, modules: frozenset[str]) -> bool:
    """Whether a file imports one of some modules, or a name out of one."""
    tree = parse(text)
    if tree is None:
        return False
    beside = PurePosixPath(name).parent.parts
    for node in ast.walk(tree):
        if isinstance(node, ast.Import) and any(alias.name in modules for alias in node.names):
            return True
        if isinstance(node, ast.ImportFrom):
            package = beside[: len(beside) - node.level + 1] if node.level else ()
            whole = ".".join([*package, *([node.module] if node.module else [])])
            if {whole, *(f"{whole}.{alias.name}" for alias in node.names)} & modules:
                return True
    return False


def _package_root(path: str, files: dict[str, str]) -> str:
    """The folder that holds the outermost package of a file."""
    folder = PurePosixPath(path).parent
    while folder.parts and (folder / "__init__.py").as_posix() in files:
        folder = folder.parent
    return folder.as_posix()


def _python_below(root: Path) -> Iterator[tuple[str, str]]:
    """The Python files below a folder by their path from it, as many as may be laid out in the sandbox."""
    left, count = MOST_BYTES, 0
    for named in find([root]):
        name = os.path.relpath(named.path, root).replace(os.sep, "/")
        if named.error is not None or named.passed is not None or not name.endswith(".py") or count >= MOST_FILES:
            continue
        try:
            text = named.path.read_text(encoding="utf-8")
        except (OSError, ValueError):
            continue
        left, count = left - len(text), count + 1
        if left < 0:
            return
        yield name, text
