"""What is handed over: one run of PPO, as plain values."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from momus.errors import MomusError
from momus.models.markdown import MarkdownCodec, request
from momus.models.protocol import Prompt
from momus.records import Task
from momus.train.handover.scoring import Reward
from momus.train.ppo.config import PPOConfig

Engine = Literal["verl", "openrlhf"]


@dataclass(frozen=True, slots=True)
class Asked:
    """A request for a critique: as the user's message, as the text that the model reads, and its length in tokens."""

    task_id: str
    source: str
    answer: str
    message: str
    text: str
    tokens: int


@dataclass(frozen=True, slots=True)
class Run:
    """One run. `policy` and `folder` (where the files will lie) are paths as the engine sees them; `gpus` of a node."""

    policy: str
    folder: str
    reward: Reward
    ppo: PPOConfig
    asked: tuple[Asked, ...]
    gpus: int = 1
    nodes: int = 1
    seed: int = 0

    @property
    def prompts(self) -> int:
        """Requests in a step."""
        return self.ppo.rollouts // self.ppo.per_prompt

    @property
    def passes(self) -> int:
        """How often the requests are gone through; a last batch that is not full is left out."""
        return math.ceil(self.ppo.steps / (len(self.asked) // self.prompts))

    @property
    def longest(self) -> int:
        """Tokens of the longest request."""
        return max(one.tokens for one in self.asked)


def ask_all(tasks: Iterable[Task], codec: MarkdownCodec, longest: int) -> tuple[tuple[Asked, ...], Counter[str]]:
    """Tasks as requests that an engine reads as `momus train ppo` would, and why others were left out, counted.

    An engine makes tokens of text. So what would become other tokens there is left out: an answer that spells out a
    special token of the tokenizer, above all, could close its own turn.
    """
    kept: list[Asked] = []
    left_out: Counter[str] = Counter()
    for task in tasks:
        prompt = Prompt(task.question, task.answer)
        try:
            tokens = codec.ask(prompt)
        except ValueError:
            left_out["the answer is blank"] += 1
            continue
        text = str(codec.tokenizer.decode(tokens, skip_special_tokens=False, clean_up_tokenization_spaces=False))
        if len(tokens) > longest:
            left_out[f"more than {longest} tokens (max_prompt)"] += 1
        elif codec.tokenizer.encode(text, add_special_tokens=False) != tokens:
            left_out["the text holds a special token of the tokenizer"] += 1
        else:
            kept.append(Asked(task.id, task.source or "momus", task.answer, request(prompt), text, len(tokens)))
    return tuple(kept), left_out


def check(run: Run, engine: str) -> None:
    """Raises MomusError where a run holds what the engine has no equal for, or cannot divide."""
    ppo = run.ppo
    if ppo.whiten_rewards:
        raise MomusError(f"{engine} does not whiten rewards: set whiten_rewards = false in [ppo]")
    if ppo.kl.controller == "adaptive":
        raise MomusError(f'{engine} steers the KL of a token, [ppo.kl] that of an episode: set controller = "fixed"')
    if len(run.asked) < run.prompts:
        raise MomusError(
            f"a step asks {run.prompts} requests and there are {len(run.asked)}: give more tasks, or fewer rollouts"
        )
    cards = run.gpus * run.nodes
    if (ppo.rollouts // ppo.minibatches) % cards:
        raise MomusError(
            f"{ppo.rollouts // ppo.minibatches} critiques of a minibatch cannot be shared by {cards} GPUs: "
            "set rollouts in [ppo] to a multiple"
        )
