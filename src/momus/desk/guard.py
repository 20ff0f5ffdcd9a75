"""Stands before every request: which host it names, where it comes from, how large it is; and answers' headers."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from momus.desk.problems import MEDIA_TYPE, Problem
from momus.desk.settings import DeskSettings

SAFE = ("GET", "HEAD", "OPTIONS")
UPLOADS = ("/imports", "/imports/check", "/archives")


class Guard:
    """Refuses foreign hosts (DNS rebinding), foreign origins (CSRF) and bodies that are too large.

    A request with an `Authorization` header is exempt from the origin check: no other site can make a browser send one.
    """

    def __init__(self, app: ASGIApp, settings: DeskSettings) -> None:
        self._app, self._settings = app, settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        nonce = secrets.token_urlsafe(16)
        scope.setdefault("state", {})["csp_nonce"] = nonce

        async def secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._secure(MutableHeaders(scope=message), nonce, scope["path"])
            await send(message)

        problem = self._refused(scope["method"], headers) or self._too_large(scope["path"], headers)
        if problem is not None:
            await _answer(problem, secured)
            return
        await self._app(scope, self._counted(scope["path"], receive), secured)

    def _refused(self, method: str, headers: Headers) -> Problem | None:
        host = headers.get("host", "")
        if not _named(host, self._settings.hosts):
            return Problem(421, "host", "Wrong host", "The desk is not called by this name: start it with --origin.")
        if method in SAFE or "authorization" in headers:
            return None
        if not same_site(headers, host, self._settings.origins):
            return Problem(
                403, "origin", "Another site sent this", "Requests that change something come from the desk."
            )
        return None

    def _limit(self, path: str) -> int:
        return self._settings.upload_bytes if path.endswith(UPLOADS) else self._settings.body_bytes

    def _too_large(self, path: str, headers: Headers) -> Problem | None:
        length = headers.get("content-length", "0")
        if length.isdecimal() and int(length) > self._limit(path):
            return Problem(413, "too-large", "Too large", f"At most {self._limit(path):,} bytes are taken here.")
        return None

    def _counted(self, path: str, receive: Receive) -> Receive:
        limit, seen = self._limit(path), 0

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > limit:  # whatever was promised of the length
                raise HTTPException(413, f"At most {limit:,} bytes are taken here.")
            return message

        return counted

    def _secure(self, headers: MutableHeaders, nonce: str, path: str) -> None:
        headers["Content-Security-Policy"] = (
            f"default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data:; "
            "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        )
        headers["X-Content-Type-Options"] = "nosniff"
        headers["Referrer-Policy"] = "no-referrer"
        headers["Cross-Origin-Opener-Policy"] = "same-origin"
        headers["Cross-Origin-Resource-Policy"] = "same-origin"
        if self._settings.https:
            headers["Strict-Transport-Security"] = "max-age=31536000"
        if not path.startswith("/static/"):
            headers["Cache-Control"] = "no-store"


def same_site(headers: Headers, host: str, origins: Iterable[str]) -> bool:
    """Whether a browser says that a request comes from the desk's own pages; a cookie alone says nothing.

    Where neither `Sec-Fetch-Site` nor `Origin` is there, no browser of today sent it, and nothing vouches for it.
    """
    fetched = headers.get("sec-fetch-site")
    origin = headers.get("origin")
    if origin is not None:
        return origin in (f"http://{host}", f"https://{host}") or origin in tuple(origins)
    return fetched in ("same-origin", "none")


def _named(host: str, hosts: Iterable[str]) -> bool:
    bare = host if host.endswith("]") else host.rpartition(":")[0] or host
    return any(name in (host, bare) for name in hosts)


async def _answer(problem: Problem, send: Send) -> None:
    body = json.dumps(problem.body()).encode()
    headers = [(b"content-type", MEDIA_TYPE.encode()), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": problem.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
