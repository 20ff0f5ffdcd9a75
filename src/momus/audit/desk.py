"""To the desk and back, over its API: what is to be looked at again, and what people made of it.

The key of a manager comes from the environment (`MOMUS_DESK_TOKEN`), never from a file or the command line; redirects
are not followed with it.
"""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from momus.audit.select import FILES
from momus.decode import from_json
from momus.errors import MissingExtra, MomusError

if TYPE_CHECKING:
    import httpx

KEY = "MOMUS_DESK_TOKEN"
RECORDS = ("critiques.jsonl", "tasks.jsonl")  # what a report reads of an export
MAX_BYTES = 512 * 1024 * 1024  # of an export
TIMEOUT_S = 120.0


class DeskClient:
    """One project of a desk at a URL. Raises MomusError on a URL that is none, or without a key."""

    def __init__(self, url: str, project: str, *, key: str | None = None, timeout_s: float = TIMEOUT_S) -> None:
        try:
            import httpx
        except ImportError:
            raise MissingExtra("a desk elsewhere", "server") from None
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
            raise MomusError(f"{url} is no address of a desk: write it as http://HOST:PORT")
        key = os.environ.get(KEY, "") if key is None else key
        if not key:
            raise MomusError(f"the desk wants a manager's key: make one on its page, and set {KEY} to it")
        self.url, self.project = url.rstrip("/"), project
        headers = {"Authorization": f"Bearer {key}"}
        self._client = httpx.Client(timeout=timeout_s, headers=headers, follow_redirects=False)

    def send(self, folder: Path, *, overlap: int = 1) -> dict[str, dict[str, int]]:
        """Import an audit's files, each as its kind: lines, added and known already, by kind. Raises MomusError."""
        found = {}
        for kind, name in FILES.items():
            try:
                body = (folder / name).read_bytes()
            except OSError as error:
                raise MomusError(f"can't read {folder / name}: {error.strerror}: finish momus audit select") from None
            answer = self._ask("POST", "imports", params={"kind": kind, "overlap": str(overlap)}, content=body)
            found[kind] = {name: int(from_json(answer.content)[name]) for name in ("lines", "added", "known")}
        return found

    def fetch(self, out: Path) -> list[Path]:
        """Write the records that a report reads into a folder; those that there are. Raises MomusError."""
        answer = self._ask("GET", "exports/records")
        written = []
        try:
            with zipfile.ZipFile(io.BytesIO(answer.content)) as zipped:
                for name in RECORDS:
                    if name in zipped.namelist() and zipped.getinfo(name).file_size <= MAX_BYTES:
                        out.mkdir(parents=True, exist_ok=True)
                        (out / name).write_bytes(zipped.read(name))
                        written.append(out / name)
        except zipfile.BadZipFile:
            raise MomusError(f"{self.url} answered with no export: see that a desk is there") from None
        except OSError as error:
            raise MomusError(f"can't write {out}: {error.strerror or error}") from None
        return written

    def close(self) -> None:
        self._client.close()

    def _ask(
        self, method: str, path: str, *, params: Mapping[str, str] | None = None, content: bytes | None = None
    ) -> httpx.Response:
        import httpx

        try:
            answer = self._client.request(
                method, f"{self.url}/api/v1/projects/{self.project}/{path}", params=params, content=content
            )
        except httpx.HTTPError as error:
            said = type(error).__name__ if not str(error) else str(error)
            raise MomusError(f"no desk answers at {self.url} ({said}): start it, or mend the URL") from None
        if answer.is_success:
            return answer
        raise MomusError(self._refusal(answer))

    def _refusal(self, answer: httpx.Response) -> str:
        if answer.status_code == 401:
            return f"the desk at {self.url} does not take this key: set {KEY} to one that holds"
        if answer.status_code == 403:
            return f"this key may not manage {self.project}: make it as a manager, with the scope manage"
        if answer.status_code == 404:
            return f"the desk at {self.url} has no project {self.project} for this key: make it there first"
        try:
            body: Any = from_json(answer.content)
            detail = next(iter(body.get("errors") or ()), body).get("detail", "")
        except (ValueError, AttributeError):
            detail = ""
        return f"the desk at {self.url} answered {answer.status_code}" + (f": {detail}" if detail else "")
