"""What a critique is worth, asked for by an engine while it trains: the same sum as in `momus train ppo`.

An engine imports this in an environment of its own, where Momus stands without its dependencies: nothing outside the
standard library is imported here, but Transformers where an engine's process loads the reward model itself.
"""

from __future__ import annotations

import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from momus.critique import TextMap
from momus.decode import from_json
from momus.models.markdown import read_text

TRIES = 5
TIMEOUT = 120.0  # seconds for one score
ROUTER = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # a cluster's own server, never by way of a proxy


class Encodes(Protocol):
    """What is used of a Hugging Face tokenizer."""

    bos_token: str | None

    def encode(self, text: str, *, add_special_tokens: bool) -> list[int]: ...


@dataclass(frozen=True, slots=True)
class Reward:
    """The reward of whole critiques: (raw - mean) / std of the reward model, less what faults of form cost.

    `reward_model` is its folder, and its name where it is served; `end` the text of the token that closes a critique;
    `max_new` how many tokens a critique may have; the last two are what a missing end costs, and each quote that does
    not stand in the answer.
    """

    reward_model: str
    mean: float
    std: float
    end: str
    max_new: int
    missing_end: float
    unanchored: float

    def total(self, raw: float, critique: str, answer: str, *, ended: bool) -> dict[str, float]:
        """The parts of a reward, and their sum as `score`."""
        loose = read_text(critique, TextMap(answer)).unanchored
        score = (raw - self.mean) / self.std
        worth = score - self.missing_end * (not ended) - self.unanchored * loose
        return {"score": worth, "reward_model": score, "unanchored": float(loose), "missing_end": float(not ended)}

    def verl(
        self, solution: str, answer: str, request: str, router: str | None, tokenizer: Encodes | None
    ) -> dict[str, float]:
        """A reward for verl, whose router serves the reward model.

        verl takes the end off before it asks: a critique counts as cut off where it has `max_new` tokens without one.
        Raises ValueError without a router: a reward without its model would train the wrong thing.
        """
        if router is None or tokenizer is None:
            raise ValueError("the reward model is not served: set reward.reward_model.enable=True")
        ended = len(tokenizer.encode(solution, add_special_tokens=False)) < self.max_new
        text = request + solution + self.end * ended
        if tokenizer.bos_token and text.startswith(tokenizer.bos_token):
            text = text[len(tokenizer.bos_token) :]  # the server's tokenizer puts it there itself
        return self.total(classify(router, self.reward_model, text), solution, answer, ended=ended)

    def openrlhf(
        self, queries: Sequence[str], prompts: Sequence[str], answers: Sequence[str], raw: Callable[[str], float]
    ) -> dict[str, Any]:
        """Rewards for OpenRLHF: `queries` are prompts with their critiques, `raw` scores one.

        Raises ValueError on a query that does not begin with its prompt: it was cut, and would be scored for what the
        policy never read.
        """
        totals = []
        for query, prompt, answer in zip(queries, prompts, answers, strict=True):
            if not query.startswith(prompt):
                raise ValueError("a prompt was cut: set --data.max_len higher")
            critique = query[len(prompt) :]
            ended = critique.endswith(self.end)
            totals.append(self.total(raw(query), critique.removesuffix(self.end), answer, ended=ended))
        worth = [total["score"] for total in totals]
        logs = {name: [total[name] for total in totals] for name in ("reward_model", "unanchored", "missing_end")}
        if len(worth) == 1:  # as OpenRLHF 0.11 asks, one at a time
            return {"rewards": worth[0], "scores": worth[0], "extra_logs": {k: v[0] for k, v in logs.items()}}
        return {"rewards": worth, "scores": worth, "extra_logs": logs}


def classify(address: str, model: str, text: str, *, tries: int = TRIES, pause: float = 1.0) -> float:
    """The raw score of a text, from vLLM's `/classify` at `host:port`. Raises OSError or ValueError, never guesses."""
    body = json.dumps({"model": model, "input": text, "use_activation": False}).encode()
    asked = urllib.request.Request(f"http://{address}/classify", body, {"Content-Type": "application/json"})
    for left in reversed(range(tries)):
        try:
            with ROUTER.open(asked, timeout=TIMEOUT) as reply:
                (found,) = from_json(reply.read())["data"][-1]["probs"]
                return float(found)
        except urllib.error.HTTPError as error:
            if error.code < 500 or not left:
                raise
        except OSError:
            if not left:
                raise
        except (KeyError, IndexError, TypeError) as error:
            raise ValueError(f"the server's reply holds no single score ({error!r})") from None
        time.sleep(pause)
    raise AssertionError("unreachable")


class Loaded:
    """A reward model in this process, loaded when first asked, one text at a time."""

    def __init__(self, folder: str, device: str) -> None:
        self._folder, self._device = folder, device
        self._lock = threading.Lock()  # engines ask from several threads
        self._model: Any = None
        self._tokenizer: Any = None

    def __call__(self, text: str) -> float:
        """The raw score at the last token."""
        import torch

        with self._lock:
            if self._model is None:
                from transformers import AutoModelForSequenceClassification, AutoTokenizer

                self._tokenizer = AutoTokenizer.from_pretrained(self._folder, local_files_only=True)
                model = AutoModelForSequenceClassification.from_pretrained(self._folder, local_files_only=True)
                self._model = model.eval().to(self._device)
            ids = self._tokenizer.encode(text, add_special_tokens=False)
            with torch.inference_mode():
                return float(self._model(torch.tensor([ids], device=self._device)).logits[0, 0])
