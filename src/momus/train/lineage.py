"""What a checkpoint has gone through: its stage's manifest, and in it, as `before`, that of the stage before."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from momus.decode import from_json
from momus.errors import MomusError

Manifest = dict[str, Any]


def manifest_in(folder: Path) -> Manifest | None:
    """The manifest of the stage that left a folder; None where none did. Raises MomusError where it is broken."""
    try:
        content = from_json((folder / "manifest.json").read_text(encoding="utf-8"))
        if not isinstance(content, dict):
            raise ValueError("it is no object")
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise unreadable(folder, error) from None
    return content


def unreadable(folder: Path, error: Exception) -> MomusError:
    return MomusError(f"cannot read {folder / 'manifest.json'} ({error}), which says what the checkpoint has seen")


def lineage(folder: Path) -> list[Manifest]:
    """The manifests of a checkpoint's stages, its own last, as far back as they are known. Raises as `manifest_in`."""
    found: list[Manifest] = []
    content = manifest_in(folder)
    while isinstance(content, dict):
        found.insert(0, content)
        content = content.get("before")
    return found
