"""The cache of models: weights as their publishers gave them, and the graphs converted from them.

`weights/` holds a file for each model, named by its digest, and a note beside it; `graphs/` what was converted, named
by the digest of the weights it came from; `digests/` what was hashed before, so that a start hashes nothing.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from momus.decode import from_json
from momus.folders import caches

_BLOCK = 1 << 22
Advance = Callable[[int], None]


def cache_folder() -> Path:
    """The folder below which weights, converted graphs and remembered digests lie. It may not exist yet."""
    return caches() / "models"


def weights_folder() -> Path:
    return cache_folder() / "weights"


def graphs_folder() -> Path:
    return cache_folder() / "graphs"


@dataclass(frozen=True, slots=True)
class Note:
    """What is known of weights in the cache: under which name, of which digest, where they came from."""

    name: str
    sha256: str
    source: str


def place_of(name: str, sha256: str) -> Path:
    """Where weights of this name and digest lie once they are there."""
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", name.removesuffix(".gguf")).strip("-.")
    return weights_folder() / f"{sha256[:16]}-{plain}.gguf"


def note_beside(weights: Path) -> Path:
    return weights.with_suffix(".json")


def notes() -> Iterator[tuple[Path, Note]]:
    """Weights in the cache with their notes, by file name. A note that can't be read counts as none."""
    for path in sorted(weights_folder().glob("*.json")):
        weights = path.with_suffix(".gguf")
        with contextlib.suppress(OSError, ValueError, TypeError):
            if weights.is_file():
                yield weights, Note(**from_json(path.read_bytes()))


def keep_note(weights: Path, note: Note) -> None:
    _write(note_beside(weights), asdict(note))


def leavings(place: Path) -> list[Path]:
    """What stopped fetches of the weights with this place have left."""
    return [path for path in place.parent.glob(f"{place.stem}.*") if path.suffix not in (".gguf", ".json", ".lock")]


def graphs_of(sha256: str) -> list[Path]:
    """The converted graphs of weights with this digest."""
    return sorted(graphs_folder().glob(f"{sha256[:16]}*"))


def size_of(path: Path) -> int:
    """Bytes of a file, or of all files below a folder; what vanishes meanwhile counts nothing."""
    files = [path] if path.is_file() else [Path(root, name) for root, _, names in os.walk(path) for name in names]
    total = 0
    for file in files:
        with contextlib.suppress(OSError):
            total += file.stat().st_size
    return total


def remove_all(paths: list[Path]) -> int:
    """Delete files and folders. Returns the bytes they took. Raises OSError."""
    freed = sum(map(size_of, paths))
    for path in paths:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    return freed


def hash_file(path: Path, advance: Advance | None = None) -> str:
    """SHA-256 of a file, in hex. `advance` hears the bytes of each block. Raises OSError."""
    hasher = hashlib.sha256()
    with path.open("rb", buffering=0) as source:
        while block := source.read(_BLOCK):
            hasher.update(block)
            if advance is not None:
                advance(len(block))
    return hasher.hexdigest()


def digest_of(path: Path) -> str:
    """SHA-256 of weights: of a file, or of a folder's configuration, tokenizer and tensors, by name.

    Each file is hashed once and remembered by path, size and time of change. Raises OSError.
    """
    if not path.is_dir():
        return _remembered(path)
    files = [file for file in sorted(path.iterdir()) if file.suffix in (".json", ".safetensors", ".model", ".txt")]
    listed = "".join(f"{file.name}\0{_remembered(file)}\n" for file in files)
    return hashlib.sha256(listed.encode()).hexdigest()


def remember(path: Path, sha256: str) -> None:
    """Keep the digest of a file as it now is. A memory that can't be written is none."""
    with contextlib.suppress(OSError):
        _write(_memory(path), {**_state(path), "sha256": sha256})


def _remembered(path: Path) -> str:
    state = _state(path)
    with contextlib.suppress(OSError, ValueError):
        known = from_json(_memory(path).read_bytes())
        if isinstance(known, dict) and known == {**state, "sha256": known.get("sha256")}:
            return str(known["sha256"])
    sha256 = hash_file(path)
    if _state(path) == state:
        remember(path, sha256)
    return sha256


def _state(path: Path) -> dict[str, object]:
    stat = path.stat()
    return {"path": str(path.resolve()), "size": stat.st_size, "changed_ns": stat.st_mtime_ns}


def _memory(path: Path) -> Path:
    return cache_folder() / "digests" / f"{hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:32]}.json"


def _write(path: Path, values: dict[str, object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.write_text(json.dumps(values) + "\n", encoding="utf-8")
    partial.replace(path)
