"""Conditions and branches: negations, terms, guards."""

# ruff: noqa: E501 (a phrasing stays on one line, however long)

from __future__ import annotations

import ast
import builtins
import random
from collections.abc import Iterator

from momus.critique import Span
from momus.tamper.operators.base import Site, operator, site
from momus.tamper.quoting import brief, quotable
from momus.tamper.source import Edit, Source


def _kind(node: ast.AST | None) -> str:
    """What a condition decides about: a flag for phrasings."""
    return "in_if" if isinstance(node, ast.If) else "in_while" if isinstance(node, ast.While) else "elsewhere"


@operator(
    "negated-condition",
    "inverted-condition",
    "high",
    "Inverted: a `not` too many makes this <take the wrong path|decide the wrong way> in every case.",
    "The condition is inverted: <this should|it has to> test `{old}`, not `{new}`.",
    "{in_if}The branch <runs|is taken> exactly when `{old}` is false; <drop|remove> the `not`.",
    "{in_while}`while {new}` <never runs|ends at once> in the usual case; the loop should <run|go on> while `{old}`.",
    "The <test|condition> is negated by mistake: the `not` in front of it <has to go|does not belong there>.",
    "The `not` <is wrong|does not belong> here: what follows <relies on|needs> `{old}` being true.",
    "With `{new}` the two cases are <swapped|mixed up>, so the code for `{old}` runs when it does not hold.",
)
def negated_condition(source: Source, rng: random.Random) -> Iterator[Site]:
    nodes: list[ast.If | ast.While | ast.IfExp] = [
        *source.targets(ast.If),
        *source.targets(ast.While),
        *source.targets(ast.IfExp),
    ]
    for node in nodes:
        test = node.test
        # A comparison has its own inversions, which are less conspicuous than a `not` in front.
        if isinstance(test, ast.UnaryOp | ast.Compare | ast.Constant | ast.BoolOp) or not source.is_target(test):
            continue
        code = source.code(test)
        simple = isinstance(test, ast.Name | ast.Attribute | ast.Call | ast.Subscript)
        new = f"not {code}" if simple else f"not ({code})"
        flag = _kind(node)
        yield site(
            source.edit(test, new),
            old=quotable(code),
            new=quotable(new),
            **{flag: ""},
        )


@operator(
    "drop-not",
    "inverted-condition",
    "high",
    "<Inverted|The wrong way round>: the condition <lacks|needs> a `not`, so both cases get the treatment of the other.",
    "The condition is the wrong way round: it should be `{old}`, <not|rather than> `{new}`.",
    "A `not` is missing <in front of|before> `{new}`: <the code runs|this fires> in exactly the wrong case.",
    "{whole}{in_if}This branch is meant for the case that `{new}` is false or empty, but it is taken when it <is true|holds>. Use `{old}`.",
    "A `not` is missing <here|in this test>: as it stands it <holds|is true> in exactly the wrong case.",
    "{whole}When `{new}` is <false|empty>, nothing happens here, although that is the case to handle: <test|write> `{old}`.",
    "{whole}{in_while}The loop should go on until `{new}` becomes true, so its condition <has to be|is> `{old}`.",
)
def drop_not(source: Source, rng: random.Random) -> Iterator[Site]:
    for node in source.targets(ast.UnaryOp):
        if not isinstance(node.op, ast.Not):
            continue
        start = source.span(node).start
        gap = source.text[start + 3 : source.span(node.operand).start]
        end = start + 3 + len(gap) - len(gap.lstrip(" \t"))
        statement = source.statement(node)
        flag = _kind(statement)
        yield site(
            Edit(start, end, ""),
            old=source.short(node),
            new=source.short(node.operand),
            whole="" if getattr(statement, "test", None) is node else None,
            **{flag: ""},
        )


@operator(
    "drop-condition-term",
    "wrong-condition",
    "high",
    "{was_and}The condition is too <wide|weak>: it also has to check `{dropped}`, as in `{old}`.",
    "{was_and}The test <forgets|leaves out> `{dropped}`, so it <lets through|accepts> cases that it must not.",
    "{was_and}`{new}` alone is not enough; <without|unless it also tests> `{dropped}`, cases that must be <kept out|left out> get through.",
    "{was_and}<Nothing|Nothing here> makes sure that `{dropped}`; <add|the test lacks> `and {dropped}`.",
    "{was_or}The condition is too <narrow|strict>: the case `{dropped}` <has|needs> to be accepted as well.",
    "{was_or}The case that `{dropped}` is <forgotten|not covered>: <test|write> `{old}`.",
    "{was_or}`{new}` <misses|overlooks> one of the cases; <add|it lacks> `or {dropped}`.",
)
def drop_condition_term(source: Source, rng: random.Random) -> Iterator[Site]:
    for node in source.targets(ast.BoolOp):
        word = "and" if isinstance(node.op, ast.And) else "or"
        if any(isinstance(v, ast.Constant | ast.List | ast.Dict | ast.Tuple) for v in node.values):
            continue  # `x or []` is a default, not a condition
        for i, value in enumerate(node.values):
            # Between the end of one operand and the start of the next, parentheses may open or close: keep them out.
            if i + 1 < len(node.values):
                place = source.between(value, node.values[i + 1], rf"\b{word}\b")
                start = source.span(value).start
                end = place.end if place else 0
            else:
                place = source.between(node.values[i - 1], value, rf"\b{word}\b")
                start, end = (place.start if place else 0), source.span(value).end
            if place is None:
                continue
            first, last = _parenthesised(source, start, end, after=i + 1 == len(node.values))
            edit = Edit(first, last, "")
            yield site(
                edit,
                old=source.short(node),
                new=quotable(source.after(_around(source.span(node), first, last), edit)),
                dropped=brief(source.grouped(value).of(source.text)),
                **{f"was_{word}": ""},
            )


def _around(whole: Span, start: int, end: int) -> Span:
    return Span(min(whole.start, start), max(whole.end, end))


def _parenthesised(source: Source, start: int, end: int, *, after: bool) -> tuple[int, int]:
    """Widen a range to balanced parentheses and to the blanks on the side where the neighbour stands."""
    text = source.text
    depth = text.count("(", start, end) - text.count(")", start, end)
    if after:
        while depth > 0 and end < len(text) and text[end] in " \t\r\n)":
            depth -= text[end] == ")"
            end += 1
        while start > 0 and text[start - 1] in " \t":
            start -= 1
        return start, end
    while depth < 0 and start > 0 and text[start - 1] in " \t\r\n(":
        start -= 1
        depth += text[start] == "("
    while end < len(text) and text[end] in " \t":
        end += 1
    return start, end


@operator(
    "swapped-and-or",
    "wrong-condition",
    "high",
    "{to_or}`or` lets the test pass when only one side holds; both are needed: `{old}`.",
    "{to_or}`{left}` by itself is not enough <here|for this branch>, `{right}` must hold too. <Join them|Combine the two> with `and`.",
    "{to_or}`{left}` and `{right}` have to hold together, but `or` is <content|satisfied> with either of them.",
    "{to_or}The condition is too <wide|weak>: `{new}` is true as soon as one part is. It should be `{old}`.",
    "{to_and}`and` <demands|requires> both at once; either `{left}` or `{right}` <is enough|should do>.",
    "{to_and}Either of `{left}` and `{right}` should be enough <here|for this>; `and` asks for both of them.",
    "{to_and}The condition is too <narrow|strict>: `{new}` fails where only one part holds. Use `or`.",
    "{to_and}One of the two is sufficient, so <this|the test> should read `{old}`, <not|rather than> `{new}`.",
)
def swapped_and_or(source: Source, rng: random.Random) -> Iterator[Site]:
    for node in source.targets(ast.BoolOp):
        if len(node.values) > 3:
            continue
        word, other = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
        for left, right in zip(node.values, node.values[1:], strict=False):
            place = source.between(left, right, rf"\b{word}\b")
            if place is None:
                continue
            edit, whole = Edit(place.start, place.end, other), source.joined(left, right)
            yield site(
                edit,
                old=quotable(whole.of(source.text)),
                new=quotable(source.after(whole, edit)),
                left=source.brief(left),
                right=source.brief(right),
                **{f"to_{other}": ""},
            )


@operator(
    "drop-guard",
    "missing-check",
    "high",
    "<Nothing|No check> here handles `{test}`: <that case|it> should <end|be dealt with> by `{action}` before the code goes on.",
    "The case `{test}` is not <checked|caught> first, so <the code below|what follows> runs on a value it cannot <handle|work with>.",
    "{raises}A <guard|check> is missing: when `{test}`, this has to raise {error} instead of <going on|continuing>.",
    "{leaves}An early `{action}` for `{test}` is missing; without it the rest <runs|is done> for that case too.",
    "There is no guard against `{test}` before this <code runs|point>; add `if {test}: {action}`.",
    "`{name}` is used without a check: if `{test}`, <the function|this> should `{action}`.",
)
def drop_guard(source: Source, rng: random.Random) -> Iterator[Site]:
    for node in source.targets(ast.If):
        if node.orelse or len(node.body) != 1:
            continue
        action = node.body[0]
        if not isinstance(action, ast.Return | ast.Raise | ast.Continue | ast.Break):
            continue
        block, place = source.block(node)
        parent = source.parents[node]
        if place + 1 == len(block) or (isinstance(parent, ast.If) and block is parent.orelse):
            continue
        edit = source.without(node)
        test = source.short(node.test)
        if isinstance(node.test, ast.UnaryOp) and isinstance(action, ast.Return) and _is_nothing(action.value):
            continue  # of nothing the code below often makes nothing by itself
        if isinstance(action, ast.Return) and _looks_up(node.test, action.value):
            continue  # without it the same is worked out again
        if edit is None or test is None:
            continue
        facts: dict[str, str | None] = {"leaves": ""}
        if isinstance(action, ast.Raise):
            facts = {"raises": "", "error": _error(source, action)}
        called = {n.func for n in ast.walk(node.test) if isinstance(n, ast.Call)}
        names = [n.id for n in ast.walk(node.test) if isinstance(n, ast.Name) and n not in called]
        code = source.short(action, 40)
        facts["name"] = names[0] if names and code else None
        yield site(edit, test=test, action=source.brief(action), **facts)


def _looks_up(test: ast.expr, value: ast.expr | None) -> bool:
    """Whether what is returned is what was kept under a key that the test finds."""
    if not (isinstance(test, ast.Compare) and isinstance(test.ops[0], ast.In) and isinstance(value, ast.Subscript)):
        return False
    return ast.dump(test.comparators[0]) == ast.dump(value.value)


def _is_nothing(value: ast.expr | None) -> bool:
    match value:
        case ast.List(elts=[]) | ast.Tuple(elts=[]) | ast.Dict(keys=[]):
            return True
        case ast.Call(args=[], keywords=[]):
            return True
        case ast.Constant(value=found):
            return found is not None and not found
    return False


def _error(source: Source, action: ast.Raise) -> str:
    error = action.exc.func if isinstance(action.exc, ast.Call) else action.exc
    return f"`{source.brief(error)}`" if error is not None else "the error again"


@operator(
    "elif-to-if",
    "wrong-condition",
    "medium",
    "This `if` starts a new decision, so it is <tested|tried> even when an earlier branch <was taken|has already matched>; it should be `elif`.",
    "After `{before}` has matched, `{test}` is still <tested|checked>, and its branch can <overwrite the result|run as well>. Use `elif`.",
    "The cases `{before}` and `{test}` <are alternatives|belong to one chain>: make this an `elif`.",
    "{otherwise}The `else` below belongs to this `if` alone, so it also runs when `{before}` was true. Write `elif {test}`.",
)
def elif_to_if(source: Source, rng: random.Random) -> Iterator[Site]:
    for node in source.targets(ast.If):
        if len(node.orelse) != 1 or not isinstance(node.orelse[0], ast.If):
            continue
        follow = node.orelse[0]
        start = source.span(follow).start
        if source.text[start : start + 4] != "elif" or _leaves(node.body):
            continue
        yield site(
            Edit(start, start + 4, "if"),
            before=source.brief(node.test),
            test=source.brief(follow.test),
            otherwise="" if follow.orelse else None,
        )


def _leaves(body: list[ast.stmt]) -> bool:
    return isinstance(body[-1], ast.Return | ast.Raise | ast.Continue | ast.Break)


@operator(
    "swap-ternary",
    "inverted-condition",
    "high",
    "The two <outcomes|arms> are swapped: when `{test}`, the value should be `{then}`, <not|rather than> `{other}`.",
    "`{new}` gives `{other}` exactly where `{then}` is <due|needed>; <exchange|swap> the two values.",
    "This conditional is the wrong way round: `{then}` belongs <to the case|where> `{test}` is true.",
    "If `{test}` holds, one gets `{other}` here, although that is the value for the contrary case. It should be `{old}`.",
    held_out=True,
)
def swap_ternary(source: Source, rng: random.Random) -> Iterator[Site]:
    for node in source.targets(ast.IfExp):
        a, b = source.code(node.body), source.code(node.orelse)
        if isinstance(node.orelse, ast.IfExp | ast.Lambda) or node.lineno != node.end_lineno:
            continue
        edits = (source.edit(node.body, b), source.edit(node.orelse, a))
        yield site(
            *edits,
            then=brief(a),
            other=brief(b),
            test=source.brief(node.test),
            old=source.short(node, 60),
            new=quotable(source.after(source.span(node), *edits), 60),
        )


@operator(
    "narrow-isinstance",
    "wrong-condition",
    "medium",
    "`{dropped}` is not <accepted|covered> here: the check should <be|read> `{old}`.",
    "A `{subject}` of type `{dropped}` <falls through|fails this test>, although it has to be treated <alike|the same way>.",
    "The type check is too narrow: <it leaves out|besides `{kept}` it needs> `{dropped}`, so such a `{subject}` takes the wrong path.",
    "`{new}` is false for `{dropped}`; <test|check> for `{types}`.",
)
def narrow_isinstance(source: Source, rng: random.Random) -> Iterator[Site]:
    for call in source.targets(ast.Call):
        match call:
            case ast.Call(func=ast.Name(id="isinstance" | "issubclass"), args=[subject, ast.Tuple() as types]):
                pass
            case _:
                continue
        if not 2 <= len(types.elts) <= 4 or any(isinstance(t, ast.Starred) for t in types.elts):
            continue
        for gone in types.elts:
            kept = [source.code(t) for t in types.elts if t is not gone]
            if is_covered(source.code(gone), kept):
                continue
            text = kept[0] if len(kept) == 1 else f"({', '.join(kept)})"
            edit = source.edit(types, text)
            yield site(
                edit,
                dropped=source.brief(gone),
                kept=brief(text),
                old=source.short(call, 60),
                new=quotable(source.after(source.span(call), edit), 60),
                subject=source.brief(subject, 30),
                types=source.brief(types),
            )


def is_covered(name: str, others: list[str]) -> bool:
    """Whether a class of Python's own is among others anyway, as one of their subclasses."""
    found = getattr(builtins, name, None)
    classes = [c for c in (getattr(builtins, other, None) for other in others) if isinstance(c, type)]
    return isinstance(found, type) and issubclass(found, tuple(classes))


OPERATORS = (
    negated_condition,
    drop_not,
    drop_condition_term,
    swapped_and_or,
    drop_guard,
    elif_to_if,
    swap_ternary,
    narrow_isinstance,
)
