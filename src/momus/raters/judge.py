"""A model asked to fill the form, over any OpenAI-compatible server, given the reference bugs.

It fails closed: a reply that cannot be read whole, a score outside 1..7, a timeout or an error of the server make a
comparison unscored, never a number. The reason is in the rationale.
"""

from __future__ import annotations

import hashlib
import json
import string
from pathlib import Path
from typing import Any

from momus.critics.prompted import MAX_ANSWER, MAX_QUESTION, fenced, fill, shortened
from momus.critique import render
from momus.models.chat import CONCURRENCY, Chat, ChatError, model_and_url
from momus.raters.form import SINGLE, Form, Order, Rated, order_of, unscored
from momus.records import Comparison

PROMPT = Path(__file__).with_name("prompts") / "judge.md"
MAX_TOKENS = 2048
MAX_CRITIQUE = 12_000  # characters of one critique that are shown
LETTERS = string.ascii_uppercase


class Judge:
    """`judge:MODEL@URL`. `attempts` are the replies asked for until one can be read whole.

    The temperature is 0 at first, as a judge should say the same twice, and 0.7 when asked again. Raises ServerError
    where the server can do nothing at all.
    """

    simulated = False
    concurrency = CONCURRENCY

    def __init__(self, chat: Chat, *, seed: int = 0, attempts: int = 2, max_tokens: int = MAX_TOKENS) -> None:
        self.name = f"judge:{chat.model}@{chat.url}"
        self.version = hashlib.sha256(PROMPT.read_bytes()).hexdigest()[:12]
        self._chat, self._seed, self._attempts, self._max_tokens = chat, seed, max(1, attempts), max_tokens

    def rate(self, comparison: Comparison) -> Rated:
        if len(comparison.critiques) > len(LETTERS):
            return unscored(comparison, f"a judge is shown {len(LETTERS)} critiques at most")
        failed = [i for i, sampled in enumerate(comparison.critiques) if sampled.error is not None]
        if failed:
            return unscored(comparison, f"critique {failed[0] + 1} of the comparison is missing: its critic failed")
        prompt = judge_prompt(comparison)
        why = ""
        for attempt in range(self._attempts):
            (reply,) = self._chat.complete(
                prompt,
                temperature=0.7 if attempt else 0.0,
                max_tokens=self._max_tokens,
                seed=self._seed + attempt,
                as_json=True,
            )
            if isinstance(reply, ChatError):
                why = str(reply)  # which was tried again already
                break
            try:
                return read_reply(reply.text, comparison)
            except ValueError as error:
                why = f"the judge's reply cannot be used: {error}" + (" (it was cut off)" if reply.cut else "")
        return unscored(comparison, why)


def open_judge(name: str, *, seed: int = 0, timeout_s: float = 120, retries: int = 2) -> Judge:
    """The judge MODEL@URL. Raises MomusError where that is no such name."""
    model, url = model_and_url(name, "judge")
    return Judge(Chat(model, url, timeout_s=timeout_s, retries=retries), seed=seed)


def judge_prompt(comparison: Comparison) -> str:
    """What the judge is shown: the task, the reference bugs and the critiques, without who wrote them."""
    task = comparison.task
    answer, left_out = shortened(task.answer, MAX_ANSWER)
    shown = []
    for letter, sampled in zip(LETTERS, comparison.critiques, strict=False):
        text = render(sampled.critique, task.answer, task.language)[:MAX_CRITIQUE]
        shown.append(f"### {letter}\n\n<critique>\n{text.strip()}\n</critique>")
    bugs = []
    for number, bug in enumerate(comparison.bugs, 1):
        quote = fenced(bug.spans[0].of(task.answer), task.language)
        mend = "" if bug.suggestion is None else f"\nIt should be:\n{fenced(bug.suggestion, task.language)}"
        bugs.append(f"{number}. {bug.category}, {bug.severity}. {bug.description}\n{quote}{mend}")
    return fill(
        PROMPT.read_text(encoding="utf-8"),
        {
            "question": task.question[:MAX_QUESTION].strip() or "(The request is not known.)",
            "answer": fenced(answer, task.language) + (f"\n\n({left_out})" if left_out else ""),
            "bugs": "\n\n".join(bugs) or "None: nobody knows of a bug in this answer.",
            "critiques": "\n\n".join(shown),
            "names": ", ".join(LETTERS[: len(comparison.critiques)]),
        },
    )


def read_reply(text: str, comparison: Comparison) -> Rated:
    """The forms and the ranking in a judge's reply. Raises ValueError, in words, on anything but a whole valid form.

    Text around the JSON object is allowed, as models like to fence it.
    """
    body = object_in(text)
    letters = LETTERS[: len(comparison.critiques)]
    forms = body.get("critiques")
    if not isinstance(forms, dict) or set(forms) != set(letters):
        raise ValueError(f"it does not rate the critiques {', '.join(letters)}")
    read = tuple(_form(forms[letter], letter, len(comparison.bugs)) for letter in letters)
    ranking = body.get("ranking")
    order = order_of([form.overall for form in read]) if ranking is None else _order(ranking, letters)
    return Rated(read, order, "as ranked" if ranking is not None else "by overall")


def object_in(text: str) -> dict[str, Any]:
    """The first JSON object in a reply. Raises ValueError where there is none."""
    start = text.find("{")
    if start < 0:
        raise ValueError("there is no JSON object in it")
    try:
        body, _ = json.JSONDecoder().raw_decode(text, start)
    except (ValueError, RecursionError):
        raise ValueError("its JSON is broken") from None
    if not isinstance(body, dict):
        raise ValueError("there is no JSON object in it")
    return body


def _form(body: Any, letter: str, bugs: int) -> Form:
    if not isinstance(body, dict):
        raise ValueError(f"{letter} is no form")
    cbi = body.get("cbi", [] if not bugs else None)
    if not isinstance(cbi, list) or len(cbi) != bugs:
        raise ValueError(f"{letter}.cbi is no list of {bugs} scores")
    scores = {name: _score(body.get(name), f"{letter}.{name}") for name in SINGLE}
    rationale = body.get("rationale")
    return Form(
        cbi=tuple(_score(score, f"{letter}.cbi") for score in cbi),
        comprehensiveness=scores["comprehensiveness"],
        nitpick=scores["nitpick"],
        fake_problem=scores["fake_problem"],
        conciseness=scores["conciseness"],
        overall=scores["overall"],
        rationale=rationale[:2000] if isinstance(rationale, str) else "",
    )


def _score(value: Any, name: str) -> int:
    if type(value) is not int or not 1 <= value <= 7:  # nor True, nor 6.5, nor "6"
        raise ValueError(f"{name} is {json.dumps(value)[:40]}, no whole number from 1 to 7")
    return value


def _order(ranking: Any, letters: str) -> Order:
    tiers: list[tuple[int, ...]] = []
    for tier in ranking if isinstance(ranking, list) else ():
        members = [tier] if isinstance(tier, str) else tier
        if not isinstance(members, list) or not members or not all(isinstance(m, str) for m in members):
            raise ValueError("its ranking is no list of tiers")
        tiers.append(tuple(letters.find(m) if len(m) == 1 else -1 for m in members))
    placed = sorted(i for tier in tiers for i in tier)
    if placed != list(range(len(letters))):
        raise ValueError(f"its ranking does not hold each of {', '.join(letters)} once")
    return tuple(tiers)
