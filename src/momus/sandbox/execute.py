"""One run of a program, the layers put together."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import IO

from momus.errors import MomusError
from momus.sandbox import bubblewrap, macos, seccomp
from momus.sandbox.limits import ENVIRONMENT, Limits, limited
from momus.sandbox.supervise import Ended, supervise


def execute(code: str, limits: Limits, *, stdin: str = "", isolated: bool = True) -> Ended:
    """One run without the checks around it. Raises MomusError where the sandbox cannot be set up."""
    with tempfile.TemporaryFile() as given:
        given.write(stdin.encode("utf-8", "surrogateescape"))
        given.seek(0)
        if isolated and sys.platform == "linux":
            return _in_bubblewrap(code, limits, given)
        with tempfile.TemporaryDirectory(prefix="momus-") as folder:
            program = Path(folder, "answer.py")
            program.write_text(code, encoding="utf-8", newline="")
            env = {**ENVIRONMENT, "HOME": folder, "TMPDIR": folder}
            command = (
                macos.command(folder, limits)
                if isolated
                else limited([sys.executable, "-s", "-P", str(program)], limits, count_processes=False)
            )
            return supervise(command, limits, stdin=given, env=env, cwd=folder)


def _in_bubblewrap(code: str, limits: Limits, stdin: IO[bytes]) -> Ended:
    program_fd = _memory_file("answer", code.encode("utf-8"))
    filter_bytes = seccomp.program()
    seccomp_fd = _memory_file("seccomp", filter_bytes) if filter_bytes is not None else None
    status_read, status_write = os.pipe()
    fds = [fd for fd in (program_fd, seccomp_fd, status_write) if fd is not None]
    try:
        command = bubblewrap.command(limits, program_fd=program_fd, seccomp_fd=seccomp_fd, status_fd=status_write)
        # Not our own environment even for bubblewrap itself: the program could read it in /proc.
        ended = supervise(command, limits, stdin=stdin, env={"PATH": ENVIRONMENT["PATH"]}, cwd="/", pass_fds=fds)
        os.close(status_write)
        fds.remove(status_write)
        report = os.read(status_read, 65536).decode("utf-8", "replace")
    except OSError as error:
        raise MomusError(f"the sandbox did not start ({error}): install bubblewrap and util-linux") from None
    finally:
        for fd in (*fds, status_read):
            os.close(fd)
    if ended.cause is None and not any("exit-code" in json.loads(line) for line in report.splitlines()):
        said = ended.stderr.decode("utf-8", "replace").strip().splitlines() or ["it said nothing"]
        raise MomusError(f"the sandbox did not start ({said[-1]}): see that bubblewrap runs here, as in `bwrap --help`")
    return ended


def _memory_file(name: str, content: bytes) -> int:
    fd = os.memfd_create(name)
    with os.fdopen(os.dup(fd), "wb") as out:
        out.write(content)
    os.lseek(fd, 0, os.SEEK_SET)
    return fd
