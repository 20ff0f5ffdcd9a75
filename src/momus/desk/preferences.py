"""Preferences in the forms that TRL's trainers read: pairs (prompt, chosen, rejected) and unpaired (prompt,
completion, label), as conversations."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from momus.critique import render
from momus.desk.record_files import Pass, comparisons_of, preferred_of
from momus.desk.store.tables import Project
from momus.records import Comparison, Ranking, Rating, Task

Json = dict[str, Any]
GOOD, BAD = 5, 3  # overall scores from here on, and up to here, of the unpaired form


@dataclass(slots=True)
class Preferences:
    """`ties` counts the pairs that were left out as neither was preferred. `group_id` parts no comparison."""

    pairs: list[Json] = field(default_factory=list)
    unpaired: list[Json] = field(default_factory=list)
    ties: int = 0


def preferences(session: Session, project: Project, passed: Pass = "second") -> Preferences:
    """Rankings of critiques of one pass spelled out into pairs, and comparisons of answers."""
    found = Preferences()
    comparisons, ratings, rankings = comparisons_of(session, project, first=passed == "first")
    by_id = {comparison.id: comparison for comparison in comparisons}
    for ranking in rankings:
        _expand(by_id[ranking.comparison_id], ranking, found)
    found.unpaired = list(_labelled(by_id, ratings))
    for pair, made in preferred_of(session, project):
        if made.choice == 0:
            found.ties += 1
            continue
        chosen = 0 if made.choice < 0 else 1
        found.pairs.append(
            _pair(pair.question, pair.answers[chosen], pair.answers[1 - chosen])
            | {"group_id": pair.group or pair.id, "rater": made.rater, "split": "train", "margin": abs(made.choice)}
        )
    return found


def request(task: Task) -> str:
    """What a critic is asked, in words."""
    fence = "```"
    while fence in task.answer or fence in task.question:
        fence += "`"
    return (
        f"Review this answer: quote each piece of code that is wrong, and say why.\n\n{task.question}\n\n"
        f"{fence}{task.language}\n{task.answer}\n{fence}"
    )


def write_preferences(session: Session, project: Project, folder: Path, passed: Pass = "second") -> dict[str, int]:
    """`preferences.jsonl` and `unpaired.jsonl`; the counts, with the ties that were dropped."""
    found = preferences(session, project, passed)
    for name, rows in (("preferences", found.pairs), ("unpaired", found.unpaired)):
        write_rows(folder / f"{name}.jsonl", rows)
    return {"preferences": len(found.pairs), "unpaired": len(found.unpaired), "ties, left out": found.ties}


def write_rows(path: Path, rows: Iterable[Json]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    with partial.open("w", encoding="utf-8") as out:
        for row in rows:
            out.write(json.dumps(row, ensure_ascii=False) + "\n")
    partial.replace(path)


def _expand(comparison: Comparison, ranking: Ranking, found: Preferences) -> None:
    tiers = {i: tier for tier, members in enumerate(ranking.order) for i in members}
    task = comparison.task
    texts = {i: render(comparison.critiques[i].critique, task.answer, task.language) for i in tiers}
    for a, b in combinations(sorted(tiers, key=lambda i: (tiers[i], i)), 2):
        if tiers[a] == tiers[b] or texts[a] == texts[b]:
            found.ties += 1
            continue
        found.pairs.append(
            _pair(request(task), texts[a], texts[b])
            | {
                "group_id": comparison.id,
                "rater": ranking.rater,
                "split": task.split or "train",
                "margin": tiers[b] - tiers[a],
            }
        )


def _labelled(comparisons: dict[str, Comparison], ratings: Iterable[Rating]) -> Iterator[Json]:
    for rating in ratings:
        if rating.attribute != "overall" or rating.score is None or BAD < rating.score < GOOD:
            continue
        comparison = comparisons[rating.comparison_id]
        task = comparison.task
        text = render(comparison.critiques[rating.critique].critique, task.answer, task.language)
        yield {
            "prompt": [{"role": "user", "content": request(task)}],
            "completion": [{"role": "assistant", "content": text}],
            "label": rating.score >= GOOD,
            "group_id": comparison.id,
            "rater": rating.rater,
            "split": task.split or "train",
        }


def _pair(prompt: str, chosen: str, rejected: str) -> Json:
    return {
        "prompt": [{"role": "user", "content": prompt}],
        "chosen": [{"role": "assistant", "content": chosen}],
        "rejected": [{"role": "assistant", "content": rejected}],
    }
