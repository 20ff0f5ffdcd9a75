"""Examples as code or beside it: doctest, `assert`, `f(x) == y`, `f(x) -> y`, "f(x) should return y".

What might mean something else is no example: an equation inside a longer expression, one behind `if` or "currently", a
value that runs on, a name that nothing binds.
"""

from __future__ import annotations

import ast
import doctest
import re
from collections.abc import Iterator

from momus.inputs.example import Example, Form
from momus.inputs.target import BUILTINS, Target
from momus.inputs.values import closing, literal, parsed, value_end

_NAME = re.compile(r"(?<![\w.'\"])([A-Za-z_]\w*)(?=\()")
_WRAPPERS = frozenset(
    (
        "list",
        "sorted",
        "set",
        "tuple",
        "dict",
        "len",
        "sum",
        "str",
        "round",
        "next",
        "max",
        "min",
        "bool",
        "int",
        "float",
    )
)
_SAYS = r"(?:(?:should|must|shall|will|would|to)\s+)?"
_RELATION = re.compile(
    r"`?\s*(?:"
    r"(?P<equation>===?|->|-->|=>|==>|➞|→|⇒|➔|=(?!=))"
    r"|(?P<words>(?:#|//)?\s*,?\s*"
    + _SAYS
    + r"(?:returns?|gives?|yields?|equals?|evaluates?\s+to|outputs?|be|is|are|returned)\b:?)"
    r"|(?P<raises>(?:#|//|->|=>|➞|→)?\s*" + _SAYS + r"(?:raises?|throws?)\b(?:\s+an?\b)?)"
    r")\s*`?"
)
_RAISED = re.compile(r"`?([A-Z]\w*(?:Error|Exception|Iteration|Interrupt|Exit|Warning))\b`?")
_ENDS = re.compile(
    r"`?\s*(?:$|[.;!](?:\s|$)|[,:](?:\s|$)|\)|#|//|\((?=[a-z])|[—–-]\s+(?=[A-Za-z])|'''|\"\"\"|(?:because|since|and|but)\b)"
)
_DOUBTFUL = re.compile(
    r"\b(?:if|when|unless|suppose|assum\w+|whether|until|elif|lambda|currently|incorrect\w*|wrong\w*|buggy?|previously"
    r"|instead|not|never|broken)\b|n't\b|!=|≠"
    r"|\b(?:return|while|or|in|def|class|import|print|yield|del|with|else|is|for)\s+\(?$",
    re.IGNORECASE,
)
_TAKEN_BACK = re.compile(r"\b(?:but|it|and)\s+should\b|\bshould\s+be\b|\binstead of\s+`?[\d\[('\"]", re.IGNORECASE)
_OPERATOR = re.compile(r"[-+*/%=<>&|^~!@\[{(,.]\s*$")
_BULLET = re.compile(r"\s*(?:>>>|\.\.\.|[-*•>]|\(?\d+[.)])?\s*(?:\(|`)?\s*$")
_DIRECTIVE = re.compile(r"#\s*doctest:.*\bSKIP\b")


def doctests(text: str, target: Target) -> tuple[list[Example], str]:
    """The doctest examples of a text, and the text without them."""
    try:
        parts = doctest.DocTestParser().parse(text)
    except ValueError:
        return [], text
    found: list[Example] = []
    setup: list[str] = []
    rest: list[str] = []
    for part in parts:
        if isinstance(part, str):
            rest.append(part)
            continue
        source = part.source.rstrip("\n")
        tree = _statements(source)
        if tree is None or (not part.want and _loose_line(source)):
            rest.append("\n" + source + "\n")
            continue
        example = None if _DIRECTIVE.search(part.source) else _doctest(part, source, tree, tuple(setup), target)
        if example is not None:
            found.append(example)
        if part.exc_msg is None and not _DIRECTIVE.search(part.source):
            setup.append(source)
    return found, "".join(rest)


def _doctest(
    part: doctest.Example, source: str, tree: list[ast.stmt], setup: tuple[str, ...], target: Target
) -> Example | None:
    bound = Target(target.defined, target.known | _binds(setup))
    spoken = Target(target.defined | _binds(setup), target.known)
    if len(tree) != 1 or not isinstance(tree[0], ast.Expr | ast.Assert) or _has_ellipsis(tree[0]):
        return None
    if not spoken.speaks_of(tree[0]) or not bound.closed(tree[0]):
        return None
    if isinstance(tree[0], ast.Assert):
        return _asserted(tree[0], setup) if not part.want else None
    if part.exc_msg is not None:
        name = re.match(r"[\w.]+", part.exc_msg)
        kind = name[0].rpartition(".")[2] if name else ""
        return Example(source, kind, "raises", "doctest", setup=setup) if kind else None
    want = part.want.strip("\n")
    if not want.strip() or doctest.ELLIPSIS_MARKER in want:
        return None
    value = tree[0].value
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == "print":
        printed = want.replace(doctest.BLANKLINE_MARKER, "")
        return Example(source, printed, "prints", "doctest", setup=setup)
    promised = literal(want) or _constructed(want, bound)
    return Example(source, promised, "equals", "doctest", setup=setup) if promised is not None else None


def asserts(text: str, target: Target) -> tuple[list[Example], str]:
    """The `assert` statements of a text, and the text without them."""
    found: list[Example] = []
    lines = text.split("\n")
    rest: list[str] = []
    at = 0
    while at < len(lines):
        line = lines[at]
        taken = 1
        kept = line
        for match in re.finditer(r"(?<![\w.'\"])assert\b", line):
            read = _statement(line[match.start() :], lines[at + 1 : at + 30])
            if read is None:
                continue
            tree, more = read
            example = None if _DOUBTFUL.search(line[: match.start()]) else _assertion(tree, target)
            if example is not None:
                found.append(example)
            kept, taken = line[: match.start()], 1 + more
            break
        rest.append(kept)
        at += taken
    return found, "\n".join(rest)


def _statement(first: str, following: list[str]) -> tuple[ast.Assert, int] | None:
    """An assert statement that begins a text, and how many more lines it takes."""
    source = first.rstrip().rstrip("`.,;")
    for more in range(len(following) + 1):
        body = _statements(source)
        if body is not None and len(body) == 1 and isinstance(body[0], ast.Assert):
            return body[0], more
        if more < len(following) and source.count("(") + source.count("[") + source.count("{") > 0:
            source += "\n" + following[more].rstrip()
        else:
            return None
    return None


def _assertion(tree: ast.Assert, target: Target) -> Example | None:
    if not target.speaks_of(tree.test) or not target.closed(tree.test) or _has_ellipsis(tree.test):
        return None
    return _asserted(tree)


def _asserted(tree: ast.Assert, setup: tuple[str, ...] = ()) -> Example:
    test = tree.test
    if isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.ops[0], ast.Eq | ast.Is):
        left, right = ast.unparse(test.left), ast.unparse(test.comparators[0])
        if literal(left) is not None:
            left, right = right, left
        return Example(left, right, "equals", "assert", setup=setup)
    return Example(ast.unparse(test), "", "holds", "assert", setup=setup)


def equations(text: str, target: Target) -> Iterator[Example]:
    """`f(x) == y`, `f(x) -> y`, "f(x) should return y", "f(x) raises ValueError", wherever they stand in a text."""
    at = 0
    accepted_until = -1
    while (match := _NAME.search(text, at)) is not None:
        at = match.end()
        call_end = _call_end(text, match)
        if call_end is None:
            continue
        line_start = text.rfind("\n", 0, match.start()) + 1
        before = text[max(line_start, accepted_until) : match.start()]
        call = parsed(text[match.start() : call_end])
        if call is None or not _is_call(call, match[1], target):
            continue
        relation = _RELATION.match(text, call_end)
        if relation is None or "\n" in relation[0].strip(" ") or _DOUBTFUL.search(before):
            continue
        if (
            not _BULLET.fullmatch(before)
            and _OPERATOR.search(before)
            and not before.rstrip().endswith(("(", ",", ".", ":"))
        ):
            continue
        found = _promise(text, call, relation, target)
        if found is not None:
            example, at = found
            accepted_until = at
            yield example


def _promise(text: str, call: ast.expr, relation: re.Match[str], target: Target) -> tuple[Example, int] | None:
    start = relation.end()
    form: Form = "equation" if relation["equation"] else "words"
    source = ast.unparse(call)
    raised = _RAISED.match(text, start)
    if raised is not None:
        ended = _ends(text, raised.end()) or text[raised.end() :].lstrip().startswith(("for", "with", "as"))
        return (Example(source, raised[1], "raises", form), raised.end()) if ended else None
    if relation["raises"]:
        return None
    while start < len(text) and text[start] in " \t`":
        start += 1
    end = value_end(text, start)
    if end is None or not _ends(text, end) or not isinstance(call, ast.Call):
        return None
    promised = literal(text[start:end], words=True) or _constructed(text[start:end], target)
    if promised is None or promised.startswith("..."):
        return None
    if not call.args and not call.keywords and relation["equation"] not in ("==", "===") and relation["words"] is None:
        return None  # `main() -> None` is a signature
    if relation["words"] and relation["words"].split()[-1].rstrip(":") in ("is", "be", "are") and promised in ("None",):
        return None
    rest = text[end : text.find("\n", end) if "\n" in text[end:] else len(text)]
    if _TAKEN_BACK.search(rest):
        return None
    loose = relation["equation"] not in ("==", "===")
    return Example(source, promised, "equals", form, loose=loose), end


def _ends(text: str, end: int) -> bool:
    line_end = text.find("\n", end)
    return _ENDS.match(text[end : line_end if line_end >= 0 else len(text)]) is not None


def _is_call(tree: ast.expr, name: str, target: Target) -> bool:
    if not isinstance(tree, ast.Call) or _has_ellipsis(tree) or not target.speaks_of(tree) or not target.closed(tree):
        return False
    if name not in target.defined and name not in _WRAPPERS:
        return False
    bare = [node.id for node in ast.walk(tree) for node in _arguments(node) if isinstance(node, ast.Name)]
    return not any(name in BUILTINS for name in bare)


def _arguments(node: ast.AST) -> list[ast.expr]:
    return list(node.args) if isinstance(node, ast.Call) else []


def _call_end(text: str, match: re.Match[str]) -> int | None:
    """Behind a call and the method calls that follow it at once."""
    end = closing(text, match.end())
    while end is not None and (more := re.compile(r"\.[A-Za-z_]\w*(?=\()").match(text, end)) is not None:
        end = closing(text, more.end())
    return end


def _constructed(source: str, target: Target) -> str | None:
    """A value that is no literal but is built of nothing unknown: `set()`, `Decimal("1.5")`, `Point(1, 2)`."""
    tree = parsed(source)
    if tree is None or _has_ellipsis(tree) or not target.closed(tree):
        return None
    allowed = (ast.Call, ast.Name, ast.Constant, ast.List, ast.Tuple, ast.Dict, ast.Set, ast.UnaryOp, ast.keyword)
    inner = (ast.Attribute, ast.expr_context, ast.operator, ast.unaryop, ast.BinOp)
    nodes = list(ast.walk(tree))
    names = {node.id for node in nodes if isinstance(node, ast.Name)}
    called = {node.func.id for node in nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    own = {name for name in called & target.defined if not name[:1].isupper()}  # `f(2)` promises nothing of `f(1)`
    if not all(isinstance(node, allowed + inner) for node in nodes) or not called or own or names - called:
        return None
    return source.strip()


def _binds(sources: tuple[str, ...]) -> frozenset[str]:
    """The names that statements bind."""
    names: set[str] = set()
    for source in sources:
        for statement in _statements(source) or []:
            for node in ast.walk(statement):
                if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                    names.add(node.id)
                elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                    names.add(node.name)
                elif isinstance(node, ast.alias):
                    names.add(node.asname or node.name.split(".")[0])
    return frozenset(names)


def _statements(source: str) -> list[ast.stmt] | None:
    try:
        return ast.parse(source).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _loose_line(source: str) -> bool:
    """Whether a prompt without a result may still be an example, such as `>>> f(2) == 4` or `>>> f(2)  # returns 4`."""
    return "==" in source or "#" in source


def _has_ellipsis(tree: ast.AST) -> bool:
    return any(isinstance(node, ast.Constant) and node.value is ... for node in ast.walk(tree))
