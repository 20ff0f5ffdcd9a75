"""Running examples in the sandbox, and judging what came back: kept, contradicted, or not run and why."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from momus.inputs import driver
from momus.inputs.example import Example
from momus.inputs.values import Encoded, comparable, encoded, same
from momus.sandbox import run

Verdict = Literal["kept", "contradicted", "not-run"]

CPU_S = 2  # seconds of computing that an example may take; one that takes more has not ended
LOAD_S = 10  # the same for loading the code
IDLE_S = 6  # seconds without any computing, after which an example waits for something
WALL_S = 150  # on a machine so busy that the seconds of computing take this long
PATIENCE = 3  # examples that do not end, after which the others of the code wait for a run of their own
MEMORY_MB = 1024
SINGLY = 6  # examples that are run again by themselves where a run for all broke off

# What comes of where the code runs, not of what it does: no file, no network, no module of somebody else's.
_SURROUNDINGS = ("ImportError", "OSError", "EOFError", "KeyboardInterrupt")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an example. `got` reads as a result ("3", "IndexError: ..."), empty where it was not run.

    `raised`: the exception's name. `lines`: lines of the code, 1-based: of a traceback from the outermost call inwards,
    of a traced run in the order in which they last ran. `last`: the line at which the traced outermost call ended.
    `unended`: it was stopped, as it took too much time or memory. `loading`: the exception came before any call.
    """

    example: Example
    verdict: Verdict
    got: str = ""
    raised: str | None = None
    unended: bool = False
    reason: str = ""
    lines: tuple[int, ...] = ()
    last: int | None = None
    loading: bool = False


def run_examples(
    code: str, prelude: str, examples: Sequence[Example], *, sandbox: str = "auto", trace: bool = False
) -> list[Outcome]:
    """Run each example on freshly loaded code, all in one sandbox; outcomes in the order of the examples.

    Whatever one example does (hang, exit, fork, fill the memory) the others are still run: where the run for all breaks
    off, those that are left get runs of their own, at most SINGLY. Raises MomusError where there is no sandbox.
    """
    answers = _run(code, prelude, examples, sandbox, trace)
    left = [at for at in range(len(examples)) if at not in answers]
    for at in left[:SINGLY] if len(examples) > 1 else []:
        found = _run(code, prelude, [examples[at]], sandbox, trace)
        if 0 in found:
            answers[at] = found[0]
    return [_readable(example, answers.get(at), code) for at, example in enumerate(examples)]


def _run(code: str, prelude: str, examples: Sequence[Example], sandbox: str, trace: bool) -> dict[int, dict[str, Any]]:
    """What the driver says of each example, by its index; those that it did not come to are missing."""
    request = {
        "code": code,
        "prelude": prelude,
        "load_s": LOAD_S,
        "cpu_s": CPU_S,
        "idle_s": IDLE_S,
        "wall_s": WALL_S,
        "patience": PATIENCE,
        "examples": [
            {"call": one.call, "setup": one.setup, "expected": _told(one), "trace": trace} for one in examples
        ],
    }
    outcome = run(
        Path(driver.__file__).read_text(encoding="utf-8"),
        stdin=json.dumps(request),
        timeout_s=WALL_S * 2,
        memory_mb=MEMORY_MB,
        output_bytes=8_000_000,
        mode=sandbox,
    )
    found: dict[int, dict[str, Any]] = {}
    if len(examples) == 1 and outcome.status == "memory":
        return {0: {"ended": "memory"}}
    for line in outcome.stdout.splitlines():
        try:
            answer = json.loads(line)
        except ValueError:  # cut off
            continue
        if isinstance(answer, dict) and isinstance(answer.get("at"), int):
            found.setdefault(answer["at"], answer)
    return found


def _told(example: Example) -> str | None:
    """The promise that only the sandbox can compute: one that is no literal."""
    return example.promised if example.promise == "equals" and encoded(example.promised) is None else None


def _readable(example: Example, answer: dict[str, Any] | None, code: str) -> Outcome:
    """The outcome of an answer; one that is not of the driver's form was written by the code itself."""
    try:
        return _judged(example, answer, code)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, RecursionError):
        return Outcome(example, "not-run", reason="the code meddled with its own result")


def _judged(example: Example, answer: dict[str, Any] | None, code: str) -> Outcome:
    if answer is not None and answer["ended"] == "memory":
        said = f"needs more than {MEMORY_MB} MB of memory"
        return Outcome(example, "contradicted", got=said, unended=True)
    if answer is None or answer["ended"] == "gone":
        return Outcome(example, "not-run", reason="the code ended the run before it was done")
    ended = answer["ended"]
    if ended == "wall":
        return Outcome(example, "not-run", reason="it waits for something that does not come")
    if ended == "cpu":
        said = f"has not ended after {CPU_S} seconds of computing"
        return Outcome(example, "contradicted", got=said, unended=True)
    if ended == "unready":
        return Outcome(example, "not-run", reason=str(answer["why"]))
    traced = _traced(answer)
    if ended == "raised":
        return replace(_of_exception(example, answer, code), **traced)
    return replace(_of_value(example, answer), **traced)


def _traced(answer: dict[str, Any]) -> dict[str, Any]:
    if "executed" not in answer or answer["ended"] == "raised":
        return {}
    return {"lines": tuple(answer["executed"]), "last": answer["last"] or None}


def _of_exception(example: Example, answer: dict[str, Any], code: str) -> Outcome:
    kinds: list[str] = answer["kinds"]
    if "MemoryError" in kinds:
        return _judged(example, {"ended": "memory"}, code)
    said = f"{kinds[0]}: {answer['said']}" if answer["said"] else kinds[0]
    lines = tuple(line for line in answer["lines"] if 1 <= line <= code.count("\n") + 1)
    loading = answer["stage"] == "load"
    if example.promise == "raises" and example.promised in kinds and not loading:
        return Outcome(example, "kept", got=said, raised=kinds[0])
    if any(kind in _SURROUNDINGS for kind in kinds) or ("SystemExit" in kinds and loading):
        what = "the code can't be loaded here" if loading else "it needs what is not here"
        return Outcome(example, "not-run", reason=f"{what} ({said})")
    return Outcome(example, "contradicted", got=said, raised=kinds[0], lines=lines, loading=loading)


def _of_value(example: Example, answer: dict[str, Any]) -> Outcome:
    got: Encoded = answer["value"]
    shown = written(got)
    if example.promise == "prints":
        return _of_printed(example, str(answer["printed"]))
    if example.promise == "raises":
        return Outcome(example, "contradicted", got=shown)
    if example.promise == "holds":
        if not comparable(got):
            return Outcome(example, "not-run", reason="what it gives is neither true nor false to us")
        kept = (got[0] not in "nb" and got[1] not in ("", "0", "0.0", [])) or got == ["b", True]
        return Outcome(example, "kept" if kept else "contradicted", got=shown)
    promised = encoded(example.promised) or answer.get("promised")
    if promised is None:
        return Outcome(example, "not-run", reason="what it promises could not be computed")
    if answer.get("equal"):
        return Outcome(example, "kept", got=shown)
    if not comparable(got) or not comparable(promised):
        if "equal" not in answer or got[1:2] != promised[1:2]:
            return Outcome(
                example, "not-run", reason=f"a {_kind(got)} is nothing that can be compared with what it promises"
            )
        return Outcome(example, "contradicted", got=shown)
    kept = same(got, promised, loose=example.loose, any_order=example.any_order)
    return Outcome(example, "kept" if kept else "contradicted", got=shown)


def _of_printed(example: Example, printed: str) -> Outcome:
    lines = [line.split() for line in printed.strip("\n").split("\n")]
    kept = lines == [line.split() for line in example.promised.strip("\n").split("\n")]
    return Outcome(example, "kept" if kept else "contradicted", got=repr(printed.rstrip("\n")))


def _kind(value: Encoded) -> str:
    return str(value[1]).rpartition(".")[2] if value[0] == "o" else "value with parts of its own kind"


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
