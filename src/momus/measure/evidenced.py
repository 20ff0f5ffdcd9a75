"""What running says of a critic's first claim on each answer, before its gate: of right claims, and of false ones."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from momus.badges import BADGES, Badge
from momus.critique import Critique
from momus.evidence.witness import Prover as Evidencer
from momus.match import apply_suggestion
from momus.measure.assessed import Assesses
from momus.measure.binomial import exact
from momus.measure.item import Item
from momus.measure.runs import append, read_kept, shown
from momus.measure.scores import Prover, fixes
from momus.records import Record, Tamper, Task

Watch = Callable[[Iterable[Tamper]], Iterable[Tamper]]


class Told(Record):
    """The badge of one first claim, "" where it has none. `right`: its suggestion undoes the bug, or makes the tests
    pass. `tested`: the badge, where the data's tests may judge too. `said` is the evidence in words, to be read one by
    one; `seconds` are those of the evidence."""

    task_id: str
    group: str
    twin: bool
    right: bool
    badge: Badge | str = ""
    tested: Badge | str = ""
    said: str = ""
    seconds: float = 0.0


def first_claims(
    critic: Assesses,
    items: Sequence[Tamper],
    evidencer: Evidencer,
    passes: Prover,
    *,
    folder: Path | None = None,
    watch: Watch = lambda items: items,
) -> list[Told]:
    """The evidence on the first claim of each tampered answer and of its twin. What stands in `folder` is not done
    again. Raises MomusError where there is no sandbox."""
    path = None if folder is None else folder / "evidence.jsonl"
    known = {} if path is None else {one.task_id: one for one in read_kept(path, Told)}
    found: list[Told] = []
    for tamper in watch(items):
        item = Item.of(tamper)
        for task, twin in ((item.task, False), (item.twin, True)):
            if task.id not in known:
                told = _told(critic, item, task, twin, evidencer, passes)
                if told is None:
                    continue
                known[task.id] = told
                if path is not None:
                    append(path, told)
            found.append(known[task.id])
    return found


def _told(critic: Assesses, item: Item, task: Task, twin: bool, evidencer: Evidencer, passes: Prover) -> Told | None:
    comments = critic.assess(shown(task)).comments
    if not comments:
        return None
    comment = comments[0][1]
    right = not twin and bool(fixes(comment, item, passes))
    began = time.monotonic()
    (said,) = evidencer.critique(task.model_copy(update={"tests": None}), Critique((comment,)))
    seconds = time.monotonic() - began
    badge: Badge | str = said.evidence.badge if said.evidence is not None else ""
    tested = badge
    if task.tests is not None and badge not in ("proved", "disproved") and comment.suggestion is not None:
        mended = apply_suggestion(task.answer, comment.highlight, comment.suggestion)
        before, after = passes(task, task.answer), passes(task, mended)
        tested = badge if before == after else "proved" if after else "disproved"
    return Told(
        task_id=task.id,
        group=item.group,
        twin=twin,
        right=right,
        badge=badge,
        tested=tested,
        said=said.evidence.text if said.evidence is not None else "",
        seconds=round(seconds, 2),
    )


def rates(told: Sequence[Told], *, tests: bool = False) -> dict[str, Any]:
    """Of right and of false claims: how many, how many with each badge, and the two shares that matter, with exact
    95% intervals; claims without a badge count as none of them. `contradicted` is the share of all claims on clean
    twins that an input contradicts: fake problems that were measured."""
    kinds = {
        "right": ([one for one in told if one.right], ("proved", "differs", "outvoted")),
        "false": ([one for one in told if not one.right], ("no-difference", "disproved")),
        "on twins": ([one for one in told if one.twin], ("disproved",)),
    }
    found: dict[str, Any] = {}
    for kind, (claims, wanted) in kinds.items():
        counts = Counter(one.tested if tests else one.badge for one in claims)
        hits = sum(counts[badge] for badge in wanted)
        low, high = exact(hits, len(claims)) if claims else (0.0, 1.0)
        found[kind] = {
            "claims": len(claims),
            "badges": {badge: counts[badge] for badge in ("", *BADGES) if counts[badge]},
            "share": hits / len(claims) if claims else None,
            "low": low,
            "high": high,
        }
    found["seconds_per_comment"] = round(sum(one.seconds for one in told) / len(told), 2) if told else None
    return found


def table(label: str, without: dict[str, Any], tested: dict[str, Any]) -> Iterator[str]:
    """The rates as lines of markdown."""
    yield f"**{label}**: first claims before the gate; {without['seconds_per_comment']} s of running each"
    yield ""
    yield "| claims | of | share without the data's tests | with them | badges without |"
    yield "| --- | ---: | ---: | ---: | --- |"
    names = {
        "right": "right, proved or differs or outvoted",
        "false": "false, no difference found or disproved",
        "on twins": "on clean twins, disproved",
    }
    for kind, name in names.items():
        row, other = without[kind], tested[kind]
        badges = ", ".join(f"{badge or 'none'} {count}" for badge, count in row["badges"].items())
        yield f"| {name} | {row['claims']} | {_share(row)} | {_share(other)} | {badges} |"


def _share(row: dict[str, Any]) -> str:
    if row["share"] is None:
        return "–"
    return f"{100 * row['share']:.0f}% ({100 * row['low']:.0f}–{100 * row['high']:.0f})"
