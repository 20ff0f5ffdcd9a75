"""What a server may be asked: a budget that is kept, replies that cost nothing twice, keys that stay where they are."""

from __future__ import annotations

import json
import logging
import traceback
from pathlib import Path
from typing import Any

import keyring
import keyring.backend
import pytest

from momus.errors import MomusError
from momus.models.chat import KEY, Budget, Chat, ChatError, OutOfBudget, Reply, ServerError
from momus.models.chat_budget import Prices
from momus.models.chat_kept import KeptReplies
from served import Answer, Served, error, serving

READ, WRITTEN = 20, 10  # tokens that the model of these tests tells


def telling(body: dict[str, Any]) -> Answer:
    usage = {"prompt_tokens": READ, "completion_tokens": WRITTEN}
    message = {"message": {"content": f"seed {body['seed']}"}, "finish_reason": "stop"}
    return Answer(200, json.dumps({"model": "m", "choices": [message], "usage": usage}).encode(), after=0.02)


def chat(served: Served, **settings: Any) -> Chat:
    return Chat("m", served.url, **{"timeout_s": 20, "retries": 0, "pause_s": 0.01, **settings})


def ask(client: Chat, n: int = 1, **settings: Any) -> list[Reply | ChatError]:
    return client.complete("Say it. " * 10, n=n, **{"temperature": 0.5, "max_tokens": 10, "seed": 7, **settings})


def test_a_budget_of_tokens_is_never_exceeded_and_is_used_up() -> None:
    with serving({"m": telling}) as served:
        client = chat(served, budget=Budget(max_tokens=200))
        replies = ask(client, n=40)
    answered = [reply for reply in replies if isinstance(reply, Reply)]
    refused = [reply for reply in replies if isinstance(reply, OutOfBudget)]
    assert len(answered) + len(refused) == 40
    assert len(answered) == len(served.requests) == 200 // (READ + WRITTEN)
    assert str(refused[0]) == "the budget of 200 tokens is used up: 180 were used, and this needs more"
    assert str(client.spent) == "6 requests, 120 tokens read and 60 written; 34 not sent, as the budget is used up"


def test_a_budget_of_money_is_kept_by_prices_or_by_what_the_server_says_it_costs() -> None:
    with serving({"m": telling}) as served:
        client = chat(served, budget=Budget(max_cost=0.001, prices=Prices.of("10,20")))
        ask(client, n=10)
    assert len(served.requests) == 2 and client.spent.cost == pytest.approx(2 * (READ * 10 + WRITTEN * 20) / 1e6)
    assert "$0.0008" in str(client.spent)

    def dear(body: dict[str, Any]) -> Answer:
        told = json.loads(telling(body).body)
        return Answer(200, json.dumps({**told, "usage": {**told["usage"], "cost": 0.25}}).encode())

    with serving({"m": dear}) as served:
        client = chat(served, budget=Budget(max_cost=0.5, prices=Prices.of("10,20")))
        ask(client, n=10)
    assert len(served.requests) in (1, 2) and client.spent.cost in (0.25, 0.5)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"max_tokens": 0}, "a budget of 0 tokens lets nothing be asked: give more, or leave budget-tokens out"),
        ({"max_tokens": -5}, "a budget of -5 tokens lets nothing"),
        ({"max_cost": 0.0, "prices": Prices(1, 1)}, r"a budget of \$0 lets nothing be asked: give more"),
        ({"max_cost": float("nan"), "prices": Prices(1, 1)}, "lets nothing be asked"),
        ({"max_cost": 1.0}, "a budget of money needs prices"),
    ],
)
def test_a_budget_that_lets_nothing_be_asked_is_one_sentence(settings: dict[str, Any], sentence: str) -> None:
    with pytest.raises(MomusError, match=sentence):
        Budget(**settings)


@pytest.mark.parametrize("text", ["", "1", "1,2,3", "a,b", "-1,2", "nan,1", "inf,1"])
def test_prices_that_are_none_are_one_sentence(text: str) -> None:
    with pytest.raises(MomusError, match="are no prices: write dollars for a million tokens"):
        Prices.of(text)


@pytest.mark.parametrize("usage", [None, {}, {"prompt_tokens": "many"}, {"prompt_tokens": 10**9}, [1], "free"])
def test_what_a_server_does_not_tell_or_lies_about_is_estimated_and_counted(usage: object) -> None:
    body = {"model": "m", "choices": [{"message": {"content": "hello"}}], "usage": usage}
    with serving({"m": lambda _: Answer(200, json.dumps(body).encode())}) as served:
        client = chat(served, budget=Budget(max_tokens=120))
        ask(client, n=5)
    assert len(served.requests) == 2 and client.spent.untold == 2
    assert client.spent.read == 80 and client.spent.written == 20


def test_what_was_refused_costs_nothing_and_what_broke_off_counts_as_used() -> None:
    with serving({"m": lambda _: error(500, "no memory")}) as served:
        client = chat(served, retries=2)
        ask(client)
        assert client.spent.requests == 0 and len(served.requests) == 3
    with serving({"m": lambda _: Answer(200, b"{", whole=False)}) as served:
        client = chat(served)
        ask(client)
        assert (client.spent.requests, client.spent.untold, client.spent.written) == (1, 1, 10)


def test_a_reply_is_kept_and_asked_for_once(tmp_path: Path) -> None:
    with serving({"m": telling}) as served:
        first = ask(chat(served, kept=KeptReplies(served.url, tmp_path)), n=3)
        again = chat(served, kept=KeptReplies(served.url, tmp_path))
        assert ask(again, n=3) == first and len(served.requests) == 3
        assert str(again.spent) == "0 requests, 0 tokens read and 0 written; 3 replies kept from before"
        ask(again, seed=100)
        ask(chat(served, kept=KeptReplies("http://other/v1", tmp_path)))
        assert len(served.requests) == 5
    for path in tmp_path.glob("*/*.json"):
        assert path.stat().st_mode & 0o077 == 0
        path.write_text("{")
    with serving({"m": telling}) as served:
        assert ask(chat(served, kept=KeptReplies(served.url, tmp_path)), n=3) == first


def test_a_failure_is_not_kept(tmp_path: Path) -> None:
    answers = iter([Answer(200, b"{}"), error(400, "no"), "fine"])
    with serving({"m": lambda _: next(answers)}) as served:
        client = chat(served, kept=KeptReplies(served.url, tmp_path))
        assert [isinstance(ask(client)[0], Reply) for _ in range(3)] == [False, False, True]


class InMemory(keyring.backend.KeyringBackend):
    """A keyring of this test alone."""

    priority = 1  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        self.held: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.held.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.held[service, username] = password


def test_the_key_comes_from_the_keyring_where_the_environment_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    before = keyring.get_keyring()
    keyring.set_keyring(InMemory())
    try:
        with serving({"m": telling}, key="ringed") as served:
            keyring.set_password("momus", served.url.removesuffix("/v1"), "ringed")
            monkeypatch.delenv(KEY, raising=False)
            assert isinstance(ask(chat(served))[0], Reply)
            monkeypatch.setenv(KEY, "other")
            with pytest.raises(ServerError, match="another key"):
                ask(chat(served))
    finally:
        keyring.set_keyring(before)


def test_a_key_stands_in_no_log_reply_cache_or_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Also where the server says it again, and where every logger tells all it can."""
    key = "sk-very-secret-0123456789"
    monkeypatch.setenv(KEY, key)
    monkeypatch.setenv("OPENAI_LOG", "debug")
    answers = iter([error(400, f"bad key {key}"), Answer(200, f"<p>{key}".encode()), f"I know {key}."])
    with caplog.at_level(logging.DEBUG), serving({"m": lambda _: next(answers)}) as served:
        client = chat(served, kept=KeptReplies(served.url, tmp_path))
        replies = [ask(client)[0] for _ in range(3)]
    shown = "".join(
        "".join(traceback.format_exception(one)) if isinstance(one, ChatError) else one.text for one in replies
    )
    kept = "".join(path.read_text() for path in tmp_path.glob("*/*"))
    for text in (shown, kept, caplog.text, repr(client.spent)):
        assert key not in text
    assert "***" in shown and "***" in kept and "Say it." not in caplog.text
    assert served.keys == [f"Bearer {key}"] * 3


def test_nothing_of_the_environment_of_another_service_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_ADMIN_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"):
        monkeypatch.setenv(name, "of-another")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-Own: of-another\nAuthorization: Bearer of-another")
    monkeypatch.delenv(KEY, raising=False)
    with serving({"m": telling}) as served:
        assert isinstance(ask(chat(served))[0], Reply)
    (headers,) = served.headers
    assert "of-another" not in str(headers) and served.keys == [None]
    assert {name.lower() for name in headers} <= {
        *("host", "accept", "accept-encoding", "connection", "user-agent", "content-length", "content-type"),
    }


def test_a_reply_beyond_all_measure_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving({"m": lambda _: Answer(200, b" " * (9 << 20))}) as served:
        (reply,) = ask(chat(served))
    assert isinstance(reply, ChatError) and "answered with more than 8 MB" in str(reply)
    packed = Answer(200, b"\x1f\x8b", headers={"Content-Encoding": "gzip"})
    with serving({"m": lambda _: packed}) as served:
        (reply,) = ask(chat(served))
    assert isinstance(reply, ChatError) and "answered in a compressed form" in str(reply)


def test_a_server_that_is_suddenly_another_model_is_told() -> None:
    def named(name: str) -> Answer:
        return Answer(200, json.dumps({"model": name, "choices": [{"message": {"content": "hello"}}]}).encode())

    answers = iter([named("m-2026"), named("tiny"), named("m-2026")])
    with serving({"m": lambda _: next(answers)}) as served:
        client = chat(served)
        first, other, third = (ask(client)[0] for _ in range(3))
    assert isinstance(first, Reply) and isinstance(third, Reply) and client.served_as == "m-2026"
    assert isinstance(other, ChatError) and "answered as 'tiny', and before as 'm-2026'" in str(other)


def test_a_server_that_leaves_most_of_a_prompt_out_is_told() -> None:
    body = {"choices": [{"message": {"content": "No problems found."}}], "usage": {"prompt_tokens": 4}}
    with serving({"m": lambda _: Answer(200, json.dumps(body).encode())}) as served:
        (reply,) = ask(chat(served))
    assert isinstance(reply, ChatError) and "took in 4 tokens of a prompt of 80 characters" in str(reply)


def test_whoever_waits_is_let_go_when_all_is_stopped() -> None:
    from concurrent.futures import ThreadPoolExecutor

    with serving({"m": lambda _: Answer(200, b"{}", after=3.0)}) as served, ThreadPoolExecutor(1) as pool:
        client = chat(served)
        waiting = pool.submit(ask, client)
        while not served.requests:
            pass
        client.stop()
        with pytest.raises(ChatError, match="was not waited for"):
            waiting.result(timeout=2.5)
