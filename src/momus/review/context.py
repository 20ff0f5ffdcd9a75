"""What a unit needs from the rest of its file to be understood: imports, signatures, its class, the task it answers."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

MAX_LINES = 12
MAX_LINE_LENGTH = 100

_FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef
_TASK = re.compile(r"(?:task|question|prompt|request|instructions?)\s*:\s*", re.IGNORECASE)
_NO_PROSE = re.compile(r"#!|#.*coding[:=]")


class Names:
    """What the module's own level binds, and how a unit would see it: built once a file."""

    def __init__(self, tree: ast.Module) -> None:
        self._bound: dict[str, ast.AST] = {}
        assigned: dict[str, int] = {}
        pending: list[ast.AST] = list(reversed(tree.body))
        while pending:
            node = pending.pop()
            if isinstance(node, ast.Import | ast.ImportFrom):
                for alias in node.names:
                    self._bound.setdefault(_bound_name(node, alias), _only(node, alias))
            elif isinstance(node, _FunctionNode | ast.ClassDef):
                self._bound[node.name] = node
            elif isinstance(node, ast.Assign | ast.AnnAssign):
                for name in _targets(node):
                    assigned[name] = assigned.get(name, 0) + 1
                    self._bound.setdefault(name, node)
            else:  # an import may stand in `try`, a function in `if`
                inner = (ast.stmt, ast.ExceptHandler, ast.match_case)
                pending += reversed([child for child in ast.iter_child_nodes(node) if isinstance(child, inner)])
        for name, count in assigned.items():
            if count > 1:  # which of several values holds is not ours to say
                self._bound.pop(name, None)

    def context(self, node: ast.AST | None, name: str) -> str:
        """The lines that a unit needs, in the order of the file; at most MAX_LINES of them."""
        if not isinstance(node, _FunctionNode | ast.ClassDef):
            return ""
        used = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
        used.discard(node.name)
        used.discard(name.split(".")[0])
        known = sorted((key for key in used if key in self._bound), key=self._place)
        needed = [self._bound[key] for key in known]
        lines = list(dict.fromkeys(line for line in map(_line_of, needed) if line))
        return "".join(line + "\n" for line in lines[:MAX_LINES])

    def around(self, node: ast.AST | None, name: str, within: ast.ClassDef | None) -> str:
        """The lines that a unit needs, and of the class that a method is of the head, how it is made, what is used.

        At most MAX_LINES outside of the class, and as many of it.
        """
        lines = self.context(node, name)
        if within is None or not isinstance(node, _FunctionNode):
            return lines
        inside = [*_class_lines(within, node)][:MAX_LINES]
        return "".join([lines, "\n" if lines else "", *(line + "\n" for line in inside)])

    def _place(self, name: str) -> tuple[int, str]:
        return getattr(self._bound[name], "lineno", 0), name


def stated_task(code: str, tree: ast.Module | None) -> str:
    """The task that a file states at its top, in a comment or docstring that begins with `Task:` or the like.

    "" where it states none.
    """
    prose = _first_comment(code)
    if tree is not None and not _TASK.match(prose):
        prose = ast.get_docstring(tree) or ""
    tag = _TASK.match(prose)
    if tag is None:
        return ""
    said = prose[tag.end() :].strip()
    quoted = len(said) > 1 and said[0] == said[-1] and said[0] in "\"'" and said[0] not in said[1:-1]
    return said[1:-1].strip() if quoted else said


def _first_comment(code: str) -> str:
    """The first comment lines of a file, as one text; "" where code comes first."""
    found: list[str] = []
    for line in code.splitlines():
        if _NO_PROSE.match(line) or not (found or line.strip()):
            continue
        if not line.startswith("#"):
            break
        found.append(line.lstrip("#").strip())
    return "\n".join(found).strip()


def _class_lines(owner: ast.ClassDef, method: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[str]:
    """The head of a class, the signature of its `__init__` or else its fields, and the methods that one of it uses."""
    yield (_line_of(owner) or f"class {owner.name}: ...").removesuffix(" ...")
    methods = {node.name: node for node in owner.body if isinstance(node, _FunctionNode)}
    made = methods.get("__init__")
    if made is None:
        for field in owner.body:
            if isinstance(field, ast.AnnAssign) and (line := _line_of(field)):
                yield f"    {line}"
    elif made is not method:
        yield f"    {_line_of(made)}"
    given = [*method.args.posonlyargs, *method.args.args]
    itself = given[0].arg if given else ""
    used = {
        part.attr
        for part in ast.walk(method)
        if isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name) and part.value.id == itself
    }
    for name, node in methods.items():
        if name in used and node is not method and node is not made and (line := _line_of(node)):
            yield f"    {line}"


def _line_of(node: ast.AST) -> str:
    """One line that stands for a binding; "" where none would do."""
    if isinstance(node, _FunctionNode):
        keyword = "async def" if isinstance(node, ast.AsyncFunctionDef) else "def"
        returns = f" -> {ast.unparse(node.returns)}" if node.returns is not None else ""
        line = f"{keyword} {node.name}({ast.unparse(node.args)}){returns}: ..."
        if len(line) > MAX_LINE_LENGTH:
            line = f"{keyword} {node.name}({', '.join(_parameters(node.args))}): ..."
    elif isinstance(node, ast.ClassDef):
        bases = ", ".join(ast.unparse(base) for base in node.bases)
        line = f"class {node.name}({bases}): ..." if bases else f"class {node.name}: ..."
    else:
        line = ast.unparse(node)
    return line if len(line) <= MAX_LINE_LENGTH and "\n" not in line else ""


def _parameters(args: ast.arguments) -> list[str]:
    named = [arg.arg for arg in (*args.posonlyargs, *args.args)]
    star = [f"*{args.vararg.arg}"] if args.vararg else ["*"] if args.kwonlyargs else []
    last = [f"**{args.kwarg.arg}"] if args.kwarg else []
    return [*named, *star, *(arg.arg for arg in args.kwonlyargs), *last]


def _only(node: ast.Import | ast.ImportFrom, alias: ast.alias) -> ast.AST:
    """The import of one name alone."""
    if isinstance(node, ast.Import):
        single: ast.Import | ast.ImportFrom = ast.Import(names=[alias])
    else:
        single = ast.ImportFrom(module=node.module, names=[alias], level=node.level)
    return ast.copy_location(single, node)


def _bound_name(node: ast.Import | ast.ImportFrom, alias: ast.alias) -> str:
    if alias.asname:
        return alias.asname
    return alias.name.split(".")[0] if isinstance(node, ast.Import) else alias.name


def _targets(node: ast.Assign | ast.AnnAssign) -> list[str]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if node.value is not None else []
    return [target.id for target in targets if isinstance(target, ast.Name)]
