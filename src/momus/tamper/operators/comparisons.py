"""Comparisons: boundaries, directions, inverted tests."""

# ruff: noqa: E501 (a phrasing stays on one line, however long)

from __future__ import annotations

import ast
import random
import re
from collections.abc import Iterator

from momus.tamper.operators.base import Site, operator, site
from momus.tamper.operators.surroundings import is_chosen, relied_on
from momus.tamper.quoting import quotable
from momus.tamper.source import Edit, Source, name_of

_TOKENS: dict[type[ast.cmpop], str] = {
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.In: "in",
    ast.NotIn: "not in",
    ast.Is: "is",
    ast.IsNot: "is not",
}
_BOUNDARY = {"<": "<=", "<=": "<", ">": ">=", ">=": ">"}
_REVERSED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}


def compared(source: Source, swap: dict[str, str]) -> Iterator[tuple[ast.expr, ast.expr, str, str, Site]]:
    """Every comparison whose operator has another in `swap`: both sides, old and new operator, and the bare site."""
    for node in source.targets(ast.Compare):
        sides = [node.left, *node.comparators]
        for left, op, right in zip(sides, node.ops, sides[1:], strict=False):
            token = _TOKENS[type(op)]
            other = swap.get(token)
            if other is None:
                continue
            word = r"\s+".join(token.split())
            place = source.between(left, right, rf"\b{word}\b" if token[0].isalpha() else word)
            if place is None:
                continue
            edit, whole = Edit(place.start, place.end, other), source.joined(left, right)
            yield (
                left,
                right,
                token,
                other,
                site(
                    edit,
                    old=quotable(whole.of(source.text)),
                    new=quotable(source.after(whole, edit)),
                    left=source.brief(left),
                    right=source.brief(right),
                    old_op=token,
                    new_op=other,
                ),
            )


def _with(bare: Site, **facts: str | None) -> Site:
    return Site(bare.edits, bare.facts | {k: v for k, v in facts.items() if v is not None})


def _decides(source: Source, node: ast.expr) -> str:
    """The statement that a whole expression decides about, as a flag for phrasings: `in_if`, `in_while`, `in_return`."""
    match source.parents.get(node):
        case ast.If(test=test) if test is node:
            return "in_if"
        case ast.While(test=test) if test is node:
            return "in_while"
        case ast.Return():
            return "in_return"
    return "elsewhere"


def _where(source: Source, left: ast.expr) -> str:
    """The statement that a comparison by itself decides about: a flag for phrasings."""
    whole = source.parents[left]
    if not isinstance(whole, ast.Compare) or len(whole.ops) > 1:
        return "elsewhere"
    return _decides(source, whole)


def _branch(source: Source, left: ast.expr) -> ast.If | None:
    """The `if` that a comparison by itself decides about."""
    above = source.parents.get(source.parents[left])
    return above if isinstance(above, ast.If) and above.test is source.parents[left] else None


def _settles(source: Source, left: ast.expr, right: ast.expr) -> bool:
    """Whether a comparison picks one of its sides, or sets the one to the other: of equal ones either will do."""
    sides = {source.code(left), source.code(right)}
    above = source.parents.get(source.parents[left])
    if isinstance(above, ast.IfExp):
        return {source.code(above.body), source.code(above.orelse)} == sides
    for step in ast.walk(above) if isinstance(above, ast.If | ast.BoolOp) else ():
        if isinstance(step, ast.Assign) and {source.code(step.targets[0]), source.code(step.value)} == sides:
            return True
    return False


@operator(
    "boundary-comparison",
    "wrong-comparison",
    "medium",
    "{loose}`{new}` is also true <for|in> the case where both are equal; it has to be `{old}`.",
    "{loose}When `{left}` equals `{right}` this is true, though it must be false <then|in that case>: <use|write> `{old_op}`.",
    "{strict}`{new}` is false <for|in> the case where `{left}` equals `{right}`; <it should be|use> `{old}`.",
    "{strict}The boundary itself <does not count|is not covered>: with `{new_op}` the test is false for an equal value. <Compare with|Use> `{old_op}`.",
    "{in_while}{loose}The loop <still runs|goes on> when both are equal, because `{new}` holds at the boundary. Use `{old}`.",
    "{in_while}{strict}The loop <stops|ends> at the boundary already: `{new}` is false when both are equal. Use `{old}`.",
    "The case that `{left}` is exactly `{right}` is on the wrong side: the test needs `{old_op}`, <not|rather than> `{new_op}`.",
    "Wrong at the <edge|boundary>: for equal values `{new}` <decides|goes> the other way than it should. `{old}` is right.",
)
def boundary_comparison(source: Source, rng: random.Random) -> Iterator[Site]:
    for left, right, _, new, bare in compared(source, _BOUNDARY):
        if _settles(source, left, right) or any(is_chosen(side, source.code(side)) for side in (left, right)):
            continue
        yield _with(bare, **{"loose" if "=" in new else "strict": "", _where(source, left): ""})


@operator(
    "reversed-comparison",
    "wrong-comparison",
    "high",
    "`{left}` is tested against `{right}` in the wrong direction: the <operator|sign> should be `{old_op}`, not `{new_op}`.",
    "The comparison <points the wrong way|is the wrong way round>: `{new}` should be `{old}`.",
    "`{new}` <looks|goes> the wrong way; the <operator|test> needed is `{old_op}`.",
    "{in_while}The loop runs while `{new}`, which is the wrong way round; it should run while `{old}`.",
    "{in_if}This branch is taken when `{left}` is on the wrong side of `{right}`: <test|check> `{old}`.",
    "{in_return}The answer is reversed: it <compares|returns> `{new}` where `{old}` is <meant|asked for>.",
    "`{left}` and `{right}` are compared with `{new_op}`, <so|and thus> the two trade places. Use `{old_op}`.",
)
def reversed_comparison(source: Source, rng: random.Random) -> Iterator[Site]:
    for left, _, _, _, bare in compared(source, _REVERSED):
        yield _with(bare, **{_where(source, left): ""})


@operator(
    "inverted-equality",
    "inverted-condition",
    "high",
    "The sense of this test is inverted: `{left}` and `{right}` should be compared with `{old_op}`.",
    "The test is inverted: `{new}` <holds|is true> when it should not; <it should be|use> `{old}`.",
    "{in_if}This branch runs when `{new}` holds, which is <the wrong case|the opposite case>; the condition should be `{old}`.",
    "{to_differ}`{new}` <excludes|leaves out> the one value that is meant: `{left}` has to be equal to `{right}`, so use `==`.",
    "{to_equal}`{new}` <acts on|picks> the one value that has to be left alone; `{left}` should differ from `{right}`: use `!=`.",
    "{in_while}The loop condition is inverted: it <should go on|goes on> while `{old}`, not while `{new}`.",
    "`{new_op}` is the <opposite|reverse> of what is needed between `{left}` and `{right}`; <write|it must be> `{old_op}`.",
)
def inverted_equality(source: Source, rng: random.Random) -> Iterator[Site]:
    for left, _, _, new, bare in compared(source, {"==": "!=", "!=": "=="}):
        yield _with(bare, **{"to_differ" if new == "!=" else "to_equal": "", _where(source, left): ""})


@operator(
    "inverted-membership",
    "inverted-condition",
    "high",
    "Whether `{left}` is in `{right}` is asked the wrong way round, so each case gets the treatment of the other. Use `{old_op}`.",
    "The membership test is inverted: `{new}` should be `{old}`.",
    "{absent}`{new}` <is true|holds> where `{left}` is missing, and the case <meant|to be tested> is that it is in `{right}`.",
    "{present}`{new}` <is true|holds> for what is in `{right}`, while the case <meant|to be tested> is what is not; use `not in`.",
    "{absent}A `{left}` that is in `{right}` <fails|does not pass> this test, though it is the one asked for; <test|the check should be> `{old}`.",
    "{present}A `{left}` that `{right}` does not hold <fails|does not pass> this test, though it is the one asked for. Write `{old}`.",
    "`{left}` is looked up in `{right}` with the wrong sense: `{new_op}` <should be|has to be> `{old_op}`.",
)
def inverted_membership(source: Source, rng: random.Random) -> Iterator[Site]:
    for _, _, _, new, bare in compared(source, {"in": "not in", "not in": "in"}):
        yield _with(bare, **{"absent" if new == "not in" else "present": ""})


@operator(
    "inverted-none-check",
    "inverted-condition",
    "high",
    "The check of `{left}` against None is the wrong way round: <it has to be|use> `{old_op}`, not `{new_op}`.",
    "The None check is inverted: `{new}` should be `{old}`.",
    "{is_none}{works}With `{new}` the code <behind|under> this test <works on|uses> None, and a real `{left}` is <ignored|passed by>. Use `is not None`.",
    "{not_none}{whole}`{new}` is true when `{left}` has a value, so <that case|a given value> is treated as missing; the test should be `is None`.",
    "{is_none}{works}This asks for `{left}` to be None where it <has|needs> to have a value; the use of a None <leads to|causes> AttributeError or TypeError.",
    "{is_none}`{new}` is true for None and for nothing else, though a value is what is <asked for|meant>. Use `is not None`.",
    "{not_none}`{new}` is <false|not true> for None and true for every real value; None is what is <asked for|meant>. Use `is None`.",
    "`{left}` being None is handled the wrong way round: <write|test> `{old}`.",
)
def inverted_none_check(source: Source, rng: random.Random) -> Iterator[Site]:
    for left, right, _, new, bare in compared(source, {"is": "is not", "is not": "is"}):
        if not (isinstance(right, ast.Constant) and right.value is None):
            continue
        branch, test = _branch(source, left), source.parents[left]
        works = branch is not None and isinstance(test, ast.expr) and relied_on(source, test, branch.body) is not None
        yield _with(
            bare,
            works="" if works else None,
            whole="" if branch is not None else None,
            **{"is_none" if new == "is" else "not_none": ""},
        )


@operator(
    "identity-comparison",
    "wrong-comparison",
    "medium",
    "`{new}` <asks|tests> whether both are the same object, not whether they are equal; equal values <may fail it|can differ in identity>. Use `{old_op}`.",
    "Identity is compared <here|in `{new}`>: for equal strings or numbers the result depends on interning. `{old}` compares the values.",
    "Two equal values need not be one object, so `{new}` can be wrong <at random|now and then>; compare with `{old_op}`.",
    "`{new_op}` is for None and singletons; `{left}` and `{right}` are values, so <write|use> `{old_op}`.",
    held_out=True,
)
def identity_comparison(source: Source, rng: random.Random) -> Iterator[Site]:
    for left, right, _, _, bare in compared(source, {"==": "is", "!=": "is not"}):
        # Constants draw a warning of the compiler's; members of an enumeration are rightly compared by identity.
        if all(_plain_value(n) for n in (left, right)):
            yield bare


def _plain_value(node: ast.expr) -> bool:
    if re.search(r"cls|class|type|kind", name_of(node) or ""):
        return False  # classes are rightly compared by identity
    if isinstance(node, ast.Attribute):
        return not node.attr[:1].isupper()
    if isinstance(node, ast.Name) and node.id.isupper():
        return False  # a constant, often one made to be told by its identity
    if isinstance(node, ast.Call) and name_of(node.func) == "type":
        return False  # classes are rightly compared by identity
    return isinstance(node, ast.Name | ast.Call | ast.Subscript)


OPERATORS = (
    boundary_comparison,
    reversed_comparison,
    inverted_equality,
    inverted_membership,
    inverted_none_check,
    identity_comparison,
)
