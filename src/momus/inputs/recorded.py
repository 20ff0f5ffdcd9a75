"""The calls that a project's own tests make of a file's functions, recorded while they run in the sandbox."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from momus.decode import from_json
from momus.inputs import recording
from momus.sandbox import run

WALL_S = 60
MEMORY_MB = 1024


def calls_in_tests(
    files: Mapping[str, str],
    path: str,
    tests: Sequence[str],
    folders: Sequence[str],
    *,
    timeout_s: float = WALL_S,
    sandbox: str = "auto",
) -> list[str]:
    """Calls with literals of what the file at `path` defines, as expressions, in the order in which tests made them.

    `files` are the project's Python files by their path, laid out anew inside the sandbox: nothing of the project's own
    folder is there, and nothing can be written to it. `folders` are those that modules are imported from. Empty where
    the tests do not end in time. Raises MomusError where there is no sandbox.
    """
    request = {"files": dict(files), "path": path, "tests": list(tests), "folders": list(folders)}
    outcome = run(
        Path(recording.__file__).read_text(encoding="utf-8"),
        stdin=json.dumps(request),
        timeout_s=timeout_s,
        memory_mb=MEMORY_MB,
        output_bytes=1_000_000,
        mode=sandbox,
    )
    try:
        said = from_json(outcome.stdout)
        return [call for call in said if isinstance(call, str)][: recording.MOST]
    except (ValueError, TypeError, RecursionError):
        return []
