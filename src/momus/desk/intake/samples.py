"""A small file of each kind, to be downloaded, filled in and brought in again."""

from __future__ import annotations

import csv
import io
import json
from typing import Any, Literal

from momus.critique import Comment, Critique, Span, render
from momus.desk.intake.fields import Imported

SampleForm = Literal["csv", "jsonl"]
_LAST = "def last(xs, n):\n    return xs[len(xs) - n :]\n"
_LAST_BUGGY = "def last(xs, n):\n    return xs[len(xs) - n - 1 :]\n"
_MEAN = "def mean(xs):\n    return sum(xs) / len(xs) if xs else 0\n"
_MEAN_BUGGY = "def mean(xs):\n    return sum(xs) / len(xs)\n"
_TASKS: tuple[dict[str, Any], ...] = (
    {
        "id": "last",
        "question": "Return the last n items of a list.",
        "answer": _LAST,
        "tests": "assert last([1, 2, 3], 2) == [2, 3]\n",
        "group": "last",
        "licence": "Apache-2.0",
    },
    {
        "id": "mean",
        "question": "Return the mean of a list of numbers, and 0 of an empty one.",
        "answer": _MEAN,
        "tests": "assert mean([1, 3]) == 2\nassert mean([]) == 0\n",
        "group": "mean",
        "licence": "Apache-2.0",
    },
)
_BUGS: tuple[tuple[str, str, str], ...] = (
    (_LAST_BUGGY, "off-by-one", "The slice begins one item early and returns n + 1 items."),
    (_MEAN_BUGGY, "missing-check", "An empty list divides by zero."),
)
_SAID = ("The slice begins one item early.", "Nothing is done about an empty list.")


def sample(kind: Imported, form: SampleForm) -> str:
    """A file with two rows."""
    rows = [_row(kind, i) for i in range(len(_TASKS))]
    if form == "jsonl":
        return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    out = io.StringIO()
    writer = csv.DictWriter(out, fieldnames=list(rows[0]), lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def _row(kind: Imported, i: int) -> dict[str, Any]:
    task = _TASKS[i]
    buggy, category, description = _BUGS[i]
    if kind in ("tamper", "write"):
        return dict(task)
    if kind == "team":
        return {**task, "answer": buggy, "critique": _critique(i)}
    if kind == "rate":
        return {
            **task,
            "answer": buggy,
            "critique_anna": _critique(i),
            "critique_model": _SAID[i],
            "fixed": task["answer"],
        }
    if kind in ("compare", "judge"):
        pair = {"id": task["id"], "question": task["question"], "answer_a": buggy, "answer_b": task["answer"]}
        return pair if kind == "compare" else {**pair, "passes": "second"}
    bug = {
        "buggy": buggy,
        "fixed": task["answer"],
        "category": category,
        "description": description,
        "severity": "high",
    }
    more = {"verified": "yes"} if kind == "canary" else {}
    rest = {name: value for name, value in task.items() if name != "answer"}
    return {**rest, **bug, **more}


def _critique(i: int) -> str:
    """As the format page says it: a quote, what is said of it, and what to write instead."""
    buggy = _BUGS[i][0]
    place = buggy.index("return")
    fixed = _TASKS[i]["answer"]
    comment = Comment(
        Span(place, len(buggy) - 1), _SAID[i], _BUGS[i][1], "high", suggestion=fixed[fixed.index("return") :].rstrip()
    )
    return render(Critique((comment,)), buggy)
