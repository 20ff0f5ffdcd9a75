"""Objects shared by mistake: copies left out, mutable defaults."""

# ruff: noqa: E501 (a phrasing stays on one line, however long)

from __future__ import annotations

import ast
import random
from collections.abc import Iterator

from momus.tamper.operators.base import Site, operator, site
from momus.tamper.source import Function, Source


def wrapped(source: Source, call: ast.Call, names: frozenset[str]) -> tuple[str, ast.expr] | None:
    """The function and the argument of `f(x)`, for some functions."""
    match call:
        case ast.Call(func=ast.Name(id=name), args=[argument], keywords=[]) if name in names:
            plain = call.lineno == call.end_lineno and not isinstance(argument, ast.Starred)
            return (name, argument) if plain else None
    return None


def idle(source: Source, whole: ast.expr, value: ast.expr) -> bool:
    """Whether `x = f(x)` would become `x = x`, which no one writes."""
    match source.parents.get(whole):
        case ast.Assign(targets=[target]):
            return source.code(target) == source.code(value)
    return False


COPYING = frozenset({"list", "dict", "set", "copy", "deepcopy", "bytearray"})


@operator(
    "drop-copy",
    "aliasing",
    "high",
    "`{value}` is not copied <here|first>, so <a later edit|whatever is altered later> also <shows up in|hits> the object it came from. Use `{old}`.",
    "`{target}` and `{value}` are one and the same object: <editing|modifying> the first alters the other too. <Copy it|Make a copy> with `{old}`.",
    "{iterated}The loop <walks over|iterates> `{value}` itself; if its body adds or removes items, some are skipped or RuntimeError is raised. Use `{old}`.",
    "{returned}This hands out `{value}` itself: a caller that modifies the result <alters|damages> the inner state. Return `{old}`.",
    "{stored}The object keeps <a reference to|hold of> the caller's `{value}`, which the caller may still <alter|modify>. Store `{old}`.",
    "<A copy is missing|This shares state>: `{value}` is passed on as it is, though an independent copy, `{old}`, is needed.",
)
def drop_copy(source: Source, rng: random.Random) -> Iterator[Site]:
    nodes: list[tuple[ast.expr, ast.expr]] = []
    for call in source.targets(ast.Call):
        match call:
            case ast.Call(func=ast.Attribute(value=value, attr="copy"), args=[], keywords=[]):
                nodes.append((call, value))
            case ast.Call(func=ast.Attribute(value=ast.Name(id="copy"), attr="copy" | "deepcopy"), args=[value]):
                nodes.append((call, value))
            case _:
                found = wrapped(source, call, COPYING)
                if found is not None and isinstance(found[1], ast.Name | ast.Attribute | ast.Subscript):
                    nodes.append((call, found[1]))
    for node in source.targets(ast.Subscript):
        match node:
            case ast.Subscript(value=value, slice=ast.Slice(lower=None, upper=None, step=None), ctx=ast.Load()):
                nodes.append((node, value))
    for whole, value in nodes:
        old = source.short(whole)
        if old is None or isinstance(value, ast.Starred) or idle(source, whole, value):
            continue
        facts: dict[str, str | None] = {}
        match source.parents.get(whole):
            case ast.Assign(targets=[ast.Attribute()]):
                facts = {"stored": ""}
            case ast.Assign(targets=[target]):
                facts = {"target": source.short(target)}
            case ast.For():
                facts = {"iterated": ""}
            case ast.Return():
                facts = {"returned": ""}
            case ast.Call() | ast.keyword():
                pass
            case _:
                continue
        yield site(source.edit(whole, source.code(value)), value=source.brief(value), old=old, **facts)


@operator(
    "mutable-default",
    "mutable-default",
    "high",
    "The default `{new}` of `{name}` is made once and shared by all calls: what one call <puts in|adds> the next one <finds|sees>. Use None.",
    "A mutable default: `{name}={new}` <lives on|persists> between calls of `{function}`. <Take|Use> None and make a fresh one inside.",
    "Calls of `{function}` without `{name}` all <work on|share> one object, as `{new}` is evaluated only when the function is defined.",
    "`{name}` should default to None: with `{new}` <state leaks|data carries over> from one call to the next.",
)
def mutable_default(source: Source, rng: random.Random) -> Iterator[Site]:
    functions: list[Function] = [*source.targets(ast.FunctionDef), *source.targets(ast.AsyncFunctionDef)]
    for function in functions:
        plain = [*function.args.posonlyargs, *function.args.args]
        defaults: list[tuple[ast.arg, ast.expr | None]] = [
            *zip(reversed(plain), reversed(function.args.defaults), strict=False),
            *zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True),
        ]
        if not any(isinstance(d, ast.Constant) and d.value is None for _, d in defaults):
            continue
        fresh = dict(_guarded(function))
        for parameter, default in defaults:
            if isinstance(default, ast.Constant) and default.value is None and parameter.arg in fresh:
                new = fresh[parameter.arg]
                yield site(source.edit(default, new), name=parameter.arg, new=new, function=function.name)


def _guarded(function: Function) -> Iterator[tuple[str, str]]:
    """Names that get a fresh container where they are None or empty, with the container's code."""
    for node in ast.walk(function):
        match node:
            case ast.If(test=test, body=body):
                asked = {n.id for n in ast.walk(test) if isinstance(n, ast.Name)}
                for step in body:
                    match step:
                        case ast.Assign(targets=[ast.Name(id=name)], value=value) if name in asked and _is_empty(value):
                            yield name, ast.unparse(value)
            case ast.BoolOp(op=ast.Or(), values=[ast.Name(id=name), value]) if _is_empty(value):
                yield name, ast.unparse(value)
            case ast.IfExp(body=body, orelse=orelse):
                for value, other in ((body, orelse), (orelse, body)):
                    if _is_empty(value) and isinstance(other, ast.Name):
                        yield other.id, ast.unparse(value)


def _is_empty(value: ast.expr) -> bool:
    """Whether an expression makes an empty container."""
    match value:
        case ast.List(elts=[]) | ast.Dict(keys=[]):
            return True
        case ast.Call(func=ast.Name(id="set" | "dict" | "list" | "defaultdict" | "deque"), args=[], keywords=[]):
            return True
    return False


OPERATORS = (drop_copy, mutable_default)
