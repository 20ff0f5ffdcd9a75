"""Calls: arguments and keywords, flags and keys."""

# ruff: noqa: E501 (a phrasing stays on one line, however long)

from __future__ import annotations

import ast
import random
import re
from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise

from momus.tamper.operators.base import Site, operator, site
from momus.tamper.operators.surroundings import is_read
from momus.tamper.quoting import brief, quotable
from momus.tamper.source import Edit, Source, name_of

# Functions to which the order of two arguments makes no difference, by parts of their names.
_EITHER_WAY = re.compile(
    r"^(min|max|print|zip|gcd|lcm|hypot|add|mul|eq|ne|xor)$|close|dist|union|intersect|equal|same|common|overlap|merge"
    r"|_or|_and|or_|and_|either|both|similar|combine"
)


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
        if callee is None or _EITHER_WAY.search((name_of(call.func) or "").lower()):
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


_DEFAULTS = frozenset([None, False, True, 0, 1, "", -1, " ", "\n", "utf-8", "utf8", "UTF-8", "strict", "r", "w"])
_UNNOTICED = frozenset(["stacklevel", "name", "daemon", "doc", "help", "category", "source", "loop", "cache", "flush"])


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
            if isinstance(keyword.value, ast.Constant) and not isinstance(keyword.value.value, str | int):
                continue
            if isinstance(keyword.value, ast.Constant) and keyword.value.value in _DEFAULTS:
                continue  # as likely as not the default anyway
            if keyword.arg in _UNNOTICED:
                continue
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


# Options of which everybody knows what they do, so that the code around shows which way they have to be.
_SPEAKING = frozenset(
    (
        *("reverse", "exist_ok", "parents", "recursive", "text", "shell", "capture_output", "check"),
        *("ignore_errors", "strict", "follow_symlinks", "keepdims", "ascending", "missing_ok", "append"),
        *("required", "universal_newlines", "keepends", "ensure_ascii", "sort_keys", "indent", "case_sensitive"),
        *("ignore_case", "inclusive"),
    )
)


@operator(
    "flip-boolean",
    "wrong-constant",
    "high",
    "The flag is <inverted|set the wrong way>: this place needs `{old}`, and `{new}` <turns the behaviour round|does the contrary>.",
    "`{new}` is the wrong way round <here|in this place>: it should be `{old}`.",
    "`{keyword}={new}` <switches|turns> the option the wrong way; `{callee}` needs `{keyword}={old}` here.",
    "<Pass|Give> `{keyword}={old}`: with `{new}`, `{callee}` does the contrary of what <is wanted|the code around it expects>.",
    "`{target}` should <be|become> `{old}` at this point, <not|rather than> `{new}`: what reads it <goes|decides> the wrong way.",
    "Setting `{target}` to `{new}` <says the contrary|inverts its meaning>: it has to be `{old}` <here|at this point>.",
)
def flip_boolean(source: Source, rng: random.Random) -> Iterator[Site]:
    for node in source.targets(ast.Constant):
        parent = source.parents.get(node)
        if not isinstance(node.value, bool):
            continue
        facts: dict[str, str | None]
        match parent:  # of other places nothing shows which of the two it should be
            case ast.keyword(arg=str(name)) if name in _SPEAKING:
                call = source.parents[parent]
                callee = source.short(call.func, 36) if isinstance(call, ast.Call) else None
                facts = {"keyword": name, "callee": callee}
            case ast.Assign(targets=[target]) if is_read(source, target):
                facts = {"target": source.short(target, 36)}
            case _:
                continue
        new = str(not node.value)
        yield site(source.edit(node, new), old=str(node.value), new=new, **facts)


_TYPES = frozenset({"list", "dict", "set", "tuple", "type"})
# Functions to which it makes no difference, or only to readers, which text they are given.
_UNREAD = frozenset(
    ["print", "format", "cast", "TypeVar", "getLogger", "warn", "isinstance", "replace", "join", "_", "debug"]
)


@operator(
    "wrong-key",
    "wrong-constant",
    "high",
    "`{new}` is the wrong <key|string> here: it should be `{old}`.",
    "This <uses|takes> `{new}` although `{old}` is <meant|needed>; both occur in this code and they are <mixed up|confused>.",
    "{lookup}`{base}` is <read|asked> at `{new}`, but the entry wanted <stands|is> at `{old}`.",
    "{compared}`{subject}` is compared with `{new}`, <but|while> the case to test for is `{old}`.",
    "{call}`{callee}` is <called with|given> `{new}`, which <names|is> something else; <the right string is|it needs> `{old}`.",
)
def wrong_key(source: Source, rng: random.Random) -> Iterator[Site]:
    groups: dict[str, list[tuple[ast.Constant, dict[str, str | None]]]] = defaultdict(list)
    for node in source.targets(ast.Constant):
        if not isinstance(node.value, str) or not 0 < len(node.value) <= 30 or source.short(node) is None:
            continue
        match source.parents.get(node):
            case ast.Subscript(value=base) if not (name_of(base) or "").istitle() and name_of(base) not in _TYPES:
                groups["key"].append((node, {"lookup": "", "base": source.short(base)}))
            case ast.Call(func=func, args=[first, *_]) if first is node and name_of(func) in (
                "get",
                "pop",
                "setdefault",
            ):
                groups["key"].append((node, {"call": "", "callee": source.short(func)}))
            case ast.Call(func=func) if name_of(func) not in _UNREAD:
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
    swap_arguments,
    drop_keyword_argument,
    swap_keyword_values,
    flip_boolean,
    wrong_key,
)
