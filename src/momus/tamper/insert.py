"""Puts bugs into the answer of a task: the operator is drawn first, then one of its sites.

Drawn by site, wrong variables alone would be a third of everything. No code is run here: what comes back compiles and
is different code, and `momus.tamper.prove` shows by tests that it bites.
"""

from __future__ import annotations

import ast
import hashlib
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from momus.critique import Span, TextMap
from momus.errors import MomusError
from momus.match import apply_suggestion
from momus.records import Bug, Tamper, Task
from momus.tamper.compiled import byte_code, parse
from momus.tamper.operators import OPERATORS, Edit, Mutation, Operator, Source, mutate
from momus.tamper.source import splice

MAX_CHARACTERS = 20_000  # beyond, an answer is a table or a program, and every operator would walk all of it
_LINES_BETWEEN = 2
_SITES_TRIED = 6


def choose(names: Iterable[str] | None = None, *, exclude_held_out: bool = False) -> list[Operator]:
    """Operators by name, all by default. Raises MomusError on an unknown name, or where none is left."""
    wanted = list(OPERATORS) if names is None else list(dict.fromkeys(names))
    for name in wanted:
        if name not in OPERATORS:
            raise MomusError(f"there is no bug operator {name!r}: choose from {', '.join(OPERATORS)}")
    chosen = [OPERATORS[name] for name in wanted if not (exclude_held_out and OPERATORS[name].held_out)]
    if not chosen:
        raise MomusError("no bug operator is left to choose from: name others, or allow those held out")
    return chosen


def tamper(
    task: Task,
    *,
    rng: random.Random,
    n_bugs: int = 1,
    operators: Iterable[str] | None = None,
    weights: Mapping[str, float] | None = None,
) -> Tamper | None:
    """The task with `n_bugs` bugs in its answer, far apart; None where there is no room for them.

    Every operator (all, or those named) that has a site is as likely as any other, or as its weight (1 unless given; 0
    leaves it out) says. Raises MomusError on an unknown name.
    """
    return next(tampers(task, rng=rng, n_bugs=n_bugs, operators=operators, weights=weights), None)


def tampers(
    task: Task,
    *,
    rng: random.Random,
    count: int = 1,
    n_bugs: int = 1,
    operators: Iterable[str] | None = None,
    weights: Mapping[str, float] | None = None,
) -> Iterator[Tamper]:
    """Up to `count` different tampers of one task, which is parsed once; fewer where there is no room for more."""
    if count < 1 or n_bugs < 1 or len(task.answer) > MAX_CHARACTERS:
        return
    try:
        source = Source(task.answer)
    except SyntaxError:
        return
    if not source.compiles:
        return
    allowed = choose(operators)
    seen = {source.key}
    for _ in range(count):
        for _ in range(3):
            made = _several(source, n_bugs, allowed, weights or {}, rng)
            if made is None:
                if n_bugs == 1:
                    return
                continue  # the first bug may have stood in the way of the others
            text, bugs, key = made
            if key not in seen:
                seen.add(key)
                yield _record(task, text, bugs)
                break


@dataclass(frozen=True, slots=True)
class _Placed:
    """A mutation of the clean text and the lines of that text (1-based, inclusive) which it concerns."""

    mutation: Mutation
    first: int
    last: int


def _several(
    source: Source, n_bugs: int, operators: Sequence[Operator], weights: Mapping[str, float], rng: random.Random
) -> tuple[str, tuple[Bug, ...], str] | None:
    placed: list[_Placed] = []
    for _ in range(n_bugs):
        another = _draw(source, placed, operators, weights, rng)
        if another is None:
            return None
        placed.append(another)
    if n_bugs == 1:
        mutation = placed[0].mutation
        return mutation.text, (mutation.bug,), _key(mutation.text)
    return _together(source, sorted(placed, key=lambda p: p.first))


def _draw(
    source: Source,
    placed: Sequence[_Placed],
    operators: Sequence[Operator],
    weights: Mapping[str, float],
    rng: random.Random,
) -> _Placed | None:
    for operator in _in_drawn_order(operators, weights, rng):
        sites = list(operator.sites(source, rng))
        rng.shuffle(sites)
        for site in sites[:_SITES_TRIED]:
            if placed and not _is_far(_span_of_lines(source, site.edits), placed, source):
                continue
            mutation = mutate(source, operator, site, rng)
            if mutation is None:
                continue
            found = _Placed(mutation, *_concerned(source, mutation))
            if not placed or _is_far((found.first, found.last), placed, source):
                return found
    return None


def _in_drawn_order(
    operators: Sequence[Operator], weights: Mapping[str, float], rng: random.Random
) -> Iterator[Operator]:
    """Operators in the order of draws without replacement: the first that has a site is drawn from those that have."""
    races = [(rng.expovariate(1.0) / weight, o) for o in operators if (weight := weights.get(o.name, 1.0)) > 0]
    yield from (operator for _, operator in sorted(races, key=lambda race: race[0]))


def _span_of_lines(source: Source, edits: Sequence[Edit]) -> tuple[int, int]:
    return source.map.line(min(e.start for e in edits)), source.map.line(max(e.end for e in edits))


def _concerned(source: Source, mutation: Mutation) -> tuple[int, int]:
    """The clean lines that a mutation edits or highlights."""
    first, last = _span_of_lines(source, mutation.edits)
    text = TextMap(mutation.text)
    grown = text.line_count - source.map.line_count
    for span in mutation.bug.spans:
        lines = text.lines(span)
        first = min(first, lines[0], lines[0] - grown)
        last = max(last, lines[-1] - grown)
    return first, last


def _is_far(lines: tuple[int, int], placed: Sequence[_Placed], source: Source) -> bool:
    first, last = lines
    for other in placed:
        if not (last + _LINES_BETWEEN < other.first or other.last + _LINES_BETWEEN < first):
            return False
        if _simple_statement(source, first) & _simple_statement(source, other.first):
            return False
    return True


def _simple_statement(source: Source, line: int) -> set[ast.stmt]:
    """The statements without a body that stand on a line: two bugs in one long call are not far apart."""
    return {
        statement
        for statement in source.statements()
        if statement.lineno <= line <= (statement.end_lineno or statement.lineno) and not hasattr(statement, "body")
    }


def _together(source: Source, placed: Sequence[_Placed]) -> tuple[str, tuple[Bug, ...], str] | None:
    """All mutations in one text, each bug's spans moved there; None unless each suggestion undoes its bug alone."""
    try:
        text = splice(source.text, tuple(e for p in placed for e in p.mutation.edits))
        code = byte_code(text)
    except (SyntaxError, ValueError):
        return None
    if code is None or code == source.byte_code:
        return None
    bugs: list[Bug] = []
    moved = 0  # those before stand on earlier lines, whole: all of their edits move what follows
    for p in placed:
        spans = tuple(Span(s.start + moved, s.end + moved) for s in p.mutation.bug.spans)
        bug = p.mutation.bug.model_copy(update={"spans": spans})
        others = splice(source.text, tuple(e for o in placed if o is not p for e in o.mutation.edits))
        if bug.suggestion is None or apply_suggestion(text, spans[0], bug.suggestion) != others:
            return None
        bugs.append(bug)
        moved += len(p.mutation.text) - len(source.text)
    return text, tuple(bugs), _key(text)


def _key(text: str) -> str:
    try:
        return ast.dump(parse(text))
    except SyntaxError:
        return text


def _record(task: Task, answer: str, bugs: tuple[Bug, ...]) -> Tamper:
    mark = hashlib.sha256(answer.encode("utf-8", "surrogatepass")).hexdigest()[:10]
    tampered = task.model_copy(update={"id": f"{task.id}~{mark}", "answer": answer, "group": task.group or task.id})
    return Tamper(task=tampered, twin=task.answer, bugs=bugs)
