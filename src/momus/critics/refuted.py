"""What a look at the code refutes: a name that is said to be undefined, on lines where every name is bound; a return
that is said to be missing where none may stand.

A small model that reads one function takes a name that it has seldom seen for a misspelt one, and the fields of a class
for statements that should return something. Whether a name is bound, and whether a return may stand in a place, is no
matter of judgement, so it is looked up (pyflakes, the syntax tree) before such a claim is made.
"""

from __future__ import annotations

from functools import lru_cache

from momus.critique import Comment, Critique, TextMap

CLAIM = "undefined-name"
RETURN = "missing-return"


def refuted(comment: Comment, text: TextMap) -> bool:
    """Whether the code shows that a comment on it is wrong. Of code that does not parse nothing is refuted.

    Nor is what was seen to happen: a comment with a witness.
    """
    if comment.witness is not None:
        return False
    if comment.category == RETURN:
        inside = _in_functions(text.text)
        return inside is not None and inside.isdisjoint(text.lines(comment.highlight))
    if comment.category != CLAIM:
        return False
    unbound = _unbound(text.text)
    return unbound is not None and unbound.isdisjoint(text.lines(comment.highlight))


def unrefuted(critique: Critique, text: TextMap) -> Critique:
    """A critique without the comments that its answer refutes."""
    return Critique(tuple(comment for comment in critique if not refuted(comment, text)))


@lru_cache(maxsize=8)
def _unbound(code: str) -> frozenset[int] | None:
    """The 1-based lines that read a name which nothing binds, or may not; None where that cannot be told."""
    from pyflakes import checker, messages  # only what makes such a claim needs these

    from momus.tamper.compiled import parse

    try:
        found = checker.Checker(parse(code)).messages
    except (SyntaxError, RecursionError):
        return None
    kinds = (messages.UndefinedName, messages.UndefinedLocal, messages.UndefinedExport, messages.ImportStarUsage)
    return frozenset(message.lineno for message in found if isinstance(message, kinds))


@lru_cache(maxsize=8)
def _in_functions(code: str) -> frozenset[int] | None:
    """The 1-based lines of functions; elsewhere a return is a SyntaxError. None where that cannot be told."""
    import ast

    from momus.tamper.compiled import parse

    try:
        tree = parse(code)
    except (SyntaxError, RecursionError):
        return None
    lines: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return frozenset(lines)
