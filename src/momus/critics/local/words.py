"""The words of a comment: category, severity and a few plain sentences, made of what the fix changes.

Each sentence follows from the two pieces of code, so that it is true where the fix is right, and all code in it is an
excerpt of one of them. A model of this size words such things at length and often wrongly; docs/decisions has the
count.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass

from momus.critics.local import reasons, structure
from momus.critics.local.edits import LONGEST, Code, Edit, Said, edits, holds, step_between
from momus.critique import Severity

_BOUNDS: dict[tuple[type[ast.cmpop], type[ast.cmpop]], bool] = {
    (ast.Lt, ast.LtE): True,  # whether the fix lets the equal case in
    (ast.Gt, ast.GtE): True,
    (ast.LtE, ast.Lt): False,
    (ast.GtE, ast.Gt): False,
}
_OPPOSITES = (
    {ast.Eq, ast.NotEq},
    {ast.In, ast.NotIn},
    {ast.Is, ast.IsNot},
)
_GRAVE = frozenset(
    {
        "undefined-name",
        "missing-return",
        "early-exit",
        "inverted-condition",
        "wrong-operator",
        "wrong-variable",
        "syntax",
    }
)


@dataclass(frozen=True, slots=True)
class Words:
    """What is said of a highlight."""

    category: str
    severity: Severity
    text: str


def words(before: str, after: str, known: frozenset[str] = frozenset()) -> Words | None:
    """What is wrong with code that a fix makes into other code. None where there is nothing to say of it.

    `known` are names that are bound around it.
    """
    old, new = Code(before), Code(after)
    found = edits(old, new)
    if not found:
        return None
    whole = (
        structure.empty_body(old, found) or structure.undefined(old, new, found, known) or structure.moved(found, old)
    )
    said = [whole] if whole is not None else [s for e in found[:2] if (s := _said(e, found, old, new)) is not None]
    if not said:
        return Words("other", "medium", "These lines do not do what is asked; the suggested ones do.")
    category = said[0][0]
    sentences = list(dict.fromkeys(text for _, text in said))
    if len(found) == 2 and _same_names(*found):
        sentences = [sentences[0].removesuffix(".") + ", and again further on."]
    return Words(category, "high" if category in _GRAVE else "medium", " ".join(sentences))


def _same_names(one: Edit, other: Edit) -> bool:
    """Whether one name is put in place of another in both."""
    return all(isinstance(node, ast.Name) for node in (one.old, one.new, other.old, other.new)) and (
        ast.dump(one.old) == ast.dump(other.old) and ast.dump(one.new) == ast.dump(other.new)  # type: ignore[arg-type]
    )


def _said(edit: Edit, every: list[Edit], old: Code, new: Code) -> Said | None:
    if edit.old is None:
        return _inserted(edit, new)
    if edit.new is None:
        return structure.taken_in(edit, every, old, new) or _deleted(edit, old)
    was, now = old.of(edit.old), new.of(edit.new)
    if isinstance(edit.old, ast.stmt) and isinstance(edit.new, ast.stmt):
        return _statement(edit, was, now)
    if isinstance(edit.old, ast.Compare) and isinstance(edit.new, ast.Compare) and was and now:
        found = _compared(edit.old, edit.new, was, now, old)
        if found is not None:
            return found
    if isinstance(edit.old, ast.BoolOp) and isinstance(edit.new, ast.BoolOp):
        return _joined(edit.old, edit.new, was, now)
    if (negated := _negated(edit, was, now)) is not None:
        return negated
    if (chosen := reasons.filtered(edit.old, edit.new, old, new)) is not None:
        return chosen
    bound = _bound(edit, old, new)
    if bound is not None:
        return bound
    return _expression(edit, was, now, old, new)


def _compared(old: ast.Compare, new: ast.Compare, was: str, now: str, code: Code) -> Said | None:
    if len(old.ops) != 1 or len(new.ops) != 1:
        return None
    before, after = type(old.ops[0]), type(new.ops[0])
    if (swapped := reasons.contained(old, new, code)) is not None:
        return "wrong-condition", swapped
    left, right = code.of(old.left), code.of(old.comparators[0])
    same = ast.dump(old.left) == ast.dump(new.left) and ast.dump(old.comparators[0]) == ast.dump(new.comparators[0])
    if before is after or not same:
        return None
    lets_in = _BOUNDS.get((before, after))
    if lets_in is not None and left and right:
        if lets_in:
            return "wrong-comparison", (
                f"`{was}` is false when `{left}` equals `{right}`, and that case should count as well: `{now}`."
            )
        return "wrong-comparison", (
            f"`{was}` is also true when `{left}` equals `{right}`, and that case should not count: `{now}`."
        )
    if {before, after} in _OPPOSITES:
        return "inverted-condition", f"`{was}` is true just where it should be false: it should be `{now}`."
    if left and right and (said := reasons.compared(was, now, (left, right), (before, after))):
        return "wrong-comparison", said
    return "wrong-comparison", f"This is the wrong comparison: `{was}` should be `{now}`."


def _joined(old: ast.BoolOp, new: ast.BoolOp, was: str | None, now: str | None) -> Said:
    if type(old.op) is type(new.op):
        parts = {ast.dump(value) for value in old.values}, {ast.dump(value) for value in new.values}
        if was and now and parts[0] < parts[1]:
            return "wrong-condition", f"`{was}` leaves a condition out: it should be `{now}`."
        if was and now:
            return "wrong-condition", f"The condition is not the right one: `{was}` should be `{now}`."
        return "wrong-condition", "The condition is not the right one."
    if isinstance(old.op, ast.Or):
        text = "`or` is true as soon as one of the conditions holds, but all of them are needed: it should be `and`."
    else:
        text = "`and` is true only when all of the conditions hold, but one of them is enough: it should be `or`."
    return "wrong-condition", text


def _negated(edit: Edit, was: str | None, now: str | None) -> Said | None:
    def inner(node: ast.AST | None) -> str | None:
        is_not = isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not)
        return ast.dump(node.operand) if is_not else None  # type: ignore[union-attr]

    assert edit.old is not None and edit.new is not None
    if inner(edit.old) == ast.dump(edit.new) or inner(edit.new) == ast.dump(edit.old):
        if was and now:
            return "inverted-condition", f"`{was}` is true just where it should be false: it should be `{now}`."
        return "inverted-condition", "The condition is true just where it should be false."
    return None


def _bound(edit: Edit, old: Code, new: Code) -> Said | None:
    """A bound of a range, a slice or an index that is one too high or too low."""
    step = step_between(edit.old, edit.new)
    for parent, twin in zip(edit.parents[::-1], edit.counterparts[::-1], strict=False):
        if isinstance(parent, ast.stmt):
            break
        was, now = old.of(parent), new.of(twin)
        if was is None or now is None:
            continue
        if isinstance(parent, ast.Call) and isinstance(parent.func, ast.Name) and parent.func.id == "range":
            told = reasons.ranged(parent, twin, old, new, was, now)
            return told or ("off-by-one", f"`{was}` does not go over the right values: it should be `{now}`.")
        if isinstance(parent, ast.Subscript) and parent.value is not edit.old:
            what = "A bound" if isinstance(parent.slice, ast.Slice) else "The index"
            if step is not None:
                return (
                    "off-by-one",
                    f"{what} of `{was}` is one too {'low' if step > 0 else 'high'}: it should be `{now}`.",
                )
            return "wrong-variable" if _name(edit) else "other", f"{what} of `{was}` is wrong: it should be `{now}`."
    return None


def _expression(edit: Edit, was: str | None, now: str | None, old: Code, new: Code) -> Said:
    a, b = edit.old, edit.new
    whole = _around(edit, old)
    if was is None or now is None:
        return "other", "This does not do what is asked; the suggested code does."
    inside = f" in `{whole}`" if whole and whole != was else ""
    assert isinstance(a, ast.expr) and isinstance(b, ast.expr)
    if isinstance(a, ast.Name) and _is_value(edit, a):
        return "wrong-variable", f"`{was} = {was}` keeps nothing: it should be `{now} = {was}`."
    if (does := reasons.called(a, b, old, was, now)) is not None:
        return "wrong-attribute" if isinstance(a, ast.Attribute) else "wrong-call", does
    if isinstance(a, ast.Name) and isinstance(b, ast.Name):
        return "wrong-variable", f"`{was}` is used{inside} where `{now}` is meant{reasons.never_used(edit)}."
    if isinstance(a, ast.Attribute) and isinstance(b, ast.Attribute) and ast.dump(a.value) == ast.dump(b.value):
        return "wrong-attribute", f"`.{a.attr}` is not what is meant here: `{was}` should be `{now}`."
    if (put := reasons.wrapped(a, b, old, was, now)) is not None:
        return put
    if isinstance(a, ast.Constant) and isinstance(b, ast.Constant):
        told = reasons.constant(edit, old, was, now)
        return told or ("wrong-constant", f"The value `{was}`{inside} is wrong: it should be `{now}`.")
    if (step := step_between(a, b)) is not None:
        return "off-by-one", _one_off(a, b, step, was, now, inside)
    if isinstance(a, ast.BinOp | ast.Compare | ast.BoolOp) and holds(a, b):
        return "other", f"`{was}` does too much: it should be just `{now}`."
    both = isinstance(a, ast.BinOp) and isinstance(b, ast.BinOp) and not holds(b, a)
    if both and (said := _operator(a, b, was, now)) is not None:  # type: ignore[arg-type]
        return "wrong-operator", said
    if (by := reasons.operand(edit, was, now)) is not None:
        return "wrong-variable" if isinstance(a, ast.Name) else "other", by
    if isinstance(a, ast.Call) and isinstance(b, ast.Call):
        return _call(a, b, was, now, old, new)
    if _returned(edit):
        return "wrong-return", f"It returns `{was}` where `{now}` is to be returned."
    if holds(b, a):
        return "other", f"`{was}`{inside} is used as it is, where `{now}` is needed."
    if holds(a, b):
        return "other", f"`{was}` does too much: it should be just `{now}`."
    if isinstance(a, ast.Compare | ast.BoolOp) or isinstance(b, ast.Compare | ast.BoolOp):
        return "wrong-condition", f"The condition is not the right one: `{was}` should be `{now}`."
    return "other", f"`{was}`{inside} is wrong here: it should be `{now}`."


def _one_off(a: ast.expr, b: ast.expr, step: int, was: str, now: str, inside: str) -> str:
    if reasons.is_number(a) or reasons.is_number(b):
        return f"`{was}`{inside} is one too {'low' if step > 0 else 'high'}: it should be `{now}`."
    if isinstance(a, ast.BinOp) and holds(a, b):  # nothing is too high where it is a list
        does = "adds to" if isinstance(a.op, ast.Add) else "takes away from"
        return f"`{was}`{inside} {does} `{now}`, which should stay as it is."
    if holds(b, a):
        return f"`{was}`{inside} is used as it is, where `{now}` is needed."
    return f"`{was}`{inside} should be `{now}`."


def _operator(a: ast.BinOp, b: ast.BinOp, was: str, now: str) -> str | None:
    if isinstance(a.op, ast.Div) and isinstance(b.op, ast.FloorDiv):
        return f"`{was}` gives a fraction where a whole number is needed: it should be `{now}`."
    if isinstance(a.op, ast.FloorDiv) and isinstance(b.op, ast.Div):
        return f"`{was}` throws the fraction away: it should be `{now}`."
    if (said := reasons.operated(a, b, was, now)) is not None:
        return said
    return f"The operator is wrong: `{was}` should be `{now}`." if type(a.op) is not type(b.op) else None


def _call(a: ast.Call, b: ast.Call, was: str, now: str, old: Code, new: Code) -> Said:
    same = ast.dump(a.func) == ast.dump(b.func)
    if (order := reasons.sorting(a, b, was, now)) is not None:
        return "wrong-order", order
    is_range = same and isinstance(a.func, ast.Name) and a.func.id == "range"
    if is_range and (bounds := reasons.ranged(a, b, old, new, was, now)) is not None:
        return bounds
    arguments = [ast.dump(arg) for arg in a.args], [ast.dump(arg) for arg in b.args]
    if same and arguments[0] != arguments[1] and sorted(arguments[0]) == sorted(arguments[1]):
        return "wrong-argument", f"The arguments are in the wrong order: `{was}` should be `{now}`."
    before, after = ({*map(ast.dump, call.args), *map(ast.dump, call.keywords)} for call in (a, b))
    if same and before < after:
        return "wrong-argument", f"`{was}` lacks an argument: it should be `{now}`."
    if same and before > after:
        return "wrong-argument", f"`{was}` has an argument too many: it should be `{now}`."
    if same:
        return "wrong-argument", f"The arguments are wrong: `{was}` should be `{now}`."
    return "wrong-call", f"This is the wrong call: `{was}` should be `{now}`."


def _statement(edit: Edit, was: str | None, now: str | None) -> Said | None:
    a, b = edit.old, edit.new
    if (only := _conditional(a, b, was if isinstance(b, ast.If) else now)) is not None:
        return only
    if isinstance(a, ast.Expr) and isinstance(b, ast.Return):
        return "missing-return", "The value is computed and not returned: `return` is missing, so that None comes back."
    if was is None or now is None or was == now:
        return "other", "This statement does not do what is asked; the suggested one does."
    if isinstance(a, ast.AugAssign) and isinstance(b, ast.AugAssign):
        return "wrong-operator", reasons.stepped(a, b, was, now)
    if isinstance(a, ast.Assign) and isinstance(b, ast.AugAssign):
        return "wrong-operator", f"`{was}` throws the earlier value away, which is to be kept: it should be `{now}`."
    if isinstance(a, ast.Return) and isinstance(b, ast.Return):
        return "wrong-return", f"`{was}` should be `{now}`."
    if isinstance(a, ast.Break | ast.Continue | ast.Pass) or isinstance(b, ast.Break | ast.Continue):
        return "loop-control", f"`{was}` is the wrong way to go on: it should be `{now}`."
    if isinstance(a, ast.Return):
        return "early-exit", f"`{was}` ends it here, where `{now}` should come."
    if isinstance(b, ast.Return):
        return "missing-return", f"Nothing is returned here: `{was}` should be `{now}`."
    if isinstance(b, ast.If):
        return "wrong-condition", f"`{was}` should be `{now}`."
    return "other", f"`{was}` should be `{now}`."


def _conditional(a: ast.AST | None, b: ast.AST | None, said: str | None) -> Said | None:
    """A statement that is put under a condition, or freed of one."""
    for inner, outer, missing in ((a, b, True), (b, a, False)):
        if isinstance(outer, ast.If) and isinstance(inner, ast.stmt):
            done = ast.unparse(outer.test)
            if not any(ast.dump(statement) == ast.dump(inner) for statement in outer.body) or len(done) > LONGEST:
                continue
            what = f"`{said}`" if said else "This"
            if missing:
                return "missing-check", f"{what} is done in any case, and should be done only if `{done}`."
            return "wrong-condition", f"{what} is done only if `{done}`, and should be done in any case."
    return None


def _inserted(edit: Edit, new: Code) -> Said:
    node = edit.new
    said = new.of(node)
    if isinstance(node, ast.If) and not node.orelse and _jumps(node.body):
        test, then = new.of(node.test), new.of(node.body[-1])
        if test and then:
            return "missing-check", f"The case `{test}` is not handled: there it should `{then}`."
        return "missing-check", "A case is not handled here: a check is missing."
    if isinstance(node, ast.Return) and said:
        return "missing-return", f"`{said}` is missing here, so that None is returned."
    if isinstance(node, ast.expr) and said:
        return "missing-statement", f"`{said}` is missing here."
    if said:
        return "missing-statement", f"A step is missing: `{said.rstrip(':')}`."
    return "missing-statement", "A step is missing here."


def _deleted(edit: Edit, old: Code) -> Said:
    node = edit.old
    said = old.of(node)
    if isinstance(node, ast.Return | ast.Break | ast.Raise) and said:
        return "early-exit", f"`{said}` ends it too early: it should not be here."
    if isinstance(node, ast.Continue):
        return "loop-control", "`continue` skips what should be done: it should not be here."
    if said:
        return "other", f"`{said.rstrip(':')}` should not be done here."
    return "other", "This should not be done here."


def _around(edit: Edit, old: Code) -> str | None:
    """The smallest expression round an edit."""
    for parent in reversed(edit.parents):
        if isinstance(parent, ast.stmt):
            break
        if isinstance(parent, ast.expr) and (found := old.of(parent)):
            return found
    return None


def _is_value(edit: Edit, name: ast.Name) -> bool:
    """Whether a name that is assigned to is its own value."""
    parent = edit.parents[-1] if edit.parents else None
    value = parent.value if isinstance(parent, ast.Assign) and parent.targets == [name] else None
    return isinstance(value, ast.Name) and value.id == name.id


def _returned(edit: Edit) -> bool:
    return bool(edit.parents) and isinstance(edit.parents[-1], ast.Return)


def _name(edit: Edit) -> bool:
    return isinstance(edit.old, ast.Name) and isinstance(edit.new, ast.Name)


def _jumps(body: list[ast.stmt]) -> bool:
    return bool(body) and isinstance(body[-1], ast.Return | ast.Raise | ast.Continue | ast.Break)
