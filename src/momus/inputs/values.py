"""Values as they are written in a text, and as they come back from the sandbox: read one, compare two.

An encoded value is JSON: `["i", "12"]`, `["l", [...]]`, ... as `encode` writes it. What is no plain
value of Python's own is opaque (`["o", type, text]`): nothing is concluded here from how such a thing looks.
"""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Sequence
from typing import Any

Encoded = list[Any]

MAX_NODES = 20_000
MAX_DEPTH = 60
MAX_TEXT = 200_000  # characters of one string; a longer one is opaque
_PLAIN: dict[Any, str] = {list: "l", tuple: "t", set: "S", frozenset: "F", dict: "d"}

_NUMBER_OR_NAME = re.compile(r"[+-]?\s*(?:\d[\d_]*(?:\.\d+)?(?:[eE][+-]?\d+)?j?|\.\d+|[A-Za-z_]\w*)\b")
_STRING = re.compile(r"[rRbBuU]{0,2}(?=['\"])")
_CLOSERS = {"(": ")", "[": "]", "{": "}"}
_WORDS = {"true": "True", "false": "False", "null": "None", "none": "None"}
_REL, _ABS = 1e-6, 1e-9
_UNEQUAL = frozenset(
    f"builtins.{name}"
    for name in (
        "generator",
        "list_iterator",
        "map",
        "zip",
        "filter",
        "range",
        "enumerate",
        "reversed",
        "function",
        "method",
        "dict_values",
    )
)
_PAIRED = 400  # members of a set or an unordered list that are matched one by one


def closing(text: str, start: int) -> int | None:
    """Behind the bracket that closes the one at `start`; strings are stepped over. None where none does."""
    waiting: list[str] = []
    at = start
    while at < len(text):
        char = text[at]
        if char in "'\"":
            end = string_end(text, at)
            if end is None:
                return None
            at = end
            continue
        if char in _CLOSERS:
            waiting.append(_CLOSERS[char])
        elif char in ")]}":
            if not waiting or waiting.pop() != char:
                return None
            if not waiting:
                return at + 1
        at += 1
    return None


def string_end(text: str, start: int) -> int | None:
    """Behind the string whose quote is at `start`; None where it is not closed, or not on its line."""
    quote = text[start : start + 3] if text[start : start + 3] in ("'''", '"""') else text[start]
    at = start + len(quote)
    while at < len(text):
        if text[at] == "\\":
            at += 2
        elif text.startswith(quote, at):
            return at + len(quote)
        elif text[at] == "\n" and len(quote) == 1:
            return None
        else:
            at += 1
    return None


def value_end(text: str, start: int) -> int | None:
    """Behind the value that begins at `start`: a number, a string, a bracketed value, a name, a call of a name."""
    if start >= len(text):
        return None
    if text[start] in _CLOSERS:
        return closing(text, start)
    prefix = _STRING.match(text, start)
    if prefix is not None:
        return string_end(text, prefix.end())
    word = _NUMBER_OR_NAME.match(text, start)
    if word is None:
        return None
    end = word.end()
    while end < len(text) and text[end] == "." and re.match(r"[A-Za-z_]\w*\(", text[end + 1 :]):
        end = text.index("(", end)
    if end < len(text) and text[end] == "(" and not text[start].isdigit():
        return closing(text, end)
    return end


def literal(source: str, words: bool = False) -> str | None:
    """A literal in Python's own writing; with `words` also JSON's true, false and null. None where it is none."""
    if words:
        source = _outside_strings(source)
    tree = parsed(source)
    if tree is None:
        return None
    try:
        value = value_of(tree)
    except ValueError:
        return None
    return None if _has_ellipsis(value) else source.strip()


def value_of(literal: ast.expr | str) -> Any:
    """The value of a literal. ValueError where it is none, or too deep or too long to be read."""
    try:
        return ast.literal_eval(literal)
    except (TypeError, SyntaxError, RecursionError, MemoryError) as error:
        raise ValueError("this is no literal") from error


def parsed(source: str) -> ast.expr | None:
    """The tree of an expression, or None."""
    try:
        return ast.parse(f"({source.strip()}\n)", mode="eval").body if source.strip() else None
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def encoded(source: str) -> Encoded | None:
    """A literal as the sandbox would encode it; None where the source is no literal."""
    tree = parsed(source)
    if tree is None:
        return None
    try:
        return encode(ast.literal_eval(tree), set())
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return None


def encode(value: Any, seen: set[int], depth: int = 0, count: list[int] | None = None) -> list[Any]:
    """A value as JSON that says its type; what is no plain value is `["o", type, text]`."""
    count = [0] if count is None else count
    count[0] += 1
    kind = type(value)
    if count[0] > MAX_NODES or depth > MAX_DEPTH or id(value) in seen:
        return ["o", f"{kind.__module__}.{kind.__qualname__}", "..."]
    if value is None:
        return ["n"]
    if kind is bool:
        return ["b", value]
    if kind is int and value.bit_length() < 12_000:
        return ["i", str(value)]
    if kind is float or kind is complex:
        return ["f" if kind is float else "c", repr(value)]
    if kind is str and len(value) <= MAX_TEXT:
        return ["s", value]
    if kind is bytes and len(value) <= MAX_TEXT:
        return ["y", value.hex()]
    if kind.__name__ == "dict_keys":
        value, kind = set(value), set
    if (nodes := _nodes(value)) is not None:
        return ["l", [encode(item, seen, depth + 1, count) for item in nodes]]
    base = next((known for known in _PLAIN if isinstance(value, known)), None)
    if base is not None and (kind.__eq__ is base.__eq__ or kind.__module__ == "collections"):
        inner = seen | {id(value)}
        if base is dict:
            pairs = dict.items(value)
            return ["d", [[encode(part, inner, depth + 1, count) for part in pair] for pair in pairs]]
        return [_PLAIN[base], [encode(item, inner, depth + 1, count) for item in base.__iter__(value)]]
    return ["o", f"{kind.__module__}.{kind.__qualname__}", _text(value)]


def _text(value: Any) -> str:
    try:
        return str(repr(value))[:200]
    except Exception:
        return "..."


def _nodes(value: Any) -> list[Any] | None:
    """A linked list or a binary tree of the usual two classes as the list that such tasks write."""
    name = type(value).__name__
    if name == "ListNode" and hasattr(value, "val") and hasattr(value, "next"):
        listed: list[Any] = []
        seen = set()
        while value is not None and id(value) not in seen and len(listed) < MAX_NODES:
            seen.add(id(value))
            listed.append(value.val)
            value = value.next
        return listed
    if name == "TreeNode" and hasattr(value, "val") and hasattr(value, "left") and hasattr(value, "right"):
        level, listed = [value], []
        while level and len(listed) < MAX_NODES:
            node = level.pop(0)
            listed.append(None if node is None else node.val)
            if node is not None:
                level += [node.left, node.right]
        while listed and listed[-1] is None:
            listed.pop()
        return listed
    return None


def written(value: Encoded) -> str:
    """An encoded value as Python writes it."""
    kind = value[0]
    if kind == "n":
        return "None"
    if kind in "ifc":
        return str(value[1])
    if kind in "bs":
        return repr(value[1])
    if kind == "y":
        return repr(bytes.fromhex(value[1]))
    if kind == "o":
        return str(value[2])
    if kind == "d":
        return "{" + ", ".join(f"{written(key)}: {written(item)}" for key, item in value[1]) + "}"
    inner = ", ".join(map(written, value[1]))
    if kind == "l":
        return f"[{inner}]"
    if kind == "t":
        return f"({inner},)" if len(value[1]) == 1 else f"({inner})"
    if not inner:
        return "set()" if kind == "S" else "frozenset()"
    return f"{{{inner}}}" if kind == "S" else f"frozenset({{{inner}}})"


def comparable(value: Encoded) -> bool:
    """Whether it is known of every part of an encoded value what it is equal to.

    A generator or a function is equal to no literal; of other opaque things that is theirs to say.
    """
    kind = value[0]
    if kind in "ltSF":
        return all(comparable(item) for item in value[1])
    if kind == "d":
        return all(comparable(key) and comparable(item) for key, item in value[1])
    return bool(kind != "o" or value[1] in _UNEQUAL)


def same(got: Encoded, promised: Encoded, *, loose: bool = False, any_order: bool = False) -> bool:
    """Whether two plain values are equal as Python has it, with tolerance where the promised one is a float.

    `loose`, for values written in prose: lists and tuples are alike, and a float may be written rounded to two decimals
    or more. `any_order`: lists are equal whatever their order.
    """

    def equal(a: Encoded, b: Encoded) -> bool:
        return same(a, b, loose=loose, any_order=any_order)

    if promised[0] in "bifc" and got[0] in "bifc":
        return _same_number(got, promised, loose)
    if promised[0] in "lt" and got[0] in "lt" and (loose or promised[0] == got[0]):
        if len(got[1]) != len(promised[1]):
            return False
        if any_order:
            return _matched(got[1], promised[1], equal)
        return all(map(equal, got[1], promised[1]))
    if promised[0] in "SF" and got[0] in "SF":
        return len(got[1]) == len(promised[1]) and _matched(got[1], promised[1], equal)
    if promised[0] == "d" and got[0] == "d":
        pairs = [["t", pair] for pair in got[1]], [["t", pair] for pair in promised[1]]
        return len(got[1]) == len(promised[1]) and _matched(*pairs, equal)
    return bool(got == promised)


def same_either_way(a: Encoded, b: Encoded) -> bool:
    """Whether two results are equal, of which neither is promised: with a tolerance where either holds a float."""
    return same(a, b) or same(b, a)


def _same_number(got: Encoded, promised: Encoded, loose: bool) -> bool:
    a, b = _number(got), _number(promised)
    if a == b:
        return True
    if isinstance(a, complex) or isinstance(b, complex):
        return abs(complex(a) - complex(b)) <= _REL * abs(complex(b))
    if promised[0] != "f" or got[0] == "b":
        return False
    try:
        a = float(a)
    except OverflowError:
        return False
    if math.isnan(a) or math.isnan(b):
        return math.isnan(a) and math.isnan(b)
    decimals = len(promised[1].partition(".")[2]) if "e" not in promised[1] else 0
    return math.isclose(a, b, rel_tol=_REL, abs_tol=_ABS) or (loose and decimals >= 2 and round(a, decimals) == b)


def _number(value: Encoded) -> Any:
    return {"b": bool, "i": int, "f": float, "c": complex}[value[0]](value[1])


def _matched(got: Sequence[Encoded], promised: Sequence[Encoded], equal: Any) -> bool:
    """Whether the members of two collections can be paired off. Large ones only by being the same."""
    left = list(promised)
    rest = []
    for item in got:
        if item in left:
            left.remove(item)
        else:
            rest.append(item)
    if len(left) > _PAIRED:
        return False
    for item in rest:
        found = next((other for other in left if equal(item, other)), None)
        if found is None:
            return False
        left.remove(found)
    return True


def _outside_strings(source: str) -> str:
    """JSON's words as Python's, outside of strings."""
    parts, at = [], 0
    while at < len(source):
        if source[at] in "'\"":
            end = string_end(source, at) or len(source)
            parts.append(source[at:end])
            at = end
            continue
        word = re.compile(r"[A-Za-z_]\w*").match(source, at)
        parts.append(_WORDS.get(word[0], word[0]) if word else source[at])
        at = word.end() if word else at + 1
    return "".join(parts)


def _has_ellipsis(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_has_ellipsis, (*value.keys(), *value.values())))
    if isinstance(value, list | tuple | set | frozenset):
        return any(map(_has_ellipsis, value))
    return value is ...
