"""A critic over a real server: llama.cpp with a small real model, and servers that say what a test needs."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bad_proxy import between
from copying_model import copying, mend
from llama_served import llama_served
from momus.critics import open_critic
from momus.critics.local.calibration import Calibration, Side, Threshold
from momus.critics.local.critic import LocalCritic
from momus.critics.served.ahead import digest_of
from momus.critics.served.critic import ServedCritic
from momus.critics.served.name import ServedName
from momus.errors import MomusError
from momus.match import apply_suggestion
from momus.models.chat import Chat
from momus.models.chat_abilities import Abilities, abilities_of
from momus.models.local import open_local
from momus.records import Sampled, Task
from served import Answer, Served, error, serving

CODE = "def total(xs):\n    s = 0\n    for x in xs:\n        s -= x\n    return s\n"
FIXED = CODE.replace("-=", "+=")
QUESTION = "Write total(xs), the sum of a list.\n>>> total([1, 2])\n3\n>>> total([])\n0\n"


def task(code: str = CODE, question: str = QUESTION, name: str = "t", **more: Any) -> Task:
    return Task(id=name, question=question, answer=code, **more)


def critic_at(served: Served, ends: str = "", **options: Any) -> ServedCritic:
    critic = open_critic(f"server:m@{served.url}{ends}", **{"keep": False, "retries": 0, "timeout_s": 60, **options})
    assert isinstance(critic, ServedCritic)
    return critic


def test_a_rewrite_is_a_finding_with_its_fix_and_words() -> None:
    with serving({"m": copying(mend)}) as served:
        critic = critic_at(served)
        wrong, right = critic.critique([task(question=""), task(FIXED, "", "right")], seed=0)
    assert critic.name == f"server:m@{served.url}+rewrite" and critic.abilities == Abilities(logprobs=True, named="m")
    assert wrong.error is None and right.error is None and not right.critique.comments
    [comment] = wrong.critique.comments
    assert comment.suggestion is not None and "s -= x" in comment.highlight.of(CODE)
    assert apply_suggestion(CODE, comment.highlight, comment.suggestion) == FIXED
    assert comment.category == "wrong-operator" and comment.confidence is None
    assert "rewrite: 3 requests" in critic.account


def test_code_with_comments_in_a_class_keeps_them() -> None:
    code = "def total(self, xs):\n    # the sum\n    s = 0\n    for x in xs:\n        s -= x  # here\n    return s\n"
    with serving({"m": copying(mend)}) as served:
        [said] = critic_at(served).critique([task(code, "", context="class Sums:")], seed=0)
    [comment] = said.critique.comments
    assert comment.suggestion is not None
    assert apply_suggestion(code, comment.highlight, comment.suggestion) == code.replace("-=", "+=")
    assert "# the sum" not in served.requests[-1]["messages"][0]["content"]


def test_examples_are_run_first_and_prove_the_fix() -> None:
    with serving({"m": copying(mend)}) as served:
        [said] = critic_at(served, "+examples").critique([task()], seed=0)
    [comment] = said.critique.comments
    assert "`total([1, 2])` gives -3" in comment.text and "With that the 2 examples hold." in comment.text
    assert apply_suggestion(CODE, comment.highlight, comment.suggestion or "") == FIXED


def test_solutions_are_written_by_the_served_model() -> None:
    copied = copying()

    def model(body: dict[str, Any]) -> Any:
        if "may contain a bug" in body["messages"][0]["content"] or "Repeat this line" in str(body["messages"]):
            return copied(body)
        return f"```python\ndef total(xs):\n    return sum(xs)  # {body['seed']}\n```"

    question = QUESTION + "A list of numbers. total([4]) == 4\n"
    with serving({"m": model}) as served:
        [said] = critic_at(served, "+solutions").critique([task(question=question)], seed=0)
    assert said.error is None, said.error
    [comment] = said.critique.comments
    assert "8 of 8 solutions" in comment.text


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        ("I'm sorry, I can't do that.", "something that is no copy of it"),
        ("```python\nprint('hello')\n```", "something that is no copy of it"),
        (error(400, "maximum context length is 100"), "maximum context length"),
        (Answer(200, b"<html>"), "no chat completion"),
    ],
)
def test_what_is_no_rewrite_is_a_failure_and_never_silence(reply: str | Answer, why: str) -> None:
    copied = copying()

    def model(body: dict[str, Any]) -> Any:
        if "Repeat this line" in str(body["messages"]):
            return copied(body)
        return reply if isinstance(reply, Answer) else copying(lambda code: reply, fenced=False)(body)

    with serving({"m": model}) as served:
        [said] = critic_at(served).critique([task()], seed=0)
    assert said.error is not None and why in said.error and not said.critique.comments


def test_several_are_asked_at_once_and_answers_come_in_order() -> None:
    import threading

    together, most, lock = 0, 0, threading.Lock()
    copied = copying(mend)

    def model(body: dict[str, Any]) -> Any:
        nonlocal together, most
        with lock:
            together += 1
            most = max(most, together)
        import time

        time.sleep(0.2)
        with lock:
            together -= 1
        return copied(body)

    with serving({"m": model}) as served:
        critic = critic_at(served, concurrency=3)
        asked = [task(CODE.replace("total", f"total{n}"), "", f"t{n}") for n in range(9)]
        found = list(critic.critique(asked, seed=0))
    assert [one.task_id for one in found] == [one.id for one in asked] and most == 3
    assert all(len(one.critique) == 1 for one in found)


def test_whoever_stops_listening_leaves_no_request_behind() -> None:
    with serving({"m": copying(mend)}) as served:
        critic = critic_at(served, concurrency=2)
        listening = critic.critique((task(CODE, "", f"t{n}") for n in range(1000)), seed=0)
        next(listening)
        listening.close()  # type: ignore[attr-defined]
        assert len(served.requests) < 10


def test_a_strategy_that_a_server_can_not_do_is_one_sentence() -> None:
    with serving({"m": lambda body: "hello"}) as served:
        with pytest.raises(MomusError, match=r"can't be used with the strategy rewrite: it .*; take \+critique"):
            open_critic(f"server:m@{served.url}+rewrite", keep=False)
        assert open_critic(f"server:m@{served.url}", keep=False).name.endswith("+critique")
    with pytest.raises(MomusError, match="names 2 strategies: name one of scan, rewrite, critique"):
        ServedName.of("m@http://host/v1+scan+rewrite")
    assert str(ServedName.of("a+b@http://h:1/v1+examples+rewrite")) == "server:a+b@http://h:1/v1+rewrite+examples"


def calibration(digest: str) -> Calibration:
    side = Side(
        (Threshold(50, 9.0, 0.05, 0, 100, 0.0, 0.03), Threshold(75, 0.5, 0.1, 0, 100, 0.0, 0.03)), ((0.0, 0.4),)
    )
    return Calibration(digest=digest, request="2", mode="rewrite", question=side, code=side)


def test_a_calibration_is_kept_by_the_models_name_and_by_what_its_server_calls_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    calibration(digest_of("m", "m")).save()
    with serving({"m": copying(mend)}) as served:
        [silent] = critic_at(served).critique([task()], seed=0)
        [loud] = critic_at(served, dial=75).critique([task()], seed=0)
    assert not silent.critique.comments and loud.critique.comments[0].confidence == 0.4

    def renamed(body: dict[str, Any]) -> Answer:
        told = json.loads(copying(mend)(body).body)
        return Answer(200, json.dumps({**told, "model": "/models/other.gguf"}).encode())

    with serving({"m": renamed}) as served:
        critic = critic_at(served)
        [said] = critic.critique([task()], seed=0)
        assert said.critique.comments[0].confidence is None, "it was fitted on another model"
        assert "the server calls the model /models/other.gguf" in critic.account
        with pytest.raises(MomusError, match="has no calibration, so that the dial has nothing to set"):
            critic_at(served, dial=75)


@pytest.fixture(scope="module")
def llama(smollm2: Path) -> str:
    return llama_served(smollm2)[1]


def test_llama_cpp_tells_what_it_writes_and_goes_on_and_does_not_tell_what_it_reads(llama: str) -> None:
    found = abilities_of(Chat("smol", f"{llama}/v1", timeout_s=240))
    assert (found.logprobs, found.continues, found.prompt) == (True, True, False)
    assert found.named.endswith(".gguf")


def test_a_real_model_on_a_real_server_rewrites_through_a_line_that_misbehaves(llama: str) -> None:
    code = "def add(a, b):\n    return a + b\n"
    said: list[Sampled] = []
    for faults in ((), ("pass", "storm", "reset", "half", "busy")):
        with between(llama, *faults) as proxy:
            critic = open_critic(f"server:smol@{proxy.url}", keep=False, timeout_s=240, retries=4)
            assert isinstance(critic, ServedCritic)
            said += critic.critique([task(code, "Write add(a, b), the sum of both.")], seed=0)
            assert not proxy.faults
    assert said[0].error is None, said[0].error
    assert said[0].critique == said[1].critique


def test_a_server_that_tells_how_likely_a_prompt_is_scans_as_the_model_does_in_this_process(smollm2: Path) -> None:
    """The prompt's log-probabilities are a real model's, told in the form that vLLM has for them."""
    model = open_local(str(smollm2), mode="exact", threads=1)
    tokens = model.tokens
    copied = copying(mend)

    def served_model(body: dict[str, Any]) -> Any:
        user, *begun = (message["content"] for message in body["messages"])
        if "prompt_logprobs" not in body:
            return copied(body)
        assert body["continue_final_message"] and not body["add_generation_prompt"]
        chat = tokens.chat([{"role": "user", "content": user}])
        ids = tokens.encode(replace(chat, parts=(*chat.parts, (begun[0], False)))).ids
        read = model.read(ids, 1)
        told: list[Any] = [None]
        for token, logprob in zip(ids[1:], read.logprobs.tolist(), strict=True):
            told.append({str(token): {"logprob": logprob, "rank": 1, "decoded_token": tokens.decode([token])}})
        answer = json.loads(copied(body).body)
        return Answer(200, json.dumps({**answer, "prompt_logprobs": told}).encode())

    with serving({"m": served_model}) as served:
        critic = critic_at(served)
        assert critic.mode == "scan" and critic.name.endswith("+scan")
        told = {found.line: found.score for found in critic.suspicions(task())}
    here = {found.line: found.score for found in LocalCritic("m", model).suspicions(task())}
    assert told.keys() == here.keys()
    assert all(told[line] == pytest.approx(here[line], abs=0.01) for line in here)
