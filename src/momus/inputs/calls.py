"""Calls to see what some code does: the examples of a task, mutations of them, and values by type hints and names.

Plain generators, seeded: the same task, seed and budget give the same calls. Nothing is run here.
"""

from __future__ import annotations

import ast
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from momus.inputs.callees import OBJECT, Argument, Callee, callees_of
from momus.inputs.example import Example
from momus.inputs.mutation import Domain, Mutator, domain_of, leaves
from momus.inputs.of_task import examples_of, is_program, program_of
from momus.inputs.program_inputs import domain_of_inputs, inputs_like
from momus.inputs.programs import call_on, in_words
from momus.inputs.samples import samples_in
from momus.inputs.strategies import value_source
from momus.inputs.target import parse
from momus.inputs.values import parsed, value_of
from momus.records import Task

Origin = Literal["example", "file", "mutation", "strategy", "model", "test", "branch"]

LONGEST = 4_000  # characters of a call that is made here
_KEEPS_LENGTH = frozenset({"n", "m", "k", "size", "length", "len", "l", "count"})
_BUILDING = frozenset({"set", "frozenset", "bytes", "bytearray", "complex", "range", "iter", "float", "dict", "list"})
_TRIES = 6  # draws for each call that is wanted, as many draws repeat one another


@dataclass(frozen=True, slots=True)
class Call:
    """One input: statements that set it up, and an expression that calls the code."""

    setup: tuple[str, ...]
    code: str
    origin: Origin = "example"

    @property
    def text(self) -> str:
        """The call as a reader would write it."""
        return "; ".join((*self.setup, in_words(self.code)))


def calls_for(
    task: Task, *, budget: int = 50, seed: int = 0, proposed: Sequence[str] = (), tested: Sequence[str] = ()
) -> list[Call]:
    """At most `budget` calls of what a task's answer defines, cheapest first, each once.

    The examples of question and docstrings, calls that stand in the rest of a unit's file, calls that tests were seen
    to make (`tested`), calls that a model `proposed`, mutations of all these, and values drawn by type hints, defaults
    and names. None where nothing can be called, or nothing is known of its arguments.
    """
    program = program_of(task, task.answer)
    tree = parse(program.code) if program is not None else None
    if program is None or tree is None or budget < 1:
        return []
    rng = random.Random(seed)
    if is_program(task):
        return _of_program(task, tree, budget, rng)
    given = [call for group in examples_of(task) for one in group if (call := _of_example(one, tree)) is not None]
    callees = callees_of(task, program)
    names = {node.name for node in tree.body if isinstance(node, _DEFINITIONS)}
    said = [call for text in proposed if (call := _proposed(text, names)) is not None]
    if task.surroundings is not None:
        given += _in_file(tree, {callee.prefix for callee in callees if callee.owner is None})
    seen = [call for text in tested if (call := _proposed(text, names, "test")) is not None]
    given += [call for call in seen if _called(call) in {callee.name for callee in callees}][: max(4, budget // 2)]
    mutator = Mutator(rng, _domain(task, tree, [*given, *said]))
    found: dict[tuple[tuple[str, ...], str], Call] = {}

    def take(calls: Iterator[Call] | Sequence[Call], most: int) -> None:
        until = min(budget, len(found) + most)
        for call in calls:
            if len(found) >= until:
                return
            if len(call.text) <= LONGEST or call.origin == "example":
                found.setdefault((call.setup, call.code), call)

    take(given, budget)
    take(said, max(4, budget // 3))
    bases = [call for call in found.values() if len(call.text) <= LONGEST]  # what is made of longer ones is too long
    rest = budget - len(found)
    take(_mutations(bases, mutator, rest * _TRIES), rest * 3 // 4)
    take(_drawn(callees, mutator, rest * _TRIES), budget if bases else (rest + 1) // 2)
    short = [call for call in found.values() if len(call.text) <= LONGEST]
    take(_mutations(short, mutator, rest * _TRIES), budget)
    return list(found.values())


def mutations_of(task: Task, calls: Sequence[Call], *, count: int, seed: int, code: str = "") -> list[Call]:
    """Mutations of some calls, each once: to go on from those that ran what few others do. Constants of `code`, another
    version of the answer, are worth trying too."""
    program = program_of(task, task.answer)
    tree = parse(program.code) if program is not None else None
    if tree is None:
        return []
    other = parse(code)
    mutator = Mutator(random.Random(seed), _domain(task, tree if other is None else _both(other, tree), calls))
    known = {(call.setup, call.code) for call in calls}
    found: dict[tuple[tuple[str, ...], str], Call] = {}
    for call in _mutations(calls, mutator, count * _TRIES):
        if len(found) >= count:
            break
        if (call.setup, call.code) not in known:
            found.setdefault((call.setup, call.code), Call(call.setup, call.code, "branch"))
    return list(found.values())


_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def _both(first: ast.Module, second: ast.Module) -> ast.Module:
    return ast.Module([*first.body, *second.body], [])


def _of_example(example: Example, tree: ast.Module) -> Call | None:
    """An example's call, without calls of plain functions before it, which leave nothing behind for it to find.

    The name at the end of an example of a list changed in place is left out too: what a call changes is seen anyway.
    """
    called = parse(example.call)
    if called is None or not called.body:
        return None
    body = called.body
    last = body[-1]
    if len(body) > 1 and isinstance(last, ast.Expr) and isinstance(last.value, ast.Name) and last.value.id == "_given":
        body = body[:-1]
        last = body[-1]
    if not isinstance(last, ast.Expr):
        return None
    before = [node for source in example.setup if (part := parse(source)) is not None for node in part.body]
    if not any(isinstance(node, ast.Global) for node in ast.walk(tree)):
        before = [node for node in before if not _is_plain_call(node)]
    return Call(tuple(ast.unparse(node) for node in [*before, *body[:-1]]), ast.unparse(last.value), "example")


def _is_plain_call(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and isinstance(node.value.func, ast.Name)


def _in_file(tree: ast.Module, prefixes: set[str]) -> Iterator[Call]:
    """Calls of functions with literals only, as they stand in their file."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in prefixes:
            given = [*node.args, *(keyword.value for keyword in node.keywords)]
            if given and all(map(_is_literal, given)):
                yield Call((), ast.unparse(node), "file")


def _called(call: Call) -> str:
    """The name of the function or method that a call calls last."""
    tree = parsed(call.code)
    return ast.unparse(tree.func).rpartition(".")[2] if isinstance(tree, ast.Call) else ""


def _proposed(text: str, names: set[str], origin: Origin = "model") -> Call | None:
    """A call that somebody else wrote: an expression that calls the code with literals, and reads no other name.

    It is made from where results are compared, so it may reach for nothing there: what builds values, no more.
    """
    tree = parsed(text)
    if tree is None or not isinstance(tree, ast.Call):
        return None
    read = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    if (
        not read & names
        or read - names - _BUILDING
        or any(isinstance(node, ast.Attribute) and node.attr.startswith("_") for node in ast.walk(tree))
        or any(isinstance(n, ast.Lambda | ast.Await) for n in ast.walk(tree))
    ):
        return None
    return Call((), ast.unparse(tree), origin)


def _domain(task: Task, tree: ast.Module, calls: Sequence[Call]) -> Domain:
    values = [value for call in calls for value in _literals(call)]
    constants = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    numbers = dict.fromkeys(n for n in constants if type(n) is int and 1 < abs(n) <= 100_000)
    held = [ast.get_docstring(n) for n in ast.walk(tree) if isinstance(n, (*_DEFINITIONS, ast.Module))]
    texts = dict.fromkeys(c for c in constants if isinstance(c, str) and len(c) <= 12 and c not in held)
    return domain_of("\n".join([task.question, *filter(None, held)]), values, list(numbers)[:20], list(texts)[:20])


def _literals(call: Call) -> Iterator[Any]:
    for node in _mutable_nodes(_tree(call)):
        yield ast.literal_eval(node)


def _tree(call: Call) -> ast.Module:
    return ast.parse("\n".join((*call.setup, call.code)))


def _mutable_nodes(tree: ast.AST) -> list[ast.expr]:
    """The literals of a call: arguments of calls, and what the setup binds; the outermost ones."""
    found: list[ast.expr] = []
    for node in ast.walk(tree):
        places: list[ast.expr] = []
        if isinstance(node, ast.Call):
            places = [*node.args, *(keyword.value for keyword in node.keywords)]
        elif isinstance(node, ast.Assign):
            places = [node.value]
        found += [place for place in places if _is_literal(place)]
    return found


def literals_of(call: Call) -> list[Any]:
    """The values that stand in a call and its setup, the outermost ones."""
    return [ast.literal_eval(node) for node in _mutable_nodes(_tree(call))]


def with_literal(call: Call, at: int, value: Any) -> Call:
    """The call with another value in the place of number `at` of its literals."""
    tree = _tree(call)
    swapped = _Swap({id(_mutable_nodes(tree)[at]): ast.parse(repr(value), mode="eval").body}).visit(tree)
    lines = [ast.unparse(node) for node in swapped.body]
    return Call(tuple(lines[:-1]), lines[-1], call.origin)


def _is_literal(node: ast.expr) -> bool:
    try:
        return value_of(node) is not None
    except ValueError:
        return False


def _mutations(bases: Sequence[Call], mutator: Mutator, tries: int) -> Iterator[Call]:
    """Calls in which one value or several are others of the same type."""
    rng = mutator.rng
    usable = [(base, len(_mutable_nodes(_tree(base)))) for base in bases]
    usable = [(base, count) for base, count in usable if count]
    for _ in range(tries if usable else 0):
        base, count = rng.choice(usable)
        tree = _tree(base)
        nodes = _mutable_nodes(tree)
        chosen = {rng.randrange(count)} | {at for at in range(count) if rng.random() < 0.3}
        before = [ast.literal_eval(node) for node in nodes]
        mutator.near = tuple(leaf for leaf in leaves(before) if type(leaf) in (int, float) and abs(leaf) < 1e9)
        after = [mutator.mutated(value) if at in chosen else value for at, value in enumerate(before)]
        _keep_lengths(tree, nodes, before, after, rng)
        new = {id(node): ast.parse(repr(value), mode="eval").body for node, value in zip(nodes, after, strict=True)}
        swapped = _Swap(new).visit(tree)
        lines = [ast.unparse(node) for node in swapped.body]
        yield Call(tuple(lines[:-1]), lines[-1], "mutation")


def _keep_lengths(
    tree: ast.Module, nodes: Sequence[ast.expr], before: Sequence[Any], after: list[Any], rng: random.Random
) -> None:
    """Where a number was the length of a list or text beside it, it stays so: `f([1, 2, 3], 3)`."""
    at = {id(node): i for i, node in enumerate(nodes)}
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        own = [at[id(one)] for one in [*call.args, *(k.value for k in call.keywords)] if id(one) in at]
        for i in own:
            sized = [j for j in own if isinstance(before[j], list | str) and len(before[j]) == before[i] and j < i]
            if type(before[i]) is int and before[i] > 2 and sized and rng.random() < 0.85:
                after[i] = len(after[sized[0]])


class _Swap(ast.NodeTransformer):
    def __init__(self, new: dict[int, ast.expr]) -> None:
        self._new = new

    def visit(self, node: ast.AST) -> Any:
        return self._new[id(node)] if id(node) in self._new else self.generic_visit(node)


def _drawn(callees: Sequence[Callee], mutator: Mutator, tries: int) -> Iterator[Call]:
    """Calls with values drawn for each parameter."""
    rng = mutator.rng
    for _ in range(tries if callees else 0):
        callee = rng.choice(callees)
        arguments = _arguments(callee.arguments, mutator)
        if arguments is None:
            continue
        if callee.owner is None:
            yield Call((), f"{callee.prefix}({arguments})", "strategy")
            continue
        owner, parameters = callee.owner
        if not parameters and not _has_state(callees):
            yield Call((), f"{owner}().{callee.name}({arguments})", "strategy")
            continue
        made = _arguments(parameters, mutator)
        if made is None:
            continue
        setup = [f"{OBJECT} = {owner}({made})"]
        others = [one for one in callees if one.owner is not None and one.owner[0] == owner]
        for _ in range(rng.choice((0, 0, 1, 2, 4)) if len(others) > 1 else 0):
            other = rng.choice(others)
            given = _arguments(other.arguments, mutator)
            if given is not None:
                setup.append(f"{other.prefix}({given})")
        yield Call(tuple(setup), f"{callee.prefix}({arguments})", "strategy")


def _has_state(callees: Sequence[Callee]) -> bool:
    """Whether what one method does may depend on what others did before."""
    return any(
        (isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)) or isinstance(node, ast.AugAssign)
        for callee in callees
        for argument in callee.arguments
        for node in ast.walk(argument.uses)
        if not isinstance(node, ast.AugAssign) or isinstance(node.target, ast.Attribute)
    )


def _arguments(parameters: Sequence[Argument], mutator: Mutator) -> str | None:
    """Arguments as source; None where nothing is known of one that is needed."""
    parts: list[str] = []
    skipped = False
    for parameter in parameters:
        if parameter.default is not None and mutator.rng.random() < 0.5:
            skipped = True
            continue
        source = value_source(parameter, mutator)
        if source is None:
            if parameter.default is None:
                return None
            skipped = True
            continue
        named = parameter.keyword or skipped
        parts.append(f"{parameter.name}={source}" if named else source)
    return ", ".join(parts)


def _of_program(task: Task, tree: ast.Module, budget: int, rng: random.Random) -> list[Call]:
    """Calls of a program that reads standard input: the inputs of the question, and others like them."""
    given = [sample.given for sample in samples_in(task.question)]
    mutator = Mutator(rng, domain_of_inputs(given, _domain(task, tree, [])))
    found: dict[str, Origin] = dict.fromkeys(given, "example")
    for text in inputs_like(given, mutator, budget * _TRIES):
        if len(found) >= budget:
            break
        if len(text) <= LONGEST:
            found.setdefault(text, "mutation")
    return [Call((), call_on(text), origin) for text, origin in found.items()][:budget]
