"""The log of PPO: lines of JSON, and TensorBoard beside them, both taken up at the step that was kept."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from momus.train.ppo.watch import Log


def test_tensorboard_holds_what_the_lines_hold_and_forgets_what_is_measured_again(tmp_path: Path) -> None:
    first = Log(tmp_path, 0)
    for step, score in ((1, 0.25), (2, 0.5), (3, 9.0)):
        first.write({"step": step, "score": score})
    again = Log(tmp_path, 2)  # killed in step 3, which is done again
    again.write({"step": 3, "score": 0.75})
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
    assert lines == [{"step": step, "score": score} for step, score in ((1, 0.25), (2, 0.5), (3, 0.75))]
    board = EventAccumulator(str(tmp_path / "tensorboard"))
    board.Reload()
    assert "ppo/score" in board.Tags()["scalars"]
    shown = [(event.step, event.value) for event in board.Scalars("ppo/score")]
    assert shown == [(1, pytest.approx(0.25)), (2, pytest.approx(0.5)), (3, pytest.approx(0.75))]
