"""Tampers that tell the truth: what is no bug is none, what is quoted is there, what is claimed follows."""

from __future__ import annotations

import random

import pytest
from test_operators_examples import mutations

from momus.records import Task
from momus.tamper import tampers
from momus.tamper.compiled import byte_code
from momus.tamper.operators import OPERATORS, Source
from momus.tamper.quoting import brief, quotes_what_is_there


def said_of(text: str, name: str) -> set[str]:
    """All that an operator is heard to say of a text."""
    return {mutation.bug.description for seed in range(40) for mutation in mutations(text, name, seeds=seed + 1)}


STUBS = (
    "@overload\ndef f(a: int, b: bool = True, c: int = 36) -> str: ...\n",
    "import typing\n@typing.overload\ndef f(a, b=True, c=36):\n    return a if b else c\n",
    'class P(Protocol):\n    def f(self, b=True, c=36):\n        """What it does."""\n        ...\n',
    "async def f(a, b=True, c=36):\n    pass\n",
    "def f(a, b=True, c=36):\n    raise NotImplementedError(a)\n",
    "if TYPE_CHECKING:\n    x = 36 if y else True\n",
)


@pytest.mark.parametrize("text", STUBS)
def test_nothing_is_put_where_no_run_can_tell(text: str) -> None:
    task = Task(id="t", question="", answer=text)
    assert list(tampers(task, rng=random.Random(0), count=8)) == []
    ran = f"{text}\n\ndef g(a):\n    return a[0] + 1\n"
    made = list(tampers(task.model_copy(update={"answer": ran}), rng=random.Random(0), count=6))
    assert made and all(t.task.answer.startswith(text) for t in made)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("break-continue", "def f(xs):\n    for x in xs:\n        g(x)\n        if 0:\n            break\n"),
        ("wrong-constant", "def f(x):\n    if 0 and 3:\n        return x\n"),
        ("drop-normalisation", "def f(a):\n    return a\n    b = a.lower()\n"),
    ],
)
def test_what_is_compiled_to_the_same_is_no_tamper(name: str, text: str) -> None:
    source, rng = Source(text), random.Random(0)
    assert list(OPERATORS[name].sites(source, rng)), "the operator does not look here at all"
    for mutation in mutations(text, name):
        assert byte_code(mutation.text) != byte_code(text)


def test_the_same_instructions_are_known_wherever_they_stand() -> None:
    assert byte_code("x = 2 * 30\n") == byte_code("\n\nx = (60)  # s\n")
    assert byte_code("def f():\n    return 1\n    g()\n") == byte_code("def f():\n    return 1\n    pass\n")
    assert byte_code("x = 1\n") != byte_code("x = 1.0\n") != byte_code("x = True\n")
    assert byte_code("def f(a, b): g(a)\n") != byte_code("def f(b, a): g(a)\n")
    assert byte_code("try: f()\nexcept A: pass\n") != byte_code("try: f()\nexcept B: pass\n")
    assert byte_code("return 1\n") is None


def test_a_quote_is_of_one_of_the_texts_or_of_python() -> None:
    text, twin = "if a:  # why\n    raise E(f'{b}')\n", "x = (a - 1) * (b - 2)\n"
    for true in ("`if a: raise E(...)`", "`(a - 1) * (b - 2)`", "`not in` and `len`", "`x = ... * (b - 2)`", "plain"):
        assert quotes_what_is_there(true, text, twin), true
    for false in ("`1 // (a - 1) * b`", "`if a: raise `E``", "`the input`", "`a", "``", "`(b - 2) ... x`", "`if a: x`"):
        assert not quotes_what_is_there(false, text, twin), false


def test_what_is_shortened_is_cut_where_it_can_be_shown() -> None:
    assert brief("raise ValueError(f'no rows: {rows!r} was given instead of a list')") == "raise ValueError(...)"
    assert brief("f(\n    a,  # first\n    b,\n)") == "f(...)"
    assert brief("a + (\n    b  # why\n)") == "a + (b ..." or "#" not in brief("a + (\n    b  # why\n)")
    assert "`" not in brief("run(`x`)") and "'" not in brief("say + ` + x")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        # Without these copies follows a TypeError, or nothing that anybody could notice.
        (
            "drop-copy",
            "def f(graph):\n    nodes = set(graph)\n    nodes -= {1}\n    return nodes\n",
        ),
        ("drop-copy", "def f(xs):\n    ys = list(xs)\n    ys.sort()\n    return ys\n"),
        ("drop-copy", "def f(xs):\n    ys = xs[:]\n    return ys[0]\n"),
        ("drop-copy", "def f(xs):\n    for x in xs[:]:\n        g(x)\n"),
        ("wrong-precedence", "def f(a, b, c):\n    return a + (b - c) + a * (b / c)\n"),
        ("reset-in-loop", "def f(xs):\n    n = g()\n    for x in xs:\n        h(x, n)\n"),
        ("wrong-method", "def f(self, x):\n    return self.match(x)\n"),
        ("mutable-default", "def f(env=None):\n    env = env or {}\n    env['a'] = 1\n    return env\n"),
        ("mutable-default", "def f(env=None):\n    if not env:\n        env = {}\n    env['a'] = 1\n    return env\n"),
        ("mutable-default", "def f(xs=None):\n    if xs is None:\n        xs = []\n    return len(xs)\n"),
    ],
)
def test_what_does_no_harm_is_not_called_harmful(name: str, text: str) -> None:
    assert mutations(text, name) == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("drop-copy", "def f(xs: list[int]):\n    ys = list(xs)\n    ys.sort()\n    return ys\n"),
        ("drop-copy", "def f(rows):\n    rows.append(1)\n    for r in list(rows):\n        rows.remove(r)\n"),
        ("drop-copy", "class C:\n    def get(self):\n        self.a.sort()\n        return list(self.a)\n"),
        ("drop-copy", "class C:\n    def __init__(self, a):\n        self.a = a.copy()\n"),
        (
            "mutable-default",
            "def f(xs=None):\n    if xs is None:\n        xs = []\n    xs.append(1)\n",
        ),
        ("mutable-default", "class C:\n    def __init__(self, a=None):\n        self.a = [] if a is None else a\n"),
    ],
)
def test_what_does_harm_is_still_found(name: str, text: str) -> None:
    assert mutations(text, name)


def test_parentheses_stay_where_they_stood() -> None:
    text = "def f(n, total):\n    return total * (1 / ((n - 1) * (n - 2)))\n"
    assert any("`1 // ((n - 1) * (n - 2))`" in sentence for sentence in said_of(text, "wrong-division"))
    source = Source("x = f((a)) + ((b) * c) - g(d)(e)\n")
    assert sorted(source.grouped(n).of(source.text) for n in source.targets(type(source.tree.body[0].targets[0]))) == [  # type: ignore[attr-defined]
        *("(a)", "(b)", "c", "d", "e", "f", "g", "x"),
    ]


def test_a_loop_without_a_name_is_not_given_one() -> None:
    text = "def f(step):\n    n = 0\n    while step is not None:\n        step = step.above\n    return n\n"
    said = said_of(text, "early-return")
    assert said and not any("`the input`" in sentence or "`item`" in sentence for sentence in said)
