"""Where we are root: become nobody in particular before anything else. Limits on processes do not bind root."""

from __future__ import annotations

import functools
import os
import pwd
import shlex
import stat
from collections.abc import Sequence
from pathlib import Path

from momus.errors import MomusError
from momus.folders import program

# A range that no distribution hands out (systemd's list of uids calls it unused), below 65536 so that it also exists
# in containers that map only so many.
_UNUSED = range(60706, 61184)
_STAGES = ("/mnt", "/media", "/srv", "/opt")


def is_root() -> bool:
    return os.geteuid() == 0


@functools.cache
def unused_uid() -> int:
    """A uid that nobody has. Raises MomusError where every one of the range is taken."""
    first = os.getpid() % len(_UNUSED)  # two runs of momus side by side had better differ
    candidates: list[int] = [*_UNUSED[first:], *_UNUSED[:first]]
    for uid in candidates:
        try:
            pwd.getpwuid(uid)
        except KeyError:
            return uid
    raise MomusError("every unprivileged uid from 60706 to 61183 is taken: run momus as an ordinary user")


def hidden_from_others(path: str) -> bool:
    """Whether a folder cannot be entered and read by a user who is neither its owner nor in its group."""
    here = Path(path)
    if not here.stat().st_mode & stat.S_IROTH:
        return True
    return any(not folder.stat().st_mode & stat.S_IXOTH for folder in (here, *here.parents))


class Stage:
    """Gives the new identity a view of folders that only root can reach (a Python under /root, say).

    They are bound below an empty folder, in a mount namespace that ends with the run.
    """

    def __init__(self, folders: Sequence[str]) -> None:
        self.hidden = [f for f in folders if hidden_from_others(f)]
        self._root = next((s for s in _STAGES if Path(s).is_dir() and not any(_inside(f, s) for f in folders)), None)
        if self.hidden and self._root is None:
            raise MomusError(
                "there is no empty folder to bind Python to: create /mnt, or run momus as an ordinary user"
            )

    def place(self, folder: str) -> str:
        """Where a folder is to be found after the change of identity."""
        return f"{self._root}/{self.hidden.index(folder)}" if folder in self.hidden else folder

    def command(self, command: list[str]) -> list[str]:
        """The command under the unused uid. Raises MomusError where util-linux is not installed."""
        tools = [program(name) for name in ("setpriv", "unshare", "mount")]
        if None in tools:
            raise MomusError("the sandbox needs setpriv, unshare and mount when run as root: install util-linux")
        setpriv, unshare, mount = (str(tool) for tool in tools)
        uid = str(unused_uid())
        dropped = [setpriv, f"--reuid={uid}", f"--regid={uid}", "--clear-groups", "--inh-caps=-all", "--", *command]
        if not self.hidden:
            return dropped
        root = shlex.quote(str(self._root))
        script = [f"{mount} -n -t tmpfs -o mode=755,size=64k tmpfs {root}"]
        for folder in self.hidden:
            place = shlex.quote(self.place(folder))
            script += [f"mkdir {place}", f"{mount} -n --bind {shlex.quote(folder)} {place}"]
        steps = " && ".join([*script, 'exec "$@"'])
        return [unshare, "--mount", "--propagation", "private", "--", "/bin/sh", "-c", steps, "sh", *dropped]


def _inside(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")
