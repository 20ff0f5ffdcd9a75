"""Which sentences are examples, and which only look like one."""

from __future__ import annotations

import ast

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from momus.inputs import examples_in, of_docstrings, target_of
from momus.inputs.examples import context_of

CODE = "def f(x, y=0):\n    return x\n\ndef g(x):\n    return x\n"
SOLUTION = "class Solution:\n    def twoSum(self, nums: List[int], target: int) -> List[int]:\n        return []\n"


def read(text: str, code: str = CODE, entry_point: str | None = "f") -> list[tuple[str, str, str]]:
    target = target_of(code, entry_point=entry_point)
    assert target is not None
    return [(one.call, one.promise, one.promised) for one in examples_in(text, target)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (">>> f(1)\n2\n", ("f(1)", "equals", "2")),
        (">>> f([1,\n...    2])\n[2, 1]\n", ("f([1,\n   2])", "equals", "[2, 1]")),
        (">>> f(0)\nTraceback (most recent call last):\n  ...\nValueError: no\n", ("f(0)", "raises", "ValueError")),
        (">>> print(f(1))\n2\n", ("print(f(1))", "prints", "2")),
        ('def f(x):\n    """Half.\n\n    >>> f(3)\n    1.5\n    """\n', ("f(3)", "equals", "1.5")),
        ("Your code should pass tests like: assert f(1) == 2", ("f(1)", "equals", "2")),
        ("assert 2 == f(1)", ("f(1)", "equals", "2")),
        ("assert f(1)", ("f(1)", "holds", "")),
        ("assert abs(f(1) - 2) < 1e-6", ("abs(f(1) - 2) < 1e-06", "holds", "")),
        ("assert f([\n    1,\n]) == 2", ("f([1])", "equals", "2")),
        ("f(1) == 2", ("f(1)", "equals", "2")),
        ("  * f(1, 2) -> 3", ("f(1, 2)", "equals", "3")),
        ("f('a') => 'b'", ("f('a')", "equals", "'b'")),
        ("f([1], 5) ➞ False", ("f([1], 5)", "equals", "False")),
        ('f(15)   # returns "db1111db"', ("f(15)", "equals", '"db1111db"')),
        ("For example, f(1, 2) should return 3.", ("f(1, 2)", "equals", "3")),
        ("So `f(1)` must return `[1, 2]`, as it is odd.", ("f(1)", "equals", "[1, 2]")),
        ("f(4) returns true", ("f(4)", "equals", "True")),
        ("f(-1) raises ValueError.", ("f(-1)", "raises", "ValueError")),
        ("f('') should raise a KeyError", ("f('')", "raises", "KeyError")),
        ("sorted(f(3)) == [1, 2]", ("sorted(f(3))", "equals", "[1, 2]")),
        ("f(2) == set()", ("f(2)", "equals", "set()")),
        ("Input: x = 3, y = [1]\nOutput: -1", ("f(3, [1])", "equals", "-1")),
        ("Input: 3\nOutput: null", ("f(3)", "equals", "None")),
        ("**Input:** x = true\n**Output:** [true, false]\n", ("f(True)", "equals", "[True, False]")),
        ("Sample Input: f(3)\nSample Output: 4", ("f(3)", "equals", "4")),
    ],
)
def test_a_plain_example_is_read(text: str, found: tuple[str, str, str]) -> None:
    assert read(text) == [found]


@pytest.mark.parametrize(
    "text",
    [
        "f(n) -> f(n - 1) + 1",  # a rule: n is nothing
        "f(x: int) -> int",
        "def f(x) -> int: returns 3",
        "f() -> None",  # a signature
        "if f(1) == 2 then stop",
        "Currently f(1) returns 3, which is wrong.",
        "f(1) should not return 3.",
        "f(1) never returns 3",
        "f(1) returns 3 but should return 4",
        "f(1) returns 3 elements",
        "f(1) == 2 * 3",
        'f("5 apples", 19) ->19 - 5 - 6 = 8',
        "f(1) == f(2)",
        "f(1) == 2 or f(1) == 3",
        "x = 3 + f(1) == 2",
        "not f(1) == 2",
        "f(...) == 2",
        "f(list) -> list",
        "h(1) == 2",  # not of this code
        "obj.f(1) == 2",
        "f(1) is undefined",
        "f(1), f(2) and so on",
        "f(1 == 2",
        ">>> f(1)  # doctest: +SKIP\n2\n",
        ">>> f(1)\n<object at 0x7f>\n",
        ">>> f(1)\n[1, ..., 9]\n",
        ">>> 1 + 1\n2\n",
        "f(1) == 2 and also f(1) == 3",  # one of them is meant otherwise
        "Input: z = 3\nOutput: 1",  # has no such parameter... but one only: see below
        "Input: a string\nOutput: its length",
        "Input: x = 3, y = 4\nOutput: 2, nums = [2, 2, _, _]",
        "Input: 1, 2, 3\nOutput: 4",
        "You may return any of them.\nInput: x = 3\nOutput: 1",
        "Output: 3\nInput: x = 3",
    ],
)
def test_what_may_mean_something_else_is_no_example(text: str) -> None:
    assert read(text) == []


def test_a_method_of_solution_is_called_with_named_arguments_in_its_own_order() -> None:
    text = "Example 1:\nInput: target = 9, nums = [2,7]\nOutput: [0,1]\nExplanation: f(1) == 2\n"
    assert read(text, SOLUTION, None) == [("Solution().twoSum([2,7], 9)", "equals", "[0,1]")]
    assert read(text, SOLUTION, "Solution().twoSum") == read(text, SOLUTION, None)


def test_linked_lists_are_built_only_by_what_the_prelude_defines() -> None:
    code = "class Solution:\n    def rev(self, head: Optional[ListNode]) -> Optional[ListNode]:\n        return head\n"
    text = "Input: head = [1,2]\nOutput: [2,1]"
    bare = target_of(code)
    given = target_of(code, prelude="class ListNode: pass\ndef list_node(values): ...\n")
    assert bare is not None and examples_in(text, bare) == []
    assert given is not None and [one.call for one in examples_in(text, given)] == ["Solution().rev(list_node([1,2]))"]


def test_a_function_that_returns_nothing_is_judged_by_its_first_argument() -> None:
    code = "class Solution:\n    def sort(self, nums: List[int]) -> None:\n        nums.sort()\n"
    ((call, _, promised),) = read("Input: nums = [2,1]\nOutput: [1,2]", code, None)
    assert ast.unparse(ast.parse(call)) == "_given = [2, 1]\nSolution().sort(_given)\n_given" and promised == "[1,2]"


def test_which_of_two_functions_an_input_is_for_is_not_guessed() -> None:
    assert read("Input: 3\nOutput: 4", CODE, None) == []


def test_earlier_statements_of_a_doctest_come_before() -> None:
    target = target_of("class Stack:\n    pass\n")
    assert target is not None
    (found,) = examples_in(">>> s = Stack()\n>>> s.push(1)\n>>> s.size()\n1\n", target)
    assert (found.setup, found.call) == (("s = Stack()", "s.push(1)"), "s.size()")


def test_docstrings_are_read_where_they_stand() -> None:
    code = 'def f(x):\n    """>>> f(1)\n    2\n    """\n\n\ndef g(x):\n    """Nothing."""\n'
    (found,) = of_docstrings(code)
    assert (found.name, found.line, [one.call for one in found.examples]) == ("f", 2, ["f(1)"])
    assert of_docstrings(code, lines=(7, 8)) == []
    assert of_docstrings("def f(:") == []


def test_a_question_that_is_code_lends_its_imports_and_helpers_but_not_its_stub() -> None:
    question = (
        'import math\n\n\ndef enc(s):\n    """Doc."""\n    return s\n\n\ndef f(x):\n    """>>> f(1)\n    2\n    """\n'
    )
    lent = context_of(question, "f")
    assert "import math" in lent and "def enc" in lent and "def f" not in lent
    assert context_of("Write a function.", None) == ""


@given(st.text(alphabet="f(g)1,'\"[]{} =->:\n.#>`\\assertInputOutx"))
def test_no_text_makes_it_fail_and_every_call_parses(text: str) -> None:
    target = target_of(CODE, entry_point="f")
    assert target is not None
    for one in examples_in(text, target):
        ast.parse(one.call)
        assert target.speaks_of(ast.parse(one.call))


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


@example(0, "...")
@given(VALUES, VALUES)
def test_any_literals_survive_being_written_as_an_example(given_value: object, promised: object) -> None:
    for text in (f"f({given_value!r}) == {promised!r}", f">>> f({given_value!r})\n{promised!r}\n"):
        if text.startswith(">>>") and promised is None:
            continue
        if text.startswith(">>>") and "..." in repr(promised):  # they stand for what was left out
            assert read(text) == []
            continue
        ((call, promise, source),) = read(text)
        assert promise == "equals" and ast.literal_eval(source) == promised
        (argument,) = ast.parse(call, mode="eval").body.args  # type: ignore[attr-defined]
        assert ast.literal_eval(argument) == given_value
