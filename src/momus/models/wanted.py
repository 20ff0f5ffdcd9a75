"""Which weights a `get` means: a model of the catalogue, or any other whose digest its user states."""

from __future__ import annotations

import re

from momus.errors import MomusError
from momus.models.catalogue import CatalogueModel, catalogue, known
from momus.models.stored import notes

_PUBLISHED = re.compile(r"(?P<repository>[\w.-]+/[\w.-]+)(?:@(?P<revision>[\w./-]+))?:(?P<file>.+\.gguf)")
_OWN = re.compile(r"[A-Za-z0-9][\w.-]*(?<!\.gguf)")


def wanted(name: str, sha256: str | None) -> CatalogueModel:
    """The weights to fetch: of the catalogue by name, OWNER/REPOSITORY[@REVISION]:FILE.gguf, or a name of one's own.

    What the catalogue does not pin needs `sha256`, the digest that its publisher states. Raises MomusError.
    """
    if sha256 is not None and not re.fullmatch(r"[0-9a-f]{64}", sha256 := sha256.lower()):
        raise MomusError("--sha256 takes the 64 hex digits of a SHA-256")
    if (model := catalogue().get(name)) is not None:
        if sha256 not in (None, model.sha256):
            raise MomusError(f"the catalogue pins {name} to the SHA-256 {model.sha256}: leave --sha256 out")
        return model
    published = _PUBLISHED.fullmatch(name)
    pinned = {note.sha256 for _, note in notes() if note.name == name}
    if pinned - {sha256, None} and sha256 is not None:
        raise MomusError(f"{name} is in the cache with the SHA-256 {pinned.pop()}: momus model remove {name} first")
    sha256 = sha256 or next(iter(pinned), None)
    if sha256 is None and (published or _OWN.fullmatch(name)):
        if published is None:
            known(name)  # a name that was misspelt: says which ones there are
        raise MomusError(
            f"{name} has no pinned digest: state the SHA-256 that its publisher gives with --sha256, or take one of "
            f"{', '.join(catalogue())}"
        )
    if published is not None and sha256 is not None:
        return CatalogueModel(
            name=name,
            sha256=sha256,
            repository=published["repository"],
            revision=published["revision"] or "",
            file=published["file"],
        )
    if sha256 is not None and _OWN.fullmatch(name):
        return CatalogueModel(name=name, sha256=sha256)
    raise MomusError(f"{name!r} names no model: give a name of the catalogue, or OWNER/REPOSITORY:FILE.gguf")
