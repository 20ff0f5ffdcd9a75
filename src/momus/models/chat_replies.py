"""What a server's reply says: text, tokens with their log-probabilities, usage; or the error in it, in one line."""

from __future__ import annotations

import codecs
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeGuard

from momus.decode import from_json
from momus.models.chat_budget import ChatError, Usage
from momus.models.thinking import without_thinking

OPTIONS = (
    "max_tokens",
    "max_completion_tokens",
    "temperature",
    "top_logprobs",
    "logprobs",
    "seed",
    "stop",
    "top_p",
    "response_format",
    "prompt_logprobs",
    "return_token_ids",
    "continue_final_message",
    "add_generation_prompt",
)
MOST = 100_000  # tokens that one reply may count: a server that tells of more is not believed

_UNPRINTABLE = re.compile(r"[^\x20-\x7e\xa0-\U0010ffff]+")


class Unreadable(ChatError):
    """What came is no reply of the model that was asked: another try may bring one."""


@dataclass(frozen=True, slots=True)
class Token:
    """One token: its text, its log-probability, and the likeliest in its place with theirs, itself among them."""

    text: str
    logprob: float
    others: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Reply:
    """What a model wrote, but for its thinking. `logprob` is the mean over its tokens, None where none is told.

    `tokens` are all that it wrote, `prompt` those that it read, as far as the server tells; `named` is the name that
    the server gives the model.
    """

    text: str
    logprob: float | None = None
    cut: bool = False  # by the limit of tokens
    tokens: tuple[Token, ...] = field(default=(), compare=False, repr=False)
    prompt: tuple[Token, ...] = field(default=(), compare=False, repr=False)
    named: str = field(default="", compare=False)


def read_reply(content: bytes, where: str) -> Reply | ChatError:
    """The first choice of a completion; a ChatError where there is none to read, or where it is thinking alone."""
    try:
        body = from_json(content)
        choice = body["choices"][0]
        message = choice["message"]
        text, cut = message["content"], choice.get("finish_reason") == "length"
        thought = message.get("reasoning_content") or message.get("reasoning")
        said = without_thinking(text) if isinstance(text, str) else ""
        if not said.strip() and (thought or (isinstance(text, str) and text.strip())):
            within = " within its limit of tokens" if cut else ""
            return ChatError(f"{where} wrote its thinking and no answer{within}")
        if not isinstance(text, str):
            raise TypeError("no text")
        told, named = choice.get("logprobs"), body.get("model")
        return Reply(
            said,
            _mean_logprob(told),
            cut,
            _tokens(told.get("content") if isinstance(told, dict) else None),
            _prompt_tokens(body.get("prompt_logprobs")),
            named if isinstance(named, str) else "",
        )
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        start = sentence(content[:80].decode("utf-8", "replace"))
        return Unreadable(f"{where} answered with something that is no chat completion: {start!r}")


def usage_of(content: bytes) -> Usage:
    """The tokens that a reply says it took, and what it cost, as far as it says so."""
    try:
        told = from_json(content).get("usage")
    except (ValueError, AttributeError):
        return Usage()
    if not isinstance(told, dict):
        return Usage()

    def count(name: str) -> int | None:
        value = told.get(name)
        return value if type(value) is int and 0 <= value <= MOST else None

    cost = told.get("cost")
    dollars = float(cost) if isinstance(cost, int | float) and math.isfinite(cost) and cost >= 0 else None
    return Usage(count("prompt_tokens"), count("completion_tokens"), dollars)


def _tokens(told: Any) -> tuple[Token, ...]:
    """Tokens with their texts, which together are what was written: a letter of several goes to the last."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    found = []
    for token in told if isinstance(told, list) else ():
        if not isinstance(token, dict) or not _is_logprob(token.get("logprob")):
            return ()
        plain, raw = token.get("token"), token.get("bytes")
        if not isinstance(plain, str):
            return ()
        text = decoder.decode(bytes(raw)) if _is_bytes(raw) else plain
        others = [
            (other["token"], float(other["logprob"]))
            for other in token.get("top_logprobs") or ()
            if isinstance(other, dict) and isinstance(other.get("token"), str) and _is_logprob(other.get("logprob"))
        ]
        found.append(Token(text, float(token["logprob"]), tuple(others)))
    return tuple(found)


def _prompt_tokens(told: Any) -> tuple[Token, ...]:
    """The tokens of a prompt as vLLM tells them: of each a table of the likeliest, the token itself first.

    Of the first one, which nothing stands before, nothing is told.
    """
    found = []
    for place in told[1:] if isinstance(told, list) else ():
        entries = list(place.values()) if isinstance(place, dict) else []
        if not entries or not all(
            isinstance(entry, dict)
            and isinstance(entry.get("decoded_token"), str)
            and _is_logprob(entry.get("logprob"), infinite=True)
            for entry in entries
        ):
            return ()
        others = tuple((entry["decoded_token"], float(entry["logprob"])) for entry in entries)
        found.append(Token(*others[0], others))
    return tuple(found)


def _is_logprob(value: Any, *, infinite: bool = False) -> bool:
    return isinstance(value, int | float) and type(value) is not bool and (math.isfinite(value) or infinite)


def _is_bytes(raw: Any) -> TypeGuard[list[int]]:
    return isinstance(raw, list) and all(type(byte) is int and 0 <= byte < 256 for byte in raw)


def _mean_logprob(told: Any) -> float | None:
    tokens: Sequence[Any] = told.get("content") or () if isinstance(told, dict) else ()
    numbers = [token["logprob"] for token in tokens if isinstance(token, dict) and "logprob" in token]
    if not numbers or not all(map(_is_logprob, numbers)):
        return None
    return float(sum(numbers) / len(numbers))


def status_of(status: int, content: bytes) -> int:
    """The status that a reply means: some send 200 with an error in it, and its status there."""
    error = _error_in(content) if status == 200 else None
    if error is None:
        return status
    code = error.get("code", error.get("status")) if isinstance(error, dict) else None
    code = int(code) if isinstance(code, str) and code.isdecimal() and len(code) == 3 else code
    return code if isinstance(code, int) and 400 <= code < 600 else 400


def refused_option(status: int, content: bytes, sent: Mapping[str, Any]) -> str:
    """The option of a request that an error names as one that the server does not take, or ""."""
    if status not in (400, 422):
        return ""
    error = _error_in(content)
    param = error.get("param") if isinstance(error, dict) else None
    if param in OPTIONS and param in sent:
        return str(param)
    said = error_of(content, 2000)
    if re.search(r"\bcontext\b", said):  # a prompt that is too long, however it counts `max_tokens`
        return ""
    places = [(at.start(), name) for name in OPTIONS if name in sent and (at := re.search(rf"\b{name}\b", said))]
    return min(places, default=(0, ""))[1]


def error_of(content: bytes, most: int = 200) -> str:
    """What an error body says, in one short line."""
    error = _error_in(content)
    said = (error.get("message") or "") if isinstance(error, dict) else error
    if isinstance(said, list):  # as FastAPI tells what of a request is not valid
        said = json.dumps(said, ensure_ascii=False)
    return sentence(said, most) if isinstance(said, str) else ""


def sentence(said: str, most: int = 200) -> str:
    """Text from outside, in one line that a terminal can show."""
    return _UNPRINTABLE.sub(" ", said).strip()[:most]


def asked_to_wait(headers: Mapping[str, str]) -> float:
    """Seconds that a server asks for before the next try; 0 where it does not."""
    try:
        seconds = float(headers.get("retry-after", "0"))
    except ValueError:
        return 0.0
    return seconds if math.isfinite(seconds) else 0.0


def _error_in(content: bytes) -> Any:
    """What a reply has as its error: an object, or text; None where it has none."""
    try:
        body = from_json(content)
    except ValueError:
        return None
    if not isinstance(body, dict):
        return None
    choices = body.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices and isinstance(choices[0], dict) else {}
    broken = "the model broke off with an error" if choice.get("finish_reason") == "error" else None
    return body.get("error") or body.get("detail") or choice.get("error") or broken
