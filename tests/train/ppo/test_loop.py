"""Invariants 3 and 22 to 24: the loop learns, goes on exactly, and says where it stopped."""

from __future__ import annotations

import json
import math
import resource
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from momus.critique import Span
from momus.errors import MomusError
from momus.records import Bug, Tamper, Task
from momus.train.policy import Policy, open_policy
from momus.train.ppo.layout import Episode
from momus.train.ppo.loop import Trainer
from momus.train.ppo.policy_value import PolicyValue
from momus.train.ppo.state import load_state
from momus.train.ppo.watch import held_out

RESUME = {"kl": {"controller": "adaptive", "horizon": 50}, "steps": 4}


def weights(folder: Path) -> dict[str, torch.Tensor]:
    saved = torch.load(folder / "state.pt", weights_only=True)
    moments = {f"{i}/{n}": t for i, s in saved["optimizer"]["state"].items() for n, t in s.items()}
    return {**saved["weights"], **moments, "coefficient": torch.tensor(saved["coefficient"])}


def lines(folder: Path) -> list[dict[str, Any]]:
    rows = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [{n: v for n, v in row.items() if not n.startswith("cpu_s")} for row in rows]


@pytest.mark.parametrize(
    "settings", [{}, {"lora": {"rank": 4}}, {"estimator": "rloo"}, {"value": "separate"}, {"baseline": "group"}]
)
def test_03_before_any_update_nothing_has_moved(trainer: Callable[..., Trainer], settings: dict[str, Any]) -> None:
    line = trainer(**settings, epochs=1).one_step()
    assert line["first_ratio"] == 0.0 and line["clip_fraction"] == 0.0 and line["approx_kl"] == 0.0
    assert line["kl"] == pytest.approx(0.0, abs=1e-5)  # the reference is where it began


def test_the_value_s_head_learns_at_its_own_rate_and_on_the_policy_s_schedule(trainer: Callable[..., Trainer]) -> None:
    """Adam's first step moves every weight by its rate, whatever the gradient."""
    run = trainer(value_lr=0.05, lr=1e-3, warmup=2, epochs=1)
    head = run.model.value_head.weight.detach().clone()
    trunk = run.model.lm.get_input_embeddings().weight.detach().clone()
    run.one_step()
    moved = [
        float((after - before).abs().max())
        for after, before in ((run.model.value_head.weight, head), (run.model.lm.get_input_embeddings().weight, trunk))
    ]
    assert moved == pytest.approx([0.05 / 2, 1e-3 / 2], rel=0.1)


def test_03_later_passes_do_move(trainer: Callable[..., Trainer]) -> None:
    line = trainer(epochs=3, lr=0.01).one_step()
    assert line["first_ratio"] == 0.0 and line["approx_kl"] > 0


@pytest.mark.parametrize("settings", [{}, {"lora": {"rank": 4}}])
def test_22_going_on_is_as_if_it_had_never_stopped(
    trainer: Callable[..., Trainer], tmp_path: Path, settings: dict[str, Any]
) -> None:
    assert trainer("whole", **RESUME, **settings).train()
    first = trainer("pieces", **RESUME, **settings)
    first.one_step(), first.one_step()
    first.save()
    first.one_step()  # lost: the process was killed before the next checkpoint
    (tmp_path / "pieces" / "state.pt.partial").write_bytes(b"half a checkpoint")
    again = trainer("pieces", **RESUME, **settings)
    assert again.step == 2
    assert again.train()
    whole, pieces = weights(tmp_path / "whole"), weights(tmp_path / "pieces")
    assert whole.keys() == pieces.keys() and all(torch.equal(whole[n], pieces[n]) for n in whole)
    assert lines(tmp_path / "pieces") == lines(tmp_path / "whole")[2:]


def test_22_pieces_by_the_clock_make_the_whole(trainer: Callable[..., Trainer], tmp_path: Path) -> None:
    assert trainer("whole", **RESUME).train()
    stops = 0
    while not trainer("pieces", **RESUME).train(minutes=0):
        stops += 1
    assert stops == 3
    whole, pieces = weights(tmp_path / "whole"), weights(tmp_path / "pieces")
    assert all(torch.equal(whole[n], pieces[n]) for n in whole)
    assert lines(tmp_path / "pieces") == lines(tmp_path / "whole")
    assert trainer("pieces", **RESUME).train()  # nothing is done again


def test_22_another_run_s_folder_is_refused(trainer: Callable[..., Trainer], tmp_path: Path) -> None:
    run = trainer()
    run.one_step()
    run.save()
    for change, words in (({"lr": 0.5}, "setting lr"), ({"seed": 9}, "seed")):
        with pytest.raises(MomusError, match=f"another {words}"):
            trainer(**change)
    state = tmp_path / "out" / "state.pt"
    state.write_bytes(state.read_bytes()[:1000])
    with pytest.raises(MomusError, match="no checkpoint of PPO"):
        trainer()
    assert load_state(tmp_path / "absent.pt", run.identity) is None


def test_23_the_next_rollout_is_by_the_updated_weights(trainer: Callable[..., Trainer]) -> None:
    run = trainer(lr=0.02)
    before = run.draw()
    run.one_step()
    rollout, _ = run.collect()
    told = torch.zeros_like(rollout.old_logprobs)
    for row, episode in enumerate(rollout.episodes):
        told[row, : len(episode.tokens)] = torch.tensor(episode.logprobs)
    assert (told - rollout.old_logprobs).abs().max() < 1e-4  # a stale sampler would differ
    assert [e.tokens for e in rollout.episodes] != [e.tokens for e in before]


@pytest.mark.parametrize("estimator", ["gae", "rloo"])
def test_24_a_planted_reward_is_found(trainer: Callable[..., Trainer], estimator: str) -> None:
    settings = {"steps": 12, "rollouts": 32, "per_prompt": 4, "max_new": 8, "lr": 5e-3, "final_lr": 1.0, "epochs": 3}
    run = trainer(estimator=estimator, kl={"coefficient": 0.01}, **settings)
    seen = [run.one_step() for _ in range(run.config.steps)]
    scores = [line["score"] for line in seen]
    assert sum(scores[-4:]) / 4 > sum(scores[:2]) / 2 + 0.7, scores
    assert all(math.isfinite(value) for line in seen for value in line.values())
    assert 0 < seen[-1]["kl"] < 100


def test_losses_that_are_no_numbers_stop_the_run_and_keep_the_last_good_checkpoint(
    trainer: Callable[..., Trainer], tmp_path: Path
) -> None:
    class Breaks:
        calls = 0

        def __call__(self, episodes: Sequence[Episode]) -> torch.Tensor:
            self.calls += 1
            return torch.full((len(episodes),), math.nan if self.calls == 3 else 1.0)

    with pytest.raises(MomusError, match=r"scores of step 3 are no numbers.*state\.pt"):
        trainer("scores", scores=Breaks()).train()
    assert trainer("scores").step == 2
    run = trainer("losses")
    run.one_step(), run.one_step()
    run.save()
    good = weights(tmp_path / "losses")
    with torch.no_grad():
        run.model.value_head.weight.fill_(math.nan)
    with pytest.raises(MomusError, match=r"loss of step 3 is no number.*value_loss nan.*last good checkpoint"):
        run.train()
    assert all(torch.equal(good[n], t) for n, t in weights(tmp_path / "losses").items())


FULL = """
import resource, sys
from pathlib import Path
import torch
from momus.errors import MomusError
from momus.train.ppo.state import Identity, State, save_state
path, identity = Path(sys.argv[1]), Identity({}, 0, 1, "", "")
save_state(path, State(1, {"w": torch.ones(10)}, {}, 0.1), identity)
before = path.read_bytes()
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
try:
    save_state(path, State(2, {"w": torch.ones(1_000_000)}, {}, 0.1), identity)
except MomusError as error:
    print(error)
assert path.read_bytes() == before and [p.name for p in path.parent.iterdir()] == [path.name]
"""


def test_a_full_disk_is_one_sentence_and_the_checkpoint_before_stands(tmp_path: Path) -> None:
    assert hasattr(resource, "RLIMIT_FSIZE")
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path / "state.pt")], capture_output=True, text=True, timeout=200
    )
    assert done.returncode == 0, done.stderr
    assert "cannot save step 2" in done.stdout and "the checkpoint before it stands" in done.stdout
    assert len(done.stdout.strip().splitlines()) == 1


@pytest.mark.parametrize(
    "settings", [{"steps": 1}, {"steps": 1, "lora": {"rank": 4}}, {"steps": 1, "value": "separate"}]
)
def test_it_leaves_a_checkpoint_as_the_other_stages_do(
    trainer: Callable[..., Trainer], tmp_path: Path, settings: dict[str, Any]
) -> None:
    run = trainer(**settings)
    start = {n: p.clone() for n, p in run.model.lm.named_parameters()}
    assert run.train()
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert {"config.json", "model.safetensors", "tokenizer.json", "value.safetensors", "state.pt"} <= names
    assert not any("partial" in name for name in names)
    opened = open_policy(tmp_path / "out")
    assert opened.codec.pad == run.codec.pad
    ids = torch.tensor([run.requests[0].tokens])
    with torch.no_grad():
        told, found = run.model.lm(input_ids=ids).logits, opened.model(input_ids=ids).logits
    assert torch.allclose(found, told, atol=1e-4)
    if "lora" not in settings:
        assert any(not torch.equal(start[n], p) for n, p in run.model.lm.named_parameters())


def test_the_metrics_are_there_as_it_runs_with_a_look_at_held_out_bugs(
    trainer: Callable[..., Trainer], policy: Policy, tmp_path: Path
) -> None:
    answer = "def f(x):\n    return x\n"
    task = Task(id="t", question="", answer=answer)
    tamper = Tamper(task=task, twin=answer.replace("x\n", "y\n"), bugs=(Bug(spans=(Span(14, 22),), category="other"),))
    look = held_out([tamper], max_new=5, temperature=1.0, max_prompt=512)
    assert look(PolicyValue(policy.model), policy.codec) == look(PolicyValue(policy.model), policy.codec)
    run = trainer(watch_every=2, steps=3)
    assert run.train(watch=look)
    rows = lines(tmp_path / "out")
    assert [row["step"] for row in rows] == [0, 1, 2, 3]
    assert [row["step"] for row in rows if "cbi" in row] == [0, 2, 3]
    wanted = "reward score kl clip_fraction approx_kl entropy value_loss explained_variance unanchored length ended lr"
    assert all(set(wanted.split()) <= row.keys() for row in rows[1:])
    with pytest.raises(MomusError, match="no held-out tamper"):
        held_out([tamper.model_copy(update={"bugs": ()})], max_new=5, temperature=1.0, max_prompt=512)


def test_requests_come_once_each_and_then_in_another_order(trainer: Callable[..., Trainer]) -> None:
    run = trainer()
    n = len(run.requests)
    first, second = [run._task(i) for i in range(n)], [run._task(n + i) for i in range(n)]
    assert sorted(first) == sorted(second) == list(range(n)) and first != second
