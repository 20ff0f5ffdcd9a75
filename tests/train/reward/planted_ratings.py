"""Comparisons whose rater prefers, whatever the answer: off-by-one, then silence, then wrong-call; on clean answers
silence stands first."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from momus.critique import Comment, Critique, Span
from momus.records import GOLD, Bug, Comparison, Ranking, Rating, Sampled, Task, write_jsonl

RATER = "oracle:planted"


def comment(answer: str, line: int, category: str, text: str) -> Comment:
    """On the code of a 1-based line."""
    rows = answer.split("\n")
    start = sum(len(row) + 1 for row in rows[: line - 1])
    indent = len(rows[line - 1]) - len(rows[line - 1].lstrip())
    return Comment(Span(start + indent, start + len(rows[line - 1])), text, category, "high")


def comparison(n: int, buggy: bool, split: str | None = None) -> tuple[Comparison, list[dict[str, int]], Any]:
    """One comparison of four; each critique's scores; the tiers."""
    clean = f"def add_{n}(xs, n):\n    total = n + {n % 7}\n    return total + xs[{n % 5}]\n"
    answer = clean.replace(f"n + {n % 7}", f"n - {n % 7}") if buggy else clean
    task = Task(id=f"t{n}{'b' if buggy else ''}", question="Add them.", answer=answer, group=f"g{n}", split=split)
    right = comment(answer, 2, "off-by-one", "The sign is wrong.")
    wrong = comment(answer, 3, "wrong-call", "This call is wrong.")
    written: list[tuple[str, list[Comment]]] = [
        ("model", [wrong]),
        (GOLD if buggy else "model", [right]),
        ("model", []),
        ("model", [right, wrong] if buggy else [wrong, wrong]),
    ]
    found, fake = ([1, 7, 1, 7], [7, 1, 1, 7]) if buggy else ([1, 1, 1, 1], [7, 5, 1, 7])
    tiers = ((1,), (3,), (2,), (0,)) if buggy else ((2,), (1,), (0, 3))
    made = Comparison(
        id=f"c{n}{'b' if buggy else ''}",
        task=task,
        critiques=tuple(
            Sampled(task_id=task.id, critic=name, critique=Critique(tuple(comments))) for name, comments in written
        ),
        bugs=(Bug(spans=(right.highlight,), category="off-by-one", description="The sign."),) if buggy else (),
        twin=clean if buggy else None,
    )
    overall = {i: 7 - 2 * rank for rank, tier in enumerate(tiers) for i in tier}
    scores = [
        {"overall": overall[i], "fake_problem": fake[i], "nitpick": 1, **({"cbi": found[i]} if buggy else {})}
        for i in range(4)
    ]
    return made, scores, tiers


def write_rated(folder: Path, count: int, *, rankings: bool = True, first: int = 0) -> Path:
    """`count` problems: each tampered, and every other one also as it was."""
    made = [comparison(n, True) for n in range(first, first + count)]
    made += [comparison(n, False) for n in range(first, first + count, 2)]
    write_jsonl(folder / "comparisons.jsonl", (c for c, _, _ in made))
    write_jsonl(folder / "ratings.jsonl", (r for c, scores, _ in made for r in ratings(c.id, scores)))
    if rankings:
        write_jsonl(
            folder / "rankings.jsonl",
            (Ranking(comparison_id=c.id, rater=RATER, order=tiers, simulated=True) for c, _, tiers in made),
        )
    return folder


def ratings(key: str, scores: Iterable[dict[str, int]]) -> list[Rating]:
    return [
        Rating(
            comparison_id=key,
            critique=i,
            rater=RATER,
            attribute=name,  # type: ignore[arg-type]
            score=score,
            bug=0 if name == "cbi" else None,
            simulated=True,
        )
        for i, row in enumerate(scores)
        for name, score in row.items()
    ]


def rewrite(path: Path, change: Any) -> None:
    """Pass every line of a file of records through `change`; None drops it."""
    rows = [change(json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows if row is not None), encoding="utf-8")
