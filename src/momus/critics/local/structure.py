"""Changes of whole statements: what is defined nowhere, what stands at another place, what has no body."""

from __future__ import annotations

import ast

from momus.critics.local.checks import unbound_names
from momus.critics.local.edits import Code, Edit, Said, holds


def empty_body(old: Code, found: list[Edit]) -> Said | None:
    """A function that had nothing but a docstring."""
    for node in ast.walk(old.tree):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or not all(map(_says_nothing, node.body)):
            continue
        if all(edit.parents and edit.parents[-1] is node for edit in found):
            return "missing-statement", f"`{node.name}` has no code that does anything, so that it returns None."
    return None


def undefined(old: Code, new: Code, found: list[Edit], known: frozenset[str]) -> Said | None:
    """A name that nothing binds."""
    unbound = unbound_names(old.tree).keys() - unbound_names(new.tree).keys() - known  # what the fix does away with
    for edit in found:
        for node in ast.walk(edit.old) if edit.old is not None else ():
            if isinstance(node, ast.Name) and node.id in unbound:
                now = new.of(edit.new)
                is_place = isinstance(edit.new, ast.Name | ast.Attribute | ast.Subscript)
                instead = f": `{now}` is meant" if now and is_place else ""
                return "undefined-name", f"`{node.id}` is not defined anywhere, so that this raises NameError{instead}."
    return None


def _says_nothing(node: ast.stmt) -> bool:
    return isinstance(node, ast.Pass) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))


def moved(found: list[Edit], old: Code) -> Said | None:
    """A statement that is deleted in one place and inserted in another."""
    gone = [edit for edit in found if edit.new is None and isinstance(edit.old, ast.stmt)]
    come = [edit for edit in found if edit.old is None and isinstance(edit.new, ast.stmt)]
    for a in gone:
        for b in come:
            assert a.old is not None and b.new is not None
            if ast.dump(a.old) != ast.dump(b.new):
                continue
            said = old.of(a.old) or "this statement"
            said = f"`{said}`" if said != "this statement" else "This statement"
            if len(b.parents) < len(a.parents):
                loop = any(isinstance(node, ast.For | ast.While) for node in a.parents[len(b.parents) :])
                if isinstance(a.old, ast.Return) and loop:
                    return (
                        "early-exit",
                        f"{said} stands inside the loop and ends it on the first pass: it belongs behind it.",
                    )
                return "wrong-order", f"{said} is indented too far: it should not depend on the line above it."
            if len(b.parents) > len(a.parents):
                return "wrong-order", f"{said} is not indented far enough: it belongs into the block above it."
            return "wrong-order", f"{said} comes at the wrong place."
    return None


def taken_in(edit: Edit, found: list[Edit], old: Code, new: Code) -> Said | None:
    """A statement that goes into a block which the fix makes beside it."""
    said = old.of(edit.old)
    for other in found:
        if edit.old is not None and other.new is not None and holds(other.new, edit.old):
            head = new.of(other.new)
            return ("wrong-order", f"`{said}` belongs inside of `{head.rstrip(':')}`.") if said and head else None
    return None
