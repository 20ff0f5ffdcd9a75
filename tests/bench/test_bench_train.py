"""The bench of training: every contestant goes through the same batches, and computes what the others compute."""

from __future__ import annotations

import pytest

from momus.bench import train
from momus.train.examples import Kind


def test_every_contestant_is_timed_on_the_same_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        train, "ARCH", {"hidden": 32, "layers": 1, "heads": 2, "kv_heads": 1, "head_dim": 16, "ffn": 48}
    )
    monkeypatch.setattr(train, "VOCAB", 64)
    monkeypatch.setattr(train, "MICRO_TOKENS", 256)
    monkeypatch.setattr(train, "LENGTHS", (30, 60))
    outcome = train.bench(steps=2)
    contestants = outcome.figures["contestants"]
    assert set(contestants) == {train.OURS, train.FUSED, train.PEER}
    seen = {each["tokens_per_cpu_s"] * each["cpu_s_per_step"] * 2 for each in contestants.values()}
    assert max(seen) - min(seen) < 0.01 * max(seen), "tokens of the two steps, but for what rounding takes"
    ours = contestants[train.OURS]["cpu_s_per_step"]
    assert outcome.goals[0].value == pytest.approx(
        contestants[train.FUSED]["cpu_s_per_step"] / ours, rel=0.02, abs=0.01
    )


def test_a_batch_is_padded_on_the_right_and_every_line_is_judged() -> None:
    batch = train._batch(train.np.random.default_rng(3))
    there = batch.kinds != Kind.NONE
    assert (there[:, :-1] >= there[:, 1:]).all()
    assert (batch.ids[~there] == 0).all()
    lines = (batch.kinds == Kind.SCAN).sum(1)
    assert (lines == there.sum(1) // train.LINE).all()
