"""A small OpenAI-compatible server on loopback, over the bundled model, and servers that misbehave.

The model named `critic` is the bundled one: it samples at the temperature asked for, by the seed asked for, as many
choices as asked for, counts words against `max_tokens`, stops at `stop`, tells log-probabilities when asked, and
answers mistakes with the errors of such servers. Every other name is looked up among the `models` given: functions of
the request that return what the model says, or an `Answer` that is sent as it stands.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from momus.critics.sampled import SampledCritic
from momus.critique import render
from momus.records import Task

_ANSWER = re.compile(r"## Answer\n\n(`{3,})\w*\n(?P<code>.*?)\n\1\n", re.DOTALL)


@dataclass(frozen=True)
class Answer:
    """A reply on the wire. `after` seconds pass before it, `drip` between its bytes; `whole` false: it breaks off."""

    status: int = 200
    body: bytes = b""
    after: float = 0.0
    drip: float = 0.0
    whole: bool = True
    headers: dict[str, str] = field(default_factory=dict)


Model = Callable[[dict[str, Any]], "str | Answer"]


@dataclass
class Served:
    """A running server: its URL, and every request that it got."""

    url: str
    requests: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)


@contextmanager
def serving(
    models: dict[str, Model] | None = None, *, critic: SampledCritic | None = None, key: str | None = None
) -> Iterator[Served]:
    """A server for as long as the context lasts."""
    known = dict(models or {})
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with lock:
                served.requests.append(body)
                served.keys.append(self.headers.get("Authorization"))
                served.headers.append(dict(self.headers.items()))
            self._send(self._answer(body))

        def _answer(self, body: dict[str, Any]) -> Answer:
            if key is not None and self.headers.get("Authorization") != f"Bearer {key}":
                return error(401, "Incorrect API key provided")
            if self.path != "/v1/chat/completions":
                return error(404, "Not Found")
            name = body.get("model")
            if name == "critic" and critic is not None:
                return completion(body, [_critique(critic, body, i) for i in range(body.get("n", 1))])
            if name not in known:
                return error(404, f"The model `{name}` does not exist.")
            said = known[name](body)
            return said if isinstance(said, Answer) else completion(body, [(said, -0.5)])

        def _send(self, answer: Answer) -> None:
            time.sleep(answer.after)
            try:
                self.send_response(answer.status)
                length = len(answer.body) + (0 if answer.whole else 100)
                for name, value in {"Content-Length": str(length), **answer.headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                if not answer.drip:
                    self.wfile.write(answer.body)
                for byte in answer.body if answer.drip else b"":
                    time.sleep(answer.drip)
                    self.wfile.write(bytes([byte]))
                    self.wfile.flush()
            except OSError:
                pass  # the client has gone

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    served = Served(f"http://127.0.0.1:{server.server_address[1]}/v1")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def error(status: int, message: str) -> Answer:
    """An error as such servers tell it."""
    return Answer(status, json.dumps({"error": {"message": message, "type": "invalid_request_error"}}).encode())


def completion(body: dict[str, Any], choices: list[tuple[str, float]]) -> Answer:
    """A chat completion of texts, each with the log-probability of its tokens; a word is a token here."""
    told = []
    for index, (text, logprob) in enumerate(choices):
        finish = "stop"
        for stop in [stops] if isinstance(stops := body.get("stop") or [], str) else stops:
            text = text.partition(stop)[0]
        words = re.findall(r"\s*\S+\s*?", text)
        if len(words) > body.get("max_tokens", 10**6):
            text, finish = "".join(words[: body["max_tokens"]]), "length"
        choice: dict[str, Any] = {
            "index": index,
            "message": {"role": "assistant", "content": text},
            "finish_reason": finish,
            "logprobs": None,
        }
        if body.get("logprobs"):
            choice["logprobs"] = {"content": [{"token": word, "logprob": logprob} for word in words]}
        told.append(choice)
    whole = {"id": "c", "object": "chat.completion", "model": body["model"], "choices": told}
    return Answer(200, json.dumps(whole).encode())


def _critique(critic: SampledCritic, body: dict[str, Any], i: int) -> tuple[str, float]:
    match = _ANSWER.search(body["messages"][-1]["content"])
    assert match is not None, "the request holds no answer"
    answer = match["code"] + "\n"
    critic._temperature = float(body["temperature"])
    (sampled,) = critic.critique([Task(id="served", question="", answer=answer)], seed=body.get("seed", 0) + i)
    return render(sampled.critique, answer), sampled.logprob if sampled.logprob is not None else -0.01
