"""Which files a path stands for, in a stable order and without what .gitignore names; and what one holds."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pathspec

from momus.review.notebook import read_notebook
from momus.review.source import Source, read_python

NOTEBOOK = ".ipynb"
SUFFIXES = (".py", ".pyw", NOTEBOOK)
_SKIPPED = frozenset(("node_modules", "__pycache__", "site-packages", "venv", "env.bak", "__pypackages__"))


@dataclass(frozen=True, slots=True)
class Named:
    """A path to review, or why it cannot be. `asked` is true where a person named this very file."""

    path: Path  # absolute; symbolic links are left as they are
    error: str | None = None
    asked: bool = False


@dataclass(frozen=True, slots=True)
class _Rules:
    """One .gitignore, and the folder it holds for."""

    folder: str
    spec: pathspec.GitIgnoreSpec


def is_python(name: str) -> bool:
    return name.endswith(SUFFIXES)


def read(path: str, data: bytes) -> Source:
    """What a file holds, Python or notebook. Raises Unreadable for what is neither."""
    return (read_notebook if path.endswith(NOTEBOOK) else read_python)(path, data)


def find(paths: Sequence[Path], *, gitignore: bool = True) -> list[Named]:
    """The files that paths stand for, each once, in the order given and sorted within a folder.

    A file named by a person is taken whatever its suffix and whatever .gitignore says. Links to folders are followed
    only where they are named.
    """
    found: dict[str, Named] = {}
    for path in paths:
        absolute = Path(os.path.abspath(path))  # noqa: PTH100 -- a link keeps its name
        try:
            mode = absolute.stat().st_mode
        except FileNotFoundError:
            named: Iterator[Named] = iter([Named(absolute, "no such file or folder: check the path", asked=True)])
        except OSError as error:
            named = iter([Named(absolute, f"cannot be read: {error.strerror or error}", asked=True)])
        else:
            named = _walk(absolute, gitignore) if stat.S_ISDIR(mode) else iter([Named(absolute, asked=True)])
        for one in named:
            found.setdefault(os.path.realpath(one.path), one)
    return list(found.values())


def excluded(path: Path, folder: Path, patterns: Sequence[str]) -> bool:
    """Whether a path is among patterns, written as in a .gitignore of `folder`."""
    relative = os.path.relpath(path, folder)
    if not patterns or relative.startswith(".."):
        return False
    spec = pathspec.GitIgnoreSpec.from_lines(patterns)
    parts = relative.replace(os.sep, "/").split("/")
    parents = ("/".join(parts[:n]) + "/" for n in range(1, len(parts)))
    return spec.match_file("/".join(parts)) or any(spec.match_file(parent) for parent in parents)


def _walk(folder: Path, gitignore: bool) -> Iterator[Named]:
    yield from _walk_in(str(folder), _rules_above(folder) if gitignore else [], gitignore)


def _walk_in(folder: str, rules: list[_Rules], gitignore: bool) -> Iterator[Named]:
    try:
        with os.scandir(folder) as listing:
            entries = sorted(listing, key=lambda entry: entry.name)
    except OSError as error:
        yield Named(Path(folder), f"cannot be listed: {error.strerror or error}")
        return
    if gitignore and any(entry.name == ".gitignore" for entry in entries):
        rules = [*rules, *_read_rules(folder, f"{folder}{os.sep}.gitignore")]
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_dir(follow_symlinks=False):
            skipped = entry.name in _SKIPPED or Path(entry.path, "pyvenv.cfg").exists()
            if not skipped and not _ignored(entry.path + "/", rules):
                yield from _walk_in(entry.path, rules, gitignore)
        elif is_python(entry.name) and _is_file(entry) and not _ignored(entry.path, rules):
            yield Named(Path(entry.path))


def _is_file(entry: os.DirEntry[str]) -> bool:
    """Whether there is a regular file: not a pipe, not a link into nowhere or in a circle."""
    try:
        return entry.is_file()
    except OSError:
        return False


def _rules_above(folder: Path) -> list[_Rules]:
    """The rules of the repository that hold for a folder, outermost first; none outside a repository."""
    above = [folder, *folder.parents]
    root = next((place for place in above if (place / ".git").exists()), None)
    if root is None:
        return []
    rules = _read_rules(str(root), str(root / ".git" / "info" / "exclude"))
    for place in reversed(above[1 : above.index(root) + 1]):
        rules += _read_rules(str(place), str(place / ".gitignore"))
    return rules


def _read_rules(folder: str, path: str) -> list[_Rules]:
    try:
        lines = Path(path).read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return []
    spec = pathspec.GitIgnoreSpec.from_lines(line for line in lines if line.strip() and not line.startswith("#"))
    return [_Rules(folder, spec)] if len(spec) else []


def _ignored(path: str, rules: list[_Rules]) -> bool:
    """What the innermost rules that speak of a path say."""
    for rule in reversed(rules):
        relative = path[len(rule.folder) :].lstrip(os.sep).replace(os.sep, "/")
        verdict = rule.spec.check_file(relative).include
        if verdict is not None:
            return verdict
    return False
