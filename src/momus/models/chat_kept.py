"""Replies kept by what was asked, so that the same question costs nothing twice. One that can't be read is none."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
import time
from pathlib import Path
from typing import Any

from momus.decode import from_json
from momus.folders import caches

DAYS = 30  # that a reply is kept


class KeptReplies:
    """A folder of replies, readable for its owner alone: they speak of the code under review.

    A key is the address, and all that was sent; the key of the server is no part of it.
    """

    def __init__(self, url: str, folder: Path | None = None) -> None:
        self._folder = folder or caches() / "replies"
        self._url = url

    def get(self, body: dict[str, Any]) -> Any:
        """What was kept of a reply to the same request; None where nothing was."""
        path = self._path(body)
        try:
            if time.time() - path.stat().st_mtime > DAYS * 24 * 3600:
                path.unlink()
                return None
            return from_json(path.read_bytes())
        except (OSError, ValueError):
            return None

    def put(self, body: dict[str, Any], reply: Any) -> None:
        """Keep it; whole or not at all, and without a word where the disk is full."""
        path = self._path(body)
        with contextlib.suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle, name = tempfile.mkstemp(dir=path.parent, prefix=".")
            try:
                with os.fdopen(handle, "w", encoding="utf-8") as out:
                    out.write(json.dumps(reply))
                Path(name).replace(path)
            except BaseException:
                Path(name).unlink(missing_ok=True)
                raise

    def _path(self, body: dict[str, Any]) -> Path:
        asked = json.dumps([self._url, body], sort_keys=True)
        key = hashlib.sha256(asked.encode()).hexdigest()
        return self._folder / key[:2] / f"{key[2:]}.json"
