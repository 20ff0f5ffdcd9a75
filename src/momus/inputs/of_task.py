"""What is run of a task: its answer, or another one, with what it stands on; and the examples that speak of it."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass

from momus.inputs.example import Example
from momus.inputs.examples import context_of, of_docstrings, of_question
from momus.inputs.input_output import ANY_ANSWER
from momus.inputs.programs import reads_input
from momus.inputs.samples import samples_in
from momus.inputs.supplied import supplied
from momus.inputs.target import parse, target_of
from momus.records import Task

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


@dataclass(frozen=True, slots=True)
class Program:
    """A task's answer as it is run: behind the prelude, or in its file."""

    code: str
    prelude: str


def program_of(task: Task, answer: str) -> Program | None:
    """What is run of a task with this answer; None where it does not parse, or can't be put in its place."""
    around = task.surroundings
    if around is not None:
        code = around.code if answer == task.answer else around.with_answer(answer)
        return None if code is None or parse(code) is None else Program(code, "")
    if parse(answer) is None:
        return None
    prelude = f"{task.prelude}\n{context_of(task.question, task.entry_point)}"
    return Program(answer, supplied(answer, prelude) + prelude)


def examples_of(task: Task) -> list[list[Example]]:
    """The examples of a task, those of one function together: the question's, and each docstring's."""
    program = program_of(task, task.answer)
    if program is None:
        return []
    if is_program(task):
        return [] if ANY_ANSWER.search(task.question) else [[one.example for one in samples_in(task.question)]]
    around = task.surroundings
    target = target_of(program.code, entry_point=task.entry_point, prelude=program.prelude)
    if target is None:
        return []
    asked = of_question(task.question, target)
    if around is not None:  # the question is of the whole file
        named = defined_on(parse(program.code), around.lines)
        asked = [example for example in asked if named & names_called(example)]
    groups = [asked]
    documented = of_docstrings(
        program.code,
        prelude=program.prelude,
        entry_point=task.entry_point,
        lines=None if around is None else around.lines,
    )
    seen = {(one.call, one.promised) for one in asked}
    groups += [[one for one in docstring.examples if (one.call, one.promised) not in seen] for docstring in documented]
    return [group for group in groups if group]


def is_program(task: Task) -> bool:
    """Whether a task's answer is a program whose question shows what it reads and prints."""
    if task.surroundings is not None or task.entry_point is not None or not reads_input(task.answer):
        return False
    return bool(samples_in(task.question))


def names_called(example: Example) -> set[str]:
    """The names in an example's call, attributes too."""
    names = (part for part in ast.walk(ast.parse(example.call)) if isinstance(part, ast.Name | ast.Attribute))
    return {part.id if isinstance(part, ast.Name) else part.attr for part in names}


def defined_on(tree: ast.Module | None, lines: Sequence[int]) -> set[str]:
    """The functions and classes whose definitions begin on some lines."""
    own = set(lines)
    return {n.name for n in ast.walk(tree) if isinstance(n, _DEFINITIONS) and n.lineno in own} if tree else set()
