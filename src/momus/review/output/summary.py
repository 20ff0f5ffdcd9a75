"""The closing words of a review, the same in every format: what was found, what is not shown, what was not read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from momus.critique import SEVERITIES
from momus.review.account import account
from momus.review.finding import FileReport, NoteKind, Report, State, Why

_HIDDEN: dict[State, str] = {
    "ignored": "ignored by a comment in the code",
    "baseline": "known from the baseline",
    "below-confidence": "below the asked confidence",
    "over-limit": "over the limit",
    "refuted": "refuted by the file",
}
# What was left out of the review, and how it is counted. Settings that do not hold are told one by one alone.
_LEFT_OUT: dict[Why, tuple[str, str]] = {
    "excluded": ("file", " excluded"),
    "link": ("link", " passed by"),
    "repository": ("repository", " passed by"),
}
# Said as a count, not line by line: the findings behind the first five are counted by state.
_COUNTED: frozenset[NoteKind] = frozenset(
    ("ignored", "baseline", "below-confidence", "over-limit", "refuted", "empty", "byte-order-mark", "not-reviewed")
)


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing to say about a file that is no finding: why it was not reviewed, or what of it was left out."""

    file: FileReport
    line: int | None  # of the file's text, from 1
    text: str
    kind: NoteKind | Why | Literal["not-reviewed"]

    @property
    def failed(self) -> bool:
        return self.kind == "not-reviewed"

    @property
    def where(self) -> str:
        """`path`, `path:line`, or `path:cell N:line` in a notebook."""
        if self.line is None:
            return self.file.path
        place = self.file.cell(self.line)
        return (
            f"{self.file.path}:{self.line}" if place is None else f"{self.file.path}:cell {place[0].number}:{place[1]}"
        )

    @property
    def disk_line(self) -> int | None:
        """The line of the file on disk, where that can be said: a notebook there is JSON."""
        return None if self.file.is_notebook else self.line


def summary_line(report: Report) -> str:
    """For example "2 findings in 3 files (1 high, 1 medium); 1 file not reviewed; 2 files excluded"."""
    told = account(report)
    found = len(report.findings)
    line = (
        f"{_count(found, 'finding') if found else 'No findings'} in "
        f"{_count(told.asked - told.unread - told.not_reached, 'file')}"
    )
    if found:
        line += f" ({', '.join(f'{n} {severity}' for severity, n in _falling(report) if n)})"
    if told.unread:
        line += f"; {_count(told.unread, 'file')} not reviewed"
    if partly := told.in_part - len({file.path for file, _ in report.parts_left_out if file.error is None}):
        line += f"; {_count(partly, 'file')} reviewed in part"
    for what, number in report.lacking.items():
        line += f"; {report.units - number} of {_count(report.units, 'unit')} had {what}, the others were not reviewed"
    if report.parts_left_out:
        line += f"; {_count(len(report.parts_left_out), 'part')} left out"
    if told.silenced:
        line += f"; {_count(told.silenced, 'file')} left alone as a comment asks"
    line += "".join(f"; {_count(told.left_out[w], *words)}" for w, words in _LEFT_OUT.items() if w in told.left_out)
    if report.interrupted:
        line += "; interrupted" + (f", {_count(told.not_reached, 'file')} not reached" if told.not_reached else "")
    return line


def hidden_line(report: Report) -> str:
    """What is not shown and why, or ""; for example "Not shown: 2 known from the baseline, 1 over the limit."."""
    hidden = report.hidden
    parts = [f"{hidden[state]} {words}" for state, words in _HIDDEN.items() if hidden.get(state)]
    sentences = [f"Not shown: {', '.join(parts)}."] if parts else []
    if empty := sum(1 for file in report.files if any(note.kind == "empty" for note in file.notes)):
        sentences.append(f"Nothing to review in {_count(empty, 'empty file')}.")
    return " ".join(sentences)


def notices(report: Report) -> Iterator[Notice]:
    """Every failure and every note that needs its own line, failures first."""
    for file in report.failed:
        yield Notice(file, None, file.error or "", "not-reviewed")
    for file in report.files:
        for note in file.notes:
            if note.kind not in _COUNTED:
                yield Notice(file, note.line, note.text, note.kind)
    for left in report.left_out:
        if left.why != "excluded":
            yield Notice(FileReport(left.path), None, left.text, left.why)


def percent(confidence: float | None) -> str:
    """A confidence for people: "82%", or "" where the critic gave none."""
    return "" if confidence is None else f"{confidence:.0%}"


def _falling(report: Report) -> Iterator[tuple[str, int]]:
    totals = report.totals
    for severity in reversed(SEVERITIES):
        yield severity, totals[severity]


def _count(number: int, what: str, then: str = "") -> str:
    plural = what.removesuffix("y") + "ies" if what.endswith("y") else f"{what}s"
    return f"{number} {what if number == 1 else plural}{then}"
