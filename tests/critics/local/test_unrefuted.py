"""What running speaks against is not said: a fix that changes nothing, and one that breaks an example."""

import os

import pytest

from momus.critics.local.fixing import unrefuted
from momus.critique import Comment, Span
from momus.records import Task
from momus.sandbox import why_not

CODE = """\
def sum_to(n: int) -> int:
    return sum(range(n + 1))
"""
QUESTION = "Write sum_to(n): the sum of the whole numbers from 1 to n.\n>>> sum_to(4)\n10\n"


@pytest.fixture(autouse=True)
def sandbox() -> None:
    reason = why_not()
    if reason is not None and os.environ.get("CI") != "true":
        pytest.skip(f"code runs in the sandbox only: {reason}")


def comment(suggestion: str) -> Comment:
    start = CODE.index("range")
    return Comment(Span(start, start + len("range(n + 1)")), "This is wrong.", suggestion=suggestion)


def test_only_what_changes_something_is_said() -> None:
    same, broken = comment("range(1, n + 1)"), comment("range(n)")
    task = Task(id="t", question=QUESTION, answer=CODE)
    assert unrefuted(task, [same]) == []
    assert unrefuted(task, [broken]) == []  # the code keeps its example, with the fix it would not
    [kept] = unrefuted(task.model_copy(update={"question": ""}), [broken])
    assert kept.evidence is not None and kept.evidence.badge == "differs"
    assert kept.text == f"This is wrong. {kept.evidence.shown}"  # the call and both results
    assert f"`{kept.evidence.call}` gives `" in kept.text and "; with the fix it gives `" in kept.text
    assert kept.evidence.call in kept.evidence.text and kept.evidence.call not in kept.evidence.beside(kept.text)


def test_where_nothing_may_be_run_all_of_it_is_said() -> None:
    found = comment("range(1, n + 1)")
    assert unrefuted(Task(id="t", question=QUESTION, answer=CODE, run=False), [found]) == [found]
    untyped = Task(id="t", question="", answer=CODE.replace(": int) -> int", ")"))
    assert unrefuted(untyped, [found])[0].suggestion == found.suggestion
