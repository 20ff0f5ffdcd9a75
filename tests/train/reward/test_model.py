"""A score belongs to a critique: not to its batch, its padding, or the critiques beside it."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from planted_ratings import write_rated
from transformers import AutoModelForSequenceClassification

from momus.critique import Critique, TextMap
from momus.errors import MomusError
from momus.models.protocol import Prompt
from momus.train.policy import Policy, open_policy
from momus.train.reward.data import Group, load
from momus.train.reward.model import (
    as_classifier,
    check_sharing,
    open_reward,
    packed_scores,
    raw_scores,
    save_reward,
)
from momus.train.rows import lay_out
from tiny_llama import save_tiny_llama


@pytest.fixture(scope="module", params=["ours", "llama"])
def start(request: pytest.FixtureRequest, policy: Policy, tmp_path_factory: pytest.TempPathFactory) -> Policy:
    if request.param == "ours":
        return policy
    return open_policy(save_tiny_llama(tmp_path_factory.mktemp("llama")))


@pytest.fixture(scope="module")
def groups(start: Policy, tmp_path_factory: pytest.TempPathFactory) -> list[Group]:
    return load([write_rated(tmp_path_factory.mktemp("few"), 2)], start.codec, None).groups


def with_head(policy: Policy) -> Any:
    model = as_classifier(policy)
    torch.manual_seed(5)
    with torch.no_grad():
        model.score.weight.normal_()
    return model


def sequences(groups: list[Group]) -> list[tuple[int, ...]]:
    return [(*group.prompt, *c.tokens) for group in groups for c in group.candidates]


def test_10_padding_is_not_the_end_and_the_score_stands_at_the_end(start: Policy, groups: list[Group]) -> None:
    model, asked = with_head(start), sequences(groups)
    assert model.config.pad_token_id == start.codec.pad != start.codec.end and model.config.num_labels == 1
    by_hand = []
    for ids in asked:
        assert ids[-1] == start.codec.end
        with torch.no_grad():
            hidden = model.base_model(input_ids=torch.tensor([ids])).last_hidden_state[0, -1]
            by_hand.append(float(hidden @ model.score.weight[0]))
    assert raw_scores(model, asked) == pytest.approx(by_hand, abs=1e-4)
    before_the_end = raw_scores(model, [ids[:-1] for ids in asked])
    assert all(abs(a - b) > 1e-3 for a, b in zip(before_the_end, by_hand, strict=True))


@pytest.mark.parametrize("side", ["left", "right"])
def test_11_a_batch_scores_as_each_alone_does_on_either_side(start: Policy, groups: list[Group], side: Any) -> None:
    model, asked = with_head(start), sequences(groups)
    alone = [raw_scores(model, [ids])[0] for ids in asked]
    assert len({len(ids) for ids in asked}) > 3, "nothing would be padded"
    assert raw_scores(model, asked, side=side) == pytest.approx(alone, abs=2e-5)
    assert raw_scores(model, asked, side=side, batch_tokens=400) == pytest.approx(alone, abs=2e-5)
    width = max(map(len, asked))
    padded = [(ids, (start.codec.pad,) * (width - len(ids))) for ids in asked]
    rows = torch.tensor([[*p, *ids] if side == "left" else [*ids, *p] for ids, p in padded])
    mask = (rows != start.codec.pad).long()
    with torch.no_grad():  # and as anybody's Transformers reads it
        theirs = model(input_ids=rows, attention_mask=mask).logits[:, 0].tolist()
    assert theirs == pytest.approx(alone, abs=2e-5)


def test_a_pack_scores_each_critique_as_if_it_were_alone(start: Policy, groups: list[Group]) -> None:
    model = with_head(start)
    whole = Group(
        "pair", "p", (), tuple(replace(c, tokens=(*groups[1].prompt, *c.tokens)) for c in groups[1].candidates)
    )
    several = [*groups, whole]
    with torch.no_grad():
        found = [float(s) for scores in packed_scores(model, several) for s in scores]
    assert found == pytest.approx(raw_scores(model, sequences(several)), abs=1e-4)
    rows = lay_out([(group.prompt, [c.tokens for c in group.candidates]) for group in groups], start.codec.pad)
    assert rows.ids.numel() < 0.6 * sum(map(len, sequences(groups)))


def test_a_model_that_heeds_no_mask_of_its_own_is_refused(policy: Policy) -> None:
    model = as_classifier(policy)
    check_sharing(model)
    assert not model.score.weight.any()
    trunk = model.model.forward
    model.model.forward = lambda attention_mask=None, **rest: trunk(
        attention_mask=attention_mask if attention_mask.dim() == 2 else None, **rest
    )
    with pytest.raises(MomusError, match="mask of its own"):
        check_sharing(model)


def test_the_head_starts_at_zero_on_the_policys_trunk(policy: Policy, tmp_path: Path) -> None:
    model = as_classifier(policy)
    assert not model.score.weight.any() and not model.training
    own, theirs = model.base_model.state_dict(), policy.model.base_model.state_dict()
    assert own.keys() == theirs.keys() and all(torch.equal(own[name], theirs[name]) for name in own)
    assert own["embed_tokens.weight"].data_ptr() != theirs["embed_tokens.weight"].data_ptr()
    with pytest.raises(MomusError, match="pads with what ends"):
        codec = type("Codec", (), {"pad": policy.codec.end, "end": policy.codec.end})()
        as_classifier(Policy(policy.model, codec, policy.folder))


def test_what_was_saved_opens_anywhere_and_bears_its_scale(start: Policy, groups: list[Group], tmp_path: Path) -> None:
    model = with_head(start)
    save_reward(model, start, {"mean": 0.25, "std": 2.0}, tmp_path)
    assert not (tmp_path / "partial").exists()
    opened = open_reward(tmp_path, start.codec)
    asked = sequences(groups)
    raw = raw_scores(model, asked)
    assert opened.score(asked) == pytest.approx([(r - 0.25) / 2.0 for r in raw], abs=1e-6)
    config = json.loads((tmp_path / "config.json").read_text())
    assert (config["reward_mean"], config["reward_std"]) == (0.25, 2.0)
    assert config["architectures"][0].endswith("ForSequenceClassification")
    theirs = AutoModelForSequenceClassification.from_pretrained(tmp_path)
    assert theirs.config.num_labels == 1 and theirs.score.weight.shape == (1, 32)
    assert torch.equal(theirs.score.weight, model.score.weight)
    answer = "def f(x):\n    return x\n"
    tokens = opened.tokens(Prompt("Q.", answer), Critique())
    assert tokens == [*start.codec.ask(Prompt("Q.", answer)), *start.codec.write((), TextMap(answer))]


def test_another_tokenizer_than_the_policys_is_refused(policy: Policy, dialect: Any, tmp_path: Path) -> None:
    from momus.corpus.tokenizer import train
    from momus.models.dialect import SPECIALS, Dialect

    save_reward(as_classifier(policy), policy, {"mean": 0.0, "std": 1.0}, tmp_path)
    open_reward(tmp_path, policy.codec)
    other = Dialect(train(["an entirely different text " * 20], SPECIALS, tmp_path / "other.json", size=450))
    llama = open_policy(save_tiny_llama(tmp_path / "llama"))
    for codec in (other, llama.codec):
        with pytest.raises(MomusError, match="another tokenizer"):
            open_reward(tmp_path, codec)


def test_a_damaged_or_missing_reward_model_is_one_sentence(policy: Policy, tmp_path: Path) -> None:
    with pytest.raises(MomusError, match="no reward model"):
        open_reward(policy.folder)
    whole = tmp_path / "whole"
    save_reward(as_classifier(policy), policy, {"mean": 0.0, "std": 1.0}, whole)
    for name, content in (("reward.json", b"{"), ("reward.json", b'{"mean": 1}'), ("model.safetensors", b"nothing")):
        spoilt = tmp_path / "spoilt"
        shutil.copytree(whole, spoilt, dirs_exist_ok=True)
        (spoilt / name).write_bytes(content)
        with pytest.raises(MomusError, match="cannot be read") as error:
            open_reward(spoilt)
        assert "\n" not in str(error.value)


def test_what_does_not_fit_the_context_is_not_scored(policy: Policy) -> None:
    model = as_classifier(policy)
    for sequence in ([5] * 1025, []):
        with pytest.raises(MomusError, match="1 to 1024 can be scored"):
            raw_scores(model, [sequence])
