"""Running examples, and judging what came of each: kept, contradicted, or not run and why.

The code runs in one sandbox, the examples in another; neither what an example promises nor the verdict on it is ever
where the code could reach it.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from momus.inputs.example import Example
from momus.inputs.programs import as_function, printed_alike, runs_whole
from momus.inputs.target import BUILTINS, bound_names, parse
from momus.inputs.values import Encoded, comparable, encode, encoded, parsed, same, written
from momus.sandbox import Seen, Snippet, Value, observe_each

Verdict = Literal["kept", "contradicted", "not-run"]

CPU_S = 2  # seconds of computing that a call of an example may take; one that takes more has not ended
LOAD_S = 10  # the same for loading the code
IDLE_S = 6  # seconds without any computing, after which an example waits for something
WALL_S = 300  # for one run of them all, on a machine so busy that the seconds of computing take this long
MEMORY_MB = 1024

# What comes of where the code runs, not of what it does: no file, no network, no module of somebody else's.
_SURROUNDINGS = ("ImportError", "OSError", "EOFError", "KeyboardInterrupt")

_UNTOLD = {
    "slow": "the code takes too long to load",
    "busy": "it needs too much time outside of the code",
    "idle": "it waits for something that does not come",
    "gone": "the code ended the run before it was done",
    "left": "too many examples before it did not end",
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an example. `got` reads as a result ("3", "IndexError: ..."), empty where it was not run.

    `raised`: the exception's name. `lines`: the code's, 1-based, of a traceback from the outermost call inwards.
    `unended`: it was stopped, as it took too much time or memory. `loading`: the exception came before any call.
    """

    example: Example
    verdict: Verdict
    got: str = ""
    raised: str | None = None
    unended: bool = False
    reason: str = ""
    lines: tuple[int, ...] = ()
    loading: bool = False


def run_examples(
    code: str, prelude: str, examples: Sequence[Example], *, entry_point: str | None = None, sandbox: str = "auto"
) -> list[Outcome]:
    """Run each example on freshly loaded code; outcomes in the order of the examples.

    Whatever one example does (hang, exit, fork, fill the memory) the others are still run. Raises MomusError where
    there is no sandbox.
    """
    whole = runs_whole(code, (one.call for one in examples))
    code = as_function(code) if whole else code
    tree = parse(code)
    defined = frozenset(bound_names(tree.body)) if tree is not None else frozenset()
    root = (entry_point or "").partition("(")[0].partition(".")[0]
    found = observe_each(
        code,
        [Snippet(one.call, one.setup, _told(one), _own(one, defined, root)) for one in examples],
        prelude=prelude,
        load_s=LOAD_S,
        call_s=CPU_S,
        idle_s=IDLE_S,
        timeout_s=WALL_S,
        memory_mb=MEMORY_MB,
        mode=sandbox,
    )
    last = 0 if whole else code.count("\n") + 1  # lines of a program are those of what runs it
    return [_judged(example, seen, last) for example, seen in zip(examples, found, strict=True)]


def _told(example: Example) -> str | None:
    """The promise that is computed where the example runs: one that is no literal."""
    return example.promised if example.promise == "equals" and encoded(example.promised) is None else None


def _own(example: Example, defined: frozenset[str], root: str) -> frozenset[str] | None:
    """The names that mean the code's own in an example, whatever else is called so.

    In a docstring all do. A question's example means Python's own `sorted`, unless that is what it is an example of.
    """
    if example.source == "docstring":
        return None
    read = {n.id for n in ast.walk(ast.parse(example.call)) if isinstance(n, ast.Name)} & defined
    return frozenset({root}) | (read if len(read) == 1 else frozenset())


def _judged(example: Example, seen: Seen, last: int) -> Outcome:
    if seen.status == "memory":
        said = f"needs more than {MEMORY_MB} MB of memory"
        return Outcome(example, "contradicted", got=said, unended=True)
    if seen.status == "unended":
        said = f"has not ended after {CPU_S} seconds of computing"
        return Outcome(example, "contradicted", got=said, unended=True)
    if seen.status in ("raised", "unloaded"):
        return _of_exception(example, seen, last)
    if seen.status == "returned" and seen.value is not None:
        return _of_value(example, seen, seen.value)
    return Outcome(example, "not-run", reason=_UNTOLD.get(seen.status, seen.message))


def _of_exception(example: Example, seen: Seen, last: int) -> Outcome:
    kinds = seen.kinds
    if "MemoryError" in seen.builtin:
        return _judged(example, Seen("memory"), last)
    said = f"{kinds[0]}: {seen.message}" if seen.message else kinds[0]
    loading = seen.status == "unloaded"
    if example.promise == "raises" and example.promised in kinds and not loading:
        if example.promised in BUILTINS and example.promised not in seen.builtin:
            return Outcome(example, "not-run", reason=f"the code has a {example.promised} of its own")
        return Outcome(example, "kept", got=said, raised=kinds[0])
    if any(kind in _SURROUNDINGS for kind in kinds) or ("SystemExit" in kinds and loading):
        what = "the code can't be loaded here" if loading else "it needs what is not here"
        return Outcome(example, "not-run", reason=f"{what} ({said})")
    lines = tuple(line for line in seen.lines if 1 <= line <= last)
    return Outcome(example, "contradicted", got=said, raised=kinds[0], lines=lines, loading=loading)


def _of_value(example: Example, seen: Seen, value: Value) -> Outcome:
    got = _encoded(value)
    shown = written(got)
    if example.promise == "prints":
        return _of_printed(example, seen.printed)
    if example.promise == "raises":
        return Outcome(example, "contradicted", got=shown)
    if example.promise == "holds":
        if value.true is None:
            return Outcome(example, "not-run", reason="what it gives is neither true nor false to us")
        return Outcome(example, "kept" if value.true else "contradicted", got=shown)
    promised = encoded(example.promised) or (_encoded(seen.promised) if seen.promised is not None else None)
    if promised is None:
        return Outcome(example, "not-run", reason="what it promises could not be computed")
    if not comparable(got) or not comparable(promised):
        if seen.unequal:  # the code says so of itself
            return Outcome(example, "contradicted", got=shown)
        if example.form == "doctest" and _reads(value, example.promised):
            return Outcome(example, "kept", got=shown)
        reason = f"a {_kind(got)} is nothing that can be compared with what it promises"
        return Outcome(example, "not-run", reason=reason)
    kept = same(got, promised, loose=example.loose, any_order=example.any_order)
    return Outcome(example, "kept" if kept else "contradicted", got=shown)


def _encoded(value: Value) -> Encoded:
    return encode(value.value, set()) if value.is_plain else ["o", value.kind, value.shown[:200]]


def _reads(value: Value, promised: str) -> bool:
    """Whether a value's repr is what a doctest shows: text that the code wrote without knowing what is promised."""
    shown, wanted = parsed(value.shown), parsed(promised)
    return shown is not None and wanted is not None and ast.dump(shown) == ast.dump(wanted)


def _of_printed(example: Example, printed: str) -> Outcome:
    texts = [
        "\n".join(" ".join(line.split()) for line in text.strip("\n").split("\n"))
        for text in (printed, example.promised)
    ]
    kept = printed_alike(*texts) if example.loose else texts[0] == texts[1]
    return Outcome(example, "kept" if kept else "contradicted", got=repr(printed.rstrip("\n")))


def _kind(value: Encoded) -> str:
    return str(value[1]).rpartition(".")[2] if value[0] == "o" else "value with parts of its own kind"
