"""The bench of searches: every contestant does the work that it is timed at."""

from __future__ import annotations

from pathlib import Path

import pytest

from momus.bench import decode, fsbs
from momus.models.arch import Arch

TINY = Arch(vocab=512, hidden=64, layers=1, heads=2, kv_heads=1, head_dim=32, ffn=96, context=1024)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("weights")
    decode.prepare(TINY, folder, 0, ("8", "hf"))
    return folder


@pytest.mark.parametrize("contestant", [fsbs.OURS, fsbs.BOUND, fsbs.BEST_OF, fsbs.PEER])
def test_every_contestant_searches(weights: Path, contestant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fsbs, "PROMPT", 80)
    monkeypatch.setattr(fsbs, "TOKENS", 20)
    monkeypatch.setattr(fsbs, "RUNS", 1)
    figures = fsbs.contest(contestant, weights, 0)  # raises where the numbers of critiques or tokens are others
    assert figures["cpu_s"] > 0
    if contestant == fsbs.OURS:
        assert figures["same"] == 100.0
    if contestant in (fsbs.OURS, fsbs.PEER):
        assert 0 < figures["reward_cpu_s"] < figures["cpu_s"]
