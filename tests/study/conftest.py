"""One run of the tiny study, for all tests that read what it left."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from momus.cli.study import command

TINY = Path(__file__).parents[2] / "study" / "tiny.toml"


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("study") / "tiny"
    result = CliRunner().invoke(command, [str(TINY), "--out", str(out)], catch_exceptions=False)
    assert result.exit_code == 0
    assert "| `ppo+fsbs@50` |" in result.output and "simulated" in result.output
    return out
