"""Arithmetic: operators, accumulation, precedence."""

# ruff: noqa: E501 (a phrasing stays on one line, however long)

from __future__ import annotations

import ast
import random
from collections.abc import Iterator

from momus.tamper.operators.base import Site, operator, site
from momus.tamper.operators.surroundings import is_number
from momus.tamper.quoting import brief, quotable
from momus.tamper.source import Edit, Source, name_of

_SYMBOLS: dict[type[ast.operator], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.FloorDiv: "//",
    ast.Mod: "%",
    ast.Pow: "**",
    ast.BitAnd: "&",
    ast.BitOr: "|",
    ast.BitXor: "^",
    ast.LShift: "<<",
    ast.RShift: ">>",
}
_STRENGTH: dict[type[ast.operator], int] = {
    ast.BitOr: 1,
    ast.BitXor: 2,
    ast.BitAnd: 3,
    ast.LShift: 4,
    ast.RShift: 4,
    ast.Add: 5,
    ast.Sub: 5,
    ast.Pow: 7,
} | dict.fromkeys((ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.MatMult), 6)
_MISTAKEN = {
    "+": ("-",),
    "-": ("+",),
    "*": ("+", "/", "**"),
    "/": ("*",),
    "%": ("//",),
    "**": ("*",),
    "&": ("|",),
    "|": ("&",),
    "^": ("|", "&"),
    "<<": (">>",),
    ">>": ("<<",),
}


def _textual(node: ast.expr) -> bool:
    """Whether an operand is a string or a list: only numbers are mistaken in arithmetic."""
    if isinstance(node, ast.BinOp):
        return _textual(node.left) or _textual(node.right)
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice):
        return True
    if isinstance(node, ast.Call) and name_of(node.func) in ("str", "repr", "join", "format", "list", "tuple", "bytes"):
        return True
    return isinstance(node, ast.JoinedStr | ast.List | ast.Tuple | ast.ListComp) or (
        isinstance(node, ast.Constant) and isinstance(node.value, str | bytes)
    )


@operator(
    "wrong-arithmetic",
    "wrong-operator",
    "high",
    "`{left}` <should not|is not to> be joined with `{right}` by `{new_op}`: the right operator <here|in this place> is `{old_op}`.",
    "The operator is wrong: `{new}` should be `{old}`.",
    "`{left}` and `{right}` are <combined|joined> with `{new_op}`, but the <calculation|formula> needs `{old_op}`.",
    "`{new}` <gives|computes> a wrong value; <it takes|use> `{old_op}`, as in `{old}`.",
    "`{target}` comes out wrong, because `{new}` <uses|has> `{new_op}` in place of `{old_op}`.",
    "{returned}The value returned is wrong: it <needs|takes> `{old_op}`, not `{new_op}`, between `{left}` and `{right}`.",
)
def wrong_arithmetic(source: Source, rng: random.Random) -> Iterator[Site]:
    for node in source.targets(ast.BinOp):
        token = _SYMBOLS.get(type(node.op), "")
        if token not in _MISTAKEN or _textual(node) or not _takes_other(source, node):
            continue
        place = source.between(node.left, node.right, _escaped(token))
        if place is None:
            continue
        other = rng.choice(_MISTAKEN[token])
        edit, whole = Edit(place.start, place.end, other), source.span(node)
        facts: dict[str, str | None] = {}
        match source.parents.get(node):
            case ast.Assign(targets=[target]):
                facts = {"target": source.short(target, 30)}
            case ast.Return():
                facts = {"returned": ""}
        yield site(
            edit,
            old=quotable(whole.of(source.text)),
            new=quotable(source.after(whole, edit)),
            left=source.brief(node.left),
            right=source.brief(node.right),
            old_op=token,
            new_op=other,
            **facts,
        )


def _takes_other(source: Source, node: ast.BinOp) -> bool:
    """Whether the operands are such that another operator gives another value, and not a TypeError or the same."""
    left, right = is_number(source, node.left), is_number(source, node.right)
    match node.op:
        case ast.BitAnd() | ast.BitOr() | ast.BitXor():
            return not any(_is_type_or_dict(side) for side in (node.left, node.right))
        case ast.Mult() | ast.Mod():
            idle = isinstance(node.op, ast.Mult) and "1" in (source.code(node.left), source.code(node.right))
            return left and right and not idle
        case ast.Div() if source.code(node.right) == "1":
            return False
    return left or right


def _is_type_or_dict(side: ast.expr) -> bool:
    match side:
        case ast.Constant(value=found):
            return found is None
        case ast.Dict() | ast.DictComp():
            return True
    name = name_of(side.func if isinstance(side, ast.Call) else side) or ""
    return name in ("int", "str", "float", "bytes", "dict", "list", "tuple", "type", "bool", "set")


def _escaped(token: str) -> str:
    return "".join(f"\\{c}" for c in token)


@operator(
    "wrong-division",
    "wrong-operator",
    "medium",
    "{to_true}`{new}` is a float; <where an integer is needed|as an index or count> it fails or <is inexact|carries a fraction>. Use `//`.",
    "{to_true}True division <keeps|leaves> a fraction here: `{left}` should be divided into whole parts, with `{old}`.",
    "{to_floor}`{new}` <throws away|drops> the fraction, so the result is <rounded down|too small>; divide with `/`.",
    "{to_floor}Integer division <loses|cuts off> the remainder of `{left}`: the exact quotient is `{old}`.",
    "Wrong kind of division: `{new_op}` between `{left}` and `{right}` <should be|has to be> `{old_op}`.",
    "The division is of the wrong kind: <the result needed is|write> `{old}`, not `{new}`.",
)
def wrong_division(source: Source, rng: random.Random) -> Iterator[Site]:
    for node in source.targets(ast.BinOp):
        if isinstance(node.op, ast.Div):
            token, other = "/", "//"
        elif isinstance(node.op, ast.FloorDiv):
            token, other = "//", "/"
        else:
            continue
        if _textual(node) or (place := source.between(node.left, node.right, token)) is None:
            continue
        if token == "/" and not (is_number(source, node.left) or is_number(source, node.right)):
            continue  # it may be a path
        if source.code(node.right) == "1" or _is_made_whole(source.parents.get(node)):
            continue
        edit, whole = Edit(place.start, place.end, other), source.joined(node.left, node.right)
        yield site(
            edit,
            old=quotable(whole.of(source.text)),
            new=quotable(source.after(whole, edit)),
            left=source.brief(node.left),
            right=source.brief(node.right),
            old_op=token,
            new_op=other,
            **{"to_floor" if other == "//" else "to_true": ""},
        )


def _is_made_whole(parent: ast.AST | None) -> bool:
    """Whether what is divided becomes an integer anyway."""
    return isinstance(parent, ast.Call) and name_of(parent.func) in ("int", "round", "floor", "trunc")


@operator(
    "wrong-augmented",
    "wrong-operator",
    "high",
    "{moved}`{target}` <moves|goes> in the wrong direction: <use|it should be> `{old_op}`, not `{new_op}`.",
    "This <applies|does> `{new_op}` to `{target}` with `{value}`, but it has to <be|use> `{old_op}`.",
    "`{new_code}` <makes|gives> `{target}` a wrong value; write `{old_code}`.",
    "{moved}{in_loop}Every pass <moves|updates> `{target}` the wrong way. Use `{old_op}`.",
    "{moved}{in_while}With `{new_op}` `{target}` <moves away from the end condition|runs the wrong way>, so the loop may never end. Use `{old_op}`.",
    "The operator is wrong: `{target}` has to be updated with `{old_op}`, not with `{new_op}`.",
)
def wrong_augmented(source: Source, rng: random.Random) -> Iterator[Site]:
    for node in source.targets(ast.AugAssign):
        token = _SYMBOLS.get(type(node.op), "")
        if token not in _MISTAKEN or _textual(node.value) or _is_type_or_dict(node.value):
            continue
        if token in ("+", "-", "*", "/", "%") and not _adds(source, node):
            continue
        place = source.between(node.target, node.value, _escaped(token + "="))
        if place is None:
            continue
        other = rng.choice(_MISTAKEN[token])
        loop = source.loop(node)
        edit, whole = Edit(place.start, place.end, other + "="), source.span(node)
        yield site(
            edit,
            target=source.brief(node.target),
            value=source.brief(node.value),
            old_op=token + "=",
            new_op=other + "=",
            old_code=quotable(whole.of(source.text)),
            new_code=quotable(source.after(whole, edit)),
            moved="" if token in ("+", "-") else None,
            in_loop="" if loop is not None else None,
            in_while="" if isinstance(loop, ast.While) and _is_in(source, node.target, loop.test) else None,
        )


def _adds(source: Source, node: ast.AugAssign) -> bool:
    """Whether it is numbers that are calculated with, and no texts or lists that are joined."""
    value, target = is_number(source, node.value), is_number(source, node.target)
    return value or target if isinstance(node.op, ast.Add | ast.Sub) else value and target


def _is_in(source: Source, part: ast.expr, whole: ast.expr) -> bool:
    code = source.code(part)
    return any(isinstance(n, ast.Name | ast.Attribute) and source.code(n) == code for n in ast.walk(whole))


@operator(
    "drop-accumulation",
    "wrong-operator",
    "high",
    "{added}`{target}` is overwritten <instead of|rather than> added to: only the last `{value}` <survives|remains>. Use `{old_op}`.",
    "{added}{in_loop}Each pass <replaces|throws away> what `{target}` has <gathered|collected> so far; it should <accumulate|add up> with `{old_op}`.",
    "The value that `{target}` has is <lost|dropped> here: <it needs|use> `{old_op}`, so that `{value}` is joined to it.",
    "This <sets|assigns> `{target}` <afresh|anew>, so its earlier value is lost; <write|it should be> `{old}`.",
    "`{new}` forgets what `{target}` <held|contained> before; the new part has to be <joined to it|combined with it>: `{old}`.",
    "{added}{in_loop}`{target}` <holds|contains> just the final `{value}` in the end, not <the total|all of them>: use `{old_op}`.",
)
def drop_accumulation(source: Source, rng: random.Random) -> Iterator[Site]:
    for node in source.targets(ast.AugAssign):
        token = _SYMBOLS.get(type(node.op), "")
        place = source.between(node.target, node.value, _escaped(token + "=")) if token else None
        if place is None or not _has_more(source, node):
            continue
        edit, whole = Edit(place.start, place.end, "="), source.span(node)
        yield site(
            edit,
            target=source.brief(node.target),
            value=source.brief(node.value),
            old_op=token + "=",
            old=quotable(whole.of(source.text)),
            new=quotable(source.after(whole, edit)),
            added="" if token == "+" else None,
            in_loop="" if source.loop(node) is not None else None,
        )


def _has_more(source: Source, node: ast.AugAssign) -> bool:
    """Whether a target may hold more than its first value by then: from an earlier pass, or from outside."""
    loop, code = source.loop(node), source.code(node.target)
    if loop is None:
        outer = source.function(node)
        return outer is None or not isinstance(node.target, ast.Name) or node.target.id in source.scope(node).parameters
    root: ast.expr = node.target
    while isinstance(root, ast.Attribute | ast.Subscript):
        root = root.value
    for found in (n for step in (loop, *loop.body) for n in ast.walk(step)):
        if isinstance(found, ast.Name) and _is_bound(source, found) and source.code(found) == source.code(root):
            return False  # it is another one in each pass, or begins anew
        if isinstance(found, ast.Assign) and any(source.code(t) == code for t in found.targets):
            return False
    return True


def _is_bound(source: Source, name: ast.Name) -> bool:
    return isinstance(name.ctx, ast.Store) and not isinstance(source.parents[name], ast.AugAssign)


def _needs_parentheses(outer: ast.BinOp, inner: ast.BinOp) -> bool:
    strong, weak = _STRENGTH.get(type(outer.op), 0), _STRENGTH.get(type(inner.op), 0)
    if weak != strong:
        return weak < strong
    # Of equal strength, `a + (b - c)` is the same without them, and so is `a * (b / c)` but for rounding.
    same = isinstance(outer.op, ast.Add | ast.BitAnd | ast.BitOr | ast.BitXor) or (
        isinstance(outer.op, ast.Mult) and isinstance(inner.op, ast.Mult | ast.Div)
    )
    return inner is outer.right and not same


@operator(
    "wrong-precedence",
    "wrong-operator",
    "high",
    "Parentheses are missing: `{new}` <is read as|means> something else than `{old}`, since `{tight}` binds <tighter|more strongly> than `{loose}`.",
    "`{inner}` has to be <evaluated|worked out> first, but without parentheses `{tight}` takes only <part|one end> of it.",
    "Operator precedence: `{tight}` is <applied|evaluated> before `{loose}` here. <Put|Write> `({inner})` in parentheses.",
    "`{new}` <applies|uses> `{tight}` to only a part of `{inner}`; the whole of it should be <grouped|taken together> first.",
    "Without parentheses around `{inner}` the result is wrong; <it should read|write> `{old}`.",
    "`{inner}` <belongs|has to stay> together: without parentheses around it, its parts go to <different|other> operators.",
    held_out=True,
)
def wrong_precedence(source: Source, rng: random.Random) -> Iterator[Site]:
    for node in source.targets(ast.BinOp):
        for side in (node.left, node.right):
            if not isinstance(side, ast.BinOp) or not _needs_parentheses(node, side):
                continue
            span, whole = source.span(side), source.span(node)
            text = source.text
            start, end = span.start - 1, span.end
            if start < 0 or text[start : start + 1] != "(" or text[end : end + 1] != ")" or "\n" in text[start:end]:
                continue
            code = text[min(start, whole.start) : max(end + 1, whole.end)]
            inner = source.code(side)
            tighter = _STRENGTH.get(type(node.op), 0) > _STRENGTH.get(type(side.op), 0)
            yield site(
                Edit(start, start + 1, ""),
                Edit(end, end + 1, ""),
                old=quotable(code),
                new=quotable(code.replace(f"({inner})", inner, 1)),
                inner=brief(inner),
                tight=_SYMBOLS.get(type(node.op), "@") if tighter else None,
                loose=_SYMBOLS.get(type(side.op), "@") if tighter else None,
            )


OPERATORS = (
    wrong_arithmetic,
    wrong_division,
    wrong_augmented,
    drop_accumulation,
    wrong_precedence,
)
