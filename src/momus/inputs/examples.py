"""All examples of a text, of a question, or of the docstrings of some code, each promise once."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

from momus.inputs.example import Example
from momus.inputs.input_output import inputs_and_outputs
from momus.inputs.notations import asserts, doctests, equations
from momus.inputs.target import Target, parse, target_of

MOST = 40  # examples of one text; more are not run, and said to be left out
MAX_TEXT = 60_000  # characters of a text that is read for examples

_QUOTES = re.compile(r"[ ]*(?:\"\"\"|\'\'\')[ ]*$", re.MULTILINE)  # of a docstring in a question: no part of a result

_Documented = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Module


@dataclass(frozen=True, slots=True)
class Documented:
    """A docstring with examples: the qualified name of what it documents, its first line, and the examples."""

    name: str
    line: int
    examples: tuple[Example, ...]


def examples_in(text: str, target: Target) -> list[Example]:
    """The examples of a text about `target`."""
    text = _QUOTES.sub("\n", text[:MAX_TEXT].expandtabs().replace("\r\n", "\n"))
    found, rest = doctests(text, target)
    asserted, rest = asserts(rest, target)
    found += asserted
    found += equations(rest, target)
    found += inputs_and_outputs(rest, target)
    distinct: dict[tuple[str, str, tuple[str, ...]], Example] = {}
    for example in found:
        distinct.setdefault((_normal(example.call), _normal(example.promised), example.setup), example)
    return _agreeing(distinct.values())


def of_question(question: str, target: Target) -> list[Example]:
    """The examples of a question, of which the docstring of the code that it shows is a part."""
    return examples_in(question, target)


def of_docstrings(
    code: str, *, prelude: str = "", entry_point: str | None = None, lines: Collection[int] | None = None
) -> list[Documented]:
    """The docstrings of some code that hold examples; `lines`: only those that begin on one of these lines."""
    tree = parse(code)
    whole = target_of(code, entry_point=entry_point, prelude=prelude)
    if tree is None or whole is None:
        return []
    found: list[Documented] = []
    for node, name in _documented(tree):
        docstring = ast.get_docstring(node)
        first = node.body[0].lineno if docstring else 0
        if not docstring or (lines is not None and first not in lines):
            continue
        target = whole
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            named = entry_point if entry_point and entry_point.endswith(f".{node.name}") else _entry(name)
            target = target_of(code, entry_point=named, prelude=prelude) or whole
        examples = [replace(one, source="docstring") for one in examples_in(docstring, target)]
        if examples:
            found.append(Documented(name, first, tuple(examples)))
    return found


def context_of(question: str, entry: str | None) -> str:
    """What a question that is itself code gives an answer to stand on: its imports and the helpers that it defines."""
    tree = parse(question)
    if tree is None:
        return ""
    kept: list[ast.stmt] = []
    for node in tree.body:
        helper = isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name != entry and len(node.body) > 1
        if helper or isinstance(node, ast.Import | ast.ImportFrom):
            kept.append(node)
    return "\n".join(ast.unparse(node) for node in kept)


def _entry(name: str) -> str:
    owner, _, function = name.rpartition(".")
    return f"{owner}().{function}" if owner == "Solution" else name


def _documented(tree: ast.Module) -> Iterator[tuple[_Documented, str]]:
    pending: list[tuple[_Documented, str]] = [(tree, "")]
    while pending:
        node, name = pending.pop(0)
        yield node, name
        for child in node.body:
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                pending.append((child, f"{name}.{child.name}" if name else child.name))


def _agreeing(examples: Collection[Example]) -> list[Example]:
    """The examples without those that promise different things of one call: one of them is meant otherwise."""
    promises: dict[tuple[str, tuple[str, ...]], set[str]] = {}
    for example in examples:
        promises.setdefault((_normal(example.call), example.setup), set()).add(_normal(example.promised))
    return [one for one in examples if len(promises[_normal(one.call), one.setup]) == 1]


def _normal(source: str) -> str:
    try:
        return ast.unparse(ast.parse(source))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return source
