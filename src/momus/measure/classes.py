"""The class of a bug that nobody classed, by what its fix changes: natural bugs come with a fix and no name for it.

The rule reads tokens. It asks what the one changed place holds before and after the fix (an operator, a number, a name,
whole statements); a fix that changes several places in different ways has no class, and stays `other`. Bugs put in by
rule have classes of their own, so how often the two agree can be measured: see docs/measure.md.
"""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from momus.records import Bug

_TOKEN = re.compile(
    r"(?P<line>\n[ \t]*)|(?P<comment>#[^\n]*)"
    r"""|(?P<string>[rbfuRBFU]{0,2}(?:"{3}.*?"{3}|'{3}.*?'{3}|"[^"\n]*"|'[^'\n]*'))"""
    r"|(?P<number>\d[\w.]*)|(?P<name>[^\W\d]\w*)"
    r"|(?P<operator>\*\*=|//=|<<=|>>=|->|:=|[-+*/%&|^<>=!@]=|\*\*|//|<<|>>|\S)",
    re.DOTALL,
)
_ORDER = frozenset({"<", "<=", ">", ">="})
_EQUAL = {"==": "!=", "!=": "==", "is": "is not", "is not": "is", "in": "not in", "not in": "in"}  # and the opposite
_CALCULATES = ("+", "-", "*", "/", "//", "%", "**", "<<", ">>", "&", "|", "^")
_ARITHMETIC = frozenset({*_CALCULATES, *(f"{name}=" for name in _CALCULATES), "="})
_CONSTANTS = frozenset({"True", "False", "None"})
_STEP = ({"+", "1"}, {"-", "1"})


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    line: str  # the first word of its logical line


@dataclass(frozen=True, slots=True)
class _Change:
    """What the fix takes away and puts in, with the tokens before and behind; `whole`: full lines on either side."""

    old: tuple[_Token, ...]
    new: tuple[_Token, ...]
    before: str
    behind: str
    whole: bool


def class_of(bug: Bug, answer: str, twin: str) -> str:
    """The bug's category, or where it is `other` the class of what makes `twin` of `answer`; `other` where unclear."""
    if bug.category != "other":
        return bug.category
    tokens = _tokens(answer)
    defined = _defined(tokens)
    changes = list(_changes(tokens, _tokens(twin)))
    found = {_class(change, defined) for change in changes}
    if len(found) < 2:
        return found.pop() if found else "other"
    return _of_statements({t.line for change in changes for t in (*change.old, *change.new)})


def _tokens(code: str) -> list[_Token]:
    """Tokens without comments; a line break is one where a new line of code begins."""
    found: list[_Token] = []
    first = ""
    for match in _TOKEN.finditer("\n" + code):
        kind, text = str(match.lastgroup), match.group()
        if kind == "line":
            first = ""
            if found and found[-1].kind == "line":
                found.pop()
            found.append(_Token("line", "\n", ""))
        elif kind != "comment":
            first = first or text
            found.append(_Token(kind, text, first))
    return found


def _changes(old: Sequence[_Token], new: Sequence[_Token]) -> Iterator[_Change]:
    matcher = SequenceMatcher(None, [t.text for t in old], [t.text for t in new], autojunk=False)
    for tag, a0, a1, b0, b1 in matcher.get_opcodes():
        if tag == "equal":
            continue
        taken, put = _trimmed(old[a0:a1]), _trimmed(new[b0:b1])
        if taken or put:
            before = old[a0 - 1].text if a0 else "\n"
            behind = old[a1].text if a1 < len(old) else "\n"
            lines = any(t.kind == "line" for t in (*old[a0:a1], *new[b0:b1]))
            yield _Change(taken, put, before, behind, lines and not (taken and put))


def _trimmed(tokens: Sequence[_Token]) -> tuple[_Token, ...]:
    return tuple(token for token in tokens if token.kind != "line")


def _class(change: _Change, defined: frozenset[str]) -> str:
    old, new = (" ".join(t.text for t in side) for side in (change.old, change.new))
    kinds = {t.kind for t in (*change.old, *change.new)}
    either = {t.text for t in (*change.old, *change.new)}
    if change.whole:
        return _of_lines(change)
    if not old and new in ("await", "return"):
        return f"missing-{new}"
    if either <= {"break", "continue"}:
        return "loop-control"
    if old in _ORDER | _EQUAL.keys() and new in _ORDER | _EQUAL.keys():
        return "inverted-condition" if _EQUAL.get(old) == new else "wrong-comparison"
    if either == {"="} and {change.before, change.behind} & {"<", ">"}:
        return "wrong-comparison"  # `<` and `<=`, where the diff parts them
    if either == {"not"}:
        return "inverted-condition"
    if either <= {"and", "or"}:
        return "wrong-condition"
    if old in _ARITHMETIC and new in _ARITHMETIC:
        return "wrong-operator"
    if either in _STEP or kinds == {"number"}:
        return "off-by-one" if either in _STEP or _by_one(old, new) else "wrong-constant"
    if kinds <= {"string", "number"} or either <= _CONSTANTS:
        return "wrong-constant"
    if len(change.old) == len(change.new) == 1 and kinds == {"name"}:
        return _of_name(change, old, defined)
    return _of_place(change)


def _of_lines(change: _Change) -> str:
    """Whole statements that the fix puts in, or takes away."""
    words = [t.text for t in change.new or change.old]
    if not change.new:
        return {"return": "early-exit", "break": "loop-control", "continue": "loop-control"}.get(words[0], "other")
    if words[0] in ("import", "from"):
        return "undefined-name"
    if words[0] == "if" and {"return", "raise", "continue", "break"} & set(words):
        return "missing-check"
    return {"return": "missing-return", "break": "loop-control", "continue": "loop-control"}.get(
        words[0], "missing-statement"
    )


def _of_name(change: _Change, old: str, defined: frozenset[str]) -> str:
    if keyword.iskeyword(old) or keyword.iskeyword(change.new[0].text):
        return _of_place(change)
    if change.behind == "(":
        return "wrong-call"
    if change.before == ".":
        return "wrong-attribute"
    return "wrong-variable" if old in defined else "undefined-name"


def _of_place(change: _Change) -> str:
    """A rewritten piece of a line, by where it stands."""
    if change.before in ("(", ",") and change.behind in (")", ","):
        return "wrong-argument"
    return _of_statements({t.line for t in (*change.old, *change.new)})


def _of_statements(words: set[str]) -> str:
    """By the first words of the lines that are rewritten."""
    if words <= {"return", "yield"}:
        return "wrong-return"
    if words <= {"if", "elif", "while", "assert"}:
        return "wrong-condition"
    return "exception-handling" if words <= {"except", "try", "raise", "finally"} else "other"


def _by_one(old: str, new: str) -> bool:
    try:
        return abs(int(old) - int(new)) == 1
    except ValueError:
        return False


def _defined(tokens: Sequence[_Token]) -> frozenset[str]:
    """Names that the code binds somewhere, as far as tokens tell: parameters, targets, imports; and the builtins."""
    bound = set(dir(builtins))
    for here, token in enumerate(tokens):
        behind = tokens[here + 1].text if here + 1 < len(tokens) else ""
        binds = token.line in ("def", "for", "import", "from", "with", "except", "lambda", "class", "async")
        if token.kind == "name" and (binds or behind in ("=", ",", ":=", ":", "in") or behind.endswith("=")):
            bound.add(token.text)
    return frozenset(bound)
