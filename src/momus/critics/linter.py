"""Linters as critics: each warning a comment, the gravest first.

They are shown the answer behind what it needs of the task's prelude, as it would be run.
"""

from __future__ import annotations

import importlib.metadata
import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from momus.critics.prelude import spelled_out
from momus.critics.protocol import failed
from momus.critics.trivial import line_highlight
from momus.critique import SEVERITIES, Comment, Critique, Span, TextMap
from momus.errors import MissingExtra, MomusError
from momus.linters import NAMES, LintWarning, available, run_many
from momus.records import Sampled, Task

BATCH = 200  # texts for one process: starting a linter costs more than reading a text

# What the rules of the five are called in our classes; a rule that is not here is `other`.
_CATEGORIES: tuple[tuple[str, str], ...] = (
    (r"E9\d\d|invalid-syntax|E0001:.*|syntax", "syntax"),
    (r"F82[123]|F405|E0602:.*|E0601:.*|name-defined|used-before-def|reportUndefinedVariable", "undefined-name"),
    (r"unused-coroutine|reportUnusedCoroutine|RUF006", "missing-await"),
    (r"E722|B90[1-4]|B014|W070[2-9]:.*|W071[0-9]:.*|E070[1-9]:.*|reportUnusedExcept", "exception-handling"),
    (r"F401|F841|B007|RUF059|W061[1-4]:.*|W0104:.*|W0106:.*|B018|reportUnused.*", "unused"),
    (r"B006|W0102:.*|RUF012", "mutable-default"),
    (r"F632|B015|W0143:.*|W0177:.*|comparison-overlap|reportUnnecessaryComparison", "wrong-comparison"),
    (r"E1120:.*|E1121:.*|E1123:.*|E1124:.*|call-arg|reportCallIssue|arg-type|reportArgumentType", "wrong-argument"),
    (r"E1101:.*|attr-defined|union-attr|reportAttributeAccessIssue|reportOptionalMemberAccess", "wrong-attribute"),
    (r"E1102:.*|misc-call", "wrong-call"),
    (r"return|empty-body|return-value|E1111:.*|R1710:.*|reportReturnType", "wrong-return"),
    (r"operator|reportOperatorIssue|assignment|reportAssignmentType|index|reportIndexIssue", "type-confusion"),
    (r"R1732:.*|SIM115", "resource-leak"),
    (r"B020|B023|W0640:.*|PLW2901|W0120:.*", "loop-control"),
    (r"B[1-7]\d\d:.*|W0122:.*|W0123:.*", "security"),
)
_CATEGORY_OF = [(re.compile(pattern), category) for pattern, category in _CATEGORIES]


class LinterCritic:
    """The warnings of one linter. Raises MomusError on an unknown linter, MissingExtra where it is not installed."""

    def __init__(self, linter: str) -> None:
        if linter not in NAMES:
            raise MomusError(f"there is no linter {linter!r}: choose one of {', '.join(NAMES)}")
        if linter not in available():
            raise MissingExtra(f"the linter {linter}", "linters")
        self.linter = linter
        self.name = f"linter:{linter}"
        try:
            self.version = importlib.metadata.version(linter)
        except importlib.metadata.PackageNotFoundError:  # from PATH, not from this environment
            self.version = ""

    def critique(self, tasks: Iterable[Task], *, n: int = 1, seed: int) -> Iterator[Sampled]:
        waiting = iter(tasks)
        while batch := list(itertools.islice(waiting, BATCH)):
            preludes = [spelled_out(task.prelude, task.answer) for task in batch]
            programs = [prelude + task.answer for prelude, task in zip(preludes, batch, strict=True)]
            for task, prelude, found in zip(batch, preludes, self._warnings(programs), strict=True):
                for i in range(n):
                    if isinstance(found, MomusError):
                        yield failed(self.name, task, i, found)
                    else:
                        critique = to_critique(behind(found, prelude.count("\n")), TextMap(task.answer))
                        yield Sampled(task_id=task.id, critic=self.name, i=i, critique=critique)

    def _warnings(self, codes: list[str]) -> list[list[LintWarning] | MomusError]:
        """The warnings on each text. Where a run fails it is halved, until the text that broke it stands alone."""
        try:
            return list(run_many(self.linter, codes))
        except MomusError as error:
            if len(codes) == 1:
                return [error]
            half = len(codes) // 2
            return [*self._warnings(codes[:half]), *self._warnings(codes[half:])]


def behind(warnings: Sequence[LintWarning], lines: int) -> list[LintWarning]:
    """The warnings behind the first `lines` lines, counted from there."""
    return [
        replace(
            warning,
            line=warning.line - lines,
            end_line=None if warning.end_line is None else warning.end_line - lines,
        )
        for warning in warnings
        if warning.line > lines
    ]


def to_critique(warnings: Sequence[LintWarning], text: TextMap) -> Critique:
    """Comments of warnings, the gravest first, then from the top; one place and message only once."""
    comments: dict[tuple[Span, str], Comment] = {}
    for warning in sorted(warnings, key=lambda w: (-SEVERITIES.index(w.severity), w.line, w.column)):
        highlight = _highlight(warning, text)
        if highlight is not None:
            remark = f"{warning.message} [{warning.rule}]"
            comment = Comment(highlight, remark, category_of(warning.rule), warning.severity)
            comments.setdefault((highlight, remark), comment)
    return Critique(tuple(comments.values()))


def category_of(rule: str) -> str:
    """Our class for a linter's rule."""
    return next((category for pattern, category in _CATEGORY_OF if pattern.fullmatch(rule)), "other")


def _highlight(warning: LintWarning, text: TextMap) -> Span | None:
    """What a warning points at; the rest of its line where it names no end. None where there is no code yet."""
    start = text.offset(warning.line, warning.column)
    line = text.line(start)
    if warning.end_line is not None and warning.end_column is not None:
        end = text.offset(warning.end_line, warning.end_column)
    else:
        end = text.line_span(line)[1]
    if end <= start:  # at the end of a line, or nowhere in it: the line as a whole, or the code before it
        code = [known for known in text.code_lines if known <= line]
        return line_highlight(text, code[-1]) if code else None
    return Span(start, end)
