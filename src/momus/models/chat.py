"""A client of OpenAI-compatible servers: chat completions, as many as asked for, each with a bounded wait.

Servers that ignore `n` answer with one choice and no complaint, so `n` is that many requests of one. The key comes from
the environment (`MOMUS_API_KEY`) or the keyring, never from a file; it stands in no message. What a server refuses to
be told, such as a seed, it is told no more. Requests run in an event loop of their own, a limited number at a time,
whoever asks from whichever thread.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import random
import threading
import time
from collections.abc import Coroutine, Mapping
from functools import cached_property
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, TypeVar

from momus.errors import MissingExtra, MomusError
from momus.models.chat_budget import Budget, ChatError, OutOfBudget, Spent, Usage
from momus.models.chat_kept import KeptReplies
from momus.models.chat_name import KEY, key_of, model_and_url
from momus.models.chat_replies import (
    Reply,
    Token,
    Unreadable,
    asked_to_wait,
    error_of,
    read_reply,
    refused_option,
    sentence,
    status_of,
    usage_of,
)

if TYPE_CHECKING:
    from momus.models.chat_wire import Wire

__all__ = ["KEY", "Budget", "Chat", "ChatError", "OutOfBudget", "Reply", "ServerError", "Token", "model_and_url"]

T = TypeVar("T")
CONCURRENCY = 4
TRIED_AGAIN = frozenset((408, 409, 425, 429, 500, 502, 503, 504, 529))
LONGEST_PAUSE = 20.0  # seconds, whatever a server asks for
FEWEST = 16  # characters of a prompt for each token that a server counts, from which it has left some of it out


class ServerError(MomusError):
    """The server will do nothing for us as we ask: it is not there, wants a key, or does not know the model."""


class Chat:
    """One model on one server. `timeout_s` bounds a whole request; `retries` are further tries, with pauses that grow.

    `key` is by default that of the environment or the keyring. `budget` bounds what is asked, `kept` holds replies
    from before. `served_as` is what the server calls the model, once it has answered. Raises MissingExtra without the
    client.
    """

    def __init__(
        self,
        model: str,
        url: str,
        *,
        key: str | None = None,
        timeout_s: float = 120,
        retries: int = 3,
        concurrency: int = CONCURRENCY,
        pause_s: float = 0.5,
        budget: Budget | None = None,
        kept: KeptReplies | None = None,
    ) -> None:
        if find_spec("openai") is None:
            raise MissingExtra("a model on a server", "server")
        if timeout_s <= 0 or retries < 0 or concurrency < 1:
            raise MomusError("a server needs a timeout above 0, retries from 0 up and concurrency from 1 up")
        self.model, self.url = model, url
        self.concurrency = concurrency
        self.budget = budget or Budget()
        self.served_as = ""
        self.refused: set[str] = set()  # options that this server does not take
        self._timeout_s, self._retries, self._pause_s = timeout_s, retries, pause_s
        self._kept = kept
        self._key = key_of(url) if key is None else key or None
        self._heard = False  # whether the server has answered at all
        self._not_before = 0.0  # when the next request may go, by time.monotonic()
        self._free, self._alone = asyncio.Semaphore(concurrency), asyncio.Lock()
        self._starting = threading.Lock()
        self._running: tuple[asyncio.AbstractEventLoop, Wire] | None = None

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
        begun: str = "",
        keep: bool = True,
        **options: Any,
    ) -> list[Reply | ChatError]:
        """`n` replies to one message of a user, request i with seed `seed + i`; what failed is its error, in place.

        `begun` is the beginning of the reply, which the model is to go on from; `options` are sent as they are.
        `keep` false: nothing of it is kept, or taken from what was. Raises ServerError where no request of this kind
        can succeed.
        """
        messages = [{"role": "user", "content": prompt}]
        if begun:
            messages.append({"role": "assistant", "content": begun})
        body: dict[str, Any] = {
            "model": self.model,
            "messages": messages,
            "temperature": temperature,
            "max_tokens": max_tokens,
            **options,
        }
        if logprobs:
            body["logprobs"] = True
        if as_json:
            body["response_format"] = {"type": "json_object"}
        body = _encodable(body)
        kept = self._kept if keep else None
        return self._run(self._all([{**body, "seed": seed + i} for i in range(n)], kept))

    @property
    def spent(self) -> Spent:
        """What has been asked of the server, and used."""
        return self.budget.spent

    def stop(self) -> None:
        """End all requests that are under way: whoever waits for one gets a ChatError."""
        if self._running is not None:
            loop, _ = self._running
            loop.call_soon_threadsafe(lambda: [task.cancel() for task in asyncio.all_tasks(loop)])

    def close(self) -> None:
        """Let the server go. Another request opens the line again."""
        if self._running is not None:
            loop, wire = self._running
            self._run(wire.close())
            loop.call_soon_threadsafe(loop.stop)
            self._running = None

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        """Wait for some work in the event loop; an interrupt ends it."""
        waiting = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return waiting.result()
        except (asyncio.CancelledError, concurrent.futures.CancelledError):
            raise ChatError(f"{self._where} was not waited for") from None
        except BaseException:
            waiting.cancel()
            raise

    @property
    def _loop(self) -> asyncio.AbstractEventLoop:
        with self._starting:
            if self._running is None:
                from momus.models.chat_wire import Wire

                loop = asyncio.new_event_loop()
                threading.Thread(target=loop.run_forever, name="momus-server", daemon=True).start()
                self._running = loop, Wire(self.url, self._key, self._timeout_s)
            return self._running[0]

    async def _all(self, bodies: list[dict[str, Any]], kept: KeptReplies | None) -> list[Reply | ChatError]:
        found = await asyncio.gather(*(self._reply(body, kept) for body in bodies), return_exceptions=True)
        replies = []
        for one in found:
            if isinstance(one, BaseException) and not isinstance(one, ChatError):
                raise one
            replies.append(one)
        return replies

    async def _reply(self, body: dict[str, Any], kept: KeptReplies | None) -> Reply | ChatError:
        if kept is not None and isinstance(text := kept.get(body), str):
            reply = read_reply(text.encode(), self._where)
            if isinstance(reply, Reply):
                self.spent.kept += 1
                return reply
        async with self._free:
            if not self._heard:
                async with self._alone:  # what the server refuses the first is then known to the others
                    if not self._heard:
                        reply = await self._tried(body, kept)
                        self._heard = True
                        return reply
            return await self._tried(body, kept)

    async def _tried(self, body: dict[str, Any], kept: KeptReplies | None) -> Reply | ChatError:
        error, attempt = ChatError(""), 0
        while attempt <= self._retries:
            sent = self._takes(body)
            try:
                status, headers, content = await self._post(sent)
            except OutOfBudget:
                raise
            except ChatError as failure:
                error, wait = failure, self._pause_s * 2**attempt
            else:
                if status == 200:
                    found = self._taken(body, content, kept)
                    if isinstance(found, Reply) or attempt == self._retries or not isinstance(found, Unreadable):
                        return found
                    error, wait = found, self._pause_s * 2**attempt
                elif refused := refused_option(status, content, sent):
                    self.refused.add(refused)  # each costs one more request, once
                    continue
                else:
                    error = self._refusal(status, content)
                    if status not in TRIED_AGAIN:
                        return error
                    wait = max(self._pause_s * 2**attempt, asked_to_wait(headers))
                    if status == 429:  # nobody else need be told the same
                        self._not_before = time.monotonic() + min(wait, LONGEST_PAUSE)
            if attempt < self._retries:
                await asyncio.sleep(min(wait * random.uniform(1, 1.5), LONGEST_PAUSE))
            attempt += 1
        return error

    def _taken(self, body: dict[str, Any], content: bytes, kept: KeptReplies | None) -> Reply | ChatError:
        """A reply that was read, and is kept; an error where the model is suddenly another, or was not shown all."""
        plain = self._without_key(content.decode("utf-8", "replace"))
        reply = read_reply(plain.encode(), self._where)
        if isinstance(reply, ChatError):
            return reply
        if self.served_as and reply.named and reply.named != self.served_as:
            was, now = sentence(self.served_as, 80), sentence(reply.named, 80)
            return Unreadable(f"{self._where} answered as {now!r}, and before as {was!r}: it is not one model")
        read, size = usage_of(content).read, sum(len(message["content"]) for message in body["messages"])
        if read and size > FEWEST * read:
            return ChatError(
                f"{self._where} took in {read} tokens of a prompt of {size:,} characters: let the server read longer "
                "prompts (its context length)"
            )
        self.served_as = reply.named or self.served_as
        if kept is not None:
            kept.put(body, plain)
        return reply

    def _takes(self, body: dict[str, Any]) -> dict[str, Any]:
        """The request without what the server has refused. The limit of tokens has a newer name."""
        asked = dict(body)
        if "max_tokens" in self.refused:
            asked["max_completion_tokens"] = asked["max_tokens"]
        return {name: value for name, value in asked.items() if name not in self.refused}

    async def _post(self, body: dict[str, Any]) -> tuple[int, Mapping[str, str], bytes]:
        """Status, headers and content of a reply, within the budget."""
        assert self._running is not None
        size = sum(len(message["content"].encode()) for message in body["messages"])
        limit = body.get("max_tokens", body.get("max_completion_tokens", 0))
        asked = await self.budget.reserve(size, int(limit))
        used: Usage | None = Usage()  # what is cancelled or breaks off may have been worked on
        try:
            if (pause := self._not_before - time.monotonic()) > 0:
                await asyncio.sleep(pause)
            status, headers, content = await self._running[1].post(body)
            status = status_of(status, content)
            used = usage_of(content) if status == 200 else None
            return status, headers, content
        except ChatError as error:
            raise ChatError(f"{self._where} {sentence(self._without_key(str(error)))}") from None
        except Exception as error:
            from momus.models.chat_wire import Unreached

            if not isinstance(error, Unreached):
                raise
            used, why = None, sentence(str(error))
            if self._heard:  # it was there before, and may be again
                raise ChatError(f"{self._where} can't be reached any more: {why}") from None
            raise ServerError(f"no server answers at {self.url} ({why}): start it, or mend the URL") from None
        finally:
            self.budget.settle(asked, used, size)

    def _refusal(self, status: int, content: bytes) -> ChatError:
        said = self._without_key(error_of(content))
        if status in (401, 403):
            raise ServerError(f"{self.url} wants another key ({status}): set {KEY} to one that it takes")
        if status == 404 or (status == 400 and "model" in said.lower() and "not" in said.lower() and "exist" in said):
            raise ServerError(
                f"{self.url} knows no model {self.model!r} ({said or status}): see what it serves at /models"
            )
        return ChatError(f"{self._where} answered {status}" + (f": {said}" if said else ""))

    def _without_key(self, text: str) -> str:
        """Text from a server, which may say its key again, without it."""
        return text.replace(self._key, "***") if self._key else text

    @cached_property
    def _where(self) -> str:
        return f"{self.model} at {self.url}"


def _encodable(body: dict[str, Any]) -> dict[str, Any]:
    """The same request without lone surrogates, which UTF-8 cannot hold."""
    messages = [{**m, "content": m["content"].encode("utf-8", "replace").decode("utf-8")} for m in body["messages"]]
    return {**body, "messages": messages}
