"""What the code around a place shows of it: of which kind a value is, whether it is read, tested, altered or returned.

An operator that can't tell whether its change does harm, or whether what it would say is true, leaves the place alone.
"""

from __future__ import annotations

import ast
import builtins
import collections.abc
import numbers
from collections.abc import Iterable, Iterator

from momus.tamper.scope import counts, place_of
from momus.tamper.source import Function, Source, name_of

# Numbers above this are chosen, and one more or less is as right, but for those that everybody knows.
MOST_COUNTED = 10
KNOWN_NUMBERS = frozenset(
    (
        *(12, 16, 20, 24, 28, 29, 30, 31, 32, 52, 59, 60, 64, 90, 99, 100, 127, 128, 180),
        *(200, 255, 256, 270, 300, 360, 365, 366, 400, 404, 500, 512, 999, 1000, 1023, 1024, 3600, 86400),
    )
)

_MAPPING_METHODS = frozenset({"keys", "items", "values", "setdefault", "popitem"})
_ANSWERING = frozenset(
    ["isinstance", "issubclass", "callable", "hasattr", "any", "all", "bool", "startswith", "endswith"]
)
_MODULES = frozenset(
    (
        *("re", "regex", "os", "sys", "json", "math", "np", "numpy", "pd", "torch", "string", "codecs", "shlex"),
        *("itertools", "functools", "operator", "posixpath", "ntpath", "path", "shutil", "subprocess", "asyncio"),
        *("base64", "pickle"),
    )
)
# Classes and exceptions of the standard library that go by another name, or by one of a module: the name, what it is.
_KNOWN_CLASSES: dict[str, type] = {
    "JSONDecodeError": ValueError,
    "timeout": TimeoutError,
    "SSLError": OSError,
    "URLError": OSError,
    "UnsupportedOperation": OSError,
    "PackageNotFoundError": ImportError,
    "WindowsError": OSError,
    "IOError": OSError,
    "herror": OSError,
    "gaierror": OSError,
}


def surrounding(source: Source, node: ast.AST) -> ast.AST:
    """The function around a node, or the whole text."""
    return source.function(node) or source.tree


def is_number(source: Source, value: ast.expr) -> bool:
    """Whether the code shows that an expression is a number: only of numbers is one more, or less, or wrong by it."""
    return counts(value, source.scope(value).numbers)


def is_chosen(value: ast.expr, text: str) -> bool:
    """Whether an expression is a number that was chosen: a cap, a tolerance, a moment. One beside it is as right."""
    match value:
        case ast.Constant(value=float(number)):
            return number not in (0.0, 1.0)
        case ast.Constant(value=int(number)):
            return number > MOST_COUNTED and number not in KNOWN_NUMBERS and not text.lower().startswith("0x")
        case ast.Call(func=func):
            return name_of(func) in ("time", "monotonic", "perf_counter", "now", "utcnow", "process_time", "random")
        case ast.Tuple() | ast.Attribute(attr="version_info"):
            return True  # of versions one is the beginning of another, and none is equal
        case ast.BinOp(left=left, right=right):
            return is_chosen(left, "") or is_chosen(right, "")
    return False


def is_mapping(source: Source, value: ast.expr) -> bool:
    """Whether the code shows that an expression is a dict, or something that is read like one."""
    code = source.code(value)
    if isinstance(value, ast.Dict | ast.DictComp) or code in ("os.environ", "kwargs", "vars()"):
        return True
    for node in ast.walk(surrounding(source, value)):
        match node:
            case ast.Call(func=ast.Attribute(value=base, attr=method)) if method in _MAPPING_METHODS:
                if source.code(base) == code:
                    return True
            case ast.Assign(targets=[target], value=made) if source.code(target) == code and _makes_mapping(made):
                return True
            case ast.Subscript(value=base, slice=ast.Constant(value=str())):
                if source.code(base) == code:
                    return True
            case ast.arg(arg=name, annotation=ast.expr() as noted) if (
                name == code and "dict" in source.code(noted).lower()
            ):
                return True
    return False


def _makes_mapping(value: ast.expr) -> bool:
    if isinstance(value, ast.Dict | ast.DictComp):
        return True
    return isinstance(value, ast.Call) and name_of(value.func) in ("dict", "defaultdict", "OrderedDict", "Counter")


def is_text(source: Source, value: ast.expr, deep: int = 2) -> bool:
    """Whether the code shows that an expression is a text."""
    match value:
        case ast.Constant(value=found):
            return isinstance(found, str | bytes)
        case ast.JoinedStr():
            return True
        case ast.BinOp(left=left, op=ast.Add() | ast.Mod(), right=right):
            return is_text(source, left, deep) or is_text(source, right, deep)
        case ast.Call(func=ast.Name(id=name)):
            return name in ("str", "repr", "chr", "input", "hex", "format")
        case ast.Call(func=ast.Attribute(attr=method)):
            return method in _TEXT_METHODS
        case ast.Name(id=name):
            return deep > 0 and _is_noted_as_text(source, value, name, deep - 1)
    return False


_TEXT_METHODS = frozenset(
    (
        *("strip", "lstrip", "rstrip", "lower", "upper", "format", "join", "replace", "decode", "title", "group"),
        *("ljust", "rjust", "center", "zfill", "capitalize", "expandtabs", "removeprefix", "removesuffix"),
        *("translate", "read"),
    )
)


def _is_noted_as_text(source: Source, value: ast.Name, name: str, deep: int) -> bool:
    for node in ast.walk(surrounding(source, value)):
        match node:
            case ast.arg(arg=found, annotation=ast.expr() as noted) if found == name:
                return name_of(noted) == "str"
            case ast.Assign(targets=[ast.Name(id=found)], value=made) if found == name and not isinstance(
                made, ast.Name
            ):
                if is_text(source, made, deep):
                    return True
    return False


def is_module(value: ast.expr) -> bool:
    """Whether an expression names a module, as far as names tell."""
    return name_of(value) in _MODULES and isinstance(value, ast.Name | ast.Attribute)


def is_own(value: ast.expr) -> bool:
    """Whether an expression is the object itself or its class: nothing shows which other methods that has."""
    match value:
        case ast.Name(id="self" | "cls"):
            return True
        case ast.Call(func=ast.Name(id="super")):
            return True
    return False


def is_read(source: Source, target: ast.expr, *, after: int = 0) -> bool:
    """Whether the code of a target is read anywhere in the text, or on a line after another."""
    code = source.code(target)
    return any(
        isinstance(n, ast.Name | ast.Attribute | ast.Subscript)
        and isinstance(n.ctx, ast.Load)
        and n.lineno > after
        and source.code(n) == code
        for n in ast.walk(source.tree)
    )


def is_tested(source: Source, node: ast.expr) -> bool:
    """Whether nothing but the truth of an expression is asked for."""
    match source.parents.get(node):
        case ast.If(test=test) | ast.While(test=test) | ast.IfExp(test=test) if test is node:
            return True
        case ast.UnaryOp(op=ast.Not()):
            return True
        case ast.BoolOp() as whole:
            return whole.values[-1] is not node or is_tested(source, whole)
        case ast.comprehension(ifs=ifs):
            return node in ifs
    return False


def is_condition(source: Source, node: ast.expr) -> bool:
    """Whether an expression decides something, and is under no `not`, which turns what is said of it round."""
    parent = source.parents.get(node)
    if isinstance(parent, ast.BoolOp):
        return is_condition(source, parent)
    return not isinstance(parent, ast.UnaryOp) and (is_tested(source, node) or _is_answer(node))


def _is_answer(node: ast.expr) -> bool:
    """Whether an expression is true or false by itself."""
    match node:
        case ast.Compare() | ast.UnaryOp(op=ast.Not()):
            return True
        case ast.BoolOp(values=values):
            return all(map(_is_answer, values))
        case ast.Call(func=func):
            name = name_of(func) or ""
            return name in _ANSWERING or name.startswith("is")
    return False


def leaves(body: list[ast.stmt]) -> bool:
    """Whether a block ends by leaving the code that follows it."""
    return isinstance(body[-1], ast.Return | ast.Raise | ast.Continue | ast.Break)


def ends(source: Source, node: ast.stmt) -> bool:
    """Whether nothing of a function runs after a statement."""
    while True:
        parent = source.parents.get(node)
        block, place = source.block(node)
        if place + 1 < len(block) or not isinstance(parent, ast.stmt | ast.ExceptHandler | ast.match_case):
            return False
        if isinstance(parent, ast.FunctionDef | ast.AsyncFunctionDef):
            return True
        if isinstance(parent, ast.ExceptHandler | ast.match_case):
            above = source.parents.get(parent)
            if not isinstance(above, ast.Try | ast.Match) or (isinstance(above, ast.Try) and above.finalbody):
                return False
            node = above
        elif isinstance(parent, ast.If | ast.With | ast.AsyncWith) or (
            isinstance(parent, ast.Try) and not parent.finalbody and not (block is parent.body and parent.orelse)
        ):
            node = parent
        else:
            return False


_UNREAD = frozenset(
    (
        *("__init__", "__post_init__", "__set__", "__delete__", "__setattr__", "__setitem__", "__delitem__"),
        *("__delattr__", "__del__", "__set_name__", "__init_subclass__", "__exit__", "__aexit__", "close", "main"),
        *("run", "setUp", "tearDown"),
    )
)


def is_result_used(source: Source, node: ast.Return) -> bool:
    """Whether what a function returns is for somebody: not a setter's, nor another's that only passes on a call."""
    function = source.function(node)
    if function is None:
        return isinstance(source.tree, ast.Module)
    if function.name in _UNREAD or any(name_of(d) in ("setter", "deleter") for d in function.decorator_list):
        return False
    if any(isinstance(n, ast.Yield | ast.YieldFrom) for n in own_nodes(function)):
        return False
    if isinstance(node.value, ast.Name) and node.value.id == "NotImplemented":
        return False
    if function.returns is not None:
        return source.code(function.returns) not in ("None", "NoReturn", "Never", "t.NoReturn", "typing.NoReturn")
    others = (n.value for n in own_nodes(function) if isinstance(n, ast.Return) and n is not node)
    if not isinstance(node.value, ast.Call | ast.Await):
        return True
    plain = any(value is not None and not isinstance(value, ast.Call | ast.Await) for value in others)
    return plain or (isinstance(node.value, ast.Call) and _makes_something(node.value))


def _makes_something(call: ast.Call) -> bool:
    """Whether a call is there for its value: of a class, of a function of Python's own, of a text's method."""
    name = name_of(call.func) or ""
    return name[:1].isupper() or hasattr(builtins, name) or name in _TEXT_METHODS or name.startswith(("get", "_get"))


def own_nodes(function: Function) -> Iterator[ast.AST]:
    """The nodes of a function's body without those of functions and classes within it."""
    stack: list[ast.AST] = list(function.body)
    while stack:
        node = stack.pop()
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            stack.extend(ast.iter_child_nodes(node))


def relied_on(source: Source, test: ast.expr, rest: Iterable[ast.AST]) -> str | None:
    """The code of what a test asks for (`x`, `x is not None`, `isinstance(x, C)`) and what follows uses."""
    match test:
        case ast.Name() | ast.Attribute() | ast.Subscript() as asked:
            pass
        case ast.Compare(left=asked, ops=[ast.IsNot() | ast.Is()], comparators=[ast.Constant(value=None)]):
            pass
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return relied_on(source, operand, rest)
        case ast.Call(func=ast.Name(id="isinstance" | "hasattr" | "len"), args=[asked, *_]):
            pass
        case ast.Compare(left=ast.Call(func=ast.Name(id="len"), args=[asked])):
            pass
        case ast.Compare(comparators=[ast.Call(func=ast.Name(id="len"), args=[asked])]):
            pass
        case _:
            return None
    code = source.code(asked)
    for node in (n for step in rest for n in ast.walk(step)):
        match node:
            case ast.Attribute(value=base) | ast.Subscript(value=base) | ast.Call(func=base):
                if source.code(base) == code:
                    return code
    return None


def known_class(code: str) -> type | None:
    """A class of Python's own by its code, that of a module by its last name."""
    name = code.rsplit(".", 1)[-1]
    for home in (builtins, collections.abc, numbers):
        found = getattr(home, name, None)
        if isinstance(found, type):
            return found
    return _KNOWN_CLASSES.get(name)


def is_covered(name: str, others: list[str]) -> bool:
    """Whether a class of Python's own is among others anyway, as one of their subclasses."""
    found = known_class(name)
    classes = tuple(c for c in map(known_class, others) if c is not None)
    return found is not None and issubclass(found, classes)


def values_of(source: Source, around: ast.AST) -> dict[str, set[str]]:
    """The code of all that each name, or attribute of one, is set to in a function."""
    values: dict[str, set[str]] = {}
    for found in ast.walk(around):
        if isinstance(found, ast.Assign):
            places = {place for place in map(place_of, found.targets) if place is not None}
            for place in places:
                values.setdefault(place, {place}).update({source.code(found.value), *places})
    return values


def are_alike(values: dict[str, set[str]], one: str, other: str) -> bool:
    """Whether one name is given the value of another, or both the same value: either may stand for the other."""
    return bool(values.get(one, {one}) & values.get(other, {other}))
