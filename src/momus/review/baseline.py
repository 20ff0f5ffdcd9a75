"""Findings that are known and lived with: a sorted JSON file that is kept in the repository."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from momus.errors import MomusError
from momus.review.finding import FileReport, Finding, Note
from momus.review.fingerprint import normal

_VERSION = 1


@dataclass(frozen=True, slots=True, order=True)
class Known:
    """One finding of a baseline. `reason` is for people to fill in, and outlives every rewriting."""

    path: str
    unit: str
    category: str
    quote: str
    fingerprint: str
    severity: str = "medium"
    reason: str = ""


class Baseline:
    """What is known, by file. A finding is met by its fingerprint, or else by unit, category and quote."""

    def __init__(self, known: Iterable[Known] = ()) -> None:
        self.known = sorted(known)
        self._by_path: dict[str, list[Known]] = defaultdict(list)
        for entry in self.known:
            self._by_path[entry.path].append(entry)

    def part(self, path: str, findings: list[Finding]) -> tuple[list[Finding], list[Finding]]:
        """Findings of one file that are new, and those that are known. Each entry meets one finding only."""
        left = list(self._by_path.get(path, ()))
        met: dict[int, Known] = {}
        for loose in (False, True):  # exact ones first, so that an edit nearby takes no one else's entry
            for at, finding in enumerate(findings):
                entry = None if at in met else next((e for e in left if _meets(e, finding, loose)), None)
                if entry is not None:
                    met[at] = entry
                    left.remove(entry)
        new = [finding for at, finding in enumerate(findings) if at not in met]
        old = [
            replace(finding, state="baseline", reason=met[at].reason)
            for at, finding in enumerate(findings)
            if at in met
        ]
        return new, old

    def updated(self, files: Iterable[FileReport]) -> Baseline:
        """A baseline that also knows what is shown of these files, and forgets what is gone from them.

        Files that were not wholly reviewed, or not at all, keep what is known of them.
        """
        reviewed = {file.path: file for file in files if file.error is None}
        kept = [entry for entry in self.known if entry.path not in reviewed]
        for path, file in reviewed.items():
            reasons = {entry.fingerprint: entry.reason for entry in self._by_path.get(path, ())}
            for finding in (*file.findings, *file.hidden):
                if finding.state in ("shown", "over-limit", "baseline"):
                    kept.append(_entry(finding, finding.reason or reasons.get(finding.fingerprint, "")))
        return Baseline(kept)

    def dump(self) -> str:
        entries = [asdict(entry) for entry in self.known]
        return json.dumps({"schema_version": _VERSION, "findings": entries}, indent=2, ensure_ascii=False) + "\n"


def read_baseline(path: Path) -> Baseline:
    """Read a baseline. Raises MomusError where it is missing, broken or of another version."""
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise MomusError(f"there is no baseline {path}: write it with --write-baseline") from None
    except OSError as error:
        raise MomusError(f"cannot read the baseline {path}: {error.strerror or error}") from None
    except ValueError as error:
        raise MomusError(f"the baseline {path} is not JSON ({error}): write it anew with --write-baseline") from None
    version = body.get("schema_version") if isinstance(body, dict) else None
    if version != _VERSION:
        raise MomusError(f"the baseline {path} is of version {version}, not {_VERSION}: write it anew")
    try:
        return Baseline(Known(**{str(k): str(v) for k, v in entry.items()}) for entry in body["findings"])
    except (TypeError, AttributeError, KeyError):
        raise MomusError(f"the baseline {path} holds something that is no finding: write it anew") from None


def write_baseline(path: Path, baseline: Baseline) -> None:
    """Write a baseline. Raises MomusError where it cannot be written."""
    partial = path.with_name(path.name + ".partial")
    try:
        partial.write_text(baseline.dump(), encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        raise MomusError(f"cannot write the baseline {path}: {error.strerror or error}") from None


def baseline_note(count: int) -> Note:
    return Note("baseline", f"{count} known from the baseline")


def _meets(entry: Known, finding: Finding, loose: bool) -> bool:
    if not loose:
        return entry.fingerprint == finding.fingerprint
    return (entry.unit, entry.category) == (finding.unit, finding.category) and normal(entry.quote) == normal(
        finding.quote
    )


def _entry(finding: Finding, reason: str) -> Known:
    return Known(
        finding.path,
        finding.unit,
        finding.category,
        finding.quote,
        finding.fingerprint,
        finding.severity,
        reason,
    )
