"""Settings and baseline as a commit has them: a change under review does not choose how it is reviewed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol

from momus.errors import MomusError
from momus.git import git, repository
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
    """Files of one repository as a commit has them, and all others as they lie on the disk.

    `known_by` is what a person calls the commit.
    """

    root: Path
    commit: str
    known_by: str

    def holds(self, path: Path) -> bool:
        return self._id(path) is not None if self._ours(path) else Disk().holds(path)

    def read(self, path: Path) -> bytes:
        if not self._ours(path):
            return Disk().read(path)
        found = self._id(path)
        if found is None:
            raise FileNotFoundError(path)
        return git(self.root, "cat-file", "blob", found)

    def _ours(self, path: Path) -> bool:
        return path.is_relative_to(self.root)

    def _id(self, path: Path) -> str | None:
        return self._ids.get(path.relative_to(self.root).as_posix())

    @cached_property
    def _ids(self) -> Mapping[str, str]:
        """Regular files of the commit, by their paths."""
        listed = git(self.root, "ls-tree", "-r", "-z", self.commit).decode("utf-8", "surrogateescape")
        ids: dict[str, str] = {}
        for entry in filter(None, listed.split("\0")):
            about, _, name = entry.partition("\t")
            mode, kind, one = about.split()
            if kind == "blob" and mode != "120000":
                ids[name] = one
        return ids


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
