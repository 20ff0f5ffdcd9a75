"""The witness of a comment: an input on which the reviewed code and the code with the suggestion differ, both run.

Examples of question and docstrings say who is right, and nobody else here does. What an input shows beyond them is
shown and not judged. See docs/witness.md.
"""

from __future__ import annotations

import ast
import difflib
import textwrap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from momus.badges import Evidence
from momus.critique import Comment, Critique
from momus.evidence.claims import Claim, claims_of
from momus.evidence.running import Limits, Result, run_program_calls, same, told_apart
from momus.inputs import Example, Outcome, run_examples
from momus.inputs.callees import callees_of
from momus.inputs.calls import Call, calls_for, mutations_of
from momus.inputs.of_task import Program, examples_of, program_of
from momus.inputs.target import parse
from momus.records import Sampled, Task

VERSION = "2"  # of what is kept of it: another one for other evidence on the same comment
INPUTS = 40  # calls that are tried at first
BRANCHES = 20  # more, in each of two rounds, where none of them ran a line that the suggestion changes
_OUTWARD = {"open", "os", "socket", "subprocess", "shutil", "pathlib", "Path", "requests", "urllib", "http", "httpx"}
_WRITTEN = ("example", "file", "test")  # origins of calls that somebody wrote
MOST_EXAMPLES = 12
MOST_COMMENTS = 12  # of one critique; others get no badge
ALONE = Limits(timeout_s=60)


@dataclass(frozen=True, slots=True)
class Prover:
    """Says of the comments on a task what running shows. `everything`: also where inputs are not cheap. `tested` tells
    the calls that tests make of a task's code (a project's own, where they were asked for).

    Inputs are cheap where there are examples, or type hints for all that a call needs, and where the code does not
    reach for files, the network or other processes. A comment of elsewhere has no evidence.
    """

    everything: bool = False
    seed: int = 0
    inputs: int = INPUTS
    limits: Limits = ALONE
    tested: Callable[[Task], Sequence[str]] | None = None

    def proved(self, task: Task, sampled: Sampled) -> Sampled:
        """The critique with evidence on its comments, those that have some already left as they are but for proofs.

        Raises MomusError where there is no sandbox.
        """
        return sampled.model_copy(update={"critique": self.critique(task, sampled.critique)})

    def critique(self, task: Task, critique: Critique) -> Critique:
        """The same of a critique alone."""
        if not task.run or task.language != "python" or not critique.comments:
            return critique
        if not self.everything and not is_cheap(task):
            return critique
        tested = self.tested(task) if self.tested is not None else ()
        witness = Witness(task, self.seed, self.inputs, self.limits, tested)
        told = [
            replace(comment, evidence=witness.of(comment) or comment.evidence) if at < MOST_COMMENTS else comment
            for at, comment in enumerate(critique.comments)
        ]
        return Critique(tuple(told))


def is_cheap(task: Task) -> bool:
    """Whether the inputs of a task are at hand, and its answer reaches for nothing but itself."""
    program, tree = program_of(task, task.answer), parse(textwrap.dedent(task.answer))
    if program is None or tree is None:
        return False
    if any(map(_leads_out, ast.walk(tree))):
        return False
    if examples_of(task):
        return True
    callees = callees_of(task, program)
    needed = [one for callee in callees for one in callee.arguments if one.default is None]
    return bool(callees) and all(one.annotation is not None for one in needed)


def _leads_out(node: ast.AST) -> bool:
    """Whether a part of some code names a thing that reaches for files, the network or other processes."""
    if isinstance(node, ast.Import):
        return any(alias.name.partition(".")[0] in _OUTWARD for alias in node.names)
    if isinstance(node, ast.ImportFrom):
        return (node.module or "").partition(".")[0] in _OUTWARD
    return isinstance(node, ast.Name) and node.id in _OUTWARD


class Witness:
    """What is run for one task, each thing once."""

    def __init__(
        self,
        task: Task,
        seed: int = 0,
        inputs: int = INPUTS,
        limits: Limits = ALONE,
        tested: Sequence[str] = (),
    ) -> None:
        self._task, self._seed, self._inputs, self._limits, self._tested = task, seed, inputs, limits, tested

    def of(self, comment: Comment) -> Evidence | None:
        """The evidence on a comment; None where it neither suggests anything nor claims what can be run."""
        if self._program is None:
            return self._not_run("the code does not parse") if comment.suggestion is not None else None
        if (refuted := self._disproved(comment)) is not None:
            return refuted
        if comment.suggestion is None:
            return self._by_own_example(comment)
        answer = self._task.answer
        fixed = answer[: comment.highlight.start] + comment.suggestion + answer[comment.highlight.end :]
        if fixed == answer:
            return self._not_run("the suggestion changes nothing")
        program = program_of(self._task, fixed)
        if program is None:
            return self._not_run("the code with the suggestion does not parse")
        outvoted = comment.evidence if comment.evidence is not None and comment.evidence.badge == "outvoted" else None
        return self._by_examples(program) or outvoted or self._by_calls(program)

    def _not_run(self, reason: str) -> Evidence:
        return Evidence("not-run", reason=reason, seed=self._seed)

    @cached_property
    def _program(self) -> Program | None:
        return program_of(self._task, self._task.answer)

    @cached_property
    def _examples(self) -> list[Example]:
        return [one for group in examples_of(self._task) for one in group][:MOST_EXAMPLES]

    @cached_property
    def _calls(self) -> list[Call]:
        return calls_for(self._task, budget=self._inputs, seed=self._seed, tested=self._tested)

    @cached_property
    def _results(self) -> list[Result]:
        return self._run(self._program, self._calls)

    @cached_property
    def _outcomes(self) -> list[Outcome]:
        return self._judged(self._program)

    def _run(self, program: Program | None, calls: Sequence[Call]) -> list[Result]:
        assert program is not None
        return run_program_calls(program, calls, self._limits, lines=True)

    def _judged(self, program: Program | None) -> list[Outcome]:
        if program is None or not self._examples:
            return []
        point, mode = self._task.entry_point, self._limits.mode
        return run_examples(program.code, program.prelude, self._examples, entry_point=point, sandbox=mode)

    def _disproved(self, comment: Comment) -> Evidence | None:
        """Where the comment names an input and a result, and the code comes to another one."""
        assert self._program is not None
        callees = {callee.name: callee for callee in callees_of(self._task, self._program)}
        claims: list[tuple[Claim, Call]] = []
        for claim in claims_of(comment.text, callees):
            name = claim.call.partition("(")[0].rpartition(".")[2]
            owner = callees[name].owner if name in callees else None
            bare = claim.call.startswith(f"{name}(") and owner is not None and not owner[1]
            claims.append((claim, Call((), f"{owner[0]}().{claim.call}" if bare and owner else claim.call)))
        results = self._run(self._program, [call for _, call in claims]) if claims else []
        for (claim, call), result in zip(claims, results, strict=True):
            if claim.holds(result) is False and not (result.kind == "raised" and result.loading):
                said = f"the comment says {claim.error or claim.value}"
                return Evidence("disproved", call.code, result.shown, reason=said, seed=self._seed)
        return None

    def _by_own_example(self, comment: Comment) -> Evidence | None:
        """Of a comment without a suggestion: the example that it speaks of, where the code does not keep it."""
        if comment.witness is None or comment.evidence is not None:
            return comment.evidence
        if not any(example.text == comment.witness for example in self._examples):
            return None
        for outcome in self._outcomes:
            if outcome.verdict == "contradicted" and outcome.example.text == comment.witness:
                return self._proof(outcome, "")
        return None

    def _by_examples(self, fixed: Program) -> Evidence | None:
        """Where an example says which side is right."""
        if not self._examples:
            return None
        after = self._judged(fixed)
        pairs = list(zip(self._outcomes, after, strict=True))
        broken = next((pair for pair in pairs if [one.verdict for one in pair] == ["kept", "contradicted"]), None)
        if broken is not None:
            return Evidence(
                "disproved",
                broken[0].example.text,
                broken[0].got,
                broken[1].got,
                promised=_promised(broken[0].example),
                by=f"the {broken[0].example.source}",
                inputs=len(pairs),
                seed=self._seed,
            )
        mended = next((pair for pair in pairs if [one.verdict for one in pair] == ["contradicted", "kept"]), None)
        return self._proof(mended[0], mended[1].got) if mended is not None else None

    def _proof(self, outcome: Outcome, fixed: str) -> Evidence:
        example = outcome.example
        by = f"the {example.source}"
        promised = _promised(example)
        return Evidence("proved", example.text, outcome.got, fixed, promised, by, len(self._examples), self._seed)

    def _by_calls(self, fixed: Program) -> Evidence:
        """Where any input separates the two; the shortest one that does."""
        assert self._program is not None
        calls, before = list(self._calls), list(self._results)
        after = self._run(fixed, calls)
        tried = list(zip(calls, before, after, strict=True))
        changed = _changed_lines(self._program.code, fixed.code)
        brought = _constants(fixed.code) - _constants(self._program.code)
        for turn in (1, 2):
            reached = _reached(tried, changed) and not (brought and turn == 1)
            if not calls or any(_separates(*one) for one in tried) or reached:
                break
            bases = sorted(tried, key=lambda one: -len(one[1].lines))[:8]
            more = mutations_of(
                self._task, [one[0] for one in bases], count=BRANCHES, seed=self._seed + turn, code=fixed.code
            )
            results = zip(more, self._run(self._program, more), self._run(fixed, more), strict=True)
            tried += list(results)
        found = [one for one in tried if _separates(*one)]
        if found:
            call, was, now = min(found, key=_rank)
            got, fixed_to = told_apart(was, now)
            return Evidence("differs", call.text, got, fixed_to, inputs=len(tried), seed=self._seed)
        certain = [one for one in tried if one[1].certain and one[2].certain and not one[1].loading]
        if not certain:
            return self._not_run(_why(self._calls, tried))
        reached = _reached(certain, changed) or not any(one[1].lines for one in certain)
        note = "" if reached else "none of which runs a line that the suggestion changes"
        if all(one[1].kind == "raised" for one in certain):
            note = "on all of which both raise an exception"
        return Evidence("no-difference", inputs=len(certain), reason=note, seed=self._seed)


_Tried = tuple[Call, Result, Result]


def _separates(call: Call, before: Result, after: Result) -> bool:
    """Whether both come to something certain, and not to the same. Two exceptions are told apart only on an input that
    somebody wrote: what neither takes is no input of it."""
    if not (before.certain and after.certain) or same(before, after, effects=True):
        return False
    return call.origin in _WRITTEN or not before.kind == after.kind == "raised"


def _constants(code: str) -> set[str]:
    """The numbers and texts that stand in some code."""
    tree = parse(code)
    return {repr(node.value) for node in ast.walk(tree) if isinstance(node, ast.Constant)} if tree else set()


def _rank(one: _Tried) -> tuple[bool, bool, int]:
    """Values before exceptions, where the code ends at all, and short calls first."""
    call, before, after = one
    return "timeout" in (before.kind, after.kind), "raised" in (before.kind, after.kind), len(call.text)


def _changed_lines(before: str, after: str) -> set[int]:
    """The lines of the reviewed program that are others in the fixed one; beside an insertion its neighbours."""
    matcher = difflib.SequenceMatcher(None, before.split("\n"), after.split("\n"), autojunk=False)
    lines: set[int] = set()
    for tag, start, end, _, _ in matcher.get_opcodes():
        if tag != "equal":
            lines |= set(range(start + 1, end + 1)) or {start, start + 1}
    return lines


def _reached(tried: Sequence[_Tried], changed: set[int]) -> bool:
    return any(changed.intersection(before.lines) for _, before, _ in tried)


def _why(calls: Sequence[Call], tried: Sequence[_Tried]) -> str:
    if not calls:
        return "no input is known: there is no example, and no type hint for what it takes"
    return next(_reasons(tried), "no input could be run")


def _reasons(tried: Sequence[_Tried]) -> Iterator[str]:
    for _, before, after in tried:
        for result in (before, after):
            if result.loading:
                yield f"the code can't be loaded ({result.shown})"
            elif not result.certain and result.reason:
                yield " ".join(result.reason.split())[:300].rstrip(".")


def _promised(example: Example) -> str:
    if example.promise == "holds":
        return "that it holds"
    return example.promised if example.promise != "prints" else repr(example.promised)
