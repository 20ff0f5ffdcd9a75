"""What a review hands to whoever shows it: findings by file, and what was not looked at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from momus.critique import SEVERITIES, Comment, Severity, Span
from momus.review.account import account

State = Literal["shown", "ignored", "baseline", "below-confidence", "over-limit", "refuted"]
Why = Literal[
    "excluded",  # by the setting `exclude`
    "link",  # one that leads out of the reviewed code, or one in a diff
    "repository",  # another one, within the one whose diff it is
    "settings",  # a file of settings, or a baseline, that the reviewed change alters and that does not hold for it
]
NoteKind = Literal[
    "syntax-error",  # could not be parsed; reviewed as plain text
    "byte-order-mark",  # a mark stands before the text; no offset counts it
    "empty",  # nothing to review
    "left-out",  # a part that the critic could not take in
    "not-reviewed",  # a unit that has nothing of what the critic goes by, such as examples
    "cut-off",  # a critique that broke off at its longest
    "ignored",  # findings silenced by comments in the file
    "ignored-file",  # the whole file is silenced by a comment
    "ignore-without-reason",
    "ignore-unused",
    "ignore-unknown-category",
    "ignore-not-understood",
    "baseline",  # findings known from the baseline
    "below-confidence",  # findings under --min-confidence
    "over-limit",  # findings beyond --max-findings
    "refuted",  # findings that a look at the file shows to be wrong
    "not-python",  # a notebook in another language
]


@dataclass(frozen=True, slots=True)
class Cell:
    """A code cell of a notebook: `number` counts code cells from 1; it fills lines start_line..end_line of the text."""

    number: int
    id: str | None
    index: int  # 0-based, among all cells of the notebook
    start_line: int
    end_line: int  # inclusive


@dataclass(frozen=True, slots=True)
class Note:
    """Something said about a file that is no finding. `line` is 1-based, None where it is about the whole file."""

    kind: NoteKind
    text: str  # one sentence
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One comment on one file. Positions are code points of the file's text; lines and columns count from 1.

    `path` is relative to the report's root, with forward slashes, also on Windows. `end_line`/`end_column` are
    exclusive, as SARIF has them: the column after the last code point. The quote may run over several lines.
    """

    path: str
    span: Span
    comment: Comment  # its highlight is `span`
    critic: str
    fingerprint: str  # 32 hex digits; survives edits elsewhere in the file; unique within a file
    unit: str  # qualified name of the function, method or class; "<module>" for code outside them
    quote: str
    start_line: int
    start_column: int
    end_line: int
    end_column: int
    state: State = "shown"
    reason: str = ""  # why it is ignored, or known: the person's own words

    @property
    def severity(self) -> Severity:
        return self.comment.severity

    @property
    def category(self) -> str:
        return self.comment.category

    @property
    def shown(self) -> bool:
        return self.state == "shown"


@dataclass(frozen=True, slots=True)
class FileReport:
    """One file. `findings` are those to show, in order of position; `hidden` those that are not, and why.

    `text` is the source as decoded, line endings untouched; for a notebook, its code cells joined (see `cells`).
    `error` is one sentence: the file, or a part of it, was not reviewed. There may still be findings of the rest.
    """

    path: str
    text: str = ""
    findings: tuple[Finding, ...] = ()
    hidden: tuple[Finding, ...] = ()
    notes: tuple[Note, ...] = ()
    error: str | None = None
    cells: tuple[Cell, ...] = ()
    units: int = 0  # how many were put to the critic
    cached: int = 0  # of these, how many were answered from the cache
    lacking: Mapping[str, int] = field(default_factory=dict)  # what the critic goes by -> units that had none of it
    encoding: str = "utf-8"  # of the file on disk
    byte_order_mark: bool = False  # one stands before the text on disk

    @property
    def is_notebook(self) -> bool:
        return bool(self.cells) or self.path.endswith(".ipynb")

    def cell(self, line: int) -> tuple[Cell, int] | None:
        """The notebook cell that holds a 1-based line of `text`, and the 1-based line within it."""
        for cell in self.cells:
            if cell.start_line <= line <= cell.end_line:
                return cell, line - cell.start_line + 1
        return None

    def where(self, finding: Finding) -> str:
        """`path:line:column`, or `path:cell N:line:column` in a notebook: what a person clicks on or looks up."""
        place = self.cell(finding.start_line)
        if place is None:
            return f"{finding.path}:{finding.start_line}:{finding.start_column}"
        cell, line = place
        return f"{finding.path}:cell {cell.number}:{line}:{finding.start_column}"


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A path that was asked for, or found, and that nobody was to read, or settings that do not hold; and why."""

    path: str  # relative to the report's root
    why: Why
    text: str  # one sentence


@dataclass(frozen=True, slots=True)
class Report:
    """A whole review. `files` are in a stable order, one for each file looked at, with or without findings."""

    files: tuple[FileReport, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    critic: str = ""
    version: str = ""  # of momus
    root: str = ""  # absolute, with forward slashes: what the paths are relative to
    settings: Mapping[str, object] = field(default_factory=dict)  # as used, for the record
    seconds: float = 0.0
    interrupted: bool = False
    planned: int = 0  # files that were to be reviewed; more than len(files) after an interrupt
    account: str = ""  # what a critic on a server was asked and used, in words

    @property
    def findings(self) -> tuple[Finding, ...]:
        return tuple(self)

    def __iter__(self) -> Iterator[Finding]:
        for file in self.files:
            yield from file.findings

    @property
    def failed(self) -> tuple[FileReport, ...]:
        """Files that were not, or not wholly, reviewed."""
        return tuple(file for file in self.files if file.error is not None)

    @property
    def parts_left_out(self) -> tuple[tuple[FileReport, Note], ...]:
        """What the critic could not take in, of files reviewed otherwise."""
        return tuple((file, note) for file in self.files for note in file.notes if note.kind == "left-out")

    @property
    def totals(self) -> dict[Severity, int]:
        """Findings shown, by severity, all three keys present."""
        counts: dict[Severity, int] = dict.fromkeys(SEVERITIES, 0)
        for finding in self:
            counts[finding.severity] += 1
        return counts

    @property
    def hidden(self) -> dict[State, int]:
        """Findings not shown, by why."""
        counts: dict[State, int] = {}
        for file in self.files:
            for finding in file.hidden:
                counts[finding.state] = counts.get(finding.state, 0) + 1
        return counts

    @property
    def lacking(self) -> dict[str, int]:
        """What the critic goes by, and how many units had none of it, so that its silence on them says nothing."""
        counts: dict[str, int] = {}
        for file in self.files:
            for what, number in file.lacking.items():
                counts[what] = counts.get(what, 0) + number
        return counts

    @property
    def units(self) -> int:
        """How many units were put to the critic."""
        return sum(file.units for file in self.files)

    @property
    def complete(self) -> bool:
        """Everything that was to be read was read, as `momus.review.account` has it."""
        return account(self).complete
