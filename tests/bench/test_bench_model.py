"""`momus bench model`: both contestants run, and its goals are ratios of one run."""

from __future__ import annotations

from pathlib import Path

import pytest

from momus.bench import model as bench
from momus.errors import MissingExtra
from tiny_local import TinyLocal


@pytest.mark.slow
def test_both_contestants_read_and_write(tiny_local: TinyLocal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOMUS_CACHE_DIR", str(tiny_local.folder / "cache"))
    outcome = bench.bench(model=str(tiny_local.gguf("qwen2")), threads=(1,))
    assert [goal.bound for goal in outcome.goals] == ["at least", "at least", "at least", "at most"]
    assert all(goal.value > 0 for goal in outcome.goals)
    ours, peer = (outcome.figures["1 threads"][label] for label in (bench.OURS, bench.PEER))
    ratio = ours["prefill_tokens_per_s"] / peer["prefill_tokens_per_s"]
    assert outcome.goals[0].value == pytest.approx(ratio, rel=0.01)


def test_goals_are_ratios_to_the_peer_and_to_ourselves() -> None:
    ours = {
        "prefill_tokens_per_s": 200.0,
        "one_tokens_per_s": 20.0,
        "one_by_one_s": 40.0,
        "together_s": 10.0,
        "scan_s": 2.2,
        "no_logits_s": 2.0,
    }
    goals = bench._goals(ours, {"prefill_tokens_per_s": 50.0, "one_tokens_per_s": 40.0}, 2)
    assert [goal.value for goal in goals] == [4.0, 0.5, 4.0, 1.1]
    assert [goal.holds for goal in goals] == [True, False, True, True]


def test_without_the_peer_the_part_to_install_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match="dev"):
        bench.bench(model=str(Path("nowhere.gguf")))
