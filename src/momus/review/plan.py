"""From what was asked to the list of files to review: paths, standard input or a diff, each with its settings."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import overload

from momus.errors import MomusError
from momus.git import repository
from momus.review.base import Base, Bases, Disk, base_of_service
from momus.review.baseline import Baselines
from momus.review.changes import Changed, against, merge_base, of_patch, repository_of, staged, under
from momus.review.config import Config, Settings
from momus.review.files import LEADS_OUT, REPOSITORY, Named, excluded, find, missing
from momus.review.finding import LeftOut, Why
from momus.review.links import leads_out


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
class Plan(Sequence[Job]):
    """The files to review, in a stable order, and what was asked for or found that is not to be reviewed.

    `base` has the commits that settings and baseline are taken from, where they are known.
    """

    jobs: tuple[Job, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    config: Config | None = None
    base: Bases | None = None

    @overload
    def __getitem__(self, at: int) -> Job: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Job]: ...
    def __getitem__(self, at: int | slice) -> Job | Sequence[Job]:
        return self.jobs[at]

    def __len__(self) -> int:
        return len(self.jobs)


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


def plan(asked: Asked, config: Config, root: Path) -> Plan:
    """What to review. Raises MomusError for a broken patch, a bad commit or a bad setting."""
    paths = [Path(os.path.abspath(root / path)) for path in asked.paths]  # noqa: PTH100 -- a link keeps its name
    bases = _bases(asked, paths or [root], root)
    base = Bases(tuple(bases.values())) if bases else None
    used = config.at(base) if base is not None else config
    found = list(_found(asked, paths, bases, used, root))
    jobs: list[Job] = []
    left_out: list[LeftOut] = []
    for job, named in found:
        if job.changed is not None and job.changed.gone:
            continue
        if named.passed is not None:
            why: Why = "repository" if named.passed == REPOSITORY else "link"
            left_out.append(LeftOut(job.shown, why, named.passed))
        elif named.error is None and _excluded(named.path, job.settings, root):
            left_out.append(LeftOut(job.shown, "excluded", f"the setting exclude of {job.settings.origin['exclude']}"))
        else:
            jobs.append(job)
    if base is not None:
        left_out += _altered_baselines(base, jobs, root)
        left_out += _altered(used, config.at(Disk()), base, [job.path for job, _ in found], root)
    return Plan(tuple(jobs), tuple(left_out), used, base)


def shown(path: Path, root: Path) -> str:
    """How a path is written in a report: relative to the root where that can be."""
    try:
        return os.path.relpath(path, root).replace(os.sep, "/")
    except ValueError:  # another drive
        return path.as_posix()


def _bases(asked: Asked, paths: Sequence[Path], root: Path) -> dict[Path, Base]:
    """The commits that a change began from, by repository; none where none is known."""
    if asked.diff is not None:
        places = dict.fromkeys(repository_of(path) for path in paths if not leads_out(path))
        return {place: Base(place, merge_base(place, asked.diff), asked.diff) for place in places}
    if asked.staged or asked.stdin is not None:
        return {}
    base = base_of_service(root)
    return {} if base is None else {base.root: base}


def _found(
    asked: Asked, paths: Sequence[Path], bases: dict[Path, Base], config: Config, root: Path
) -> Iterator[tuple[Job, Named]]:
    if asked.stdin is not None:
        path = Path(os.path.abspath(root / asked.stdin_filename))  # noqa: PTH100 -- there may be no such file
        yield Job(path, shown(path, root), config.near(path), data=asked.stdin), Named(path, asked=True)
        return
    if not asked.partly:
        for named in find(paths or [root], gitignore=config.near(root).gitignore):
            yield Job(named.path, shown(named.path, root), config.near(named.path), error=named.error), named
        return
    for one in _changes(asked, paths, bases, root):
        named = Named(one.path, one.error, passed=one.passed)
        yield Job(one.path, shown(one.path, root), config.near(one.path), one.data, one, one.error), named


def _changes(asked: Asked, paths: Sequence[Path], bases: dict[Path, Base], root: Path) -> Iterator[Changed]:
    """The changes of every repository asked about, under the paths asked for, and what of these is not there."""
    named = frozenset(paths)
    every: list[Changed]
    if asked.patch is not None:
        every = of_patch(asked.patch, root, named)
    elif asked.staged:
        places = dict.fromkeys(repository_of(path) for path in paths or [root] if not leads_out(path))
        every = [one for place in places for one in staged(place, named)]
    else:
        every = [one for place, base in bases.items() for one in against(place, base.commit, named)]
    inside = [] if asked.patch is not None else [root]
    chosen = sorted(under(every, paths or inside), key=lambda one: str(one.path))
    yield from {one.path: one for one in chosen}.values()
    for path in paths:
        if leads_out(path):
            yield Changed(path, error=LEADS_OUT)
        elif not any(True for _ in under(every, [path])) and (error := missing(path)) is not None:
            yield Changed(path, error=error)


def _excluded(path: Path, settings: Settings, root: Path) -> bool:
    if not settings.exclude:
        return False
    folder = settings.folder("exclude")
    if folder is None and settings.origin.get("exclude") == settings.user_file:
        folder = repository(path)
    if folder is None and path.is_relative_to(root):
        folder = root
    if folder is None:
        try:
            folder = Path(os.path.commonpath((path.parent, root)))
        except ValueError:  # another drive
            folder = path.parent
    return excluded(path, folder, settings.exclude)


def _altered_baselines(base: Bases, jobs: Sequence[Job], root: Path) -> Iterator[LeftOut]:
    """Baselines that the change under review has otherwise than the commit that it began from."""
    paths = dict.fromkeys(Baselines(root).path(job.settings) for job in jobs)
    for path in paths:
        sides: list[bytes | None] = []
        for files in (base, Disk()) if path is not None else ():
            try:
                sides.append(files.read(path) if path is not None else None)
            except (OSError, MomusError):
                sides.append(None)
        if path is not None and sides[0] != sides[1]:
            text = f"the change alters this baseline; what {base.known_by} has holds for its review"
            yield LeftOut(shown(path, root), "settings", text)


def _altered(used: Config, own: Config, base: Bases, paths: Sequence[Path], root: Path) -> Iterator[LeftOut]:
    """Settings that the change under review has otherwise than the commit that it began from, by file."""
    seen: set[tuple[Path | None, Path | None]] = set()
    said: dict[str, set[str]] = {}
    for path in [root, *paths]:
        if (files := (used.file_for(path), own.file_for(path))) in seen:
            continue
        seen.add(files)
        before = used.near(path)
        try:
            after = own.near(path)
        except MomusError:
            said.setdefault(str(files[1]), set()).add("all of it")
            continue
        now = after.as_dict()
        for key, value in before.as_dict().items():
            if value != now[key]:
                there = after.origin.get(key, "") if after.origin.get(key, "").endswith(".toml") else before.origin[key]
                said.setdefault(there, set()).add(key)
    for file, keys in sorted(said.items()):
        text = f"{', '.join(sorted(keys))}: the change alters this; what {base.known_by} has holds for its review"
        yield LeftOut(shown(Path(file), root), "settings", text)
