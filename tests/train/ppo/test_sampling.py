"""Invariants 1 to 7: what was drawn is what is learned from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from momus.critique import Comment, Span, TextMap
from momus.models.dialect import stripped_line
from momus.train.policy import Policy
from momus.train.ppo.layout import Episode, grouped, micro_batches, pack
from momus.train.ppo.policy_value import PolicyValue, entropy_of, frozen_copy
from momus.train.ppo.requests import Request
from momus.train.ppo.rollout import Sampler, draw, left_padded, luck, roll_out

MAX_NEW = 12


def drawn(
    model: PolicyValue, policy: Policy, requests: list[Request], *, temperature: float = 1.0, n: int = 3, rows: int = 64
) -> list[Episode]:
    sampler = Sampler(MAX_NEW, temperature, policy.codec.pad, policy.codec.end, rows)
    prompts = [(i, r.tokens) for i, r in enumerate(requests)]
    return roll_out(model, prompts, n, sampler, luck(0, 0, 0, n * len(prompts), MAX_NEW))


def flat(episodes: list[Episode]) -> torch.Tensor:
    return torch.tensor([p for episode in episodes for p in episode.logprobs])


@torch.no_grad()
def recomputed(model: PolicyValue, episodes: list[Episode], *, share: bool = True, temperature: float = 1.0) -> Any:
    return model(pack(grouped(episodes), 0, share=share), temperature)


def by_hand(policy: Policy, episode: Episode, temperature: float = 1.0) -> list[float]:
    """The plainest way: one unpadded sequence through the whole model."""
    with torch.no_grad():
        logits = policy.model(input_ids=torch.tensor([[*episode.prompt, *episode.tokens]])).logits[0]
    chosen = (logits / temperature).log_softmax(-1)
    start = len(episode.prompt)
    return [float(chosen[start + t - 1, token]) for t, token in enumerate(episode.tokens)]


def test_01_recomputed_logprobs_are_those_of_the_rollout(
    model: PolicyValue, policy: Policy, requests: list[Request]
) -> None:
    episodes = drawn(model, policy, requests)
    for share in (True, False):
        assert (recomputed(model, episodes, share=share).logprobs - flat(episodes)).abs().max() < 1e-4
    told = [p for episode in episodes for p in by_hand(policy, episode)]
    assert (torch.tensor(told) - flat(episodes)).abs().max() < 1e-4
    assert any(len(e.tokens) < MAX_NEW for e in episodes) or any(e.tokens[-1] != policy.codec.end for e in episodes)


def test_01_holds_for_our_own_dialect(ours: Policy) -> None:
    from momus.train.ppo.requests import requests_of
    from tiny_ppo import TASKS

    model = PolicyValue(ours.model)
    assert model.share and model.plain_head
    episodes = drawn(model, ours, requests_of(TASKS, ours.codec, 512))
    assert (recomputed(model, episodes).logprobs - flat(episodes)).abs().max() < 1e-4


def test_01_bf16_stays_near(policy: Policy, requests: list[Request]) -> None:
    policy.model.get_output_embeddings().weight.data.div_(12.0)  # a bf16 logit of 20 is known to a tenth
    model = PolicyValue(policy.model, bf16=True)
    episodes = drawn(model, policy, requests[:3])
    assert (recomputed(model, episodes).logprobs - flat(episodes)).abs().max() < 2e-2


def test_02_nothing_of_the_model_s_own_generation_config_takes_part(
    model: PolicyValue, policy: Policy, requests: list[Request]
) -> None:
    before = drawn(model, policy, requests)
    for name, value in {"top_k": 1, "top_p": 0.1, "temperature": 0.01, "repetition_penalty": 9.0}.items():
        setattr(policy.model.generation_config, name, value)
    assert drawn(model, policy, requests) == before


@given(st.integers(0, 2**31), st.floats(0.2, 3.0))
@settings(max_examples=10, deadline=None)
def test_02_every_token_can_be_drawn_and_none_more_often_than_it_should(seed: int, temperature: float) -> None:
    logits = torch.randn(1, 80, generator=torch.Generator().manual_seed(seed)) * 1.5
    wanted = (logits / temperature).softmax(-1)[0]
    grid = (torch.arange(20_000, dtype=torch.float64) + 0.5) / 20_000
    token, logprob = draw(logits.expand(len(grid), -1), temperature, grid)
    found = torch.bincount(token, minlength=80) / len(grid)
    assert (found - wanted).abs().max() < 2e-4  # 80 candidates: more than the 50 of an unset top_k
    assert torch.allclose(logprob, wanted.log()[token], atol=1e-5)


def test_02_the_ends_of_luck_stay_in_the_vocabulary() -> None:
    logits = torch.tensor([[0.0, -80.0, 0.0, -80.0]])
    for uniform in (0.0, np.nextafter(1.0, 0.0)):
        token, _ = draw(logits, 1.0, torch.tensor([uniform]))
        assert int(token) in (0, 2)


def test_04_temperature_divides_the_logits_of_policy_old_and_reference_alike(
    model: PolicyValue, policy: Policy, requests: list[Request]
) -> None:
    episodes = drawn(model, policy, requests[:2], temperature=1.7)
    assert (recomputed(model, episodes, temperature=1.7).logprobs - flat(episodes)).abs().max() < 1e-4
    told = torch.tensor([p for episode in episodes for p in by_hand(policy, episode, 1.7)])
    assert (told - flat(episodes)).abs().max() < 1e-4
    reference = frozen_copy(policy.model)
    found = recomputed(reference, episodes, temperature=1.7).logprobs
    assert torch.equal(found, recomputed(model, episodes, temperature=1.7).logprobs)
    assert (found - recomputed(reference, episodes).logprobs).abs().max() > 0.1


def test_05_padding_is_not_felt_on_either_side(model: PolicyValue, policy: Policy, requests: list[Request]) -> None:
    ids, mask = left_padded([r.tokens for r in requests], policy.codec.pad)
    assert bool((mask == 0).any())
    with torch.no_grad():
        positions = (mask.cumsum(1) - 1).clamp(min=0)
        left = policy.model(input_ids=ids, attention_mask=mask, position_ids=positions).logits[:, -1]
        for i, request in enumerate(requests):
            alone = policy.model(input_ids=torch.tensor([request.tokens])).logits[0, -1]
            assert (left[i] - alone).abs().max() < 1e-4
    episodes = drawn(model, policy, requests)
    together = recomputed(model, episodes).logprobs
    apart = torch.cat([recomputed(model, group).logprobs for group in grouped(episodes)])
    assert (together - apart).abs().max() < 1e-4


def test_05_critiques_in_one_row_do_not_see_each_other(
    model: PolicyValue, policy: Policy, requests: list[Request]
) -> None:
    group = drawn(model, policy, requests[:1])
    assert model.share
    first = recomputed(model, group)
    stranger = Episode(group[0].prompt, tuple(t ^ 1 for t in group[0].tokens), (), 0, 0)
    second = recomputed(model, [stranger, *group[1:]])
    kept = len(group[0].tokens)
    assert (first.logprobs[kept:] - second.logprobs[kept:]).abs().max() < 1e-4
    assert (first.logprobs[:kept] - second.logprobs[:kept]).abs().max() > 1e-2


def test_06_dropout_stays_off_and_luck_alone_decides(policy: Policy, requests: list[Request]) -> None:
    policy.model.config.attention_dropout = 0.5
    for module in policy.model.modules():
        if hasattr(module, "attention_dropout"):
            module.attention_dropout = 0.5
    model = PolicyValue(policy.model)
    model.train()
    assert not any(module.training for module in model.modules())
    episodes = drawn(model, policy, requests)
    assert drawn(model, policy, requests) == episodes
    assert torch.equal(recomputed(model, episodes).logprobs, recomputed(model, episodes).logprobs)


def test_06_processes_and_steps_have_other_luck_and_the_batch_has_no_say(
    model: PolicyValue, policy: Policy, requests: list[Request]
) -> None:
    numbers = [luck(0, step, rank, 4, 5) for step in range(2) for rank in range(2)]
    assert len({n.tobytes() for n in numbers}) == 4
    assert luck(0, 1, 0, 4, 5).tobytes() == numbers[2].tobytes()
    small = drawn(model, policy, requests, rows=3)
    assert [e.tokens for e in small] == [e.tokens for e in drawn(model, policy, requests)]


def test_07_rollouts_are_unconstrained(model: PolicyValue, policy: Policy, requests: list[Request]) -> None:
    """No mask holds a token back, so that no token must be left out of the loss."""
    episodes = drawn(model, policy, requests[:2])
    packed = pack(grouped(episodes), 0, share=True)
    with torch.no_grad():
        logits, _ = model._logits(packed)
    assert bool(torch.isfinite(logits).all()) and logits.shape[1] == policy.model.config.vocab_size
    with pytest.raises(TypeError):
        Sampler(MAX_NEW, 1.0, 0, 1, quote=None)  # type: ignore[call-arg]


def test_a_model_that_caps_its_logits_or_ignores_masks_is_read_whole(policy: Policy, requests: list[Request]) -> None:
    plain = PolicyValue(policy.model)
    episodes = drawn(plain, policy, requests[:2])
    plain.plain_head = plain.share = False
    assert (recomputed(plain, episodes, share=False).logprobs - flat(episodes)).abs().max() < 1e-4

    class Deaf(torch.nn.Module):  # as a model whose layers take no mask of their own
        config = policy.model.config

        def forward(self, input_ids: torch.Tensor, **ignored: Any) -> Any:
            return policy.model.model(input_ids=input_ids, use_cache=False)

    from momus.train.rows import can_share

    assert not can_share(Deaf(), 300, torch.device("cpu"))
    assert can_share(policy.model.model, 300, torch.device("cpu"))


@given(st.lists(st.tuples(st.integers(1, 30), st.integers(1, 4), st.integers(1, 9)), min_size=1, max_size=9))
@settings(max_examples=40, deadline=None)
def test_micro_batches_take_every_group_once_within_their_tokens(sizes: list[tuple[int, int, int]]) -> None:
    groups = [[Episode((1,) * prompt, (2,) * length, (), g, 0)] * n for g, (prompt, n, length) in enumerate(sizes)]
    for share in (True, False):
        batches = micro_batches(groups, 60, share=share)
        assert sorted(g for batch in batches for g in batch) == list(range(len(groups)))
        for batch in batches:
            packed = pack([groups[g] for g in batch], 0, share=share)
            assert len(batch) == 1 or packed.rows.ids.numel() <= 60
            assert len(packed.target) == sum(len(e.tokens) for g in batch for e in groups[g])


def test_entropy_takes_probabilities_of_nothing() -> None:
    assert float(entropy_of(torch.tensor([[0.0, 0.0, -torch.inf]]))) == pytest.approx(float(np.log(2)), abs=1e-6)


def test_07_what_is_no_choice_is_put_in_and_left_out_of_every_loss(
    model: PolicyValue, policy: Policy, requests: list[Request]
) -> None:
    """Behind every token of an even number come two that nobody chose."""

    def forced(task: int, tokens: Sequence[int]) -> list[int]:
        return [] if tokens[-1] % 2 or tokens[-1] == policy.codec.end else [5 + task, 7]

    sampler = Sampler(MAX_NEW, 1.0, policy.codec.pad, policy.codec.end, 4)
    prompts = [(i, r.tokens) for i, r in enumerate(requests)]
    episodes = roll_out(model, prompts, 3, sampler, luck(0, 0, 0, 3 * len(prompts), MAX_NEW), forced)
    assert sum(len(episode.forced) for episode in episodes) > 5
    for episode in episodes:
        put_in: set[int] = set()
        for place, token in enumerate(episode.tokens):
            if place not in put_in and token % 2 == 0 and token != policy.codec.end:
                run = [p for p in (place + 1, place + 2) if p < len(episode.tokens)]
                assert [episode.tokens[p] for p in run] == [5 + episode.task, 7][: len(run)]
                put_in.update(run)
        assert episode.forced == put_in and all(episode.logprobs[place] == 0.0 for place in put_in)
        told = by_hand(policy, episode)
        assert all(abs(told[place] - episode.logprobs[place]) < 1e-4 for place in episode.choices)
    for share in (True, False):
        found = recomputed(model, episodes, share=share)
        expected = [episode.logprobs[place] for episode in episodes for place in episode.choices]
        assert len(found.logprobs) == len(expected)
        assert (found.logprobs - torch.tensor(expected)).abs().max() < 1e-4


def test_a_quote_of_our_dialect_is_forced_to_its_line(ours: Policy) -> None:
    codec, text = ours.codec, TextMap("def f(x):\n\n    return x\n")
    (open_token,) = codec.opener
    for line in (1, 3):
        tokens = codec.write([Comment(stripped(text, line), "It is wrong.")], text)
        quote = codec.forced(tokens[:2], text)
        assert tokens[: 2 + len(quote)] == [open_token, tokens[1], *quote]
        written = codec.read([*tokens[:2], *quote, codec.end], text)
        assert written.unanchored == 0 and len(written.critique) == 1
    assert codec.forced([], text) == codec.forced([open_token], text) == codec.forced(tokens[:3], text) == []
    blank = codec.write([Comment(stripped(TextMap("a\nb"), 2), "x")], TextMap("a\nb"))[1]  # the second line's marker
    assert codec.forced([open_token, blank], text) == []


def stripped(text: TextMap, line: int) -> Span:
    found = stripped_line(text, line)
    assert found is not None
    return found
