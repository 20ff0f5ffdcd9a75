"""Conditions and branches: negations, terms, guards."""

# ruff: noqa: E501 (a phrasing stays on one line, however long)

from __future__ import annotations

import ast
import random
from collections.abc import Iterator

from momus.critique import Span
from momus.tamper.operators.base import Site, operator, site
from momus.tamper.operators.surroundings import is_condition, is_covered, relied_on
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
    "{in_while}`while {new}` <asks|tests> for the contrary; the loop should <run|go on> while `{old}`.",
    "The <test|condition> is negated by mistake: the `not` in front of it <has to go|does not belong there>.",
    "The `not` <is wrong|does not belong> here: the case <meant|to be tested> is that `{old}` is true.",
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
    "{whole}<Inverted|The wrong way round>: the condition <lacks|needs> a `not`, so both cases get the treatment of the other.",
    "{whole}The condition is the wrong way round: it should be `{old}`, <not|rather than> `{new}`.",
    "{whole}A `not` is missing <in front of|before> `{new}`: <the code runs|this fires> in exactly the wrong case.",
    "{whole}{in_if}This branch is meant for the case that `{new}` does not hold, but it is taken when it <is true|holds>. Use `{old}`.",
    "{whole}A `not` is missing <here|in this test>: as it stands it <holds|is true> in exactly the wrong case.",
    "{whole}{alone}When `{new}` is false, this branch is passed over, although that is the case to handle: <test|write> `{old}`.",
    "{whole}{in_while}The loop should go on until `{new}` becomes true, so its condition <has to be|is> `{old}`.",
    "{part}A `not` is missing <in front of|before> `{new}`: it is the contrary that is <asked for|needed> here.",
    "{part}`{new}` is the wrong way round <here|in this place>: it <should|has to> be `{old}`.",
    "{part}The sense is <inverted|turned round> here: a `not` <is missing|has to stand in front>, as in `{old}`.",
    "{part}This <takes|uses> `{new}` as it is, but needs its negation; <write|it should be> `{old}`.",
    "<Write|It has to be> a negation: without the `not` this says the contrary of what is <meant|needed>.",
)
def drop_not(source: Source, rng: random.Random) -> Iterator[Site]:
    for node in source.targets(ast.UnaryOp):
        if not isinstance(node.op, ast.Not):
            continue
        start = source.span(node).start
        gap = source.text[start + 3 : source.span(node.operand).start]
        end = start + 3 + len(gap) - len(gap.lstrip(" \t"))
        statement = source.statement(node)
        whole = getattr(statement, "test", None) is node
        alone = whole and isinstance(statement, ast.If) and not statement.orelse
        yield site(
            Edit(start, end, ""),
            old=source.short(node),
            new=source.short(node.operand),
            alone="" if alone else None,
            **{_kind(statement): "", "whole" if whole else "part": ""},
        )


@operator(
    "drop-condition-term",
    "wrong-condition",
    "high",
    "{was_and}The condition is too <wide|weak>: it also has to check `{dropped}`, as in `{old}`.",
    "{was_and}The test <forgets|leaves out> `{dropped}`, so it <is true|holds> in cases in which it must not.",
    "{was_and}`{new}` alone is not enough; <without|unless it also tests> `{dropped}` this is true too often.",
    "{was_and}<This does not test|The test does not ask for> `{dropped}`; <add|it lacks> `and {dropped}`.",
    "{guards}`{dropped}` is not asked before `{rest}` is used, which <relies on|needs> it; <it should be|write> `{old}`.",
    "{guards}Without `{dropped}` in front, the use of `{rest}` can fail <here|in this test>; <add|put> `{dropped} and` before it.",
    "{guards}The test has to ask for `{dropped}` first, as `{rest}` is <used|made use of> in what follows.",
    "{guards}A check is missing <here|in this test>: `{dropped}` has to hold before the rest of it is evaluated.",
    "{was_or}The condition is too <narrow|strict>: the case `{dropped}` <has|needs> to count as well.",
    "{was_or}The case that `{dropped}` is <forgotten|not covered>: <test|write> `{old}`.",
    "{was_or}`{new}` <misses|overlooks> one of the cases; <add|it lacks> `or {dropped}`.",
)
def drop_condition_term(source: Source, rng: random.Random) -> Iterator[Site]:
    for node in source.targets(ast.BoolOp):
        word = "and" if isinstance(node.op, ast.And) else "or"
        if any(isinstance(v, ast.Constant | ast.List | ast.Dict | ast.Tuple) for v in node.values):
            continue  # `x or []` is a default, not a condition
        if not is_condition(source, node):
            continue
        for i, value in enumerate(node.values):
            rest = relied_on(source, value, node.values[i + 1 :])
            if (rest is not None and word == "or") or _follows(source, value, node.values):
                continue
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
                rest=rest,
                **{"guards" if rest is not None else f"was_{word}": ""},
            )


def _follows(source: Source, value: ast.expr, terms: list[ast.expr]) -> bool:
    """Whether a term is true, or false, wherever another is: that a name is there, beside what is asked of it."""
    match value:
        case ast.Name() | ast.Attribute():
            asked: ast.expr = value
        case ast.Compare(left=asked, ops=[ast.Is() | ast.IsNot()], comparators=[ast.Constant(value=None)]):
            pass
        case ast.UnaryOp(op=ast.Not(), operand=ast.Name() | ast.Attribute() as asked):
            pass
        case _:
            return False
    code = source.code(asked)
    for term in (t for t in terms if t is not value):
        for n in ast.walk(term):
            if isinstance(n, ast.expr) and source.code(n) == code:
                parent = source.parents.get(n)
                if not isinstance(parent, ast.Attribute | ast.Subscript) or parent.value is not n:
                    return True
    return False


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
    "{to_or}`or` makes the test true when only one side holds; both are needed: `{old}`.",
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
        if len(node.values) > 2 or not is_condition(source, node):
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


OPERATORS = (
    negated_condition,
    drop_not,
    drop_condition_term,
    swapped_and_or,
    swap_ternary,
    narrow_isinstance,
)
