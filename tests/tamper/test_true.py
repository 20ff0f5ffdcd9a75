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
        ("wrong-constant", "def f(x):\n    if 0 and x < 3:\n        return x\n"),
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


@pytest.mark.parametrize(
    ("name", "text"),
    [
        # Of texts, lists, dates and sets another operator is a TypeError, and no wrong value.
        ("wrong-arithmetic", "def f(form, x):\n    return form % x\n"),
        ("wrong-arithmetic", "def f(a, b):\n    return a + b\n"),
        ("wrong-augmented", "def f(a, bs):\n    for b in bs:\n        a += b\n    return a\n"),
        ("wrong-division", "def f(root, name):\n    return root / name\n"),
        ("wrong-division", "def f(n):\n    return int(n / 2)\n"),
        # Nothing shows that the object has the other method, or that it is like a dict.
        ("wrong-method", "def f(request):\n    return request.args.get('s')\n"),
        ("wrong-method", "def f(tree, x):\n    tree.add(x)\n"),
        ("wrong-method", "def f(s):\n    return s.split()\n"),
        ("wrong-method", "def f(a, bs):\n    parts = []\n    parts.append(g(a))\n    return ''.join(parts)\n"),
        ("wrong-method", "def f(a):\n    return PATTERN.match(a)\n"),
        ("drop-default", "def f(url):\n    return requests.get(url, {})\n"),
        ("drop-default", "def f(d, k):\n    if d.get(k, False):\n        g()\n"),
        ("off-by-one-index", "def f(d, ks):\n    for k in ks:\n        d = d[k]\n    return d\n"),
        # What is returned is for nobody.
        ("missing-return", "class C:\n    def __set__(self, a, value):\n        return self.put(a, value)\n"),
        ("missing-return", "def f() -> None:\n    return g()\n"),
        ("wrong-return", "class C:\n    @a.setter\n    def a(self, value):\n        return self.put(value)\n"),
        # Nothing else than what is expected can be raised there, or it is raised again.
        ("broaden-exception", "def f(d, k):\n    try:\n        return d[k]\n    except KeyError:\n        return 1\n"),
        ("broaden-exception", "def f():\n    try:\n        g()\n    except E:\n        h()\n        raise\n"),
        ("wrong-exception", "try:\n    f()\nexcept KeyError:\n    g()\nexcept Exception:\n    h()\n"),
        ("narrow-exception", "try:\n    f()\nexcept (json.JSONDecodeError, ValueError):\n    g()\n"),
        # Nothing shows that an attribute is read by anybody.
        ("drop-statement", "def __init__(self, a):\n    b = a\n    self.n = 0\n"),
        ("flip-boolean", "def __init__(self):\n    self.done = False\n"),
        # Of equal ones either will do; a number that was chosen might as well be another.
        ("boundary-comparison", "def f(a, best):\n    if a > best:\n        best = a\n    return best\n"),
        ("boundary-comparison", "def f(a):\n    return len(a) > 40\n"),
        ("boundary-comparison", "def f():\n    return sys.version_info >= (3, 12)\n"),
        ("wrong-constant", "def f():\n    return g(37)\n"),
        ("off-by-one-range", "def f():\n    for _ in range(3):\n        g()\n"),
        # Only the truth of it is asked for, or the order, or what is in it.
        ("drop-wrapper", "def f(xs):\n    if len(xs):\n        return xs\n"),
        ("drop-wrapper", "def f(xs, ys):\n    return xs.union(set(ys))\n"),
        ("drop-wrapper", "def f(xs):\n    return set(sorted(xs))\n"),
        ("drop-conversion", "def f(n):\n    print(str(n))\n"),
        # What is passed on may be altered later; what is set anew in each pass may be set twice.
        ("swap-statements", "def f(xs, rows):\n    xs.append(1)\n    rows.append(xs)\n"),
        ("reset-in-loop", "def f(xs):\n    n = 0\n    for x in xs:\n        n = g(x)\n        h(n)\n"),
        ("drop-accumulation", "def f(a):\n    n = 0\n    if a:\n        n += 1\n    return n\n"),
        ("drop-break", "def f(xs):\n    for x in xs:\n        if g(x):\n            found = True\n            break\n"),
        # A short cut, or cases that exclude each other.
        ("drop-guard", "def f(x):\n    if isinstance(x, C):\n        return x\n    return C(x)\n"),
        ("elif-to-if", "def f(x):\n    if x == 1:\n        a()\n    elif x == 2:\n        b()\n"),
        ("drop-condition-term", "def f(x):\n    if not (x.a and x.b):\n        g()\n"),
        ("swap-arguments", "def f(a, b):\n    return intersect_ranges(a, b)\n"),
        ("misspelt-name", "def f(inputs):\n    return inputs\n"),
    ],
)
def test_where_the_truth_cannot_be_told_nothing_is_said(name: str, text: str) -> None:
    made = mutations(text, name)
    if name == "misspelt-name":
        made = [mutation for mutation in made if "return input\n" in mutation.text]
    assert made == []


def test_what_is_said_of_a_condition_holds_in_front_of_an_error_too() -> None:
    guard = (
        "def f(a, b):\n    if g(a) and h(b):\n        raise ValueError(a)\n    if a < b:\n        raise ValueError(b)\n"
    )
    for name in ("drop-condition-term", "boundary-comparison", "swapped-and-or"):
        said = said_of(guard, name)
        assert said
        assert not any(word in sentence for sentence in said for word in ("lets through", "accepts", "turned away"))


def test_an_error_is_foretold_only_where_none_bears_what_is_done() -> None:
    plain = "def f(a):\n    if a is not None:\n        return a\n    return 1\n"
    used = "def f(a):\n    if a is not None:\n        return a.b\n    return 1\n"
    assert not any("Error" in sentence for sentence in said_of(plain, "inverted-none-check"))
    assert any("Error" in sentence for sentence in said_of(used, "inverted-none-check"))


def test_a_return_in_the_middle_is_not_said_to_give_none() -> None:
    text = "def f(a, b):\n    if a:\n        return b\n    return a or b\n"
    source = Source(text)
    for mutation in mutations(text, "missing-return"):
        if mutation.bug.spans[0].start < source.span(source.tree.body[0].body[1]).start:  # type: ignore[attr-defined]
            assert "None" not in mutation.bug.description and "falls off" not in mutation.bug.description
