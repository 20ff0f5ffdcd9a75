"""Calls made for a task: from its examples, mutations of them, type hints, names and defaults; seeded, each once."""

from __future__ import annotations

import ast

import pytest

from momus.inputs.calls import Call, calls_for, mutations_of
from momus.inputs.programs import reads_input
from momus.records import Surroundings, Task


def made(answer: str, question: str = "q", *, budget: int = 50, **fields: object) -> list[Call]:
    return calls_for(Task(id="t", question=question, answer=answer, **fields), budget=budget)  # type: ignore[arg-type]


def arguments(calls: list[Call]) -> list[list[object]]:
    found = []
    for call in calls:
        tree = ast.parse(call.code, mode="eval").body
        assert isinstance(tree, ast.Call)
        found.append([ast.literal_eval(one) for one in tree.args])
    return found


def test_examples_come_first_and_the_rest_are_like_them() -> None:
    question = "Return the longest run.\n>>> f([1, 1, 2], 3)\n2\n>>> f([], 0)\n0\n"
    calls = made("def f(xs, n):\n    return 0\n", question)
    assert [call.code for call in calls[:2]] == ["f([1, 1, 2], 3)", "f([], 0)"]
    assert {call.origin for call in calls[2:]} == {"mutation", "strategy"}
    assert len(calls) == len({call.code for call in calls}) == 50
    given = arguments(calls)
    assert all(isinstance(xs, list) and type(n) is int for xs, n in given)
    kept = sum(len(xs) == n for xs, n in given if call_has_items(xs))  # type: ignore[arg-type]
    assert kept > len(given) / 4  # the second is the length of the first


def call_has_items(xs: object) -> bool:
    return isinstance(xs, list) and bool(xs)


def test_the_same_seed_gives_the_same_calls_and_another_one_others() -> None:
    task = Task(id="t", question="q", answer="def f(xs: list[int], k: int = 2):\n    return xs\n")
    assert calls_for(task, seed=3) == calls_for(task, seed=3) != calls_for(task, seed=4)


def test_hints_defaults_and_names_without_an_example() -> None:
    code = (
        "from typing import Optional\n"
        "def f(words: list[str], pairs: dict[str, tuple[int, float]], *, limit: Optional[int] = None, sep=','):\n"
        "    return words\n"
    )
    calls = made(code)
    assert len(calls) > 20
    tree = [ast.parse(call.code, mode="eval").body for call in calls]
    for node in tree:
        assert isinstance(node, ast.Call)
        words, pairs = (ast.literal_eval(one) for one in node.args)
        assert all(isinstance(word, str) for word in words)
        assert all(isinstance(n, int) and isinstance(x, float) for n, x in pairs.values())
    given = {keyword.arg for node in tree if isinstance(node, ast.Call) for keyword in node.keywords}
    assert given == {"limit", "sep"}
    unhinted = arguments(made("def g(text, nums):\n    return text.split() + [n for n in nums]\n"))
    assert all(isinstance(text, str) and isinstance(nums, list) for text, nums in unhinted)


def test_nothing_is_made_up_for_what_is_not_known() -> None:
    assert made("def f(session: Session) -> None:\n    pass\n") == []
    assert made("def f(:\n") == []
    assert made("x = 1\n") == []


def test_methods_of_a_class_that_can_be_constructed() -> None:
    code = (
        "class Account:\n"
        "    def __init__(self, owner: str, balance: int = 0):\n        self.balance = balance\n"
        "    def pay(self, amount: int) -> int:\n        self.balance -= amount\n        return self.balance\n"
        "    def _hidden(self): pass\n"
        "    @staticmethod\n    def fee(amount: float) -> float: return amount\n"
    )
    calls = made(code)
    assert {call.code.partition("(")[0] for call in calls} == {"_object.pay", "Account.fee"}
    assert all(call.setup[0].startswith("_object = Account('") for call in calls if call.code.startswith("_object"))
    solution = made("class Solution:\n    def twice(self, n: int) -> int:\n        return 2 * n\n")
    assert all(call.code.startswith("Solution().twice(") for call in solution)


def test_boundaries_are_met() -> None:
    question = "True where all are below t.\n>>> f([1, 2, 4, 10], 100)\nTrue\n"
    calls = made("def f(l: list, t: int):\n    return True\n", question)
    assert any(t in xs for xs, t in arguments(calls) if isinstance(xs, list))


def test_the_question_s_words_bound_the_numbers() -> None:
    question = "Given a positive integer n, count. \n>>> f(3)\n2\n"
    assert all(n >= 1 for (n,) in arguments(made("def f(n):\n    return n\n", question)))  # type: ignore[operator]
    signed = "Given an integer n, count. \n>>> f(-3)\n2\n"
    assert any(n < 0 for (n,) in arguments(made("def f(n):\n    return n\n", signed)))  # type: ignore[operator]


def test_calls_of_a_model_are_taken_where_they_are_calls_with_literals() -> None:
    task = Task(id="t", question="q", answer="def f(x: int):\n    return x\n")
    said = [
        "f(12345)",
        "f(open('x'))",
        "f(y)",
        "__import__('os').system('x')",
        "print(1)",
        "f(",
        "f([0] * 3)",
        "f(().__class__)",
    ]
    found = [call.code for call in calls_for(task, proposed=said) if call.origin == "model"]
    assert found == ["f(12345)", "f([0] * 3)"]  # it is made from where results are compared: it may open nothing there


def test_a_unit_of_a_file_is_what_is_called() -> None:
    code = "def a(x: int): return x\n\ndef b(x: str):\n    return x\n"
    task = Task(
        id="t",
        question="q",
        answer="def b(x: str):\n    return x\n",
        surroundings=Surroundings(code=code, lines=(3, 4)),
    )
    calls = calls_for(task)
    assert calls and all(call.code.startswith("b('") or call.code.startswith('b("') for call in calls)


def test_programs_on_standard_input() -> None:
    code = "n = int(input())\nprint(sum(map(int, input().split())))\n"
    question = "Sum the numbers.\n\nInput:\n```\n3\n1 2 3\n```\n\nOutput:\n```\n6\n```\n"
    assert reads_input(code)
    assert not reads_input("def f():\n    return input()\n")
    calls = made(code, question)
    assert calls[0] == Call((), "run_program('3\\n1 2 3\\n')", "example")
    assert len(calls) == 50 and all(call.origin == "mutation" for call in calls[1:])


@pytest.mark.parametrize("count", [1, 10])
def test_mutations_go_on_from_given_calls(count: int) -> None:
    task = Task(id="t", question="q", answer="def f(xs):\n    return xs\n")
    base = Call((), "f([3, 1, 2])")
    found = mutations_of(task, [base], count=count, seed=0)
    assert len(found) == count
    assert base.code not in {call.code for call in found} and {call.origin for call in found} == {"branch"}
