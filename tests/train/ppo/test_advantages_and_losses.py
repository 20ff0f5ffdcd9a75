"""Invariants 15 to 21: formulas, each against a loop that anybody can read."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from momus.errors import MomusError
from momus.train.config import load_ppo_config
from momus.train.policy import Policy
from momus.train.ppo.advantages import Experience, above_others, gae, rloo, whiten
from momus.train.ppo.config import PPOConfig
from momus.train.ppo.layout import grouped, pack
from momus.train.ppo.loop import Trainer, mask_of
from momus.train.ppo.losses import (
    PolicyTerms,
    ValueTerms,
    explained_variance,
    mean_entropy,
    policy_loss,
    value_loss,
)
from momus.train.ppo.policy_value import PolicyValue

CONFIG = Path(__file__).parents[3] / "configs" / "bundled.toml"
lengths = st.lists(st.integers(1, 6), min_size=2, max_size=5)


def experience(sizes: list[int], seed: int, garbage: float = 1e6) -> Experience:
    rng = torch.Generator().manual_seed(seed)
    mask = torch.arange(7)[None] < torch.tensor(sizes)[:, None]
    rewards, values = torch.randn(2, len(sizes), 7, generator=rng).unbind()
    return Experience(
        rewards.masked_fill(~mask, garbage), values.masked_fill(~mask, garbage), mask, torch.zeros(len(sizes))
    )


@given(lengths, st.integers(0, 99), st.floats(0, 1), st.floats(0, 1))
@settings(max_examples=60, deadline=None)
def test_15_gae_is_the_double_sum_whatever_the_padding_holds(
    sizes: list[int], seed: int, gamma: float, lam: float
) -> None:
    seen = experience(sizes, seed)
    found = gae(seen, gamma, lam)
    for row, size in enumerate(sizes):
        rewards, values = seen.rewards[row].tolist(), [*seen.values[row, :size].tolist(), 0.0]
        for t in range(7):
            wanted = 0.0
            for later in range(t, size):
                delta = rewards[later] + gamma * values[later + 1] - values[later]
                wanted += (gamma * lam) ** (later - t) * delta
            assert float(found.advantages[row, t]) == pytest.approx(wanted, abs=1e-4)
            assert float(found.returns[row, t]) == pytest.approx(wanted + (values[t] if t < size else 0.0), abs=1e-4)
    for garbage in (math.nan, math.inf):
        assert torch.equal(gae(experience(sizes, seed, garbage), gamma, lam).advantages, found.advantages)


@given(lengths, st.integers(0, 99))
def test_15_without_discount_an_advantage_is_the_return_less_the_value(sizes: list[int], seed: int) -> None:
    seen = experience(sizes, seed)
    found = gae(seen, 1.0, 1.0)
    for row, size in enumerate(sizes):
        for t in range(size):
            wanted = float(seen.rewards[row, t:size].sum() - seen.values[row, t])
            assert float(found.advantages[row, t]) == pytest.approx(wanted, abs=1e-4)


def test_15_a_group_baseline_leaves_the_gradient_as_it_is_in_the_mean() -> None:
    scores, group = torch.tensor([1.0, 3.0, 8.0, -2.0, 4.0]), torch.tensor([7, 7, 7, 0, 0])
    assert above_others(scores, group).tolist() == [1 - 5.5, 3 - 4.5, 8 - 2.0, -6.0, 6.0]
    assert torch.allclose(above_others(scores + 9 * (group == 7), group), above_others(scores, group))
    generator = torch.Generator().manual_seed(0)
    p = torch.tensor(0.3, dtype=torch.float64)  # of action 1, which earns 2; action 0 earns 1: the slope by p is 1
    actions = (torch.rand(40_000, 4, generator=generator, dtype=torch.float64) < p).double()
    earned = (1 + actions + 10 * torch.rand(40_000, 1, generator=generator)).flatten()  # and how hard the request is
    centred = above_others(earned, torch.arange(40_000).repeat_interleave(4))
    pull = (actions / p - (1 - actions) / (1 - p)).flatten()
    with_it, without = centred * pull, earned * pull
    assert float(with_it.mean()) == pytest.approx(1.0, abs=0.03)
    assert float(without.mean()) == pytest.approx(1.0, abs=0.2) and float(without.var()) > 20 * float(with_it.var())


def test_15_rloo_is_the_reward_less_the_mean_of_the_others() -> None:
    mask = torch.ones(5, 2, dtype=torch.bool)
    mask[0, 1] = False
    totals = [1.0, 4.0, 7.0, 2.0, 3.0]
    rewards = torch.tensor([[t, 0.0] for t in totals])
    rewards[0, 1] = math.nan
    found = rloo(Experience(rewards, torch.zeros(5, 2), mask, torch.tensor([3, 3, 3, 9, 9])), 1.0, 1.0)
    wanted = [1 - 5.5, 4 - 4.0, 7 - 2.5, 2 - 3.0, 3 - 2.0]
    for row in range(5):
        assert found.advantages[row].tolist() == pytest.approx([wanted[row], 0.0 if row == 0 else wanted[row]])
    with pytest.raises(ValueError, match="at least two"):
        rloo(Experience(rewards, rewards, mask, torch.arange(5)), 1.0, 1.0)


@given(lengths, st.integers(0, 99))
@settings(max_examples=50, deadline=None)
def test_16_whitening_is_over_the_mask_and_over_all_processes(sizes: list[int], seed: int) -> None:
    seen = experience(sizes, seed, garbage=math.nan)
    white = whiten(seen.rewards, seen.mask)
    inside = white[seen.mask].double()
    assert float(white[~seen.mask].abs().sum()) == 0.0
    assert float(inside.mean()) == pytest.approx(0.0, abs=1e-5)
    assert float((inside**2).mean()) == pytest.approx(1.0, abs=1e-3)

    half = len(sizes) // 2  # two processes: sums of both are what either sees
    parts = [(seen.rewards[:half], seen.mask[:half]), (seen.rewards[half:], seen.mask[half:])]
    sums: list[list[torch.Tensor]] = [[], []]
    for i, (x, mask) in enumerate(parts):
        whiten(x, mask, lambda t, i=i: sums[i].append(t) or t)  # type: ignore[misc]
    first = sums[0][0] + sums[1][0]
    mean = first[1] / first[0]
    second = sum(((x.double() - mean)[mask] ** 2).sum() for x, mask in parts)
    for i, (x, mask) in enumerate(parts):
        answers = iter([first, torch.as_tensor(second)])
        told = whiten(x, mask, lambda t, answers=answers: next(answers))  # type: ignore[misc]
        assert torch.allclose(told, white[:half] if i == 0 else white[half:], atol=1e-5)


def test_16_whitened_rewards_keep_their_mean() -> None:
    seen = experience([3, 5], 1)
    white = whiten(seen.rewards, seen.mask, keep_mean=True)
    assert float(white[seen.mask].mean()) == pytest.approx(float(seen.rewards[seen.mask].mean()), abs=1e-5)
    assert float(white[seen.mask].var(correction=0)) == pytest.approx(1.0, abs=1e-3)


def policy_terms(n: int, seed: int) -> PolicyTerms:
    rng = torch.Generator().manual_seed(seed)
    new, old, advantages = (torch.randn(3, n, generator=rng) * 0.3).unbind()
    return PolicyTerms(new, old, advantages * 3, torch.rand(n, generator=rng) < 0.8)


@given(st.integers(2, 40), st.integers(0, 99), st.integers(1, 39))
def test_17_losses_do_not_depend_on_padding_or_on_how_a_batch_is_cut(n: int, seed: int, cut: int) -> None:
    terms = policy_terms(n, seed)
    tokens = float(terms.mask.sum())
    whole = policy_loss(terms, 0.2, tokens)
    cut = min(cut, n - 1)
    parts = []
    for piece in (slice(0, cut), slice(cut, n)):
        fields = (getattr(terms, name)[piece] for name in PolicyTerms.__slots__)
        parts.append(policy_loss(PolicyTerms(*fields), 0.2, tokens))
    assert float(sum(p.loss for p in parts)) == pytest.approx(float(whole.loss), abs=1e-5)
    assert float(sum(p.clip_fraction for p in parts)) == pytest.approx(float(whole.clip_fraction), abs=1e-6)
    assert float(sum(p.approx_kl for p in parts)) == pytest.approx(float(whole.approx_kl), abs=1e-5)

    more = {
        name: torch.cat([getattr(terms, name), torch.full((5,), 9.0) if name != "mask" else torch.zeros(5).bool()])
        for name in PolicyTerms.__slots__
    }
    assert float(policy_loss(PolicyTerms(**more), 0.2, tokens).loss) == pytest.approx(float(whole.loss), abs=1e-6)


@pytest.mark.parametrize("estimator", ["gae", "rloo"])
def test_17_the_split_into_micro_batches_does_not_change_the_update(
    trainer: Callable[..., Trainer], estimator: str
) -> None:
    weights = []
    for name, tokens in (("one", 8192), ("many", 1)):
        run = trainer(name, micro_tokens=tokens, estimator=estimator, epochs=1)
        run.one_step()
        weights.append(torch.cat([p.detach().flatten() for p in run.model.lm.parameters()]))
    assert (weights[0] - weights[1]).abs().max() < 2e-5  # Adam's first step is lr for the least gradient


CLIPS = [  # ratio, advantage, loss, moves: the table of the clipped surrogate at 0.2
    (1.0, 1.0, -1.0, True),
    (1.1, 1.0, -1.1, True),
    (1.5, 1.0, -1.2, False),
    (0.5, 1.0, -0.5, True),
    (1.5, -1.0, 1.5, True),
    (0.5, -1.0, 0.8, False),
    (0.9, -1.0, 0.9, True),
]


@pytest.mark.parametrize(("ratio", "advantage", "loss", "moves"), CLIPS)
def test_18_the_policy_s_clip_binds_where_the_table_says(
    ratio: float, advantage: float, loss: float, moves: bool
) -> None:
    new = torch.tensor([math.log(ratio)], requires_grad=True)
    found = policy_loss(PolicyTerms(new, torch.zeros(1), torch.tensor([advantage]), torch.ones(1).bool()), 0.2, 1)
    assert float(found.loss.detach()) == pytest.approx(loss, abs=1e-6)
    found.loss.backward()
    assert (float(new.grad) != 0.0) == moves
    assert float(found.clip_fraction) == float(not moves)
    assert float(found.max_ratio) == pytest.approx(abs(ratio - 1), abs=1e-6)


@pytest.mark.parametrize(
    ("value", "old", "returned", "loss", "moves"),
    [
        (0.5, 0.5, 1.0, 0.125, True),
        (0.9, 0.5, 1.0, 0.5 * 0.3**2, False),  # nearer than the clip allows: the far one counts
        (0.1, 0.5, 1.0, 0.5 * 0.9**2, True),  # farther: the larger error is its own
    ],
)
def test_18_the_value_loss_takes_the_larger_error(
    value: float, old: float, returned: float, loss: float, moves: bool
) -> None:
    now = torch.tensor([value], requires_grad=True)
    terms = ValueTerms(now, torch.tensor([old]), torch.tensor([returned]), torch.ones(1).bool())
    found = value_loss(terms, 0.2, 1)
    assert float(found.detach()) == pytest.approx(loss, abs=1e-6)
    found.backward()
    assert (float(now.grad) != 0.0) == moves
    assert float(value_loss(terms, None, 1).detach()) == pytest.approx(0.5 * (value - returned) ** 2, abs=1e-6)


def test_19_values_are_predicted_before_the_token(
    trainer: Callable[..., Trainer], model: PolicyValue, policy: Policy
) -> None:
    run = trainer()
    episodes = run.draw()
    assert float(run.evaluate(run.model, episodes, mask_of(episodes))[1].abs().sum()) == 0.0  # the head begins at zero
    with torch.no_grad():
        run.model.value_head.weight.normal_()
        found = run.evaluate(run.model, episodes, mask_of(episodes))[1]
        for row, episode in enumerate(episodes):
            ids = torch.tensor([[*episode.prompt, *episode.tokens]])
            states = run.model.lm.model(input_ids=ids).last_hidden_state[0]
            told = run.model.value_head(states)[len(episode.prompt) - 1 : -1, 0]
            assert torch.allclose(found[row, : len(told)], told, atol=1e-4)


def test_19_returns_and_advantages_carry_no_gradient() -> None:
    leaf = torch.ones(3, requires_grad=True)
    mask = torch.ones(3, dtype=torch.bool)
    now = torch.zeros(3, requires_grad=True)
    value_loss(ValueTerms(now, leaf, leaf, mask), 0.2, 3).backward()
    policy_loss(PolicyTerms(now, leaf, leaf, mask), 0.2, 3).loss.backward()
    assert leaf.grad is None and now.grad is not None


def test_19_a_value_net_of_its_own_leaves_the_policy_alone(trainer: Callable[..., Trainer]) -> None:
    run = trainer(value="separate", lr=0.05)
    policy = {id(p) for p in run.model.lm.parameters()}
    assert not policy & {id(p) for p in run.model.value_trunk.parameters()}
    episodes = run.draw()
    packed = pack(grouped(episodes), run.codec.pad, share=True)
    run.model(packed, 1.0).values.sum().backward()
    assert all(p.grad is None for p in run.model.lm.parameters())
    line = run.one_step()
    assert math.isfinite(line["value_loss"])


def test_20_adam_s_epsilon_the_falling_rate_and_the_clip_are_as_said(
    trainer: Callable[..., Trainer], monkeypatch: pytest.MonkeyPatch
) -> None:
    config = PPOConfig()
    assert (config.adam_eps, config.max_grad_norm) == (1e-5, 1.0)
    run = trainer(micro_tokens=1, max_grad_norm=1e-3, epochs=1)
    assert all(group["eps"] == 1e-5 for group in run.optimizer.param_groups)
    rates = [run.config.learning_rate(step) for step in range(4)]
    assert rates == pytest.approx([1e-3, 7e-4, 4e-4, 1e-4])
    warm = PPOConfig.model_validate({"warmup": 2, "steps": 4, "lr": 1.0, "final_lr": 0.0})
    assert [warm.learning_rate(step) for step in range(4)] == pytest.approx([0.5, 1.0, 1.0, 0.0])

    norms = []
    step = run.optimizer.step

    def stepped(*args: Any, **kwargs: Any) -> Any:
        grads = [p.grad for p in run.model.parameters() if p.grad is not None]
        norms.append(float(torch.stack([g.norm() for g in grads]).norm()))
        return step(*args, **kwargs)

    monkeypatch.setattr(run.optimizer, "step", stepped)
    line = run.one_step()
    assert line["grad_norm"] > 1e-3 and norms == pytest.approx([1e-3], rel=1e-2)  # once, after all micro-batches
    assert line["lr"] == pytest.approx(1e-3)


def test_21_metrics_are_over_the_mask_and_nothing_gives_0() -> None:
    nothing = torch.zeros(4, dtype=torch.bool)
    junk = torch.full((4,), 5.0)
    assert float(mean_entropy(junk, nothing, 0)) == 0.0
    assert float(policy_loss(PolicyTerms(junk, junk, junk, nothing), 0.2, 0).loss) == 0.0
    assert float(value_loss(ValueTerms(junk, junk, junk, nothing), 0.2, 0)) == 0.0
    assert explained_variance(junk, junk, nothing) == 0.0
    assert float(whiten(junk, nothing).abs().sum()) == 0.0
    some = torch.tensor([True, True, False, False])
    assert float(mean_entropy(torch.tensor([1.0, 2.0, 99.0, 99.0]), some, 2)) == 1.5
    returns = torch.tensor([1.0, 3.0, 99.0, -7.0])
    assert explained_variance(torch.tensor([1.0, 3.0, 0.0, 0.0]), returns, some) == pytest.approx(1.0)
    assert explained_variance(torch.tensor([2.0, 2.0, 0.0, 0.0]), returns, some) == pytest.approx(0.0)


def test_the_section_is_part_of_a_run_and_stands_alone(tmp_path: Path) -> None:
    assert load_ppo_config(CONFIG).ppo == PPOConfig.model_validate(tomllib.loads(CONFIG.read_text()).get("ppo", {}))
    alone = tmp_path / "alone.toml"
    alone.write_text('name = "mine"\n[ppo]\nsteps = 3\n[ppo.kl]\ncontroller = "adaptive"\n')
    assert load_ppo_config(alone).ppo.kl.controller == "adaptive"
    for body, words in (
        ("[ppo]\nstep = 3", "there is no setting ppo.step"),
        ("[ppo]\nrollouts = 7", "multiple"),
        ('[ppo]\nestimator = "rloo"\nper_prompt = 1', "at least 2"),
        ('[ppo]\nbaseline = "group"\nper_prompt = 1', "at least 2"),
        ('[ppo]\nestimator = "rloo"\nbaseline = "group"', "taken off twice"),
    ):
        alone.write_text(f'name = "mine"\n{body}\n')
        with pytest.raises(MomusError, match=words):
            load_ppo_config(alone)
