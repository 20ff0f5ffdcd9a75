"""`momus review --critic examples`: docstrings of a file, run in that file; what had no examples is counted."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from momus.cli.review import command
from momus.review.config import Config, ConfigError

FILE = '''"""Sizes."""

import math

UNIT = 2


def doubled(x):
    """Twice a number.

    >>> doubled(4)
    8
    """
    return scaled(x) + 1


def scaled(x):
    return math.floor(x * UNIT)


class Box:
    def __init__(self, size):
        self.size = size

    def grow(self):
        """Grow by one.

        >>> b = Box(1)
        >>> b.grow()
        2
        """
        self.size += 1
        return self.size


if __name__ == "__main__":
    raise SystemExit(9)
'''


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    if shutil.which("bwrap") is None and shutil.which("sandbox-exec") is None and os.environ.get("CI") != "true":
        pytest.skip("bubblewrap is not installed: examples are run in the real sandbox")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MOMUS_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path


def review(*options: str) -> Result:
    return CliRunner().invoke(command, ["--critic", "examples", *options], standalone_mode=False)


def test_a_docstring_is_run_in_its_file_and_units_without_one_are_counted(work: Path) -> None:
    (work / "sizes.py").write_text(FILE)
    ran = review("sizes.py")
    assert ran.return_value == 1
    assert "sizes.py:14:5: wrong-return high" in ran.output
    assert "`doubled(4)` gives 9; the docstring promises 8." in " ".join(ran.output.split())
    assert "1 finding" in ran.output and "2 of 5 units had examples, the others were not reviewed" in ran.output


def test_where_nothing_has_an_example_nothing_was_reviewed(work: Path) -> None:
    (work / "bare.py").write_text("def f(x):\n    return x\n")
    ran = review("bare.py")
    assert ran.return_value == 2
    assert "0 of 1 unit had examples, the others were not reviewed" in ran.output


def test_a_file_that_cannot_be_loaded_by_itself_is_no_finding(work: Path) -> None:
    (work / "part.py").write_text("from . import other\n\n\ndef f(x):\n    '''f(1) == 2'''\n    return x\n")
    ran = review("part.py")
    assert ran.return_value == 2 and "No findings" in ran.output and "can't be loaded" in " ".join(ran.output.split())


@pytest.mark.parametrize("options", [("--no-run",), ("--config", "run=false")])
def test_with_running_turned_off_examples_are_not_run(work: Path, options: tuple[str, ...]) -> None:
    (work / "sizes.py").write_text(FILE)
    ran = review("sizes.py", *options)
    assert ran.return_value == 2 and "turned off" in " ".join(ran.output.split())


def test_a_repository_can_turn_running_off_for_its_files(work: Path) -> None:
    (work / "sizes.py").write_text(FILE)
    (work / "momus.toml").write_text("run = false\n")
    assert review("sizes.py").return_value == 2
    assert review("sizes.py", "--config", "run=true").return_value == 1


@pytest.mark.parametrize("text", ["run = true\n", 'critic = "examples"\n'])
def test_a_repository_can_never_turn_running_on(work: Path, text: str) -> None:
    (work / "momus.toml").write_text(text)
    with pytest.raises(ConfigError, match="never on"):
        Config(environment={"HOME": str(work)}).near(work / "a.py")
