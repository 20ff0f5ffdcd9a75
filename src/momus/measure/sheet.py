"""Comments drawn by seed for a judge who sees neither label nor twin, and the count of the verdicts."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from momus.critics import Critic
from momus.critique import Comment, TextMap
from momus.errors import MomusError
from momus.measure.binomial import exact
from momus.measure.item import Item
from momus.measure.runs import gather
from momus.measure.scores import in_place
from momus.records import Tamper, Task, versioned

VERDICTS = ("useful", "true", "false")  # true and useful; true but not useful; false
Kind = Literal["right", "shown"]


@dataclass(frozen=True, slots=True)
class Shown:
    """A comment with all that its judge may see, and where it is from, which the judge does not."""

    task: Task
    comment: Comment
    origin: str

    def row(self, number: int) -> dict[str, Any]:
        """One line of the sheet."""
        text = TextMap(self.task.answer)
        return {
            "n": number,
            "question": self.task.question,
            "context": self.task.context,
            "code": self.task.answer,
            "line": text.line(self.comment.highlight.start),
            "highlight": self.comment.highlight.of(self.task.answer),
            "category": self.comment.category,
            "severity": self.comment.severity,
            "text": self.comment.text,
            "suggestion": self.comment.suggestion,
        }


def comments(
    critic: Critic, sets: Mapping[str, Sequence[Tamper | Task]], kind: Kind, *, seed: int, runs: Path
) -> list[Shown]:
    """`right`: the first comment of each buggy answer, where its place is right. `shown`: every comment on clean code.

    Critiques are read from `runs`, and made where they are not there.
    """
    found: list[Shown] = []
    for name, items in sets.items():
        known = [Item.of(item) if isinstance(item, Tamper) else versioned(item) for item in items]
        tasks = [item.task if isinstance(item, Item) else item for item in known]
        said = gather(critic, tasks, seed=seed, folder=runs)
        for item, task in zip(known, tasks, strict=True):
            critique = said[task.id].critique.comments
            if kind == "shown" and not isinstance(item, Item):
                found += [Shown(task, comment, name) for comment in critique]
            elif kind == "right" and isinstance(item, Item) and critique and in_place(critique[0], item):
                found.append(Shown(task, critique[0], name))
    return found


def draw(found: Sequence[Shown], n: int, seed: int) -> list[Shown]:
    """So many at random, or all in a random order where there are fewer."""
    return random.Random(seed).sample(list(found), min(n, len(found)))


def write_sheet(path: Path, drawn: Sequence[Shown], about: Mapping[str, Any]) -> None:
    """The sheet, and beside it `NAME.key.json`: what it was drawn from, and where each comment is from."""
    lines = [json.dumps(one.row(number), ensure_ascii=False) for number, one in enumerate(drawn, 1)]
    key = {**about, "n": len(drawn), "origin": {str(i): [one.origin, one.task.id] for i, one in enumerate(drawn, 1)}}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
        path.with_suffix(".key.json").write_text(json.dumps(key, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise MomusError(f"can't write {path}: {error.strerror or error}: choose another file") from None


def count(verdicts: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """How many of each verdict, and the share of `useful` with its exact 95% interval. MomusError on any other."""
    said = [str(one.get("verdict")) for one in verdicts]
    if unknown := sorted(set(said) - set(VERDICTS)):
        raise MomusError(f"{unknown[0]!r} is no verdict: give one of {', '.join(VERDICTS)}")
    if not said:
        raise MomusError("there are no verdicts to count")
    counted = Counter(said)
    low, high = exact(counted["useful"], len(said))
    share = {"useful": counted["useful"] / len(said), "low": low, "high": high}
    return {"n": len(said), **{name: counted[name] for name in VERDICTS}, "share": share}
