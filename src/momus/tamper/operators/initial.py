"""First values: other ones, and in the wrong place."""

# ruff: noqa: E501 (a phrasing stays on one line, however long)

from __future__ import annotations

import ast
import random
from collections.abc import Iterator

from momus.tamper.operators.aliasing import is_altered
from momus.tamper.operators.base import Site, operator, site
from momus.tamper.quoting import quotable
from momus.tamper.source import Edit, Source

_FIRST_VALUES = {
    "0": ("1", "None", "-1"),
    "1": ("0",),
    "-1": ("0",),
    "0.0": ("1.0",),
    "1.0": ("0.0",),
    "[]": ("None",),
    "{}": ("None",),
    "set()": ("None",),
    "''": ("None", "' '"),
    '""': ("None", '" "'),
    "None": ("0", "[]", "''"),
    "True": ("False",),
    "False": ("True",),
    "float('inf')": ("0", "float('-inf')"),
    'float("inf")': ("0", 'float("-inf")'),
    "float('-inf')": ("0", "float('inf')"),
    'float("-inf")': ("0", 'float("inf")'),
    "math.inf": ("0", "-math.inf"),
    "-math.inf": ("0", "math.inf"),
    "[0]": ("[1]",),
    "[1]": ("[0]",),
}


@operator(
    "wrong-initial-value",
    "wrong-initialisation",
    "high",
    "`{name}` starts <with|from> `{new}`, but <it has to|it should> start from `{old}`.",
    "The <initial|first> value of `{name}` is wrong: <use|it should be> `{old}`, not `{new}`.",
    "{looped}Before the loop `{name}` has to be `{old}`; starting from `{new}` <spoils|falsifies> what the passes compute.",
    "{none}`{name}` begins as None, so its first use <below|later on> raises TypeError or AttributeError; start with `{old}`.",
    "<Initialise|Set> `{name}` to `{old}`: `{new}` is not what the code below <has to start|begins> from.",
    "A wrong first value: `{name}` <is set|begins> here as `{new}`, <not|rather than> as `{old}`.",
)
def wrong_initial_value(source: Source, rng: random.Random) -> Iterator[Site]:
    for node in source.targets(ast.Assign):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                code = source.code(value)
            case _:
                continue
        scope = source.scope(node)
        if code not in _FIRST_VALUES or scope.bound.get(name) != node.lineno or not _reaches(source, node, name):
            continue
        if code == "None" and not _is_asked_for_none(source, node, name):
            continue  # any other value that is false may do as well
        block, place = source.block(node)
        looped = any(isinstance(s, ast.For | ast.While) for s in block[place + 1 : place + 5])
        new = rng.choice(_FIRST_VALUES[code])
        if new == "None" and not _fails_as_none(source, node, name):
            continue
        yield site(
            source.edit(value, new),
            name=name,
            old=code,
            new=new,
            looped="" if looped else None,
            none="" if new == "None" else None,
        )


def _is_asked_for_none(source: Source, node: ast.stmt, name: str) -> bool:
    """Whether the code around asks if a name is None."""
    for found in ast.walk(source.function(node) or source.tree):
        match found:
            case ast.Compare(left=ast.Name(id=left), comparators=[ast.Constant(value=None)]) if left == name:
                return True
    return False


def _later(source: Source, node: ast.stmt, name: str) -> list[ast.Name]:
    """The places of a name after a statement, in the order in which they are run where nothing branches."""
    owner = source.function(node) or source.tree
    found = [n for n in ast.walk(owner) if isinstance(n, ast.Name) and n.id == name and n.lineno > node.lineno]

    def when(n: ast.Name) -> tuple[int, bool, int]:
        statement = source.statement(n)
        line = n.lineno if statement is None else statement.lineno
        stored = isinstance(n.ctx, ast.Store) and not isinstance(source.parents.get(n), ast.AugAssign)
        return line, stored, n.lineno

    return sorted(found, key=when)


def _reaches(source: Source, node: ast.stmt, name: str) -> bool:
    """Whether a first value is read for sure before there is another, or by a loop or a branch that was not run."""
    later = _later(source, node, name)
    if not later:
        return False
    first = later[0]
    if isinstance(first.ctx, ast.Load) or isinstance(source.parents.get(first), ast.AugAssign):
        return True
    inner = source.parents.get(source.statement(first) or first)
    # Another value where a condition holds, and only there, leaves the first one to what is read behind it.
    return isinstance(inner, ast.If) and not inner.orelse and any(isinstance(n.ctx, ast.Load) for n in later)


def _fails_as_none(source: Source, node: ast.stmt, name: str) -> bool:
    """Whether the first use of a name is one that None does not bear: a method, an item, a sum, a loop."""
    later = _later(source, node, name)
    match source.parents.get(later[0]) if later else None:
        case ast.Attribute() | ast.AugAssign() | ast.BinOp():
            return True
        case ast.Subscript(value=value) | ast.For(iter=value):
            return value is later[0]
        case ast.Compare(ops=[ast.Lt() | ast.LtE() | ast.Gt() | ast.GtE()]):
            return True
    return False


@operator(
    "reset-in-loop",
    "wrong-initialisation",
    "high",
    "`{code}` <runs|stands> inside the loop, so `{name}` is <reset|emptied> in every pass; <move|put> it before the loop.",
    "`{name}` forgets the earlier passes: `{code}` belongs <before|in front of> `{loop}`.",
    "Only the last pass <counts|survives>, since each one begins by setting `{name}` <anew|afresh>. Initialise it before the loop.",
    "<Initialise|Set up> `{name}` once, ahead of the loop; inside it, `{code}` <throws away|loses> what has been gathered.",
)
def reset_in_loop(source: Source, rng: random.Random) -> Iterator[Site]:
    for node in source.targets(ast.Assign):
        block, place = source.block(node)
        loop = block[place + 1] if place + 1 < len(block) else None
        match node, loop:
            case ast.Assign(targets=[ast.Name(id=name)]), (ast.For() | ast.While()) as loop:
                pass
            case _:
                continue
        body = loop.body[0]
        header_end = body.lineno - 1
        if loop.lineno != node.lineno + 1 or node.lineno != node.end_lineno or header_end != loop.lineno:
            continue
        inside = {n.id for s in loop.body for n in ast.walk(s) if isinstance(n, ast.Name)}
        if name not in inside or not source.on_own_lines(node) or is_read_by_header(loop, name):
            continue
        if not is_altered(source, name, loop.body) and not _is_read_before_bound(loop, name):
            continue  # the same in every pass, or another one in each
        gone = source.lines(node.lineno, node.lineno)
        at = source.map.line_span(body.lineno)[0]
        indent = source.indentation(body.lineno)
        yield site(
            Edit(gone.start, gone.end, ""),
            Edit(at, at, f"{indent}{source.text[source.span(node).start : gone.end]}"),
            code=source.brief(node),
            name=name,
            loop=quotable(source.text[source.span(loop).start : source.map.line_span(loop.lineno)[1]].strip()),
        )


def _is_read_before_bound(loop: ast.For | ast.While, name: str) -> bool:
    """Whether a loop reads in one pass what it has set in the one before."""
    nodes = [n for step in loop.body for n in ast.walk(step) if isinstance(n, ast.Name) and n.id == name]
    nodes.sort(key=lambda n: (n.lineno, isinstance(n.ctx, ast.Store), n.col_offset))
    return any(isinstance(n.ctx, ast.Store) for n in nodes) and isinstance(nodes[0].ctx, ast.Load)


def is_read_by_header(loop: ast.For | ast.While, name: str) -> bool:
    header = loop.iter if isinstance(loop, ast.For) else loop.test
    return any(isinstance(n, ast.Name) and n.id == name for n in ast.walk(header))


OPERATORS = (wrong_initial_value, reset_in_loop)
