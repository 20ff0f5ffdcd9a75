"""The overview of tables: a line for each list and critic, and one sentence for a file that is none."""

import json
from pathlib import Path

from click.testing import CliRunner

from momus.cli.measure import command
from momus.critics import open_critic
from momus.errors import MomusError
from momus.measure import measure, small_bugs


def test_a_line_for_each_list_and_critic(tmp_path: Path) -> None:
    critics = [open_critic("everything"), open_critic("empty")]
    found = measure(critics, small_bugs(), label="small set")
    file = tmp_path / "small.json"
    file.write_text(json.dumps({"schema_version": 1, "data": [found.to_json()]}))
    result = CliRunner().invoke(command, ["overview", str(file)])
    assert result.exit_code == 0
    header, _, *rows = result.output.splitlines()
    assert header.startswith("| list | critic | n |") and "found %" in header and "twins flagged %" in header
    assert len(rows) == 2 and rows[0].startswith(f"| small set | `everything` | {len(small_bugs())} |")
    assert "| 100 (" in rows[0] and "| 100 (" not in rows[1]


def test_critics_down_and_lists_across(tmp_path: Path) -> None:
    critics = [open_critic("everything"), open_critic("empty")]
    found = measure(critics, small_bugs(), [bug.task for bug in small_bugs()][:2], label="small set")
    file = tmp_path / "small.json"
    file.write_text(json.dumps({"schema_version": 1, "data": [found.to_json()]}))
    result = CliRunner().invoke(command, ["overview", "--across", str(file)])
    assert result.exit_code == 0
    header, _, everything, empty = result.output.splitlines()
    assert header == f"| critic | small set ({len(small_bugs())}) |"
    assert everything.startswith("| `everything` | ") and everything.endswith(" / 100 / 100 |")
    assert empty == "| `empty` | 0 / 0 / 0 |"


def test_another_file_is_one_sentence(tmp_path: Path) -> None:
    file = tmp_path / "other.json"
    file.write_text("[]")
    result = CliRunner().invoke(command, ["overview", str(file)])
    assert isinstance(result.exception, MomusError) and "holds no tables" in str(result.exception)
