"""`examples`: runs the examples that stand in the question and in docstrings, and says which of them do not hold.

No model is asked. A contradiction is certain in one thing: code and example can't both be right. Where the question's
example is the wrong one, that is what a reader is to find out.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from momus.critics.protocol import failed
from momus.critique import Comment, Critique, Span, TextMap
from momus.errors import MomusError
from momus.inputs import Example, Outcome, run_examples
from momus.inputs.examples import MOST
from momus.inputs.of_task import Program, examples_of, is_program, names_called, program_of
from momus.inputs.places import places_of
from momus.inputs.target import parse
from momus.records import Sampled, Task

_FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)

LACKS = "examples"
SHOWN = 120  # characters of a call, or of a value, that a comment shows

CATEGORY_OF_EXCEPTION = {
    "NameError": "undefined-name",
    "UnboundLocalError": "undefined-name",
    "AttributeError": "wrong-attribute",
    "TypeError": "type-confusion",
    "IndexError": "off-by-one",
    "KeyError": "missing-check",
    "ZeroDivisionError": "missing-check",
    "RecursionError": "missing-check",
    "SyntaxError": "syntax",
}


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Examples of one function that its code does not keep; `outcome` is of the first.

    `line`, 1-based in the answer, is the best place that running alone can tell: where the exception was raised, else
    where the call returned. `examples` are all that the function has: a fix is to keep every one of them.
    """

    outcome: Outcome
    line: int
    failing: int
    examples: tuple[Example, ...]

    @property
    def category(self) -> str:
        """What kind of fault the outcome looks like; `wrong-return` where there is but another value."""
        outcome = self.outcome
        if outcome.unended:
            return "loop-control"
        if outcome.example.promise == "raises":
            return "exception-handling" if outcome.raised else "missing-check"
        if outcome.raised is not None:
            return CATEGORY_OF_EXCEPTION.get(outcome.raised, "other")
        return "missing-return" if outcome.got == "None" and outcome.example.promised != "None" else "wrong-return"

    @property
    def text(self) -> str:
        """The call, what came out and what was promised, in words."""
        outcome, example = self.outcome, self.outcome.example
        who = "the question" if example.source == "question" else "the docstring"
        call = code_excerpt(example.text)
        if outcome.unended:
            came = f"{call} {outcome.got}"
        elif outcome.loading:
            came = f"{call} can't be called: loading the code raises {one_line(outcome.got)}"
        elif outcome.raised is not None:
            came = f"{call} raises {one_line(outcome.got)}"
        elif example.promise == "prints":
            came = f"{call} prints {one_line(outcome.got)}"
        elif example.promise == "holds":
            came = f"{call} is {one_line(outcome.got)}"
        elif example.shown and " leaves " in example.shown:
            came = f"{call} {one_line(outcome.got)}"
        else:
            came = f"{call} gives {one_line(outcome.got)}"
        promised = {
            "equals": f"promises {one_line(example.promised)}",
            "holds": "promises that it holds",
            "raises": f"promises {example.promised}",
            "prints": f"promises {one_line(repr(example.promised))}",
        }[example.promise]
        fail = "fails" if self.failing == 1 else "fail"
        count = f" Of {len(self.examples)} examples {self.failing} {fail}." if len(self.examples) > 1 else ""
        return f"{came}; {who} {promised}.{count} Either the code or the example is wrong."


@dataclass(frozen=True, slots=True)
class Examined:
    """What the examples of a task said. `ran` is how many were run; `left_out` says in words which were not."""

    contradictions: tuple[Contradiction, ...] = ()
    ran: int = 0
    left_out: str | None = None


class ExamplesCritic:
    """The critic `examples`. Raises MomusError, task by task as an error, where there is no sandbox."""

    name = "examples"
    cut = "unit"
    runs = True
    version = "1"

    def __init__(self, sandbox: str = "auto") -> None:
        self._sandbox = sandbox

    def critique(self, tasks: Iterable[Task], *, n: int = 1, seed: int) -> Iterator[Sampled]:
        """`n` equal critiques of each task: nothing is drawn."""
        for task in tasks:
            try:
                if not task.run:
                    raise MomusError(
                        "running code is turned off (`run = false` or --no-run), and `examples` does nothing else"
                    )
                found = examined(task, sandbox=self._sandbox)
            except Exception as error:
                yield from (failed(self.name, task, i, error) for i in range(n))
                continue
            text = TextMap(task.answer)
            critique = Critique(tuple(comment_of(one, text) for one in found.contradictions))
            lacks = None if found.ran else LACKS
            for i in range(n):
                yield Sampled(
                    task_id=task.id, critic=self.name, i=i, critique=critique, left_out=found.left_out, lacks=lacks
                )


def contradictions(task: Task, *, sandbox: str = "auto") -> list[Contradiction]:
    """What the examples of a task contradict, one for each function; none where it may not be run."""
    return list(examined(task, sandbox=sandbox).contradictions) if task.run else []


def satisfies(task: Task, answer: str, examples: Sequence[Example], *, sandbox: str = "auto") -> bool:
    """Whether another answer keeps every one of the examples, run in the place of the task's own."""
    program = program_of(task, answer)
    if program is None or not task.run:
        return False
    outcomes = run_examples(program.code, program.prelude, examples, entry_point=task.entry_point, sandbox=sandbox)
    return bool(outcomes) and all(outcome.verdict == "kept" for outcome in outcomes)


def examined(task: Task, *, sandbox: str = "auto") -> Examined:
    """Find a task's examples, run them, and place what they contradict. Raises MomusError where there is no sandbox."""
    program = program_of(task, task.answer)
    groups = [] if program is None else examples_of(task)
    if program is None or not groups:
        return Examined()
    found: list[Contradiction] = []
    wanted = [one for group in groups for one in group][:MOST]
    outcomes = run_examples(program.code, program.prelude, wanted, entry_point=task.entry_point, sandbox=sandbox)
    if task.surroundings is not None:  # a file that can't be loaded alone may well be loaded where it belongs
        outcomes = [
            replace(one, verdict="not-run", reason=f"the file can't be loaded by itself ({one.got})")
            if one.loading
            else one
            for one in outcomes
        ]
    left = list(outcomes)
    for group in groups:
        own, left = left[: len(group)], left[len(group) :]
        failing = [outcome for outcome in own if outcome.verdict == "contradicted"]
        if failing:
            line = _place(task, program, failing[0], sandbox)
            found.append(Contradiction(failing[0], line, len(failing), tuple(group)))
    unread = sum(map(len, groups)) - len(outcomes)
    return Examined(tuple(found), sum(one.verdict != "not-run" for one in outcomes), _left_out(outcomes, unread))


def comment_of(contradiction: Contradiction, text: TextMap) -> Comment:
    """The contradiction as a comment on its line."""
    span = stripped(text, contradiction.line)
    witness = contradiction.outcome.example.text
    return Comment(span, contradiction.text, contradiction.category, "high", witness=witness)


def stripped(text: TextMap, line: int) -> Span:
    """A line without the blanks around it; all of the text where it holds nothing else, or there is no such line."""
    start, end = text.line_span(min(line, text.line_count))
    said = text.text[start:end]
    start, end = start + len(said) - len(said.lstrip()), start + len(said.rstrip())
    return Span(start, end) if start < end else Span(0, max(1, len(text.text)))


def _place(task: Task, program: Program, outcome: Outcome, sandbox: str) -> int:
    """The line of the answer to show a contradiction at."""

    def own(lines: Iterable[int]) -> list[int]:
        around = task.surroundings
        found = lines if around is None else (around.line_in_answer(line) for line in lines)
        return [line for line in found if line is not None]

    tree = parse(program.code)
    if outcome.raised is not None and (lines := own(outcome.lines)):
        return lines[-1]
    if not outcome.unended and (outcome.raised is None or is_program(task)):
        traced = places_of(program.code, program.prelude, outcome.example, sandbox=sandbox)
        if (
            traced.last is not None
            and tree is not None
            and (lines := own([computed_at(tree, traced.last, traced.lines)]))
        ):
            return lines[0]
        if lines := own(reversed(traced.lines)):
            return lines[0]
    functions = _functions(tree, outcome.example) if tree is not None else []
    if outcome.unended:
        loops = [node.lineno for function in functions for node in ast.walk(function) if isinstance(node, ast.While)]
        if lines := own(loops):
            return lines[0]
    return (own(function.lineno for function in functions) or own(_first_definition(tree)) or [1])[0]


def computed_at(tree: ast.Module, last: int, executed: Sequence[int]) -> int:
    """The line that computed what `last` returned: itself, or where a bare name that it returns was last set."""
    returned = next((n for n in ast.walk(tree) if isinstance(n, ast.Return) and n.lineno == last), None)
    if returned is None or not isinstance(returned.value, ast.Name):
        return last
    name = returned.value.id
    sets = {
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign | ast.Expr) and _changes(node, name)
    }
    return next((line for line in reversed(executed) if line in sets), last)


def _changes(node: ast.stmt, name: str) -> bool:
    """Whether a statement sets a name, or calls a method of it."""
    if isinstance(node, ast.Expr):
        call = node.value
        return isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and _is(call.func.value, name)
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    return any(_is(part, name) for target in targets if target is not None for part in ast.walk(target))


def _is(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _functions(tree: ast.Module, example: Example) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    """The functions that an example's call names."""
    called = names_called(example)
    return [node for node in ast.walk(tree) if isinstance(node, _FunctionNode) and node.name in called]


def _first_definition(tree: ast.Module | None) -> list[int]:
    kinds = (*_FUNCTIONS, ast.ClassDef)
    return [node.lineno for node in ast.walk(tree) if isinstance(node, kinds)] if tree is not None else []


def _left_out(outcomes: Sequence[Outcome], unread: int) -> str | None:
    """Which examples were not run, and why, in words."""
    silent = [outcome for outcome in outcomes if outcome.verdict == "not-run"]
    if not silent and not unread:
        return None
    parts = []
    if silent:
        more = f" and {len(silent) - 1} more" if len(silent) > 1 else ""
        parts.append(f"the example {code_excerpt(silent[0].example.text)}{more}: {one_line(silent[0].reason)}")
    if unread:
        parts.append(f"{unread} examples beyond the first {MOST}")
    return "; ".join(parts)


def one_line(text: str) -> str:
    """One line of at most SHOWN characters."""
    line = " ".join(text.split())
    return line if len(line) <= SHOWN else line[: SHOWN - 3] + "..."


def code_excerpt(text: str) -> str:
    """A short excerpt of code between backticks, of which it may hold some itself."""
    cut = one_line(text)
    fence = "``" if "`" in cut else "`"
    pad = " " if fence == "``" else ""
    return f"{fence}{pad}{cut}{pad}{fence}"
