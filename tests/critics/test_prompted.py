"""The critic on a server: real requests on loopback, quotes put back in their place, failures that stay failures."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from momus.critics import open_critic
from momus.critics.prompted import MAX_QUESTION, PromptedCritic, fenced, fill, prompt_for, shortened
from momus.critics.sampled import open_bundled
from momus.critique import CATEGORIES, TextMap, parse
from momus.errors import MomusError
from momus.match import apply_suggestion
from momus.models.chat import Chat, ServerError
from momus.records import Sampled, Task, dump_line
from served import Answer, Model, Served, error, serving

ANSWER = '''def last(xs, n):
    """The last n items."""
    start = len(xs) - n - 1
    return xs[start:]


def total(xs):
    s = 0
    for x in xs:
        s -= x
    return s
'''
TASK = Task(id="t", question="Return the last n items.", answer=ANSWER)


def critic_of(served: Served, model: str = "m", **settings: Any) -> PromptedCritic:
    chat = Chat(model, served.url, timeout_s=20, retries=0, pause_s=0.01)
    return PromptedCritic(chat, **{"drafts": 1, "check": False, **settings})


def said(reply: str | Model, task: Task = TASK, **settings: Any) -> Sampled:
    model: Model = (lambda body: reply) if isinstance(reply, str) else reply
    with serving({"m": model}) as served:
        (sampled,) = critic_of(served, **settings).critique([task], seed=0)
    return sampled


def test_a_critique_comes_back_with_exact_highlights_and_its_name() -> None:
    reply = (
        "```python off-by-one high\nstart = len(xs) - n - 1\n```\nOne too early.\n\n"
        "```suggestion\nstart = len(xs) - n\n```\n"
    )
    with serving({"m": lambda body: reply}) as served:
        critic = open_critic(f"server:m@{served.url}+critique", drafts=1, check=False, keep=False)
        (sampled,) = critic.critique([TASK], seed=3)
    (comment,) = sampled.critique
    assert sampled.critic == critic.name == f"server:m@{served.url}+critique"
    assert comment.highlight.of(ANSWER) == "start = len(xs) - n - 1"
    assert (comment.category, comment.severity, comment.text) == ("off-by-one", "high", "One too early.")
    assert sampled.anchors == ("exact",) and sampled.dropped == 0 and sampled.error is None
    (body,) = served.requests
    assert body["temperature"] == 0.7 and body["seed"] == 3


@pytest.mark.parametrize(
    ("quote", "line", "method"),
    [
        ("    start = len(xs) - n - 1", 3, "exact"),
        ("start  =  len( xs ) - n - 1", 3, "whitespace"),
        ("START = len(xs) - n - 1", 3, "case"),
        ("start = len(xs) - ...", 3, "ellipsis"),
        ("    start = len(xs) - n - 1\n\n    return xs[start:]", 3, "whitespace"),
        ("strat = len(xs) - n - 1", 3, "fuzzy"),
    ],
)
def test_an_inexact_quote_is_put_in_its_place_and_the_method_is_kept(quote: str, line: int, method: str) -> None:
    sampled = said(f"```python off-by-one high\n{quote}\n```\nToo early.\n")
    (comment,) = sampled.critique
    assert TextMap(ANSWER).line(comment.highlight.start) == line
    assert comment.highlight.of(ANSWER) == comment.highlight.of(ANSWER).strip()
    assert sampled.anchors == (method,)
    assert Sampled.model_validate_json(dump_line(sampled)) == sampled


def test_a_quote_that_stands_nowhere_is_dropped_and_counted_never_shown() -> None:
    reply = (
        "```python security high\nos.system(user_input)\n```\nA shell.\n\n```suggestion\nsafe()\n```\n"
        "```python wrong-operator high\ns -= x\n```\nIt subtracts.\n"
    )
    sampled = said(reply)
    assert [comment.text for comment in sampled.critique] == ["It subtracts."]
    assert sampled.dropped == 1 and sampled.anchors == ("exact",)
    assert "system" not in dump_line(sampled)


@pytest.mark.parametrize("reply", ["The code looks off to me.", "", "```python\nos.system(x)\n```\nA shell.\n", "```"])
def test_a_reply_without_an_anchored_quote_is_a_failure_never_silence(reply: str) -> None:
    sampled = said(reply)
    assert sampled.error == "none of 1 replies could be read as a critique" and sampled.finish == "error"


COMMENT = "```python wrong-operator high\n        s -= x\n```\nIt subtracts.\n"
THOUGHT = "```python off-by-one high\n    return xs[start:]\n```\nPerhaps this? No problems found.\n"


@pytest.mark.parametrize(
    "reply",
    [
        f"<think>\n{THOUGHT}</think>\n\n{COMMENT}",
        f"<think>{THOUGHT}</think>{COMMENT}",
        f"{THOUGHT}</think>\n\n{COMMENT}",
        f"Let me see. ```\n```python\ns = 0\n</think>\n{COMMENT}",
        f"{COMMENT}\n<THINK>\n{THOUGHT}",
        f"<think>one</think>\n{COMMENT}\n<think>{THOUGHT}</think>",
        f"<thinking>\n{THOUGHT}</thinking>\n{COMMENT}",
    ],
)
def test_what_a_model_thinks_is_never_a_comment(reply: str) -> None:
    (comment,) = said(reply).critique
    assert (comment.highlight.of(ANSWER), comment.text) == ("s -= x", "It subtracts.")


@pytest.mark.parametrize("reply", [f"<think>\n{THOUGHT}", f"<think>\n{THOUGHT}</think>\n", f"{THOUGHT}\n</think>"])
def test_thinking_alone_is_a_failure_never_silence_or_a_comment(reply: str) -> None:
    sampled = said(reply)
    assert sampled.error is not None and "wrote its thinking and no answer" in sampled.error
    assert not sampled.critique.comments


def test_tags_in_the_code_that_is_quoted_are_code() -> None:
    answer = 'def said(reply):\n    return reply.split("</think>")[0]\n\n\nTAG = """\n<think>\n"""\n'
    reply = (
        '```python wrong-constant high\n    return reply.split("</think>")[0]\n```\n`<think>`, not said.\n'
        "```python other low\n<think>\n```\nNot closed by `</think>`.\n"
    )
    sampled = said(reply, Task(id="t", question="", answer=answer))
    assert [comment.text[:3] for comment in sampled.critique] == ["`<t", "Not"]


@pytest.mark.parametrize(
    "reply",
    [
        f"```markdown\n{COMMENT}```\n",
        f"````markdown\n{COMMENT}````",
        f"```\n{COMMENT}```",
        f"```text\n\n{COMMENT}\n```\n",
        f"Here is my critique:\n\n```md\nI looked.\n{COMMENT}```\nI hope it helps.\n",
        f"```\nMy critique:\n\n{COMMENT}```\n",
        f"```markdown\n{COMMENT}",
        f"<think>\n```markdown\n{THOUGHT}```\n</think>\n```markdown\n{COMMENT}```",
    ],
)
def test_a_reply_inside_of_an_outer_fence_is_read(reply: str) -> None:
    (comment,) = said(reply).critique
    assert (comment.highlight.of(ANSWER), comment.category, comment.text) == (
        "s -= x",
        "wrong-operator",
        "It subtracts.",
    )


def test_fences_that_only_quote_are_no_outer_fence() -> None:
    reply = "```\n    return xs[start:]\n```\nToo many.\n\n" + COMMENT + "\n```suggestion\n        s += x\n```\n"
    first, second = said(reply).critique
    assert (first.text, second.text, second.suggestion) == ("Too many.", "It subtracts.", "s += x")


@pytest.mark.parametrize("reply", ["No problems found.", "I looked closely. No problems found.\n", "no problems found"])
def test_silence_is_a_critique(reply: str) -> None:
    sampled = said(reply)
    assert sampled.error is None and len(sampled.critique) == 0 and sampled.finish == "stop"


@pytest.mark.parametrize(
    "suggestion",
    [
        "if n > len(xs):\n    n = len(xs)\nstart = len(xs) - n",
        "    if n > len(xs):\n        n = len(xs)\n    start = len(xs) - n",
        "if n > len(xs):\n        n = len(xs)\n    start = len(xs) - n",
    ],
    ids=["dedented", "indented", "as the format says"],
)
def test_a_suggestion_is_indented_as_the_code_is(suggestion: str) -> None:
    reply = f"```python off-by-one high\n    start = len(xs) - n - 1\n```\nWrong.\n\n```suggestion\n{suggestion}\n```\n"
    (comment,) = said(reply).critique
    assert comment.suggestion is not None
    mended = apply_suggestion(ANSWER, comment.highlight, comment.suggestion)
    assert "    if n > len(xs):\n        n = len(xs)\n    start = len(xs) - n\n    return" in mended
    compile(mended, "mended", "exec")


def one(line: str, text: str, category: str = "other") -> str:
    return f"```python {category} low\n{line}\n```\n{text}\n"


def test_what_more_than_half_of_the_samples_say_is_said_as_the_likeliest_says_it() -> None:
    texts = [
        one("return s", "Sample 0.") + one("s = 0", "Alone."),
        "nonsense",  # no sample at all
        one("return s", "Sample 2."),
        one("    for x in xs:\n        s -= x\n    return s", "Sample 3."),
        "No problems found.",
    ]
    levels = [-0.5, -0.01, -0.2, -0.9, -0.3]

    def telling(tells: bool) -> Model:
        def model(body: dict[str, Any]) -> Answer:
            from served import completion

            i = body["seed"] % 5
            return completion({**body, "logprobs": tells and body["logprobs"]}, [(texts[i], levels[i])])

        return model

    best = said(telling(True), drafts=5)
    assert [comment.text for comment in best.critique] == ["Sample 2."] and best.logprob == pytest.approx(-0.2)
    first = said(telling(False), drafts=5)
    assert [comment.text for comment in first.critique] == ["Sample 0."] and first.logprob is None
    texts[3] = "No problems found."
    assert not said(telling(True), drafts=5).critique.comments


def checking(verdict: str | Answer) -> tuple[Model, list[str]]:
    """A model that makes two claims, and says a verdict of the one on `s -= x`; and what it was asked to check."""
    asked: list[str] = []

    def model(body: dict[str, Any]) -> str | Answer:
        prompt = body["messages"][0]["content"]
        if "## Claim" not in prompt:
            return one("s -= x", "It subtracts.") + one("return xs[start:]", "Too many.")
        asked.append(prompt)
        return verdict if "It subtracts." in prompt else "**True**, it is."

    return model, asked


def test_each_claim_is_checked_with_the_code_alone_and_what_is_false_is_not_said() -> None:
    model, asked = checking("False. It is what was asked for. TRUE would be wrong.")
    sampled = said(model, drafts=3, check=True)
    assert [comment.text for comment in sampled.critique] == ["Too many."] and sampled.error is None
    assert len(asked) == 2 and all(TASK.question not in prompt and ANSWER in prompt for prompt in asked)
    model, asked = checking("True.")
    assert len(said(model, drafts=3, check=True).critique) == 2


@pytest.mark.parametrize("verdict", ["Perhaps.", "", "It is TRUE", error(400, "no")])
def test_a_check_without_a_verdict_is_a_failure_and_never_an_approval(verdict: str | Answer) -> None:
    model, _ = checking(verdict)
    sampled = said(model, check=True)
    assert sampled.error is not None and not sampled.critique.comments


def test_a_score_is_the_share_of_samples_times_the_probability_of_the_claim() -> None:
    def model(body: dict[str, Any]) -> str | Answer:
        if "## Claim" not in body["messages"][0]["content"]:
            return one("s -= x", "It subtracts.") if body["seed"] < 3 else "No problems found."
        others = [{"token": "TRUE", "logprob": -0.2}, {"token": " false", "logprob": -1.8}]
        told = {"content": [{"token": "TRUE", "logprob": -0.2, "top_logprobs": others}]}
        choice = {"message": {"content": "TRUE."}, "logprobs": told}
        return Answer(200, json.dumps({"choices": [choice]}).encode())

    with serving({"m": model}) as served:
        found = critic_of(served, drafts=4, check=True).assess(TASK)
    true = math.exp(-0.2) / (math.exp(-0.2) + math.exp(-1.8))
    assert found.score == pytest.approx(3 / 4 * true)


def test_each_of_n_critiques_has_seeds_of_its_own() -> None:
    with serving({"m": lambda body: f"```python other low\nreturn s\n```\nBy seed {body['seed']}.\n"}) as served:
        found = list(critic_of(served, drafts=2).critique([TASK], n=3, seed=10))
    assert [sampled.i for sampled in found] == [0, 1, 2]
    assert sorted(body["seed"] for body in served.requests) == [10, 11, 12, 13, 14, 15]


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (error(500, "no memory"), "answered 500: no memory"),
        (error(400, "maximum context length is 8"), "answered 400: maximum context length"),
        (Answer(200, b"{}"), "no chat completion"),
        (Answer(200, b"{}", after=9.0), "was not done within 3 seconds"),
    ],
)
def test_a_server_that_fails_on_a_task_is_an_error_of_that_task(answer: Answer, why: str) -> None:
    other = TASK.model_copy(update={"id": "other", "answer": "x = 1\n"})

    def model(body: dict[str, Any]) -> str | Answer:
        return answer if "def last" in body["messages"][0]["content"] else "No problems found."

    with serving({"m": model}) as served:
        critic = PromptedCritic(Chat("m", served.url, timeout_s=3, retries=0), drafts=2)
        first, second = critic.critique([TASK, other], seed=0)
    assert first.error is not None and why in first.error and not first.critique.comments
    assert second.error is None


def test_a_wrong_model_ends_the_run_with_one_sentence() -> None:
    with serving() as served, pytest.raises(ServerError, match="knows no model 'm'"):
        list(critic_of(served).critique([TASK], seed=0))


def test_a_long_answer_is_cut_at_a_line_and_said_so() -> None:
    answer = "".join(f"value_{n} = {n}\n" for n in range(1000))
    shown: list[str] = []

    def model(body: dict[str, Any]) -> str:
        shown.append(body["messages"][0]["content"])
        return "```python other low\nvalue_3 = 3\n```\nWhy?\n"

    sampled = said(model, Task(id="t", question="q" * 9000, answer=answer), max_answer=200)
    kept = answer[:200].count("\n")
    assert sampled.left_out == f"lines {kept + 1}-1000: too long for the prompt"
    assert f"value_{kept - 1} = {kept - 1}\n```" in shown[0] and f"value_{kept} " not in shown[0]
    assert "q" * MAX_QUESTION in shown[0] and "q" * (MAX_QUESTION + 1) not in shown[0]
    assert shortened("one\ntwo\nthree", 7) == ("one\n", "lines 2-3: too long for the prompt")
    assert shortened("one\ntwo\n", 8) == ("one\ntwo\n", None)
    assert shortened("a" * 50, 10) == ("", "line 1: too long for the prompt")


def test_the_prompt_holds_the_task_once_and_is_not_led_astray_by_it() -> None:
    tricky = Task(id="t", question="{{answer}} {{categories}}", answer="s = '''\n```\n{{question}}\n```\n'''\n")
    prompt, left_out = prompt_for(tricky)
    assert left_out is None
    assert "{{answer}} {{categories}}" in prompt and f"````python\n{tricky.answer}````" in prompt
    assert all(category in prompt for category in CATEGORIES)
    shown = parse(prompt[prompt.index("```python off-by-one") :], "for i in range(len(xs) + 1):")
    assert shown.critique.comments[0].suggestion == "for i in range(len(xs)):", "the example is of the format"
    assert fenced("a\n") == "```\na\n```"
    assert fill("{{a}}{{b}}", {"a": "{{b}}", "b": "1"}) == "{{b}}1"


def test_an_answer_of_blanks_is_not_sent() -> None:
    with serving() as served:
        (sampled,) = critic_of(served).critique([Task(id="t", question="", answer=" \n")], seed=0)
    assert sampled.error is None and not sampled.critique.comments and served.requests == []


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("server:gpt", "server:gpt does not say which model is where: write server:MODEL@http://HOST:PORT/v1"),
        ("server:", "server: does not say which model"),
        ("srever:m@http://h/v1", "there is no critic"),
    ],
)
def test_a_malformed_name_is_one_sentence(name: str, sentence: str) -> None:
    with pytest.raises(MomusError, match=sentence):
        open_critic(name)


def test_settings_that_make_no_sense_are_refused() -> None:
    with pytest.raises(MomusError, match="takes no option 'explore': its options are timeout_s"):
        open_critic("server:m@http://127.0.0.1:1/v1", explore=True)
    with pytest.raises(MomusError, match="drafts, max_tokens and max_answer are 1 or more"):
        open_critic("server:m@http://127.0.0.1:1/v1+critique", drafts=0)
    with pytest.raises(MomusError, match="a timeout above 0"):
        open_critic("server:m@http://127.0.0.1:1/v1", timeout_s=0)


def test_a_served_model_that_samples_gives_critiques_by_seed_and_temperature() -> None:
    """The bundled model behind a server: real sampling, real log-probabilities, real limits."""
    with serving(critic=open_bundled(threshold=0.0, drafts=1, comments=1)) as served:
        critic = critic_of(served, "critic")
        first = list(critic.critique([TASK], n=2, seed=1))
        assert list(critic.critique([TASK], n=2, seed=1)) == first
        (cut,) = critic_of(served, "critic", max_tokens=2).critique([TASK], seed=1)
    assert all(sampled.error is None and len(sampled.critique) == 1 for sampled in first)
    assert all(sampled.logprob is not None and sampled.logprob < 0 for sampled in first)
    assert first[0].critique != first[1].critique
    assert cut.error is not None, "a reply cut inside its quote is no critique"
