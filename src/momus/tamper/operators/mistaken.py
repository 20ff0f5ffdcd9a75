"""Methods and functions that are mistaken for others."""

# ruff: noqa: E501 (a phrasing stays on one line, however long)

from __future__ import annotations

import ast
import random
from collections.abc import Iterator

from momus.tamper.operators.aliasing import makes
from momus.tamper.operators.base import Site, operator, site
from momus.tamper.operators.surroundings import (
    is_mapping,
    is_module,
    is_number,
    is_own,
    is_read,
    is_text,
    surrounding,
)
from momus.tamper.quoting import quotable
from momus.tamper.source import Edit, Source, name_of

# name -> the other, what the other does instead.
_METHODS = {
    "append": (("extend", "adds the elements one by one"),),
    "extend": (("append", "adds the whole sequence as a single element"),),
    "startswith": (("endswith", "looks at the end of the text"),),
    "endswith": (("startswith", "looks at the beginning of the text"),),
    "strip": (("lstrip", "leaves the right end as it is"), ("rstrip", "leaves the left end as it is")),
    "lstrip": (("rstrip", "strips the other end"), ("strip", "also strips the right end")),
    "rstrip": (("lstrip", "strips the other end"), ("strip", "also strips the left end")),
    "lower": (("upper", "makes capitals of it"),),
    "upper": (("lower", "makes small letters of it"),),
    "keys": (("values", "goes over the values"),),
    "values": (("keys", "goes over the keys"),),
    "items": (("keys", "gives no values"), ("values", "gives no keys")),
    "split": (("rsplit", "splits from the right"), ("partition", "always gives three parts")),
    "rsplit": (("split", "splits from the left"),),
    "partition": (("rpartition", "cuts at the last separator"),),
    "rpartition": (("partition", "cuts at the first separator"),),
    "find": (("rfind", "finds the last occurrence"), ("index", "raises ValueError where nothing is found")),
    "rfind": (("find", "finds the first occurrence"),),
    "setdefault": (("get", "does not store the default"),),
    "get": (("pop", "removes the entry as well"),),
    "popleft": (("pop", "takes from the right end"),),
    "appendleft": (("append", "adds at the right end"),),
    "add": (("discard", "removes it"),),
    "union": (("intersection", "keeps the common elements only"),),
    "intersection": (("union", "keeps the elements of either"),),
    "issubset": (("issuperset", "asks the reverse"),),
    "issuperset": (("issubset", "asks the reverse"),),
    "read": (("readline", "reads one line only"),),
    "readline": (("read", "reads all that is left"),),
    "readlines": (("readline", "reads one line only"),),
    "match": (("search", "also matches in the middle"),),
    "search": (("match", "matches at the beginning only"),),
    "fullmatch": (("match", "accepts trailing text"),),
    "findall": (("search", "finds the first match only"),),
    "acquire": (("release", "gives the lock away"),),
    "release": (("acquire", "takes the lock once more"),),
    "encode": (("decode", "is for bytes, and not for text"),),
    "decode": (("encode", "is for text, and not for bytes"),),
    "dumps": (("dump", "writes to a file, and fails without one"),),
    "loads": (("load", "reads from a file, and not from a text"),),
    "ceil": (("floor", "rounds down"),),
    "floor": (("ceil", "rounds up"),),
    "dirname": (("basename", "gives the last part of the path"),),
    "basename": (("dirname", "gives the folder part of the path"),),
    "isfile": (("isdir", "is true for folders"), ("exists", "is true for folders too")),
    "isdir": (("isfile", "is true for files"), ("exists", "is true for files too")),
    "exists": (("isdir", "is false for files"),),
    "isdigit": (("isalpha", "is true for letters"), ("isalnum", "accepts letters too")),
    "isalpha": (("isalnum", "accepts digits too"), ("isdigit", "is true for digits")),
    "isupper": (("islower", "asks for the contrary"),),
    "islower": (("isupper", "asks for the contrary"),),
}
_FUNCTIONS = {
    "min": (("max", "gives the largest"),),
    "max": (("min", "gives the smallest"),),
    "any": (("all", "demands every element"),),
    "all": (("any", "is content with one element"),),
    "sorted": (("list", "leaves the order as it is"),),
    "reversed": (("sorted", "sorts instead of reversing"),),
    "sum": (("max", "gives only the largest"), ("len", "gives the number of elements")),
    "len": (("max", "gives the largest element"),),
    "isinstance": (("issubclass", "needs a class, so it raises TypeError for an object"),),
    "ord": (("chr", "goes from number to character"),),
    "chr": (("ord", "goes from character to number"),),
    "repr": (("str", "leaves out quotes and escapes"),),
    "round": (("int", "cuts the fraction off"),),
    "setattr": (("getattr", "stores nothing"),),
    "float": (("int", "cuts the fraction off, or fails on a text that has one"),),
}
_OF_PATHS = frozenset({"dirname", "basename", "isfile", "isdir", "exists"})
_OF_PATTERNS = frozenset({"match", "search", "fullmatch", "findall"})
_OF_MODULES = frozenset({"dumps", "loads", "ceil", "floor", *_OF_PATHS})
_ENCODINGS = ("utf-8", "utf8", "UTF-8", "ascii", "latin-1", "latin1")
_FILES = frozenset({"f", "fp", "fh", "file", "handle", "stdin", "stdout", "stderr", "stream", "infile"})


@operator(
    "wrong-method",
    "wrong-call",
    "high",
    "`{new}` <does the wrong thing|is the wrong method> here: it {effect}. <Use|Call> `{old}`.",
    "The method should be `{old}`: `{new}` {effect}.",
    "<Calling|Using> `{new}` on `{base}` <is a mistake|cannot be right>, since it {effect}; `{old}` is what this needs.",
    "`{code}` {effect}, <which is wrong|which is not wanted> here; it should call `{old}`.",
    "`{old}` and `{new}` are <mixed up|confused>: on `{base}`, `{new}` {effect}.",
)
def wrong_method(source: Source, rng: random.Random) -> Iterator[Site]:
    for call in source.targets(ast.Call):
        if not isinstance(call.func, ast.Attribute) or call.func.attr not in _METHODS:
            continue
        name = call.func.attr
        others = [(other, effect) for other, effect in _METHODS[name] if _can_be(source, call, call.func, other)]
        if not others:
            continue
        other, effect = rng.choice(others)
        end = source.span(call.func).end
        start, code = source.span(call).start, source.code(call)
        yield site(
            Edit(end - len(name), end, other),
            old=name,
            new=other,
            effect=effect,
            base=source.brief(call.func.value, 36),
            code=quotable(code[: end - len(name) - start] + other + code[end - start :]),
        )


def _can_be(source: Source, call: ast.Call, method: ast.Attribute, other: str) -> bool:
    """Whether a call is of the kind of object that the two methods are of, and whether it makes a difference which."""
    name, base, count = method.attr, method.value, len(call.args) + len(call.keywords)
    if is_own(base):
        return False  # nothing says that its class has the other method, or what that does
    if is_module(base):
        return name in _OF_MODULES or (name_of(base) == "re" and _is_found_elsewhere(call, name))
    match name:
        case "append":
            return not (any(is_text(source, a) or is_number(source, a) for a in call.args) or _is_joined(source, base))
        case "split" | "rsplit":
            return count == 2 if other != "partition" else count == 1 and not call.keywords
        case "find" | "rfind":
            return count > 0 and (len(call.args) > 1 or isinstance(source.parents.get(call), ast.Compare | ast.BinOp))
        case "get":
            return is_mapping(source, base) and count == 2 and is_read(source, base, after=call.lineno)
        case "setdefault":
            return isinstance(source.parents.get(call), ast.Attribute | ast.Expr | ast.Subscript)
        case "add":
            return _is_made_a_set(source, base)
        case "keys" | "values" | "items":
            return not call.args
        case "read" | "readline" | "readlines":
            return name_of(base) in _FILES
        case "encode" | "decode":
            return count == 0 or _is_encoding(call)
        case "lower" | "upper":
            return not any(isinstance(n, ast.keyword | ast.Lambda) for n in source.ancestors(call))
    return name not in _OF_MODULES and name not in _OF_PATTERNS  # of a pattern that stands elsewhere nothing shows


def _is_encoding(call: ast.Call) -> bool:
    first = call.args[0] if call.args else call.keywords[0].value
    return isinstance(first, ast.Constant) and first.value in _ENCODINGS


def _is_found_elsewhere(call: ast.Call, name: str) -> bool:
    """Whether a pattern that is spelled out leaves open where it begins and ends."""
    match call.args[:1]:
        case [ast.Constant(value=str(pattern))]:
            at_end = pattern.endswith(("$", "\\Z")) and name == "fullmatch"
            return name in _OF_PATTERNS and not pattern.startswith(("^", "\\A", ".*", "(?:^")) and not at_end
    return False


def _is_made_a_set(source: Source, base: ast.expr) -> bool:
    code = source.code(base)
    return any(
        isinstance(n, ast.Assign) and makes("set", n.value) and any(source.code(t) == code for t in n.targets)
        for n in ast.walk(surrounding(source, base))
    )


def _is_joined(source: Source, base: ast.expr) -> bool:
    """Whether the parts of a list are joined with nothing between: the characters of each make the same text."""
    code = source.code(base)
    for node in ast.walk(surrounding(source, base)):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Constant(value="" | b""), attr="join"), args=[parts]):
                if source.code(parts) == code:
                    return True
    return False


@operator(
    "wrong-function",
    "wrong-call",
    "high",
    "`{new}` is the wrong function <here|for this>: it {effect}. <Use|It should be> `{old}`.",
    "`{code}` {effect}; the <function|call> needed here is `{old}`.",
    "This should <call|use> `{old}`, <not|rather than> `{new}`, which {effect}.",
    "`{target}` <gets|receives> the wrong value, because `{new}` {effect}; <use|take> `{old}`.",
    "{returned}The <result|answer> is wrong: `{new}` {effect}, while the caller expects what `{old}` gives.",
)
def wrong_function(source: Source, rng: random.Random) -> Iterator[Site]:
    for call in source.targets(ast.Call):
        if not isinstance(call.func, ast.Name) or call.func.id not in _FUNCTIONS or not call.args:
            continue
        name = call.func.id
        others = [(other, effect) for other, effect in _FUNCTIONS[name] if _takes(source, call, name, other)]
        if not others:
            continue
        other, effect = rng.choice(others)
        facts: dict[str, str | None] = {}
        match source.parents.get(call):
            case ast.Assign(targets=[target]):
                facts = {"target": source.short(target, 30)}
            case ast.Return():
                facts = {"returned": ""}
        new = other + source.code(call)[len(name) :]
        yield site(source.edit(call.func, other), old=name, new=other, effect=effect, code=quotable(new), **facts)


def _takes(source: Source, call: ast.Call, name: str, other: str) -> bool:
    """Whether the other function bears the arguments, and does something else with them."""
    first = call.args[0]
    if name in ("min", "max", "any", "all", "isinstance", "setattr"):
        return True
    if len(call.args) > 1 or call.keywords or isinstance(first, ast.Starred):
        return False
    if other == "len":
        return not isinstance(first, ast.GeneratorExp)
    if name == "repr":
        return is_text(source, first)
    if name == "len":
        return not is_text(source, first) and not is_mapping(source, first)
    return not (name == "float" and isinstance(first, ast.Constant))


OPERATORS = (wrong_method, wrong_function)
