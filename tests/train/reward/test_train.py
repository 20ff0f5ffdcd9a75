"""Training: a planted preference is learned, a broken run ends as an unbroken one, and what goes wrong is said."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import torch
from planted_ratings import write_rated

from momus.errors import MomusError
from momus.train.config import RewardConfig
from momus.train.policy import Policy, open_policy
from momus.train.reward import train as training
from momus.train.reward.data import Group, load
from momus.train.reward.loss import agreement, ranking_loss
from momus.train.reward.model import as_classifier, raw_scores, save_reward
from momus.train.reward.train import batch_of, fit
from momus.train.trainer import Workers

ALONE = Workers(0, 1, torch.device("cpu"))
QUICK = RewardConfig(epochs=1, batch_comparisons=3, micro_tokens=500, lr=3e-3)


@pytest.fixture(scope="module")
def groups(policy: Policy, tmp_path_factory: pytest.TempPathFactory) -> list[Group]:
    return load([write_rated(tmp_path_factory.mktemp("few"), 8)], policy.codec, None).groups


def state(folder: Path) -> dict[str, torch.Tensor]:
    saved = torch.load(folder / "state.pt", weights_only=True)
    moments = {f"{n}.{k}": v for n, s in saved["optimizer"]["state"].items() for k, v in s.items()}
    return {**saved["model"], **moments, "step": torch.tensor(saved["step"])}


def same(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def test_a_planted_preference_is_learned(policy: Policy, tmp_path: Path) -> None:
    """And holds on problems that were not seen."""
    every = load([write_rated(tmp_path / "rated", 40)], policy.codec, None).groups
    model = as_classifier(policy)
    config = RewardConfig(epochs=2, batch_comparisons=4, lr=4e-3, held_out=0.2)
    seen, unseen = every[:32], [g for g in every if g.problem not in {s.problem for s in every[:32]}]
    assert fit(model, seen, config, tmp_path / "out", seed=0, workers=ALONE)
    told = [json.loads(line) for line in (tmp_path / "out" / "metrics.jsonl").read_text().splitlines()]
    assert told[0]["loss"] > 1.5 * told[-1]["loss"] and told[-1]["step"] == told[-1]["of"] == 16
    right, asked = 0.0, 0
    for group in (g for g in unseen if g.buggy):
        scores = raw_scores(model, [(*group.prompt, *c.tokens) for c in group.candidates])
        told_right, told_asked = agreement(torch.tensor(scores), torch.tensor([c.rank for c in group.candidates]))
        right, asked = right + told_right, asked + told_asked
    assert asked >= 40 and right / asked > 0.8


def test_the_head_learns_at_its_own_rate(policy: Policy, groups: list[Group], tmp_path: Path) -> None:
    """Adam's first step moves a weight by its rate, whatever the gradient."""
    model = as_classifier(policy)
    once = RewardConfig(epochs=1, batch_comparisons=len(groups), lr=1e-3, head_lr=0.05, warmup=0.0, weight_decay=0.0)
    assert fit(model, groups, once, tmp_path, seed=0, workers=ALONE)
    assert float(model.score.weight.detach().abs().max()) == pytest.approx(0.05, rel=0.05)
    embedding = policy.model.get_input_embeddings().weight.detach()
    moved = (model.get_input_embeddings().weight.detach() - embedding).abs().max()
    assert float(moved) < 2e-3, "the trunk, whose head was zero, had no gradient yet, or moved at its own rate"


def test_before_the_first_step_every_pair_is_a_coin(policy: Policy, groups: list[Group]) -> None:
    loss, _, asked = training._accumulate(as_classifier(policy), groups, len(groups), 2000, ALONE)
    assert loss == pytest.approx(0.6931472, abs=1e-6) and asked == 8 * 6 + 4 * 5


def test_the_cut_into_micro_batches_is_not_felt(
    policy: Policy, groups: list[Group], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "_bf16", lambda device: torch.autocast("cpu", enabled=False))
    gradients = []
    by_hand = 0.0
    for micro_tokens in (1, 700, 100_000):
        model = as_classifier(policy)
        torch.manual_seed(1)
        with torch.no_grad():
            model.score.weight.normal_()
        loss, _, _ = training._accumulate(model, groups, len(groups), micro_tokens, ALONE)
        if not gradients:
            losses = [
                ranking_loss(
                    torch.tensor(raw_scores(model, [(*g.prompt, *c.tokens) for c in g.candidates])),
                    torch.tensor([c.rank for c in g.candidates]),
                )
                for g in groups
            ]
            by_hand = float(torch.stack(losses).mean())
        assert loss == pytest.approx(by_hand, rel=1e-4)
        gradients.append(torch.cat([p.grad.reshape(-1) for p in model.parameters()]))
    assert torch.allclose(gradients[0], gradients[1], atol=2e-5) and torch.allclose(
        gradients[0], gradients[2], atol=2e-5
    )


def test_an_epoch_has_each_comparison_once_in_an_order_of_its_own() -> None:
    steps = [batch_of(10, 4, seed=3, step=n) for n in range(6)]
    assert [len(s) for s in steps] == [4, 4, 2] * 2
    first, second = list(chain(*steps[:3])), list(chain(*steps[3:]))
    assert sorted(first) == sorted(second) == list(range(10)) and first != second
    assert batch_of(10, 4, seed=4, step=0) != steps[0]


def test_20_the_settings_of_adam_reach_the_optimiser() -> None:
    config = RewardConfig()
    assert config.eps == 1e-5 and config.clip == 1.0 and config.final_lr < 1
    rates = [training.learning_rate(training._schedule(config, 100), step) for step in range(100)]
    assert (
        max(rates) == pytest.approx(config.lr, rel=0.01) and rates[0] < 0.1 * config.lr and rates[-1] < 0.2 * config.lr
    )


def test_22_a_stopped_and_a_killed_run_end_as_an_unbroken_one_bit_for_bit(
    policy: Policy, groups: list[Group], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unbroken, broken = tmp_path / "unbroken", tmp_path / "broken"
    whole = as_classifier(policy)
    assert fit(whole, groups, QUICK, unbroken, seed=0, workers=ALONE)
    for _ in range(2):
        assert not fit(as_classifier(policy), groups, QUICK, broken, seed=0, workers=ALONE, minutes=0)
    real, steps = training._step, iter(range(9))

    def killed(*arguments: Any) -> float:
        if next(steps) == 1:
            raise KeyboardInterrupt
        return real(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(training, "_step", killed)
        with pytest.raises(KeyboardInterrupt):
            fit(as_classifier(policy), groups, QUICK, broken, seed=0, workers=ALONE)
    with (broken / "metrics.jsonl").open("a") as metrics:
        metrics.write('{"step": 3, "lo')  # it was killed while it wrote
    assert not same(state(unbroken), state(broken))
    model = as_classifier(policy)
    assert fit(model, groups, QUICK, broken, seed=0, workers=ALONE)
    assert same(state(unbroken), state(broken)) and same(whole.state_dict(), model.state_dict())
    told = [json.loads(line)["step"] for line in (broken / "metrics.jsonl").read_text().splitlines()]
    assert told == [1, 2, 4]
    # and once more: nothing is left to do
    again = as_classifier(policy)
    assert fit(again, groups, QUICK, broken, seed=0, workers=ALONE) and same(again.state_dict(), model.state_dict())


def test_a_run_goes_on_with_what_it_was_begun_with(policy: Policy, groups: list[Group], tmp_path: Path) -> None:
    fit(as_classifier(policy), groups, QUICK, tmp_path, seed=0, workers=ALONE, minutes=0)
    slower = QUICK.model_copy(update={"lr": 1e-4})
    for others, config, seed in ((groups[1:], QUICK, 0), (groups, slower, 0), (groups, QUICK, 1)):
        with pytest.raises(MomusError, match="was begun with another policy, other comparisons or settings"):
            fit(as_classifier(policy), others, config, tmp_path, seed=seed, workers=ALONE)
    (tmp_path / "state.pt").write_bytes(b"no checkpoint")
    with pytest.raises(MomusError, match="is not a checkpoint of this model"):
        fit(as_classifier(policy), groups, QUICK, tmp_path, seed=0, workers=ALONE)
    with pytest.raises(MomusError, match="no comparison to train on"):
        fit(as_classifier(policy), [], QUICK, tmp_path, seed=0, workers=ALONE)


def test_a_loss_that_is_no_number_stops_the_run_says_where_and_keeps_the_checkpoint(
    policy: Policy, groups: list[Group], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fit(as_classifier(policy), groups, QUICK, tmp_path, seed=0, workers=ALONE, minutes=0)
    before = (tmp_path / "state.pt").read_bytes()
    real = training.ranking_loss
    monkeypatch.setattr(training, "ranking_loss", lambda s, r: real(s, r) * float("nan"))
    with pytest.raises(MomusError, match=r"at step 2 the loss is no number any more; .* is kept in .*state.pt"):
        fit(as_classifier(policy), groups, QUICK, tmp_path, seed=0, workers=ALONE)
    assert (tmp_path / "state.pt").read_bytes() == before
    with pytest.raises(MomusError, match=r"at step 1 .* nothing was saved yet"):
        fit(as_classifier(policy), groups, QUICK, tmp_path / "new", seed=0, workers=ALONE)
    assert not (tmp_path / "new" / "state.pt").exists()


def test_weights_that_are_no_numbers_are_never_saved(policy: Policy, groups: list[Group], tmp_path: Path) -> None:
    wild = QUICK.model_copy(update={"lr": 1e30, "warmup": 0.0, "weight_decay": 1.0})
    with pytest.raises(MomusError, match="no number any more"):
        fit(as_classifier(policy), groups, wild, tmp_path, seed=0, workers=ALONE)
    assert not (tmp_path / "state.pt").exists() or all(p.isfinite().all() for p in state(tmp_path).values())


def test_a_full_disk_is_one_sentence_and_the_old_checkpoint_stands(
    policy: Policy, groups: list[Group], tmp_path: Path
) -> None:
    """No file may grow beyond a limit: the system refuses the write in the middle, as a full disk does."""
    fit(as_classifier(policy), groups, QUICK, tmp_path, seed=0, workers=ALONE, minutes=0)
    before = (tmp_path / "state.pt").read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    for act in (
        lambda: fit(as_classifier(policy), groups, QUICK, tmp_path, seed=0, workers=ALONE, minutes=0),
        lambda: save_reward(as_classifier(policy), policy, {"mean": 0.0, "std": 1.0}, tmp_path),
    ):
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, hard))
        try:
            with pytest.raises(MomusError, match=r"cannot write .*make room and run the same command again") as error:
                act()
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert "\n" not in str(error.value) and (tmp_path / "state.pt").read_bytes() == before
        assert {path.name for path in tmp_path.iterdir()} == {"state.pt", "metrics.jsonl"}


WORKER = """
import sys
from pathlib import Path
import torch
torch.set_num_threads(1)
from momus.train.config import RewardConfig
from momus.train.policy import open_policy
from momus.train.reward.data import load
from momus.train.reward.model import as_classifier
from momus.train.reward.train import fit
from momus.train.trainer import Workers

policy, rated, out = map(Path, sys.argv[1:4])
workers = Workers.join()
assert workers.world == 2
start = open_policy(policy)
model = as_classifier(start)
groups = load([rated], start.codec, None).groups
assert fit(model, groups, RewardConfig.model_validate_json(sys.argv[4]), out, seed=0, workers=workers)
torch.save(model.state_dict(), out / f"rank{workers.rank}.pt")
"""


def test_two_processes_share_a_step(policy_folder: Path, tmp_path: Path) -> None:
    rated = write_rated(tmp_path / "rated", 3)
    config = RewardConfig(batch_comparisons=2, lr=1e-3)
    (tmp_path / "worker.py").write_text(WORKER)
    arguments = [str(policy_folder), str(rated), str(tmp_path / "two"), config.model_dump_json()]
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    done = subprocess.run(
        [*torchrun, str(tmp_path / "worker.py"), *arguments],
        env={**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    ranks = [torch.load(tmp_path / "two" / f"rank{n}.pt") for n in (0, 1)]
    assert same(*ranks)
    policy = open_policy(policy_folder)
    model = as_classifier(policy)
    assert fit(model, load([rated], policy.codec, None).groups, config, tmp_path / "one", seed=0, workers=ALONE)
    far = max(float((p - ranks[0][name]).abs().max()) for name, p in model.state_dict().items())
    assert far < 1e-3, "a step of two processes is not that of one"
    lines = [(tmp_path / name / "metrics.jsonl").read_text().splitlines()[-1] for name in ("one", "two")]
    one, two = (json.loads(line) for line in lines)
    assert two["loss"] == pytest.approx(one["loss"], abs=1e-2) and two["step"] == one["step"] == 3
