"""Which lines of the code an example runs: a guess at where to look, from inside the process that the code runs in."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from momus.decode import from_json
from momus.inputs import trace
from momus.inputs.example import Example
from momus.inputs.programs import FILE, as_function, runs_whole
from momus.sandbox import run

WALL_S = 60
MEMORY_MB = 1024


@dataclass(frozen=True, slots=True)
class Places:
    """Lines of the code, 1-based, in the order in which they last ran; `last`: where the outermost call ended."""

    lines: tuple[int, ...] = ()
    last: int | None = None


def places_of(code: str, prelude: str, example: Example, *, sandbox: str = "auto") -> Places:
    """Run one example under a trace. Raises MomusError where there is no sandbox."""
    whole = runs_whole(code, [example.call])
    request = {
        "code": as_function(code) if whole else code,
        "traced": FILE if whole else trace.CODE,
        "prelude": prelude,
        "setup": example.setup,
        "call": example.call,
    }
    outcome = run(
        Path(trace.__file__).read_text(encoding="utf-8"),
        stdin=json.dumps(request),
        timeout_s=WALL_S,
        memory_mb=MEMORY_MB,
        output_bytes=2_000_000,
        mode=sandbox,
    )
    try:
        said = from_json(outcome.stdout)
        most = code.count("\n") + 1
        lines = tuple(line for line in said["executed"] if type(line) is int and 1 <= line <= most)
        last = said["last"]
    except (ValueError, LookupError, TypeError, RecursionError):
        return Places()
    return Places(lines, last if type(last) is int and 1 <= last <= most else None)
