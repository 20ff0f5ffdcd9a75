"""Ways to write the same: what a node of a syntax tree may be written as without a difference for any value.

Values are numbers, texts, lists and the like: a class of one's own can give operators any meaning.
"""

from __future__ import annotations

import ast

_WHOLE = frozenset({"list", "set", "tuple", "frozenset", "sorted", "sum", "min", "max"})  # read all they are given


def of_sum(node: ast.BinOp) -> ast.expr:
    """`x`, of `x + 0`, `x - 0`, `x * 1`; `x - y`, of `x + -y`."""
    left, right = node.left, node.right
    if isinstance(node.op, ast.Add | ast.Sub) and _is(right, 0):
        return left
    if isinstance(node.op, ast.Add) and _is(left, 0):
        return right
    if isinstance(node.op, ast.Mult) and (_is(right, 1) or _is(left, 1)):
        return left if _is(right, 1) else right
    if isinstance(node.op, ast.Add | ast.Sub) and isinstance(right, ast.UnaryOp) and isinstance(right.op, ast.USub):
        return ast.BinOp(left, ast.Sub() if isinstance(node.op, ast.Add) else ast.Add(), right.operand)
    return node


def of_step(node: ast.AugAssign) -> ast.AugAssign:
    """`x -= y`, of `x += -y`, and the other way round."""
    value = node.value
    if isinstance(node.op, ast.Add | ast.Sub) and isinstance(value, ast.UnaryOp) and isinstance(value.op, ast.USub):
        return ast.AugAssign(node.target, ast.Sub() if isinstance(node.op, ast.Add) else ast.Add(), value.operand)
    return node


def changes_nothing(node: ast.AugAssign) -> bool:
    """Whether a statement adds 0, or multiplies by 1."""
    if not isinstance(node.target, ast.Name):
        return False
    return (
        _is(node.value, 0)
        if isinstance(node.op, ast.Add | ast.Sub)
        else (isinstance(node.op, ast.Mult) and _is(node.value, 1))
    )


def of_choice(node: ast.IfExp) -> ast.expr:
    """`c`, of `True if c else False` where `c` is a truth value; `b if c else a`, of `a if not c else b`."""
    test, yes, no = node.test, node.body, node.orelse
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        test, yes, no = test.operand, no, yes
    are_truths = isinstance(yes, ast.Constant) and yes.value is True and isinstance(no, ast.Constant)
    if are_truths and no.value is False and _is_truth(test):  # type: ignore[attr-defined]
        return test
    return ast.IfExp(test, yes, no)


def of_part(node: ast.Subscript) -> ast.Subscript:
    """`x[-1]`, of `x[len(x) - 1]`; `x[:b]`, of `x[0:b]`; `x[a:]`, of `x[a:len(x)]`."""
    at, length = node.slice, f"Call(func=Name(id='len', ctx=Load()), args=[{ast.dump(node.value)}]"
    if isinstance(at, ast.Slice):
        if at.lower is not None and at.step is None and _is(at.lower, 0):
            at.lower = None
        if at.upper is not None and at.step is None and ast.dump(at.upper).startswith(length):
            at.upper = None
        return node
    is_last = isinstance(at, ast.BinOp) and isinstance(at.op, ast.Sub) and _is(at.right, 1)
    if is_last and isinstance(at, ast.BinOp) and ast.dump(at.left).startswith(length):
        node.slice = ast.UnaryOp(ast.USub(), ast.Constant(1))
    return node


def of_all(node: ast.Call) -> None:
    """Gives a function that reads all of a list a generator in its place, and `sum` no range that begins with 0."""
    name = node.func.id if isinstance(node.func, ast.Name) else ""
    joins = isinstance(node.func, ast.Attribute) and node.func.attr == "join"
    if (name not in _WHOLE and not joins) or not node.args:
        return
    first = node.args[0]
    if isinstance(first, ast.ListComp) and (len(node.args) == 1 or name == "sorted"):
        node.args[0] = ast.GeneratorExp(first.elt, first.generators)
    is_range = isinstance(first, ast.Call) and isinstance(first.func, ast.Name) and first.func.id == "range"
    if name == "sum" and is_range and isinstance(first, ast.Call) and len(first.args) == 2 and _is(first.args[0], 1):
        first.args = first.args[1:]  # the 0 before it adds nothing


def of_keys(node: ast.expr) -> ast.expr:
    """`d`, of `d.keys()`, behind `in`."""
    is_keys = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "keys"
    return node.func.value if is_keys and not node.args and not node.keywords else node  # type: ignore[attr-defined]


def _is_truth(node: ast.expr) -> bool:
    if isinstance(node, ast.BoolOp):
        return all(map(_is_truth, node.values))
    if isinstance(node, ast.UnaryOp):
        return isinstance(node.op, ast.Not)
    is_check = isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    return isinstance(node, ast.Compare) or (is_check and node.func.id in ("isinstance", "any", "all"))  # type: ignore[attr-defined]


def _is(node: ast.expr, value: int) -> bool:
    return isinstance(node, ast.Constant) and type(node.value) is int and node.value == value
