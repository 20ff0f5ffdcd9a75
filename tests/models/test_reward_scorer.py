"""The bundle's reward model: the scores of Hugging Face's classifier, read piece by piece or at once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from momus.models.protocol import Branch, Prompt
from momus.models.reward import BundledScorer
from momus.models.runtime import Pass, Passed
from tiny_reward import MEAN, STD, TinyReward

PROMPT = Prompt("Sum a list.", "def f(xs):\n    total = 0\n    return total\n")


class Counted:
    """A real runtime that counts the tokens it reads."""

    def __init__(self, runtime: Any) -> None:
        self.runtime, self.arch, self.granule = runtime, runtime.arch, runtime.granule
        self.tokens = 0

    def forward(self, batch: Pass, *, hidden: bool = False) -> Passed:
        self.tokens += len(batch.ids)
        passed: Passed = self.runtime.forward(batch, hidden=hidden)
        return passed


def scorer(run: TinyReward, runtime: str = "onnx") -> BundledScorer:
    bundle = run.opened(runtime)  # type: ignore[arg-type]
    assert bundle.reward is not None
    return bundle.reward.scorer(bundle.dialect)


def critiques(count: int, seed: int = 0) -> list[Branch]:
    """Branches that share beginnings, as those of a search do: half of them continue an earlier one, cut somewhere."""
    rng = np.random.default_rng(seed)
    made: list[list[int]] = []
    for i in range(count):
        begun = list(made[rng.integers(len(made))]) if i % 2 and made else []
        begun = begun[: int(rng.integers(len(begun) + 1))]
        made.append([*begun, *rng.integers(300, 500, int(rng.integers(1, 30))).tolist()])
    return [Branch(tokens) for tokens in made]


@pytest.fixture(scope="module")
def reference(tiny_reward: TinyReward) -> Any:
    """Hugging Face's raw score of a whole sequence of tokens."""
    import torch
    from transformers import Qwen3ForSequenceClassification

    model = Qwen3ForSequenceClassification.from_pretrained(tiny_reward.reward, dtype=torch.float32).eval()

    def raw(tokens: list[int]) -> float:
        with torch.no_grad():
            return float(model(torch.tensor([tokens])).logits[0, 0])

    return raw


@pytest.mark.parametrize("runtime", ["onnx", "numpy"])
def test_scores_are_those_of_hugging_face_normalised(tiny_reward: TinyReward, runtime: str, reference: Any) -> None:
    model = scorer(tiny_reward, runtime)
    branches = critiques(6)
    prompt = model.codec.ask(PROMPT)
    expected = [(reference([*prompt, *branch.tokens]) - MEAN) / STD for branch in branches]
    assert model.open(PROMPT).score(branches) == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("runtime", ["onnx", "numpy"])
def test_pieces_score_as_the_whole_does(tiny_reward: TinyReward, runtime: str) -> None:
    model = scorer(tiny_reward, runtime)
    branches = critiques(12, seed=1)
    session = model.open(PROMPT)
    grown = [*session.score(branches[:3]), *session.score(branches[3:8]), *session.score(branches[8:])]
    alone = [model.open(PROMPT).score([branch])[0] for branch in branches]
    assert grown == pytest.approx(alone, abs=1e-4)
    assert len(set(grown)) == len(grown)
    assert session.score(branches[:4]) == pytest.approx(alone[:4], abs=1e-4), "what is known scores the same again"


def test_only_new_tokens_are_read(tiny_reward: TinyReward) -> None:
    model = scorer(tiny_reward)
    runtime = Counted(model.runtime)
    session = BundledScorer(runtime, model.codec, model.head).open(PROMPT)
    assert runtime.tokens == len(model.codec.ask(PROMPT))
    runtime.tokens = 0
    first = list(range(300, 340))
    session.score([Branch(first)])
    assert runtime.tokens == 40
    session.score([Branch([*first[:30], 7, 8]), Branch([*first, 9])])
    assert runtime.tokens == 43
    session.score([Branch([*first[:30], 7, 8, 400])])
    assert runtime.tokens == 44
    session.score([])
    assert runtime.tokens == 44


def test_a_score_does_not_depend_on_the_company(tiny_reward: TinyReward) -> None:
    model = scorer(tiny_reward)
    branches = critiques(5, seed=3)
    together = model.open(PROMPT).score(branches)
    assert [model.open(PROMPT).score([branch])[0] for branch in branches] == pytest.approx(together, abs=1e-5)
    assert model.open(PROMPT).score(branches) == together, "to the bit, in the same company"


def test_a_closed_session_and_a_critique_beyond_the_context_are_refused(tiny_reward: TinyReward) -> None:
    session = scorer(tiny_reward).open(PROMPT)
    with pytest.raises(ValueError, match="room for"):
        session.score([Branch([300] * 1100)])
    session.close()
    with pytest.raises(ValueError, match="closed"):
        session.score([Branch([300])])
