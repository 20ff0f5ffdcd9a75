"""Values: conversions, normalisation, lost results, defaults, sorting, axes."""

# ruff: noqa: E501 (a phrasing stays on one line, however long)

from __future__ import annotations

import ast
import random
from collections.abc import Iterator

from momus.tamper.operators.base import Site, operator, site
from momus.tamper.operators.calls import without_argument
from momus.tamper.operators.surroundings import is_module, is_own, is_tested, surrounding
from momus.tamper.quoting import quotable
from momus.tamper.source import Edit, Source, name_of


@operator(
    "discard-result",
    "api-misuse",
    "high",
    "The result of `{new}` is thrown away: `{name}` stays as it was. <Assign it, as in|Write> `{old}`.",
    "`{name}` is not altered in place by this <call|line>; its result has to be <assigned|kept>, as in `{old}`.",
    "This <line|statement> has no effect, because nothing keeps what `{callee}` returns: <assign|bind> it to `{name}`.",
    "`{callee}` gives back a new value and leaves `{name}` <alone|untouched>; <use|store> what it returns.",
    held_out=True,
)
def discard_result(source: Source, rng: random.Random) -> Iterator[Site]:
    for node in source.targets(ast.Assign):
        match node:
            case ast.Assign(targets=[ast.Name(id=name) as target], value=ast.Call() as call):
                pass
            case _:
                continue
        base = call.func.value if isinstance(call.func, ast.Attribute) else None
        if name_of(call.func) not in _PURE:
            continue  # it may well alter what it is given
        reads = [a for a in (base, *call.args) if isinstance(a, ast.Name) and a.id == name]
        if not reads:
            continue
        start = source.span(target).start
        if source.text[start : source.span(call).start].rstrip(" \t")[-1:] != "=":
            continue
        yield site(
            Edit(start, source.span(call).start, ""),
            name=name,
            old=source.short(node),
            new=source.brief(call),
            callee=source.brief(call.func),
        )


_PURE = frozenset(
    (
        *("strip", "lstrip", "rstrip", "lower", "upper", "casefold", "title", "replace", "encode", "decode"),
        *("format", "join", "expandtabs", "removeprefix", "removesuffix", "translate", "split", "rsplit"),
        *("splitlines", "zfill", "ljust", "rjust", "sorted", "reversed", "abs", "round", "min", "max", "int"),
        *("float", "str", "len", "Path", "Decimal", "sub", "escape", "abspath", "realpath", "normpath"),
        *("expanduser", "expandvars", "basename", "dirname", "resolve", "with_suffix", "astype", "reshape"),
        *("union", "intersection", "difference", "dedent", "quote", "unquote", "fsdecode", "fspath", "strftime"),
        *("isoformat", "relative_to", "absolute", "as_posix", "with_name", "swapcase", "capitalize", "normalize"),
    )
)


@operator(
    "drop-default",
    "api-misuse",
    "medium",
    "{to_none}There is no default here: where `{key}` is missing this gives None, <not|instead of> `{default}`.",
    "{to_none}`{new}` is None for a missing key; <pass|give> `{default}` as the default.",
    "{to_none}The call <lacks|needs> a default of `{default}` for the case that `{key}` is <missing|not there>.",
    "{to_none}What is missing is a default: where there is no `{key}`, this should <give|be> `{default}`, not None.",
    "{to_error}Without a default this raises {error} where <nothing is found|nothing is there>; <pass|add> `{default}`.",
    "{to_error}`{new}` fails with {error} in the case that <it is missing|nothing is there>: `{default}` should be the default.",
)
def drop_default(source: Source, rng: random.Random) -> Iterator[Site]:
    for call in source.targets(ast.Call):
        match call:
            case ast.Call(func=ast.Attribute(value=base, attr="get"), args=[key, default], keywords=[]):
                if not _is_like_a_dict(base) or not _is_missed(source, call, default):
                    continue
                facts = {"to_none": ""}
            case ast.Call(func=ast.Attribute(value=base, attr="pop"), args=[key, default], keywords=[]):
                if not _is_like_a_dict(base):
                    continue
                facts = {"to_error": "", "error": "KeyError"}
            case ast.Call(func=ast.Name(id="getattr"), args=[_, key, default], keywords=[]):
                facts = {"to_error": "", "error": "AttributeError"}
            case ast.Call(func=ast.Name(id="next"), args=[key, default], keywords=[]):
                facts = {"to_error": "", "error": "StopIteration"}
            case _:
                continue
        edit = without_argument(source, call, default)
        if edit is None or any(isinstance(a, ast.Starred) for a in call.args):
            continue
        if "to_none" in facts and source.code(default) == "None":
            continue
        code, start = source.code(call), source.span(call).start
        new = code[: edit.start - start] + code[edit.end - start :]
        yield site(edit, key=source.brief(key), default=source.brief(default), new=quotable(new), **facts)


_SERVED = frozenset(["requests", "session", "client", "httpx", "http", "router", "app", "api", "queue", "q", "cache"])


def _is_like_a_dict(base: ast.expr) -> bool:
    """Whether `get` and `pop` of an object may be those of a dict, as far as its name tells."""
    return not is_own(base) and not is_module(base) and (name_of(base) or "").lower().lstrip("_") not in _SERVED


def _is_missed(source: Source, call: ast.Call, default: ast.expr) -> bool:
    """Whether None in place of a default makes a difference: it is used as something, or would be true."""
    parent = source.parents.get(call)
    if is_tested(source, call):
        return False
    empty = isinstance(default, ast.Constant | ast.List | ast.Dict | ast.Tuple) and not _is_true(default)
    if not empty:
        return True
    match parent:
        case ast.Attribute() | ast.Subscript() | ast.BinOp() | ast.For() | ast.comprehension() | ast.AugAssign():
            return True
        case ast.Compare(ops=[op, *_]):
            return isinstance(op, ast.Lt | ast.LtE | ast.Gt | ast.GtE | ast.In)
        case ast.Call(func=func):
            return name_of(func) in (
                "len",
                "int",
                "float",
                "set",
                "list",
                "tuple",
                "dict",
                "sum",
                "sorted",
                "iter",
                "join",
            )
        case ast.Assign(targets=[ast.Name() as target]):
            return (
                isinstance(default, ast.Constant)
                and not isinstance(default.value, bool)
                and _is_counted(source, target)
            )
    return False


def _is_true(default: ast.expr) -> bool:
    if isinstance(default, ast.Constant):
        return bool(default.value)
    return bool(getattr(default, "elts", None) or getattr(default, "keys", None))


def _is_counted(source: Source, target: ast.Name) -> bool:
    """Whether a name is calculated with, or read by method or item, after it was set."""
    for n in ast.walk(surrounding(source, target)):
        if isinstance(n, ast.Name) and n.id == target.id and n.lineno > target.lineno:
            parent = source.parents.get(n)
            if isinstance(parent, ast.BinOp | ast.Attribute | ast.Subscript | ast.For) and isinstance(n.ctx, ast.Load):
                return True
    return False


@operator(
    "wrong-sort",
    "wrong-argument",
    "high",
    "{drop_reverse}The order is ascending, but the largest <has to come|is needed> first: <pass|add> `reverse=True`.",
    "{drop_reverse}`{callee}` sorts the wrong way round <here|without `reverse=True`>, so the smallest comes first.",
    "{add_reverse}`reverse=True` <puts|sorts> the largest first, while the smallest <is needed|has to come> first here; <leave it out|remove it>.",
    "{add_reverse}The sort runs <backwards|the wrong way round>: without `reverse=True` the order would be right.",
    "{drop_key}Without `{key}`, `{callee}` compares the items themselves: the <order|choice> is wrong, or TypeError is raised.",
    "{drop_key}The key is missing: `{callee}` has to go by `{key}`, not by the <bare items|items as they are>.",
)
def wrong_sort(source: Source, rng: random.Random) -> Iterator[Site]:
    for call in source.targets(ast.Call):
        name = name_of(call.func)
        if name not in ("sort", "sorted") and not (name in ("min", "max") and call.keywords):
            continue
        callee = source.brief(call.func)
        keywords = {k.arg: k for k in call.keywords}
        for which in ("reverse", "key"):
            if (
                which in keywords
                and not _is_as_without(source, keywords[which].value)
                and (edit := without_argument(source, call, keywords[which])) is not None
            ):
                yield site(edit, callee=callee, key=source.brief(keywords[which]), **{f"drop_{which}": ""})
        if name in ("sort", "sorted") and "reverse" not in keywords and "\n" not in source.code(call):
            end = source.span(call).end - 1
            filled = bool(call.args or call.keywords)
            if source.text[end - 1] != ",":
                edit = Edit(end, end, ", reverse=True" if filled else "reverse=True")
                yield site(edit, callee=callee, add_reverse="")


def _is_as_without(source: Source, value: ast.expr) -> bool:
    """Whether an argument of a sort says little more than what holds without it, or what that is does not show."""
    code = source.code(value)
    if code in ("itemgetter(0)", "operator.itemgetter(0)", "None", "False"):
        return True
    if isinstance(value, ast.Lambda):
        return source.code(value.body).endswith("[0]")
    return isinstance(value, ast.Name | ast.Attribute) and "reverse" in code


@operator(
    "wrong-axis",
    "wrong-argument",
    "high",
    "The axis is wrong: `{new}` <works|goes> along the other dimension; <it should be|use> `{old}`.",
    "`{new}` <takes|picks> the wrong dimension of `{subject}`, so rows and columns are mixed up. <Use|Write> `{old}`.",
    "Rows and columns are <confused|mixed up> here: `{subject}` needs `{old}`, <not|rather than> `{new}`.",
    "With `{new}` the result has the wrong shape, or the right one with wrong values; `{old}` is the <dimension|axis> meant.",
)
def wrong_axis(source: Source, rng: random.Random) -> Iterator[Site]:
    flipped = {"0": "1", "1": "0", "-1": "0"}
    for call in source.targets(ast.Call):
        for keyword in call.keywords:
            new = flipped.get(source.code(keyword.value))
            if keyword.arg in ("axis", "dim") and new is not None:
                yield site(
                    source.edit(keyword.value, new),
                    new=f"{keyword.arg}={new}",
                    old=f"{keyword.arg}={source.code(keyword.value)}",
                    subject=source.brief(call.func),
                )
    for node in source.targets(ast.Subscript):
        new = flipped.get(source.code(node.slice))
        if name_of(node.value) == "shape" and new is not None:
            yield site(
                source.edit(node.slice, new),
                new=f"shape[{new}]",
                old=f"shape[{source.code(node.slice)}]",
                subject=source.brief(node.value.value if isinstance(node.value, ast.Attribute) else node.value),
            )


OPERATORS = (
    discard_result,
    drop_default,
    wrong_sort,
    wrong_axis,
)
