"""Each operator on a few lines made for it: the tampered text is known in full."""

from __future__ import annotations

import random
from textwrap import dedent

import pytest

from momus.critique import CATEGORIES, SEVERITIES
from momus.match import apply_suggestion
from momus.tamper.operators import OPERATORS, Mutation, Source, mutate

# operator -> the clean function, what to look for in it, what stands there afterwards
EXAMPLES: dict[str, tuple[str, str, str]] = {
    "off-by-one-range": (
        "def f(xs):\n    for i in range(len(xs)):\n        g(xs[i])\n",
        "range(len(xs))",
        "range(len(xs) + 1)",
    ),
    "off-by-one-index": ("def f(xs):\n    return xs[-1]\n", "xs[-1]", "xs[-2]"),
    "wrong-slice-bound": ("def f(xs):\n    return xs[1:n]\n", "xs[1:n]", "xs[2:n]"),
    "wrong-constant": ("def f(x):\n    return x * 60\n", "60", "100"),
    "drop-enumerate-start": ("for n, x in enumerate(xs, 1):\n    print(n)\n", "enumerate(xs, 1)", "enumerate(xs)"),
    "swap-indices": ("def f(m, i, j):\n    return m[i][j]\n", "m[i][j]", "m[j][i]"),
    "boundary-comparison": ("def f(a, b):\n    while a < b:\n        a = g(a)\n", "a < b", "a <= b"),
    "reversed-comparison": ("def f(a, b):\n    return a >= b\n", "a >= b", "a <= b"),
    "inverted-equality": ("if a == b:\n    f()\n", "a == b", "a != b"),
    "inverted-membership": ("if a not  in b:\n    f()\n", "not  in", "in"),
    "inverted-none-check": ("if a is not None:\n    f()\n", "is not", "is"),
    "identity-comparison": ("if a.x == b:\n    f()\n", "==", "is"),
    "negated-condition": ("if f(a):\n    g()\n", "f(a)", "not f(a)"),
    "drop-not": ("if not (a or b):\n    g()\n", "not (a", "(a"),
    "drop-condition-term": ("if a and (b or c):\n    g()\n", "a and (b or c)", "(b or c)"),
    "swapped-and-or": ("if a and b:\n    g()\n", "and", "or"),
    "drop-guard": (
        "def f(a):\n    if a is None:\n        return 0\n    return a.b\n",
        "    if a is None:\n        return 0\n",
        "",
    ),
    "elif-to-if": ("if a:\n    f()\nelif b:\n    g()\nelse:\n    h()\n", "elif", "if"),
    "swap-ternary": ("x = a if c else b\n", "a if c else b", "b if c else a"),
    "narrow-isinstance": ("if isinstance(x, (int, float)):\n    f()\n", "(int, float)", "int"),
    "wrong-variable": ("def f(low, high):\n    return g(low)\n", "g(low)", "g(high)"),
    "wrong-attribute": ("def f(p):\n    return p.x, p.y\n", "p.x,", "p.y,"),
    "drop-self": ("def f(self):\n    self.n = 1\n", "self.n", "n"),
    "swap-unpacking": ("a, b = f()\n", "a, b", "b, a"),
    "misspelt-name": ("def f(total):\n    return total\n", "return total", "return totals"),
    "wrong-arithmetic": ("def f(a):\n    return a - 1\n", "a - 1", "a + 1"),
    "wrong-division": ("def f(a, b):\n    return a // b\n", "//", "/"),
    "wrong-augmented": ("n += 1\n", "+=", "-="),
    "drop-accumulation": ("n += 1\n", "+=", "="),
    "wrong-precedence": ("x = (a + b) * c\n", "(a + b) * c", "a + b * c"),
    "wrong-method": ("xs.append(x)\n", "append", "extend"),
    "wrong-function": ("x = min(xs)\n", "min", "max"),
    "swap-arguments": ("f(a, b)\n", "a, b", "b, a"),
    "drop-keyword-argument": ("f(a, timeout=3)\n", ", timeout=3", ""),
    "swap-keyword-values": ("f(a=x, b=y)\n", "a=x, b=y", "a=y, b=x"),
    "flip-boolean": ("f(a, strict=True)\n", "True", "False"),
    "wrong-key": ("x = d['one'] + d['two']\n", "d['one']", "d['two']"),
    "missing-return": ("def f(a):\n    return (a + 1)\n", "return (a", "(a"),
    "wrong-return": ("def f(a):\n    if a:\n        return True\n    return g()\n", "True", "False"),
    "early-return": (
        "def f(xs):\n    for x in xs:\n        g(x)\n    return 1\n",
        "    return 1",
        "        return 1",
    ),
    "break-continue": ("for x in xs:\n    if x:\n        break\n", "break", "continue"),
    "drop-break": ("for x in xs:\n    if x:\n        y = x\n        break\n", "        break\n", ""),
    "wrong-yield": ("def f(xs):\n    yield from xs\n", "yield from", "yield"),
    "drop-statement": ("def f(xs, x):\n    xs.append(x)\n    return xs\n", "    xs.append(x)\n", ""),
    "drop-super-call": (
        "def __init__(self):\n    super().__init__()\n    self.n = 0\n",
        "    super().__init__()\n",
        "",
    ),
    "drop-scope-declaration": ("def f():\n    global n\n    n = 1\n", "    global n\n", ""),
    "swap-statements": ("a = f()\nb = g(a)\n", "a = f()\nb = g(a)", "b = g(a)\na = f()"),
    "wrong-initial-value": ("n = 0\nfor x in xs:\n    n += x\n", "n = 0", "n = 1"),
    "reset-in-loop": ("n = 0\nfor x in xs:\n    n += x\n", "n = 0\nfor x in xs:\n", "for x in xs:\n    n = 0\n"),
    "drop-copy": (
        "def f(xs):\n    ys = xs.copy()\n    ys.sort()\n    return ys[0]\n",
        "ys = xs.copy()",
        "ys = xs",
    ),
    "mutable-default": (
        "def f(x, xs=None):\n    if xs is None:\n        xs = []\n    return xs\n",
        "xs=None",
        "xs=[]",
    ),
    "drop-conversion": ("x = y + str(n)\n", "str(n)", "n"),
    "drop-wrapper": ("for x in sorted(xs):\n    f(x)\n", "sorted(xs)", "xs"),
    "drop-normalisation": ("x = f(a.lower())\n", "a.lower()", "a"),
    "discard-result": ("x = x.replace(a, b)\n", "x = x", "x"),
    "drop-default": ("x = d.get(k, 0) + 1\n", ", 0", ""),
    "wrong-sort": ("xs.sort(reverse=True)\n", "reverse=True", ""),
    "wrong-axis": ("x = a.sum(axis=0)\n", "axis=0", "axis=1"),
    "swallow-exception": ("try:\n    f()\nexcept ValueError:\n    raise\n", "raise", "pass"),
    "broaden-exception": ("try:\n    f()\nexcept ValueError as e:\n    g()\n", "ValueError", "Exception"),
    "wrong-exception": ("try:\n    f()\nexcept IndexError:\n    g()\n", "IndexError", "KeyError"),
    "narrow-exception": ("try:\n    f()\nexcept (A, B):\n    g()\n", "(A, B)", "B"),
    "drop-raise": ("if x:\n    raise ValueError('x')\n", "raise ", ""),
    "missing-await": ("async def f():\n    return await g()\n", "await ", ""),
    "drop-release": ("def f(p):\n    h = g(p)\n    h.close()\n", "    h.close()\n", ""),
    "leak-resource": (
        "with open(p) as f:\n    x = f.read()\n",
        "with open(p) as f:\n    x",
        "f = open(p)\nx",
    ),
    "unsafe-call": ("x = ast.literal_eval(y)\n", "ast.literal_eval", "eval"),
    "drop-escaping": ("x = '<b>' + html.escape(y)\n", "html.escape(y)", "y"),
}


def mutations(text: str, name: str, seeds: int = 30) -> list[Mutation]:
    """What an operator makes of a text, over a few seeds."""
    source = Source(text)
    made: dict[str, Mutation] = {}
    for seed in range(seeds):
        rng = random.Random(seed)
        for site in OPERATORS[name].sites(source, rng):
            mutation = mutate(source, OPERATORS[name], site, rng)
            if mutation is not None:
                made[mutation.text] = mutation
    return list(made.values())


@pytest.mark.parametrize("name", OPERATORS)
def test_operator_makes_its_bug_and_can_undo_it(name: str) -> None:
    clean, old, new = EXAMPLES[name]
    assert clean.count(old) == 1, "the example is ambiguous"
    wanted = clean.replace(old, new)
    found = {mutation.text: mutation for mutation in mutations(clean, name)}
    assert wanted in found
    bug = found[wanted].bug
    assert bug.suggestion is not None
    assert apply_suggestion(wanted, bug.spans[0], bug.suggestion) == clean
    assert bug.operator == name


def test_the_registry_is_sound() -> None:
    assert len(OPERATORS) >= 34
    assert EXAMPLES.keys() == OPERATORS.keys()
    for name, operator in OPERATORS.items():
        assert operator.name == name == name.lower().replace("_", "-")
        assert operator.category in CATEGORIES
        assert operator.severity in SEVERITIES


def test_held_out_operators_are_of_different_kinds_whose_categories_are_trained_on() -> None:
    held_out = [o for o in OPERATORS.values() if o.held_out]
    assert len(held_out) >= 4
    assert len({o.category for o in held_out}) == len(held_out)
    assert {o.category for o in held_out} <= {o.category for o in OPERATORS.values() if not o.held_out}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("wrong-constant", 'def f(x: "Literal[3]") -> "int[5]":\n    """Takes 3."""\n    return x\n'),
        ("wrong-key", "__all__ = ['one', 'two']\n"),
        ("wrong-variable", "def f(a, b):\n    log.debug('%s', a)\n    raise E(f'{a} {b}')\n"),
        ("wrong-variable", "def f(a, b):\n    return f'{a + 1} {b + 1}'\n"),
        ("inverted-equality", "if __name__ == '__main__':\n    f()\n"),
        ("wrong-constant", "TABLE = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]\n"),
        ("drop-statement", "def f(x):\n    x.go()\n"),
        ("drop-conversion", "x = int(x)\n"),
        ("wrong-division", "p = root / 'name'\n"),
        ("wrong-arithmetic", "p = 'a' + b\n"),
        ("flip-boolean", "def f(a, strict=True):\n    return g(a, strict)\n"),
        ("wrong-constant", "def f(a, times=3):\n    return a * times\n"),
        ("wrong-return", "def f(a):\n    return True\n"),
        ("drop-keyword-argument", "f(a, strict=False)\n"),
        ("narrow-exception", "try:\n    f()\nexcept (OSError, OSError):\n    g()\n"),
        ("drop-guard", "def f(xs):\n    if not xs:\n        return []\n    return [x for x in xs]\n"),
        ("wrong-method", "def f(a):\n    return re.match('^x', a)\n"),
        ("drop-wrapper", "for x in list(range(3)):\n    f(x)\n"),
        ("identity-comparison", "def f(a):\n    return a.b == UNSET\n"),
        ("broaden-exception", "try:\n    f()\nexcept ValueError:\n    g()\nexcept KeyError:\n    h()\n"),
    ],
)
def test_what_is_no_code_or_no_slip_is_left_alone(name: str, text: str) -> None:
    touched = [m for m in mutations(text, name) if "ValueError:" not in text or "except ValueError:" not in m.text]
    assert touched == []


def test_a_deleted_line_is_shown_at_the_line_before_it_in_its_block() -> None:
    clean = "def f(xs, x):\n    n = 1  # one\n    xs.append(x)\n    # more\n    return xs\n"
    (mutation,) = mutations(clean, "drop-statement")
    assert mutation.bug.spans[0].of(mutation.text) == "n = 1  # one"
    assert mutation.bug.suggestion == "n = 1  # one\n    xs.append(x)"


def test_a_deleted_line_goes_back_to_its_place_among_comments() -> None:
    clean = "def f(xs, x):\n    n = 1  # one\n\n    # more\n    xs.append(x)\n    return xs\n"
    (mutation,) = mutations(clean, "drop-statement")
    assert mutation.bug.spans[0].of(mutation.text) == "return xs"
    assert mutation.bug.suggestion == "xs.append(x)\n    return xs"
    between = "def f(xs, x):\n    n = 1  # one\n    # more\n    xs.append(x)\n\n    return xs\n"
    assert mutations(between, "drop-statement") == []  # no line beside it could bring it back to the byte


def test_a_deleted_line_is_shown_at_the_line_after_it_where_it_was_the_first() -> None:
    clean = 'def f(xs, x):\n    """Doc."""\n    xs.append(x)\n    return xs\n'
    (mutation,) = mutations(clean, "drop-statement")
    assert mutation.bug.spans[0].of(mutation.text) == "return xs"
    assert mutation.bug.suggestion == "xs.append(x)\n    return xs"


def test_a_deleted_last_line_without_a_final_newline_can_be_put_back() -> None:
    clean = "def f(xs, x):\n    n = 1\n    xs.append(x)"
    (mutation,) = mutations(clean, "drop-statement")
    assert mutation.text == "def f(xs, x):\n    n = 1"
    assert apply_suggestion(mutation.text, mutation.bug.spans[0], mutation.bug.suggestion or "") == clean


def test_a_line_that_stood_further_left_is_put_back_there() -> None:
    clean = dedent("""\
        def f(xs):
            total = 0
            for x in xs:
                total += x
            return total
        """)
    (mutation,) = mutations(clean, "early-return")
    assert mutation.bug.spans[0].of(mutation.text) == "        return total"
    assert apply_suggestion(mutation.text, mutation.bug.spans[0], mutation.bug.suggestion or "") == clean


def test_an_argument_on_a_line_of_its_own_goes_with_its_line() -> None:
    clean = "f(\n    a,\n    timeout=3,\n    retries=2,\n)\n"
    texts = [mutation.text for mutation in mutations(clean, "drop-keyword-argument")]
    assert "f(\n    a,\n    retries=2,\n)\n" in texts


def test_a_term_in_parentheses_over_several_lines_goes_whole() -> None:
    clean = "if (\n    a\n    and (b or c)\n    and d\n):\n    f()\n"
    texts = {mutation.text for mutation in mutations(clean, "drop-condition-term")}
    assert "if (\n    a\n    and d\n):\n    f()\n" in texts
    clean = "while a or (\n    b\n    and c\n):\n    f()\n"
    assert "while a:\n    f()\n" in {mutation.text for mutation in mutations(clean, "drop-condition-term")}


def test_a_fragment_that_only_parses_is_tampered_with_all_the_same() -> None:
    assert mutations("return a < b\n", "boundary-comparison")[0].text == "return a <= b\n"


def test_what_would_not_compile_is_not_made() -> None:
    # `yield from` is an error in an asynchronous generator
    assert all("yield from" not in m.text for m in mutations("async def f(x):\n    yield x\n", "wrong-yield"))
