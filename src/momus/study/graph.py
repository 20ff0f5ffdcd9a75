"""Stages in their order: each writes one folder, is run once, and goes on where it was killed.

`OUT/NAME/` holds what a stage wrote and `OUT/NAME.manifest.json` how it came about. A stage is known by its settings
and by those of all that it builds on. Where they have changed, what stands in the folder is of another study: it is
refused, or begun again. What a stage wrote is known by the hashes of its result files.
"""

from __future__ import annotations

import hashlib
import json
import platform
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from momus import __version__
from momus.corpus.build import file_hash
from momus.decode import from_json
from momus.errors import MomusError
from momus.git import commit

LIBRARIES = ("numpy", "torch", "transformers", "tokenizers", "onnxruntime")
COMPUTE = "compute.json"  # in the folder of a stage that counts what it costs: its `flops` go into the manifest
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Job:
    """What a stage is given: its folder, those of its inputs by stage name, and how many minutes it may take."""

    folder: Path
    inputs: Mapping[str, Path]
    minutes: float | None = None
    jobs: int = 1
    say: Say = lambda line: None


@dataclass(frozen=True, slots=True)
class Stage:
    """One step of a study.

    `run` writes `results` (names of files in its folder) and returns True once they stand, or False where its minutes
    are up; called again it goes on. `settings` are JSON values: with the inputs they decide the results. `given` is a
    folder that another run has left: nothing is run then, nor needed.
    """

    name: str
    run: Callable[[Job], bool]
    results: tuple[str, ...]
    inputs: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    given: Path | None = None


def in_order(stages: Sequence[Stage], only: str | None = None) -> list[Stage]:
    """The stages, each behind those it needs. `only` keeps the stage of that name and what it needs.

    A name before the last dash stands for all of its kind: `sft` for `sft-1` and `sft-2`. Raises MomusError where there
    is no such stage, ValueError where stages need each other or one that is not there.
    """
    by_name = {stage.name: stage for stage in stages}
    if only is None:
        wanted = list(by_name)
    else:
        wanted = [name for name in by_name if name == only or name.startswith(f"{only}-")]
    if not wanted:
        raise MomusError(f"this study has no stage {only}: its stages are {', '.join(by_name)}")
    ordered: dict[str, Stage] = {}

    def take(name: str, waiting: tuple[str, ...]) -> None:
        if name in waiting or name not in by_name:
            raise ValueError(f"the stage {name} cannot be reached: {' -> '.join((*waiting, name))}")
        if name not in ordered:
            for needed in by_name[name].inputs if by_name[name].given is None else ():
                take(needed, (*waiting, name))
            ordered[name] = by_name[name]

    for name in wanted:
        take(name, ())
    return list(ordered.values())


def run(
    stages: Sequence[Stage],
    out: Path,
    *,
    redo: bool = False,
    minutes: float | None = None,
    jobs: int = 1,
    say: Say = lambda line: None,
) -> bool:
    """Run what is not finished, in the order given (see `in_order`). False where `minutes` were up before the end.

    Raises MomusError, before anything is run, where a folder holds the stage of other settings: with `redo` it is
    begun again, and all that builds on it.
    """
    identities = _identities(stages)
    with _locked(out):
        for stage in stages:
            changed = _changed(stage, out, identities)
            if changed and not redo:
                raise MomusError(f"{out / stage.name} {changed}: add --redo to begin it again, or name another --out")
            if changed:
                _remove(out, stage.name)
        began = time.monotonic()
        for stage in stages:
            if stage.given is not None or _is_finished(stage, out, stages, redo):
                continue
            left = None if minutes is None else minutes - (time.monotonic() - began) / 60
            if left is not None and left <= 0:
                return False
            if not _run_one(stage, out, stages, identities[stage.name], Job(out, {}, left, jobs, say)):
                say(f"{stage.name}: stopped; run again to go on")
                return False
    return True


def folder_of(stage: Stage, out: Path) -> Path:
    return stage.given if stage.given is not None else out / stage.name


def manifest_of(out: Path, name: str) -> Path:
    return out / f"{name}.manifest.json"


def read_manifest(out: Path, name: str) -> dict[str, Any] | None:
    """A stage's manifest; None where it has not begun. Raises MomusError where it cannot be read."""
    path = manifest_of(out, name)
    try:
        manifest = from_json(path.read_text(encoding="utf-8"))
        return {**manifest, "identity": str(manifest["identity"])}
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise MomusError(f"cannot read {path} ({error}): remove it and the folder beside it") from None


def write_json(path: Path, body: Any) -> None:
    """Write JSON under a temporary name, then rename."""
    partial = path.with_name(path.name + ".partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(json.dumps(body, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        raise MomusError(f"can't write {path}: {error.strerror or error}: choose another folder") from None


def versions() -> dict[str, str]:
    """What wrote a result: Momus, Python, and the libraries that are installed."""
    found = {"momus": __version__, "python": platform.python_version()}
    for library in LIBRARIES:
        try:
            found[library] = version(library)
        except PackageNotFoundError:
            continue
    return found


def _run_one(stage: Stage, out: Path, stages: Sequence[Stage], identity: str, job: Job) -> bool:
    by_name = {other.name: other for other in stages}
    inputs = {name: folder_of(by_name[name], out) for name in stage.inputs}
    folder = out / stage.name
    manifest = {
        "stage": stage.name,
        "identity": identity,
        "settings": dict(stage.settings),
        "inputs": {name: _results_of(by_name[name], out) for name in stage.inputs},
        "versions": versions(),
        "commit": commit(),
        "results": None,
    }
    if read_manifest(out, stage.name) is None:
        if folder.exists() and any(folder.iterdir()):
            raise MomusError(f"{folder} holds something that no study began: name another --out")
        write_json(manifest_of(out, stage.name), manifest)  # first: whose work in progress it is must be known
    folder.mkdir(parents=True, exist_ok=True)
    job.say(f"{stage.name}: running")
    began, at_work = time.monotonic(), time.process_time()
    if not stage.run(Job(folder, inputs, job.minutes, job.jobs, job.say)):
        return False
    missing = _missing(stage, folder)
    if missing is not None:
        raise MomusError(
            f"{folder} lacks {missing} though the stage {stage.name} came to its end: remove the folder to make it "
            "anew, and report it if that does not help"
        )
    took = {"seconds": time.monotonic() - began, "cpu_seconds": time.process_time() - at_work}  # of the last call
    took = {name: round(value, 1) for name, value in took.items()} | _flops(folder)
    write_json(manifest_of(out, stage.name), {**manifest, **took, "results": _hashes(stage, folder)})
    job.say(f"{stage.name}: finished, {took['seconds']:.0f} s ({took['cpu_seconds']:.0f} s of a core)")
    return True


def _flops(folder: Path) -> dict[str, float]:
    try:
        return {"flops": float(from_json((folder / COMPUTE).read_text(encoding="utf-8"))["flops"])}
    except FileNotFoundError:
        return {}


def _identities(stages: Sequence[Stage]) -> dict[str, str]:
    """One hash for each stage of all that decides its results. Raises MomusError where a given folder lacks a file."""
    found: dict[str, str] = {}
    for stage in stages:
        body: dict[str, Any] = {"stage": stage.name, "version": __version__}
        if stage.given is not None:
            missing = next((name for name in stage.results if not (stage.given / name).is_file()), None)
            if missing is not None:
                raise MomusError(
                    f"there is no {missing} in {stage.given}, which the section [start] names for {stage.name}: "
                    "mend the path, or leave it out to make it here"
                )
            body["results"] = _hashes(stage, stage.given)
        else:
            body["settings"] = dict(stage.settings)
            body["inputs"] = {name: found[name] for name in stage.inputs}
        found[stage.name] = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
    return found


def _changed(stage: Stage, out: Path, identities: Mapping[str, str]) -> str | None:
    """What parts the stage in the folder from this one, in words; None where nothing does."""
    if stage.given is not None:
        return None
    manifest = read_manifest(out, stage.name)
    if manifest is None or manifest["identity"] == identities[stage.name]:
        return None
    before, now = manifest.get("settings", {}), dict(stage.settings)
    differs = next(
        (name for name in {**before, **now} if before.get(name) != from_json(json.dumps(now.get(name)))), None
    )
    if differs is not None:
        return f"was begun with another {differs}"
    return "was begun by another version of momus, or builds on a stage that has changed"


def _is_finished(stage: Stage, out: Path, stages: Sequence[Stage], redo: bool) -> bool:
    """Whether a stage's results stand as they were written, from inputs as they stand."""
    manifest = read_manifest(out, stage.name)
    if manifest is None:
        return False
    if not (out / stage.name).is_dir():  # removed by hand: make it again
        _remove(out, stage.name)
        return False
    by_name = {other.name: other for other in stages}
    finished = manifest["results"] is not None
    wrong = None
    if manifest["inputs"] != {name: _results_of(by_name[name], out) for name in stage.inputs}:
        wrong = "was made from other inputs than those beside it"
    elif finished and _missing(stage, out / stage.name) is not None:
        wrong = f"lacks {_missing(stage, out / stage.name)}"
    elif finished and manifest["results"] != _hashes(stage, out / stage.name):
        wrong = "was changed after it was finished"
    if wrong is not None and not redo:
        raise MomusError(f"{out / stage.name} {wrong}: add --redo to begin it again, or name another --out")
    if wrong is not None:
        _remove(out, stage.name)
        return False
    return finished


def _results_of(stage: Stage, out: Path) -> dict[str, str | None]:
    if stage.given is not None:
        return _hashes(stage, stage.given)
    manifest = read_manifest(out, stage.name)
    return {} if manifest is None else manifest["results"]


def _hashes(stage: Stage, folder: Path) -> dict[str, str | None]:
    return {name: file_hash(folder / name) if (folder / name).is_file() else None for name in stage.results}


def _missing(stage: Stage, folder: Path) -> str | None:
    """The first of a stage's declared results that is not there."""
    return next((name for name in stage.results if not (folder / name).is_file()), None)


def _remove(out: Path, name: str) -> None:
    """The folder first: as long as the manifest stands, what is left of it is not taken for the new stage's."""
    if (out / name).exists():
        shutil.rmtree(out / name)
    manifest_of(out, name).unlink(missing_ok=True)


def _locked(out: Path) -> AbstractContextManager[Any]:
    """Hold the folder against a second run. The lock goes with the process, however it ends."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        import fcntl
    except OSError as error:
        raise MomusError(f"can't write to {out}: {error.strerror or error}: name another --out") from None
    except ImportError:  # Windows
        return nullcontext()
    lock = (out / ".lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        raise MomusError(f"another run is at work in {out}: wait for it, or name another --out") from None
    return lock
