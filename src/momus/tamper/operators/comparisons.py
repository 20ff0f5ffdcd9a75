"""Comparisons: boundaries, directions, inverted tests."""

# ruff: noqa: E501 (a phrasing stays on one line, however long)

from __future__ import annotations

import ast
import random
from collections.abc import Iterator

from momus.tamper.operators.base import Site, operator, site
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


def _where(source: Source, node: ast.expr) -> str:
    """The statement that a comparison decides about: a flag for phrasings."""
    for parent in source.ancestors(node):
        match parent:
            case ast.While():
                return "in_while"
            case ast.If():
                return "in_if"
            case ast.Return():
                return "in_return"
            case ast.stmt() | ast.comprehension() | ast.IfExp():
                return "elsewhere"
    return "elsewhere"


@operator(
    "boundary-comparison",
    "wrong-comparison",
    "medium",
    "{loose}`{new}` also <lets through|accepts|is true for> the case where both are equal; it has to be `{old}`.",
    "{loose}When `{left}` equals `{right}` this is <true|taken>, though that case must be <left out|excluded>: <use|write> `{old_op}`.",
    "{strict}`{new}` <misses|leaves out> the case where `{left}` equals `{right}`; <it should be|use> `{old}`.",
    "{strict}The boundary itself is <excluded|lost>: with `{new_op}` an equal value <fails the test|is turned away>. <Compare with|Use> `{old_op}`.",
    "{in_while}{loose}The loop <makes one pass too many|runs once too often>, because `{new}` still holds at the boundary. Use `{old}`.",
    "{in_while}{strict}The loop stops one pass early: `{new}` is false when both are equal, so the last case is <skipped|missed>. Use `{old}`.",
    "The case that `{left}` is exactly `{right}` is on the wrong side: the test needs `{old_op}`, <not|rather than> `{new_op}`.",
    "Wrong at the <edge|boundary>: for equal values `{new}` <decides|goes> the other way than it should. `{old}` is right.",
)
def boundary_comparison(source: Source, rng: random.Random) -> Iterator[Site]:
    for left, _, _, new, bare in compared(source, _BOUNDARY):
        yield _with(bare, **{"loose" if "=" in new else "strict": "", _where(source, left): ""})


@operator(
    "reversed-comparison",
    "wrong-comparison",
    "high",
    "`{left}` is tested against `{right}` in the wrong direction: the <operator|sign> should be `{old_op}`, not `{new_op}`.",
    "The comparison <points the wrong way|is the wrong way round>: `{new}` should be `{old}`.",
    "`{new}` is true in exactly the cases where it should <not be|be false>; the <operator|test> needed is `{old_op}`.",
    "{in_while}With `{new}` the loop <ends at once|never starts> in the normal case; it should run while `{old}`.",
    "{in_if}This branch is taken when `{left}` is on the wrong side of `{right}`: <test|check> `{old}`.",
    "{in_return}The answer is reversed: it <compares|returns> `{new}` where `{old}` is <meant|asked for>.",
    "`{left}` and `{right}` are compared with `{new_op}`, so large and small values are <mixed up|treated the wrong way round>. Use `{old_op}`.",
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
    "{to_differ}`{new}` <excludes|turns away> the one value that is meant: `{left}` has to be equal to `{right}`, so use `==`.",
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
    "{absent}`{new}` <is true|holds> for keys that are missing, and the code <behind it|that follows> needs `{left}` to be in `{right}`.",
    "{present}`{new}` <acts on|selects> what is already in `{right}` and <skips|ignores> what is new; use `not in`.",
    "{absent}This treats a `{left}` that is missing from `{right}` as if it were there; <test|the check should be> `{old}`.",
    "{present}A `{left}` that `{right}` does not hold is <passed over|missed> here, since the test asks for the contrary. Write `{old}`.",
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
    "{is_none}With `{new}` the code <behind|under> this test <works on|uses> None, and a real `{left}` is <ignored|passed by>. Use `is not None`.",
    "{not_none}`{new}` is true when `{left}` was given, so a given value is <overwritten|treated as missing>; the test should be `is None`.",
    "{is_none}This asks for `{left}` to be None where it <has|needs> to have a value; a None then <leads to|causes> AttributeError or TypeError.",
    "{not_none}`{new}` is <false|not true> for a `{left}` of None and true for every real value; None is what is <asked for|meant>. Use `is None`.",
    "`{left}` being None is handled the wrong way round: <write|test> `{old}`.",
)
def inverted_none_check(source: Source, rng: random.Random) -> Iterator[Site]:
    for _, right, _, new, bare in compared(source, {"is": "is not", "is not": "is"}):
        if isinstance(right, ast.Constant) and right.value is None:
            yield _with(bare, **{"is_none" if new == "is" else "not_none": ""})


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
