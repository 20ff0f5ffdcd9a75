"""Numbers in the place of others."""

# ruff: noqa: E501 (a phrasing stays on one line, however long)

from __future__ import annotations

import ast
import random
from collections.abc import Iterator

from momus.tamper.operators.base import Site, operator, site
from momus.tamper.operators.surroundings import KNOWN_NUMBERS
from momus.tamper.source import Source, name_of

_SMALL = 3  # numbers up to it are seldom chosen freely


@operator(
    "wrong-constant",
    "wrong-constant",
    "medium",
    "`{new}` is the wrong number <here|in this place>: it should be `{old}`, <not|rather than> that.",
    "The number is <off|wrong>: what is needed <here|in this place> is `{old}`, not `{new}`.",
    "The constant should be `{old}`, not `{new}`; <as it stands|this way> `{code}` <gives|yields> a wrong value.",
    "{compared}`{code}` compares with the wrong number: it <has to|should> be `{old}`, not `{new}`.",
    "{arithmetic}`{code}` <works|calculates> with `{new}`, but the <amount|right factor or offset> is `{old}`; the result is <wrong|off>.",
    "{call}`{code}` is <called with|given> `{new}`; the value <this needs|expected here> is `{old}`.",
    "{returned}<Callers get|This returns> `{new}` here, but the right <value|answer> in this case is `{old}`.",
)
def wrong_constant(source: Source, rng: random.Random) -> Iterator[Site]:
    for node in source.targets(ast.Constant):
        if isinstance(node.value, bool) or not isinstance(node.value, int | float):
            continue
        parent = source.parents.get(node)
        text = source.code(node)
        role = _role(node, parent)
        if role is None or (isinstance(parent, ast.UnaryOp) and node.value <= 1):
            continue
        changed = _near(node.value, text, rng)
        facts: dict[str, str | None] = {role: ""}
        statement = source.statement(node)
        around = parent if isinstance(parent, ast.expr) else statement
        code = None
        if around is not None and (whole := source.short(around)) is not None:
            offset = source.span(node).start - source.span(around).start
            code = whole[:offset] + changed + whole[offset + len(text) :]
        yield site(source.edit(node, changed), old=text, new=changed, code=code, **facts)


_FIXED_CALLS = frozenset({"round", "int", "group", "split", "rsplit", "divmod", "pow", "insert", "pop", "timedelta"})


def _role(node: ast.Constant, parent: ast.AST | None) -> str | None:
    """What a number is there for, where that shows which it should be; None where any other would be as right."""
    value = node.value
    small = isinstance(value, int) and value <= _SMALL
    if not small and value not in KNOWN_NUMBERS and value not in (0.5, 1.0, 2.0, 10, 7):
        return None
    match parent:
        case ast.Compare(ops=ops) if small or value in KNOWN_NUMBERS:
            return "compared" if not any(isinstance(op, ast.Is | ast.IsNot) for op in ops) else None
        case ast.BinOp(op=ast.Mult() | ast.Div() | ast.Pow()) if value == 1:
            return None
        case ast.BinOp(op=op) if not isinstance(op, ast.Mult) or not _is_shown(parent.left, parent.right):
            return "arithmetic"
        case ast.AugAssign():
            return "arithmetic"
        case ast.Call(func=func) if name_of(func) in _FIXED_CALLS or value in KNOWN_NUMBERS:
            return "call"
        case ast.Return() if small:
            return "returned"
    return None


def _is_shown(*sides: ast.expr) -> bool:
    """Whether a side of a product is a text or a list: so many blanks, as was chosen."""
    return any(isinstance(s, ast.JoinedStr | ast.List) or isinstance(getattr(s, "value", None), str) for s in sides)


def _near(value: float, text: str, rng: random.Random) -> str:
    """A number that might be mistaken for this one, in the same notation where that is simple."""
    if isinstance(value, float):
        return repr(rng.choice([other for other in (value * 10, value / 10, value + 1, value + 0.5) if other != value]))
    if text[:2].lower() == "0x":
        shifted = value >> 1 if value > 1 and rng.random() < 0.5 else value + 1
        return f"0x{shifted:X}" if text.upper() == text.replace("x", "X") else f"0x{shifted:x}"
    choices = [value + 1]
    if value > 0:
        choices.append(value - 1)
    if value >= 10:
        choices += [value * 10, value // 10 if value % 10 == 0 else value + 10]
    if value in (60, 24, 1000, 1024, 3600):
        choices += {60: [100], 24: [12], 1000: [1024, 100], 1024: [1000], 3600: [360]}[value]
    return str(rng.choice(choices))


OPERATORS = (wrong_constant,)
