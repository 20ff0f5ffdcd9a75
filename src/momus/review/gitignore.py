"""What git leaves out of a folder. Git itself is asked where it can be; else each .gitignore is read on the way."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pathspec

from momus.errors import MomusError
from momus.git import git, repository


class Ignored(Protocol):
    """Says of the entries of a folder, on a walk from above, which are left out."""

    def covers(self, path: str, folder: bool) -> bool:
        """Whether an entry, by its whole path, is left out."""
        ...

    def inside(self, folder: str, names: frozenset[str]) -> Ignored:
        """What holds inside of a folder that has entries of these names."""
        ...


def ignored_in(folder: Path) -> Ignored:
    """What is left out of a folder that a walk begins with. One that git leaves out itself was asked for by name: all
    of it is taken."""
    root = repository(folder)
    if root is None:
        return _Read(())
    try:
        return _Asked(str(folder), _names(folder, root))
    except MomusError:  # no git, or a folder that it does not trust
        return _Read(tuple(_above(folder, root)))


@dataclass(frozen=True, slots=True)
class _Asked:
    """As git says. What is tracked is never left out."""

    top: str
    names: frozenset[str]  # whole paths; a folder that is left out altogether ends with a slash

    def covers(self, path: str, folder: bool) -> bool:
        return (f"{path}/" if folder else path) in self.names

    def inside(self, folder: str, names: frozenset[str]) -> Ignored:
        nested = ".git" in names and folder != self.top  # a repository in a repository has rules of its own
        return ignored_in(Path(folder)) if nested else self


@dataclass(frozen=True, slots=True)
class _Rules:
    """One .gitignore, and the folder it holds for."""

    folder: str
    spec: pathspec.GitIgnoreSpec


@dataclass(frozen=True, slots=True)
class _Read:
    """As the files say, outermost first: the innermost rules that speak of a path hold."""

    rules: tuple[_Rules, ...]

    def covers(self, path: str, folder: bool) -> bool:
        path = f"{path}/" if folder else path
        for rule in reversed(self.rules):
            relative = path[len(rule.folder) :].lstrip(os.sep).replace(os.sep, "/")
            verdict = rule.spec.check_file(relative).include
            if verdict is not None:
                return verdict
        return False

    def inside(self, folder: str, names: frozenset[str]) -> Ignored:
        if ".git" in names:
            return ignored_in(Path(folder)).inside(folder, names - {".git"})
        if ".gitignore" not in names:
            return self
        return _Read((*self.rules, *_rules(folder, f"{folder}{os.sep}.gitignore")))


def _names(folder: Path, root: Path) -> frozenset[str]:
    """Asked at the root: a folder within it may look like a repository to git that is started there."""
    options = ("--others", "--ignored", "--exclude-standard", "--directory", "-z")
    below = folder.relative_to(root).as_posix()
    listed = git(root, "ls-files", *options, "--", below).decode("utf-8", "surrogateescape").split("\0")
    if any(f"{below}/".startswith(name) for name in listed if name.endswith("/")):
        return frozenset()
    return frozenset(f"{root}{os.sep}{name.replace('/', os.sep)}" for name in listed if name)


def _above(folder: Path, root: Path) -> Iterator[_Rules]:
    """The rules of the repository that hold for a folder, outermost first."""
    above = [folder, *folder.parents]
    yield from _rules(str(root), str(root / ".git" / "info" / "exclude"))
    for place in reversed(above[1 : above.index(root) + 1]):
        yield from _rules(str(place), str(place / ".gitignore"))


def _rules(folder: str, path: str) -> Iterator[_Rules]:
    try:
        lines = Path(path).read_text(encoding="utf-8-sig", errors="surrogateescape").splitlines()
    except OSError:
        return
    spec = pathspec.GitIgnoreSpec.from_lines(line for line in lines if line.strip() and not line.startswith("#"))
    if len(spec):
        yield _Rules(folder, spec)
