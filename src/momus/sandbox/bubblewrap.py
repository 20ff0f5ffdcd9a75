"""The wall: bubblewrap gives the program its own namespaces, a read-only system, a small /tmp, and nothing else.

No network but its own loopback, no process but its own, no file of the caller's but Python itself.
"""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from momus.errors import MomusError
from momus.folders import program
from momus.sandbox.identity import Stage, is_root
from momus.sandbox.limits import ENVIRONMENT, PROGRAM, Limits, limited

_LIBRARIES = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
_SYSTEM = tuple(f"/{name}" for name in _LIBRARIES)
# Not the whole of /usr: people put projects below /usr/src and /usr/local, with their secrets.
_USR = (*(f"/usr/{name}" for name in _LIBRARIES), "/usr/share/zoneinfo")
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
    stage = Stage(list(python.folders)) if is_root() else None
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
    for folder, parts in python.folders.items():
        place = stage.place(folder) if stage else folder
        for part in parts:
            argv += ["--ro-bind", f"{place}/{part}", f"{folder}/{part}"]
    for link, target in python.links.items():
        argv += ["--symlink", target, link]
    argv += ["--ro-bind-data", str(program_fd), PROGRAM, "--chdir", "/tmp", "--remount-ro", "/dev", "--remount-ro", "/"]
    free = next(fd for fd in range(3, 10) if fd not in kept_fds)
    first = ["/bin/sh", "-c", _FIRST.format(fd=free), "sh"]
    argv += ["--", *limited([*first, sys.executable, "-s", "-P", PROGRAM], limits, count_processes=True)]
    return stage.command(argv) if stage else argv


@dataclass(frozen=True, slots=True)
class PythonFolders:
    """What has to be there for `sys.executable` to start: parts of folders to bind, and links to make again."""

    folders: dict[str, tuple[str, ...]]
    links: dict[str, str]


@functools.cache
def python_folders() -> PythonFolders:
    """The folders of this Python, its virtual environment and what that one was made from, each with what is shown.

    A virtual environment may stand in a project's own folder: of that no more is shown than Python itself.
    """
    named = {sys.prefix, sys.exec_prefix}
    bases = {sys.base_prefix, sys.base_exec_prefix}
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    of_environment = ("pyvenv.cfg", "bin", f"lib/{version}", f"lib64/{version}")
    folders: dict[str, tuple[str, ...]] = {}
    links: dict[str, str] = {}
    for name in sorted(named | bases):
        for folder in dict.fromkeys((name, str(Path(name).resolve()))):
            wanted: tuple[str, ...] = ("bin", "lib", "lib64") if name in bases else of_environment
            if folder in ("/", "/usr"):
                continue
            if folder.startswith("/nix/store/"):
                folders["/nix/store"] = (".",)
                continue
            lib64 = Path(folder, "lib64")
            if lib64.is_symlink():
                links[str(lib64)] = str(lib64.readlink())
                wanted = tuple(part for part in wanted if not part.startswith("lib64"))
            folders[folder] = tuple(part for part in wanted if Path(folder, part).exists())
    system = Path("/usr/local/lib", version)  # where a system's Python finds what was installed beside it
    if system.is_dir() and "/usr/local" not in folders:
        folders["/usr/local"] = (f"lib/{version}",)
    shown = [*(f"{folder}/{part}" for folder, parts in folders.items() for part in parts), *_USR, *_SYSTEM]
    here = sys.executable
    for _ in range(40):
        if not Path(here).is_symlink():
            break
        target = str(Path(here).readlink())
        if not any(_below(here, each) for each in shown):
            links[here] = target
        here = os.path.normpath(Path(here).parent / target)
    return PythonFolders(folders, links)


@functools.cache
def _bwrap() -> tuple[str, frozenset[str]]:
    bwrap = program("bwrap")
    if bwrap is None:
        raise MomusError("bubblewrap is not installed: install the package bubblewrap")
    told = subprocess.run([bwrap, "--help"], capture_output=True, text=True, timeout=10, check=False).stdout
    return bwrap, frozenset(word for word in told.split() if word.startswith("--"))


@functools.cache
def _system() -> tuple[str, ...]:
    argv: list[str] = []
    for name in (*_USR, *_SYSTEM):
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
