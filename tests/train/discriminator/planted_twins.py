"""Twins with a bug planted in them: a sign that a small model learns to see, and one that nobody can see."""

from __future__ import annotations

import random
from pathlib import Path

from momus.critique import Span
from momus.records import Bug, Tamper, Task, write_jsonl


def twins(n: int, *, operator: str = "wrong-sign", split: str | None = None) -> Tamper:
    """Problem `n`: `wrong-sign` turns a plus; `unseen` swaps two names of which neither is the right one by itself."""
    if operator == "unseen":
        names = ["left", "right"]
        random.Random(n).shuffle(names)
        clean = f"def pick_{n}(left, right):\n    left, right = left + {n}, right + {n}\n    return {names[0]}\n"
        answer = clean.replace(f"return {names[0]}", f"return {names[1]}")
        place = answer.index("return ") + len("return ")
        span = Span(place, place + len(names[1]))
    else:
        clean = f"def add_{n}(xs, n):\n    total = n + {n}\n    return total + xs[{n % 5}]\n"
        answer = clean.replace(f"n + {n}", f"n - {n}")
        span = Span(answer.index("n - "), answer.index("n - ") + 5)
    task = Task(id=f"{operator}-{n}", question="Add them.", answer=answer, group=f"g-{operator}-{n}", split=split)
    bug = Bug(spans=(span,), category="wrong-operator", suggestion=span.of(clean), operator=operator)
    return Tamper(task=task, twin=clean, bugs=(bug,))


def write_twins(path: Path, count: int, *, first: int = 0, unseen: int = 0) -> Path:
    made = [twins(n) for n in range(first, first + count)]
    made += [twins(n, operator="unseen") for n in range(first, first + unseen)]
    write_jsonl(path, made)
    return path
