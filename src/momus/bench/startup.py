"""Starting: `momus --help` beside other tools' shortest answers, and what loading a model takes."""

from __future__ import annotations

import json
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from momus.bench import Goal, Outcome, Say
from momus.bench.decode import prepare
from momus.bench.process import best_of, measure
from momus.bench.random_weights import ARCH_44M
from momus.errors import MissingExtra

LOAD_GOAL_S = 1.0
_RUNS = 5
_TOOLS = {
    "python -c pass": ["-c", "pass"],
    "momus --help": ["-m", "momus", "--help"],
    "ruff --version": ["-m", "ruff", "--version"],
    "pylint --version": ["-m", "pylint", "--version"],
}
# imports and the model apart: the promise is about the model
_LOAD = """
import json, sys, time
began = time.perf_counter(), time.process_time()
from pathlib import Path
from momus.models.arch import Arch
from momus.models.onnx_backend import OnnxRuntime, library
library()
ready = time.perf_counter(), time.process_time()
folder = Path(sys.argv[1])
arch = Arch.from_dict(json.loads((folder / "arch.json").read_text()))
OnnxRuntime(folder / "8", arch, json.loads((folder / "8" / "index.json").read_text()))
done = time.perf_counter(), time.process_time()
print(json.dumps({
    "import_wall_s": ready[0] - began[0], "import_cpu_s": ready[1] - began[1],
    "load_wall_s": done[0] - ready[0], "load_cpu_s": done[1] - ready[1],
}))
"""


def bench(*, seed: int = 0, say: Say = lambda line: None) -> Outcome:
    """Time the shortest commands, and load a 44M model of random weights (where `onnx` is there to write it).

    Raises MissingExtra without ONNX Runtime.
    """
    if find_spec("onnxruntime") is None:
        raise MissingExtra("the bench of starting", "bundled")
    commands: dict[str, Any] = {}
    for name, arguments in _TOOLS.items():
        if arguments[0] == "-m" and find_spec(arguments[1]) is None:
            continue
        say(name)
        used = best_of(_RUNS, [sys.executable, *arguments])
        commands[name] = {"cpu_s": round(used.cpu_s, 3), "wall_s": round(used.wall_s, 3)}
    figures: dict[str, Any] = {"commands": commands}
    goals = []
    if find_spec("onnx") is not None:
        say("loading a model of 44M weights")
        figures["load_44m"] = _load_44m(seed)
        goals.append(Goal("loading 44M weights, CPU", figures["load_44m"]["load_cpu_s"], "at most", LOAD_GOAL_S, "s"))
    return Outcome("startup", goals, figures, ("numpy", "onnxruntime", "ruff", "pylint"))


def _load_44m(seed: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory(prefix="momus-bench-") as name:
        prepare(ARCH_44M, Path(name), seed, ("8",))
        runs = [measure([sys.executable, "-c", _LOAD, name]) for _ in range(3)]
    best = min((json.loads(run.stdout.splitlines()[-1]) for run in runs), key=lambda found: found["load_cpu_s"])
    return {key: round(value, 3) for key, value in best.items()} | {"peak_mb": round(min(r.peak_mb for r in runs), 1)}
