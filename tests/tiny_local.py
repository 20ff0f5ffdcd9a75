"""Tiny random models, converted and opened: what the tests of the runtime share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from momus.models.local import LocalModel, open_local
from tiny_gguf import Family, write_tiny_gguf

PROMPT = "def last(xs, n):\n    return"


class TinyLocal:
    """Opens tiny models of each family, each converted once. `folder` is where their files and graphs lie."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._opened: dict[tuple[Any, ...], LocalModel] = {}

    def gguf(self, family: Family) -> Path:
        path = self.folder / f"{family}.gguf"
        return path if path.is_file() else write_tiny_gguf(path, family, kind="Q8_0")

    def open(self, family: Family = "qwen2", **options: Any) -> LocalModel:
        """One thread, exact unless told otherwise; the same call gives the same model."""
        key = (family, *sorted(options.items(), key=lambda option: option[0]))
        if key not in self._opened:
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("MOMUS_CACHE_DIR", str(self.folder / "cache"))
                self._opened[key] = open_local(str(self.gguf(family)), **{"mode": "exact", "threads": 1, **options})
        return self._opened[key]
