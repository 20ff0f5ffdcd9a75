"""What one edit could make of a line: the ways in which a suspect line may have been meant.

Most operators are their own inverse: the flip of a flipped comparison is the original. So what they would make of a
wrong line holds the right one in a good share of cases, and a critic need not spell a mend, only choose one. Operators
that are held out are not asked, nor is their inverse spelled out here, or they would be trained on by another road.
"""

from __future__ import annotations

import ast
import builtins
import difflib
import keyword
import random
import re
from collections.abc import Iterator

from momus.tamper.compiled import compiles, parse
from momus.tamper.insert import MAX_CHARACTERS, choose
from momus.tamper.source import Source, splice

MOST = 12  # repairs of one line
_ROUNDS = 3  # an operator draws one of several replacements at a site: asked again, it may draw another
_NAME = re.compile(r"[^\W\d]\w*")
_LIKENESS = 0.7


def repairs(answer: str, line: int, most: int = MOST) -> list[str]:
    """Up to `most` answers in which the 1-based line alone is other code; all of them compile, and none twice.

    The same answer gives the same ones in the same order. None where the answer is not Python.
    """
    if len(answer) > MAX_CHARACTERS:
        return []
    try:
        source = Source(answer)
    except SyntaxError:
        return []
    if not source.compiles or not 1 <= line <= source.map.line_count:
        return []
    seen = {source.key}
    found: list[str] = []
    for text in _edited(source, line):
        try:
            tree = parse(text)
        except SyntaxError:
            continue
        key = ast.dump(tree)
        if key not in seen and compiles(tree):
            seen.add(key)
            found.append(text)
            if len(found) == most:
                break
    return found


def _edited(source: Source, line: int) -> Iterator[str]:
    start, end = source.map.line_span(line)
    before, code, after = source.text[:start], source.text[start:end], source.text[end:]
    yield from _by_operators(source, start, end)
    indent = code[: len(code) - len(code.lstrip())]
    if not code.lstrip().startswith(("return", "raise", "yield", "await")):
        yield f"{before}{indent}return {code.lstrip()}{after}"  # a lost return
    for mended in _respelt(source.text, code):
        yield before + mended + after


def _by_operators(source: Source, start: int, end: int) -> Iterator[str]:
    """What the operators make of a line's characters, one of each operator before a second one."""
    waiting = []
    for operator in choose(exclude_held_out=True):
        sites = [
            site
            for n in range(_ROUNDS)
            for site in operator.sites(source, random.Random(n))
            if all(start <= edit.start and edit.end <= end and "\n" not in edit.replacement for edit in site.edits)
        ]
        if sites:
            waiting.append(iter(dict.fromkeys(splice(source.text, site.edits) for site in sites)))
    while waiting:
        for texts in list(waiting):
            text = next(texts, None)
            if text is None:
                waiting.remove(texts)
            else:
                yield text


def _respelt(answer: str, code: str) -> Iterator[str]:
    """The line with a name that stands nowhere else made into one like it that does."""
    names = _NAME.findall(answer)
    known = {name for name in names if not keyword.iskeyword(name)}
    for match in _NAME.finditer(code):
        name = match.group()
        if names.count(name) > 1 or keyword.iskeyword(name) or hasattr(builtins, name):
            continue
        for other in difflib.get_close_matches(name, sorted(known - {name}), n=2, cutoff=_LIKENESS):
            yield code[: match.start()] + other + code[match.end() :]
