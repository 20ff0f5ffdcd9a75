"""The words of a comment, made of what a fix changes; which fixes are none."""

import ast
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from momus.critics.local.checks import meaning, parsed, refuted
from momus.critics.local.fix import Fix, replacement
from momus.critics.local.words import words
from momus.critique import TextMap
from momus.match import apply_suggestion

FUNCTION = """\
def f(xs, n, flag):
    total = 0
    for i in range(n):
        if xs[i] > 0 and flag:
            total += xs[i]
    return total
"""


@pytest.mark.parametrize(
    ("was", "now", "category", "says"),
    [
        ("xs[i] > 0", "xs[i] >= 0", "wrong-comparison", "false when `xs[i]` equals `0`"),
        (
            "xs[i] > 0",
            "xs[i] < 0",
            "wrong-comparison",
            "`xs[i] > 0` is true where `xs[i]` is above `0`, and should be true where it is below that",
        ),
        ("and flag", "and not flag", "inverted-condition", "`flag` is true just where it should be false"),
        ("and flag", "or flag", "wrong-condition", "one of them is enough"),
        (
            "range(n)",
            "range(n + 1)",
            "off-by-one",
            "`range(n)` leaves out `n`, the last value that is needed: it should be `range(n + 1)`",
        ),
        ("range(n)", "range(n - 1)", "off-by-one", "`range(n)` goes on to `n - 1`, one value too many"),
        (
            "total += xs[i]",
            "total -= xs[i]",
            "wrong-operator",
            "adds, and should subtract: it should be `total -= xs[i]`",
        ),
        ("total += xs[i]", "total += xs[n]", "wrong-variable", "The index of `xs[i]` is wrong: it should be `xs[n]`"),
        ("total += xs[i]", "total += xs[i + 1]", "off-by-one", "The index of `xs[i]` is one too low"),
        ("return total", "return n", "wrong-variable", "`total` is used where `n` is meant"),
        ("return total", "return total / n", "wrong-return", "It returns `total` where `total / n` is to be returned"),
        ("total = 0", "total = 1", "wrong-initialisation", "`total` begins with `0`, and should begin with `1`"),
        (
            "        if xs[i] > 0 and flag:\n            total",
            "        total",
            "wrong-condition",
            "and should be done in any case",
        ),
        ("    total = 0\n", "    total = 0\n    if n > len(xs):\n        return 0\n", "missing-check", "`n > len(xs)`"),
        ("    return total\n", "", "early-exit", "should not be here"),
        ("    return total\n", "        return total\n", "wrong-order", "not indented far enough"),
        ("xs[i] > 0", "ys[i] > 0", "wrong-variable", "`xs` is used in `xs[i]` where `ys` is meant"),
    ],
)
def test_says_what_a_fix_changes(was: str, now: str, category: str, says: str) -> None:
    assert was in FUNCTION
    said = words(FUNCTION, FUNCTION.replace(was, now))
    assert said is not None
    assert (said.category, says in said.text) == (category, True), said


def test_says_that_a_name_is_defined_nowhere() -> None:
    said = words("def f(xs):\n    return len(xz)\n", "def f(xs):\n    return len(xs)\n")
    assert said is not None and said.category == "undefined-name" and said.severity == "high"
    assert "NameError" in said.text and "`xs` is meant" in said.text


@pytest.mark.parametrize(
    ("was", "now", "says"),
    [
        (
            "f(x_, 1)",
            "f(a.right, 1)",
            "`x_` is not defined anywhere, so that this raises NameError: `a.right` is meant.",
        ),
        ("b = b", "a.b = b", "`b = b` keeps nothing: it should be `a.b = b`."),
        (
            "for i in a:\n        'if i == b:'\n        break",
            "for i in a:\n        if i == b:\n            break",
            "`'if i == b:'` should be `if i == b:`. `break` belongs inside of `if i == b`.",
        ),
    ],
)
def test_says_what_is_meant_and_where_it_belongs(was: str, now: str, says: str) -> None:
    before, after = (f"def f(a, b):\n    {code}\n    return b\n" for code in (was, now))
    found = words(before, after)
    assert found is not None and found.text == says


@pytest.mark.parametrize(
    ("was", "now", "says"),
    [
        ("return set(a)", "return set(a.lower())", "which is wrong where it has a capital letter"),
        ("return a - b", "return abs(a - b)", "which is wrong where it is negative"),
        ("return sorted(a)", "return sorted(set(a))", "which is wrong where it holds a value more than once"),
        ("return a - b", "return a + b", "`a - b` subtracts, and should add: `a + b`"),
        ("return a - b", "return b - a", "The two sides of `a - b` are swapped"),
        ("return sum(a) / b", "return sum(a) / len(a)", "It divides by `b`, and should divide by `len(a)`."),
        ("return ' '.join(a)", "return ''.join(a)", "`' '` is put between the parts, and it should be `''`."),
        ("return {'x': 3}", "return {'x': 4}", "The value of `'x'` is `3`, and should be `4`."),
        ("return a + 1", "return a", "`a + 1` adds to `a`, which should stay as it is."),
        ("return len(a) + 1", "return len(a)", "`len(a) + 1` is one too high"),
        ("return sorted(a)", "return sorted(a, reverse=True)", "puts the smallest first, and the largest should come"),
        ("return a.endswith(b)", "return a.startswith(b)", "looks at the end, and `a.startswith`, which looks at the"),
        ("return max(a)", "return min(a)", "`max` gives the largest, and `min`, which gives the smallest, is meant"),
        ("return a in b", "return b in a", "It looks for `a` in `b`, and should look for `b` in `a`."),
        ("return [x for x in a]", "return [x for x in a if x]", "only those should be for which `x`"),
        (
            "return list(range(0, a))",
            "return list(range(2, b))",
            "begins with `0` and stops before `a`, and should begin",
        ),
        ("a.c = a", "a.c = b", "`a` is used where `b` is meant; as it stands, `b` is never used"),
        ("p = 0\n    p *= a\n    return p", "p = 1\n    p *= a\n    return p", "stays so whatever it is multiplied by"),
    ],
)
def test_says_where_it_shows_and_what_it_does_instead(was: str, now: str, says: str) -> None:
    before, after = (f"def f(a, b):\n    {code}\n" for code in (was, now))
    found = words(before, after)
    assert found is not None and says in found.text, found


@pytest.mark.parametrize(
    ("code", "was", "now"),
    [
        ("def f(a, max):\n    return {}\n", "max(a)", "min(a)"),  # not the one that Python has
        ("def abs(a):\n    return 1\ndef f(a):\n    return {}\n", "a", "abs(a)"),
        ("def f(a):\n    return {}\n", "'%s' % a", "'%s' + a"),  # no remainder
        ("def f(a, b):\n    b = {}\n    return a + b\n", "a", "b"),  # b is used
    ],
)
def test_claims_nothing_of_what_it_does_not_know(code: str, was: str, now: str) -> None:
    found = words(code.format(was), code.format(now))
    assert found is not None
    assert not re.search("largest|negative|remainder|never used", found.text), found


def test_calls_no_name_undefined_that_the_fix_keeps() -> None:
    said = words(
        "def f(xs):\n    return order(xs, key=by)\n", "def f(xs):\n    return order(xs, key=by, reverse=True)\n"
    )
    assert said is not None and said.category == "wrong-argument" and "lacks an argument" in said.text


def test_other_arguments_are_not_called_missing_ones() -> None:
    said = words(
        "def f(xs, m, x):\n    m = max(xs)\n    return m\n", "def f(xs, m, x):\n    m = max(m, x)\n    return m\n"
    )
    assert said is not None and said.text == "The arguments are wrong: `max(xs)` should be `max(m, x)`."


def test_says_that_a_return_in_a_loop_belongs_behind_it() -> None:
    said = words(
        "def f(xs):\n    t = 0\n    for x in xs:\n        t += x\n        return t\n",
        "def f(xs):\n    t = 0\n    for x in xs:\n        t += x\n    return t\n",
    )
    assert said is not None and said.category == "early-exit" and "inside the loop" in said.text


def test_says_nothing_of_what_does_not_differ() -> None:
    assert words(FUNCTION, FUNCTION) is None


_STATEMENTS = (
    "    a = b + 1",
    "    if a > b:\n        return a",
    "    b = a[1:]",
    "    for i in range(a):\n        b += i",
    "    return not a",
    "    a = max(a, b)",
    "    while a < b:\n        a += 1",
    "    b = f(a, b, key=a)",
)
_LINES = st.lists(st.sampled_from(_STATEMENTS), min_size=1, max_size=6)


def _function(lines: list[str]) -> str:
    return "def f(a, b):\n" + "\n".join(lines) + "\n"


@settings(max_examples=200, deadline=None)
@given(_LINES, _LINES)
def test_code_in_the_words_is_an_excerpt_and_no_side_repeats_the_other(before: list[str], after: list[str]) -> None:
    old, new = _function(before), _function(after)
    said = words(old, new)
    if said is None:
        assert ast.dump(ast.parse(old)) == ast.dump(ast.parse(new))
        return
    assert said.text and "\n" not in said.text
    for quoted in re.findall("`([^`]*)`", said.text):
        assert quoted in old or quoted in new or quoted in ("and", "or"), said
    for left, right in re.findall("`([^`]*)` should be `([^`]*)`", said.text):
        assert left != right, said


@settings(max_examples=200, deadline=None)
@given(_LINES, _LINES)
def test_a_suggestion_in_the_place_of_its_highlight_is_the_fix(before: list[str], after: list[str]) -> None:
    old, new = _function(before).split("\n"), _function(after).split("\n")
    head = next((i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
    room = min(len(old), len(new)) - head
    tail = next((i for i, (a, b) in enumerate(zip(old[::-1], new[::-1], strict=False)) if a != b or i == room), room)
    answer, code = "\n".join(old), "\n".join(new)
    fix = Fix(code, head + 1, len(old) - tail, tuple(new[head : len(new) - tail]), head + 1, 0.0)
    found = replacement(fix, TextMap(answer))
    if found is None:
        assert answer == code
        return
    highlight, suggestion = found
    assert highlight.of(answer).strip()
    assert ast.dump(ast.parse(apply_suggestion(answer, highlight, suggestion))) == ast.dump(ast.parse(code))


SAME = [
    (
        "def f(a):\n    if a:\n        return 1\n    else:\n        return 2",
        "def f(a):\n    if a:\n        return 1\n    return 2",
    ),
    (
        "def f(n):\n    s = 0\n    for i in range(0, n):\n        s += i",
        "def f(n):\n    t = 0\n    for j in range(n):\n        t = t + j",
    ),
    ("def f(a: int) -> int:\n    '''Doc.'''\n    return a", "def f(a):\n    return a"),
    ("x > 1", "1 < x"),
    ("not a == b", "a != b"),
    ("raise ValueError('no rows')", "raise ValueError('there are no rows')"),
    ("if len(xs) == 0: f()", "if not xs: f()"),
    ("pow(a, 2)", "a ** 2"),
    ("import os\nx = 1", "x = 1"),
    ("assert x\nx = 1", "x = 1"),
    ("a[i - 1] != a[i]", "a[i] != a[i - 1]"),
    ("while x < n + 1: f()", "while x <= n: f()"),
    ("def f(a):\n    b = g(a)\n    return b", "def f(a):\n    return g(a)"),
    ("a == 'x' or a == 'y'", "a in ('x', 'y')"),
    ("a == 'x' or a == 'y'", "a in ['y', 'x']"),
    ("x * x * x", "x ** 3"),
    ("if any(a != b for a in xs): f()", "if not all(a == b for a in xs): f()"),
    ("for a in xs:\n    if a: f()\n    else: None", "for a in xs:\n    if a: f()\n    else: continue"),
    ("while f():\n    g()\n    continue", "while f():\n    g()"),
    ("if n % 2 != 0: f()", "if n % 2: f()"),
    ("[a for a in xs if not a % 2]", "[a for a in xs if a % 2 == 0]"),
    ("list(filter(lambda a: a % 2, xs))", "list(filter(lambda a: a % 2 != 0, xs))"),
    ("super(A, self).f(1)", "super().f(1)"),
    ("def f(a, *, b=...): ...", "def f(a, *, b=None): ..."),
    ("x = a + 0", "x = a"),
    ("x = 1 * a", "x = a"),
    ("x += 0\nf(x)", "f(x)"),
    ("x = a + -b", "x = a - b"),
    ("x[i] -= a", "x[i] += -a"),
    ("sum(range(1, n + 1))", "sum(range(n + 1))"),
    ("x = a if not c else b", "x = b if c else a"),
    ("x = True if a > b else False", "x = a > b"),
    ("x[len(x) - 1]", "x[-1]"),
    ("x[0:n]", "x[:n]"),
    ("x[n:len(x)]", "x[n:]"),
    ("if a in b.keys(): f()", "if a in b: f()"),
    ("sum([a for a in xs])", "sum(a for a in xs)"),
    ("', '.join([a for a in xs])", "', '.join(a for a in xs)"),
]
OTHER = [
    ("def f(a, b):\n    x = a\n    y = b\n    return x", "def f(a, b):\n    x = a\n    y = b\n    return y"),
    ("return_ = a - b", "return_ = b - a"),
    ("x >= 1", "x > 1"),
    ("log(a)", "log(b)"),
    ("x = 'a'", "x = 'b'"),
    ("if x is not None and x.y: f()", "if x.y and x is not None: f()"),
    ("range(1, n)", "range(n)"),
    ("a == 1 or b == 2", "a in (1, 2)"),
    ("x * x * y", "x ** 3"),
    ("x = n % 2 != 0", "x = n % 2"),
    ("for a in xs:\n    if a: continue\n    f()", "for a in xs:\n    if a: f()\n    f()"),
    ("def f(a=1): return a", "def f(a=None): return a"),
    ("list(map(lambda a: a % 2, xs))", "list(map(lambda a: a % 2 != 0, xs))"),
    ("x = a + 1", "x = a"),
    ("x = 0 - a", "x = a"),
    ("x = 0 * a", "x = a"),
    ("x = a / 1", "x = a"),  # no whole number any more
    ("x += 1\nf(x)", "f(x)"),
    ("x = a - -b", "x = a - b"),
    ("x[i] -= a", "x[i] += a"),
    ("sum(range(2, n + 1))", "sum(range(n + 1))"),
    ("sum(range(1, n + 1, 2))", "sum(range(0, n + 1, 2))"),
    ("sum(range(1, n), 1)", "sum(range(n))"),
    ("max(range(1, n))", "max(range(n))"),
    ("for i in range(1, n): f(i)", "for i in range(n): f(i)"),
    ("x = a if c else b", "x = b if c else a"),
    ("x = True if a else False", "x = a"),  # a may be a list
    ("x[len(y) - 1]", "x[-1]"),
    ("x[len(x) - 2]", "x[-1]"),
    ("x[1:n]", "x[:n]"),
    ("x[0::-1]", "x[::-1]"),
    ("x[n:len(y)]", "x[n:]"),
    ("if a in b.values(): f()", "if a in b: f()"),
    ("f([a for a in xs])", "f(a for a in xs)"),
    ("x = [a for a in xs]", "x = (a for a in xs)"),
]


@pytest.mark.parametrize(("one", "two"), SAME)
def test_what_a_run_cannot_tell_is_no_fix(one: str, two: str) -> None:
    first, second = parsed(one), parsed(two)
    assert first is not None and second is not None and meaning(first) == meaning(second)


@pytest.mark.parametrize(("one", "two"), OTHER)
def test_what_means_something_else_is_told_apart(one: str, two: str) -> None:
    first, second = parsed(one), parsed(two)
    assert first is not None and second is not None and meaning(first) != meaning(second)


@pytest.mark.parametrize(
    "code", ["return 1", "class A:\n    x: int\n    return x", "break", "def f(:\n    pass", "await f()"]
)
def test_what_is_no_python_in_its_place_does_not_parse(code: str) -> None:
    assert parsed(code) is None


@pytest.mark.parametrize(
    ("fixed", "is_refuted"),
    [
        ("def f(a, b):\n    return a - b", False),
        ("def f(a, b):\n    return a - c", True),  # nothing binds c
        ("def f(a, c):\n    return a - c", True),  # callers name b
        ("def g(a, b):\n    return a - b", True),
        ("def f(a, b):\n    c = b\n    return a - c", False),
        ("def f(a, b):\n    return a - a", True),
        ("def f(a, b):\n    return a and a", True),
        ("def f(a, b):\n    a = a\n    return a - b", True),
        ("def f(a, b):\n    return a * a", False),
    ],
)
def test_a_fix_that_its_own_code_refutes_is_none(fixed: str, is_refuted: bool) -> None:
    before, after = parsed("def f(a, b):\n    return a + b"), parsed(fixed)
    assert before is not None and after is not None
    assert refuted(before, after) is is_refuted
