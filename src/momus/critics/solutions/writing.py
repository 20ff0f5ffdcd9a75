"""Solutions that the model writes to a question, several in one batch, and what of its text is taken for code."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from momus.critics.local.checks import meaning, parsed
from momus.critics.solutions.asking import VERSION, Subject, ask, words_of

if TYPE_CHECKING:
    from momus.critics.local.store import ScanStore
    from momus.models.local import LocalModel
    from momus.models.protocol import Branch

WRITING = "1"  # the version of how solutions are drawn: kept ones of another are not taken
TEMPERATURE = 0.8
TOP_P = 0.95
MAX_TOKENS = 400  # of one solution
ROUND = 16  # tokens between two looks at who is done
PATIENCE = 64  # tokens that the last one of a batch may go on alone
BATCH = 8
FENCE = "```"  # what ends a code block

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True, slots=True)
class Solution:
    """A program that the model wrote, and how many of those that were written mean the same."""

    code: str
    copies: int = 1


@runtime_checkable
class Writer(Protocol):
    """Whoever writes code to a request in words, such as a model on a server."""

    def texts(self, said: str, *, n: int, seed: int) -> list[str]:
        """`n` texts, without a fence round them. Raises MomusError where none could be had."""
        ...


def write(
    model: LocalModel | Writer,
    question: str,
    subject: Subject,
    *,
    n: int = BATCH,
    seed: int = 0,
    store: ScanStore | None = None,
) -> list[str]:
    """`n` texts that the model writes to a question, whatever they are worth.

    A text depends on the model, the question, the signature, the seed and its number alone. With a store, what was
    written before is read from it.
    """
    if isinstance(model, Writer):
        return model.texts(words_of(question, subject), n=n, seed=seed)
    ids = ask(model.tokens, question, subject)
    texts: list[str] = []
    for first in range(0, n, BATCH):
        size = min(BATCH, n - first)

        def make(first: int = first, size: int = size) -> list[str]:
            return _draw(model, ids, first, size, seed)

        key = repr(("solutions", WRITING, VERSION, ids, first, size, seed))
        texts += store.texts(key, make) if store is not None else make()
    return texts


def _draw(model: LocalModel, ids: Sequence[int], first: int, n: int, seed: int) -> list[str]:
    """Texts number `first` to `first + n - 1` of a request. One that goes on long after all others have ended is cut
    off: its batch costs the same with one in it."""
    session = model.start(ids)
    try:
        branches = session.fork(None, first + n)[first:]
        going: list[Branch] = list(branches)
        written = alone = 0
        while going and written < MAX_TOKENS and alone < PATIENCE:
            session.sample(
                going,
                max_tokens=ROUND,
                temperature=TEMPERATURE,
                top_p=TOP_P,
                stop=model.tokens.ends,
                stop_text=(FENCE,),
                seed=seed,
            )
            going = [branch for branch in going if not _ended(branch, model)]
            written += ROUND
            alone = alone + ROUND if len(going) == 1 < n else 0
        return [_text(branch, model).split(FENCE)[0] for branch in branches]
    finally:
        session.close()


def _ended(branch: Branch, model: LocalModel) -> bool:
    return branch.tokens[-1] in model.tokens.ends or FENCE in _text(branch, model)


def _text(branch: Branch, model: LocalModel) -> str:
    tokens = branch.tokens
    return model.tokens.decode(tokens[:-1] if tokens[-1] in model.tokens.ends else tokens)


def programs(texts: Sequence[str], subject: Subject) -> list[Solution]:
    """What of some texts is code that defines what was asked for, each meaning once, the commonest first."""
    found: dict[str, list[str]] = {}
    for text in texts:
        code = program(text, subject)
        tree = parsed(code) if code is not None else None
        if code is not None and tree is not None:
            found.setdefault(meaning(tree), []).append(code)
    return sorted((Solution(codes[0], len(codes)) for codes in found.values()), key=lambda one: -one.copies)


def program(text: str, subject: Subject) -> str | None:
    """The code of a text under the name that the answer has; None where it does not parse or defines nothing of it.

    Calls, assertions and a `__main__` part at its own level are left out, but for a program.
    """
    tree = parsed(text)
    if tree is None:
        return None
    if subject.kind == "program":
        return text.rstrip() + "\n" if tree.body else None
    kept = [node for node in tree.body if not _is_trial(node)]
    code = ast.unparse(ast.Module(kept, []))
    functions = [node.name for node in kept if isinstance(node, _FUNCTIONS)]
    classes = {node.name: node for node in kept if isinstance(node, ast.ClassDef)}
    if subject.kind == "classes":
        wanted = {
            line.split()[1].split("(")[0].rstrip(":") for line in subject.signature.split("\n") if line[:6] == "class "
        }
        return code + "\n" if wanted <= classes.keys() else None
    owner, _, name = (subject.entry or "").rpartition("().")
    alias = _alias(owner, name, functions, classes)
    return None if alias is None else f"{code}\n{alias}"


def _alias(owner: str, name: str, functions: Sequence[str], classes: dict[str, ast.ClassDef]) -> str | None:
    """What gives a solution the name that is asked for, where it chose another; None where nothing does."""
    methods = {
        inner.name: f"{kind}().{inner.name}"
        for kind, node in classes.items()
        for inner in node.body
        if isinstance(inner, _FUNCTIONS)
    }
    if not owner:
        if name in functions:
            return ""
        if name in methods:
            return f"{name} = {methods[name]}\n"
        return f"{name} = {functions[-1]}\n" if functions else None
    if name in methods and methods[name] == f"{owner}().{name}":
        return ""
    chosen = name if name in functions else functions[-1] if functions and not classes else None
    return None if chosen is None else f"class {owner}:\n    {name} = staticmethod({chosen})\n"


def _is_trial(node: ast.stmt) -> bool:
    """A statement that only tries the code out."""
    if isinstance(node, ast.Assert) or (isinstance(node, ast.Expr) and not isinstance(node.value, ast.Constant)):
        return True
    return isinstance(node, ast.If) and "__name__" in {n.id for n in ast.walk(node.test) if isinstance(n, ast.Name)}
