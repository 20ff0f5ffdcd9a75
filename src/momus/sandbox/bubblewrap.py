"""The wall: bubblewrap gives the program its own namespaces, a read-only system, a small /tmp, and nothing else.

No network but its own loopback, no process but its own, no file of the caller's but Python itself.
"""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from momus.errors import MomusError
from momus.sandbox.identity import Stage, is_root
from momus.sandbox.limits import ENVIRONMENT, PROGRAM, Limits, limited

_SYSTEM = ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
_LOADER = ("/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/alternatives")
_TMP_MB = 64
# The first process of the namespace, under the program's own limits: what it is turned into can do no more than the
# program itself, and all others end with it. A shell, as signals do not end a first process; what it says is dropped.
_FIRST = 'exec {fd}>&2 2>/dev/null; "$@" 2>&{fd} {fd}>&-; exit $?'


def command(
    limits: Limits, *, program_fd: int, seccomp_fd: int | None, status_fd: int, kept_fds: Sequence[int] = ()
) -> list[str]:
    """The whole command line of one run; `kept_fds` are for the program. Raises MomusError without bubblewrap."""
    bwrap, flags = _bwrap()
    python = python_folders()
    stage = Stage(python.folders) if is_root() else None
    small = ["--size", str(_TMP_MB * 1024 * 1024)] if "--size" in flags else []
    argv = [bwrap, "--unshare-user", "--unshare-all", "--die-with-parent", "--new-session", "--clearenv"]
    argv += ["--as-pid-1"]  # bubblewrap's own first process would share the program's identity and have no limits
    argv += ["--cap-drop", "ALL", "--uid", "65534", "--gid", "65534", "--hostname", "sandbox"]
    argv += ["--disable-userns"] if "--disable-userns" in flags else []  # since 0.8; seccomp refuses them anyway
    argv += ["--json-status-fd", str(status_fd)]
    argv += ["--seccomp", str(seccomp_fd)] if seccomp_fd is not None else []
    for name, value in {**ENVIRONMENT, "HOME": "/tmp"}.items():
        argv += ["--setenv", name, value]
    argv += _system()
    # The folders of /tmp and /dev first: Python may itself live below /tmp.
    # /dev/zero can be mapped as memory that no process shows.
    argv += [
        "--proc",
        "/proc",
        "--dev",
        "/dev",
        "--dev-bind",
        "/dev/null",
        "/dev/zero",
        *small,
        "--tmpfs",
        "/dev/shm",
        *small,
        "--tmpfs",
        "/tmp",
    ]
    for folder in python.folders:
        argv += ["--ro-bind", stage.place(folder) if stage else folder, folder]
    for link, target in python.links.items():
        argv += ["--symlink", target, link]
    argv += ["--ro-bind-data", str(program_fd), PROGRAM, "--chdir", "/tmp", "--remount-ro", "/dev", "--remount-ro", "/"]
    free = next(fd for fd in range(3, 10) if fd not in kept_fds)
    first = ["/bin/sh", "-c", _FIRST.format(fd=free), "sh"]
    argv += ["--", *limited([*first, sys.executable, "-s", "-P", PROGRAM], limits, count_processes=True)]
    return stage.command(argv) if stage else argv


@dataclass(frozen=True, slots=True)
class PythonFolders:
    """What has to be there for `sys.executable` to start: folders to bind, and links outside of them to make again."""

    folders: tuple[str, ...]
    links: dict[str, str]


@functools.cache
def python_folders() -> PythonFolders:
    """The folders of this Python, its virtual environment and what that one was made from."""
    named = {sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix}
    folders = {folder for name in named for folder in (name, str(Path(name).resolve()))}
    if any(folder.startswith("/nix/store/") for folder in folders):
        folders.add("/nix/store")
    never = {"/", str(Path.home()), *(str(p) for p in Path.home().parents)}
    kept = sorted(f for f in folders if f not in never and not _below(f, "/usr"))
    kept = [f for f in kept if not any(_below(f, other) for other in kept if other != f)]
    links: dict[str, str] = {}
    here = sys.executable
    while Path(here).is_symlink() and len(links) < 40:
        target = str(Path(here).readlink())
        if not any(_below(here, f) for f in (*kept, "/usr", *_SYSTEM)):
            links[here] = target
        here = os.path.normpath(Path(here).parent / target)
    return PythonFolders(tuple(kept), links)


@functools.cache
def _bwrap() -> tuple[str, frozenset[str]]:
    bwrap = shutil.which("bwrap")
    if bwrap is None:
        raise MomusError("bubblewrap is not installed: install the package bubblewrap")
    told = subprocess.run([bwrap, "--help"], capture_output=True, text=True, timeout=10, check=False).stdout
    return bwrap, frozenset(word for word in told.split() if word.startswith("--"))


@functools.cache
def _system() -> tuple[str, ...]:
    argv = ["--ro-bind", "/usr", "/usr"]
    for name in _SYSTEM:
        path = Path(name)
        if path.is_symlink():
            argv += ["--symlink", str(path.readlink()), name]
        elif path.is_dir():
            argv += ["--ro-bind", name, name]
    for name in _LOADER:
        argv += ["--ro-bind-try", name, name]
    return tuple(argv)


def _below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder + "/")
