"""Runs a command and reads off what it used, its children included; and the facts of the machine it ran on."""

from __future__ import annotations

import datetime
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from momus.errors import MomusError

# one thread everywhere, so that CPU-seconds are work and not waiting
ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "VECLIB_MAXIMUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
}


@dataclass(frozen=True, slots=True)
class Used:
    """CPU-seconds (user and system), wall seconds, peak memory in MB of the largest process, exit code, output."""

    cpu_s: float
    wall_s: float
    peak_mb: float
    code: int
    stdout: str
    stderr: str

    def figures(self) -> dict[str, float]:
        return {"cpu_s": round(self.cpu_s, 3), "wall_s": round(self.wall_s, 3), "peak_mb": round(self.peak_mb, 1)}


def measure(
    command: Sequence[str],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    good: Sequence[int] = (0,),
) -> Used:
    """Run a command to its end on one thread. Raises MomusError if it is missing or exits with a code not in `good`."""
    if not hasattr(os, "wait4"):
        raise MomusError("momus bench needs Linux or macOS, where the resources of one process can be read")
    environment = {**os.environ, **ONE_THREAD, **(env or {})}
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        began = time.perf_counter()
        try:
            child = subprocess.Popen(
                list(command), cwd=cwd, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=err
            )
        except OSError as error:
            raise MomusError(f"the bench cannot start {command[0]} ({error.strerror}); install it") from error
        try:
            _, status, usage = os.wait4(child.pid, 0)
        except BaseException:
            child.kill()
            child.wait()
            raise
        wall = time.perf_counter() - began
        child.returncode = os.waitstatus_to_exitcode(status)  # it was waited for here, not by subprocess
        out.seek(0)
        err.seek(0)
        stdout, stderr = out.read().decode("utf-8", "replace"), err.read().decode("utf-8", "replace")
    if child.returncode not in good:
        last = (stderr.strip() or stdout.strip() or "no output").splitlines()[-1]
        raise MomusError(f"the bench's command {' '.join(command[:4])} ... exited with {child.returncode}: {last}")
    per_mb = 1 << 20 if sys.platform == "darwin" else 1 << 10  # macOS counts bytes, Linux KiB
    cpu = usage.ru_utime + usage.ru_stime
    return Used(cpu, wall, usage.ru_maxrss / per_mb, child.returncode, stdout, stderr)


def best_of(n: int, command: Sequence[str], **options: Any) -> Used:
    """The run with the fewest CPU-seconds of `n`, after one that fills the file cache and is not counted."""
    measure(command, **options)
    return min((measure(command, **options) for _ in range(n)), key=lambda used: used.cpu_s)


def machine() -> dict[str, Any]:
    """Cores, processor, system and Python; nothing that names the machine."""
    return {
        "cores": os.cpu_count(),
        "processor": _processor(),
        "system": platform.system(),
        "architecture": platform.machine(),
        "python": platform.python_version(),
        "load_average": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
    }


def versions(packages: Sequence[str]) -> dict[str, str]:
    """The installed versions of packages; those that are missing are left out."""
    found = {}
    for package in packages:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def today() -> str:
    return datetime.datetime.now(datetime.UTC).date().isoformat()


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
