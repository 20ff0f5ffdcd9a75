"""A client of OpenAI-compatible servers: chat completions, as many as asked for, each with a bounded wait.

Servers that ignore `n` answer with one choice and no complaint, so `n` is that many requests of one. The key comes from
the environment (`MOMUS_API_KEY`), never from a file; it stands in no message, and redirects are not followed with it.
What a server refuses to be told, such as a seed, it is told no more.
"""

from __future__ import annotations

import json
import math
import os
import re
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from momus.decode import from_json
from momus.errors import MissingExtra, MomusError
from momus.models.thinking import without_thinking

if TYPE_CHECKING:
    import httpx

KEY = "MOMUS_API_KEY"
CONCURRENCY = 4
MAX_BYTES = 8 * 1024 * 1024  # of one reply
TRIED_AGAIN = frozenset((408, 409, 425, 429, 500, 502, 503, 504, 529))
LONGEST_PAUSE = 20.0  # seconds, whatever a server asks for
OPTIONS = ("max_tokens", "max_completion_tokens", "temperature", "logprobs", "seed", "response_format")

_NAME = re.compile(r"(?P<model>.+)@(?P<url>https?://.+)", re.IGNORECASE)
_UNPRINTABLE = re.compile(r"[^\x20-\x7e\xa0-\U0010ffff]+")


class ChatError(MomusError):
    """One request that came to nothing: a timeout, a server error, an unreadable reply. Another one may do better."""


class ServerError(MomusError):
    """The server will do nothing for us as we ask: it is not there, wants a key, or does not know the model."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a model wrote, but for its thinking. `logprob` is the mean over its tokens, None where none is told."""

    text: str
    logprob: float | None = None
    cut: bool = False  # by the limit of tokens


def model_and_url(name: str, what: str) -> tuple[str, str]:
    """The two parts of MODEL@URL; `what` is what is so named, for the message. Raises MomusError."""
    match = _NAME.fullmatch(name)
    if match is None:
        raise MomusError(f"{what}:{name} does not say which model is where: write {what}:MODEL@http://HOST:PORT/v1")
    parts = urlsplit(match["url"])
    try:
        known = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        known = False
    if not known or parts.query or parts.fragment:
        raise MomusError(f"{what}:{match['model']} names no server: write it as {what}:MODEL@http://HOST:PORT/v1")
    if parts.username is not None or parts.password is not None:
        raise MomusError(f"the URL of {what}:{match['model']} holds a password: set {KEY} to the server's key instead")
    url = match["url"].rstrip("/")
    return match["model"], url if parts.path.strip("/") else url + "/v1"


class Chat:
    """One model on one server. `timeout_s` bounds a whole request; `retries` are further tries, with pauses that grow.

    `key` is by default that of the environment. Raises MissingExtra without httpx.
    """

    def __init__(
        self,
        model: str,
        url: str,
        *,
        key: str | None = None,
        timeout_s: float = 120,
        retries: int = 2,
        concurrency: int = CONCURRENCY,
        pause_s: float = 0.5,
    ) -> None:
        try:
            import httpx
        except ImportError:
            raise MissingExtra("a model on a server", "server") from None
        if timeout_s <= 0 or retries < 0 or concurrency < 1:
            raise MomusError("a server needs a timeout above 0, retries from 0 up and concurrency from 1 up")
        self.model, self.url = model, url
        self._timeout_s, self._retries, self._pause_s = timeout_s, retries, pause_s
        self._concurrency = concurrency
        self._refused: set[str] = set()  # options that this server does not take
        self._heard = False
        key = os.environ.get(KEY) if key is None else key
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._client = httpx.Client(timeout=httpx.Timeout(timeout_s), headers=headers, follow_redirects=False)

    def complete(
        self,
        prompt: str,
        *,
        n: int = 1,
        temperature: float,
        max_tokens: int,
        seed: int,
        logprobs: bool = False,
        as_json: bool = False,
    ) -> list[Reply | ChatError]:
        """`n` replies to one message of a user, request i with seed `seed + i`; what failed is its error, in place.

        Raises ServerError where no request of this kind can succeed.
        """
        body: dict[str, Any] = {
            "model": self.model,
            "messages": [{"role": "user", "content": prompt}],
            "temperature": temperature,
            "max_tokens": max_tokens,
        }
        if logprobs:
            body["logprobs"] = True
        if as_json:
            body["response_format"] = {"type": "json_object"}
        bodies = [{**body, "seed": seed + i} for i in range(n)]
        # The first request goes alone: what the server refuses is then known to the others.
        first = [] if self._heard and n > 1 else [self._reply(bodies.pop(0))]
        self._heard = True
        if not bodies:
            return first
        with ThreadPoolExecutor(min(n, self._concurrency)) as pool:
            return [*first, *pool.map(self._reply, bodies)]

    def close(self) -> None:
        self._client.close()

    def _reply(self, body: dict[str, Any]) -> Reply | ChatError:
        error, attempt = ChatError(""), 0
        while attempt <= self._retries:
            sent = self._takes(body)
            try:
                status, headers, content = self._post(sent)
            except ChatError as failure:
                error, wait = failure, self._pause_s * 2**attempt
            else:
                status = _status(status, content)
                if status == 200:
                    return _read(content, self._where)
                if refused := _refused(status, content, sent):
                    self._refused.add(refused)  # each costs one more request, once
                    continue
                error = self._refusal(status, content)
                if status not in TRIED_AGAIN:
                    return error
                wait = max(self._pause_s * 2**attempt, _asked_to_wait(headers))
            if attempt < self._retries:
                time.sleep(min(wait, LONGEST_PAUSE))
            attempt += 1
        return error

    def _takes(self, body: dict[str, Any]) -> dict[str, Any]:
        """The request without what the server has refused. The limit of tokens has a newer name."""
        asked = dict(body)
        if "max_tokens" in self._refused:
            asked["max_completion_tokens"] = asked["max_tokens"]
        return {name: value for name, value in asked.items() if name not in self._refused}

    def _post(self, body: dict[str, Any]) -> tuple[int, httpx.Headers, bytes]:
        """Status, headers and content of a reply. The clock runs over all of it: a server may drip."""
        deadline = time.monotonic() + self._timeout_s
        content = bytearray()
        with (
            self._told(),
            self._client.stream("POST", f"{self.url}/chat/completions", json=_encodable(body)) as response,
        ):
            for chunk in response.iter_bytes():
                content += chunk
                if time.monotonic() > deadline:
                    raise ChatError(f"{self._where} was not done within {self._timeout_s:g} seconds")
                if len(content) > MAX_BYTES:
                    raise ChatError(f"{self._where} answered with more than {MAX_BYTES >> 20} MB")
            return response.status_code, response.headers, bytes(content)

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Errors of the line as ours. Nobody at the address ends it; all else may be better at the next request."""
        import httpx

        try:
            yield
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.UnsupportedProtocol) as error:
            said = f"no server answers at {self.url} ({_sentence(str(error))}): start it, or mend the URL"
            raise ServerError(said) from None
        except httpx.TimeoutException:
            raise ChatError(f"{self._where} was not done within {self._timeout_s:g} seconds") from None
        except httpx.HTTPError as error:
            raise ChatError(f"{self._where} broke off: {_sentence(str(error)) or type(error).__name__}") from None

    def _refusal(self, status: int, content: bytes) -> ChatError:
        said = _error_of(content)
        if status in (401, 403):
            raise ServerError(f"{self.url} wants another key ({status}): set {KEY} to one that it takes")
        if status == 404 or (status == 400 and "model" in said.lower() and "not" in said.lower() and "exist" in said):
            raise ServerError(
                f"{self.url} knows no model {self.model!r} ({said or status}): see what it serves at /models"
            )
        return ChatError(f"{self._where} answered {status}" + (f": {said}" if said else ""))

    @property
    def _where(self) -> str:
        return f"{self.model} at {self.url}"


def _read(content: bytes, where: str) -> Reply | ChatError:
    """The first choice of a completion; a ChatError where there is none to read, or where it is thinking alone."""
    try:
        choice = from_json(content)["choices"][0]
        message = choice["message"]
        text, cut = message["content"], choice.get("finish_reason") == "length"
        thought = message.get("reasoning_content") or message.get("reasoning")
        said = without_thinking(text) if isinstance(text, str) else ""
        if not said.strip() and (thought or (isinstance(text, str) and text.strip())):
            within = " within its limit of tokens" if cut else ""
            return ChatError(f"{where} wrote its thinking and no answer{within}")
        if not isinstance(text, str):
            raise TypeError("no text")
        return Reply(said, _mean_logprob(choice.get("logprobs")), cut)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        start = _sentence(content[:80].decode("utf-8", "replace"))
        return ChatError(f"{where} answered with something that is no chat completion: {start!r}")


def _status(status: int, content: bytes) -> int:
    """The status that a reply means: some send 200 with an error in it, and its status there."""
    error = _error_in(content) if status == 200 else None
    if error is None:
        return status
    code = error.get("code", error.get("status")) if isinstance(error, dict) else None
    code = int(code) if isinstance(code, str) and code.isdecimal() and len(code) == 3 else code
    return code if isinstance(code, int) and 400 <= code < 600 else 400


def _refused(status: int, content: bytes, sent: dict[str, Any]) -> str:
    """The option of a request that an error names as one that the server does not take, or ""."""
    if status not in (400, 422):
        return ""
    error = _error_in(content)
    param = error.get("param") if isinstance(error, dict) else None
    if param in OPTIONS and param in sent:
        return str(param)
    said = _error_of(content, 2000)
    if re.search(r"\bcontext\b", said):  # a prompt that is too long, however it counts `max_tokens`
        return ""
    places = [(at.start(), name) for name in OPTIONS if name in sent and (at := re.search(rf"\b{name}\b", said))]
    return min(places, default=(0, ""))[1]


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


def _mean_logprob(told: Any) -> float | None:
    tokens: Sequence[Any] = told.get("content") or () if isinstance(told, dict) else ()
    numbers = [token["logprob"] for token in tokens if isinstance(token, dict) and "logprob" in token]
    if not numbers or not all(isinstance(p, int | float) and math.isfinite(p) for p in numbers):
        return None
    return float(sum(numbers) / len(numbers))


def _error_of(content: bytes, most: int = 200) -> str:
    """What an error body says, in one short line."""
    error = _error_in(content)
    said = (error.get("message") or "") if isinstance(error, dict) else error
    if isinstance(said, list):  # as FastAPI tells what of a request is not valid
        said = json.dumps(said, ensure_ascii=False)
    return _sentence(said, most) if isinstance(said, str) else ""


def _sentence(said: str, most: int = 200) -> str:
    """Text from outside, in one line that a terminal can show."""
    return _UNPRINTABLE.sub(" ", said).strip()[:most]


def _asked_to_wait(headers: httpx.Headers) -> float:
    try:
        seconds = float(headers.get("retry-after", "0"))
    except ValueError:
        return 0.0
    return seconds if math.isfinite(seconds) else 0.0


def _encodable(body: dict[str, Any]) -> dict[str, Any]:
    """The same request without lone surrogates, which UTF-8 cannot hold."""
    messages = [{**m, "content": m["content"].encode("utf-8", "replace").decode("utf-8")} for m in body["messages"]]
    return {**body, "messages": messages}
