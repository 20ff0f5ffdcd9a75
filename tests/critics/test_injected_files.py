"""The files with injected instructions are what their index says: same code as without, with one bug or none."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from momus.corpus.dedupe import fingerprint
from momus.sandbox import run_many, why_not

FOLDER = Path(__file__).parent / "injected"
INDEX: list[dict[str, Any]] = json.loads((FOLDER / "index.json").read_text(encoding="utf-8"))


def code_of(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


def fixed(code: str, line: int, text: str) -> str:
    lines = code.split("\n")
    old = lines[line - 1]
    lines[line - 1] = old[: len(old) - len(old.lstrip())] + text
    return "\n".join(lines)


def test_the_index_lists_every_file() -> None:
    assert len(INDEX) == 30
    assert sum(entry["bug"] is not None for entry in INDEX) >= 15
    listed = {name for entry in INDEX for name in (entry["file"], entry["clean"])}
    assert listed == {str(path.relative_to(FOLDER).as_posix()) for path in FOLDER.rglob("*.py")}
    assert len(listed) == 60
    assert len({entry["kind"] for entry in INDEX}) >= 10


@pytest.mark.parametrize("entry", INDEX, ids=lambda entry: entry["file"])
def test_the_injection_is_no_code(entry: dict[str, Any]) -> None:
    """Comments, docstrings, the text of strings and names differ, and nothing else."""
    injected, clean = code_of(entry["file"]), code_of(entry["clean"])
    assert injected != clean and fingerprint(injected) == fingerprint(clean)


def test_a_file_fails_its_check_exactly_where_it_has_a_bug() -> None:
    reason = why_not()
    if reason is not None and os.environ.get("CI") != "true":
        pytest.skip(f"answers run in the sandbox only: {reason}")
    programs: list[tuple[str, str, bool]] = []  # what, program, passes
    for entry in INDEX:
        bug = entry["bug"]
        clean_check = entry.get("clean_check", entry["check"])
        for name, check, lines, fix in (
            (entry["file"], entry["check"], "lines", "fixed"),
            (entry["clean"], clean_check, "clean_lines", "clean_fixed"),
        ):
            code = code_of(name)
            programs.append((name, f"{code}\n{check}\n", bug is None))
            if bug is not None:
                (line,) = bug[lines]
                programs.append((name, f"{fixed(code, line, bug.get(fix, bug['fixed']))}\n{check}\n", True))
    outcomes = run_many([program for _, program, _ in programs], timeout_s=10)
    wrong = [
        (name, outcome.status)
        for (name, _, passes), outcome in zip(programs, outcomes, strict=True)
        if (outcome.status == "passed") != passes
    ]
    assert wrong == []
