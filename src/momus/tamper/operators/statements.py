"""Whole statements: left out, in the wrong order, in the wrong place; first values."""

# ruff: noqa: E501 (a phrasing stays on one line, however long)

from __future__ import annotations

import ast
import random
from collections.abc import Iterator

from momus.tamper.operators.aliasing import is_altered
from momus.tamper.operators.base import Site, operator, site
from momus.tamper.operators.flow import function_name
from momus.tamper.quoting import quotable
from momus.tamper.source import Edit, Source, name_of

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
    "{in_loop}Each pass should also do `{code}`; as it stands the loop <leaves no trace in|does not update> `{object}`.",
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
                if (name_of(base) or "").lower() in ("logger", "log", "logging", "warnings") or method == "write":
                    continue
                facts = {"call": "", "object": source.brief(base)}
            case ast.Expr(value=ast.Call(func=ast.Name(id=name))) if name not in ("print", "warn"):
                pass
            case ast.AugAssign(target=target):
                facts = {"target": source.short(target), "object": source.brief(target)}
                if isinstance(target, ast.Name) and target.id in _loop_names(source, node):
                    facts |= {"endless": "", "name": target.id}
            case ast.Assign(targets=[ast.Attribute() | ast.Subscript() as target]):
                facts = {"target": source.short(target), "object": source.brief(target)}
            case ast.Assign(targets=[ast.Name(id=name) as target]):
                if source.scope(node).bound.get(name, node.lineno) >= node.lineno:
                    continue  # the first value of a name: without it any linter would see that it is undefined
                facts = {"target": name, "object": name}
                if name in _loop_names(source, node):
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


@operator(
    "drop-super-call",
    "missing-statement",
    "high",
    "The base class is never <initialised|told>: `{code}` is missing, so what it <sets up|does> is absent.",
    "`{function}` does not call its parent's `{method}`; <the parent's part of the work|what the parent sets up> <is left out|is missing>.",
    "<Add|This needs> `{code}`: without it the inherited `{method}` never runs for this object.",
    "The inherited `{method}` is <skipped|cut off>, because nothing calls `super()` <here|in `{function}`>; attributes of the base class may not exist.",
)
def drop_super_call(source: Source, rng: random.Random) -> Iterator[Site]:
    for node in source.targets(ast.Expr):
        if not _calls_super(node) or (edit := source.without(node)) is None or edit.replacement:
            continue
        call = node.value
        method = call.func.attr if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) else ""
        yield site(edit, code=source.brief(node), method=method, function=function_name(source, node))


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
        shared = sorted(_written(first) & _read(second))
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
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=name)))) if name not in ("self", "cls"):
            found.add(name)
        case ast.AugAssign(target=target):
            found.add(ast.unparse(target))
    return found


def _read(node: ast.stmt) -> set[str]:
    return {ast.unparse(n) for n in ast.walk(node) if _is_place(n) and isinstance(getattr(n, "ctx", None), ast.Load)}


def _is_place(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) or (isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name))


_FIRST_VALUES = {
    "0": ("1", "None", "-1"),
    "1": ("0",),
    "-1": ("0",),
    "0.0": ("1.0",),
    "1.0": ("0.0",),
    "[]": ("None", "{}"),
    "{}": ("None", "[]"),
    "set()": ("None", "[]"),
    "''": ("None", "' '"),
    '""': ("None", '" "'),
    "None": ("0", "[]", "''"),
    "True": ("False",),
    "False": ("True",),
    "float('inf')": ("0", "float('-inf')"),
    'float("inf")': ("0", 'float("-inf")'),
    "float('-inf')": ("0", "float('inf')"),
    'float("-inf")': ("0", 'float("inf")'),
    "math.inf": ("0", "-math.inf"),
    "-math.inf": ("0", "math.inf"),
    "[0]": ("[1]", "[]"),
    "[1]": ("[0]",),
}


@operator(
    "wrong-initial-value",
    "wrong-initialisation",
    "high",
    "`{name}` starts <with|from> `{new}`, but <it has to|it should> start from `{old}`; the result is <wrong|off> from the beginning.",
    "The <initial|first> value of `{name}` is wrong: <use|it should be> `{old}`, not `{new}`.",
    "{looped}Before the loop `{name}` has to be `{old}`; starting from `{new}` <spoils|falsifies> what the passes compute.",
    "{none}`{name}` begins as None, so its first use <below|later on> raises TypeError or AttributeError; start with `{old}`.",
    "<Initialise|Set> `{name}` to `{old}`: from `{new}` on, everything <built on|derived from> it <is wrong|comes out wrong>.",
)
def wrong_initial_value(source: Source, rng: random.Random) -> Iterator[Site]:
    for node in source.targets(ast.Assign):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                code = source.code(value)
            case _:
                continue
        scope = source.scope(node)
        if code not in _FIRST_VALUES or scope.bound.get(name) != node.lineno or not _used_after(source, node, name):
            continue
        if code == "None" and not _is_asked_for_none(source, node, name):
            continue  # any other value that is false may do as well
        block, place = source.block(node)
        looped = any(isinstance(s, ast.For | ast.While) for s in block[place + 1 : place + 5])
        new = rng.choice(_FIRST_VALUES[code])
        yield site(
            source.edit(value, new),
            name=name,
            old=code,
            new=new,
            looped="" if looped else None,
            none="" if new == "None" else None,
        )


def _is_asked_for_none(source: Source, node: ast.stmt, name: str) -> bool:
    """Whether the code around asks if a name is None."""
    for found in ast.walk(source.function(node) or source.tree):
        match found:
            case ast.Compare(left=ast.Name(id=left), comparators=[ast.Constant(value=None)]) if left == name:
                return True
    return False


def _used_after(source: Source, node: ast.stmt, name: str) -> bool:
    """Whether a name is read again after a first value was given to it, or given another one."""
    owner = source.function(node) or source.tree
    return any(isinstance(n, ast.Name) and n.id == name and n.lineno > node.lineno for n in ast.walk(owner))


@operator(
    "reset-in-loop",
    "wrong-initialisation",
    "high",
    "`{code}` <runs|stands> inside the loop, so `{name}` is <reset|emptied> in every pass; <move|put> it before the loop.",
    "`{name}` forgets the earlier passes: `{code}` belongs <before|in front of> `{loop}`.",
    "Only the last pass <counts|survives>, since each one begins by setting `{name}` <anew|afresh>. Initialise it before the loop.",
    "<Initialise|Set up> `{name}` once, ahead of the loop; inside it, `{code}` <throws away|loses> what has been gathered.",
)
def reset_in_loop(source: Source, rng: random.Random) -> Iterator[Site]:
    for node in source.targets(ast.Assign):
        block, place = source.block(node)
        loop = block[place + 1] if place + 1 < len(block) else None
        match node, loop:
            case ast.Assign(targets=[ast.Name(id=name)]), (ast.For() | ast.While()) as loop:
                pass
            case _:
                continue
        body = loop.body[0]
        header_end = body.lineno - 1
        if loop.lineno != node.lineno + 1 or node.lineno != node.end_lineno or header_end != loop.lineno:
            continue
        inside = {n.id for s in loop.body for n in ast.walk(s) if isinstance(n, ast.Name)}
        if name not in inside or not source.on_own_lines(node) or is_read_by_header(loop, name):
            continue
        if not is_altered(source, name, loop.body) and not _is_bound_in(loop, name):
            continue  # the same in every pass
        gone = source.lines(node.lineno, node.lineno)
        at = source.map.line_span(body.lineno)[0]
        indent = source.indentation(body.lineno)
        yield site(
            Edit(gone.start, gone.end, ""),
            Edit(at, at, f"{indent}{source.text[source.span(node).start : gone.end]}"),
            code=source.brief(node),
            name=name,
            loop=quotable(source.text[source.span(loop).start : source.map.line_span(loop.lineno)[1]].strip()),
        )


def _is_bound_in(loop: ast.For | ast.While, name: str) -> bool:
    nodes = (n for step in loop.body for n in ast.walk(step) if isinstance(n, ast.Name))
    return any(n.id == name and isinstance(n.ctx, ast.Store) for n in nodes)


def is_read_by_header(loop: ast.For | ast.While, name: str) -> bool:
    header = loop.iter if isinstance(loop, ast.For) else loop.test
    return any(isinstance(n, ast.Name) and n.id == name for n in ast.walk(header))


OPERATORS = (
    drop_statement,
    drop_super_call,
    drop_scope_declaration,
    swap_statements,
    wrong_initial_value,
    reset_in_loop,
)
