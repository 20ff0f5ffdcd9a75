"""From what was asked to the list of files to review: paths, standard input or a diff, each with its settings."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from momus.review.changes import Changed, against, of_patch, staged
from momus.review.config import Config, Settings
from momus.review.files import Named, excluded, find


@dataclass(frozen=True, slots=True)
class Job:
    """One file to review. `data` is its contents where they are not to be read from `path`."""

    path: Path  # absolute
    shown: str  # relative to the report's root, with forward slashes
    settings: Settings
    data: bytes | None = None
    changed: Changed | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be reviewed. At most one of `diff`, `staged`, `patch` and `stdin` is given."""

    paths: tuple[Path, ...] = ()
    diff: str | None = None
    staged: bool = False
    patch: str | None = None  # the patch itself
    stdin: bytes | None = None
    stdin_filename: str = "stdin.py"

    @property
    def partly(self) -> bool:
        """Whether only parts of files are asked for."""
        return self.diff is not None or self.staged or self.patch is not None


def plan(asked: Asked, config: Config, root: Path) -> list[Job]:
    """The files to review, in a stable order. Raises MomusError for a broken patch, a bad commit or a bad setting."""
    if asked.stdin is not None:
        path = Path(os.path.abspath(root / asked.stdin_filename))  # noqa: PTH100 -- there may be no such file
        return [Job(path, shown(path, root), config.near(path), data=asked.stdin)]
    if asked.partly:
        return [_changed_job(one, config, root) for one in _changes(asked, root) if not _excluded(one.path, config)]
    gitignore = config.near(root).gitignore
    named = find([root / path for path in asked.paths or (Path(),)], gitignore=gitignore)
    return [_job(one, config, root) for one in named if one.asked or not _excluded(one.path, config)]


def shown(path: Path, root: Path) -> str:
    """How a path is written in a report: relative to the root where that can be."""
    try:
        return os.path.relpath(path, root).replace(os.sep, "/")
    except ValueError:  # another drive
        return path.as_posix()


def _changes(asked: Asked, root: Path) -> list[Changed]:
    paths = [root / path for path in asked.paths]
    if asked.patch is not None:
        return of_patch(asked.patch, paths, root)
    where = paths or [root]
    return staged(where) if asked.staged else against(asked.diff or "", where)


def _changed_job(one: Changed, config: Config, root: Path) -> Job:
    return Job(one.path, shown(one.path, root), config.near(one.path), one.data, one, one.error)


def _job(one: Named, config: Config, root: Path) -> Job:
    return Job(one.path, shown(one.path, root), config.near(one.path), error=one.error)


def _excluded(path: Path, config: Config) -> bool:
    settings = config.near(path)
    return excluded(path, settings.folder("exclude") or Path.cwd(), settings.exclude)
