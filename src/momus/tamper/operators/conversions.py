"""Conversions and normalisations that are left out."""

# ruff: noqa: E501 (a phrasing stays on one line, however long)

from __future__ import annotations

import ast
import random
from collections.abc import Iterator

from momus.tamper.operators.aliasing import COPYING, idle, wrapped
from momus.tamper.operators.base import Site, operator, site
from momus.tamper.operators.surroundings import is_module, is_number, is_own, is_tested, is_text, surrounding
from momus.tamper.quoting import brief
from momus.tamper.source import Edit, Source, name_of

_CONVERSIONS = {
    "str": "text",
    "int": "an integer",
    "float": "a float",
    "bytes": "bytes",
    "tuple": "a tuple",
    "Decimal": "a Decimal",
    "Path": "a path",
}


@operator(
    "drop-conversion",
    "type-confusion",
    "high",
    "`{value}` is used <as it is|unconverted> and need not be {wanted}, which is needed here: <write|use> `{old}`.",
    "The type is wrong: `{value}` has to be turned into {wanted} with `{name}` <first|before this>.",
    "<Without|For lack of> `{name}(...)` this <mixes types|works on the wrong type>: `{value}` need not be {wanted}, and TypeError or a wrong result follows.",
    "{compared}The comparison may be between different types, and is then never <true|right>: convert `{value}` with `{name}`.",
    "{returned}Callers expect {wanted}, but get `{value}` <unconverted|as it came>; return `{old}`.",
)
def drop_conversion(source: Source, rng: random.Random) -> Iterator[Site]:
    for call in source.targets(ast.Call):
        found = wrapped(source, call, frozenset(_CONVERSIONS))
        if found is None or isinstance(found[1], ast.GeneratorExp | ast.Constant) or idle(source, call, found[1]):
            continue
        name, value = found
        parent = source.parents.get(call)
        if not _is_needed(source, call, parent) or _is_one_anyway(source, name, value):
            continue
        flag = (
            "compared" if isinstance(parent, ast.Compare) else "returned" if isinstance(parent, ast.Return) else "used"
        )
        yield site(
            source.edit(call, source.operand(value)),
            value=source.brief(value),
            wanted=_CONVERSIONS[name],
            old=brief(source.code(call)),
            name=name,
            **{flag: ""},
        )


def _is_needed(source: Source, value: ast.expr, parent: ast.AST | None) -> bool:
    """Whether the code shows that a value has to be of its type: it is compared, returned, joined, counted with."""
    match parent:
        case ast.Compare() | ast.Return() | ast.BinOp() | ast.Attribute() | ast.AugAssign():
            return True
        case ast.Subscript(slice=index):
            return index is value
        case ast.Call(func=func):
            return name_of(func) in ("range", "chr", "join", "timedelta", "bytes")
        case ast.Assign(targets=[ast.Name() as target]):
            later = (n for n in ast.walk(surrounding(source, target)) if isinstance(n, ast.Name) and n.id == target.id)
            return any(
                not isinstance(source.parents.get(n), ast.Assign) and _is_needed(source, n, source.parents.get(n))
                for n in later
                if isinstance(n.ctx, ast.Load) and n.lineno > target.lineno
            )
    return False


def _is_one_anyway(source: Source, name: str, value: ast.expr) -> bool:
    """Whether the code shows that a value is of a type before it is converted."""
    match name:
        case "str" | "bytes":
            return is_text(source, value)
        case "int" | "float":
            return is_number(source, value) and not any(isinstance(n, ast.Div) for n in ast.walk(value))
        case "tuple":
            return isinstance(value, ast.Tuple)
    return False


_WRAPPERS = {
    "sorted": "the order is whatever it happens to be",
    "set": "duplicates are kept",
    "frozenset": "duplicates are kept",
    "abs": "negative values keep their sign",
    "len": "the object itself is taken for its length",
    "reversed": "the order is the wrong way round",
    "round": "the value is not rounded",
    "list": "there is only an iterator, to be read once",
    "iter": "`next` raises TypeError of whatever is no iterator",
    "sum": "the items are not added up",
    "hash": "the object itself is taken for its hash",
    "ord": "a character is taken for its number",
    "type": "the object itself is taken for its type",
    "callable": "the truth of the object itself is asked for",
    "any": "the object itself is tested, and not its items",
    "all": "the object itself is tested, and not its items",
}


@operator(
    "drop-wrapper",
    "wrong-call",
    "high",
    "`{name}` is missing around `{value}`, so {effect}.",
    "<Without|There is no> `{name}(...)` <here|around this>: {effect}. <Use|Write> `{old}`.",
    "`{value}` is <used|taken> as it is and {effect}; it has to <go|pass> through `{name}`.",
    "What is needed <here|at this point> is `{old}`; with the bare `{value}`, {effect}.",
)
def drop_wrapper(source: Source, rng: random.Random) -> Iterator[Site]:
    for call in source.targets(ast.Call):
        found = wrapped(source, call, frozenset(_WRAPPERS))
        if found is None or isinstance(source.parents.get(call), ast.Expr) or idle(source, call, found[1]):
            continue
        name, value = found
        if name in COPYING and isinstance(value, ast.Name | ast.Attribute | ast.Subscript) and name != "set":
            continue  # that is a copy
        if not _makes_a_difference(source, call, name, value):
            continue
        yield site(
            source.edit(call, source.operand(value)),
            name=name,
            value=source.brief(value),
            old=source.brief(call),
            effect=_WRAPPERS[name],
        )


_ORDERLESS = frozenset(
    (
        *("set", "frozenset", "len", "sum", "min", "max", "any", "all", "dict", "Counter", "sorted", "update"),
        *("union", "difference"),
    )
)


def _makes_a_difference(source: Source, call: ast.Call, name: str, value: ast.expr) -> bool:
    """Whether what is said to follow without a function does follow at this place."""
    parent = source.parents.get(call)
    callee = name_of(parent.func) if isinstance(parent, ast.Call) and call in parent.args else None
    match name:
        case "sorted" | "reversed":
            return callee not in _ORDERLESS and not isinstance(parent, ast.Compare)
        case "set" | "frozenset":
            kept = (
                isinstance(value, ast.Set | ast.SetComp | ast.Dict) or name_of(getattr(value, "func", value)) == "keys"
            )
            taken = callee in ("len", "sorted", "list", "tuple", "sum") or isinstance(
                parent, ast.For | ast.comprehension
            )
            return taken and not kept and not isinstance(value, ast.GeneratorExp | ast.BinOp)
        case "len":
            return not is_tested(source, call)
        case "callable" | "any" | "all":
            return is_tested(source, call)
        case "list":
            return _is_iterator(value) and _is_used_again(source, call, parent)
        case "iter":
            return isinstance(parent, ast.Assign) and _is_stepped(source, call, parent.targets[0])
    return True


def _is_used_again(source: Source, call: ast.Call, parent: ast.AST | None) -> bool:
    match parent:
        case ast.Assign(targets=[ast.Name(id=name)]):
            nodes = [n for n in ast.walk(surrounding(source, call)) if isinstance(n, ast.Name) and n.id == name]
            return sum(isinstance(n.ctx, ast.Load) for n in nodes) > 1
    return False


def _is_stepped(source: Source, call: ast.Call, target: ast.expr) -> bool:
    """Whether `next` is called of what is assigned."""
    code = source.code(target)
    return any(
        isinstance(n, ast.Call) and name_of(n.func) == "next" and n.args and source.code(n.args[0]) == code
        for n in ast.walk(surrounding(source, call))
    )


def _is_iterator(value: ast.expr) -> bool:
    lazy = ("map", "filter", "zip", "reversed", "iter", "enumerate", "chain", "islice", "groupby", "finditer")
    return isinstance(value, ast.GeneratorExp) or (isinstance(value, ast.Call) and name_of(value.func) in lazy)


_NORMALISING = {
    "lower": "capitals stay capitals",
    "upper": "small letters stay small",
    "casefold": "capitals stay capitals",
    "strip": "what should go at the ends stays in",
    "rstrip": "what should go at the end stays in",
    "lstrip": "what should go at the front stays in",
    "encode": "text is taken for bytes",
    "decode": "bytes are taken for text",
    "ravel": "the shape is not flattened",
    "flatten": "the shape is not flattened",
    "total_seconds": "a timedelta is taken for a number",
    "items": "there are keys only, with no values to unpack",
    "splitlines": "the lines are not taken apart",
    "split": "the text is not taken apart",
    "group": "the match object is taken for its text",
}


@operator(
    "drop-normalisation",
    "wrong-call",
    "medium",
    "`{value}` is used without `{method}`, so {effect}.",
    "A call of `{method}` is missing <after|behind> `{value}`: {effect}.",
    "<Use|Write> `{old}`; <as it stands|without the call>, {effect}.",
    "With <the bare|just> `{value}`, {effect}; <call|it has to be followed by> `{method}` <here|first>.",
)
def drop_normalisation(source: Source, rng: random.Random) -> Iterator[Site]:
    for call in source.targets(ast.Call):
        if not isinstance(call.func, ast.Attribute) or call.func.attr not in _NORMALISING or len(call.args) > 1:
            continue
        if isinstance(source.parents.get(call), ast.Expr) or idle(source, call, call.func.value):
            continue
        value, method = call.func.value, call.func.attr
        if is_own(value) or is_module(value) or not _is_normalised(source, call, method):
            continue
        end = source.span(call).end
        base_end = source.find(r"\.\s*" + method, source.span(value).end, end)
        if base_end is None or "\n" in source.text[base_end.start : end]:
            continue
        cut = Edit(base_end.start, end, "")
        yield site(cut, value=source.brief(value), method=method, effect=_NORMALISING[method], old=source.short(call))


_ARGUMENTS = {"strip": 1, "rstrip": 1, "lstrip": 1, "encode": 1, "decode": 1, "split": 1, "splitlines": 1, "group": 1}


def _is_normalised(source: Source, call: ast.Call, method: str) -> bool:
    """Whether a call is of the kind that its method's name tells, and makes a difference where it stands."""
    parent = source.parents.get(call)
    if len(call.args) > _ARGUMENTS.get(method, 0):
        return False
    match method:
        case "strip" | "rstrip" | "lstrip":
            split = isinstance(parent, ast.Attribute) and parent.attr in ("split", "strip", "rstrip", "lstrip")
            number = isinstance(parent, ast.Call) and name_of(parent.func) in ("int", "float", "Decimal", "complex")
            return not split and not number
        case "encode" | "decode":
            return all(isinstance(arg, ast.Constant) for arg in call.args)
        case "items":
            return isinstance(parent, ast.For | ast.comprehension) and isinstance(parent.target, ast.Tuple)
    return True


OPERATORS = (drop_conversion, drop_wrapper, drop_normalisation)
