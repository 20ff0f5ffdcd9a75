"""Python files and folders as tasks to tamper: every function of a fitting size is an answer."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from momus.corpus.functions import Function, functions_of, is_wanted_file, read_source
from momus.errors import MomusError
from momus.records import Task
from momus.tamper.compiled import parse

_NO_PACKAGE = frozenset({"node_modules", "venv", "env", "build", "dist"})


def functions_in(path: Path) -> list[Function]:
    """The functions of a Python file, or of a folder's files but for its tests and what others wrote.

    Raises MomusError where the path is not there, or is one file that cannot be read as Python.
    """
    if path.is_dir():
        files = [(p.relative_to(path).as_posix(), p) for p in sorted(_python_files(path))]
        wanted = ((name, _bytes(p)) for name, p in files if is_wanted_file(name))
        return list(functions_of(wanted, package=path.resolve().name, version="", licence="", split="train"))
    raw = _bytes(path)
    source = read_source(raw)
    try:
        if source is None:
            raise SyntaxError("not text in the encoding it declares")
        parse(source)
    except SyntaxError as error:
        raise MomusError(f"{path} can't be read as Python ({error.msg}): mend it, or leave it out") from None
    # Named by itself, a file is wanted whatever it is called; its folder's name stands for the package.
    named = [("module.py", raw)]
    functions = functions_of(named, package=path.resolve().parent.name, version="", licence="", split="train")
    return [
        f.model_copy(update={"path": path.name, "id": f.id.replace("/module.py:", f"/{path.name}:", 1)})
        for f in functions
    ]


def with_own_ids(tasks: Iterable[Task]) -> Iterator[Task]:
    """The tasks, a repeated id numbered: `a`, `a#2`."""
    seen: dict[str, int] = {}
    for task in tasks:
        count = seen[task.id] = seen.get(task.id, 0) + 1
        yield task if count == 1 else task.model_copy(update={"id": f"{task.id}#{count}"})


def digest(path: Path) -> str:
    """The SHA-256 of a file, or of a folder's Python files with their names."""
    whole = hashlib.sha256()
    for file in sorted(_python_files(path)) if path.is_dir() else [path]:
        whole.update(f"{file.relative_to(path) if file != path else file.name}\0".encode("utf-8", "surrogateescape"))
        whole.update(hashlib.sha256(_bytes(file)).digest())
    return whole.hexdigest()


def _python_files(folder: Path) -> Iterator[Path]:
    """Every Python file below a folder; links are not followed, hidden and built folders are left out."""
    for entry in folder.iterdir():
        if entry.name.startswith(".") or entry.name in _NO_PACKAGE:
            continue
        if entry.is_symlink():  # what it leads to within the folder has a name of its own there
            continue
        if entry.is_dir():
            yield from _python_files(entry)
        elif entry.suffix == ".py" and entry.is_file():
            yield entry


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise MomusError(f"can't read {path}: {error.strerror or error}") from None
