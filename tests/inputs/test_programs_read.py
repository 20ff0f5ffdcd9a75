"""Programs on standard input: what of a question is a sample, inputs like it, and samples as examples."""

from __future__ import annotations

import random

import pytest

from momus.critics.examples import contradictions
from momus.inputs.mutation import Domain, Mutator
from momus.inputs.of_task import examples_of
from momus.inputs.program_inputs import domain_of_inputs, inputs_like
from momus.inputs.programs import in_words, printed_alike
from momus.inputs.samples import samples_in
from momus.records import Task

SECTIONS = """-----Input-----
The first line contains n.
The second line contains n integers.

-----Output-----
Print their sum.

-----Examples-----
Input
3
1 2 3

Output
6

Input
2
5 5

Output
10

-----Note-----
In the first test the sum is 6.
"""
NUMBERED = """Input

The input is given in the following format:

N M

Output

Print the product.

Sample Input 1

3 5

Sample Output 1

15

The product is 15.

Sample Input 2

1 1

Sample Output 2

1
"""


@pytest.mark.parametrize(
    ("question", "samples"),
    [
        ("Input: 4\nOutput: 10", [("4\n", "10")]),
        ("Example input: 4 2 Output: 10", [("4 2\n", "10")]),
        ("Input:\n```\n2\n1 2\n```\nOutput:\n```\n3\n```\n", [("2\n1 2\n", "3")]),
        ("**Sample Input**\n4\n**Sample Output**\n10\n", [("4\n", "10")]),
        ("Example 1:\nInput: 5 3\nOutput: 8\nExplanation: 5 + 3.\nExample 2:\nInput: 1 1\nOutput: 2", None),
        (SECTIONS, [("3\n1 2 3\n", "6"), ("2\n5 5\n", "10")]),
        (NUMBERED, [("3 5\n", "15"), ("1 1\n", "1")]),
    ],
)
def test_samples_are_read_as_they_are_written(question: str, samples: list[tuple[str, str]] | None) -> None:
    wanted = samples or [("5 3\n", "8"), ("1 1\n", "2")]
    assert [(one.given, one.printed) for one in samples_in(question)] == wanted


@pytest.mark.parametrize(
    "question",
    [
        "Input: nums = [1, 2]\nOutput: 3",
        "Input: 'abc'\nOutput: 3",
        "Input\nThe first line holds n.\nOutput\nPrint the sum.",
        "Input: 4\nno output",
        "Input\n1\nOutput\n2\n\n3\n",  # where the output ends is not clear
        "Input: 1\nOutput: 2\n\nInput: 1\nOutput: 3\n",  # two outputs of one input
        f"Input: {'1' * 3000}\nOutput: 2",
        "Input\n```\n1\nOutput\n2\n",
    ],
)
def test_what_may_be_a_description_or_a_value_is_no_sample(question: str) -> None:
    assert samples_in(question) == []


def test_a_long_question_without_samples_is_read_soon() -> None:
    assert samples_in("Input\n" * 4000) == []
    assert samples_in(("Input " + "- " * 2000 + "\n") * 20) == []


@pytest.mark.parametrize(
    ("given", "valid"),
    [
        (["3\n1 2 3\n", "2\n5 5\n"], lambda lines: len(lines) == 2 and int(lines[0]) == len(lines[1].split())),
        (
            ["2\n1 2\n3 4\n"],
            lambda lines: int(lines[0]) == len(lines) - 1 and all(len(x.split()) == 2 for x in lines[1:]),
        ),
        (["5\nabcab\n"], lambda lines: int(lines[0]) == len(lines[1])),
        (
            ["3 5\n"],
            lambda lines: len(lines) == 1 and all(int(x) > 0 for x in lines[0].split()) and len(lines[0].split()) == 2,
        ),
    ],
)
def test_a_number_that_counts_what_follows_goes_on_counting_it(given: list[str], valid: object) -> None:
    mutator = Mutator(random.Random(0), domain_of_inputs(given, Domain()))
    made = list(inputs_like(given, mutator, 200))
    assert len(set(made)) > 20 and all(text.endswith("\n") for text in made)
    assert all(valid(text.removesuffix("\n").split("\n")) for text in made)  # type: ignore[operator]


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        ("1 2\n", "1 2", True),
        ("0.333333\n", "0.3333333333\n", True),
        ("0.33\n", "0.34\n", False),
        ("1", "2", False),
        (" 1", "1", False),
        ("1\n2", "1", False),
        ("1.0", "x", False),
    ],
)
def test_what_is_printed_is_compared_with_a_tolerance_for_decimals(a: str, b: str, same: bool) -> None:
    assert printed_alike(a, b) is printed_alike(b, a) is same


def test_a_sample_that_a_program_does_not_keep_contradicts_it_on_a_line_of_its_own() -> None:
    question = "Read n and print 1 + ... + n.\n\nSample Input\n4\nSample Output\n10\n"
    wrong = "def main():\n    n = int(input())\n    print(sum(range(n)))\n\n\nmain()\n"
    task = Task(id="t", question=question, answer=wrong)
    [group] = examples_of(task)
    assert [one.text for one in group] == ["the program on '4'"]
    [found] = contradictions(task)
    assert found.text == (
        "`the program on '4'` prints '6'; the question promises '10'. Either the code or the example is wrong."
    )
    assert found.line in (2, 3, 6)
    raising = wrong.replace("sum(range(n))", "n // 0")
    [found] = contradictions(task.model_copy(update={"answer": raising}))
    assert "ZeroDivisionError" in found.text and found.line in (3, 6)
    assert not contradictions(task.model_copy(update={"answer": wrong.replace("range(n)", "range(n + 1)")}))


def test_a_function_that_reads_input_is_no_program() -> None:
    question = "Write ask(n), which reads a number.\nInput: 4\nOutput: 10"
    [[found]] = examples_of(Task(id="t", question=question, answer="def ask(n):\n    return int(input()) + n\n"))
    assert found.call == "ask(4)"


def test_calls_read_as_they_are_written() -> None:
    assert in_words("f(1)") == "f(1)" and in_words("run_program(1)") == "run_program(1)"
    assert in_words("run_program('1\\n2\\n')") == "the program on '1\\n2'"
