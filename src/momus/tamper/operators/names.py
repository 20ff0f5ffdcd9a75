"""Names mistaken for others: variables, attributes, unpacking."""

# ruff: noqa: E501 (a phrasing stays on one line, however long)

from __future__ import annotations

import ast
import builtins
import keyword
import random
from collections import defaultdict
from collections.abc import Iterator

from momus.tamper.operators.base import Site, operator, site
from momus.tamper.operators.surroundings import are_alike, surrounding, values_of
from momus.tamper.quoting import quotable
from momus.tamper.source import Edit, Source, name_of


def _in_place(source: Source, node: ast.expr, text: str, around: ast.expr | ast.stmt | None) -> str | None:
    """The code of `around` with a new text for one of its parts, where it is short enough to be quoted."""
    if around is None:
        return None
    whole, part = source.span(around), source.span(node)
    return quotable(source.text[whole.start : part.start] + text + source.text[part.end : whole.end])


@operator(
    "wrong-variable",
    "wrong-variable",
    "high",
    "`{new}` is the wrong variable <here|in this place>: it should be `{old}`.",
    "This <uses|takes> `{new}` where `{old}` is <meant|needed>, so `{old}` <has no effect|is ignored> at this point.",
    "`{code}` <mixes up|confuses> `{new}` and `{old}`; <what belongs here is|it needs> `{old}`.",
    "{returned}The function <gives back|returns> `{new}`, but the value that is meant for the caller is `{old}`.",
    "{argument}`{callee}` is <called with|given> `{new}` here; the argument it <needs|should get> is `{old}`.",
    "{compared}`{code}` <tests|compares> the wrong variable: <it has to|it should> look at `{old}`.",
    "{index}The lookup uses `{new}` as the key or index; the <right|wanted> entry is at `{old}`.",
    "{arithmetic}`{code}` calculates with `{new}`, which is a different <quantity|value> from `{old}`; the result is <wrong|off>.",
    "{iterated}The loop <goes|runs> over `{new}`, although the items to handle are in `{old}`.",
    "{base}The <wrong object|object asked here> is `{new}`; `{old}` is the one whose <state|content> matters.",
    "{assigned}`{target}` is <set from|given> `{new}`, but the value that belongs there is `{old}`.",
)
def wrong_variable(source: Source, rng: random.Random) -> Iterator[Site]:
    values: dict[ast.AST, dict[str, set[str]]] = {}
    for node in source.targets(ast.Name):
        parent = source.parents.get(node)
        if not isinstance(node.ctx, ast.Load) or (isinstance(parent, ast.Call) and parent.func is node):
            continue
        scope = source.scope(node)
        if node.id not in scope.bound:
            continue
        around = surrounding(source, node)
        if around not in values:
            values[around] = values_of(source, around)
        others = [name for name in scope.alternatives(node) if not are_alike(values[around], name, node.id)]
        if not others:
            continue
        new = rng.choice(others)
        facts: dict[str, str | None] = {}
        match parent:
            case ast.Call():
                facts = {"argument": "", "callee": source.short(parent.func, 40)}
            case ast.Return():
                facts = {"returned": ""}
            case ast.Compare():
                facts = {"compared": ""}
            case ast.Subscript(slice=index) if index is node:
                facts = {"index": ""}
            case ast.BinOp():
                facts = {"arithmetic": ""}
            case ast.For() | ast.comprehension():
                facts = {"iterated": ""}
            case ast.Attribute() | ast.Subscript():
                facts = {"base": ""}
            case ast.Assign(targets=[target]):
                facts = {"assigned": "", "target": source.short(target, 30)}
        whole = parent if isinstance(parent, ast.expr) else None
        if "base" in facts and whole is not None:
            above = source.parents.get(whole)
            whole = above if isinstance(above, ast.expr) else whole
        yield site(source.edit(node, new), old=node.id, new=new, code=_in_place(source, node, new, whole), **facts)


@operator(
    "wrong-attribute",
    "wrong-attribute",
    "high",
    "`{new}` is the wrong attribute: <this needs|it should be> `{old}`.",
    "The <field|attribute> here should be `{attr}`, not `{other}`; the two <hold|mean> different things.",
    "`{other}` and `{attr}` are <mixed up|confused>: `{new}` <stands|is used> here where `{old}` is meant.",
    "{stored}This <writes|stores> to `{new}`, while it is `{old}` that has to be set here.",
    "{loaded}<Reading|Taking> `{new}` here is <a mistake|wrong>: what this needs is `{old}`.",
)
def wrong_attribute(source: Source, rng: random.Random) -> Iterator[Site]:
    groups: dict[tuple[str, bool], list[ast.Attribute]] = defaultdict(list)
    for node in source.targets(ast.Attribute):
        parent = source.parents.get(node)
        called = isinstance(parent, ast.Call) and parent.func is node
        base = source.short(node.value, 30)
        if base is not None and not called:
            groups[base, False].append(node)
    for (base, _), nodes in groups.items():
        names = sorted({n.attr for n in nodes})
        values = values_of(source, source.tree) if len(names) > 1 else {}
        for node in nodes:
            others = [
                n
                for n in names
                if n != node.attr and n[:2] != "__" and not are_alike(values, f"{base}.{n}", f"{base}.{node.attr}")
            ]
            if not others or isinstance(node.ctx, ast.Del):
                continue
            other = rng.choice(others)
            end = source.span(node).end
            yield site(
                Edit(end - len(node.attr), end, other),
                old=f"{base}.{node.attr}",
                new=f"{base}.{other}",
                base=base,
                attr=node.attr,
                other=other,
                **{"stored" if isinstance(node.ctx, ast.Store) else "loaded": ""},
            )


@operator(
    "drop-self",
    "wrong-variable",
    "high",
    "`{name}` is <assigned to|only> a local variable here: the object's `{old}` is never <set|updated>.",
    "This assignment <is lost|vanishes> when the method returns, because it sets a local `{name}`; <write|it should be> `{old}`.",
    "The attribute is <missed|not touched>: this makes a local `{name}`, and later reads of `{old}` <see|get> a stale value or fail.",
    "<Missing|There is no> `{owner}.` in front of `{name}`, so the <state|value> is not kept on the object.",
    held_out=True,
)
def drop_self(source: Source, rng: random.Random) -> Iterator[Site]:
    nodes: list[ast.Assign | ast.AugAssign] = [*source.targets(ast.Assign)]
    for node in nodes:
        match node:
            case ast.Assign(targets=[ast.Attribute(value=ast.Name(id="self" | "cls" as owner), attr=name) as target]):
                if name in source.scope(node).bound or source.code(node.value) == name:
                    continue  # that would be the name of something else, or of nothing
            case _:
                continue
        yield site(source.edit(target, name), name=name, old=f"{owner}.{name}", owner=owner)


@operator(
    "swap-unpacking",
    "wrong-order",
    "high",
    "The names are unpacked in the wrong order: `{new}` should be `{old}`.",
    "`{first}` and `{second}` are <swapped|the wrong way round>: each <gets|receives> the value meant for the other.",
    "`{value}` <gives|yields> `{first}` first and `{second}` second, but they are <taken|unpacked> as `{new}`.",
    "{loop}In every pass `{first}` holds what `{second}` should and the other way round; <unpack|loop over> `{old}`.",
    "{after}After this line `{first}` has the value of `{second}` and vice versa, so everything <below|that follows> is mixed up.",
)
def swap_unpacking(source: Source, rng: random.Random) -> Iterator[Site]:
    for node in source.targets(ast.Tuple):
        parent = source.parents.get(node)
        if not isinstance(node.ctx, ast.Store) or not 2 <= len(node.elts) <= 4:
            continue
        match parent:
            case ast.Assign(value=value) if not isinstance(value, ast.Tuple):
                loop = False
            case ast.For(iter=value) | ast.comprehension(iter=value):
                loop = True
            case _:
                continue
        place = rng.randrange(len(node.elts) - 1)
        first, second = node.elts[place : place + 2]
        if name_of(first) is None or name_of(second) is None or "_" in (name_of(first), name_of(second)):
            continue
        if first.lineno != second.end_lineno:
            continue
        a, b = source.code(first), source.code(second)
        code, start = source.code(node), source.span(node).start
        one, two = source.span(first), source.span(second)
        new = code[: one.start - start] + b + code[one.end - start : two.start - start] + a + code[two.end - start :]
        yield site(
            source.edit(first, b),
            source.edit(second, a),
            first=a,
            second=b,
            old=quotable(code),
            new=quotable(new),
            value=source.short(value),
            loop="" if loop else None,
            after=None if loop else "",
        )


@operator(
    "misspelt-name",
    "undefined-name",
    "high",
    "`{new}` is not defined <anywhere|here>: the name is `{old}`, so this raises NameError.",
    "NameError: there is no `{new}` in this code, <it is called|the variable is> `{old}`.",
    "<A misspelling|Misspelt>: `{new}` should <be|read> `{old}`; <running this line fails|this line fails with NameError>.",
    "This line <uses|refers to> `{new}`, a name that nothing <binds|defines>; `{old}` is what <exists|was assigned>.",
)
def misspelt_name(source: Source, rng: random.Random) -> Iterator[Site]:
    for node in source.targets(ast.Name):
        if not isinstance(node.ctx, ast.Load) or len(node.id) < 4 or node.id not in source.scope(node).bound:
            continue
        new = _misspelt(node.id, rng)
        if hasattr(builtins, new) or keyword.iskeyword(new):
            continue
        if new not in source.words and new.isidentifier():
            yield site(source.edit(node, new), old=node.id, new=new)


def _misspelt(name: str, rng: random.Random) -> str:
    """A name as it is written from a wrong memory of it: number, word boundary, or two letters that trade places."""
    ways = [name[:-1] if name.endswith("s") else name + "s"]
    if "_" in name.strip("_"):
        ways.append(name.replace("_", ""))
    at = rng.randrange(1, len(name) - 1)
    ways.append(name[:at] + name[at + 1] + name[at] + name[at + 2 :])
    return rng.choice([way for way in ways if way != name])


OPERATORS = (wrong_variable, wrong_attribute, drop_self, swap_unpacking, misspelt_name)
