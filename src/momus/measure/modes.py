"""One local critic in several ways to compute: what one threshold finds and flags in each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

from momus.critics.local.scan import LineSuspicion
from momus.measure.item import Item
from momus.measure.runs import shown
from momus.records import Record, Tamper, Task

WAYS: dict[str, dict[str, Any]] = {
    "fast": {"mode": "fast"},
    "fast without bf16": {"mode": "fast", "bf16": False},
    "exact": {"mode": "exact"},
}  # what a local critic is opened with
SHARES = (0.025, 0.05, 0.1)  # of the twins, flagged by the first way at the thresholds that are looked at


class Suspects(Protocol):
    """A critic that tells the lines of an answer by their suspicion, highest first."""

    def suspicions(self, task: Task) -> list[LineSuspicion]: ...


class Scanned(Record):
    """The highest suspicion of an answer (nats), whether its line is a bug's, and the highest of the clean twin."""

    task_id: str
    score: float
    right: bool
    twin_score: float


Watch = Callable[[Sequence[Tamper]], Iterable[Tamper]]


def scan_all(critic: Suspects, items: Sequence[Tamper], watch: Watch = lambda items: items) -> list[Scanned]:
    """The most suspicious line of each answer and of its twin, without fixes."""
    found = []
    for tamper in watch(items):
        item = Item.of(tamper)
        lines, twins = critic.suspicions(shown(item.task)), critic.suspicions(shown(item.twin))
        bug = {line for bug in item.bug_lines for line in bug}
        found.append(
            Scanned(
                task_id=item.task.id,
                score=lines[0].score if lines else 0.0,
                right=bool(lines) and lines[0].line in bug,
                twin_score=twins[0].score if twins else 0.0,
            )
        )
    return found


def threshold(scanned: Sequence[Scanned], share: float) -> float:
    """Midway between the last twin that this share of the twins lets be flagged, and the one behind it."""
    scores = [*sorted((one.twin_score for one in scanned), reverse=True), 0.0]
    n = max(int(share * len(scanned)), 1)
    return (scores[n - 1] + scores[n]) / 2


def compared(ways: Mapping[str, Sequence[Scanned]]) -> list[dict[str, Any]]:
    """A row for each threshold and way: shares of right lines first, of bugs found and of twins flagged.

    Found: the most suspicious line is a bug's and reaches the threshold. Thresholds are those of the first way. `apart`
    is by how much its share found, or its share of twins flagged, differs from the first way's, whichever is more.
    """
    names = list(ways)
    rows = []
    for share in SHARES:
        least = threshold(ways[names[0]], share)
        base: tuple[float, float] | None = None
        for name in names:
            scanned = ways[name]
            first = sum(one.right for one in scanned) / len(scanned)
            found = sum(one.right and one.score >= least for one in scanned) / len(scanned)
            flagged = sum(one.twin_score >= least for one in scanned) / len(scanned)
            base = base or (found, flagged)
            apart = max(abs(found - base[0]), abs(flagged - base[1]))
            rows.append(
                {
                    "threshold": least,
                    "way": name,
                    "n": len(scanned),
                    "first": first,
                    "found": found,
                    "flagged": flagged,
                    "apart": apart,
                }
            )
    return rows


def table(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """The rows in markdown, shares in percent."""
    lines = [
        "| threshold | computed | n | right line first % | found % | twins flagged % | apart, points |",
        "| ---: | --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for row in rows:
        shares = " | ".join(f"{100 * row[key]:.1f}" for key in ("first", "found", "flagged", "apart"))
        lines.append(f"| {row['threshold']:.2f} | {row['way']} | {row['n']} | {shares} |")
    return lines
