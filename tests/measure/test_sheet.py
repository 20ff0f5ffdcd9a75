"""Comments for a judge: what is drawn, what the judge sees, and how verdicts are counted."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from momus.cli.measure import command
from momus.critics import open_critic
from momus.critique import Comment, Critique, Span
from momus.errors import MomusError
from momus.measure import small_bugs
from momus.measure.datasets import twin_of
from momus.measure.sheet import comments, count, draw, write_sheet
from momus.records import Sampled, Task


class First:
    """Says something of the first line of code, right or not."""

    name, version = "first", "1"

    def critique(self, tasks: Iterable[Task], *, n: int = 1, seed: int) -> Iterator[Sampled]:
        for task in tasks:
            end = task.answer.index("\n")
            yield Sampled(task_id=task.id, critic=self.name, critique=Critique((Comment(Span(0, end), "Wrong."),)))


def test_draws_first_comments_in_the_right_place_and_all_of_clean_code(tmp_path: Path) -> None:
    bugs = small_bugs()
    everything = open_critic("random")
    right = comments(everything, {"small": bugs}, "right", seed=0, runs=tmp_path)
    assert 0 < len(right) < len(bugs)
    clean = [twin_of(bug) for bug in bugs]
    assert len(comments(First(), {"small": clean}, "shown", seed=0, runs=tmp_path)) == len(clean)
    assert comments(First(), {"small": clean}, "right", seed=0, runs=tmp_path) == []
    assert draw(right, 3, 1) == draw(right, 3, 1) and len(draw(right, 1000, 0)) == len(right)


def test_a_judge_sees_neither_label_nor_twin_nor_origin(tmp_path: Path) -> None:
    found = comments(First(), {"small": [twin_of(bug) for bug in small_bugs()]}, "shown", seed=0, runs=tmp_path)
    sheet = tmp_path / "sheet.jsonl"
    write_sheet(sheet, found[:2], {"seed": 0})
    rows = [json.loads(line) for line in sheet.read_text().splitlines()]
    assert [row["n"] for row in rows] == [1, 2]
    assert set(rows[0]) == {
        *("n", "question", "context", "code", "line", "highlight", "category", "severity", "text", "suggestion")
    }
    key = json.loads(sheet.with_suffix(".key.json").read_text())
    assert key["seed"] == 0 and key["origin"]["1"] == ["small", found[0].task.id]


def test_counts_verdicts_with_an_exact_interval(tmp_path: Path) -> None:
    said = count([{"verdict": "useful"}] * 9 + [{"verdict": "false"}])
    assert (said["n"], said["useful"], said["true"], said["false"]) == (10, 9, 0, 1)
    assert said["share"]["low"] == pytest.approx(0.555, abs=1e-3) and said["share"]["high"] == pytest.approx(
        0.9975, abs=1e-3
    )
    with pytest.raises(MomusError, match="'good' is no verdict"):
        count([{"verdict": "good"}])
    path = tmp_path / "verdicts.jsonl"
    path.write_text('{"judged_by": "somebody"}\n{"n": 1, "verdict": "true"}\n')
    result = CliRunner().invoke(command, ["sheet", "--count", str(path)])
    assert result.exit_code == 0 and json.loads(result.output)["true"] == 1
