"""Find functions that are copies of each other, whatever their names are."""

from __future__ import annotations

import builtins
import hashlib
import keyword
import re
from collections.abc import Iterable, Iterator

from momus.corpus.functions import Function

_TOKEN = re.compile(
    r"""(?P<comment>\#[^\n]*)
    |(?P<string>(?i:\b[rbuf]{1,2})?(?:'''(?:[^\\]|\\.)*?'''|\"\"\"(?:[^\\]|\\.)*?\"\"\"
        |'(?:[^\\'\n]|\\.)*'|"(?:[^\\"\n]|\\.)*"))
    |(?P<name>[^\W\d]\w*)
    |(?P<number>\.?\d[\w.]*)
    |(?P<newline>\n\s*)
    |(?P<operator>[^\w\s])""",
    re.VERBOSE | re.DOTALL,
)
_KEPT_NAMES = frozenset(keyword.kwlist) | frozenset(dir(builtins)) | {"self", "cls"}
_RANKS = {"heldout": 0, "dev": 1, "train": 2}


def fingerprint(code: str) -> str:
    """A hash that two functions share if they differ only in layout, comments, docstring, strings' text and names.

    Names are numbered by first appearance, keywords and builtins stay.
    """
    numbers: dict[str, str] = {}
    tokens: list[str] = []
    behind: list[str] = []  # the two tokens before, newlines counted: a string after ":\n" is a docstring
    for match in _TOKEN.finditer(code):
        kind, text = match.lastgroup, match.group()
        if kind == "comment":
            continue
        if kind == "newline":
            behind = [*behind[-1:], "\n"]
            continue
        if kind == "string":
            if behind == [":", "\n"]:
                continue
            text = "''"
        elif kind == "name" and text not in _KEPT_NAMES:
            text = numbers.setdefault(text, f"v{len(numbers)}")
        tokens.append(text)
        behind = [*behind[-1:], text]
    return hashlib.blake2b(" ".join(tokens).encode(), digest_size=12).hexdigest()


def unique(functions: Iterable[tuple[str, Function]]) -> Iterator[Function]:
    """Keep one of each set of copies, given (fingerprint, function); a held-out one is kept before a dev or train one.

    The order is by split, then as given, so that what trains holds no copy of what measures.
    """
    seen: set[str] = set()
    for key, function in sorted(functions, key=lambda pair: _RANKS[pair[1].split]):
        if key not in seen:
            seen.add(key)
            yield function
