"""One task with known bugs, prepared once for all critics: the lines of its bugs, here and in the clean twin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from momus.critics.trivial import body_lines
from momus.critique import Comment, Span, TextMap
from momus.match import LineMap
from momus.measure.datasets import twin_of
from momus.records import Tamper, Task, versioned

Lines = frozenset[int]


@dataclass(frozen=True, slots=True, eq=False)
class Item:
    """A tamper, with what each comment on it, and on its twin, is held against.

    `task` and `twin` bear an id that tells the version of the answer, so that critiques of the two, and of later
    versions, are never taken for one another. `bug_lines[i]` are the lines of bug i, `twin_lines[i]` where they stand
    in the twin (none, where the fix takes them away).
    """

    tamper: Tamper
    task: Task
    twin: Task
    text: TextMap
    twin_text: TextMap
    bug_lines: tuple[Lines, ...]
    twin_lines: tuple[Lines, ...]
    body: Lines  # where `random` draws first

    @classmethod
    def of(cls, tamper: Tamper) -> Item:
        text, twin_text = TextMap(tamper.task.answer), TextMap(tamper.twin)
        line_map = LineMap(text, twin_text)
        bug_lines = tuple(lines_of(bug.spans, text) for bug in tamper.bugs)
        twin_lines = tuple(frozenset(new for old in lines for new in line_map.after(old)) for lines in bug_lines)
        return cls(
            tamper=tamper,
            task=versioned(tamper.task),
            twin=versioned(twin_of(tamper)),
            text=text,
            twin_text=twin_text,
            bug_lines=bug_lines,
            twin_lines=twin_lines,
            body=frozenset(body_lines(text)),
        )

    @property
    def group(self) -> str:
        """What the intervals draw together: all tasks of one problem."""
        return self.tamper.task.group or self.tamper.task.id


def lines_of(spans: Sequence[Span], text: TextMap) -> Lines:
    """The lines that any of the spans touches."""
    return frozenset(line for span in spans for line in text.lines(span))


def flagged_lines(comments: Sequence[Comment], text: TextMap) -> list[int]:
    """The lines that comments flag, each once, in the order of the comments; blank lines are not counted."""
    code = set(text.code_lines)
    found = (line for comment in comments for line in text.lines(comment.highlight))
    return [line for line in dict.fromkeys(found) if line in code]
