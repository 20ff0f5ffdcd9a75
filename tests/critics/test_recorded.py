"""A critic out of a file says what it said, and nothing of what it was not asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from momus.critics.recorded import open_recorded
from momus.critique import Comment, Critique, Span
from momus.errors import MomusError
from momus.measure.runs import gather
from momus.records import Sampled, Task, write_jsonl


def test_each_critic_of_a_file_says_what_it_said(tmp_path: Path) -> None:
    tasks = [Task(id=name, question="", answer="x = 1") for name in ("a", "b")]
    said = Critique((Comment(Span(0, 1), "Wrong."),))
    rows = [Sampled(task_id="a", critic="one", critique=said), Sampled(task_id="a", critic="one", i=1)]
    rows += [Sampled(task_id=name, critic="two") for name in ("b", "a")]
    write_jsonl(tmp_path / "c.jsonl", rows)
    one, two = open_recorded([tmp_path / "c.jsonl"])
    assert [(s.task_id, s.i, s.critique) for s in one.critique(tasks, n=2, seed=9)] == [
        ("a", 0, said),
        ("a", 1, Critique()),
    ]
    assert [s.task_id for s in two.critique(tasks, seed=0)] == ["a", "b"]
    assert gather(one, tasks, seed=0)["b"].error is not None, "what it was not asked is no silence"
    with pytest.raises(MomusError, match="can't read"):
        open_recorded([tmp_path / "none.jsonl"])
