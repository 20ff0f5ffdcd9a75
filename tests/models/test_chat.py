"""The client of chat servers, against real ones on loopback: also such as are slow, wrong or gone."""

from __future__ import annotations

import json
import socket
import time
from typing import Any

import pytest

from momus.errors import MomusError
from momus.models.chat import KEY, Chat, ChatError, Reply, ServerError, model_and_url
from served import Answer, Served, error, serving


def chat(served: Served, model: str = "echo", **settings: object) -> Chat:
    return Chat(model, served.url, **{"timeout_s": 20, "retries": 0, "pause_s": 0.01, **settings})  # type: ignore[arg-type]


def ask(client: Chat, n: int = 1, **settings: object) -> list[Reply | ChatError]:
    asked = {"temperature": 0.5, "max_tokens": 50, "seed": 7, **settings}
    return client.complete("Say it.", n=n, **asked)  # type: ignore[arg-type]


def test_n_replies_are_n_requests_with_seeds_of_their_own_in_order() -> None:
    with serving({"echo": lambda body: f"seed {body['seed']}"}) as served:
        replies = ask(chat(served), n=6)
    assert replies == [Reply(f"seed {seed}") for seed in range(7, 13)]
    assert all("n" not in body and body["temperature"] == 0.5 for body in served.requests)
    assert served.requests[0]["messages"] == [{"role": "user", "content": "Say it."}]


def test_logprobs_are_the_mean_over_tokens_and_a_cut_reply_says_so() -> None:
    with serving({"echo": lambda body: "one two three four"}) as served:
        (told,) = ask(chat(served), logprobs=True)
        (untold,) = ask(chat(served))
        (cut,) = ask(chat(served), max_tokens=2)
    assert told == Reply("one two three four", logprob=-0.5)
    assert isinstance(untold, Reply) and untold.logprob is None
    assert isinstance(cut, Reply) and cut.cut and cut.text.split() == ["one", "two"]


def test_the_key_comes_from_the_environment_and_stands_in_no_message(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving({"echo": lambda body: "hello"}, key="right") as served:
        monkeypatch.setenv(KEY, "right")
        assert ask(chat(served)) == [Reply("hello")]
        monkeypatch.setenv(KEY, "wrong-secret")
        with pytest.raises(ServerError, match=r"wants another key \(401\): set MOMUS_API_KEY") as caught:
            ask(chat(served))
        monkeypatch.delenv(KEY)
        with pytest.raises(ServerError):
            ask(chat(served))
    assert "wrong-secret" not in str(caught.value)
    assert served.keys == ["Bearer right", "Bearer wrong-secret", None]


def test_a_redirect_is_not_followed() -> None:
    with serving({"echo": lambda body: "stolen"}) as other:
        moved = Answer(302, headers={"Location": f"{other.url}/chat/completions"})
        with serving({"echo": lambda body: moved}) as served:
            (reply,) = ask(chat(served, key="secret"))
    assert isinstance(reply, ChatError) and "302" in str(reply)
    assert other.requests == []


def test_a_model_that_is_not_served_is_one_sentence() -> None:
    with serving() as served, pytest.raises(ServerError, match=r"knows no model 'echo' \(The model `echo` does not"):
        ask(chat(served), n=3)


def test_nobody_at_the_address_is_one_sentence() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    client = Chat("m", f"http://127.0.0.1:{port}/v1", retries=0)
    with pytest.raises(ServerError, match=f"no server answers at http://127.0.0.1:{port}/v1 .*: start it, or mend"):
        ask(client)


def test_a_server_error_is_tried_again_so_often_and_no_more() -> None:
    answers = iter([error(500, "out of memory"), error(503, "warming up"), "at last"])
    with serving({"echo": lambda body: next(answers)}) as served:
        assert ask(chat(served, retries=2)) == [Reply("at last")]
    with serving({"echo": lambda body: error(500, "out of memory")}) as served:
        (reply,) = ask(chat(served, retries=2))
    assert isinstance(reply, ChatError) and f"echo at {served.url} answered 500: out of memory" == str(reply)
    assert len(served.requests) == 3


def test_a_bad_request_is_not_tried_again() -> None:
    with serving({"echo": lambda body: error(400, "context length exceeded")}) as served:
        (reply,) = ask(chat(served, retries=3))
    assert isinstance(reply, ChatError) and "400: context length exceeded" in str(reply)
    assert len(served.requests) == 1


def test_a_wait_that_the_server_asks_for_is_kept() -> None:
    answers = iter([Answer(429, headers={"Retry-After": "0.3"}), "now"])
    with serving({"echo": lambda body: next(answers)}) as served:
        begun = time.monotonic()
        assert ask(chat(served, retries=1)) == [Reply("now")]
    assert time.monotonic() - begun >= 0.3


@pytest.mark.parametrize(
    "slow", [Answer(200, b"{}", after=1.5), Answer(200, b"{" + b" " * 200, drip=0.05)], ids=["silent", "dripping"]
)
def test_a_slow_server_is_left_after_the_timeout(slow: Answer) -> None:
    with serving({"echo": lambda body: slow}) as served:
        begun = time.monotonic()
        (reply,) = ask(chat(served, timeout_s=0.4))
        taken = time.monotonic() - begun
    assert isinstance(reply, ChatError) and "was not done within 0.4 seconds" in str(reply)
    assert taken < 8  # a dripping reply would take ten


@pytest.mark.parametrize(
    "body",
    [
        b"<html>\x1b[31mBad Gateway</html>",
        b'{"choices": [{"message": {"content": "cut o',
        b'{"choices": []}',
        b'{"choices": [{"message": {"content": null}}]}',
        b"[" * 100_000,
        b"\xff\xfe\x00",
        b"",
    ],
)
def test_what_is_no_completion_is_an_error_and_never_a_reply(body: bytes) -> None:
    with serving({"echo": lambda _: Answer(200, body)}) as served:
        (reply,) = ask(chat(served))
    assert isinstance(reply, ChatError) and "no chat completion" in str(reply)
    assert "\x1b" not in str(reply)


REFUSALS = {
    "max_tokens": "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens'.",
    "temperature": "Unsupported value: 'temperature' does not support 0.5 with this model.",
    "logprobs": "This model does not support logprobs",
    "seed": "Unknown parameter: seed",
}


@pytest.mark.parametrize("option", REFUSALS)
def test_an_option_that_a_server_refuses_is_left_out_from_then_on(option: str) -> None:
    def model(body: dict[str, Any]) -> str | Answer:
        return error(400, REFUSALS[option]) if option in body else "hello"

    with serving({"echo": model}) as served:
        client = chat(served)
        replies = [*ask(client, n=4, logprobs=True), *ask(client, n=2, logprobs=True)]
    assert [isinstance(reply, Reply) and reply.text for reply in replies] == ["hello"] * 6
    assert [option in body for body in served.requests] == [True] + [False] * 6
    others = {name for name in REFUSALS if name != option}
    assert all(others <= set(body) for body in served.requests)
    assert all(("max_completion_tokens" in body) == (option == "max_tokens") for body in served.requests[1:])


@pytest.mark.parametrize("wire", ["400", "422", "param", "200"])
def test_every_option_may_be_refused_one_after_the_other(wire: str) -> None:
    def model(body: dict[str, Any]) -> str | Answer:
        refused = next((name for name in (*REFUSALS, "max_completion_tokens") if name in body), None)
        if refused is None:
            return "hello"
        told: dict[str, Any] = {"error": {"message": f"no {refused} here"}}
        if wire == "422":
            told = {"detail": [{"loc": ["body", refused], "msg": "Extra inputs are not permitted"}]}
        if wire == "param":
            told = {"error": {"message": "not supported", "param": refused}}
        return Answer(int(wire) if wire.isdecimal() else 400, json.dumps(told).encode())

    with serving({"echo": model}) as served:
        (reply,) = ask(chat(served), logprobs=True)
    assert reply == Reply("hello")
    assert len(served.requests) == 6 and set(served.requests[-1]) == {"model", "messages"}


def test_an_option_that_is_refused_although_it_is_not_there_is_an_error() -> None:
    with serving({"echo": lambda body: error(400, "seed is missing: temperature and seed")}) as served:
        (reply,) = ask(chat(served))
    assert isinstance(reply, ChatError) and "seed is missing" in str(reply)
    assert len(served.requests) == 3


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"message": "the GPU is gone", "code": 400}},
        {"error": "the GPU is gone"},
        {"error": {"message": "the GPU is gone"}, "choices": [{"message": {"content": "No problems found."}}]},
        {"choices": [{"error": {"message": "the GPU is gone"}, "message": {"content": "No problems"}}]},
    ],
)
def test_an_error_in_a_reply_of_200_is_an_error(body: dict[str, Any]) -> None:
    with serving({"echo": lambda _: Answer(200, json.dumps(body).encode())}) as served:
        (reply,) = ask(chat(served))
    assert isinstance(reply, ChatError) and "the GPU is gone" in str(reply)


def test_an_error_in_a_reply_of_200_is_tried_again_where_its_code_says_so() -> None:
    busy = Answer(200, json.dumps({"error": {"message": "busy", "code": 503}}).encode())
    answers = iter([busy, "now"])
    with serving({"echo": lambda body: next(answers)}) as served:
        assert ask(chat(served, retries=1)) == [Reply("now")]


def test_the_thinking_of_a_model_is_no_part_of_what_it_says() -> None:
    def told(**message: object) -> Answer:
        choice = {"message": {"role": "assistant", **message}, "finish_reason": "length"}
        return Answer(200, json.dumps({"choices": [choice]}).encode())

    answers = iter(
        [
            told(content="hello", reasoning_content="<think>No problems found.</think>"),
            told(content=None, reasoning_content="No problems found."),
            told(content="<think>No problems found."),
        ]
    )
    with serving({"echo": lambda body: next(answers)}) as served:
        client = chat(served)
        assert ask(client) == [Reply("hello", cut=True)]
        for _ in range(2):
            (reply,) = ask(client)
            assert isinstance(reply, ChatError) and "wrote its thinking and no answer within its limit" in str(reply)


def test_a_reply_that_breaks_off_is_an_error() -> None:
    with serving({"echo": lambda _: Answer(200, b'{"choices"', whole=False)}) as served:
        (reply,) = ask(chat(served))
    assert isinstance(reply, ChatError) and "broke off" in str(reply)


def test_a_lone_surrogate_in_a_prompt_can_be_sent() -> None:
    with serving({"echo": lambda body: "fine"}) as served:
        (reply,) = chat(served).complete("a\ud800b", temperature=0, max_tokens=5, seed=0)
    assert reply == Reply("fine")


@pytest.mark.parametrize(
    ("name", "model", "url"),
    [
        ("gpt@http://127.0.0.1:8000/v1", "gpt", "http://127.0.0.1:8000/v1"),
        ("org/model@2@https://host/v1/", "org/model@2", "https://host/v1"),
        ("m@http://host:1", "m", "http://host:1/v1"),
    ],
)
def test_a_name_is_a_model_and_a_url(name: str, model: str, url: str) -> None:
    assert model_and_url(name, "server") == (model, url)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("gpt", "server:gpt does not say which model is where: write server:MODEL@http"),
        ("gpt@", "does not say which model"),
        ("@http://host/v1", "does not say which model"),
        ("gpt@ftp://host/v1", "does not say which model"),
        ("gpt@http://", "does not say which model"),
        ("gpt@http:///v1", "names no server"),
        ("gpt@http://host:99999/v1", "names no server"),
        ("gpt@http://host/v1?key=abc", "names no server"),
        ("gpt@http://user:secret@host/v1", "holds a password: set MOMUS_API_KEY"),
    ],
)
def test_a_name_that_is_none_is_one_sentence_without_secrets(name: str, sentence: str) -> None:
    with pytest.raises(MomusError, match=sentence) as caught:
        model_and_url(name, "server")
    assert "secret" not in str(caught.value) and "abc" not in str(caught.value)
