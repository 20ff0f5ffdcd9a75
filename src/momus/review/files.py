"""Which files a path stands for, in a stable order and without what .gitignore names; and what one holds."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pathspec

from momus.git import repository
from momus.review.gitignore import Ignored, ignored_in
from momus.review.links import leads_out, within
from momus.review.notebook import read_notebook
from momus.review.source import Source, read_python

NOTEBOOK = ".ipynb"
LEADS_OUT = "a link that leads out of the repository: name the file or folder itself"
REPOSITORY = "a repository of its own: name it to review its changes"
PASSED_LINK = "a link that leads out of the reviewed code: it is not followed"
SUFFIXES = (".py", ".pyw", NOTEBOOK)
_SKIPPED = frozenset(("node_modules", "__pycache__", "site-packages", "venv", "env.bak", "__pypackages__"))


@dataclass(frozen=True, slots=True)
class Named:
    """A path to review, or why it cannot be, or why it is passed by. `asked`: a person named this very file."""

    path: Path  # absolute; symbolic links are left as they are
    error: str | None = None
    asked: bool = False
    passed: str | None = None


def is_python(name: str) -> bool:
    return name.endswith(SUFFIXES)


def read(path: str, data: bytes) -> Source:
    """What a file holds, Python or notebook. Raises Unreadable for what is neither."""
    return (read_notebook if path.endswith(NOTEBOOK) else read_python)(path, data)


def find(paths: Sequence[Path], *, gitignore: bool = True) -> list[Named]:
    """The files that paths stand for, each once, in the order given and sorted within a folder.

    A file named by a person is taken whatever its suffix and whatever .gitignore says, and so is a folder. Links to
    folders are followed only where they are named; no link is followed out of its repository, or out of the folder
    that is walked where there is none.
    """
    found: dict[str, Named] = {}
    for path in paths:
        absolute = Path(os.path.abspath(path))  # noqa: PTH100 -- a link keeps its name
        for one in _named(absolute, gitignore):
            found.setdefault(str(one.path) if one.passed else os.path.realpath(one.path), one)
    return list(found.values())


def missing(path: Path) -> str | None:
    """Why a path that a person named cannot be reviewed, in a sentence; None where it is there."""
    try:
        path.stat()
    except FileNotFoundError:
        return "no such file or folder: check the path"
    except OSError as error:
        return f"cannot be read: {error.strerror or error}"
    return LEADS_OUT if leads_out(path) else None


def _named(path: Path, gitignore: bool) -> Iterator[Named]:
    if (error := missing(path)) is not None:
        yield Named(path, error, asked=True)
    elif path.is_dir():
        bound = repository(path) or path
        yield from _walk_in(str(path), ignored_in(path) if gitignore else None, bound)
    else:
        yield Named(path, asked=True)


def excluded(path: Path, folder: Path, patterns: Sequence[str]) -> bool:
    """Whether a path is among patterns, written as in a .gitignore of `folder`."""
    relative = os.path.relpath(path, folder)
    if not patterns or relative.startswith(".."):
        return False
    spec = pathspec.GitIgnoreSpec.from_lines(patterns)
    parts = relative.replace(os.sep, "/").split("/")
    parents = ("/".join(parts[:n]) + "/" for n in range(1, len(parts)))
    return spec.match_file("/".join(parts)) or any(spec.match_file(parent) for parent in parents)


def _walk_in(folder: str, ignored: Ignored | None, bound: Path) -> Iterator[Named]:
    try:
        with os.scandir(folder) as listing:
            entries = sorted(listing, key=lambda entry: entry.name)
    except OSError as error:
        yield Named(Path(folder), f"cannot be listed: {error.strerror or error}")
        return
    if ignored is not None:
        ignored = ignored.inside(folder, frozenset(entry.name for entry in entries))
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_dir(follow_symlinks=False):
            skipped = entry.name in _SKIPPED or Path(entry.path, "pyvenv.cfg").exists()
            if not skipped and (ignored is None or not ignored.covers(entry.path, True)):
                yield from _walk_in(entry.path, ignored, bound)
        elif is_python(entry.name) and (ignored is None or not ignored.covers(entry.path, False)):
            yield from _file(entry, bound)


def _file(entry: os.DirEntry[str], bound: Path) -> Iterator[Named]:
    """A regular file: not a pipe, not a link into nowhere or in a circle."""
    try:
        if not entry.is_file():
            return
    except OSError:
        return
    path = Path(entry.path)
    yield Named(path, passed=PASSED_LINK) if entry.is_symlink() and not within(path, bound) else Named(path)
