"""Invariants 8 to 14: scores become rewards, and what the policy may cost."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from momus.critique import TextMap
from momus.errors import MomusError
from momus.train.policy import Policy, open_policy
from momus.train.ppo.config import LoraConfig
from momus.train.ppo.kl import KL_ESTIMATORS, Adaptive, Fixed, k1, k3
from momus.train.ppo.layout import Episode
from momus.train.ppo.loop import Trainer
from momus.train.ppo.policy_value import PolicyValue, weights_hash
from momus.train.ppo.requests import Request
from momus.train.ppo.rewards import ended, penalised, token_rewards
from momus.train.ppo.scoring import RewardScores
from momus.train.reward.loss import ranking_loss
from momus.train.reward.model import RewardModel, as_classifier, open_reward, raw_scores, save_reward
from tiny_llama import save_tiny_llama


@given(st.lists(st.integers(1, 7), min_size=1, max_size=5), st.floats(0, 2), st.integers(0, 99))
@settings(max_examples=50, deadline=None)
def test_08_the_score_comes_once_on_the_last_token(lengths: list[int], beta: float, seed: int) -> None:
    rng = torch.Generator().manual_seed(seed)
    mask = torch.arange(8)[None] < torch.tensor(lengths)[:, None]
    kl, scores = torch.randn(len(lengths), 8, generator=rng), torch.randn(len(lengths), generator=rng)
    rewards = token_rewards(scores, kl, mask, beta)
    for row, length in enumerate(lengths):
        for t in range(8):
            wanted = -beta * float(kl[row, t]) if t < length else 0.0
            wanted += float(scores[row]) if t == length - 1 else 0.0
            assert float(rewards[row, t]) == pytest.approx(wanted, abs=1e-5)
    total = scores - beta * (kl * mask).sum(1)
    assert torch.allclose(rewards.sum(1), total, atol=1e-5)


def test_08_an_episode_without_tokens_would_lose_its_score() -> None:
    with pytest.raises(ValueError, match="without tokens"):
        token_rewards(torch.ones(1), torch.zeros(1, 3), torch.zeros(1, 3, dtype=torch.bool), 0.1)


def test_09_the_penalty_asks_for_the_codec_s_own_end(policy: Policy) -> None:
    end, pad = policy.codec.end, policy.codec.pad
    assert ended([5, end], end) and not ended([5, pad], end) and not ended([end, 5], end) and not ended([], end)
    shaped = penalised(
        torch.tensor([1.0, 1.0]), torch.tensor([True, False]), torch.tensor([0, 2]), missing_end=0.5, per_quote=0.25
    )
    assert shaped.tolist() == [1.0, 0.0]


def test_09_what_is_cut_off_has_ended_with_its_score_and_the_penalty(trainer: Callable[..., Trainer]) -> None:
    run = trainer(max_new=1, missing_end=2.0, kl={"coefficient": 0.0}, scores=lambda e: torch.full((len(e),), 3.0))
    rollout, line = run.collect()
    has_end = [e.tokens[-1] == run.codec.end for e in rollout.episodes]
    assert not all(has_end) and line["ended"] == sum(has_end) / len(has_end)
    for row, closed in enumerate(has_end):  # no value is expected behind the last token
        assert float(rollout.returns[row, 0]) == pytest.approx(3.0 if closed else 1.0)


def test_09_a_quote_that_stands_nowhere_costs(policy: Policy) -> None:
    tokens = policy.codec.write((), TextMap("x\n"))[:-1]
    loose = [*policy.codec.opener, *tokens, *policy.codec.opener]
    assert policy.codec.read(loose, TextMap("x\n")).unanchored == 1


def reward_of(policy: Policy, seed: int = 0) -> RewardModel:
    model = as_classifier(policy)
    torch.manual_seed(seed)
    torch.nn.init.normal_(model.score.weight)
    return RewardModel(model, policy.codec, 0.5, 2.0, policy.folder)


def episodes_of(policy: Policy, requests: list[Request]) -> list[Episode]:
    end = policy.codec.end
    made = [((70, 71, end), 0), ((80, end), 0), ((90, 91, 92, 93), 1), ((end,), 1), ((66,), 2)]
    return [Episode(requests[g].tokens, tokens, (), g, g) for tokens, g in made]


def test_10_padding_is_not_the_end_and_the_score_is_read_at_the_end(policy: Policy, requests: list[Request]) -> None:
    assert policy.codec.pad != policy.codec.end
    reward = reward_of(policy)
    (episode, *_) = episodes_of(policy, requests)
    sequence = torch.tensor([[*episode.prompt, *episode.tokens]])
    with torch.no_grad():
        states = reward.model.model(input_ids=sequence).last_hidden_state[0]
        at_end, before = (float(reward.model.score(states[i])) for i in (-1, -2))
    found = float(RewardScores(reward)([episode]))
    assert found == pytest.approx((at_end - 0.5) / 2, abs=1e-4)
    assert abs(at_end - before) > 1e-3
    with torch.no_grad():  # and Hugging Face's own classifier agrees
        assert float(reward.model(input_ids=sequence).logits) == pytest.approx(at_end, abs=1e-4)


def test_11_batched_scores_are_single_scores_on_either_side(policy: Policy, requests: list[Request]) -> None:
    reward, episodes = reward_of(policy), episodes_of(policy, requests)
    together = RewardScores(reward)(episodes)
    for share, tokens in ((True, 8192), (False, 8192), (True, 1)):
        scores = RewardScores(reward, micro_tokens=tokens)
        assert scores.share
        scores.share = share
        assert (scores(episodes) - together).abs().max() < 1e-4
    alone = torch.cat([RewardScores(reward)([episode]) for episode in episodes])
    assert (alone - together).abs().max() < 1e-4
    sequences = [[*e.prompt, *e.tokens] for e in episodes]
    left = torch.tensor(raw_scores(reward.model, sequences, side="left"))
    assert ((left - 0.5) / 2 - together).abs().max() < 1e-4


def test_12_k3_is_never_negative_and_both_vanish_where_nothing_moved() -> None:
    rng = torch.Generator().manual_seed(0)
    logits, other = torch.randn(12, generator=rng), torch.randn(12, generator=rng)
    p, q = logits.log_softmax(0), other.log_softmax(0)
    assert bool((k3(p, q) >= 0).all()) and bool((k1(p, q) < 0).any())
    assert k1(p, p).abs().max() == 0 and k3(p, p).abs().max() == 0
    exact = float((p.exp() * (p - q)).sum())
    token = torch.multinomial(p.exp(), 200_000, replacement=True, generator=rng)
    for estimate in KL_ESTIMATORS.values():
        assert float(estimate(p, q)[token].mean()) == pytest.approx(exact, rel=0.02)
        assert float((p.exp() * estimate(p, q)).sum()) == pytest.approx(exact, rel=1e-4)


def test_12_the_adaptive_controller_steers_to_its_target() -> None:
    assert Fixed(0.1).after(99.0, 64) == Fixed(0.1)
    start = Adaptive(0.1, target=6.0, horizon=100)
    assert start.after(6.0, 10) == start
    assert start.after(60.0, 10).coefficient == pytest.approx(0.1 * (1 + 0.2 * 0.1))  # bounded
    assert start.after(5.4, 10).coefficient == pytest.approx(0.1 * (1 - 0.1 * 0.1))


def test_13_the_reference_and_the_reward_model_are_never_changed(
    trainer: Callable[..., Trainer], policy: Policy
) -> None:
    scores = RewardScores(reward_of(policy))
    run = trainer(scores=scores)
    assert run.reference is not None
    frozen = (run.reference, scores.model)
    before = [weights_hash(model.named_parameters()) for model in frozen]
    trained = weights_hash(run.model.named_parameters())
    run.one_step()
    assert [weights_hash(model.named_parameters()) for model in frozen] == before
    assert weights_hash(run.model.named_parameters()) != trained
    for model in frozen:
        assert not any(p.requires_grad or p.grad is not None for p in model.parameters())


def test_13_switching_the_adapter_off_gives_the_base_exactly(llama_folder: Path, requests: list[Request]) -> None:
    base, adapted = open_policy(llama_folder).model, open_policy(llama_folder).model
    model = PolicyValue(adapted, lora=LoraConfig(rank=4))
    with torch.no_grad():
        for name, param in model.named_parameters():
            if "lora_B" in name:
                param.normal_()
    ids = torch.tensor([requests[0].tokens])
    with torch.no_grad(), model.as_reference():
        assert torch.equal(model.lm(input_ids=ids).logits, base(input_ids=ids).logits)
    with torch.no_grad():
        assert not torch.allclose(model.lm(input_ids=ids).logits, base(input_ids=ids).logits, atol=1e-3)
    trained = [name for name, param in model.named_parameters() if param.requires_grad]
    assert all("lora_" in name or name.startswith("value_head") for name in trained)


def test_14_the_reward_model_s_loss_and_its_stored_scale(policy: Policy, tmp_path: Path) -> None:
    scores, ranks = torch.tensor([0.3, -1.0, 2.0, 0.3]), torch.tensor([1, 3, 0, 1])
    order = torch.tensor([2, 0, 3, 1])
    assert float(ranking_loss(scores[order], ranks[order])) == pytest.approx(
        float(ranking_loss(scores, ranks)), abs=1e-6
    )
    assert float(ranking_loss(scores + 7, ranks)) == pytest.approx(float(ranking_loss(scores, ranks)), abs=1e-6)
    one, other = ranking_loss(scores[:2], torch.tensor([0, 1])), ranking_loss(-scores[:2], torch.tensor([0, 1]))
    assert float(one) == pytest.approx(-float(torch.sigmoid(torch.tensor(1.3)).log()), abs=1e-6)
    assert float(other) == pytest.approx(-float(torch.sigmoid(torch.tensor(-1.3)).log()), abs=1e-6)

    reward = reward_of(policy)
    save_reward(reward.model, policy, {"mean": 0.5, "std": 2.0}, tmp_path)
    assert json.loads((tmp_path / "reward.json").read_text())["std"] == 2.0
    again = open_reward(tmp_path, policy.codec)
    assert (again.mean, again.std) == (0.5, 2.0)


def test_14_another_tokenizer_is_refused(policy: Policy, ours: Policy, tmp_path: Path) -> None:
    save_reward(reward_of(policy).model, policy, {"mean": 0.0, "std": 1.0}, tmp_path)
    with pytest.raises(MomusError, match="tokeni"):
        open_reward(tmp_path, ours.codec)
    other = open_policy(save_tiny_llama(tmp_path / "other", pad="<|endoftext|>"))
    with pytest.raises(MomusError, match="tokeni"):
        open_reward(tmp_path, other.codec)
