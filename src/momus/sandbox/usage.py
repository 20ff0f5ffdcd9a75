"""The memory that a run holds: of all its processes together, and of the file systems that live in memory.

Anonymous and shared pages are counted, each once where the kernel says how often a page is shared; files in `/tmp` and
`/dev/shm` are, whoever has them open. Memory that no process shows (System V segments, memfd, shared anonymous maps,
which stay full after they are unmapped in part) can't be counted, and `seccomp` refuses it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from momus.sandbox.limits import PROGRAM

FILES = 16_384  # in the temporary folders: an empty one costs the kernel 1 KiB
_FOLDERS = ("tmp", "dev/shm")
_PROCESSES = 1000
_MIB = 1024 * 1024


def over_memory(pid: int, first: int | None, limit_mb: int) -> bool:
    """Whether a process and all below it hold more than `limit_mb`, or too many files; False without /proc.

    `first` is the first process of a namespace whose temporary folders count as well.
    """
    if sys.platform != "linux":
        return False
    folders, count = _in_folders(first)
    if count > FILES:
        return True
    pids = list(_tree(pid))
    if sum(_fields(here, "status", ("RssAnon:", "RssShmem:")) or 0 for here in pids) + folders <= limit_mb * _MIB:
        return False
    # A page that several processes share was counted for each of them: once more, and exactly.
    own = [_fields(here, "smaps_rollup", ("Pss_Anon:",)) for here in pids]
    shared = [_fields(here, "smaps_rollup", ("Pss_Shmem:",)) for here in pids]
    if pids and all(held is None for held in own):
        return True
    return sum(held or 0 for held in own) + max(folders, sum(held or 0 for held in shared)) > limit_mb * _MIB


def _in_folders(first: int | None) -> tuple[int, int]:
    """Bytes and files in the temporary folders of a namespace."""
    held = count = 0
    # Until the namespace is set up, what the process has for its root is ours.
    ready = first is not None and Path(f"/proc/{first}/root{PROGRAM}").exists()
    for folder in _FOLDERS if ready else ():
        with suppress(OSError):
            found = os.statvfs(f"/proc/{first}/root/{folder}")
            held += (found.f_blocks - found.f_bfree) * found.f_frsize
            count += found.f_files - found.f_ffree
    return held + count * 1024, count


def _tree(pid: int) -> Iterator[int]:
    waiting, seen = [pid], 0
    while waiting and seen < _PROCESSES:
        here = waiting.pop()
        seen += 1
        yield here
        with suppress(OSError, ValueError):
            for thread in Path(f"/proc/{here}/task").iterdir():
                waiting += [int(child) for child in (thread / "children").read_text().split()]


def _fields(pid: int, name: str, fields: tuple[str, ...]) -> int | None:
    """The sum of a process's lines of these names, in bytes; None where it can't be read."""
    try:
        lines = Path(f"/proc/{pid}/{name}").read_text().splitlines()
    except OSError:
        return None
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith(fields))
