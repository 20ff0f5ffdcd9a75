"""The line to a server: the official `openai` client, held to what is sent and to how much may come back.

Of what that client would send by itself, from its environment variables or of this machine, nothing goes out; redirects
are not followed; a reply is one of a limited size that comes within a limited time, its headers included.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

import httpx2
import openai

from momus import __version__
from momus.models.chat_budget import ChatError

MAX_BYTES = 8 * 1024 * 1024  # of one reply

_SENT = frozenset(("host", "accept", "connection", "content-type", "content-length"))  # the client's own headers


class _Bounded(httpx2.AsyncClient):
    """Reads each reply itself, up to a limit, and hands it on whole."""

    def __init__(self, key: str | None, timeout_s: float) -> None:
        super().__init__(timeout=httpx2.Timeout(timeout_s), follow_redirects=False)
        self._key = key

    async def send(self, request: httpx2.Request, **_: Any) -> httpx2.Response:
        kept = {name: value for name, value in request.headers.items() if name.lower() in _SENT}
        kept |= {"User-Agent": f"momus/{__version__}", "Accept-Encoding": "identity"}
        if self._key:
            kept["Authorization"] = f"Bearer {self._key}"
        sent = httpx2.Request(
            request.method, request.url, headers=kept, content=request.content, extensions=request.extensions
        )
        response = await super().send(sent, stream=True, follow_redirects=False)
        try:
            if response.headers.get("content-encoding", "identity") != "identity":
                raise ChatError("answered in a compressed form, which it was told not to")
            content = bytearray()
            async for chunk in response.aiter_raw():
                content += chunk
                if len(content) > MAX_BYTES:
                    raise ChatError(f"answered with more than {MAX_BYTES >> 20} MB")
        finally:
            await response.aclose()
        return httpx2.Response(response.status_code, headers=response.headers, content=bytes(content), request=request)


class Unreached(Exception):
    """Nobody answers at the address."""


class Wire:
    """One server. `timeout_s` bounds a whole request. Belongs to one event loop."""

    def __init__(self, url: str, key: str | None, timeout_s: float) -> None:
        logging.getLogger("openai").setLevel(logging.WARNING)  # whatever OPENAI_LOG says: it would log the code
        self._timeout_s = timeout_s
        self._client = openai.AsyncOpenAI(
            base_url=url,
            api_key="-",  # not one of the environment; what is sent is set in _Bounded
            admin_api_key="-",
            organization="",
            project="",
            webhook_secret="",
            max_retries=0,
            timeout=timeout_s,
            http_client=_Bounded(key, timeout_s),
        )
        self._create = self._client.chat.completions.with_raw_response.create  # imported here, outside of any timeout

    async def post(self, body: dict[str, Any]) -> tuple[int, Mapping[str, str], bytes]:
        """Status, headers and content of the reply to a request for a chat completion.

        Raises ChatError, without the server's name, where none came whole, and Unreached.
        """
        rest = {name: value for name, value in body.items() if name not in ("model", "messages")}
        try:
            async with asyncio.timeout(self._timeout_s):
                raw = await self._create(model=body["model"], messages=body["messages"], extra_body=rest)
                return raw.status_code, raw.headers, raw.content
        except openai.APIStatusError as error:
            return error.status_code, error.response.headers, error.response.content
        except (TimeoutError, openai.APITimeoutError) as error:
            if isinstance(error.__cause__, httpx2.ConnectTimeout):
                raise Unreached(str(error.__cause__)) from None
            raise ChatError(f"was not done within {self._timeout_s:g} seconds") from None
        except openai.APIConnectionError as error:
            cause = error.__cause__
            if isinstance(cause, ChatError):
                raise cause from None
            if isinstance(cause, httpx2.ConnectError | httpx2.UnsupportedProtocol):
                raise Unreached(str(cause)) from None
            said = str(cause) if isinstance(cause, httpx2.HTTPError) else ""
            raise ChatError(f"broke off: {said or type(cause).__name__}") from None
        except (openai.OpenAIError, httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise ChatError(f"could not be asked: {type(error).__name__}") from None

    async def close(self) -> None:
        await self._client.close()
