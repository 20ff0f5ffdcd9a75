"""Whole statements: left out, in the wrong order, in the wrong place; first values."""

# ruff: noqa: E501 (a phrasing stays on one line, however long)

from __future__ import annotations

import ast
import random
from collections.abc import Iterator

from momus.tamper.operators.aliasing import ALTERING
from momus.tamper.operators.base import Site, operator, site
from momus.tamper.operators.flow import function_name
from momus.tamper.operators.surroundings import is_read, own_nodes
from momus.tamper.source import Source, name_of

_RELEASING = frozenset({"close", "release", "shutdown", "terminate", "unlock", "disconnect"})


def releases(node: ast.stmt) -> bool:
    """Whether a statement gives something back: a file, a lock, a process."""
    match node:
        case ast.Expr(value=ast.Call(func=ast.Attribute(attr=method))):
            return method in _RELEASING
    return False


def _calls_super(node: ast.stmt) -> bool:
    match node:
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Call(func=ast.Name(id="super"))))):
            return True
    return False


def _loop_names(source: Source, node: ast.stmt) -> set[str]:
    loop = source.loop(node)
    if not isinstance(loop, ast.While):
        return set()
    return {n.id for n in ast.walk(loop.test) if isinstance(n, ast.Name)}


@operator(
    "drop-statement",
    "missing-statement",
    "high",
    "A step is missing <here|at this point>: `{code}` <has to run|belongs here> before the code goes on.",
    "`{target}` is <never updated|not set> here; <without|for lack of> `{code}`, what reads it later gets an old value or none.",
    "{endless}Nothing in the loop <moves|advances> `{name}`, so its condition never turns false and it runs forever: add `{code}`.",
    "{call}The call `{code}` is missing, so what it does <to|with> `{object}` is not done <here|at this point>.",
    "`{function}` forgets to do `{code}`, and its <effect|result> is incomplete without it.",
    "{in_loop}Each pass should also do `{code}`; as it stands <this|that step> is <left out|not done>.",
    "<Next to|Beside> `{near}` there has to be `{code}` as well, or its part of the work is <left out|missing>.",
)
def drop_statement(source: Source, rng: random.Random) -> Iterator[Site]:
    nodes: list[ast.stmt] = [*source.targets(ast.Expr), *source.targets(ast.AugAssign), *source.targets(ast.Assign)]
    for node in nodes:
        facts: dict[str, str | None] = {}
        match node:
            case ast.Expr(value=ast.Call(func=ast.Attribute(value=base, attr=method)) as call):
                if _calls_super(node) or releases(node) or not source.is_target(call):
                    continue
                if (name_of(base) or "").lower() in ("logger", "log", "logging", "warnings", "gc", "time", "sys"):
                    continue
                if method in _UNNOTICED:
                    continue
                facts = {"call": "", "object": source.brief(base)}
            case ast.Expr(value=ast.Call(func=ast.Name(id=name))) if name not in ("print", "warn", "sleep"):
                pass
            case ast.AugAssign(target=target) | ast.Assign(targets=[ast.Attribute() | ast.Subscript() as target]):
                if not _matters(source, node, target):
                    continue
                facts = {"target": source.short(target)}
                if isinstance(target, ast.Name) and _moves_alone(source, node, target.id):
                    facts |= {"endless": "", "name": target.id}
            case ast.Assign(targets=[ast.Name(id=name) as target]):
                if source.scope(node).bound.get(name, node.lineno) >= node.lineno or _is_cast(node.value):
                    continue  # the first value of a name: without it any linter would see that it is undefined
                if not is_read(source, target, after=node.lineno) and source.loop(node) is None:
                    continue
                facts = {"target": name}
                if _moves_alone(source, node, name):
                    facts |= {"endless": "", "name": name}
            case _:
                continue
        edit = source.without(node)
        code = source.short(node)
        if edit is None or code is None or (edit.replacement and source.function(node) is source.parents[node]):
            continue  # the last case would leave a function with nothing in it, which is no slip
        block, place = source.block(node)
        near = block[place - 1] if place else None
        yield site(
            edit,
            code=code,
            function=function_name(source, node),
            in_loop="" if source.loop(node) is not None else None,
            near=source.short(near, 40) if isinstance(near, ast.Assign | ast.AugAssign) else None,
            **facts,
        )


_UNNOTICED = frozenset({"write", "flush", "sleep", "collect", "debug", "info", "warning", "warn", "error", "setLevel"})


def _matters(source: Source, node: ast.Assign | ast.AugAssign, target: ast.expr) -> bool:
    """Whether the text shows that something is missed without an assignment: it is read, or is all that a value is for."""
    if isinstance(target, ast.Name):
        return is_read(source, target, after=node.lineno) or source.loop(node) is not None
    if isinstance(target, ast.Subscript):
        scope, base = source.scope(node), target.value
        local = isinstance(base, ast.Name) and base.id in scope.bound and base.id not in scope.parameters
        return not local or is_read(source, base, after=node.lineno)
    if is_read(source, target):
        return True
    named = {n.id for n in ast.walk(node.value) if isinstance(n, ast.Name) and n.id in source.scope(node).bound}
    function = source.function(node)
    inside = [] if function is None else [n for n in own_nodes(function) if isinstance(n, ast.Name)]
    return any(sum(n.id == name and isinstance(n.ctx, ast.Load) for n in inside) == 1 for name in named)


def _is_cast(value: ast.expr) -> bool:
    return isinstance(value, ast.Call) and name_of(value.func) == "cast"


def _moves_alone(source: Source, node: ast.stmt, name: str) -> bool:
    """Whether a `while` loop ends by nothing but what a statement does to a name."""
    loop = source.loop(node)
    if not isinstance(loop, ast.While) or _loop_names(source, node) != {name}:
        return False
    inside = [n for step in loop.body for n in ast.walk(step)]
    if any(isinstance(n, ast.Break | ast.Return | ast.Raise | ast.Yield) for n in inside):
        return False
    return sum(isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Store) for n in inside) == 1


@operator(
    "drop-super-call",
    "missing-statement",
    "high",
    "{init}The base class is never <initialised|set up>: `{code}` is missing, so what it <sets up|does> is absent.",
    "`{function}` does not call its parent's `{method}`; <the parent's part of the work|what the parent does> <is left out|is missing>.",
    "<Add|This needs> `{code}`: without it the inherited `{method}` <never runs|is not run> here.",
    "{init}The inherited `{method}` is <skipped|cut off>, because nothing calls `super()` <here|in `{function}`>; attributes of the base class may not exist.",
    "The inherited `{method}` is <skipped|cut off>: nothing calls `super()` <here|in `{function}`>.",
)
def drop_super_call(source: Source, rng: random.Random) -> Iterator[Site]:
    for node in source.targets(ast.Expr):
        if not _calls_super(node) or (edit := source.without(node)) is None or edit.replacement:
            continue
        call = node.value
        method = call.func.attr if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) else ""
        yield site(
            edit,
            code=source.brief(node),
            method=method,
            function=function_name(source, node),
            init="" if method == "__init__" else None,
        )


@operator(
    "drop-scope-declaration",
    "missing-statement",
    "high",
    "Without `{code}` the <assignment|name> `{name}` is local to `{function}`: the outer variable never <sees|gets> the new value.",
    "`{name}` is assigned here but not declared `{kind}`, so a local is made; reading it first raises UnboundLocalError.",
    "<Missing|This needs> `{code}`: `{function}` means to update the outer `{name}`, but it only makes a local one.",
    "The outer `{name}` stays as it is, because `{function}` <binds|assigns> a local of that name; declare it `{kind}`.",
)
def drop_scope_declaration(source: Source, rng: random.Random) -> Iterator[Site]:
    nodes: list[ast.Global | ast.Nonlocal] = [*source.targets(ast.Global), *source.targets(ast.Nonlocal)]
    for node in nodes:
        function = source.function(node)
        edit = source.without(node)
        if function is None or edit is None:
            continue
        stored = {n.id for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        name = next((n for n in node.names if n in stored), None)
        if name is not None:
            kind = "global" if isinstance(node, ast.Global) else "nonlocal"
            yield site(edit, code=source.brief(node), name=name, kind=kind, function=function.name)


@operator(
    "swap-statements",
    "wrong-order",
    "high",
    "These two steps are in the wrong order: `{second}` has to <come|run> after `{first}`, which <sets|prepares> `{name}`.",
    "`{second}` uses `{name}` before `{first}` has <updated|set> it, so it <sees|works with> an old value or none.",
    "The order matters <here|for these lines>: `{name}` is <read|used> one line too early. <Swap|Exchange> the two statements.",
    "`{name}` is used first and <set|updated> afterwards; <move|put> `{first}` before `{second}`.",
)
def swap_statements(source: Source, rng: random.Random) -> Iterator[Site]:
    for first in source.statements():
        block, place = source.block(first)
        if place + 1 == len(block):
            continue
        second = block[place + 1]
        if not isinstance(first, ast.Assign | ast.AugAssign | ast.Expr):
            continue
        if not isinstance(second, ast.Assign | ast.AugAssign | ast.Expr):
            continue
        if first.lineno != first.end_lineno or second.lineno != second.end_lineno:
            continue
        if second.lineno != first.lineno + 1 or not source.is_target(first):
            continue
        shared = sorted(_written(first) & (_worked_with(second) if isinstance(first, ast.Expr) else _read(second)))
        if not shared or not (source.on_own_lines(first) and source.on_own_lines(second)):
            continue
        yield site(
            source.edit(first, source.code(second)),
            source.edit(second, source.code(first)),
            first=source.brief(first),
            second=source.brief(second),
            name=shared[0],
        )


def _written(node: ast.stmt) -> set[str]:
    found = {ast.unparse(n) for n in ast.walk(node) if _is_place(n) and isinstance(getattr(n, "ctx", None), ast.Store)}
    match node:
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=method))) if method in ALTERING:
            found.add(name)
        case ast.AugAssign(target=target):
            found.add(ast.unparse(target))
    return found


def _read(node: ast.stmt) -> set[str]:
    return {ast.unparse(n) for n in ast.walk(node) if _is_place(n) and isinstance(getattr(n, "ctx", None), ast.Load)}


_READING = frozenset(
    ["len", "sum", "max", "min", "sorted", "list", "tuple", "set", "str", "any", "all", "join", "dict"]
)


def _worked_with(node: ast.stmt) -> set[str]:
    """The names of which a statement reads what they hold: where it only passes them on, it may be altered later."""
    found: set[str] = set()
    for n in ast.walk(node):
        match n:
            case ast.Call(func=func, args=args) if name_of(func) in _READING:
                found.update(arg.id for arg in args if isinstance(arg, ast.Name))
            case ast.Attribute(value=ast.Name(id=name)) | ast.Subscript(value=ast.Name(id=name)):
                found.add(name)
            case ast.BinOp(left=left, right=right):
                found.update(side.id for side in (left, right) if isinstance(side, ast.Name))
    return found


def _is_place(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) or (isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name))


OPERATORS = (
    drop_statement,
    drop_super_call,
    drop_scope_declaration,
    swap_statements,
)
