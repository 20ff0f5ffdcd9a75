"""Values: conversions, normalisation, lost results, defaults, sorting, axes."""

# ruff: noqa: E501 (a phrasing stays on one line, however long)

from __future__ import annotations

import ast
import random
from collections.abc import Iterator

from momus.tamper.operators.aliasing import COPYING, idle, wrapped
from momus.tamper.operators.base import Site, operator, site
from momus.tamper.operators.calls import without_argument
from momus.tamper.quoting import brief, quotable
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


_WRAPPERS = {
    "sorted": "the order is whatever it happens to be",
    "set": "duplicates are kept",
    "frozenset": "duplicates are kept",
    "abs": "negative values keep their sign",
    "len": "the object itself is taken for its length",
    "reversed": "the order is the wrong way round",
    "round": "the value is not rounded",
    "list": "there is only an iterator, to be read once",
    "iter": "each use starts from the beginning",
    "sum": "the items are not added up",
    "hash": "the object itself is taken for its hash",
    "ord": "a character is taken for its number",
    "type": "the object itself is taken for its type",
    "callable": "the object itself is tested",
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
        if name == "list" and not _is_iterator(value):
            continue
        yield site(
            source.edit(call, source.operand(value)),
            name=name,
            value=source.brief(value),
            old=source.brief(call),
            effect=_WRAPPERS[name],
        )


def _is_iterator(value: ast.expr) -> bool:
    lazy = ("map", "filter", "zip", "reversed", "iter", "enumerate", "chain", "islice", "groupby", "finditer")
    return isinstance(value, ast.GeneratorExp) or (isinstance(value, ast.Call) and name_of(value.func) in lazy)


_NORMALISING = {
    "lower": "capitals and small letters count as different",
    "upper": "capitals and small letters count as different",
    "casefold": "capitals and small letters count as different",
    "strip": "blanks at the ends stay in",
    "rstrip": "blanks or a newline at the end stay in",
    "lstrip": "blanks at the front stay in",
    "encode": "text is taken for bytes",
    "decode": "bytes are taken for text",
    "resolve": "a relative path or a link stays as it is",
    "expanduser": "a leading ~ is not expanded",
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
    "`.{method}(...)` is missing <after|behind> `{value}`: {effect}.",
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
        end = source.span(call).end
        base_end = source.find(r"\.\s*" + method, source.span(value).end, end)
        if base_end is None or "\n" in source.text[base_end.start : end]:
            continue
        cut = Edit(base_end.start, end, "")
        yield site(cut, value=source.brief(value), method=method, effect=_NORMALISING[method], old=source.short(call))


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


@operator(
    "drop-default",
    "api-misuse",
    "medium",
    "{to_none}There is no default here: where `{key}` is missing this gives None, <not|instead of> `{default}`.",
    "{to_none}`{new}` is None for a missing key, which what follows cannot <handle|use>; <pass|give> `{default}` as the default.",
    "{to_error}Without a default this raises {error} where <nothing is found|`{key}` is missing>; <pass|add> `{default}`.",
    "{to_error}`{new}` fails with {error} in the <ordinary|everyday> case that <it is missing|nothing is there>: `{default}` should be the default.",
    "The call <lacks|needs> a default of `{default}` for the case that `{key}` is <missing|not there>.",
)
def drop_default(source: Source, rng: random.Random) -> Iterator[Site]:
    for call in source.targets(ast.Call):
        match call:
            case ast.Call(func=ast.Attribute(attr="get"), args=[key, default], keywords=[]):
                facts = {"to_none": ""}
            case ast.Call(func=ast.Attribute(attr="pop"), args=[key, default], keywords=[]):
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


@operator(
    "wrong-sort",
    "wrong-argument",
    "high",
    "{drop_reverse}The order is ascending, but the largest <has to come|is needed> first: <pass|add> `reverse=True`.",
    "{drop_reverse}`{callee}` sorts the wrong way round <here|without `reverse=True`>, so the smallest comes first.",
    "{add_reverse}`reverse=True` <puts|sorts> the largest first, while the smallest <is needed|has to come> first here; <leave it out|remove it>.",
    "{add_reverse}The sort runs <backwards|the wrong way round>: without `reverse=True` the order would be right.",
    "{drop_key}Sorting without `{key}` <compares|orders> the items themselves: the order is wrong, or TypeError is raised.",
    "{drop_key}The sort key is missing: `{callee}` has to order by `{key}`, not by the <bare items|items as they are>.",
)
def wrong_sort(source: Source, rng: random.Random) -> Iterator[Site]:
    for call in source.targets(ast.Call):
        name = name_of(call.func)
        if name not in ("sort", "sorted") and not (name in ("min", "max") and call.keywords):
            continue
        callee = source.brief(call.func)
        keywords = {k.arg: k for k in call.keywords}
        for which in ("reverse", "key"):
            if which in keywords and (edit := without_argument(source, call, keywords[which])) is not None:
                yield site(edit, callee=callee, key=source.brief(keywords[which]), **{f"drop_{which}": ""})
        if name in ("sort", "sorted") and "reverse" not in keywords and "\n" not in source.code(call):
            end = source.span(call).end - 1
            filled = bool(call.args or call.keywords)
            if source.text[end - 1] != ",":
                edit = Edit(end, end, ", reverse=True" if filled else "reverse=True")
                yield site(edit, callee=callee, add_reverse="")


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
    drop_conversion,
    drop_wrapper,
    drop_normalisation,
    discard_result,
    drop_default,
    wrong_sort,
    wrong_axis,
)
