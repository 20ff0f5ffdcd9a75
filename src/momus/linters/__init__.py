"""ruff, pylint, pyright, mypy and bandit as data: warnings by span. They read the code and never run it."""

from momus.linters.run import available, run, run_many
from momus.linters.tools import NAMES, LintWarning

__all__ = ["NAMES", "LintWarning", "available", "run", "run_many"]
