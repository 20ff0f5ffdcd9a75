"""Functions as tasks: the docstring moves, the rest of the code stays byte for byte."""

from __future__ import annotations

import ast

import pytest

from momus.corpus.functions import Function
from momus.corpus.tasks import split_docstring, to_task, to_tasks

CODE = '''@cached
def area(w, *, h: int = 1) -> int:
    # before
    """The area of it,
    in squares.

    Longer story {braces}.
    """  # after

    size = w*h   # as it stands
    return size
'''
FUNCTION = Function(
    id="p/m.py:Box.area", package="p", version="3", licence="MIT", path="m.py", name="Box.area", code=CODE, split="dev"
)


def test_a_docstring_is_cut_out_with_its_lines_alone() -> None:
    assert split_docstring(CODE) == (
        "@cached\ndef area(w, *, h: int = 1) -> int:\n    # before\n    size = w*h   # as it stands\n    return size\n",
        "The area of it, in squares.",
        "def area(w, *, h: int=1) -> int:",
    )


@pytest.mark.parametrize(
    "code",
    [
        "def f(x):\n    return x\n",
        'def f(x):\n    """Only that."""\n',
        'def f(x):\n    """Shares."""; return x\n',
        'def f(x): """Shares."""; return x\n',
        'def f(x):\n    """"""\n    return x\n',
        "class A:\n    pass\n",
        "def f(:\n",
        "",
    ],
)
def test_where_there_is_no_docstring_to_move_nothing_is_cut(code: str) -> None:
    assert split_docstring(code) is None


def test_beyond_ascii_columns_are_bytes_and_still_right() -> None:
    code = 'def é(x):\n    """Naïve 😀."""\n    return "😀"\n'
    moved = split_docstring(code)
    assert moved is not None
    assert moved[:2] == ('def é(x):\n    return "😀"\n', "Naïve 😀.")


def test_the_task_carries_question_answer_and_origin() -> None:
    task = to_task(FUNCTION, seed=0, asked=1.0)
    assert "The area of it, in squares." in task.question
    assert "The area of it" not in task.answer
    ast.parse(task.answer)
    assert (task.id, task.group, task.split) == ("function/p/m.py:Box.area", "p", "dev")
    assert (task.source, task.licence) == ("p 3", "MIT")
    kept = to_task(FUNCTION, seed=0, asked=0.0)
    assert (kept.question, kept.answer) == ("", CODE)


def test_the_choice_depends_on_seed_and_function_alone() -> None:
    functions = [FUNCTION.model_copy(update={"id": f"p/m.py:f{n}"}) for n in range(200)]
    tasks = list(to_tasks(functions, seed=1))
    assert tasks == list(to_tasks(functions, seed=1))
    assert tasks[::-1] == list(to_tasks(functions[::-1], seed=1))
    assert tasks != list(to_tasks(functions, seed=2))
    share = sum(bool(task.question) for task in tasks) / len(tasks)
    assert 0.45 < share < 0.75
    assert len({task.question for task in tasks}) > 3


def test_repeated_ids_are_made_unique() -> None:
    tasks = list(to_tasks([FUNCTION, FUNCTION, FUNCTION], seed=0))
    assert [task.id.removeprefix("function/p/m.py:Box.area") for task in tasks] == ["", "#2", "#3"]
