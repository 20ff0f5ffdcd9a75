"""Links in a repository: whoever wrote the repository chose where they lead, so none is followed out of it."""

from __future__ import annotations

import os
from pathlib import Path

from momus.errors import MomusError
from momus.git import repository


def leads_out(path: Path) -> bool:
    """Whether a name goes, by a link that is itself in a repository, to a place outside of that repository."""
    for place in (path, *path.parents):
        if place.is_symlink():
            root = repository(place.parent)
            if root is not None and not within(place, root):
                return True
    return False


def within(path: Path, folder: Path) -> bool:
    """Whether what a name leads to lies in a folder, or is it, all links followed on both sides."""
    return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder))


def refuse_leading_out(path: Path, what: str) -> None:
    """Raise MomusError where a name that is to be read or written leads out of its repository."""
    if leads_out(Path(os.path.abspath(path))):  # noqa: PTH100 -- a link keeps its name
        raise MomusError(f"{what} {path} leads out of its repository by a link: name the file itself")
