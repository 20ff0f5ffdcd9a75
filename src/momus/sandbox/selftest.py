"""Tries the sandbox for real, once per process, before anything is run in it."""

from __future__ import annotations

import functools
import json
import os
import secrets
import socket
import sys
import tempfile
from pathlib import Path

from momus.errors import MomusError
from momus.sandbox.execute import execute
from momus.sandbox.limits import Limits

_LIMITS = Limits(timeout_s=20, memory_mb=256, output_bytes=10_000)

# What the probe can do, as JSON. Each must come out false, but for `runs`.
_PROBE = """
import json, os, socket, threading
found = {{"runs": True}}
def can(name, act):
    try:
        found[name] = bool(act())
    except OSError:
        found[name] = False
def connect():
    socket.create_connection(("127.0.0.1", {port}), timeout=2).close()
    return True
def write():
    with open({secret!r}, "a") as out:
        out.write("x")
    return True
def start():
    thread = threading.Thread(target=int)
    thread.start()
    thread.join()
can("reaches the network", connect)
can("reads a file outside", lambda: open({secret!r}).read())
can("writes a file outside", write)
can("is root", lambda: os.geteuid() == 0)
can("sees the caller", lambda: os.path.exists("/proc/{pid}/status") and {pid} > 100)
try:
    start()
except RuntimeError:
    found["runs"] = False
print(json.dumps(found))
"""


@functools.cache
def why_not() -> str | None:
    """Why code cannot be run in isolation here, with the mend; None where it can."""
    if sys.platform not in ("linux", "darwin"):
        return f"none is known for {sys.platform}: run momus in a Linux container with bubblewrap"
    token = secrets.token_hex(8)
    with tempfile.TemporaryDirectory(prefix="momus-") as folder, socket.create_server(("127.0.0.1", 0)) as server:
        Path(folder).chmod(0o755)  # it is the sandbox that must keep the program out, not the folder's mode
        secret = Path(folder, "secret")
        secret.write_text(token)
        secret.chmod(0o666)
        probe = _PROBE.format(port=server.getsockname()[1], secret=str(secret), pid=os.getpid())
        try:
            ended = execute(probe, _LIMITS)
        except MomusError as error:
            return _with_hint(str(error))
        if secret.read_text() != token:
            return "the sandbox let a program write a file outside: update bubblewrap"
    try:
        found = json.loads(ended.stdout)
    except ValueError:
        said = ended.stderr.decode("utf-8", "replace").strip().splitlines() or [f"exit code {ended.exit_code}"]
        return _with_hint(f"Python does not start in it ({said[-1]}): use a Python that other users may read")
    if not found.pop("runs"):
        return "its limit on processes leaves none: use Linux 5.14 or later"
    broken = [name for name, could in found.items() if could]
    return f"a program in it {' and '.join(broken)}: update bubblewrap and the kernel" if broken else None


def _with_hint(reason: str) -> str:
    switch = Path("/proc/sys/kernel/apparmor_restrict_unprivileged_userns")
    try:
        blocked = switch.read_text().strip() == "1"
    except OSError:
        blocked = False
    if blocked:
        return (
            f"{reason} (AppArmor blocks unprivileged user namespaces here: give bwrap a profile that allows `userns`)"
        )
    return reason
