"""Calls: arguments, keywords, methods and functions mistaken for others."""

# ruff: noqa: E501 (a phrasing stays on one line, however long)

from __future__ import annotations

import ast
import random
from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise

from momus.tamper.operators.base import Site, operator, site
from momus.tamper.quoting import brief, quotable
from momus.tamper.source import Edit, Source, name_of

# Methods and functions that are taken for each other: name -> (the other, what the other does instead).
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
    "discard": (("remove", "raises KeyError where it is missing"),),
    "union": (("intersection", "keeps the common elements only"),),
    "intersection": (("union", "keeps the elements of either"),),
    "difference": (("intersection", "keeps what should be taken away"),),
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
    "encode": (("decode", "goes from bytes to text"),),
    "decode": (("encode", "goes from text to bytes"),),
    "dumps": (("dump", "writes to a file"),),
    "loads": (("load", "reads from a file"),),
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
    "hasattr": (("getattr", "gives the value"),),
    "chain": (("zip_longest", "pairs the elements"),),
}
_FUNCTIONS = {
    "min": (("max", "gives the largest"),),
    "max": (("min", "gives the smallest"),),
    "any": (("all", "demands every element"),),
    "all": (("any", "is content with one element"),),
    "sorted": (("reversed", "turns the order round without sorting"), ("list", "leaves the order as it is")),
    "reversed": (("sorted", "sorts instead of reversing"),),
    "sum": (("max", "gives only the largest"), ("len", "gives the number of elements")),
    "len": (("sum", "adds the elements up"), ("max", "gives the largest element")),
    "isinstance": (("issubclass", "needs a class, so it raises TypeError for an object"),),
    "ord": (("chr", "goes from number to character"),),
    "chr": (("ord", "goes from character to number"),),
    "repr": (("str", "leaves out quotes and escapes"),),
    "round": (("int", "cuts the fraction off"),),
    "setattr": (("getattr", "stores nothing"),),
    "divmod": (("pow", "raises to a power"),),
    "float": (("int", "cuts the fraction off"),),
}


@operator(
    "wrong-method",
    "wrong-call",
    "high",
    "`{new}` <does the wrong thing|is the wrong method> here: it {effect}. <Use|Call> `{old}`.",
    "The method should be `{old}`: `{new}` {effect}.",
    "<Calling|Using> `{new}` on `{base}` <is a mistake|cannot be right>, since it {effect}; `{old}` is what this needs.",
    "`{code}` {effect}, <which breaks what follows|which is not wanted here>; it should call `{old}`.",
    "`{old}` and `{new}` are <mixed up|confused>: on `{base}`, `{new}` {effect}.",
)
def wrong_method(source: Source, rng: random.Random) -> Iterator[Site]:
    for call in source.targets(ast.Call):
        if not isinstance(call.func, ast.Attribute) or call.func.attr not in _METHODS:
            continue
        name = call.func.attr
        if isinstance(call.func.value, ast.Name) and call.func.value.id in ("self", "cls"):
            continue  # nothing says that its class has the other method, or what that does
        if name == "append" and any(isinstance(a, ast.JoinedStr) or _is_text(source, a) for a in call.args):
            continue  # joined, the characters of a text make the same as the text
        if name in ("match", "search") and "^" in source.code(call):
            continue  # the pattern says where it begins
        other, effect = rng.choice(_METHODS[name])
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


def _is_text(source: Source, value: ast.expr) -> bool:
    function = source.function(value)
    if not isinstance(value, ast.Name) or function is None:
        return isinstance(value, ast.Constant) and isinstance(value.value, str)
    notes = {a.arg: a.annotation for a in (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)}
    return name_of(notes.get(value.id) or value) == "str"


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
        other, effect = rng.choice(_FUNCTIONS[name])
        facts: dict[str, str | None] = {}
        match source.parents.get(call):
            case ast.Assign(targets=[target]):
                facts = {"target": source.short(target, 30)}
            case ast.Return():
                facts = {"returned": ""}
        new = other + source.code(call)[len(name) :]
        yield site(source.edit(call.func, other), old=name, new=other, effect=effect, code=quotable(new), **facts)


@operator(
    "swap-arguments",
    "wrong-argument",
    "high",
    "The arguments are in the wrong order: `{new}` should be `{old}`.",
    "`{callee}` <takes|expects> `{first}` before `{second}`; here they are <swapped|the wrong way round>.",
    "`{first}` and `{second}` are <passed|handed over> in the wrong order, so `{callee}` <mistakes|takes> one for the other.",
    "`{callee}` <gets|receives> `{second}` where it <wants|expects> `{first}`: <swap|exchange> the two arguments.",
    "Argument order: <it should read|write> `{old}`, otherwise `{callee}` works on the wrong <values|operands>.",
)
def swap_arguments(source: Source, rng: random.Random) -> Iterator[Site]:
    for call in source.targets(ast.Call):
        args = call.args
        if len(args) < 2 or any(isinstance(a, ast.Starred) for a in args):
            continue
        callee = source.short(call.func, 36)
        if callee in ("min", "max", "print", "zip", "gcd", "math.gcd") or callee is None:
            continue
        place = rng.randrange(len(args) - 1)
        first, second = args[place], args[place + 1]
        a, b = source.code(first), source.code(second)
        if a == b or "self" in (a, b) or first.lineno != second.end_lineno:
            continue
        code, start = source.code(call), source.span(call).start
        one, two = source.span(first), source.span(second)
        new = code[: one.start - start] + b + code[one.end - start : two.start - start] + a + code[two.end - start :]
        yield site(
            source.edit(first, b),
            source.edit(second, a),
            old=quotable(code, 56),
            new=quotable(new, 56),
            callee=callee,
            first=brief(a),
            second=brief(b),
        )


@operator(
    "drop-keyword-argument",
    "wrong-argument",
    "medium",
    "`{keyword}` is not passed <on|here>, so `{callee}` falls back on a default, or fails without one; <add|it needs> `{argument}`.",
    "The call of `{callee}` <lacks|is missing> `{argument}`, so a default, if there is one, is <used|taken> in its place.",
    "Without `{argument}` <the call|`{callee}`> <fails, or uses|fails, or works with> a default for `{keyword}` that is not what is wanted here.",
    "{given}The value of `{value}` <never reaches|is not handed to> `{callee}`: pass `{argument}`.",
    "`{callee}` needs to <know|be told> `{keyword}` here, or it <acts on|assumes> a default, if it has one; <pass|give it> `{argument}`.",
)
def drop_keyword_argument(source: Source, rng: random.Random) -> Iterator[Site]:
    for call in source.targets(ast.Call):
        callee = source.short(call.func, 36)
        if callee is None:
            continue
        for keyword in call.keywords:
            if keyword.arg is None or (
                keyword.arg in ("key", "reverse") and callee.split(".")[-1] in ("sort", "sorted")
            ):
                continue
            if isinstance(keyword.value, ast.Constant) and keyword.value.value in (None, False, True, 0, 1, "", -1):
                continue  # as likely as not the default anyway
            edit = without_argument(source, call, keyword)
            value = source.short(keyword.value)
            if edit is None:
                continue
            yield site(
                edit,
                keyword=keyword.arg,
                argument=source.brief(keyword),
                callee=callee,
                value=value,
                given="" if isinstance(keyword.value, ast.Name | ast.Attribute) else None,
            )


def without_argument(source: Source, call: ast.Call, gone: ast.expr | ast.keyword) -> Edit | None:
    """The edit that takes one argument out of a call, with the comma that goes with it."""
    parts: list[ast.expr | ast.keyword] = sorted([*call.args, *call.keywords], key=lambda n: source.span(n).start)
    place = parts.index(gone)
    span = source.span(gone)
    if place > 0:
        comma = source.find(",", source.span(parts[place - 1]).end, span.start)
        return Edit(comma.start, span.end, "") if comma else None
    if len(parts) == 1:
        return Edit(span.start, span.end, "")
    comma = source.find(",", span.end, source.span(parts[1]).start)
    return Edit(span.start, source.span(parts[1]).start, "") if comma else None


@operator(
    "swap-keyword-values",
    "wrong-argument",
    "high",
    "The values of `{one}` and `{two}` are <swapped|mixed up>: it should be `{one}={a}` and `{two}={b}`.",
    "`{one}` <gets|is given> `{b}`, which belongs to `{two}`, and the other way round.",
    "`{callee}` is called with `{one}={b}`, but `{b}` is the value <for|of> `{two}`; <swap|exchange> them.",
    "<Mixed up|Confused> keyword values: `{a}` should go to `{one}` and `{b}` to `{two}`.",
)
def swap_keyword_values(source: Source, rng: random.Random) -> Iterator[Site]:
    for call in source.targets(ast.Call):
        named = [k for k in call.keywords if k.arg is not None]
        callee = source.short(call.func, 36)
        for one, two in pairwise(named):
            a, b = source.short(one.value, 30), source.short(two.value, 30)
            if a is None or b is None or a == b or callee is None or one.lineno != two.end_lineno:
                continue
            if source.code(one) != f"{one.arg}={a}" or source.code(two) != f"{two.arg}={b}":
                continue  # blanks or parentheses: the sentences quote it as it is mostly written
            yield site(
                source.edit(one.value, b),
                source.edit(two.value, a),
                one=one.arg,
                two=two.arg,
                a=a,
                b=b,
                callee=callee,
            )


@operator(
    "flip-boolean",
    "wrong-constant",
    "high",
    "The flag is <inverted|set the wrong way>: this place needs `{old}`, and `{new}` <turns the behaviour round|does the contrary>.",
    "`{new}` is the wrong way round <here|in this place>: it should be `{old}`.",
    "`{keyword}={new}` <switches|turns> the option the wrong way; `{callee}` needs `{keyword}={old}` here.",
    "<Pass|Give> `{keyword}={old}`: with `{new}`, `{callee}` does the contrary of what <is wanted|the code around it expects>.",
    "`{target}` should <be|become> `{old}` at this point; with `{new}`, a later test of it <goes wrong|decides the wrong way>.",
    "Setting `{target}` to `{new}` <says the contrary|inverts its meaning>: what reads it later <goes|decides> the wrong way.",
)
def flip_boolean(source: Source, rng: random.Random) -> Iterator[Site]:
    for node in source.targets(ast.Constant):
        parent = source.parents.get(node)
        # What is returned has an operator of its own; what a default should be is said nowhere but in it.
        if not isinstance(node.value, bool) or isinstance(parent, ast.Return | ast.While | ast.Expr | ast.arguments):
            continue
        facts: dict[str, str | None] = {}
        match parent:
            case ast.keyword(arg=str(name)):
                call = source.parents[parent]
                callee = source.short(call.func, 36) if isinstance(call, ast.Call) else None
                facts = {"keyword": name, "callee": callee}
            case ast.Assign(targets=[target]):
                facts = {"target": source.short(target, 36)}
        new = str(not node.value)
        yield site(source.edit(node, new), old=str(node.value), new=new, **facts)


@operator(
    "wrong-key",
    "wrong-constant",
    "high",
    "`{new}` is the wrong <key|string> here: it should be `{old}`.",
    "This <uses|takes> `{new}` although `{old}` is <meant|needed>; both occur in this code and they are <mixed up|confused>.",
    "{lookup}`{base}` is <read|asked> at `{new}`, but the entry wanted <stands|is> at `{old}`.",
    "{compared}`{subject}` is compared with `{new}`, so the case `{old}` is <never recognised|missed>.",
    "{call}`{callee}` is <called with|given> `{new}`, which <names|is> something else; <the right string is|it needs> `{old}`.",
)
def wrong_key(source: Source, rng: random.Random) -> Iterator[Site]:
    groups: dict[str, list[tuple[ast.Constant, dict[str, str | None]]]] = defaultdict(list)
    for node in source.targets(ast.Constant):
        if not isinstance(node.value, str) or not 0 < len(node.value) <= 30 or source.short(node) is None:
            continue
        match source.parents.get(node):
            case ast.Subscript(value=base):
                groups["key"].append((node, {"lookup": "", "base": source.short(base)}))
            case ast.Call(func=func, args=[first, *_]) if first is node and name_of(func) in (
                "get",
                "pop",
                "setdefault",
            ):
                groups["key"].append((node, {"call": "", "callee": source.short(func)}))
            case ast.Call(func=func) if name_of(func) not in ("print", "format"):
                groups[f"call {name_of(func)}"].append((node, {"call": "", "callee": source.short(func)}))
            case ast.Compare(left=left):
                groups[f"compare {source.code(left)}"].append((node, {"compared": "", "subject": source.short(left)}))
    for nodes in groups.values():
        texts = {source.code(node): node.value for node, _ in nodes}
        for node, facts in nodes:
            others = [text for text, value in texts.items() if value != node.value]
            if others:
                other = rng.choice(others)
                yield site(source.edit(node, other), old=source.code(node), new=other, **facts)


OPERATORS = (
    wrong_method,
    wrong_function,
    swap_arguments,
    drop_keyword_argument,
    swap_keyword_values,
    flip_boolean,
    wrong_key,
)
