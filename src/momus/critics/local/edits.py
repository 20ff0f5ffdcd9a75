"""What a fix changes, told from two syntax trees: the smallest parts that differ, each with where it stands."""

from __future__ import annotations

import ast
import difflib
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

LONGEST = 72  # characters of code that a sentence can hold
Said = tuple[str, str]  # category, text


@dataclass(frozen=True, slots=True)
class Edit:
    """One difference. `old` or `new` is None for what was inserted or deleted; `parents` are what stands round `old`
    (or round the place, for what was inserted), outermost first, and `counterparts` the same of `new`."""

    old: ast.AST | None
    new: ast.AST | None
    parents: tuple[ast.AST, ...]
    counterparts: tuple[ast.AST, ...]


class Code:
    """Code and its tree; excerpts of it are the code's own letters."""

    def __init__(self, code: str) -> None:
        self.text = textwrap.dedent(code)
        self.tree = ast.parse(self.text)

    def of(self, node: ast.AST | None) -> str | None:
        """The excerpt that a node stands for; None where it is too long for a sentence, or no code of its own."""
        if node is None:
            return None
        found = ast.get_source_segment(self.text, node)
        if found is None:
            return None
        if isinstance(node, ast.If | ast.For | ast.While | ast.With | ast.Try | ast.FunctionDef | ast.ClassDef):
            found = found.split("\n")[0].rstrip()
        short = len(found) <= LONGEST and "\n" not in found and "`" not in found
        return found if short and found else None


def edits(before: Code, after: Code) -> list[Edit]:
    """The differences in the order of the code; what moved is deleted in one place and inserted in another."""
    return list(_differences(before.tree, after.tree, (), ()))


def _differences(
    old: ast.AST, new: ast.AST, parents: tuple[ast.AST, ...], counterparts: tuple[ast.AST, ...]
) -> Iterator[Edit]:
    if ast.dump(old) == ast.dump(new):
        return
    if type(old) is not type(new) or _is_leaf(old, new):
        yield Edit(old, new, parents, counterparts)
        return
    found: list[Edit] = []
    inside, opposite = (*parents, old), (*counterparts, new)
    for name in old._fields:
        a, b = getattr(old, name, None), getattr(new, name, None)
        if isinstance(a, list) and isinstance(b, list):
            part = list(_of_lists(a, b, inside, opposite))
            if part and not isinstance((a or b)[0], ast.stmt | ast.ExceptHandler) and len(a) != len(b):
                yield Edit(old, new, parents, counterparts)  # an argument more or less is the call's affair
                return
            found += part
        elif isinstance(a, ast.AST) and isinstance(b, ast.AST):
            found += _differences(a, b, inside, opposite)
        elif a is not b and a != b:
            yield Edit(old, new, parents, counterparts)
            return
    # One expression that differs in several places is one thing to say.
    if isinstance(old, ast.expr) and len(found) > 1:
        yield Edit(old, new, parents, counterparts)
        return
    yield from found


def _is_leaf(old: ast.AST, new: ast.AST) -> bool:
    if isinstance(old, ast.Compare) and isinstance(new, ast.Compare):
        return [type(o) for o in old.ops] != [type(o) for o in new.ops]
    if isinstance(old, ast.BoolOp | ast.BinOp | ast.UnaryOp | ast.AugAssign):
        return type(getattr(old, "op", None)) is not type(getattr(new, "op", None))
    return isinstance(old, ast.Name | ast.Constant | ast.operator | ast.cmpop | ast.expr_context)


def _of_lists(
    old: list[ast.AST], new: list[ast.AST], parents: tuple[ast.AST, ...], counterparts: tuple[ast.AST, ...]
) -> Iterator[Edit]:
    if not all(isinstance(node, ast.AST) for node in (*old, *new)):
        if old != new:
            yield Edit(parents[-1], counterparts[-1], parents[:-1], counterparts[:-1])
        return
    matcher = difflib.SequenceMatcher(None, [ast.dump(n) for n in old], [ast.dump(n) for n in new], autojunk=False)
    for tag, a0, a1, b0, b1 in matcher.get_opcodes():
        if tag == "equal":
            continue
        pairs = min(a1 - a0, b1 - b0)
        for at in range(pairs):
            yield from _differences(old[a0 + at], new[b0 + at], parents, counterparts)
        for node in old[a0 + pairs : a1]:
            yield Edit(node, None, parents, counterparts)
        for node in new[b0 + pairs : b1]:
            yield Edit(None, node, parents, counterparts)


def step_between(old: ast.AST | None, new: ast.AST | None) -> int | None:
    """By how much `new` is above `old`, where that is 1 or -1 whatever the names in them are."""
    if not isinstance(old, ast.expr) or not isinstance(new, ast.expr):
        return None
    (a, x), (b, y) = _offset(old), _offset(new)
    return y - x if a == b and abs(y - x) == 1 else None


def _offset(node: ast.expr) -> tuple[str, int]:
    if isinstance(node, ast.Constant) and type(node.value) is int:
        return "", node.value
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and isinstance(node.operand, ast.Constant):
        value = node.operand.value
        if type(value) is int:
            return "", -value
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
        by = node.right.value if isinstance(node.right, ast.Constant) else None
        if type(by) is int:
            inner, plus = _offset(node.left)
            return inner, plus + (by if isinstance(node.op, ast.Add) else -by)
    return ast.dump(node), 0


def holds(node: ast.AST, part: ast.AST) -> bool:
    """Whether a part stands inside of a node."""
    wanted = ast.dump(part)
    return any(ast.dump(inner) == wanted for inner in ast.walk(node) if inner is not node)
