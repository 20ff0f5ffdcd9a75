"""Scans, fixes and solutions kept on disk, so that another threshold or another table asks the model nothing again."""

from __future__ import annotations

import hashlib
import io
import json
import os
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from momus.critics.local.fix import Fix
from momus.decode import from_json

T = TypeVar("T")
Read: TypeAlias = tuple[npt.NDArray[np.float32], npt.NDArray[np.int32], npt.NDArray[np.float32]]


class ScanStore:
    """A folder of scans by one model in one mode: `key` names both. What can't be read counts as not there."""

    def __init__(self, folder: Path, key: str) -> None:
        self._folder = folder / hashlib.sha256(key.encode()).hexdigest()[:16]

    def get(self, head: Sequence[int], ids: Sequence[int]) -> Read | None:
        """Log-probabilities [n], likeliest tokens [n, k] and theirs [n, k], or None."""
        try:
            with np.load(self._path(head, ids)) as kept:
                read = kept["logprobs"], kept["top_ids"], kept["top_logprobs"]
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            return None
        return read if len(read[0]) == len(ids) else None

    def put(self, head: Sequence[int], ids: Sequence[int], read: Read) -> None:
        """Keep a scan; whole or not at all, and without a word where the disk is full."""
        kept = io.BytesIO()
        np.savez_compressed(kept, logprobs=read[0], top_ids=read[1].astype(np.int32), top_logprobs=read[2])
        self._write(self._path(head, ids), kept.getvalue())

    def fixes(self, key: str, make: Callable[[], list[Fix]]) -> list[Fix]:
        """The fixes that were kept under a key, or those that are made now."""
        return self._kept(
            key,
            make,
            read=lambda kept: [Fix(**{**fix, "lines": tuple(fix["lines"])}) for fix in kept],
            plain=lambda found: [asdict(fix) for fix in found],
        )

    def texts(self, key: str, make: Callable[[], list[str]]) -> list[str]:
        """The texts that were kept under a key, or those that are written now."""
        return self._kept(key, make, read=lambda kept: [str(text) for text in kept], plain=lambda found: found)

    def _kept(
        self, key: str, make: Callable[[], list[T]], read: Callable[[Any], list[T]], plain: Callable[[list[T]], Any]
    ) -> list[T]:
        digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
        path = self._folder / digest[:2] / f"{digest[2:34]}.json"
        try:
            return read(from_json(path.read_bytes()))
        except (OSError, ValueError, KeyError, TypeError):
            found = make()
        self._write(path, json.dumps(plain(found)).encode())
        return found

    def _write(self, path: Path, content: bytes) -> None:
        partial = path.with_suffix(f".{os.getpid()}.partial")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            partial.write_bytes(content)
            partial.replace(path)
        except OSError:
            partial.unlink(missing_ok=True)

    def _path(self, head: Sequence[int], ids: Sequence[int]) -> Path:
        digest = hashlib.sha256(np.asarray([len(head), *head, *ids], np.int64).tobytes()).hexdigest()
        return self._folder / digest[:2] / f"{digest[2:34]}.npz"
