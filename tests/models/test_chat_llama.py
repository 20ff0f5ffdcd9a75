"""The client against llama.cpp's own server with a small real model, directly and through a line that misbehaves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bad_proxy import Proxy, between
from llama_served import llama_served
from momus.models.chat import Chat, ChatError, Reply


@pytest.fixture(scope="module")
def llama(smollm2: Path) -> str:
    return llama_served(smollm2)[1]


def ask(url: str, **settings: Any) -> tuple[Chat, Reply | ChatError]:
    client = Chat("smol", url, timeout_s=settings.pop("timeout_s", 240), pause_s=0.01, **settings)
    (reply,) = client.complete(
        "Repeat this word: magnolia", temperature=0, max_tokens=4, seed=0, logprobs=True, top_logprobs=3
    )
    return client, reply


def test_tokens_with_their_probabilities_are_what_was_written(llama: str) -> None:
    client, reply = ask(f"{llama}/v1")
    assert isinstance(reply, Reply) and reply.logprob is not None
    assert "".join(token.text for token in reply.tokens) == reply.text
    for token in reply.tokens:
        assert len(token.others) == 3 and token.logprob == pytest.approx(max(p for _, p in token.others))
    assert client.spent.requests == 1 and client.spent.untold == 0 and client.spent.written == len(reply.tokens)
    assert client.served_as.endswith(".gguf"), "llama.cpp calls a model by its file, whatever it was asked for"


@pytest.mark.parametrize(
    "faults",
    [
        ("reset", "half"),
        ("storm", "storm", "storm"),
        ("busy", "html"),
        ("endless",),
        ("pass", "renamed"),
    ],
    ids="-".join,
)
def test_what_goes_wrong_on_the_line_changes_no_reply(llama: str, faults: tuple[str, ...]) -> None:
    _, straight = ask(f"{llama}/v1")
    with between(llama, *faults) as proxy:
        first = proxy.faults[0] == "pass"
        client, reply = ask(proxy.url)
        if first:
            (reply,) = client.complete(
                "Repeat this word: magnolia", temperature=0, max_tokens=4, seed=0, logprobs=True, top_logprobs=3
            )
    assert reply == straight and not proxy.faults


def test_a_line_that_stays_broken_is_one_sentence(llama: str) -> None:
    def said(proxy: Proxy, **settings: Any) -> str:
        _, reply = ask(proxy.url, **settings)
        assert isinstance(reply, ChatError)
        return str(reply)

    with between(llama, *["storm"] * 4) as proxy:
        assert said(proxy).endswith("answered 429: slow down") and proxy.seen == 4
    with between(llama, "stall") as proxy:
        assert "was not done within 0.5 seconds" in said(proxy, timeout_s=0.5, retries=0)
    with between(llama, "half") as proxy:
        assert "broke off" in said(proxy, retries=0)
