"""Tasks and critiques that the tests of raters share."""

from __future__ import annotations

from typing import Any

from momus.critique import Comment, Critique, Span
from momus.records import Bug, Comparison, Sampled, Tamper, Task, versioned

TWIN = '''def last(xs, n):
    """The last n items."""
    start = len(xs) - n
    return xs[start:]


def total(xs):
    s = 0
    for x in xs:
        s += x
    return s
'''
ANSWER = TWIN.replace("len(xs) - n\n", "len(xs) - n - 1\n").replace("s += x", "s -= x")


def at(code: str, answer: str = ANSWER) -> Span:
    """The span of a piece of code that stands once in the answer."""
    assert answer.count(code) == 1
    return Span(answer.index(code), answer.index(code) + len(code))


FIRST = Bug(
    spans=(at("start = len(xs) - n - 1"),),
    category="off-by-one",
    severity="high",
    description="The slice begins one item early. All but the first n + 1 items are lost.",
    suggestion="start = len(xs) - n",
)
SECOND = Bug(
    spans=(at("s -= x"),),
    category="wrong-operator",
    severity="low",
    description="`s -= x` subtracts where it has to add.",
    suggestion="s += x",
)


def tamper(name: str = "t", bugs: tuple[Bug, ...] = (FIRST, SECOND), answer: str = ANSWER) -> Tamper:
    return Tamper(task=Task(id=name, question="Two functions.", answer=answer), twin=TWIN, bugs=bugs)


def says(
    code: str,
    text: str = "Something is wrong.",
    category: str = "other",
    severity: Any = "medium",
    suggestion: str | None = None,
) -> Comment:
    return Comment(at(code), text, category, severity, suggestion)


def sampled(task: Task, *comments: Comment, critic: str = "m", i: int = 0, error: str | None = None) -> Sampled:
    return Sampled(task_id=task.id, critic=critic, i=i, critique=Critique(comments), error=error)


def comparison(*critiques: tuple[Comment, ...], bugs: tuple[Bug, ...] = (FIRST,), name: str = "c") -> Comparison:
    """Critiques of the answer side by side; without bugs, the answer counts as clean."""
    task = versioned(Task(id="t", question="Two functions.", answer=ANSWER))
    shown = tuple(sampled(task, *comments, i=i) for i, comments in enumerate(critiques))
    twin = ANSWER.replace("len(xs) - n - 1", "len(xs) - n") if bugs == (FIRST,) else TWIN if bugs else None
    return Comparison(id=name, task=task, critiques=shown, bugs=bugs, twin=twin)
