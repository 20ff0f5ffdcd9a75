"""What is no fix: code that does not parse, that means the same as before, or that its own file refutes."""

from __future__ import annotations

import ast
import copy
import re
import textwrap
import warnings
from collections import Counter
from typing import Any

from momus.critics.local import same
from momus.records import Task

_WORD = re.compile(r"[^\W\d]\w*")
_LOGS = frozenset({"debug", "info", "warning", "warn", "error", "exception", "critical", "log", "print"})


def parsed(code: str) -> ast.Module | None:
    """The tree of code that may be indented as a whole; None where it is no Python. A `return` outside of a function,
    a `yield`, `await`, `break` or `continue` outside of its place is none either."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            tree = ast.parse(textwrap.dedent(code))
            compile(tree, "<code>", "exec", dont_inherit=True)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None
    return tree


def meaning(tree: ast.Module) -> str:
    """A text that two pieces of code share where they differ in layout alone, or in what a run can't tell.

    Left out are imports, assertions, docstrings, annotations, messages of errors and logs, and `else` behind a branch
    that ends in a jump; names that a function binds for itself go by their order. Ways to write the same
    (`not a == b`, `range(0, n)`, `x += 1`, `x + 0`; `momus.critics.local.same`) are one.
    """
    plain = _Plain().visit(copy.deepcopy(tree))
    for node in ast.walk(plain):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            _rename(node)
    return ast.dump(plain)


def refuted(before: ast.Module, after: ast.Module, known: frozenset[str] = frozenset()) -> bool:
    """Whether a fix shows itself to be none: it reads a name that nothing binds, where the code before did not, or
    defines other functions and classes, or functions with other parameters, or holds one more expression without a
    purpose (`a and a`, `a == a`, `a = a`). `known` are names that are bound around it."""
    if _signatures(before) != _signatures(after) or _pointless(after) > _pointless(before):
        return True
    return bool((unbound_names(after) - unbound_names(before)).keys() - known)


def _signatures(tree: ast.Module) -> Counter[str]:
    """The definitions, and of functions the parameters that callers may name or must give."""
    found: Counter[str] = Counter()
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            found[node.name] += 1
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            args = node.args
            named = [arg.arg for arg in (*args.posonlyargs, *args.args, *args.kwonlyargs)]
            found[f"{node.name}({', '.join(named)})"] += 1
    return found


def _pointless(tree: ast.Module) -> int:
    """How many expressions put a thing beside itself where that can't be meant."""
    found = 0
    for node in ast.walk(tree):
        sides: list[ast.AST] = []
        if isinstance(node, ast.BoolOp):
            sides = list(node.values)
        elif isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub | ast.Div | ast.FloorDiv | ast.Mod):
            sides = [node.left, node.right]
        elif isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.value, ast.Name):
            sides = [ast.Name(getattr(node.targets[0], "id", ""), ast.Load()), node.value]
        found += len(sides) - len({ast.dump(side) for side in sides})
    return found


def unbound_names(tree: ast.Module) -> Counter[str]:
    """The names that code reads and nothing in it binds, and how often (pyflakes)."""
    from pyflakes import checker, messages

    kinds = (messages.UndefinedName, messages.UndefinedLocal)
    try:
        found = checker.Checker(tree).messages
    except RecursionError:
        return Counter()
    return Counter(str(message.message_args[0]) for message in found if isinstance(message, kinds))


def names_around(task: Task) -> frozenset[str]:
    """Names that may be bound around an answer: all in its context and prelude, and what its file binds anywhere."""
    found = set(_WORD.findall(f"{task.context}\n{task.prelude}"))
    file = parsed(task.surroundings.code) if task.surroundings is not None else None
    for node in ast.walk(file) if file is not None else ():
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            found.add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.alias):
            found.add((node.asname or node.name).split(".")[0])
    return frozenset(found)


class _Plain(ast.NodeTransformer):
    """Writes a tree in one of the ways in which it could be written. Changes the tree it is given."""

    def visit(self, node: ast.AST) -> Any:
        node = self.generic_visit(node)
        for field in ("body", "orelse", "finalbody"):
            body = getattr(node, field, None)
            if isinstance(body, list):
                kept = [s for s in body if not _says_nothing(s)]
                setattr(node, field, _flat(kept if kept or field != "body" else [ast.Pass()]))
        handler = getattr(self, f"plain_{type(node).__name__}", None)
        return handler(node) if handler is not None else node

    def plain_arg(self, node: ast.arg) -> ast.AST:
        node.annotation = None
        return node

    def plain_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:  # noqa: N802
        return _plain_function(node)

    def plain_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:  # noqa: N802
        return _plain_function(node)

    def plain_For(self, node: ast.For) -> ast.AST:  # noqa: N802
        node.body = _goes_on(node.body) or [ast.Pass()]
        return node

    def plain_While(self, node: ast.While) -> ast.AST:  # noqa: N802
        node.body, node.test = _goes_on(node.body) or [ast.Pass()], _truth(node.test)
        return node

    def plain_If(self, node: ast.If) -> ast.AST:  # noqa: N802
        node.test = _truth(node.test)
        return node

    def plain_IfExp(self, node: ast.IfExp) -> ast.AST:  # noqa: N802
        node.test = _truth(node.test)
        return same.of_choice(node)

    def plain_Subscript(self, node: ast.Subscript) -> ast.AST:  # noqa: N802
        return same.of_part(node)

    def plain_comprehension(self, node: ast.comprehension) -> ast.AST:
        node.ifs = [_truth(test) for test in node.ifs]
        return node

    def plain_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:  # noqa: N802
        return ast.Pass() if node.value is None else ast.Assign([node.target], node.value)

    def plain_AugAssign(self, node: ast.AugAssign) -> ast.AST:  # noqa: N802
        if same.changes_nothing(node):
            return ast.Pass()
        node = same.of_step(node)
        if not isinstance(node.target, ast.Name) or not isinstance(node.value, ast.Constant | ast.Name):
            return node  # in place on a list it is not the same
        return ast.Assign([node.target], ast.BinOp(ast.Name(node.target.id, ast.Load()), node.op, node.value))

    def plain_UnaryOp(self, node: ast.UnaryOp) -> ast.expr:  # noqa: N802
        inner = node.operand
        if isinstance(node.op, ast.Not) and _is_remainder(inner):
            return ast.Compare(inner, [ast.Eq()], [ast.Constant(0)])
        if isinstance(node.op, ast.Not) and (turned := _turned(inner)) is not None:
            return turned
        if isinstance(node.op, ast.Not) and isinstance(inner, ast.Compare) and len(inner.ops) == 1:
            opposite = _OPPOSITE.get(type(inner.ops[0]))
            if opposite is not None:
                return ast.Compare(inner.left, [opposite()], inner.comparators)
        return node

    def plain_Compare(self, node: ast.Compare) -> ast.AST:  # noqa: N802
        if len(node.ops) == 1 and (counted := _counted(node.left)) is not None:
            if isinstance(node.ops[0], ast.Eq) and _is(node.comparators[0], 0):
                return ast.UnaryOp(ast.Not(), counted)
            if isinstance(node.ops[0], ast.Gt | ast.NotEq) and _is(node.comparators[0], 0):
                return counted
        if len(node.ops) != 1:
            return node
        left, op, right = node.left, node.ops[0], node.comparators[0]
        if isinstance(op, ast.In | ast.NotIn):
            right = same.of_keys(right)
        if isinstance(op, ast.In) and isinstance(right, ast.List | ast.Set | ast.Tuple):
            right = ast.Tuple(sorted(right.elts, key=ast.dump), ast.Load())
        if isinstance(op, ast.Gt | ast.GtE):
            left, op, right = right, ast.Lt() if isinstance(op, ast.Gt) else ast.LtE(), left
        plus = right.right if isinstance(right, ast.BinOp) and isinstance(right.op, ast.Add) else None
        if isinstance(op, ast.Lt) and isinstance(right, ast.BinOp) and plus is not None and _is(plus, 1):
            op, right = ast.LtE(), right.left  # whole numbers, nearly always
        if isinstance(op, ast.Eq | ast.NotEq) and ast.dump(right) < ast.dump(left):
            left, right = right, left
        return ast.Compare(left, [op], [right])

    def plain_BoolOp(self, node: ast.BoolOp) -> ast.AST:  # noqa: N802
        if not any(isinstance(part, ast.Call | ast.Is | ast.IsNot | ast.In | ast.NotIn) for part in ast.walk(node)):
            node.values = sorted(node.values, key=ast.dump)  # where no operand can guard another
        return _one_of(node) or node

    def plain_Call(self, node: ast.Call) -> ast.AST:  # noqa: N802
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        same.of_all(node)
        if name == "range" and len(node.args) == 2 and _is(node.args[0], 0):
            node.args = node.args[1:]
        if name == "pow" and len(node.args) == 2 and not node.keywords:
            return ast.BinOp(node.args[0], ast.Pow(), node.args[1])
        if name in ("list", "dict", "tuple") and not node.args and not node.keywords:
            empty = {"list": ast.List([], ast.Load()), "dict": ast.Dict([], []), "tuple": ast.Tuple([], ast.Load())}
            return empty[name]
        if name == "super" and all(isinstance(arg, ast.Name) for arg in node.args):
            node.args = []
        if name == "filter" and node.args and isinstance(node.args[0], ast.Lambda):
            node.args[0].body = _truth(node.args[0].body)
        method = node.func.attr if isinstance(node.func, ast.Attribute) else name
        if method in _LOGS:
            node.args = [ast.Constant("") if _text(arg) else arg for arg in node.args]
        return node

    def plain_BinOp(self, node: ast.BinOp) -> ast.AST:  # noqa: N802
        plain = same.of_sum(node)
        if not isinstance(plain, ast.BinOp):
            return plain
        node = plain
        (left, power), (right, more) = _power(node.left), _power(node.right)
        if isinstance(node.op, ast.Mult) and not isinstance(left, ast.Constant) and ast.dump(left) == ast.dump(right):
            return ast.BinOp(left, ast.Pow(), ast.Constant(power + more))
        return node

    def plain_Raise(self, node: ast.Raise) -> ast.AST:  # noqa: N802
        if isinstance(node.exc, ast.Call):
            node.exc.args = [ast.Constant("") if _text(arg) else arg for arg in node.exc.args]
        return node


_OPPOSITE: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}


def _says_nothing(node: ast.AST) -> bool:
    return isinstance(node, ast.Pass | ast.Import | ast.ImportFrom | ast.Assert) or (
        isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant | ast.Name)
    )


def _plain_function(node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.AST:
    node.returns = None
    if all(isinstance(statement, ast.Pass) for statement in node.body):  # a stub: its defaults are never used
        node.args.defaults = [ast.Constant(None) for _ in node.args.defaults]
        node.args.kw_defaults = [ast.Constant(None) for _ in node.args.kw_defaults]
    return node


def _goes_on(body: list[ast.stmt]) -> list[ast.stmt]:
    """The body of a loop without a `continue` where it goes on anyway."""
    while body and isinstance(body[-1], ast.Continue | ast.Pass):
        body = body[:-1]
    if body and isinstance(last := body[-1], ast.If):
        last.body, last.orelse = _goes_on(last.body) or [ast.Pass()], _goes_on(last.orelse)
    return body


def _truth(test: ast.expr) -> ast.expr:
    """A condition: a remainder that is not 0 is a true one."""
    if isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.ops[0], ast.NotEq):
        left, right = test.left, test.comparators[0]
        for side, other in ((left, right), (right, left)):
            if _is_remainder(side) and _is(other, 0):
                return side
    return test


def _is_remainder(node: ast.expr) -> bool:
    return isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod) and not _text(node.left)


def _one_of(node: ast.BoolOp) -> ast.expr | None:
    """`x in (1, 2)`, of `x == 1 or x == 2`."""
    if not isinstance(node.op, ast.Or):
        return None
    pairs = [
        (v.left, v.comparators[0]) for v in node.values if isinstance(v, ast.Compare) and isinstance(v.ops[0], ast.Eq)
    ]
    for left in pairs[0] if len(pairs) == len(node.values) else ():
        others = [
            b if ast.dump(a) == ast.dump(left) else a for a, b in pairs if ast.dump(left) in (ast.dump(a), ast.dump(b))
        ]
        if len(others) == len(pairs):
            return ast.Compare(left, [ast.In()], [ast.Tuple(sorted(others, key=ast.dump), ast.Load())])
    return None


def _flat(body: list[ast.stmt]) -> list[ast.stmt]:
    """`else` behind a branch that ends in a jump stands behind the `if` as well, and a value that is named only to be
    returned is returned."""
    found: list[ast.stmt] = []
    for statement in body:
        if found and _names_to_return(found[-1], statement):
            found[-1] = ast.Return(found[-1].value)  # type: ignore[attr-defined]
            continue
        found.append(statement)
        if isinstance(statement, ast.If) and statement.orelse and _jumps(statement.body):
            rest, statement.orelse = statement.orelse, []
            found += _flat(rest)
    return found


def _names_to_return(first: ast.stmt, second: ast.stmt) -> bool:
    target = first.targets[0] if isinstance(first, ast.Assign) else None
    value = second.value if isinstance(second, ast.Return) else None
    return isinstance(target, ast.Name) and isinstance(value, ast.Name) and target.id == value.id


def _jumps(body: list[ast.stmt]) -> bool:
    return bool(body) and isinstance(body[-1], ast.Return | ast.Raise | ast.Continue | ast.Break)


def _power(node: ast.expr) -> tuple[ast.expr, int]:
    """Base and exponent."""
    is_power = isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow)
    exponent = node.right.value if is_power and isinstance(node.right, ast.Constant) else None  # type: ignore[attr-defined]
    return (node.left, exponent) if type(exponent) is int else (node, 1)  # type: ignore[attr-defined]


def _turned(node: ast.expr) -> ast.expr | None:
    """`any` of the opposite, of `all` over a generator."""
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "all" and node.args):
        return None
    each = node.args[0]
    if not isinstance(each, ast.GeneratorExp):
        return None
    opposite = _Plain().plain_UnaryOp(ast.UnaryOp(ast.Not(), each.elt))
    return ast.Call(ast.Name("any", ast.Load()), [ast.GeneratorExp(opposite, each.generators)], [])


def _counted(node: ast.expr) -> ast.expr | None:
    """What `len` is taken of."""
    is_len = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "len"
    return node.args[0] if is_len and isinstance(node, ast.Call) and len(node.args) == 1 else None


def _is(node: ast.expr, value: object) -> bool:
    return isinstance(node, ast.Constant) and node.value is not True and node.value == value


def _text(node: ast.expr) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def _rename(function: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
    """Gives the names that a function binds by assignment numbers in the order in which they come."""
    outer = {name for node in ast.walk(function) if isinstance(node, ast.Global | ast.Nonlocal) for name in node.names}
    bound = dict.fromkeys(
        node.id
        for node in ast.walk(function)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id not in outer
    )
    given = {arg.arg for arg in ast.walk(function.args) if isinstance(arg, ast.arg)}
    numbered = {name: f"${at}" for at, name in enumerate(name for name in bound if name not in given)}
    for node in ast.walk(function):
        if isinstance(node, ast.Name) and node.id in numbered:
            node.id = numbered[node.id]
