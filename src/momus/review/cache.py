"""Critiques kept from one run to the next, by what was asked of whom. One that cannot be read or written is none."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
import time
from pathlib import Path

from pydantic import ValidationError

from momus import __version__
from momus.folders import caches
from momus.records import Sampled, Task, dump_line

_KEPT_DAYS = 30
_PRUNED_EVERY_S = 24 * 3600


class Cache:
    """Answers by unit. `identity` says exactly which critic answers, its weights or its linter's version included."""

    def __init__(self, identity: str, seed: int, folder: Path | None = None) -> None:
        self.folder = (folder or caches()) / "critiques"
        self._asked = f"{__version__}\0{identity}\0{seed}\0"

    def get(self, task: Task) -> Sampled | None:
        """What was answered to the same task before, if anything."""
        try:
            found = Sampled.model_validate_json(self._path(task).read_bytes())
        except (OSError, ValidationError, ValueError):
            return None
        return found.model_copy(update={"task_id": task.id})

    def holds(self, task: Task) -> bool:
        """Whether there is an answer to the same task, not read yet."""
        return self._path(task).is_file()

    def put(self, task: Task, sampled: Sampled) -> None:
        """Keep an answer; a failure is none."""
        if sampled.error is not None:
            return
        path = self._path(task)
        with contextlib.suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=path.parent, prefix=".")
            try:
                with os.fdopen(handle, "w", encoding="utf-8") as out:
                    out.write(dump_line(sampled))
                Path(name).replace(path)
            except BaseException:
                Path(name).unlink(missing_ok=True)
                raise

    def prune(self) -> None:
        """Take out what is older than 30 days, at most once a day."""
        stamp = self.folder / "pruned"
        now = time.time()
        with contextlib.suppress(OSError):
            if not self.folder.is_dir() or (stamp.exists() and now - stamp.stat().st_mtime < _PRUNED_EVERY_S):
                return
            stamp.touch()
            for path in self.folder.glob("??/*"):
                with contextlib.suppress(OSError):
                    if now - path.stat().st_mtime > _KEPT_DAYS * 24 * 3600:
                        path.unlink()

    def _path(self, task: Task) -> Path:
        around = task.surroundings.model_dump(mode="json") if task.surroundings is not None else None
        read = [task.question, task.answer, task.language, task.prelude, task.context, around, task.run]
        asked = json.dumps(read, ensure_ascii=True)
        key = hashlib.sha256((self._asked + asked).encode()).hexdigest()
        return self.folder / key[:2] / f"{key[2:]}.json"
