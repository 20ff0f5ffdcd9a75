"""Bounds and numbers: ranges, indices, slices, constants."""

# ruff: noqa: E501 (a phrasing stays on one line, however long)

from __future__ import annotations

import ast
import random
from collections.abc import Iterator

from momus.tamper.operators.base import Site, operator, site
from momus.tamper.operators.surroundings import is_chosen, is_mapping, is_number
from momus.tamper.quoting import brief, quotable
from momus.tamper.source import Source, name_of

_SMALL = 3  # numbers up to it are seldom chosen freely


def plus(source: Source, node: ast.expr, delta: int) -> str:
    """The code of `node + delta`, simplified as a person would write it."""
    match node:
        case ast.Constant(value=int(number)) if not isinstance(number, bool):
            return str(number + delta)
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int(number))):
            return str(delta - number)
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub() as op, right=ast.Constant(value=int(number))):
            total = (number if isinstance(op, ast.Add) else -number) + delta
            if total == 0:
                return source.code(left)
            return f"{source.code(left)} {'+' if total > 0 else '-'} {abs(total)}"
    return f"{source.operand(node)} {'+' if delta > 0 else '-'} {abs(delta)}"


def measured(node: ast.expr, source: Source) -> str | None:
    """`xs` of `len(xs)`."""
    match node:
        case ast.Call(func=ast.Name(id="len"), args=[argument]) if source.code(node) == f"len({source.code(argument)})":
            return source.short(argument)
    return None


@operator(
    "off-by-one-range",
    "off-by-one",
    "high",
    "{over}`{new}` <runs|goes|counts> one <step|number> too far: the last `{var}` is already outside; <it should stop|stop> at `{old_stop}`.",
    "{over}The <loop|range> ends at `{new_stop}`, one past the <valid numbers|last valid value>. <Use|Write> `{old}` <instead|here>.",
    "{over}{indexed}`{seq}` has no element at `len({seq})`, yet `{new}` <reaches|produces> it, so the last pass <indexes past the end|raises IndexError>. Use `{old}`.",
    "{over}<One iteration too many|There is one pass too many>: with `{new}`, `{var}` takes a value beyond the last one wanted. `{old}` is <enough|right>.",
    "{over}There is one <number|step> too many in this range: it <has to|should> stop at `{old_stop}`, not at `{new_stop}`.",
    "{over}The range <runs|goes> one step too far: its last <number|value> is already outside. <Stop|End it> one earlier.",
    "{under}`{new}` stops one <step|number> <early|short>, so the last `{var}` is never <handled|visited|processed>; <it should be|use> `{old}`.",
    "{under}The last value is <skipped|left out>: the range ends before `{new_stop}` while it should <go up to|end before> `{old_stop}`.",
    "{under}The final <item|element> of `{seq}` is never looked at, because `{new}` leaves out the last index. Use `{old}`.",
    "{under}<One iteration is missing|This makes one pass too few>: `{new}` ends a step <early|too soon>, so the result lacks the last case. Write `{old}`.",
    "{under}The range ends one step too early, so the last <value|number> is <never handled|left out>; let it <go|run> one further.",
    "{late}The range <starts|begins> one too late: the first <value|number> is <skipped|left out>, though it <counts|is needed> too.",
    "{late}`{new}` starts at `{new_start}`, so the first `{var}` is <skipped|never processed|left out>. <Start at|Begin with> `{old_start}`.",
    "{late}The first <value|iteration> is <missed|lost>: the range begins with `{new_start}` but `{old_start}` <is a valid value|counts> too. Use `{old}`.",
    "{late}<Beginning|Starting> the range at `{new_start}` leaves out `{old_start}`, and whatever stands there is <ignored|never seen>; `{old}` covers it.",
)
def off_by_one_range(source: Source, rng: random.Random) -> Iterator[Site]:
    for call in source.targets(ast.Call):
        if not (isinstance(call.func, ast.Name) and call.func.id == "range") or call.keywords or len(call.args) > 3:
            continue
        if any(isinstance(a, ast.Starred) for a in call.args) or not call.args:
            continue
        stop = call.args[0] if len(call.args) == 1 else call.args[1]
        if is_chosen(stop, source.code(stop)):
            continue
        backwards = len(call.args) == 3 and source.code(call.args[2]).startswith("-")
        parent = source.parents.get(call)
        target = parent.target if isinstance(parent, ast.For | ast.comprehension) else None
        var = target.id if isinstance(target, ast.Name) else None
        if var is not None and not _is_used(source, call, var):
            if isinstance(stop, ast.Constant):
                continue  # so many times, as was chosen
            var = None
        whole = source.span(call)

        def changed(node: ast.expr, text: str, call: ast.Call = call) -> str:
            start = source.span(call).start
            code, span = source.code(call), source.span(node)
            return code[: span.start - start] + text + code[span.end - start :]

        for delta in (1, -1):
            text = plus(source, stop, delta)
            new = changed(stop, text)
            yield site(
                source.edit(stop, text),
                old=quotable(whole.of(source.text)),
                new=quotable(new),
                new_stop=quotable(text),
                old_stop=source.short(stop),
                var=var,
                seq=(seq := measured(stop, source)),
                indexed="" if seq is not None and var is not None and _is_indexed(source, call, seq, var) else None,
                **{"over" if (delta > 0) != backwards else "under": ""},
            )
        if isinstance(target, ast.Name) and var is None:
            continue  # nothing is done with the numbers, so none of them is missed
        if len(call.args) == 1:
            new = f"range(1, {source.code(stop)})"
            yield site(
                source.edit(call, new),
                old=quotable(whole.of(source.text)),
                new=quotable(new),
                new_start="1",
                old_start="0",
                var=var,
                late="",
            )
        elif not backwards:
            text = plus(source, call.args[0], 1)
            yield site(
                source.edit(call.args[0], text),
                old=quotable(whole.of(source.text)),
                new=quotable(changed(call.args[0], text)),
                new_start=quotable(text),
                old_start=source.short(call.args[0]),
                var=var,
                late="",
            )


def _is_used(source: Source, call: ast.Call, var: str) -> bool:
    loop = source.parents[call]
    whole = source.parents[loop] if isinstance(loop, ast.comprehension) else loop
    return any(isinstance(n, ast.Name) and n.id == var and isinstance(n.ctx, ast.Load) for n in ast.walk(whole))


def _is_indexed(source: Source, call: ast.Call, seq: str, var: str) -> bool:
    """Whether a loop reads the element of a sequence at its own number."""
    loop = source.parents[call]
    whole = source.parents[loop] if isinstance(loop, ast.comprehension) else loop
    return any(isinstance(n, ast.Subscript) and source.code(n) == f"{seq}[{var}]" for n in ast.walk(whole))


@operator(
    "off-by-one-index",
    "off-by-one",
    "high",
    "`{new}` <reads|takes|looks at> the wrong element: the <index|position> is off by one, `{old}` is <meant|the one needed>.",
    "The index `{new_index}` <points one place beside|misses by one> the element that is wanted; use `{old}`.",
    "{const}<Position|Index> `{new_index}` of `{seq}` is the neighbour of the one needed, and raises IndexError where `{seq}` is too short. Use `{old}`.",
    "{up}`{new}` is one <past|beyond> the element of `{seq}` that is wanted; <it should read|read> `{old}`.",
    "{down}`{new}` <reaches|goes> one element <too far back|back> in `{seq}`. It should be `{old}`.",
    "This index is off by one: it <reads|picks> `{new}` where `{old}` is <wanted|needed>.",
    "The <position|index> used here is one beside the right one, so that something else is <read|taken> than what is needed.",
    "<Off by one|An off-by-one>: this <reads|picks> `{new}` although the value <used|needed> here <stands|lies> at `{old_index}`.",
)
def off_by_one_index(source: Source, rng: random.Random) -> Iterator[Site]:
    for node in source.targets(ast.Subscript):
        index = node.slice
        if not isinstance(node.ctx, ast.Load) or not _counts(source, index) or is_mapping(source, node.value):
            continue
        constant = not isinstance(index, ast.Name | ast.BinOp)
        negative = source.code(index).startswith("-")
        # Of a constant only the step away from the end of the sequence: the other one may change sides.
        for delta in (1, -1) if not constant else (-1,) if negative else (1,):
            text = plus(source, index, delta)
            edit = source.edit(index, text)
            yield site(
                edit,
                new=quotable(source.after(source.span(node), edit)),
                old=source.short(node),
                new_index=quotable(text),
                old_index=source.short(index),
                seq=source.brief(node.value),
                **{"const" if constant else "up" if delta > 0 else "down": ""},
            )


def _counts(source: Source, index: ast.expr) -> bool:
    """Whether an index is a number, as far as the code tells."""
    match index:
        case ast.Constant(value=int(number)):
            return not isinstance(number, bool) and -3 <= number <= 9
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int())):
            return True
        case ast.BinOp(op=ast.Add() | ast.Sub(), right=ast.Constant(value=int())):
            return True
        case ast.Name():
            return is_number(source, index)
    return False


@operator(
    "wrong-slice-bound",
    "off-by-one",
    "medium",
    "{lower}`{new}` drops one element too many at the <front|start>: the element at `{old_bound}` <is lost|goes missing>. Use `{old}`.",
    "{lower}The slice <starts|begins> at `{new_bound}`, which is one too late; with `{old}` nothing is <lost|cut off>.",
    "{upper}`{new}` cuts off one element too many at the end; <the slice should be|it should read> `{old}`.",
    "{upper}The slice ends <one too early|a place early>: the last wanted element of `{seq}` is <left out|missing>. `{old}` <keeps|includes> it.",
    "{wide}`{new}` <takes|lets> one more element <than wanted|in>: it should end at `{old_bound}`, as in `{old}`.",
    "{whole}This slice of `{seq}` keeps an element at its end that has to be <cut off|left out>.",
    "{whole}`{new}` keeps an element of `{seq}` that has to be <cut off|left out>; <use|write> `{old}`.",
    "{lower}This slice of `{seq}` begins one <element|place> too late, so an element <gets lost|is dropped> at its front.",
    "{upper}This slice of `{seq}` ends one <element|place> too early, so its last element <gets lost|is dropped>.",
    "{wide}This slice of `{seq}` ends one <element|place> too late and <takes in|includes> an element that does not belong to it.",
    "The bounds of this slice are off by one: `{new}` is not the <part|piece> of `{seq}` that is needed, `{old}` is.",
)
def wrong_slice_bound(source: Source, rng: random.Random) -> Iterator[Site]:
    for node in source.targets(ast.Subscript):
        if not isinstance(node.slice, ast.Slice) or not isinstance(node.ctx, ast.Load):
            continue
        cut = node.slice
        compared = isinstance(source.parents.get(node), ast.Compare)
        start = source.span(node).start
        for bound, kind in ((cut.lower, "lower"), (cut.upper, "upper"), (cut.upper, "wide")):
            if bound is None or (isinstance(bound, ast.Constant) and not isinstance(bound.value, int)):
                continue
            number = isinstance(bound, ast.Constant | ast.UnaryOp)
            if _is_more_than_few(bound) and not compared:
                continue  # so many, as was chosen
            delta = -1 if kind == "upper" else 1
            text = plus(source, bound, delta)
            facts = {kind: ""}
            if number and text in ("0", "-0"):
                if kind != "wide":
                    continue  # that would be the whole, or nothing of it
                text, facts = "", {"whole": ""}
            span, code = source.span(bound), source.code(node)
            new = code[: span.start - start] + text + code[span.end - start :]
            yield site(
                source.edit(bound, text),
                old=quotable(code),
                new=quotable(new),
                new_bound=quotable(text),
                old_bound=source.short(bound),
                seq=source.brief(node.value),
                **facts,
            )


def _is_more_than_few(bound: ast.expr) -> bool:
    return isinstance(bound, ast.Constant) and isinstance(bound.value, int) and bound.value > _SMALL


@operator(
    "drop-enumerate-start",
    "off-by-one",
    "medium",
    "`{new}` counts from 0, but `{var}` is used as a count from {start} <here|below>; pass `{start}` as the start.",
    "The numbers are off: without a start, `enumerate` begins at 0 and every `{var}` is {start} too <low|small>. Use `{old}`.",
    "Without a start `enumerate` counts from 0, but the numbers <here|used here> have to begin at {start}.",
    "`{var}` begins at 0 <here|in this loop>, so every number <reported|used> is shifted; `{old}` begins at {start}.",
    "<This|The> enumeration should begin at {start}: with `{new}` the first item <gets|has> the number 0. Use `{old}`.",
)
def drop_enumerate_start(source: Source, rng: random.Random) -> Iterator[Site]:
    for call in source.targets(ast.Call):
        match call:
            case ast.Call(func=ast.Name(id="enumerate"), args=[seq, start], keywords=[]):
                first = source.short(start)
            case ast.Call(func=ast.Name(id="enumerate"), args=[seq], keywords=[ast.keyword(arg="start", value=start)]):
                first = source.short(start)
            case _:
                continue
        if first == "0" or isinstance(seq, ast.Starred):
            continue
        parent = source.parents.get(call)
        target = parent.target if isinstance(parent, ast.For | ast.comprehension) else None
        var = source.short(target.elts[0]) if isinstance(target, ast.Tuple) and target.elts else None
        new = f"enumerate({source.code(seq)})"
        yield site(
            source.edit(call, new),
            new=quotable(new),
            old=source.short(call),
            var=var,
            start=first or brief(source.code(start)),
        )


@operator(
    "swap-indices",
    "wrong-order",
    "high",
    "{table}The indices are the wrong way round: `{new}` <reads|touches> the transposed cell, and fails where the table is not square. Use `{old}`.",
    "{table}`{new}` has row and column swapped; <it should be|the cell meant is> `{old}`.",
    "<The indices are|Here the indices are> the wrong way round: `{new}` should be `{old}`.",
    "`{seq}` is indexed with `{first}` first <and then|before> `{second}`, as in `{old}`; here the order is reversed.",
    "`{seq}` has to be indexed with `{first}` before `{second}`; the two <are swapped|trade places> here.",
    "With `{new}` the two indices <trade places|are mixed up>: another entry is looked up, or none is found. Write `{old}`.",
)
def swap_indices(source: Source, rng: random.Random) -> Iterator[Site]:
    for node in source.targets(ast.Subscript):
        match node:
            case ast.Subscript(value=ast.Subscript(value=seq, slice=first), slice=second):
                pass
            case ast.Subscript(value=seq, slice=ast.Tuple(elts=[first, second])):
                pass
            case _:
                continue
        if any(isinstance(n, ast.Slice | ast.Starred) for n in (first, second)):
            continue
        a, b = source.code(first), source.code(second)
        if a == b or isinstance(first, ast.Constant) != isinstance(second, ast.Constant):
            continue
        named = name_of(seq) or ""
        if named[:1].isupper() or named in ("dict", "tuple", "list", "type"):
            continue  # a type and its arguments
        code, start = source.code(node), source.span(node).start
        one, two = source.span(first), source.span(second)
        new = code[: one.start - start] + b + code[one.end - start : two.start - start] + a + code[two.end - start :]
        yield site(
            source.edit(first, b),
            source.edit(second, a),
            new=quotable(new),
            old=quotable(code),
            seq=source.brief(seq),
            first=brief(a),
            second=brief(b),
            table="" if is_number(source, first) and is_number(source, second) else None,
        )


OPERATORS = (
    off_by_one_range,
    off_by_one_index,
    wrong_slice_bound,
    drop_enumerate_start,
    swap_indices,
)
