"""One run of a program, the layers put together."""

from __future__ import annotations

import fcntl
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from momus.errors import MomusError
from momus.sandbox import bubblewrap, macos, seccomp
from momus.sandbox.limits import ENVIRONMENT, Limits, limited
from momus.sandbox.supervise import Ended, supervise


def execute(
    code: str,
    limits: Limits,
    *,
    stdin: str = "",
    isolated: bool = True,
    pass_fds: Sequence[int] = (),
    stop_fd: int | None = None,
) -> Ended:
    """One run without the checks around it. Raises MomusError where the sandbox cannot be set up.

    `pass_fds` are the program's from then on: they are closed here, also where it does not start. The run is over when
    the other end of `stop_fd` is closed.
    """
    given = stdin.encode("utf-8", "surrogateescape")
    if isolated and sys.platform == "linux":
        return _in_bubblewrap(code, limits, given, pass_fds, stop_fd)
    with tempfile.TemporaryDirectory(prefix="momus-") as folder:
        program = Path(folder, "answer.py")
        program.write_text(code, encoding="utf-8", newline="")
        env = {**ENVIRONMENT, "HOME": folder, "TMPDIR": folder}
        command = (
            macos.command(folder, limits)
            if isolated
            else limited([sys.executable, "-s", "-P", str(program)], limits, count_processes=False)
        )
        return supervise(command, limits, stdin=given, env=env, cwd=folder, pass_fds=pass_fds, stop_fd=stop_fd)


def _in_bubblewrap(code: str, limits: Limits, stdin: bytes, pass_fds: Sequence[int], stop_fd: int | None) -> Ended:
    filter_bytes = seccomp.program()
    program_fd = _memory_file("answer", code.encode("utf-8"))
    seccomp_fd = _memory_file("seccomp", filter_bytes) if filter_bytes is not None else None
    status_read, status_write = os.pipe()
    fds = [*pass_fds, *(fd for fd in (program_fd, seccomp_fd, status_write) if fd is not None)]
    try:
        try:
            command = bubblewrap.command(
                limits, program_fd=program_fd, seccomp_fd=seccomp_fd, status_fd=status_write, kept_fds=pass_fds
            )
        except BaseException:
            for fd in fds:
                os.close(fd)
            raise
        ended = supervise(
            command,
            limits,
            stdin=stdin,
            # Not our own environment even for bubblewrap itself: the program could read it in /proc.
            env={"PATH": ENVIRONMENT["PATH"]},
            cwd="/",
            pass_fds=fds,
            status_fd=status_read,
            stop_fd=stop_fd,
        )
    except OSError as error:
        raise MomusError(f"the sandbox did not start ({error}): install bubblewrap and util-linux") from None
    finally:
        os.close(status_read)
    if ended.cause is None and not any("exit-code" in said for said in ended.report):
        said = ended.stderr.decode("utf-8", "replace").strip().splitlines() or ["it said nothing"]
        raise MomusError(f"the sandbox did not start ({said[-1]}): see that bubblewrap runs here, as in `bwrap --help`")
    return ended


def _memory_file(name: str, content: bytes) -> int:
    """A file in memory that nobody can change any more, whoever opens it again."""
    fd = os.memfd_create(name, os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    with os.fdopen(os.dup(fd), "wb") as out:
        out.write(content)
    os.lseek(fd, 0, os.SEEK_SET)
    fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL)
    return fd
