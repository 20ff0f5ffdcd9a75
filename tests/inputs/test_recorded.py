"""Calls that tests make, recorded while they run in the real sandbox."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from momus.inputs.calls import calls_for
from momus.inputs.recorded import calls_in_tests
from momus.records import Surroundings, Task

CODE = """class Box:
    def __init__(self, n=1):
        self.n = n

    def add(self, k, *, twice=False):
        return self.n + k

    @staticmethod
    def of(k):
        return k


def clamp(x, high):
    return min(x, high)
"""
TESTS = """import pytest
from app.core import Box, clamp

@pytest.mark.parametrize("x", [7, 9])
def test_clamp(x):
    assert clamp(x, 3) == 4  # that it fails is nobody's business

def test_box(tmp_path):
    assert Box(4).add(2, twice=True) == 6
    Box.of(3)
    clamp(object(), 2)
"""


@pytest.fixture(autouse=True)
def _sandbox_present() -> None:
    if shutil.which("bwrap") is None and shutil.which("sandbox-exec") is None and os.environ.get("CI") != "true":
        pytest.skip("bubblewrap is not installed: tests are run in the real sandbox")


def recorded(tests: str, timeout_s: float = 60) -> list[str]:
    files = {"src/app/__init__.py": "", "src/app/core.py": CODE, "tests/test_core.py": tests}
    return calls_in_tests(files, "src/app/core.py", ["tests/test_core.py"], ["src", "."], timeout_s=timeout_s)


def test_calls_with_literals_are_told_as_they_could_be_written() -> None:
    assert recorded(TESTS) == ["clamp(7, 3)", "clamp(9, 3)", "Box(4).add(2, twice=True)", "Box.of(3)"]


def test_hostile_tests_touch_nothing_and_tell_nothing(tmp_path: Path) -> None:
    kept = tmp_path / "kept.txt"
    kept.write_text("here")
    hostile = f"""import os, shutil, socket
from app.core import clamp

def test_deletes():
    clamp(1, 2)
    shutil.rmtree({str(tmp_path)!r}, ignore_errors=True)
    open({str(kept)!r}, "w").write("gone")

def test_calls_home():
    socket.create_connection(("192.0.2.1", 80), timeout=1)
    clamp(5, 6)

def test_forges():
    os.write(1, b'["clamp(8, 8)"]')
    clamp(3, 4)
"""
    assert recorded(hostile) == ["clamp(1, 2)", "clamp(3, 4)"]
    assert kept.read_text() == "here"
    assert recorded("while True:\n    pass\n", timeout_s=2) == []
    assert recorded("import os\nos._exit(0)\n") == []


def test_only_calls_of_the_unit_are_inputs_and_nothing_but_literals() -> None:
    lines = tuple(range(13, 15))
    task = Task(
        id="t",
        question="",
        answer="".join(CODE.splitlines(keepends=True)[12:14]),
        surroundings=Surroundings(code=CODE, lines=lines),
    )
    tested = ["clamp(7, 3)", "Box.of(3)", "clamp(__import__('os').getpid(), 1)", "not python("]
    found = [call.code for call in calls_for(task, budget=10, tested=tested) if call.origin == "test"]
    assert found == ["clamp(7, 3)"]
