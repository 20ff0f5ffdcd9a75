"""A verdict is said by the tests' process: honest answers are certified, and nothing the answer does can forge one."""

from __future__ import annotations

import math
import tomllib
from pathlib import Path

import pytest

from momus.records import Task
from momus.sandbox import Call, certify, certify_many, observe

NODE = (
    "class Node:\n    def __init__(self, value=0, next=None):\n        self.value = value\n        self.next = next\n"
)


def task(answer: str, tests: str, *, prelude: str = "", entry_point: str | None = None) -> Task:
    return Task(id="t", question="", answer=answer, tests=tests, prelude=prelude, entry_point=entry_point)


HONEST = {
    case["name"]: case for case in tomllib.loads(Path(__file__).with_name("honest.toml").read_text("utf-8"))["case"]
}


@pytest.mark.parametrize("name", HONEST)
def test_honest_answers_are_certified(name: str) -> None:
    case = HONEST[name]
    asked = task(case["answer"], case["tests"], prelude=NODE, entry_point=case.get("entry_point"))
    verdict = certify(asked, timeout_s=30)
    assert verdict.status == "passed" and verdict.calls > 0, verdict


WRONG = {
    "a wrong value": ("def f(x): return x", "assert f(1) == 2\n", "AssertionError"),
    "an exception": ("def f(x): return 1 / x", "assert f(0) == 2\n", "ZeroDivisionError"),
    "what does not parse": ("def f(x: return 1", "assert f(0) == 2\n", "does not parse"),
    "what is missing": ("def g(x): return 1", "assert f(0) == 2\n", "NameError"),
    "a list for a tuple": ("def f(x): return [x]", "assert f(1) == (1,)\n", "AssertionError"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_answers_fail(name: str) -> None:
    answer, tests, said = WRONG[name]
    verdict = certify(task(answer, tests), timeout_s=20)
    assert verdict.status in ("failed", "refused") and said in verdict.reason + verdict.stderr, verdict


def test_an_endless_answer_times_out() -> None:
    assert certify(task("def f():\n    while True: pass", "f()\n"), timeout_s=2).status == "timeout"


UNCERTAIN = {
    "its own objects are compared": (
        "class P:\n    def __init__(self, x): self.x = x\n    def __eq__(self, other): return self.x == other.x",
        "assert P(1) == P(1)\n",
    ),
    "nothing of it is used": ("def f(): return 1", "assert True\n"),
    "patched input": (
        "def f(): return input()",
        "from unittest import mock\nwith mock.patch('builtins.input', lambda: 'x'):\n    assert f() == 'x'\n",
    ),
}


@pytest.mark.parametrize("name", UNCERTAIN)
def test_what_can_only_pass_in_one_process_is_uncertain_and_never_failed(name: str) -> None:
    verdict = certify(task(*UNCERTAIN[name]), timeout_s=20)
    assert verdict.status == "uncertain" and verdict.reason, verdict


def test_a_task_without_tests_is_uncertain() -> None:
    assert certify(Task(id="t", question="", answer="x = 1")).status == "uncertain"


def test_many_verdicts_come_in_their_order() -> None:
    tasks = [(task(f"def f(): return {i}", "assert f() == 1\n"), None) for i in range(3)]
    found = [v.status for v in certify_many(tasks, confirm=False, timeout_s=20)]
    assert found == ["failed", "passed", "failed"]


def test_snippets_and_calls_are_observed_one_by_one() -> None:
    answer = (
        "def f(xs, k=0):\n    print('in f')\n    xs.append(k)\n    return {'n': xs, 'inf': float('inf')}\n"
        "def last(node):\n    node.value += 1\n    return node\n"
        "class S:\n    def pop(self): return [].pop()\n"
    )
    wanted = [Call("f", ([1],), {"k": 2}), "s = S()", "s.pop()", "s", "1 +", Call("last", ()), "last(Node(4)).value"]
    found = observe(answer, wanted, prelude=NODE, timeout_s=30)
    call = found[0]
    assert call.value == {"n": [1, 2], "inf": math.inf} and call.args == ([1, 2],) and call.kwargs == {"k": 2}
    assert call.printed == "in f\n" and call.is_plain and call.status == "returned"
    assert [f.status for f in found[1:]] == ["returned", "raised", "returned", "raised", "raised", "returned"]
    assert found[1].shown is None and found[2].error == "IndexError" and found[4].error == "SyntaxError"
    assert not found[3].is_plain and "S object" in str(found[3].shown)
    assert found[5].error == "TypeError" and found[6].value == 5


def test_the_snippet_that_never_ends_is_named_and_those_before_it_are_kept() -> None:
    found = observe("def f(x):\n    while x: pass\n    return 7", ["f(0)", "f(1)", "f(0)"], timeout_s=8)
    assert [f.status for f in found] == ["returned", "timeout", "timeout"] and found[0].value == 7


def test_what_a_caller_gets_is_only_ever_plain() -> None:
    answer = "class A:\n    def __eq__(self, other): return True\ndef f(): return A()\ndef g(): return {1: Node(3)}"
    odd, node = observe(answer, ["f()", "g()"], prelude=NODE, timeout_s=20)
    assert odd.value is None and not odd.is_plain
    assert vars(node.value[1]) == {"value": 3, "next": None}  # type: ignore[index]


CHEATS = {
    cheat["name"]: cheat for cheat in tomllib.loads(Path(__file__).with_name("cheats.toml").read_text("utf-8"))["cheat"]
}
EXPECTED = """
def check(f):
    assert f(1) == 2
    assert f([3, 1]) == [1, 3]
    assert f("a") == "b"
    return
check(f)
"""


@pytest.mark.parametrize("name", CHEATS)
def test_no_cheat_is_certified(name: str) -> None:
    cheat = CHEATS[name]
    asked = task(cheat["answer"], cheat.get("tests", EXPECTED), prelude=cheat.get("prelude", ""), entry_point="f")
    verdict = certify(asked, timeout_s=30 if cheat.get("forges") else 6)
    assert verdict.status != "passed", verdict
    if cheat.get("forges"):  # the control: as one process it is taken for right
        assert verdict.status == "uncertain", verdict


def test_the_tests_of_the_cheats_can_be_passed() -> None:
    right = "def f(x): return {1: 2, 'a': 'b'}[x] if not isinstance(x, list) else sorted(x)"
    assert certify(task(right, EXPECTED, entry_point="f"), timeout_s=20).status == "passed"
