"""Examples in the form "Input: nums = [2, 7], target = 9 / Output: [0, 1]", as programming sites write them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from momus.inputs.example import Example
from momus.inputs.target import Target
from momus.inputs.values import literal, parsed, value_end

_MARKS = r"[\s>*_`#-]*"
_AFTER_LABEL = r"[\s*`]*"
_LABEL = r"(?:sample\s+|example\s+)?{}s?(?:\s*\d+)?"
_INPUT = re.compile(
    rf"^{_MARKS}(?:example\s*\d*\s*:?\s*)?{_LABEL.format('input')}[*_`\s]*[:=]{_AFTER_LABEL}", re.I | re.M
)
_OUTPUT = re.compile(rf"{_LABEL.format('(?:expected )?output')}[*_`\s]*[:=]{_AFTER_LABEL}", re.I)
_NAMED = re.compile(r"\s*([A-Za-z_]\w*)\s*(?:=|:)\s*")
_SEPARATOR = re.compile(r"\s*(?:,|;|\band\b|\n)?\s*")
_AFTER = re.compile(r"[ \t`*]*(?:$|\n|\.(?:\s|$)|;|#|//|\((?=[A-Za-z]))")
_REACH = 1200  # characters between an input's label and its output's
ANY_ORDER = re.compile(
    r"\bin\s+any\s+(?:order|sequence)\b|\border\s+(?:of|does(?:n't| not))\b.{0,40}\bmatter|\bany\s+order\b", re.I
)
ANY_ANSWER = re.compile(
    r"\breturn\b(?:(?!\bif\b|\bwhether\b)[^.\n]){0,60}\bany\b(?!\s+order|thing)|\bany\s+of\s+them\b"
    r"|\bany\s+(?:valid\s+|correct\s+|possible\s+|such\s+)?(?:answer|solution|result|output)\b"
    r"|\bmultiple\s+(?:valid\s+|correct\s+|possible\s+)?(?:answers|solutions)\b|\breturns?\s+an?\s+random\b",
    re.IGNORECASE,
)
_NODES = re.compile(r"\b(ListNode|TreeNode)\b")
_BUILDER = {"ListNode": "list_node", "TreeNode": "tree_node"}


def inputs_and_outputs(text: str, target: Target) -> Iterator[Example]:
    """The examples of this form in a text; none where it leaves open what is called or which answer is meant."""
    if target.entry is None or not target.parameters or ANY_ANSWER.search(text):
        return
    any_order = ANY_ORDER.search(text) is not None
    for label in _INPUT.finditer(text):
        output = _OUTPUT.search(text, label.end(), label.end() + _REACH)
        following = _INPUT.search(text, label.end())
        if output is None or (following is not None and following.start() < output.start()):
            continue
        arguments = _arguments(text[label.end() : output.start()].strip().rstrip(";,`*_-> \n"), target)
        promised = _output(text, output.end())
        if arguments is not None and promised is not None:
            example = _example(arguments, promised, target, any_order)
            if example is not None:
                yield example


def _output(text: str, start: int) -> str | None:
    while start < len(text) and text[start] in " \t\n`*":
        start += 1
    end = value_end(text, start)
    return literal(text[start:end], words=True) if end is not None and _AFTER.match(text, end) else None


def _arguments(text: str, target: Target) -> list[str] | None:
    """The sources of the arguments, in the order of the parameters; None where that is not clear."""
    call = parsed(text)
    if isinstance(call, ast.Call):
        return _of_call(call, target)
    named = _named(text)
    if named is not None:
        needed = [parameter.name for parameter in target.parameters if parameter.required]
        order = [parameter.name for parameter in target.parameters][: len(named)]
        if sorted(named) == sorted(order) and set(needed) <= set(named):
            return [named[name] for name in order]
        folded = {name.lower().replace("_", ""): value for name, value in named.items()}
        alike = [name.lower().replace("_", "") for name in order]
        if len(folded) == len(named) and sorted(folded) == sorted(alike) and len(needed) <= len(named):
            return [folded[name] for name in alike]
        if len(named) == 1 and len(needed) == 1 and len(target.parameters) == 1:
            return list(named.values())
        return None
    values = _values(text)
    required = sum(parameter.required for parameter in target.parameters)
    if values is None or not required <= len(values) <= len(target.parameters):
        return None
    return values


def _of_call(call: ast.Call, target: Target) -> list[str] | None:
    name = (target.entry or "").rpartition(".")[2]
    if not (isinstance(call.func, ast.Name) and call.func.id == name) or call.keywords:
        return None
    sources = [literal(ast.unparse(argument)) for argument in call.args]
    return [source for source in sources if source is not None] if all(sources) else None


def _named(text: str) -> dict[str, str] | None:
    """`nums = [2, 7], target = 9` as names and sources."""
    found: dict[str, str] = {}
    at = 0
    while at < len(text):
        name = _NAMED.match(text, at)
        if name is None or name[1] in found:
            return None
        end = value_end(text, name.end())
        source = literal(text[name.end() : end], words=True) if end is not None else None
        if end is None or source is None:
            return None
        found[name[1]] = source
        at = _next(text, end)
    return found or None


def _values(text: str) -> list[str] | None:
    """`[2, 7], 9` as sources."""
    found: list[str] = []
    at = 0
    while at < len(text):
        end = value_end(text, at)
        source = literal(text[at:end], words=True) if end is not None else None
        if end is None or source is None:
            return None
        found.append(source)
        at = _next(text, end)
    return found or None


def _next(text: str, end: int) -> int:
    """Where the value behind a separator begins; a text that goes on without one is taken as ended by nothing."""
    separator = _SEPARATOR.match(text, end)
    assert separator is not None
    return separator.end() if separator[0].strip() or "\n" in separator[0] or separator.end() == len(text) else end


def _example(arguments: list[str], promised: str, target: Target, any_order: bool) -> Example | None:
    assert target.entry is not None
    built: list[str] = []
    for source, parameter in zip(arguments, target.parameters, strict=False):
        nodes = _NODES.search(parameter.annotation)
        if nodes is None:
            built.append(source)
        elif (builder := _BUILDER[nodes[1]]) in target.builders and parameter.annotation.count("[") <= 1:
            built.append(f"{builder}({source})")
        else:
            return None
    if _NODES.search(target.returns) and not target.builders:
        return None
    entry = target.entry
    shown = f"{entry.rpartition('.')[2]}({', '.join(arguments)})"
    if target.in_place:
        if promised == "None" or not built:
            return None
        call = f"_given = {built[0]}\n{entry}({', '.join(['_given', *built[1:]])})\n_given"
        shown = f"{shown} leaves its first argument as"
        return Example(call, promised, "equals", "input-output", shown=shown, loose=True, any_order=any_order)
    call = f"{entry}({', '.join(built)})"
    if _NODES.search(target.returns) and promised == "[]":
        promised = "None"
    return Example(call, promised, "equals", "input-output", shown=shown, loose=True, any_order=any_order)
