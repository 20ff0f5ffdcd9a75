"""Values for a parameter without an example: from its type hint, its default, its name and how the code uses it."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from typing import Any

from momus.inputs.callees import Argument
from momus.inputs.mutation import Mutator

DEEPEST = 3  # containers in containers

_NAMES: tuple[tuple[str, str], ...] = (
    (r"matrix|grid|board|mat|rows|table|intervals|points|edges|pairs|graph", "list[list[int]]"),
    (r"words|strs|strings|names|lines|tokens|sentences|texts|keys|sequences", "list[str]"),
    (r"[nmkijxyab]|num|number|count|size|length|limit|index|target|start|end|low|high|amount|total|year", "int"),
    (r"s|t|st|str|string|text|word|sentence|line|name|message|prefix|suffix|pattern|brackets|char|c|key|txt", "str"),
    (r"(?:nums|arr|lst|list)\d?|numbers|array|xs|ys|values|items|data|seq|sequence|l", "list[int]"),
    (r"d|dct|dict|mapping|counts|config|counter", "dict[str, int]"),
    (r"flag|reverse|strict|is_\w+|has_\w+|inclusive", "bool"),
    (r"price|rate|ratio|threshold|tolerance|eps|epsilon|weight", "float"),
    (r"f|fn|func|function|key_func|predicate|callback", "Callable[[Any], Any]"),
)
_LISTS = frozenset({"list", "sequence", "iterable", "collection", "mutablesequence"})
_MAPS = frozenset({"dict", "mapping", "mutablemapping"})
_SETS = frozenset({"set", "frozenset", "abstractset"})
_CONTAINERS = _LISTS | _MAPS | _SETS | {"tuple", "iterator", "generator"}
_TEXT_METHODS = frozenset({"split", "lower", "upper", "strip", "startswith", "isalpha", "isdigit", "replace", "join"})
_LIST_METHODS = frozenset({"append", "sort", "extend", "insert", "pop", "remove", "reverse"})
_MAP_METHODS = frozenset({"items", "keys", "values", "get", "setdefault", "update"})
_NUMBERS = (ast.Sub, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow)


def value_source(argument: Argument, mutator: Mutator) -> str | None:
    """A value for a parameter as Python source; None where it is of a type that nothing is known of."""
    rng = mutator.rng
    if argument.default is not None and rng.random() < 0.5:
        return _of_default(argument.default, mutator)
    hint = argument.annotation
    if hint is None and argument.default is not None:
        return _of_default(argument.default, mutator)
    if hint is None or (isinstance(hint, ast.Name) and hint.id in ("Any", "object")):
        guessed = _of_use(argument) or _of_name(argument.name)
        if guessed is None:
            return None
        hint = ast.parse(guessed, mode="eval").body
    elif isinstance(hint, ast.Name) and hint.id in ("list", "List"):
        named = _of_name(argument.name) or ""
        hint = ast.parse(named, mode="eval").body if named.startswith("list") else hint
    return _of_hint(hint, mutator, 0)


def _of_default(default: ast.expr, mutator: Mutator) -> str:
    try:
        return repr(mutator.mutated(ast.literal_eval(default)))
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return ast.unparse(default)


def _of_name(name: str) -> str | None:
    lowered = name.lower().lstrip("_")
    return next((hint for pattern, hint in _NAMES if re.fullmatch(pattern, lowered)), None)


def _of_use(argument: Argument) -> str | None:
    """What the function does with the parameter."""
    name = argument.name
    nested = indexed = number = False
    for node in ast.walk(argument.uses):
        if isinstance(node, ast.Attribute) and _is(node.value, name):
            for methods, hint in (
                (_TEXT_METHODS, "str"),
                (_MAP_METHODS, "dict[str, int]"),
                (_LIST_METHODS, _of_name(name) if (_of_name(name) or "").startswith("list") else "list[int]"),
            ):
                if node.attr in methods:
                    return hint
        if isinstance(node, ast.Subscript) and _is(node.value, name):
            indexed = True
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Subscript) and _is(node.value.value, name):
            nested = True
        if isinstance(node, ast.BinOp) and isinstance(node.op, _NUMBERS) and (_is(node.left, name)):
            number = True
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and any(_is(one, name) for one in node.args):
            if node.func.id in ("range", "abs"):
                number = True
            if node.func.id in ("len", "sum", "sorted", "enumerate", "zip", "max", "min", "set"):
                indexed = True
        if isinstance(node, ast.For | ast.comprehension) and _is(node.iter, name):
            indexed = True
    if nested:
        return "list[list[int]]"
    if indexed:
        named = _of_name(name)
        return named if named is not None and named.startswith(("list", "str", "dict")) else "list[int]"
    return "int" if number else None


def _is(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _of_hint(hint: ast.expr, mutator: Mutator, depth: int) -> str | None:
    """A value of a type, as source; None where the type is unknown."""
    rng = mutator.rng
    if depth > DEEPEST:
        return None
    if isinstance(hint, ast.Constant):
        if hint.value is None:
            return "None"
        if isinstance(hint.value, str):
            try:
                return _of_hint(ast.parse(hint.value, mode="eval").body, mutator, depth)
            except (SyntaxError, ValueError):
                return None
        return None
    if isinstance(hint, ast.BinOp) and isinstance(hint.op, ast.BitOr):
        return _one_of([hint.left, hint.right], mutator, depth)
    name, inner = _parts(hint)
    if name in _CONTAINERS:
        return _container(name, inner, mutator, depth)
    if name in ("optional",):
        return "None" if rng.random() < 0.15 or not inner else _of_hint(inner[0], mutator, depth)
    if name == "union":
        return _one_of(inner, mutator, depth)
    if name in ("annotated", "final", "classvar") and inner:
        return _of_hint(inner[0], mutator, depth)
    if name == "literal":
        return ast.unparse(rng.choice(inner)) if inner else None
    if name == "callable":
        count = len(inner[0].elts) if inner and isinstance(inner[0], ast.List) else 1
        return ("lambda: 1", "lambda x: x", "lambda x, y: x")[count] if count < 3 else None
    simple: dict[str, Callable[[], str]] = {
        "int": lambda: str(mutator.number()),
        "float": lambda: repr(
            rng.choice((0.0, 1.0, 0.5, 1.5, float(mutator.number()), round(rng.uniform(-10, 10), 2)))
        ),
        "bool": lambda: repr(rng.random() < 0.5),
        "str": lambda: repr(mutator.text()),
        "bytes": lambda: repr(mutator.text().encode("latin-1", "replace")),
        "none": lambda: "None",
        "any": lambda: str(mutator.number()),
        "complex": lambda: repr(complex(mutator.number(), mutator.number())),
        "range": lambda: f"range({abs(mutator.number())})",
    }
    return simple[name]() if name in simple else None


def _one_of(hints: list[ast.expr], mutator: Mutator, depth: int) -> str | None:
    order = list(hints)
    mutator.rng.shuffle(order)
    return next((source for hint in order if (source := _of_hint(hint, mutator, depth)) is not None), None)


def _container(name: str, inner: list[ast.expr], mutator: Mutator, depth: int) -> str | None:
    rng = mutator.rng
    whole: Any = ast.Name("int")
    if name == "tuple":
        fixed = bool(inner) and not (isinstance(inner[-1], ast.Constant) and inner[-1].value is ...)
        kinds = inner if fixed else [inner[0] if inner else whole] * rng.randint(0, 4)
        items = [_of_hint(kind, mutator, depth + 1) for kind in kinds]
        return None if None in items else "(" + "".join(f"{item}, " for item in items) + ")"
    count = rng.choice((0, 1, 2, 3, 3, 4, 5, 6, 8) if depth == 0 else (1, 2, 3, 3))
    if name in _MAPS:
        key, item = (inner[0], inner[1]) if len(inner) > 1 else (ast.Name("str"), whole)
        pairs = [(_of_hint(key, mutator, depth + 1), _of_hint(item, mutator, depth + 1)) for _ in range(min(count, 5))]
        return None if any(None in pair for pair in pairs) else "{" + ", ".join(f"{a}: {b}" for a, b in pairs) + "}"
    kind = inner[0] if inner else whole
    drawn = [_of_hint(kind, mutator, depth + 1) for _ in range(count)]
    if None in drawn:
        return None
    items = list(drawn)
    if items and rng.random() < 0.3:
        items.append(rng.choice(items))
    listed = "[" + ", ".join(str(item) for item in items) + "]"
    if depth == 0 and rng.random() < 0.2 and name in _LISTS:
        try:
            listed = repr(sorted(ast.literal_eval(listed)))
        except (ValueError, TypeError, SyntaxError):
            pass
    if name in _LISTS:
        return listed
    if name in ("iterator", "generator"):
        return f"iter({listed})"
    if name in ("set", "abstractset"):
        return f"set({listed})"
    return f"frozenset({listed})" if name == "frozenset" else None


def _parts(hint: ast.expr) -> tuple[str, list[ast.expr]]:
    """A type's own name in small letters, and what stands between its brackets."""
    inner: list[ast.expr] = []
    if isinstance(hint, ast.Subscript):
        inner = list(hint.slice.elts) if isinstance(hint.slice, ast.Tuple) else [hint.slice]
        hint = hint.value
    name = hint.attr if isinstance(hint, ast.Attribute) else hint.id if isinstance(hint, ast.Name) else ""
    return name.lower(), inner
