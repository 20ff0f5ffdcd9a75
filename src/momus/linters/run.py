"""Runs a linter on code in an empty folder of its own, where it meets no configuration, plugin or neighbour."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path, PurePath

from momus.critique import TextMap
from momus.errors import MissingExtra, MomusError
from momus.folders import program
from momus.linters.tools import LINTERS, NAMES, Linter, LintWarning, parser_stops

_TIMEOUT_S = 300
_BATCH = 500
_SETTINGS = ("PYTHON", "MYPY", "PYLINT", "PYRIGHT", "RUFF", "BANDIT")


def available() -> list[str]:
    """The linters that are installed beside this Python or on PATH."""
    return [name for name in NAMES if _find(name) is not None]


def run(name: str, code: str, filename: str = "answer.py") -> list[LintWarning]:
    """The warnings of one linter on one text, in order. Of the file's name only `.pyi` matters.

    Raises MissingExtra where it is not installed, MomusError on an unknown name or where it fails.
    """
    return run_many(name, [code], filename)[0]


def run_many(name: str, codes: Sequence[str], filename: str = "answer.py") -> list[list[LintWarning]]:
    """The warnings on each of many texts, by as few processes as can be. Raises as `run` does."""
    if name not in LINTERS:
        raise MomusError(f"there is no linter {name!r}: choose one of {', '.join(NAMES)}")
    tool = _find(name)
    if tool is None:
        raise MissingExtra(f"the linter {name}", "linters")
    linter = LINTERS[name]
    results: list[list[LintWarning]] = [[] for _ in codes]
    for batch in _batches(linter, codes):
        found = _check(name, linter, tool, [codes[i] for i in batch], PurePath(filename).suffix == ".pyi")
        for i, those in zip(batch, found, strict=True):
            results[i] = those
    return results


def _find(name: str) -> str | None:
    beside = Path(sys.executable).with_name(name)
    return str(beside) if beside.is_file() else program(name)


def _batches(linter: Linter, codes: Sequence[str]) -> list[list[int]]:
    broken = [i for i, code in enumerate(codes) if linter.one_broken_stops_all and parser_stops(code) is not None]
    whole = sorted(set(range(len(codes))) - set(broken))
    return [*(whole[at : at + _BATCH] for at in range(0, len(whole), _BATCH)), *([i] for i in broken)]


def _check(name: str, linter: Linter, tool: str, codes: list[str], stubs: bool) -> list[list[LintWarning]]:
    with tempfile.TemporaryDirectory(prefix="momus-") as folder:
        # Names that no module has: some linters put the folder on their own import path, and would run what they
        # find there in place of a module of theirs.
        names = [f"momus_answer_{i}{'.pyi' if stubs else '.py'}" for i in range(len(codes))]
        for file, code in zip(names, codes, strict=True):
            Path(folder, file).write_bytes(code.encode("utf-8", "replace"))
        for file, content in linter.files.items():
            Path(folder, file).write_text(content)
        files = [] if linter.files else names  # with a project file, the project names them
        output = _output(name, linter, [tool, *linter.arguments, *files], folder)
    found: dict[str, set[LintWarning]] = {file: set() for file in names}
    try:
        texts = {file: TextMap(code) for file, code in zip(names, codes, strict=True)}
        for file, warning in linter.read(output, texts):
            found[file].add(warning)
    except (ValueError, KeyError, TypeError, IndexError) as error:
        said = f"{error!r}; {(output.strip().splitlines() or ['nothing'])[0][:200]}"
        home = os.environ.get("HOME", "")  # what is told here goes into files of results, which others read
        said = said.replace(home, "~") if len(home) > 1 else said
        raise MomusError(f"{name} said what can't be read ({said}): update it, or leave it out") from None
    return [sorted(found[file], key=_order) for file in names]


def _output(name: str, linter: Linter, command: list[str], folder: str) -> str:
    env = {key: value for key, value in os.environ.items() if not key.startswith(_SETTINGS)}
    env |= {"PYTHONSAFEPATH": "1", "PYTHONUTF8": "1", "NO_COLOR": "1"}
    if name != "pyright":  # without its extra it keeps a whole Node.js there
        env["XDG_CACHE_HOME"] = folder
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise MomusError(f"{name} took more than {_TIMEOUT_S} s: review less at once, or leave it out") from None
    except OSError as error:
        raise MomusError(f"{name} does not start ({error}): install it again") from None
    if done.returncode < 0 or not linter.clean_codes(done.returncode) or (done.returncode and not done.stdout.strip()):
        said = (done.stderr.strip() or done.stdout.strip() or "it said nothing").splitlines()[-1][:300]
        raise MomusError(f"{name} failed with exit code {done.returncode} ({said}): update it, or leave it out")
    return done.stdout


def _order(warning: LintWarning) -> tuple[int, int, str, str]:
    return warning.line, warning.column, warning.rule, warning.message
