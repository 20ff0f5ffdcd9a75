"""Findings that are known and lived with: a sorted JSON file that is kept in the repository."""

from __future__ import annotations

import json
import os
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from momus.decode import from_json
from momus.errors import MomusError
from momus.review.base import Disk, Files
from momus.review.config import Settings
from momus.review.finding import FileReport, Finding, Note
from momus.review.fingerprint import normal
from momus.review.links import refuse_leading_out
from momus.review.replacing import replace_file

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
    """What is known, by file. A finding is met by its fingerprint, or else by unit, category and quote.

    Paths of entries are relative to `folder`, the baseline's own. A file that is there no more keeps its entries for
    the file that it was moved to, where they are met by their fingerprints alone.
    """

    def __init__(self, known: Iterable[Known] = (), folder: Path | None = None) -> None:
        self.known = sorted(known)
        self._folder = folder
        self._by_path: dict[str, list[Known]] = defaultdict(list)
        for entry in self.known:
            self._by_path[entry.path].append(entry)
        gone = [path for path in self._by_path if folder is not None and not (folder / path).exists()]
        self._moved = [entry for path in gone for entry in self._by_path[path]]
        self._met: set[Known] = set()  # of those moved

    def name_of(self, path: Path, shown: str) -> str:
        """A file as the baseline names it; `shown` where the baseline lies in no folder."""
        if self._folder is None:
            return shown
        try:
            return os.path.relpath(path, self._folder).replace(os.sep, "/")
        except ValueError:  # another drive
            return path.as_posix()

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
        for at, finding in enumerate(findings):
            moved = next((e for e in self._moved if at not in met and _meets(e, finding, False)), None)
            if moved is not None:
                met[at] = moved
                self._moved.remove(moved)
                self._met.add(moved)
        new = [finding for at, finding in enumerate(findings) if at not in met]
        old = [
            replace(finding, state="baseline", reason=met[at].reason)
            for at, finding in enumerate(findings)
            if at in met
        ]
        return new, old

    def updated(self, files: Iterable[FileReport], root: Path | None = None) -> Baseline:
        """A baseline that also knows what is shown of these files, and forgets what is gone from them.

        Files that were not wholly reviewed, or not at all, keep what is known of them. `root` is what the files' paths
        are relative to.
        """
        named = {file.path: self.name_of((root or Path()) / file.path, file.path) for file in files}
        reviewed = {named[file.path]: file for file in files if file.error is None}
        kept = [entry for entry in self.known if entry.path not in reviewed and entry not in self._met]
        for path, file in reviewed.items():
            reasons = {entry.fingerprint: entry.reason for entry in self._by_path.get(path, ())}
            for finding in (*file.findings, *file.hidden):
                if finding.state in ("shown", "over-limit", "baseline"):
                    kept.append(_entry(path, finding, finding.reason or reasons.get(finding.fingerprint, "")))
        return Baseline(kept, self._folder)

    def dump(self) -> str:
        entries = [asdict(entry) for entry in self.known]
        return json.dumps({"schema_version": _VERSION, "findings": entries}, indent=2, ensure_ascii=False) + "\n"


def read_baseline(path: Path, files: Files | None = None) -> Baseline:
    """Read a baseline. Raises MomusError where it is missing, broken, of another version, or leads out by a link."""
    path = Path(os.path.abspath(path))  # noqa: PTH100 -- a link keeps its name
    try:
        body = from_json((files or Disk()).read(path).decode("utf-8"))
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
        known = [Known(**{str(k): str(v) for k, v in entry.items()}) for entry in body["findings"]]
    except (TypeError, AttributeError, KeyError):
        raise MomusError(f"the baseline {path} holds something that is no finding: write it anew") from None
    return Baseline(known, path.parent)


def write_baseline(path: Path, baseline: Baseline) -> None:
    """Write a baseline. Raises MomusError where it cannot be written, or would be out of its repository by a link."""
    refuse_leading_out(path, "the baseline")
    odd = next((entry.path for entry in baseline.known if not _is_text(entry.path)), None)
    if odd is not None:
        raise MomusError(f"{odd}: its name is not UTF-8, which a baseline cannot hold: rename it, or exclude it")
    try:
        replace_file(Path(os.path.realpath(path)), baseline.dump().encode("utf-8"))
    except OSError as error:
        raise MomusError(f"cannot write the baseline {path}: {error.strerror or error}") from None


class Baselines:
    """The baseline that holds for each file, as its settings name it; each is read once.

    `files` is where they are read from: the disk, or the commit that a change began from. One that is named and is not
    there is an error, but for `missing_ok`.
    """

    def __init__(self, root: Path, files: Files | None = None, *, missing_ok: bool = False) -> None:
        self.known: dict[Path, Baseline] = {}
        self._root = root
        self._files = files or Disk()
        self._missing_ok = missing_ok

    def of(self, settings: Settings) -> Baseline:
        """The baseline of files with these settings; an empty one where they name none. Raises MomusError."""
        path = self.path(settings)
        if path is None:
            return Baseline()
        if path not in self.known:
            fresh = self._missing_ok and not self._files.holds(path)
            self.known[path] = Baseline((), path.parent) if fresh else read_baseline(path, self._files)
        return self.known[path]

    def path(self, settings: Settings) -> Path | None:
        """Where the baseline of files with these settings is; None where they name none."""
        if not settings.baseline:
            return None
        return Path(os.path.abspath((settings.folder("baseline") or self._root) / settings.baseline))  # noqa: PTH100


def baseline_note(count: int) -> Note:
    return Note("baseline", f"{count} known from the baseline")


def _meets(entry: Known, finding: Finding, loose: bool) -> bool:
    if not loose:
        return entry.fingerprint == finding.fingerprint
    return (entry.unit, entry.category) == (finding.unit, finding.category) and normal(entry.quote) == normal(
        finding.quote
    )


def _is_text(path: str) -> bool:
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _entry(path: str, finding: Finding, reason: str) -> Known:
    return Known(
        path,
        finding.unit,
        finding.category,
        finding.quote,
        finding.fingerprint,
        finding.severity,
        reason,
    )
