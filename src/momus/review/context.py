"""What a unit needs from the rest of its file to be understood: the imports it uses and the signatures it calls."""

from __future__ import annotations

import ast
from dataclasses import dataclass

MAX_LINES = 12
MAX_LINE_LENGTH = 100

_FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Context:
    """Lines that stand before a unit's own, for the critic to read. A comment on them alone is not kept."""

    text: str = ""


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

    def context(self, node: ast.AST | None, name: str) -> Context:
        """The lines that a unit needs, in the order of the file; at most MAX_LINES of them."""
        if not isinstance(node, _FunctionNode | ast.ClassDef):
            return Context()
        used = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
        used.discard(node.name)
        used.discard(name.split(".")[0])
        known = sorted((key for key in used if key in self._bound), key=self._place)
        needed = [self._bound[key] for key in known]
        lines = list(dict.fromkeys(line for line in map(_line_of, needed) if line))
        return Context("".join(line + "\n" for line in lines[:MAX_LINES]))

    def _place(self, name: str) -> tuple[int, str]:
        return getattr(self._bound[name], "lineno", 0), name


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
