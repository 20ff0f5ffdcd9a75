"""What the model is asked to write: the question, with the signature that the answer has beside it.

The body of the answer is never shown: a solution that has seen it is no second opinion.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from momus.inputs.of_task import is_program
from momus.inputs.programs import reads_input
from momus.inputs.target import parse, target_of

if TYPE_CHECKING:
    from momus.models.tokens import Tokens
    from momus.records import Task

VERSION = "1"  # of the request's words: solutions to another are others
MAX_QUESTION = 4_000  # characters
MAX_SIGNATURE = 1_200  # characters
MAX_DEFAULT = 60  # characters of one annotation or default value

_FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_SOLUTION = re.compile(r"(\w+)\(\)\.(\w+)")
_BACKTICKS = re.compile(r"`{3,}")

Kind = Literal["function", "method", "classes", "program"]

_WANTED = {
    "function": "Write the Python function only: no comments, no docstring, no tests.",
    "method": "Write the Python class only: no comments, no docstring, no tests.",
    "classes": "Write the Python code only: no comments, no docstrings, no tests.",
    "program": "Write a Python program that reads standard input and prints the result: no comments, no tests.",
}


@dataclass(frozen=True, slots=True)
class Subject:
    """What an answer defines, as far as whoever uses it needs to know.

    `entry` is how the function that is asked for is called (`median`, `Solution().median`), None for classes and
    programs; `signature` is Python with `...` for each body, empty for a program.
    """

    kind: Kind
    entry: str | None
    signature: str


def subject_of(task: Task) -> Subject | None:
    """What a task's answer defines; None where it does not parse, or defines nothing that could be used."""
    tree = parse(task.answer)
    if tree is None:
        return None
    if is_program(task):
        return Subject("program", None, "")
    functions = {node.name: node for node in tree.body if isinstance(node, _FUNCTIONS)}
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    entry = _entry(task, functions, alone=not classes)
    if entry is not None and entry in functions:
        return Subject("function", entry, _cut(_head(functions[entry])))
    named = _SOLUTION.fullmatch(entry or "")
    for owner in classes if named is not None else ():
        for node in owner.body:
            if named is not None and isinstance(node, _FUNCTIONS) and (owner.name, node.name) == named.groups():
                return Subject("method", entry, _cut(f"class {owner.name}:\n    {_head(node, 8)}"))
    if classes:
        return Subject("classes", None, _cut("\n\n".join(_skeleton(node) for node in classes)))
    return Subject("program", None, "") if reads_input(task.answer) else None


def _entry(task: Task, functions: Collection[str], *, alone: bool) -> str | None:
    """The function that the question asks for: of several the last that it names, else, where they stand `alone`, the
    last."""
    target = target_of(task.answer, entry_point=task.entry_point, prelude=task.prelude)
    if target is not None and target.entry is not None:
        return target.entry
    public = [name for name in functions if not name.startswith("_")]
    named = [name for name in public if re.search(rf"\b{re.escape(name)}\b", task.question)]
    if named:
        return named[-1]
    return public[-1] if public and alone else None


def ask(tokens: Tokens, question: str, subject: Subject) -> list[int]:
    """The tokens of the request, with the beginning of the answer, its code block, at their end.

    What the question says goes in as plain text: it holds no control token.
    """
    chat = tokens.chat([{"role": "user", "content": words_of(question, subject)}])
    return tokens.encode(replace(chat, parts=(*chat.parts, ("```python\n", False)))).ids


def words_of(question: str, subject: Subject) -> str:
    """The request in words."""
    said = question.strip()[:MAX_QUESTION]
    if subject.signature and not _stands_in(subject, question):
        fence = "`" * max([3, *(len(run[0]) + 1 for run in _BACKTICKS.finditer(subject.signature))])
        said += f"\n\n{fence}python\n{subject.signature}\n{fence}"
    return f"{said}\n\n{_WANTED[subject.kind]}"


def _stands_in(subject: Subject, question: str) -> bool:
    """Whether the question shows the head of the function itself."""
    name = (subject.entry or "").rpartition(".")[2]
    return bool(name) and re.search(rf"\bdef\s+{re.escape(name)}\s*\(", question) is not None


def _head(node: _FunctionNode, indent: int = 4) -> str:
    """A function's head. Annotations and default values that are long texts are left out: they are no signature."""
    bare = ast.parse(ast.unparse(node)).body[0]
    assert isinstance(bare, _FUNCTIONS)
    arguments = bare.args
    for arg in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg):
        if arg is not None and arg.annotation is not None and len(ast.unparse(arg.annotation)) > MAX_DEFAULT:
            arg.annotation = None
    arguments.defaults = [_short(default) for default in arguments.defaults]
    arguments.kw_defaults = [None if default is None else _short(default) for default in arguments.kw_defaults]
    returns = bare.returns
    after = f" -> {ast.unparse(returns)}" if returns is not None and len(ast.unparse(returns)) <= MAX_DEFAULT else ""
    word = "async def" if isinstance(node, ast.AsyncFunctionDef) else "def"
    return f"{word} {node.name}({ast.unparse(arguments)}){after}:\n{' ' * indent}..."


def _short(default: ast.expr) -> ast.expr:
    return default if len(ast.unparse(default)) <= MAX_DEFAULT else ast.Constant(...)


def _skeleton(node: ast.ClassDef) -> str:
    bases = f"({', '.join(ast.unparse(base) for base in node.bases)})" if node.bases else ""
    public = [
        inner
        for inner in node.body
        if isinstance(inner, _FUNCTIONS) and (not inner.name.startswith("_") or inner.name.endswith("__"))
    ]
    heads = [f"    {_head(inner, 8)}" for inner in public] or ["    ..."]
    return f"class {node.name}{bases}:\n" + "\n\n".join(heads)


def _cut(signature: str) -> str:
    return signature if len(signature) <= MAX_SIGNATURE else signature[:MAX_SIGNATURE].rsplit("\n", 1)[0]
