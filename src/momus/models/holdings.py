"""What lies in the cache of models: listed with its sizes, hashed anew, removed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from momus.errors import MomusError
from momus.models.catalogue import CatalogueModel, catalogue, known, weights_of
from momus.models.stored import (
    graphs_folder,
    graphs_of,
    hash_file,
    leavings,
    note_beside,
    notes,
    place_of,
    remember,
    remove_all,
    size_of,
)


@dataclass(frozen=True, slots=True)
class Holding:
    """A model and what of it is in the cache. `state`: "here", "not here", "begun", "damaged", "graphs"."""

    model: CatalogueModel
    state: str
    weights: int  # bytes, of a begun fetch too
    graphs: int


def holdings() -> list[Holding]:
    """The models of the catalogue, then what else lies in the cache, graphs of weights that lie elsewhere at the end.

    Such graphs go by the first 16 digits of the digest of their weights.
    """
    models = [*catalogue().values(), *(known(note.name) for _, note in notes() if note.name not in catalogue())]
    found = [_holding(model) for model in models]
    digests = {model.sha256[:16] for model in models}
    others = sorted({path.name[:16] for path in graphs_folder().glob("*")} - digests)
    return found + [
        Holding(CatalogueModel(name=digest, sha256=digest), "graphs", 0, sum(map(size_of, graphs_of(digest))))
        for digest in others
    ]


def verify(name: str, advance: Callable[[int], None] | None = None) -> Path:
    """Hash the weights of a model whole. Returns their path. Raises MomusError where they are absent or damaged."""
    model = known(name)
    path = place_of(model.name, model.sha256)
    if not path.is_file():
        raise MomusError(f"the weights of {name} are not here: momus model get {name}")
    sha256 = hash_file(path, advance)
    remember(path, sha256)
    if sha256 != model.sha256:
        raise MomusError(
            f"the weights of {name} are damaged: their SHA-256 is {sha256}, not {model.sha256}; momus model get {name} "
            "fetches them anew"
        )
    return path


def remove(name: str) -> int:
    """Delete weights, converted graphs and what a stopped fetch left. Returns the bytes that were freed.

    `name` may also be the 16 digits of graphs whose weights lie elsewhere. Raises MomusError on an unknown name, and
    while the weights are being fetched.
    """
    graphs = {
        holding.model.name: graphs_of(holding.model.sha256) for holding in holdings() if holding.state == "graphs"
    }
    if name in graphs:
        return _removed(name, graphs[name])
    model = known(name)
    place = place_of(model.name, model.sha256)
    if not place.parent.exists():
        return _removed(name, graphs_of(model.sha256))
    lock = FileLock(place.with_suffix(".lock"))
    try:
        with lock.acquire(timeout=0):
            return _removed(name, [place, note_beside(place), *leavings(place), *graphs_of(model.sha256)])
    except Timeout:
        raise MomusError(f"another process is fetching {name}: stop it first") from None


def _removed(name: str, paths: list[Path]) -> int:
    try:
        return remove_all([path for path in paths if path.exists()])
    except OSError as error:
        raise MomusError(f"cannot remove {error.filename or name}: {error.strerror or error}") from None


def _holding(model: CatalogueModel) -> Holding:
    place = place_of(model.name, model.sha256)
    graphs = sum(map(size_of, graphs_of(model.sha256)))
    if place.exists():
        state = "here" if weights_of(model) else "damaged"
        return Holding(model, state, size_of(place), graphs)
    begun = sum(map(size_of, leavings(place)))
    return Holding(model, "begun" if begun else "not here", begun, graphs)
