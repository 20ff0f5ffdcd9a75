"""Why an expression is wrong, as far as two pieces of code tell: where it shows, and what it does in place of what.

Whatever is said here holds wherever the fix is right. Names of Python's own are taken for Python's own only where the
code binds no such name.
"""

from __future__ import annotations

import ast

from momus.critics.local.edits import Code, Edit, Said, step_between

_VERBS: dict[type[ast.operator], tuple[str, str]] = {
    ast.Add: ("adds", "add"),
    ast.Sub: ("subtracts", "subtract"),
    ast.Mult: ("multiplies", "multiply"),
    ast.Div: ("divides", "divide"),
    ast.FloorDiv: ("divides without a fraction", "divide without a fraction"),
    ast.Mod: ("takes the remainder", "take the remainder"),
    ast.Pow: ("raises to a power", "raise to a power"),
}
_BY: dict[type[ast.operator], tuple[str, str]] = {
    ast.Add: ("adds", "add"),
    ast.Sub: ("subtracts", "subtract"),
    ast.Mult: ("multiplies by", "multiply by"),
    ast.Div: ("divides by", "divide by"),
    ast.FloorDiv: ("divides by", "divide by"),
    ast.Mod: ("takes the remainder by", "take the remainder by"),
    ast.Pow: ("raises to the power of", "raise to the power of"),
}
_IS: dict[type[ast.cmpop], str] = {
    ast.Lt: "below",
    ast.LtE: "at most",
    ast.Gt: "above",
    ast.GtE: "at least",
    ast.Eq: "equal to",
    ast.NotEq: "other than",
}
# A function put round a value, or a method called on it, makes a difference there and nowhere else.
_ONLY_WHERE = {
    "abs": "is negative",
    "set": "holds a value more than once",
    "sorted": "is not in order",
    "int": "is no whole number yet",
    "str": "is no text yet",
    "lower": "has a capital letter",
    "upper": "has a small letter",
    "strip": "begins or ends with white space",
    "lstrip": "begins with white space",
    "rstrip": "ends with white space",
}
_DOES = {
    "startswith": "looks at the beginning",
    "endswith": "looks at the end",
    "lower": "makes every letter small",
    "upper": "makes every letter a capital",
    "swapcase": "makes small letters capitals and capitals small",
    "append": "adds what it is given as one item",
    "extend": "adds each item of what it is given",
    "max": "gives the largest",
    "min": "gives the smallest",
    "any": "is true as soon as one of them is",
    "all": "is true only where all of them are",
}
_TYPES = frozenset({"int", "str"})


def compared(was: str, now: str, sides: tuple[str, str], ops: tuple[type[ast.cmpop], type[ast.cmpop]]) -> str | None:
    """When a comparison is true, and when it should be."""
    before, after = _IS.get(ops[0]), _IS.get(ops[1])
    if before is None or after is None:
        return None
    left, right = sides
    return (
        f"`{was}` is true where `{left}` is {before} `{right}`, and should be true where it is {after} that: `{now}`."
    )


def contained(old: ast.Compare, new: ast.Compare, code: Code) -> str | None:
    """The two sides of `in` the wrong way round."""
    if not isinstance(old.ops[0], ast.In | ast.NotIn) or type(old.ops[0]) is not type(new.ops[0]):
        return None
    if ast.dump(old.left) != ast.dump(new.comparators[0]) or ast.dump(old.comparators[0]) != ast.dump(new.left):
        return None
    part, whole = code.of(old.left), code.of(old.comparators[0])
    if part is None or whole is None:
        return None
    return f"It looks for `{part}` in `{whole}`, and should look for `{whole}` in `{part}`."


def operated(old: ast.BinOp, new: ast.BinOp, was: str, now: str) -> str | None:
    """Another operator between the same two values, or the same one between swapped values."""
    sides = [ast.dump(side) for side in (old.left, old.right)]
    others = [ast.dump(side) for side in (new.left, new.right)]
    if type(old.op) is type(new.op):
        return f"The two sides of `{was}` are swapped: it should be `{now}`." if sides == others[::-1] else None
    if sides != others or (isinstance(old.left, ast.Constant) and isinstance(old.left.value, str | bytes)):
        return None  # `%` after a text is not the remainder
    verbs = _VERBS.get(type(old.op)), _VERBS.get(type(new.op))
    return f"`{was}` {verbs[0][0]}, and should {verbs[1][1]}: `{now}`." if verbs[0] and verbs[1] else None


def stepped(old: ast.AugAssign, new: ast.AugAssign, was: str, now: str) -> str:
    """Another operator in `x += y`."""
    verbs = _VERBS.get(type(old.op)), _VERBS.get(type(new.op))
    same = ast.dump(old.target) == ast.dump(new.target) and ast.dump(old.value) == ast.dump(new.value)
    if same and verbs[0] and verbs[1]:
        return f"`{was}` {verbs[0][0]}, and should {verbs[1][1]}: it should be `{now}`."
    return f"The operator is wrong: `{was}` should be `{now}`."


def operand(edit: Edit, was: str, now: str) -> str | None:
    """Another value on the right of an operator."""
    parent = edit.parents[-1] if edit.parents else None
    if not isinstance(parent, ast.BinOp) or parent.right is not edit.old:
        return None
    if isinstance(parent.left, ast.Constant) and isinstance(parent.left.value, str | bytes):
        return None
    verbs = _BY.get(type(parent.op))
    return f"It {verbs[0]} `{was}`, and should {verbs[1]} `{now}`." if verbs else None


def wrapped(old: ast.expr, new: ast.expr, code: Code, was: str, now: str) -> Said | None:
    """A function that is to be put round a value, or a method to be called on it."""
    if not isinstance(new, ast.Call) or new.keywords:
        return None
    if isinstance(new.func, ast.Name) and len(new.args) == 1 and not _binds(code, new.func.id):
        name, inner = new.func.id, new.args[0]
    elif isinstance(new.func, ast.Attribute) and not new.args:
        name, inner = new.func.attr, new.func.value
    else:
        return None
    if ast.dump(inner) != ast.dump(old) or name not in _ONLY_WHERE:
        return None
    category = "type-confusion" if name in _TYPES else "missing-statement"
    return category, f"`{was}` is used as it is, which is wrong where it {_ONLY_WHERE[name]}: it should be `{now}`."


def called(old: ast.expr, new: ast.expr, code: Code, was: str, now: str) -> str | None:
    """Another function or method of Python's own in the same place."""
    a, b = _own_name(old, code), _own_name(new, code)
    if a not in _DOES or b not in _DOES or a == b:
        return None
    return f"`{was}` {_DOES[a]}, and `{now}`, which {_DOES[b]}, is meant."


def sorting(old: ast.Call, new: ast.Call, was: str, now: str) -> str | None:
    """`reverse=True` where it is missing, or too much."""

    def plain(call: ast.Call) -> tuple[bool, list[str]]:
        rest = [k for k in call.keywords if k.arg != "reverse"]
        down = [k.value for k in call.keywords if k.arg == "reverse"]
        down_is = any(isinstance(value, ast.Constant) and value.value is True for value in down)
        return down_is, [ast.dump(part) for part in (*call.args, *rest)]

    (before, rest), (after, others) = plain(old), plain(new)
    is_sort = _last(old.func) in ("sorted", "sort") and ast.dump(old.func) == ast.dump(new.func)
    if not is_sort or rest != others or before == after:
        return None
    order = ("largest", "smallest") if before else ("smallest", "largest")
    return f"`{was}` puts the {order[0]} first, and the {order[1]} should come first: `{now}`."


def ranged(call: ast.Call, twin: ast.AST, old: Code, new: Code, was: str, now: str) -> Said | None:
    """A `range` whose first value, or the one that it stops before, is another."""
    if not isinstance(twin, ast.Call) or call.keywords or twin.keywords:
        return None
    (start, stop, step), (first, last, other) = _bounds(call), _bounds(twin)
    if stop is None or last is None or (ast.dump(step) if step else "") != (ast.dump(other) if other else ""):
        return None
    does, should = [], []
    if (ast.dump(start) if start else "0") != (ast.dump(first) if first else "0"):
        a, b = old.of(start) if start else "0", new.of(first) if first else "0"
        if a is None or b is None:
            return None
        does.append(f"begins with {_code(a, start)}")
        should.append(f"begin with {_code(b, first)}")
    if ast.dump(stop) != ast.dump(last):
        by, a, b = step_between(stop, last), old.of(stop), new.of(last)
        if a is None or b is None:
            return None
        if not does and step is None and by == 1:
            return "off-by-one", f"`{was}` leaves out `{a}`, the last value that is needed: it should be `{now}`."
        if not does and step is None and by == -1:
            return "off-by-one", f"`{was}` goes on to `{b}`, one value too many: it should be `{now}`."
        does.append(f"stops before `{a}`")
        should.append(f"stop before `{b}`")
    if not does:
        return None
    return "off-by-one", f"`{was}` {' and '.join(does)}, and should {' and '.join(should)}."


def _bounds(call: ast.Call) -> tuple[ast.expr | None, ast.expr | None, ast.expr | None]:
    """Start (None: 0), stop and step (None: 1) of a call of `range`."""
    if len(call.args) == 1:
        return None, call.args[0], None
    start, stop, step, *_ = (*call.args, None, None, None)
    return start, stop, step


def _code(text: str, node: ast.expr | None) -> str:
    return f"`{text}`" if node is not None else text


def constant(edit: Edit, old: Code, was: str, now: str) -> Said | None:
    """Another constant: what it is there."""
    parent = edit.parents[-1] if edit.parents else None
    if isinstance(parent, ast.Assign) and parent.value is edit.old and isinstance(parent.targets[0], ast.Name):
        return _begins(edit, parent.targets[0].id, was, now)
    if isinstance(parent, ast.Return):
        return "wrong-return", f"It returns `{was}`, and should return `{now}` here."
    if isinstance(parent, ast.Dict):
        keys = [key for key, value in zip(parent.keys, parent.values, strict=True) if value is edit.old]
        key = old.of(keys[0]) if keys else None
        return ("wrong-constant", f"The value of `{key}` is `{was}`, and should be `{now}`.") if key else None
    if isinstance(parent, ast.Attribute) and parent.attr == "join":
        return "wrong-constant", f"`{was}` is put between the parts, and it should be `{now}`."
    if (said := operand(edit, was, now)) is not None:
        return "wrong-constant", said
    return None


def filtered(old: ast.AST | None, new: ast.AST | None, code: Code, new_code: Code) -> Said | None:
    """A comprehension that is to leave something out, or to leave nothing out."""
    if not isinstance(old, ast.comprehension) or not isinstance(new, ast.comprehension):
        return None
    if ast.dump(old.target) != ast.dump(new.target) or ast.dump(old.iter) != ast.dump(new.iter):
        return None
    if not old.ifs and len(new.ifs) == 1 and (test := new_code.of(new.ifs[0])):
        return "wrong-condition", f"Every value is taken here, and only those should be for which `{test}`."
    if not new.ifs and len(old.ifs) == 1 and (test := code.of(old.ifs[0])):
        return "wrong-condition", f"Only values for which `{test}` are taken here, and all of them should be."
    return None


def never_used(edit: Edit) -> str:
    """That the name which is meant is used nowhere in the function as it stands; "" where it is, or is no local."""
    name = edit.new.id if isinstance(edit.new, ast.Name) else ""
    functions = [node for node in edit.parents if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    if not name or not functions:
        return ""
    function = functions[-1]
    bound = {arg.arg for arg in ast.walk(function.args) if isinstance(arg, ast.arg)}
    names = [node for node in ast.walk(function) if isinstance(node, ast.Name)]
    bound |= {node.id for node in names if isinstance(node.ctx, ast.Store)}
    read = {node.id for node in names if isinstance(node.ctx, ast.Load)}
    return f"; as it stands, `{name}` is never used" if name in bound - read else ""


def is_number(node: ast.expr) -> bool:
    """Whether a value is a whole number, whatever the names in it are."""
    if isinstance(node, ast.BinOp):
        return is_number(node.left) and is_number(node.right)
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Name) and node.func.id in ("len", "int", "ord")
    return isinstance(node, ast.Constant) and type(node.value) is int


def _begins(edit: Edit, name: str, was: str, now: str) -> Said | None:
    """What a variable starts with, where it is changed step by step later on."""
    scope = next((n for n in reversed(edit.parents) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)), None)
    if scope is None:
        return None
    steps = [node for node in ast.walk(scope) if isinstance(node, ast.AugAssign)]
    ops = {type(node.op) for node in steps if isinstance(node.target, ast.Name) and node.target.id == name}
    sets = [n for n in ast.walk(scope) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store) and n.id == name]
    if not ops or len(sets) != 1 + len([n for n in steps if getattr(n.target, "id", "") == name]):
        return None
    if ops == {ast.Mult} and was in ("0", "0.0"):
        return "wrong-initialisation", (
            f"`{name}` begins with `{was}` and stays so whatever it is multiplied by: it should begin with `{now}`."
        )
    return "wrong-initialisation", f"`{name}` begins with `{was}`, and should begin with `{now}`."


def _own_name(node: ast.expr, code: Code) -> str:
    """The name of a method, or of a function that the code does not bind itself."""
    if isinstance(node, ast.Name):
        return "" if _binds(code, node.id) else node.id
    return node.attr if isinstance(node, ast.Attribute) else ""


def _binds(code: Code, name: str) -> bool:
    for node in ast.walk(code.tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id == name:
            return True
        if isinstance(node, ast.arg) and node.arg == name:
            return True
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and node.name == name:
            return True
        if isinstance(node, ast.alias) and (node.asname or node.name) in (name, "*"):
            return True
    return False


def _last(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
