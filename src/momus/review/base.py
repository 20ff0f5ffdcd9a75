"""Settings and baseline as a commit has them: a change under review does not choose how it is reviewed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol

from momus.errors import MomusError
from momus.git import GitError, git, repository
from momus.review.links import leads_out

# Where a service says from which commit or branch a change comes that it has checked out.
_SERVICES = (("CI_MERGE_REQUEST_DIFF_BASE_SHA", ""), ("GITHUB_BASE_REF", "origin/"))


class Files(Protocol):
    """Where files of settings are read from."""

    def holds(self, path: Path) -> bool:
        """Whether there is such a file; `path` is absolute."""
        ...

    def read(self, path: Path) -> bytes:
        """Its contents. Raises OSError, FileNotFoundError where there is none, MomusError for a link out."""
        ...


@dataclass(frozen=True, slots=True)
class Disk:
    """Files as they lie there."""

    def holds(self, path: Path) -> bool:
        return path.is_file()

    def read(self, path: Path) -> bytes:
        if leads_out(path):
            raise MomusError(f"{path} leads out of its repository by a link: settings are not read from there")
        return path.read_bytes()


@dataclass(frozen=True)
class Base:
    """Files of one repository as a commit has them, submodules as that commit names them.

    `known_by` is what a person calls the commit.
    """

    root: Path
    commit: str
    known_by: str

    def holds(self, path: Path) -> bool:
        """Whether the commit has such a file; `path` is below the root."""
        within = self._within(path)
        return within.holds(path) if within is not None else self._name(path) in self._files

    def read(self, path: Path) -> bytes:
        """Its contents there. Raises FileNotFoundError, MomusError where the clone does not hold them."""
        if (within := self._within(path)) is not None:
            return within.read(path)
        found = self._files.get(self._name(path))
        if found is None:
            raise FileNotFoundError(path)
        return git(self.root, "cat-file", "blob", found)

    def _name(self, path: Path) -> str:
        return path.relative_to(self.root).as_posix()

    def _within(self, path: Path) -> Base | None:
        """The base of the submodule that a path is in."""
        name = self._name(path)
        inner = next((inner for inner in self._submodules if name.startswith(f"{inner}/")), None)
        return None if inner is None else self._submodules[inner]

    @cached_property
    def _entries(self) -> Mapping[str, tuple[str, str]]:
        """Mode and id of each entry of the commit, by its path; none where the clone does not hold the commit."""
        try:
            listed = git(self.root, "ls-tree", "-r", "-z", self.commit).decode("utf-8", "surrogateescape")
        except GitError:
            return {}
        parts = (entry.partition("\t") for entry in listed.split("\0") if entry)
        return {name: (about.split()[0], about.split()[2]) for about, _, name in parts}

    @cached_property
    def _files(self) -> Mapping[str, str]:
        """Ids of the regular files."""
        return {name: one for name, (mode, one) in self._entries.items() if mode.startswith("100")}

    @cached_property
    def _submodules(self) -> Mapping[str, Base]:
        found = {name: one for name, (mode, one) in self._entries.items() if mode == "160000"}
        return {name: Base(self.root / name, one, self.known_by) for name, one in found.items()}


@dataclass(frozen=True, slots=True)
class Bases:
    """Files of some repositories as the commits have them that a change began from, all others as they lie there."""

    each: tuple[Base, ...]

    @property
    def known_by(self) -> str:
        """What a person calls the commits."""
        return self.each[0].known_by

    def holds(self, path: Path) -> bool:
        base = self._of(path)
        return base.holds(path) if base is not None else Disk().holds(path)

    def read(self, path: Path) -> bytes:
        base = self._of(path)
        return base.read(path) if base is not None else Disk().read(path)

    def _of(self, path: Path) -> Base | None:
        within = [base for base in self.each if path.is_relative_to(base.root)]
        return max(within, key=lambda base: len(base.root.parts), default=None)


def base_of_service(folder: Path, environment: Mapping[str, str] = os.environ) -> Base | None:
    """The base of the change that a continuous-integration service has checked out, where its commit is at hand."""
    root = repository(folder)
    for variable, prefix in _SERVICES if root is not None else ():
        name = environment.get(variable)
        if not name or root is None:
            continue
        try:
            tip = git(root, "rev-parse", "--verify", "--quiet", f"{prefix}{name}^{{commit}}").decode().strip()
            return Base(root, git(root, "merge-base", tip, "HEAD").decode().strip(), f"{prefix}{name}")
        except MomusError:
            continue
    return None
