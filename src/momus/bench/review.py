"""`momus review`, model load included, against pylint: one small clean file, 100 clean files, and what a bug costs."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from momus.bench import Goal, Outcome, Say, clean_files
from momus.bench.process import Used, best_of, measure
from momus.errors import MissingExtra

FILES = 100
FILE_GOAL, FOLDER_GOAL, MEMORY_GOAL_MB = 2.0, 3.0, 600.0
_SMALL = '''"""Count words."""


def count_words(text):
    """Return how often each word of a text occurs, words in lower case."""
    counts = {}
    for word in text.lower().split():
        counts[word] = counts.get(word, 0) + 1
    return counts


def most_common(text):
    """Return the most frequent word, or None for an empty text."""
    counts = count_words(text)
    if not counts:
        return None
    return max(counts, key=counts.get)
'''


def bench(*, seed: int = 0, say: Say = lambda line: None, files: int = FILES, critic: str = "bundled") -> Outcome:
    """Time both tools on the same files, without caches. Raises MissingExtra without pylint or ONNX Runtime."""
    for package, extra in (("pylint", "linters"), ("onnxruntime", "bundled")):
        if find_spec(package) is None:
            raise MissingExtra("the bench of reviews against pylint", extra)
    with tempfile.TemporaryDirectory(prefix="momus-bench-") as name:
        folder = Path(name)
        small = folder / "small"
        small.mkdir()
        (small / "words.py").write_text(_SMALL, encoding="utf-8")
        clean = folder / "clean"
        clean.mkdir()
        written = clean_files.write(clean, files)
        lines = sum(path.read_text(encoding="utf-8").count("\n") for path in written)
        say("one small file")
        file_ours = best_of(3, _momus(small, critic, seed), cwd=folder, good=(0, 1))
        file_peer = best_of(3, _pylint(small), cwd=folder, good=range(32))
        say(f"{files} clean files")
        folder_ours = measure(_momus(clean, critic, seed), cwd=folder, good=(0, 1))
        folder_peer = measure(_pylint(clean), cwd=folder, good=range(32))
        say("files with bugs")
        flagged = _flagged_cost(folder, critic, seed)
    peak = max(file_ours.peak_mb, folder_ours.peak_mb, flagged["peak_mb"])
    goals = [
        Goal("one small clean file, of pylint's CPU", _ratio(file_ours, file_peer), "at most", FILE_GOAL, "x"),
        Goal(f"{files} clean files, of pylint's CPU", _ratio(folder_ours, folder_peer), "at most", FOLDER_GOAL, "x"),
        Goal("peak memory", round(peak, 1), "at most", MEMORY_GOAL_MB, "MB"),
    ]
    figures = {
        "critic": critic,
        "small_file": {"momus": _figures(file_ours), "pylint": file_peer.figures()},
        "clean_folder": {
            "files": files,
            "lines": lines,
            "momus": _figures(folder_ours),
            "pylint": folder_peer.figures(),
        },
        "flagged": flagged,
    }
    return Outcome("review", goals, figures, ("numpy", "onnxruntime", "pylint"))


def _momus(folder: Path, critic: str, seed: int) -> list[str]:
    options = ["--critic", critic, "--seed", str(seed), "--isolated", "--no-cache", "--json"]
    return [sys.executable, "-m", "momus", "review", *options, str(folder)]


def _pylint(folder: Path) -> list[str]:
    # no settings of whoever runs this, one process; its exit code counts kinds of messages
    options = ["--jobs=1", "--rcfile=/dev/null", "--persistent=n", "--score=n"]
    return [sys.executable, "-m", "pylint", *options, *map(str, sorted(folder.glob("*.py")))]


def _ratio(ours: Used, peer: Used) -> float:
    return round(ours.cpu_s / peer.cpu_s, 2)


def _figures(used: Used) -> dict[str, Any]:
    files = json.loads(used.stdout)["files"]
    units = sum(file["units"] for file in files)
    return {**used.figures(), "units": units, "findings": sum(len(file["findings"]) for file in files)}


def _flagged_cost(folder: Path, critic: str, seed: int) -> dict[str, Any]:
    """CPU-seconds of a file that got comments beyond those of starting and of the files that got none."""
    from momus.measure.datasets import small_bugs

    every, silent = folder / "bugs", folder / "silent"
    for place in (every, silent):
        place.mkdir()
    for i, tamper in enumerate(small_bugs()):
        (every / f"bug_{i:03}.py").write_text(tamper.task.answer, encoding="utf-8")
    whole = measure(_momus(every, critic, seed), cwd=folder, good=(0, 1))
    files = json.loads(whole.stdout)["files"]
    flagged = [Path(file["path"]).name for file in files if file["findings"] or file["hidden"]]
    rest = sorted(path for path in every.iterdir() if path.name not in flagged)
    figures: dict[str, Any] = {"files": len(files), "flagged": len(flagged), **whole.figures(), "cpu_s_each": None}
    if flagged and rest:
        _copy(rest, silent)
        without = measure(_momus(silent, critic, seed), cwd=folder, good=(0, 1))
        figures["cpu_s_each"] = round((whole.cpu_s - without.cpu_s) / len(flagged), 3)
    return figures


def _copy(paths: Sequence[Path], folder: Path) -> None:
    for path in paths:
        (folder / path.name).write_bytes(path.read_bytes())
