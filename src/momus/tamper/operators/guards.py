"""Guards that are left out, branches of one decision that become two."""

# ruff: noqa: E501 (a phrasing stays on one line, however long)

from __future__ import annotations

import ast
import random
from collections.abc import Iterator

from momus.tamper.operators.base import Site, operator, site
from momus.tamper.operators.surroundings import leaves, relied_on
from momus.tamper.source import Edit, Source


@operator(
    "drop-guard",
    "missing-check",
    "high",
    "<Nothing|No check> here handles `{test}`: <that case|it> should <end|be dealt with> by `{action}` before the code goes on.",
    "{relied}The case `{test}` is not <checked|caught> first, so <the code below|what follows> runs on a value it cannot <handle|work with>.",
    "The case `{test}` is not <checked|dealt with> first, so <the code below|what follows> runs for it as for any other.",
    "{raises}A <guard|check> is missing: when `{test}`, this has to raise {error} instead of <going on|continuing>.",
    "{leaves}An early `{action}` for `{test}` is missing; without it the rest <runs|is done> for that case too.",
    "There is no guard against `{test}` before this <code runs|point>; add `if {test}: {action}`.",
    "`{name}` is used without a check: if `{test}`, <the function|this> should `{action}`.",
)
def drop_guard(source: Source, rng: random.Random) -> Iterator[Site]:
    for node in source.targets(ast.If):
        if node.orelse or len(node.body) != 1:
            continue
        action = node.body[0]
        if not isinstance(action, ast.Return | ast.Raise | ast.Continue | ast.Break):
            continue
        block, place = source.block(node)
        parent = source.parents[node]
        if place + 1 == len(block) or (isinstance(parent, ast.If) and block is parent.orelse):
            continue
        edit = source.without(node)
        test = source.short(node.test)
        if isinstance(node.test, ast.UnaryOp) and isinstance(action, ast.Return) and _is_nothing(action.value):
            continue  # of nothing the code below often makes nothing by itself
        if isinstance(action, ast.Return) and _looks_up(source, node.test, action.value):
            continue  # without it the same is worked out again
        rest = block[place + 1 :]
        relied = relied_on(source, node.test, rest)
        if relied is None and _is_there(node.test) and not isinstance(action, ast.Raise):
            continue  # of nothing what follows may well make nothing
        if edit is None or test is None:
            continue
        facts: dict[str, str | None] = {"leaves": ""}
        if isinstance(action, ast.Raise):
            facts = {"raises": "", "error": _error(source, action)}
        called = {n.func for n in ast.walk(node.test) if isinstance(n, ast.Call)}
        used = {n.id for step in rest for n in ast.walk(step) if isinstance(n, ast.Name)}
        names = [n.id for n in ast.walk(node.test) if isinstance(n, ast.Name) and n not in called and n.id in used]
        code = source.short(action, 40)
        facts["name"] = names[0] if names and code else None
        facts["relied"] = "" if relied is not None and isinstance(node.test, ast.UnaryOp | ast.Compare) else None
        yield site(edit, test=test, action=source.brief(action), **facts)


def _is_there(test: ast.expr) -> bool:
    """Whether a test asks if something is there at all, or is empty."""
    match test:
        case ast.UnaryOp(op=ast.Not(), operand=ast.Name() | ast.Attribute() | ast.Subscript() | ast.Call()):
            return True
        case ast.Compare(ops=[ast.Is()], comparators=[ast.Constant(value=None)]):
            return True
        case ast.Compare(left=ast.Call(func=ast.Name(id="len"))):
            return True
    return False


def _looks_up(source: Source, test: ast.expr, value: ast.expr | None) -> bool:
    """Whether a short cut is taken: what is returned was kept under a key, or is what was tested, or its sameness."""
    if value is not None and any(
        isinstance(n, ast.expr) and source.code(n) == source.code(value) for n in ast.walk(test)
    ):
        return True
    match test:
        case ast.Compare(ops=[ast.In()], comparators=[place]) if isinstance(value, ast.Subscript):
            return source.code(place) == source.code(value.value)
        case ast.Compare(ops=[ast.Is()], comparators=[ast.Name() | ast.Attribute()]):
            return True
    return False


def _is_nothing(value: ast.expr | None) -> bool:
    match value:
        case ast.List(elts=[]) | ast.Tuple(elts=[]) | ast.Dict(keys=[]):
            return True
        case ast.Call(args=[], keywords=[]):
            return True
        case ast.Constant(value=found):
            return found is not None and not found
    return False


def _error(source: Source, action: ast.Raise) -> str:
    error = action.exc.func if isinstance(action.exc, ast.Call) else action.exc
    return f"`{source.brief(error)}`" if error is not None else "the error again"


@operator(
    "elif-to-if",
    "wrong-condition",
    "medium",
    "This `if` starts a new decision, so it is <tested|tried> even when an earlier branch <was taken|has already matched>; it should be `elif`.",
    "After `{before}` has matched, `{test}` is still <tested|checked>, and where it is false the `else` runs. Use `elif`.",
    "The cases `{before}` and `{test}` <are alternatives|belong to one chain>: make this an `elif`.",
    "The `else` below belongs to this `if`, so it also runs when `{before}` was true. Write `elif {test}`.",
)
def elif_to_if(source: Source, rng: random.Random) -> Iterator[Site]:
    for node in source.targets(ast.If):
        if len(node.orelse) != 1 or not isinstance(node.orelse[0], ast.If):
            continue
        follow = node.orelse[0]
        start = source.span(follow).start
        if source.text[start : start + 4] != "elif" or leaves(node.body) or not _has_else(follow):
            continue
        yield site(Edit(start, start + 4, "if"), before=source.brief(node.test), test=source.brief(follow.test))


def _has_else(branch: ast.If) -> bool:
    """Whether a branch is followed by an `else` that does something: without one, cases that exclude each other may stay."""
    if len(branch.orelse) == 1 and isinstance(branch.orelse[0], ast.Pass):
        return False
    return bool(branch.orelse) and not (len(branch.orelse) == 1 and isinstance(branch.orelse[0], ast.If))


OPERATORS = (drop_guard, elif_to_if)
