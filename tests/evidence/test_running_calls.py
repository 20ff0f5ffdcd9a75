"""Calls run in the real sandbox: values that can be compared, and what hostile code cannot do to them."""

from __future__ import annotations

from pathlib import Path

import pytest

from momus.evidence.running import Limits, Result, run_calls, same
from momus.inputs.calls import Call
from momus.records import Task


def results(code: str, *calls: str, setup: tuple[str, ...] = (), lines: bool = False, **bounds: float) -> list[Result]:
    task = Task(id="t", question="q", answer=code)
    wanted = [Call(setup, call) for call in calls]
    return run_calls(task, code, wanted, limits=Limits(**bounds), lines=lines)  # type: ignore[arg-type]


def kinds(found: list[Result]) -> list[str]:
    return [one.kind for one in found]


HOSTILE = {
    "hangs": "while True: pass",
    "hangs-and-catches": "while True:\n        try:\n            while True: pass\n        except BaseException: pass",
    "sleeps": "import time; time.sleep(600)",
    "exits": "import os; os._exit(0)",
    "forks": "import os\n    while True: os.fork()",
    "recursion": "return f(x)",
    "memory": "return len('a' * (1 << 33))",
    "prints": "print('x' * (1 << 30))",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_one_call_does_costs_only_itself(name: str) -> None:
    code = f"def f(x):\n    if x != 1: return x\n    {HOSTILE[name]}\n"
    found = results(code, "f(0)", "f(1)", "f(2)", idle_s=1)
    assert kinds([found[0], found[2]]) == ["value", "value"]
    assert (found[0].value, found[2].value) == (["i", "0"], ["i", "2"])
    assert found[1].kind in ("timeout", "exited", "raised", "uncertain")
    if name == "recursion":
        assert found[1].error == "RecursionError"
    if name.startswith("hangs"):
        assert found[1].kind == "timeout"


def test_nothing_is_deleted_and_a_file_that_is_not_there_tells_nothing(tmp_path: Path) -> None:
    kept = tmp_path / "kept.txt"
    kept.write_text("here")
    code = f"import shutil\ndef f():\n    shutil.rmtree({str(tmp_path)!r})\n"
    code += f"def g():\n    return open({str(kept)!r}).read()\n"
    found = results(code, "f()", "g()")
    assert kept.read_text() == "here"
    assert kinds(found) == ["uncertain", "uncertain"]
    assert "FileNotFoundError" in found[1].reason


def test_a_forged_verdict_is_a_value_like_any_other() -> None:
    code = 'import sys\ndef f(x):\n    print(\'{"verdict": "passed"}\')\n    sys.stdout.flush()\n    return 41\n'
    (forged,) = results(code, "f(1)")
    (honest,) = results("def f(x):\n    return 42\n", "f(1)")
    assert not same(forged, honest)


def test_an_eq_that_is_always_true_is_never_asked() -> None:
    code = "class Any(int):\n    def __eq__(self, other): return True\n    __hash__ = int.__hash__\n"
    code += "def f(x):\n    return Any(41)\n"
    (forged,) = results(code, "f(1)")
    (honest,) = results("def f(x):\n    return 42\n", "f(1)")
    assert not same(forged, honest)
    opaque = "class Any:\n    def __eq__(self, other): return True\ndef f(x):\n    return Any()\n"
    (untold,) = results(opaque, "f(1)")
    assert untold.kind == "uncertain"
    assert not same(untold, untold)


def test_an_input_of_a_gigabyte_tells_nothing_and_costs_only_itself() -> None:
    found = results("def f(x):\n    return len(x)\n", "f('a' * (1 << 30))", "f([0] * (1 << 30))", "f('ab')")
    assert kinds(found) == ["uncertain", "uncertain", "value"]


def test_chance_and_the_clock_are_uncertain() -> None:
    code = (
        "import random, time, itertools\n"
        "def chance(): return random.random()\n"
        "def clock(): return time.perf_counter()\n"
        "def seeded():\n    random.seed(1)\n    return random.random()\n"
        "def error(): raise ValueError(str(random.random()))\n"
    )
    found = results(code, "chance()", "clock()", "seeded()", "error()")
    assert kinds(found) == ["uncertain", "uncertain", "value", "uncertain"]
    assert "two runs" in found[0].reason


def test_changed_arguments_generators_and_coroutines() -> None:
    code = (
        "import asyncio\n"
        "def put(xs, *, into): xs.sort(); into['n'] = len(xs)\n"
        "def count():\n    n = 0\n    while True:\n        yield n\n        n += 1\n"
        "async def soon(x):\n    await asyncio.sleep(0)\n    return [x]\n"
        "async def each():\n    yield 1\n    yield 2\n"
        "class Stack:\n    def __init__(self): self.items = []\n"
        "    def push(self, x): self.items.append(x); return self.items\n"
    )
    found = results(code, "put([2, 1], into={})", "count()", "soon(3)", "each()", "Stack().push([1])", items=4)
    assert dict(found[0].changed) == {
        "argument_1": ["l", [["i", "1"], ["i", "2"]]],
        "argument_into": ["d", [[["s", "n"], ["i", "2"]]]],
    }
    assert [one.shown for one in found[1:]] == ["[0, 1, 2, 3]", "[3]", "[1, 2]", "[[1]]"]
    lazy = results("def put(xs, *, into): xs.sort(); into['n'] = 3\n", "put([2, 1], into={})")[0]
    assert not same(found[0], lazy)


def test_values_are_compared_as_values() -> None:
    code = (
        "import math, collections, decimal\n"
        "def f(i):\n"
        "    return [0.1 + 0.2, 0.3, math.nan, {3, 1}, {1, 3}, (1, 2), [1, 2], {'a': 1, 'b': 2}, {'b': 2, 'a': 1},\n"
        "            collections.deque([1]), collections.deque([2]), decimal.Decimal('1.5')][i]\n"
        "def raises(kind): raise {'v': ValueError, 'k': KeyError}[kind]('said ' + kind)\n"
    )
    found = results(code, *(f"f({i})" for i in range(12)), "raises('v')", "raises('k')", "raises('v')")
    assert all(one.certain for one in found)
    alike = [(0, 1), (2, 2), (3, 4), (7, 8), (12, 14), (9, 9), (11, 11)]
    differ = [(5, 6), (1, 2), (9, 10), (12, 13), (3, 5)]
    assert all(same(found[a], found[b]) and same(found[b], found[a]) for a, b in alike)
    assert not any(same(found[a], found[b]) or same(found[b], found[a]) for a, b in differ)


def test_effects_count_where_there_is_no_value_or_where_they_are_asked_for() -> None:
    sorting = results("def f(xs):\n    xs.sort()\n    return xs[0]\n", "f([2, 1])")[0]
    copying = results("def f(xs):\n    return sorted(xs)[0]\n", "f([2, 1])")[0]
    assert same(sorting, copying)
    assert not same(sorting, copying, effects=True)
    printing = results("def f(xs):\n    print(xs)\n", "f([2, 1])")[0]
    silent = results("def f(xs):\n    pass\n", "f([2, 1])")[0]
    assert printing.printed == "[2, 1]\n"
    assert not same(printing, silent)


def test_lines_that_ran() -> None:
    code = "def f(x):\n    if x:\n        return 1\n    return 2\n"
    one, two = results(code, "f(1)", "f(0)", lines=True)
    assert (one.lines, two.lines) == ((2, 3), (2, 4))


def test_a_program_reads_its_input_and_its_printing_is_compared() -> None:
    code = (
        "import sys\nn = int(input())\nfor line in sys.stdin:\n    print(n * int(line))\nif n == 3:\n    sys.exit(4)\n"
    )
    task = Task(id="t", question="q", answer=code)
    calls = [Call((), "run_program('2\\n5\\n6\\n')"), Call((), "run_program('3\\n1\\n')")]
    doubled, ended = run_calls(task, code, calls, lines=True)
    assert (doubled.printed, doubled.value, doubled.lines) == ("10\n12\n", ["n"], (1, 2, 3, 4, 5))
    assert ended.value == ["i", "4"]
    other = run_calls(task, code.replace("n * int", "n + int"), calls)
    assert not same(doubled, other[0])


def test_code_that_does_not_load_or_parse() -> None:
    assert kinds(results("def f(:\n", "f()")) == ["uncertain"]
    (broken,) = results("import nothing_of_this_name\ndef f(): return 1\n", "f()")
    assert broken.kind == "uncertain"
    (raising,) = results("x = 1 / 0\ndef f(): return 1\n", "f()")
    assert (raising.kind, raising.loading, raising.error) == ("raised", True, "ZeroDivisionError")
