"""Tiny packages, made on the spot."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest


def _make_wheel(folder: Path, name: str, files: dict[str, str], *, metadata: str = "License-Expression: MIT") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    wheel = folder / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
        head = f"Metadata-Version: 2.4\nName: {name}\nVersion: 1.0\n{metadata}\n\nA description."
        archive.writestr(f"{name}-1.0.dist-info/METADATA", head)
    return wheel


@pytest.fixture(scope="session")
def make_wheel() -> Callable[..., Path]:
    """Make a wheel of version 1.0 from (path, text) pairs in a folder; its path."""
    return _make_wheel
