"""A run's folder as a report reads it: record files and results, by their names."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from momus.decode import from_json
from momus.errors import MomusError
from momus.measure import blindspots
from momus.measure.ballots import Panel
from momus.measure.splits import refuse_shared
from momus.measure.summary import Summary, summarise
from momus.records import Choice, Comparison, Ranking, Rating, Record, Sampled, read_jsonl

R = TypeVar("R", bound=Record)

COMPARISONS, RATINGS, RANKINGS, CHOICES = "comparisons.jsonl", "ratings.jsonl", "rankings.jsonl", "choices.jsonl"
MANIFEST = "manifest.json"  # of momus rate
EVIDENCE = "evidence"  # where a study keeps what its report is made of
SCALING, DISCRIMINATORS, AUDIT = "scaling.json", "discriminators.json", "audit.json"
READ = (
    f"{COMPARISONS}, {RATINGS}, {RANKINGS}, critiques*.jsonl, {CHOICES}, {SCALING}, {DISCRIMINATORS}, {AUDIT}, "
    f"{blindspots.FILE}, and the results of momus measure -o and momus study"
)


@dataclass(frozen=True, slots=True)
class Source:
    """What one folder holds. `measured` are the data sets of `momus measure` by file, `arms` a study's results.

    `commands` are those that made the files, by file, and `notes` what a reader has to know, where a manifest tells.
    """

    name: str
    panel: Panel | None = None
    summary: Summary | None = None
    critiques: tuple[Sampled, ...] = ()
    choices: tuple[Choice, ...] = ()
    measured: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    arms: tuple[str, Mapping[str, Any]] | None = None
    scaling: Mapping[str, Any] | None = None
    discriminators: Mapping[str, Any] | None = None
    audit: Mapping[str, Any] | None = None
    card: blindspots.Card | None = None
    files: tuple[str, ...] = ()
    commands: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    draws: int = 1000
    seed: int = 0


def read_source(folder: Path, *, draws: int = 1000, seed: int = 0) -> Source:
    """Read a folder of records, or of a study. Raises MomusError where it is none, holds nothing to report on, or a
    file in it cannot be read.

    Comparisons whose tasks stand in two splits are refused.
    """
    if not folder.is_dir():
        raise MomusError(f"{folder} is no folder: give the folder that holds the records of a run")
    name = folder.resolve().name
    if (folder / EVIDENCE / MANIFEST).is_file():
        folder = folder / EVIDENCE
    comparisons = _records(folder / COMPARISONS, Comparison)
    panel = None
    if comparisons:
        refuse_shared(comparison.task for comparison in comparisons)
        panel = Panel(comparisons, _records(folder / RATINGS, Rating), _records(folder / RANKINGS, Ranking))
    critiques = tuple(s for path in sorted(folder.glob("critiques*.jsonl")) for s in _records(path, Sampled))
    choices = tuple(_records(folder / CHOICES, Choice))
    measured: list[tuple[str, Mapping[str, Any]]] = []
    arms = None
    for path in sorted(folder.glob("*.json")):
        body = _json(path)
        if isinstance(body.get("data"), list) and "draws" in body:
            measured += [(path.name, data) for data in body["data"]]
        elif isinstance(body.get("arms"), list):
            arms = (path.name, body)
    named = {name: _json(folder / name) if (folder / name).is_file() else None for name in _NAMED}
    names = (COMPARISONS, RATINGS, RANKINGS, CHOICES, *_NAMED, blindspots.FILE)
    files = [name for name in names if (folder / name).is_file()]
    files += sorted(path.name for path in folder.glob("critiques*.jsonl"))
    files += sorted({name for name, _ in measured} | ({arms[0]} if arms else set()))
    if not files:
        raise MomusError(f"{folder} holds nothing to report on: a report reads {READ}")
    return Source(
        name=name,
        panel=panel,
        summary=summarise(panel, draws=draws, seed=seed)
        if panel is not None and panel.ratings + len(panel.rankings)
        else None,
        critiques=critiques,
        choices=choices,
        measured=tuple(measured),
        arms=arms,
        scaling=named[SCALING],
        discriminators=named[DISCRIMINATORS],
        audit=named[AUDIT],
        card=blindspots.load(folder),
        files=tuple(dict.fromkeys(files)),
        commands=_commands(folder),
        notes=tuple(map(str, _json(folder / MANIFEST).get("notes", ()))) if (folder / MANIFEST).is_file() else (),
        draws=draws,
        seed=seed,
    )


_NAMED = (SCALING, DISCRIMINATORS, AUDIT)


def _records(path: Path, kind: type[R]) -> list[R]:
    if not path.is_file():
        return []
    try:
        return list(read_jsonl(path, kind))
    except OSError as error:
        raise MomusError(f"can't read {path}: {error.strerror or error}") from None


def _json(path: Path) -> Mapping[str, Any]:
    try:
        body = from_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise MomusError(f"can't read {path}: {error}: mend it, or take it out of the folder") from None
    return body if isinstance(body, dict) else {}


def _of_settings(settings: object) -> str | None:
    """The command of a manifest that keeps the settings: verb, rater and seed."""
    if not isinstance(settings, dict) or "verb" not in settings:
        return None
    words = ["momus", str(settings["verb"])]
    words += [word for name in ("rater", "seed") if name in settings for word in (f"--{name}", str(settings[name]))]
    return shlex.join(words)


def _commands(folder: Path) -> dict[str, str]:
    """What manifests and results in the folder say made them."""
    found = {}
    for path in sorted(folder.glob("*.json")):
        body = _json(path)
        command = body.get("command") or _of_settings(body.get("settings"))
        if isinstance(command, str):
            names = (COMPARISONS, RATINGS, RANKINGS) if path.name == MANIFEST else (path.name,)
            found.update(dict.fromkeys(names, command))
    return found
