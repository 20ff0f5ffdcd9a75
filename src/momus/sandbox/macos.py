"""macOS: a profile for the system's own `sandbox-exec`. Written from its documentation and never run on a Mac yet.

The self-test decides whether it holds; where it does not, nothing is run.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from momus.errors import MomusError
from momus.folders import program
from momus.sandbox.limits import Limits, limited

_READABLE = (
    "/usr/lib",
    "/usr/share",
    "/System",
    "/Library/Frameworks",
    "/private/var/db/dyld",
    "/dev/null",
    "/dev/urandom",
)


def profile(folder: str) -> str:
    """The profile: nothing is allowed but reading the system and Python, and writing below one folder."""
    named = {sys.prefix, sys.base_prefix, *_READABLE, folder}
    readable = sorted({str(Path(name).resolve()) for name in named} | named)
    reads = " ".join(f"(subpath {json.dumps(path)})" for path in readable)
    return "\n".join(
        [
            "(version 1)",
            "(deny default)",
            "(deny network*)",
            "(allow process-fork)",
            "(allow process-exec)",
            "(allow signal (target same-sandbox))",
            "(allow sysctl-read)",
            "(allow file-read-metadata)",
            f"(allow file-read* {reads})",
            f"(allow file-write* (subpath {json.dumps(str(Path(folder).resolve()))}))",
            '(allow file-write-data (literal "/dev/null"))',
        ]
    )


def command(folder: str, limits: Limits) -> list[str]:
    """The command line of one run of `answer.py` in a folder. Raises MomusError where sandbox-exec is gone."""
    tool = program("sandbox-exec")
    if tool is None:
        raise MomusError("sandbox-exec is not on PATH: run momus in a Linux container with bubblewrap")
    inner = limited([sys.executable, "-s", "-P", f"{folder}/answer.py"], limits, count_processes=False)
    return [tool, "-p", profile(folder), *inner]
