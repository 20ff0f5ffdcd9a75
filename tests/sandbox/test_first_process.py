"""A program rewrites the first process of its namespace, for real, and neither it nor its children outlive the run."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from momus.sandbox import bubblewrap, run, seccomp
from momus.sandbox.execute import _memory_file
from momus.sandbox.limits import Limits

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or os.uname().machine != "x86_64", reason="machine code of Linux on x86-64"
)

# Processes are left behind; then the code that the first process waits in is overwritten by some that outlives its
# parent (prctl PR_SET_PDEATHSIG 0), tells bubblewrap by its eventfd that all ended well, and pauses for ever.
HIJACK = """
import os, struct, subprocess, sys, time
for _ in range(3):
    subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)', MARKER], start_new_session=True)
time.sleep(0.5)
fds = {os.readlink(f'/proc/1/fd/{fd}'): int(fd) for fd in os.listdir('/proc/1/fd')}
event = fds.get('anon_inode:[eventfd]', 99)
code = (
    b'\\xb8\\x9d\\0\\0\\0\\xbf\\x01\\0\\0\\0\\x31\\xf6\\x0f\\x05'  # prctl(1, 0)
    b'\\x6a\\x01\\xb8\\x01\\0\\0\\0\\xbf' + struct.pack('<i', event) +
    b'\\x48\\x89\\xe6\\xba\\x08\\0\\0\\0\\x0f\\x05'  # write(event, &1, 8)
    b'\\xb8\\x22\\0\\0\\0\\x0f\\x05\\xeb\\xf7'  # for (;;) pause()
)
where = int(open('/proc/1/syscall').read().split()[-1], 16)
with open('/proc/1/mem', 'r+b', buffering=0) as memory:
    memory.seek(where)
    memory.write(code)
    memory.seek(where)
    assert memory.read(len(code)) == code
print('rewritten', flush=True)
os.kill(1, 0)
os._exit(0)
"""


def _left(marker: str, seconds: float) -> list[int]:
    """Processes with a word in their arguments, once they had some time to end."""
    deadline = time.monotonic() + seconds
    while True:
        found = [
            int(folder.name)
            for folder in Path("/proc").iterdir()
            if folder.name.isdigit() and marker.encode() in _read(folder / "cmdline")
        ]
        if not found or time.monotonic() > deadline:
            return found
        time.sleep(0.05)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def test_a_rewritten_first_process_outlives_nothing() -> None:
    marker = f"momus-hijack-{os.getpid()}"
    outcome = run(f"MARKER = {marker!r}\n{HIJACK}", timeout_s=5)
    assert outcome.stdout == "rewritten\n", outcome  # it may: it is as limited as the program, and ends with the run
    assert not _left(marker, 5)


def test_the_same_program_outlives_bubblewraps_own_first_process(tmp_path: Path) -> None:
    """The control: without a first process of ours, the hijack works."""
    marker = f"momus-control-{os.getpid()}"
    program = _memory_file("answer", f"MARKER = {marker!r}\n{HIJACK}".encode())
    filter_fd = _memory_file("seccomp", seccomp.program() or b"")
    told, status = os.pipe()
    command = bubblewrap.command(Limits(20, 512, 1000), program_fd=program, seccomp_fd=filter_fd, status_fd=status)
    at = command.index("/bin/sh", command.index("--as-pid-1"))
    command = [word for word in command[:at] + command[at + 4 :] if word != "--as-pid-1"]
    with (tmp_path / "out").open("w+b") as out:  # no pipe: what lives on would hold it open
        fds = (program, filter_fd, status)
        done = subprocess.run(command, pass_fds=fds, stdin=subprocess.DEVNULL, stdout=out, timeout=30, check=False)
    os.close(status)
    first = json.loads(os.read(told, 65536).split(b"\n")[0])["child-pid"]
    try:
        assert (done.returncode, (tmp_path / "out").read_text()) == (0, "rewritten\n"), done
        assert len(_left(marker, 1)) == 3
    finally:
        os.kill(first, signal.SIGKILL)
        for fd in (program, filter_fd, told):
            os.close(fd)
    assert not _left(marker, 5)
