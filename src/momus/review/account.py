"""The account of a review: what was asked for, what was read, what was left out and why. Exit code and summary follow
from it, whatever was asked for: files, folders, standard input, a diff or a patch.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from momus.critique import SEVERITIES

if TYPE_CHECKING:
    from momus.review.finding import FileReport, Report, Why


@dataclass(frozen=True, slots=True)
class Account:
    """Files by what became of them. Each file that was to be read is in exactly one of the first five counts."""

    read: int  # wholly; an empty file is
    in_part: int  # something of it was not read
    unread: int
    silenced: int  # left alone, as a comment in it asks
    foreign: int  # in another language
    not_reached: int  # after an interrupt
    left_out: Mapping[Why, int]  # never to be read
    interrupted: bool = False
    blind: bool = False  # the critic had nothing to go by anywhere

    @property
    def asked(self) -> int:
        """How many files were to be read."""
        return self.read + self.in_part + self.unread + self.silenced + self.foreign + self.not_reached

    @property
    def complete(self) -> bool:
        """Whether everything that was to be read was read."""
        return not (self.in_part or self.unread or self.not_reached or self.interrupted or self.blind)


def account(report: Report) -> Account:
    """Count what became of each file of a review."""
    counts = Counter(_became(file) for file in report.files)
    return Account(
        read=counts["read"],
        in_part=counts["in part"],
        unread=counts["unread"],
        silenced=counts["silenced"],
        foreign=counts["foreign"],
        not_reached=max(0, report.planned - len(report.files)),
        left_out=Counter(one.why for one in report.left_out),
        interrupted=report.interrupted,
        blind=report.units > 0 and sum(report.lacking.values()) == report.units,
    )


def exit_code(report: Report, fail_on: Callable[[FileReport], str], *, exit_zero: bool = False) -> int:
    """130 after an interrupt, 2 where something was not read, 1 where a finding reaches what its file is to fail on."""
    if report.interrupted:
        return 130
    if not report.complete:
        return 2
    return 1 if not exit_zero and fails(report, fail_on) else 0


def fails(report: Report, fail_on: Callable[[FileReport], str]) -> bool:
    """Whether a finding is at or above the severity that its file is to fail on."""
    for file in report.files:
        limit = fail_on(file)
        if limit != "never" and any(
            SEVERITIES.index(finding.severity) >= SEVERITIES.index(limit) for finding in file.findings
        ):
            return True
    return False


def read_in_part(file: FileReport) -> bool:
    """Whether a file with an error was reviewed apart from what the error names."""
    return file.units > 0 or bool(file.findings or file.hidden)


def _became(file: FileReport) -> str:
    kinds = {note.kind for note in file.notes}
    if file.error is not None:
        return "in part" if read_in_part(file) else "unread"
    if "left-out" in kinds:
        return "in part"
    if "ignored-file" in kinds:
        return "silenced"
    return "foreign" if "not-python" in kinds else "read"
