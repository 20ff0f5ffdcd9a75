"""Resource limits of one run, set by a small program just before Python starts, so that they cannot be raised again."""

from __future__ import annotations

import math
import shlex
import shutil
from dataclasses import dataclass

# What the program sees of the caller's environment: nothing. One thread per numeric library, so that address space
# is not spent on stacks; a fixed hash seed, so that a proof by tests can be repeated.
ENVIRONMENT: dict[str, str] = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "LC_ALL": "C.UTF-8",
    "TZ": "UTC",
    "PYTHONHASHSEED": "0",
    "PYTHONDONTWRITEBYTECODE": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}


PROGRAM = "/sandbox/answer.py"  # where a program lies inside


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one run. `memory_mb` holds for each process (address space) and for all of them together (resident)."""

    timeout_s: float
    memory_mb: int
    output_bytes: int
    processes: int = 64
    file_mb: int = 32
    open_files: int = 128


def limited(command: list[str], limits: Limits, *, count_processes: bool) -> list[str]:
    """The command with the limits set first, by prlimit, or by the shell where there is none (macOS).

    `count_processes` only inside a user namespace of one's own: elsewhere every process of the user counts.
    """
    cpu = math.ceil(limits.timeout_s) + 1
    memory = limits.memory_mb * 1024 * 1024
    prlimit = shutil.which("prlimit", path=ENVIRONMENT["PATH"])
    if prlimit is not None:
        flags = [
            f"--as={memory}",
            f"--cpu={cpu}:{cpu + 1}",
            f"--fsize={limits.file_mb * 1024 * 1024}",
            f"--nofile={limits.open_files}",
            "--core=0",
            "--msgqueue=0",
            "--memlock=0",
        ]
        if count_processes:
            flags.append(f"--nproc={limits.processes}")
        return [prlimit, *flags, "--", *command]
    # macOS has no working limit on address space: the supervisor's watch on resident memory stands alone there.
    blocks = limits.file_mb * 1024 * 2
    script = f"ulimit -c 0 -t {cpu} -f {blocks} -n {limits.open_files} && exec {shlex.join(command)}"
    return ["/bin/sh", "-c", script]
