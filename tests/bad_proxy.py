"""A proxy on loopback between a client and a real server that does to each reply what it is told to, in order."""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Fault = Callable[["_Handler", bytes], None]


@dataclass
class Proxy:
    """A running proxy. `faults` are what becomes of the replies, one each; all after these are passed on."""

    url: str
    faults: list[str] = field(default_factory=list)
    seen: int = 0


class _Handler(BaseHTTPRequestHandler):
    proxy: Proxy
    upstream: str
    lock: threading.Lock

    def log_message(self, *_: object) -> None:
        pass

    def do_POST(self) -> None:
        asked = self.rfile.read(int(self.headers["Content-Length"]))
        with self.lock:
            self.proxy.seen += 1
            fault = self.proxy.faults.pop(0) if self.proxy.faults else "pass"
        try:
            FAULTS[fault](self, asked)
        except OSError:
            pass  # the client has gone

    def reply(self, asked: bytes) -> bytes:
        """What the real server answers."""
        request = urllib.request.Request(self.upstream + self.path, asked, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=200) as response:
            return bytes(response.read())

    def send(self, status: int, body: bytes, claimed: int | None = None, **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body) if claimed is None else claimed))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)


def _reset(handler: _Handler, asked: bytes) -> None:
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()


def _half(handler: _Handler, asked: bytes) -> None:
    body = handler.reply(asked)
    handler.send(200, body[: len(body) // 2], claimed=len(body))


def _renamed(handler: _Handler, asked: bytes) -> None:
    handler.send(200, json.dumps({**json.loads(handler.reply(asked)), "model": "another-model"}).encode())


def _endless(handler: _Handler, asked: bytes) -> None:
    handler.send_response(200)
    handler.end_headers()
    while True:
        handler.wfile.write(b'{"choices": [' + b" " * 65536)


def _stall(handler: _Handler, asked: bytes) -> None:
    time.sleep(30)


FAULTS: dict[str, Fault] = {
    "pass": lambda handler, asked: handler.send(200, handler.reply(asked)),
    "reset": _reset,
    "half": _half,
    "storm": lambda handler, asked: handler.send(429, b'{"error": {"message": "slow down"}}', Retry_After="0.05"),
    "busy": lambda handler, asked: handler.send(503, b"<h1>Service Unavailable</h1>"),
    "html": lambda handler, asked: handler.send(200, b"<!doctype html><title>Sign in</title>"),
    "renamed": _renamed,
    "endless": _endless,
    "stall": _stall,
}


@contextmanager
def between(upstream: str, *faults: str) -> Iterator[Proxy]:
    """A proxy before the server at `upstream` (http://HOST:PORT), for as long as the context lasts."""
    proxy = Proxy("", list(faults))
    handler = type("Handler", (_Handler,), {"proxy": proxy, "upstream": upstream, "lock": threading.Lock()})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    proxy.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
