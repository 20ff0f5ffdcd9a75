"""Objects shared by mistake: copies left out, mutable defaults."""

# ruff: noqa: E501 (a phrasing stays on one line, however long)

from __future__ import annotations

import ast
import random
from collections.abc import Iterable, Iterator

from momus.critique import Span
from momus.tamper.operators.base import Site, operator, site
from momus.tamper.quoting import quotable
from momus.tamper.source import Function, Source, name_of


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
# Methods by which a container shows of which kind it is, and those that alter it.
_METHODS_OF = {
    "list": frozenset({"append", "extend", "insert", "sort", "reverse"}),
    "dict": frozenset({"keys", "items", "values", "setdefault"}),
    "set": frozenset({"add", "discard", "union", "issubset", "issuperset"}),
    "bytearray": frozenset({"append", "extend"}),
}
ALTERING = frozenset(
    (
        *("append", "extend", "insert", "sort", "reverse", "remove", "pop", "popleft", "appendleft", "popitem"),
        *("clear", "update", "setdefault", "add", "discard", "difference_update", "intersection_update"),
        *("symmetric_difference_update", "move_to_end"),
    )
)


def is_altered(source: Source, code: str, steps: Iterable[ast.AST]) -> bool:
    """Whether one of the steps alters the object of an expression's code: by a method, an item, or in place."""
    for node in (n for step in steps for n in ast.walk(step)):
        match node:
            case ast.Call(func=ast.Attribute(value=base, attr=method)) if method in ALTERING:
                found = base
            case ast.Subscript(value=base, ctx=ast.Store() | ast.Del()):
                found = base
            case ast.AugAssign(target=ast.Name() | ast.Attribute() as base):
                found = base
            case _:
                continue
        if source.code(found) == code:
            return True
    return False


def is_a(source: Source, kind: str, value: ast.expr) -> bool:
    """Whether the code around an expression shows that it is a list, a dict or a set, so that a copy is like it.

    Of anything else `list(x)` is no copy: without it follows a TypeError, or nothing at all.
    """
    code = source.code(value)
    for node in ast.walk(source.function(value) or source.tree):
        match node:
            case ast.Call(func=ast.Attribute(value=base, attr=method)) if method in _METHODS_OF.get(kind, ()):
                if source.code(base) == code:
                    return True
            case ast.Assign(targets=[target], value=made) if source.code(target) == code and makes(kind, made):
                return True
            case ast.arg(arg=name, annotation=ast.expr() as noted) if name == code:
                named = name_of(noted.value if isinstance(noted, ast.Subscript) else noted) or ""
                if named.lower() == kind:
                    return True
    return False


def makes(kind: str, value: ast.expr) -> bool:
    match value:
        case ast.List() | ast.ListComp():
            return kind == "list"
        case ast.Dict() | ast.DictComp():
            return kind == "dict"
        case ast.Set() | ast.SetComp():
            return kind == "set"
        case ast.Call(func=ast.Name(id=name)):
            return name == kind
    return False


@operator(
    "drop-copy",
    "aliasing",
    "high",
    "{kept}`{value}` is not copied <here|first>, so <a later edit|whatever is altered later> also <shows up in|hits> the object it came from. Use `{old}`.",
    "`{target}` and `{value}` are one and the same object: <editing|modifying> the first alters the other too. <Copy it|Make a copy> with `{old}`.",
    "{iterated}The loop <walks over|iterates> `{value}` itself; if its body adds or removes items, some are skipped or RuntimeError is raised. Use `{old}`.",
    "{returned}This hands out `{value}` itself: a caller that modifies the result <alters|damages> the inner state. Return `{old}`.",
    "{stored}The object keeps <a reference to|hold of> the caller's `{value}`, which the caller may still <alter|modify>. Store `{old}`.",
    "<A copy is missing|This shares state>: `{value}` is <used|taken> as it is, though an independent copy, `{old}`, is needed.",
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
        kind = name_of(whole.func) if isinstance(whole, ast.Call) and isinstance(whole.func, ast.Name) else None
        if kind is not None and kind in _METHODS_OF and not is_a(source, kind, value):
            continue
        facts = _shared(source, whole, value)
        if facts is not None:
            yield site(source.edit(whole, source.code(value)), value=source.brief(value), old=old, **facts)


def _shared(source: Source, whole: ast.expr, value: ast.expr) -> dict[str, str | None] | None:
    """What a copy keeps apart here, as facts; None where nothing shows that it keeps anything apart."""
    code = source.code(value)
    around = source.function(whole) or source.tree
    later = [n for n in ast.walk(around) if isinstance(n, ast.stmt) and n.lineno > (whole.end_lineno or 0)]
    match source.parents.get(whole):
        case ast.For(body=body) if is_altered(source, code, body):
            return {"iterated": ""}
        case ast.Return() if code.startswith("self."):
            return {"returned": ""}
        case ast.Assign(targets=[ast.Attribute()]) if code in source.scope(whole).parameters:
            return {"stored": ""}
        case ast.Assign(targets=[ast.Name() as target]):
            if any(is_altered(source, source.code(n), later) for n in (target, value)):
                return {"target": source.short(target), "kept": ""}
        case ast.Call() | ast.keyword() if is_altered(source, code, later):
            return {"kept": ""}
    return None


@operator(
    "mutable-default",
    "mutable-default",
    "high",
    "The default `{new}` of `{name}` is made once and shared by all calls: what one call <puts in|adds> the next one <finds|sees>. Use None.",
    "A mutable default: `{declared}` <lives on|persists> between calls of `{function}`. <Take|Use> None and make a fresh one inside.",
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
            if not (isinstance(default, ast.Constant) and default.value is None and parameter.arg in fresh):
                continue
            if not _is_kept(source, function, parameter.arg):
                continue
            edit = source.edit(default, fresh[parameter.arg])
            declared = source.after(Span(source.span(parameter).start, source.span(default).end), edit)
            yield site(
                edit, name=parameter.arg, new=edit.replacement, declared=quotable(declared), function=function.name
            )


def _guarded(function: Function) -> Iterator[tuple[str, str]]:
    """Names that get a fresh container where they are None and only there, with the container's code.

    Where any empty one gives way to a fresh one (`xs or []`), a default that is shared does no harm.
    """
    for node in ast.walk(function):
        match node:
            case ast.If(
                test=ast.Compare(left=ast.Name(id=asked), ops=[ast.Is()], comparators=[ast.Constant(value=None)]),
                body=[ast.Assign(targets=[ast.Name(id=name)], value=value)],
                orelse=[],
            ) if name == asked and _is_empty(value):
                yield name, ast.unparse(value)
            case ast.IfExp(
                test=ast.Compare(left=ast.Name(id=name), ops=[op], comparators=[ast.Constant(value=None)]),
                body=body,
                orelse=orelse,
            ):
                value = body if isinstance(op, ast.Is) else orelse
                if isinstance(op, ast.Is | ast.IsNot) and _is_empty(value):
                    yield name, ast.unparse(value)


def _is_kept(source: Source, function: Function, name: str) -> bool:
    """Whether a parameter's object outlives a call as something else than it was: altered, stored or handed out."""
    if is_altered(source, name, function.body):
        return True
    for node in ast.walk(function):
        match node:
            case ast.Return(value=ast.Name(id=found)) if found == name:
                return True
            case ast.Assign(targets=[ast.Attribute() | ast.Subscript()], value=value):
                if any(isinstance(n, ast.Name) and n.id == name for n in ast.walk(value)):
                    return True
    return False


def _is_empty(value: ast.expr) -> bool:
    """Whether an expression makes an empty container."""
    match value:
        case ast.List(elts=[]) | ast.Dict(keys=[]):
            return True
        case ast.Call(func=ast.Name(id="set" | "dict" | "list" | "defaultdict" | "deque"), args=[], keywords=[]):
            return True
    return False


OPERATORS = (drop_copy, mutable_default)
