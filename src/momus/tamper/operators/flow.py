"""Control flow: returns, yields, loops."""

# ruff: noqa: E501 (a phrasing stays on one line, however long)

from __future__ import annotations

import ast
import random
from collections.abc import Iterator

from momus.tamper.operators.base import Site, operator, site
from momus.tamper.operators.surroundings import ends, is_result_used, own_nodes
from momus.tamper.quoting import brief, quotable
from momus.tamper.source import Edit, Source, is_docstring


def function_name(source: Source, node: ast.AST) -> str | None:
    """The name of the function around a node, where there is one."""
    function = source.function(node)
    return None if function is None else function.name


@operator(
    "missing-return",
    "missing-return",
    "high",
    "{last}The value of `{value}` is <computed|worked out> but not returned, so callers <get|receive> None.",
    "{last}A `return` is missing <before|in front of> `{value}`: `{function}` <gives back|returns> None here.",
    "{last}`{function}` falls off the end without returning `{value}`; the <result|value> is <lost|not returned>.",
    "{idle}This line has no effect: it <evaluates|mentions> `{value}` and drops it. <Write|It should be> `{old}`.",
    "Callers of `{function}` need `{value}`, but this line only evaluates it; <return it|put `return` before it>.",
    "{onwards}A `return` is missing <before|in front of> `{value}`: the <code|function> goes on below as if this had not been reached.",
    "`{value}` is evaluated and dropped here, but it is what <has to be|should be> returned; put `return` before it.",
)
def missing_return(source: Source, rng: random.Random) -> Iterator[Site]:
    for node in source.targets(ast.Return):
        if node.value is None or isinstance(node.value, ast.Constant | ast.Yield | ast.Tuple):
            continue
        start = source.span(node).start
        gap = source.text[start + 6 : source.span(node.value).start]
        if gap.strip(" \t(") or not is_result_used(source, node):
            continue
        called = any(isinstance(n, ast.Call | ast.Await) for n in ast.walk(node.value))
        yield site(
            Edit(start, start + 6 + len(gap) - len(gap.lstrip(" \t")), ""),
            value=source.brief(node.value),
            old=source.short(node),
            function=function_name(source, node),
            idle=None if called else "",
            **{"last" if ends(source, node) else "onwards": ""},
        )


@operator(
    "wrong-return",
    "wrong-return",
    "high",
    "`{function}` <returns|gives back> `{new}` here, but it should be `{old}`.",
    "The <value returned|result> is wrong: `{new}` <instead of|in place of> `{old}`.",
    "{emptied}`return {new}` gives none of the <value|result> that `{function}` is <there to compute|called for>, so callers have nothing to go on.",
    "{flipped}The answer is inverted: in this case the <caller|code that calls> should get `{old}`, not `{new}`.",
    "{flipped}`return {new}` tells the caller the contrary of what was <found|established> here; <return|it has to be> `{old}`.",
    "{emptied}The <result|value> is missing: `{function}` returns `{new}` <though|while> callers <need|ask for> `{old}`.",
    "{emptied}Callers <always get|get> `{new}` from this path and never see `{old}`.",
    "{emptied}Callers of `{function}` get `{new}` <from|on> this path <and not|in place of> the value that is meant for them, `{old}`.",
    "{reordered}The two <parts|halves> of the result are in the wrong order for callers that <unpack|take apart> it.",
    "{reordered}The parts of the result are in the wrong order: callers that unpack it expect `{old}`.",
)
def wrong_return(source: Source, rng: random.Random) -> Iterator[Site]:
    for node in source.targets(ast.Return):
        value = node.value
        match value:
            case ast.Constant(value=bool(answer)):
                block = [step for step in source.block(node)[0] if not is_docstring(step)]
                if block == [node] and isinstance(source.parents[node], ast.FunctionDef | ast.AsyncFunctionDef):
                    continue  # the function says nothing else, so nothing says which it should be
                new, flag = str(not answer), "flipped"
            case ast.Tuple(elts=[first, second]):
                a, b = source.code(first), source.code(second)
                if (
                    a == b
                    or first.lineno != second.end_lineno
                    or isinstance(first, ast.Starred)
                    or isinstance(second, ast.Starred)
                ):
                    continue
                whole = source.code(value)
                new = f"({b}, {a})" if whole.startswith("(") else f"{b}, {a}"
                flag = "reordered"
            case ast.Name() | ast.Call() | ast.Attribute() | ast.Subscript() | ast.BinOp():
                code = source.code(value)
                if "\n" in code or _is_none_here(source, node, code) or not is_result_used(source, node):
                    continue
                new, flag = "None", "emptied"
            case _:
                continue
        yield site(
            source.edit(value, new),
            old=source.short(value),
            new=quotable(new),
            function=function_name(source, node),
            **{flag: ""},
        )


def _is_none_here(source: Source, node: ast.Return, code: str) -> bool:
    """Whether what is returned is None anyway, as the `if` around it asks."""
    match source.parents.get(node):
        case ast.If(test=ast.Compare(left=left, ops=[ast.Is()], comparators=[ast.Constant(value=None)]), body=body):
            return node in body and source.code(left) == code
    return False


@operator(
    "early-return",
    "early-exit",
    "high",
    "This `return` <stands|is> inside the loop, so the function <ends|leaves> after the first pass; <dedent it|move it behind the loop>.",
    "Only the first `{var}` is <looked at|handled>: `{code}` belongs after the loop, not in its body.",
    "`{code}` is indented too far: it <ends|cuts off> the loop over `{seq}` in its first pass.",
    "The loop <never gets|does not get> past its first pass, because `{code}` is <part of|inside> its body.",
    "The result is <given back|returned> before all of `{seq}` has been <seen|gone through>; <put|move> `{code}` after the loop.",
)
def early_return(source: Source, rng: random.Random) -> Iterator[Site]:
    for node in source.targets(ast.Return):
        block, place = source.block(node)
        loop = block[place - 1] if place else None
        if not isinstance(loop, ast.For | ast.While) or loop.orelse or not source.on_own_lines(node):
            continue
        if any(isinstance(n, ast.Continue) for step in loop.body for n in ast.walk(step)):
            continue  # then it may not be in the first pass that it is reached
        if (
            node.lineno != node.end_lineno
            or not source.on_own_lines(loop.body[-1])
            or loop.body[0].lineno == loop.lineno
        ):
            continue
        start = source.map.line_span(node.lineno)[0]
        deeper = source.indentation(loop.body[0].lineno)
        yield site(
            Edit(start, source.span(node).start, deeper),
            var=source.short(loop.target) if isinstance(loop, ast.For) else None,
            seq=source.short(loop.iter) if isinstance(loop, ast.For) else None,
            code=source.brief(node),
        )


@operator(
    "break-continue",
    "loop-control",
    "high",
    "{to_break}`break` ends the whole loop <here|at this point>; <no further pass is made|only this pass is to be cut short>. Use `continue`.",
    "{to_break}The first {case} <stops|ends> the loop for all that follow; this should be `continue`.",
    "{to_break}Only this `{var}` should be passed over, but `break` <abandons|drops> the rest of `{seq}` too.",
    "{to_continue}`continue` goes on with the next pass although the <search|loop> is <done|over> here; <leave|end> it with `break`.",
    "{to_continue}The loop <is not left|goes on> after this point, so that later passes <run|are made> which should not be. Use `break`.",
    "{to_continue}`break` is needed: with `continue` the loop over `{seq}` <never stops early|runs on to the end>.",
)
def break_continue(source: Source, rng: random.Random) -> Iterator[Site]:
    nodes: list[ast.Break | ast.Continue] = [*source.targets(ast.Break), *source.targets(ast.Continue)]
    for node in nodes:
        new = "continue" if isinstance(node, ast.Break) else "break"
        if isinstance(node, ast.Break) and _saves_time(source, node):
            continue
        yield site(source.edit(node, new), **_loop_facts(source, node), **{f"to_{new}": ""})


def _saves_time(source: Source, node: ast.Break) -> bool:
    """Whether a `break` leaves a loop over items once a flag is set: further passes would set it again."""
    loop = source.loop(node)
    block, place = source.block(node)
    if not isinstance(loop, ast.For | ast.AsyncFor) or loop.orelse or not place:
        return False
    return all(isinstance(step, ast.Assign) and isinstance(step.value, ast.Constant) for step in block[:place])


def _loop_facts(source: Source, node: ast.stmt) -> dict[str, str | None]:
    loop = source.loop(node)
    parent = source.parents.get(node)
    test = source.short(parent.test) if isinstance(parent, ast.If) and node in parent.body else None
    facts: dict[str, str | None] = {"case": f"case of `{test}`" if test else "such case"}
    if isinstance(loop, ast.For):
        facts |= {"var": source.short(loop.target), "seq": source.short(loop.iter)}
    return facts


@operator(
    "drop-break",
    "loop-control",
    "high",
    "The loop <does not stop|goes on> after this: a `break` is missing, so later passes <are made|run> though they are not wanted.",
    "A `break` is missing <here|at this point>: once this {case} is handled the loop has to end.",
    "After `{before}` the loop <runs on|continues> with the next pass; <leave|end> it with `break`.",
    "{last}<Without|For lack of> a `break` the last match wins, <not|instead of> the first.",
    "{endless}<Without|For lack of> a `break` here this loop may <never end|run on without end>.",
    "Nothing ends the loop <here|at this point>: a `break` has to follow, or <more|further> passes are made than should be.",
)
def drop_break(source: Source, rng: random.Random) -> Iterator[Site]:
    for node in source.targets(ast.Break):
        edit = source.without(node)
        block, place = source.block(node)
        if edit is None or _saves_time(source, node):
            continue
        before = source.short(block[place - 1]) if place else None
        facts = _loop_facts(source, node)
        facts["case"] = (facts["case"] or "").removeprefix("such ")
        loop = source.loop(node)
        assigned = place > 0 and isinstance(block[place - 1], ast.Assign)
        facts["last"] = "" if assigned and isinstance(loop, ast.For) else None
        facts["endless"] = "" if isinstance(loop, ast.While) else None
        yield site(edit, **facts, before=before)


@operator(
    "wrong-yield",
    "wrong-return",
    "high",
    "{to_return}{many}`return` <ends|stops> the generator here; `{value}` should be yielded.",
    "{to_return}{sole}With `return` this is no generator: callers <get|receive> `{value}` itself, not a series. Use `yield`.",
    "{to_return}`{value}` <has to|should> be yielded, but `{new}` leaves the function. Use `yield`.",
    "{to_plain}`{new}` yields the iterable itself, as one item, <not|instead of> its elements; <use|it should be> `yield from`.",
    "{to_plain}Consumers of `{function}` get `{value}` as a single <object|item>; delegate with `{old}`.",
    "{to_plain}`{value}` is yielded as one item, though its elements are to be <passed on|yielded> one by one: delegate with `yield from`.",
    "{to_from}`{value}` is one item, but `yield from` <iterates over it|takes it apart>; <use|it needs> a plain `yield`.",
    "{to_from}`yield from` <takes|pulls> `{value}` apart into its elements, though it is one item: <write|use> `{old}`.",
    "{to_from}`{value}` is a single item; `{new}` iterates over it, or raises TypeError where it is not iterable.",
    "`{new}` does not <produce|yield> what `{function}` promises: it should be `{old}`.",
)
def wrong_yield(source: Source, rng: random.Random) -> Iterator[Site]:
    nodes: list[ast.Yield | ast.YieldFrom] = [*source.targets(ast.Yield), *source.targets(ast.YieldFrom)]
    for node in nodes:
        parent = source.parents.get(node)
        if node.value is None or not isinstance(parent, ast.Expr) or isinstance(node.value, ast.Tuple):
            continue
        function = source.function(node)
        if function is None or isinstance(function, ast.AsyncFunctionDef):  # neither form is allowed there
            continue
        if any("contextmanager" in source.code(d) or "fixture" in source.code(d) for d in function.decorator_list):
            continue  # it is no series that is yielded
        count = sum(isinstance(n, ast.Yield | ast.YieldFrom) for n in own_nodes(function))
        value, start = source.code(node.value), source.span(node).start
        if isinstance(node, ast.YieldFrom):
            word = source.find(r"yield\s+from", start, source.span(node).end)
            changes = [("yield", "to_plain")]
        else:
            word = source.find("yield", start, source.span(node).end)
            changes = [("return", "to_return")]
            if isinstance(node.value, ast.Call | ast.Name):
                changes.append(("yield from", "to_from"))
        if word is None:
            continue
        for new, flag in changes:
            yield site(
                Edit(word.start, word.end, new),
                value=brief(value),
                old=source.short(node),
                new=quotable(f"{new} {value}"),
                function=function.name,
                **{flag: "", "sole" if count == 1 else "many": ""},
            )


OPERATORS = (
    missing_return,
    wrong_return,
    early_return,
    break_continue,
    drop_break,
    wrong_yield,
)
