"""Who chooses the solution that passes, where no person does: a model as judge, or one who only believes critiques.

Both are simulated choosers, and their choices are marked so. People choose at the desk (kind `judge`).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from momus.critics.prompted import MAX_ANSWER, MAX_QUESTION, fenced, fill, shortened
from momus.critique import Critique, render
from momus.errors import MomusError
from momus.models.chat import CONCURRENCY, Chat, ChatError, model_and_url
from momus.raters.judge import MAX_CRITIQUE, object_in
from momus.records import Choice, Pair, Record

PROMPT = Path(__file__).with_name("truth_judge.md")
MAX_TOKENS = 1024
SHARD = 16  # pairs: what a stopped run may lose
WEIGHTS = {"low": 1, "medium": 2, "high": 4}  # of what is said against a solution
NO_CRITIQUE = "None was written: judge by the code alone."
KNOWN = "believer, judge:MODEL@URL"
Side = Literal[0, 1]


class Chooser(Protocol):
    name: str
    concurrency: int

    def choose(self, pair: Pair, *, helped: bool) -> Side | None:
        """The solution that passes, in the pair's order; None where nothing was chosen."""
        ...


@dataclass(frozen=True, slots=True)
class ChooseWork:
    """Who chooses, and how it is opened; each pair once without critiques and, where it has them, once with them."""

    by: str
    options: dict[str, Any] = field(default_factory=dict)
    seed: int = 0

    def open(self) -> Callable[[Sequence[Pair]], Iterable[Record]]:
        """Raises MomusError on an unknown name."""
        chooser = open_chooser(self.by, seed=self.seed, **self.options)
        return lambda shard: choices_of(chooser, shard)


def open_chooser(name: str, *, seed: int = 0, timeout_s: float = 120, retries: int = 2) -> Chooser:
    """`believer`, or `judge:MODEL@URL`. Raises MomusError on another name."""
    if name == "believer":
        return Believer(seed)
    if name.startswith("judge:"):
        model, url = model_and_url(name.removeprefix("judge:"), "judge")
        return ModelChooser(Chat(model, url, timeout_s=timeout_s, retries=retries), seed=seed)
    raise MomusError(f"nobody called {name!r} chooses: known are {KNOWN}")


def choices_of(chooser: Chooser, pairs: Sequence[Pair]) -> list[Choice]:
    """The choices on some pairs, in their order. Raises ValueError on a pair of which nobody knows which one passes."""
    asked = [(pair, helped) for pair in pairs for helped in (False, True) if pair.critiques is not None or not helped]
    with ThreadPoolExecutor(chooser.concurrency) as pool:
        sides = list(pool.map(lambda one: chooser.choose(one[0], helped=one[1]), asked))
    made = []
    for (pair, helped), side in zip(asked, sides, strict=True):
        if pair.passes is None:
            raise ValueError(f"nobody knows which solution of {pair.id} passes")
        critic = pair.critiques[0].critic if helped and pair.critiques is not None else None
        made.append(
            Choice(task_id=pair.id, rater=chooser.name, passes=pair.passes, chosen=side, critic=critic, simulated=True)
        )
    return made


class Believer:
    """Cannot read code: tosses a coin, until critiques say more against one of the two. The coin is the same in both.

    What is said weighs 1, 2 or 4 a comment, by its severity.
    """

    name = "believer"
    concurrency = 1

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed

    def choose(self, pair: Pair, *, helped: bool) -> Side | None:
        if helped and pair.critiques is not None:
            first, second = (_against(sampled.critique) for sampled in pair.critiques)
            if first != second:
                return 0 if first < second else 1
        return 0 if random.Random(f"{self._seed}/coin/{pair.id}").random() < 0.5 else 1


class ModelChooser:
    """`judge:MODEL@URL`. `attempts` are the replies asked for until one holds a choice; then it is left open.

    Raises ServerError where the server can do nothing at all.
    """

    concurrency = CONCURRENCY

    def __init__(self, chat: Chat, *, seed: int = 0, attempts: int = 2) -> None:
        self.name = f"judge:{chat.model}@{chat.url}"
        self._chat, self._seed, self._attempts = chat, seed, max(1, attempts)

    def choose(self, pair: Pair, *, helped: bool) -> Side | None:
        prompt = prompt_of(pair, helped=helped)
        for attempt in range(self._attempts):
            (reply,) = self._chat.complete(
                prompt,
                temperature=0.7 if attempt else 0.0,
                max_tokens=MAX_TOKENS,
                seed=self._seed + attempt,
                as_json=True,
            )
            if isinstance(reply, ChatError):
                return None  # which was tried again already
            try:
                return read_choice(reply.text)
            except ValueError:
                continue
        return None


def prompt_of(pair: Pair, *, helped: bool) -> str:
    """What the model is shown: the request and both solutions, with the critiques or without, and nobody's name."""
    fields = {"question": pair.question[:MAX_QUESTION].strip() or "(The request is not known.)"}
    for name, i in (("a", 0), ("b", 1)):
        answer, left_out = shortened(pair.answers[i], MAX_ANSWER)
        fields[f"answer_{name}"] = fenced(answer, pair.language) + (f"\n\n({left_out})" if left_out else "")
        said = NO_CRITIQUE
        if helped and pair.critiques is not None:
            said = render(pair.critiques[i].critique.without_metadata(), pair.answers[i], pair.language)
            said = f"<critique>\n{said[:MAX_CRITIQUE].strip()}\n</critique>"
        fields[f"critique_{name}"] = said
    return fill(PROMPT.read_text(encoding="utf-8"), fields)


def read_choice(text: str) -> Side:
    """The choice in a reply. Raises ValueError on anything but one of the two."""
    passes = object_in(text).get("passes")
    if passes not in ("A", "B"):
        raise ValueError("it chooses neither A nor B")
    return 0 if passes == "A" else 1


def _against(critique: Critique) -> int:
    return sum(WEIGHTS[comment.severity] for comment in critique)
