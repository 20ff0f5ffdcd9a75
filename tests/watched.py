"""Runs a command where the kernel counts all that it asks of the network, and a test sees what it writes.

The command has a network of its own that holds loopback alone, and a resolver there that nobody answers. Whatever looks
up a name or opens a connection, Python or compiled code, in the process or in a child, moves a counter of the kernel.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

# Runs the rest of its command line, and writes what that moved of the counters.
_COUNTING = """
import json, subprocess, sys

def counters():
    found = {}
    for path in ("/proc/net/snmp", "/proc/net/netstat"):
        lines = [line.split() for line in open(path)]
        for names, values in zip(lines[::2], lines[1::2], strict=True):
            found |= {names[0] + name: int(value) for name, value in zip(names[1:], values[1:], strict=True)}
    return found | {name: int(value) for name, value in map(str.split, open("/proc/net/snmp6"))}

before = counters()
code = subprocess.run(sys.argv[2:]).returncode
moved = {name: count - before.get(name, 0) for name, count in counters().items() if count != before.get(name, 0)}
json.dump(moved, open(sys.argv[1], "w"))
sys.exit(code)
"""


class Watched:
    """A home that is empty, a cache, and code to review; what a command asked of the network and what it wrote."""

    def __init__(self, folder: Path, code: str) -> None:
        self.home, self.cache, self.temporary, self.code = (folder / n for n in ("home", "cache", "temporary", "code"))
        for made in (self.home, self.temporary, self.code):
            made.mkdir()
        (self.code / "a.py").write_text(code)
        self._moved = folder / "moved.json"
        self._resolver, self._order = folder / "resolv.conf", folder / "nsswitch.conf"
        self._resolver.write_text("nameserver 127.0.0.1\n")
        self._order.write_text("hosts: files dns\n")

    def run(self, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run Python on these arguments. Skips the test where a network can't be made, but not in CI."""
        if shutil.which("bwrap") is None and os.environ.get("CI") != "true":
            pytest.skip("bubblewrap is not installed, so no network can be made to watch")
        passed_on = ("PATH", "LANG", "PYTHONPATH", "OMP_NUM_THREADS")
        kept = {name: os.environ[name] for name in passed_on if name in os.environ}
        own = {"HOME": str(self.home), "MOMUS_CACHE_DIR": str(self.cache), "TMPDIR": str(self.temporary)}
        own["PYTHONDONTWRITEBYTECODE"] = "1"
        inside = ["bwrap", *("--dev-bind", "/", "/", "--unshare-net", "--die-with-parent", "--tmpfs", "/run")]
        for file, place in ((self._resolver, "/etc/resolv.conf"), (self._order, "/etc/nsswitch.conf")):
            if Path(place).is_symlink() or Path(place).exists():
                inside += ["--ro-bind", str(file), os.path.realpath(place)]
        counting = [sys.executable, "-I", "-c", _COUNTING, str(self._moved)]
        return subprocess.run(
            [*inside, *counting, sys.executable, *command],
            cwd=self.code,
            env={**kept, **own, **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=280,
        )

    def asked(self) -> dict[str, int]:
        """What moved of the kernel's counters while the last command ran; nothing, where it asked for nothing."""
        moved: dict[str, int] = json.loads(self._moved.read_text())
        return moved

    def written(self) -> list[str]:
        """Files that were left anywhere but in the cache."""
        files = [path for at in (self.home, self.temporary, self.code) for path in at.rglob("*") if path.is_file()]
        return sorted(str(path) for path in files if path != self.code / "a.py")
