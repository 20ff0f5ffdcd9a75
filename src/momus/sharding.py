"""Works through many items shard by shard into one file: a run that was stopped goes on at the last whole shard."""

from __future__ import annotations

import hashlib
import json
import platform
import shutil
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

from momus import __version__
from momus.decode import from_json
from momus.errors import MomusError
from momus.git import commit
from momus.records import Record, dump_line, write_jsonl

I = TypeVar("I", bound=Record)  # noqa: E741
I_contra = TypeVar("I_contra", bound=Record, contravariant=True)


class Work(Protocol[I_contra]):
    """What is done to each shard: plain settings that can be pickled. `open` loads what it needs, once a process.

    What comes out of a shard depends on the settings and on that shard alone.
    """

    def open(self) -> Callable[[Sequence[I_contra]], Iterable[Record]]: ...


# Does the shards whose numbers are given: writes the records of each, by `write_shard`, into the folder of the parts.
Runner = Callable[[Sequence[Sequence[Any]], Sequence[int], Work[Any], Path], None]
Watch = Callable[[Sequence[int]], Iterable[int]]  # draws progress over the numbers of the shards still to do


def in_shards(items: Sequence[I], size: int) -> list[Sequence[I]]:
    """Items in order, `size` in each shard but the last."""
    return [items[at : at + size] for at in range(0, len(items), size)]


def run_here(
    shards: Sequence[Sequence[I]],
    waiting: Sequence[int],
    work: Work[I],
    parts: Path,
    watch: Watch = lambda numbers: numbers,
) -> None:
    """Do shards one after the other, in this process."""
    do = work.open()
    for number in watch(waiting):
        write_shard(parts, number, do(shards[number]))


def map_shards(shards: Sequence[Sequence[I]], work: Work[I], out: Path, *, run: Runner = run_here) -> None:
    """Write to `out` (JSON lines) what `work` makes of the shards, in their order.

    Whole shards are kept in `OUT.parts` and not done again; `open_parts` sees to it that they are of the same run, and
    `write_manifest` clears them away. The file is the same whichever engine (`run`) did the shards. Raises MomusError
    where it cannot be written, and whatever the work raises; what is done is kept.
    """
    parts = parts_of(out)
    try:
        parts.mkdir(parents=True, exist_ok=True)
        waiting = [number for number in range(len(shards)) if not shard_file(parts, number).is_file()]
        if waiting:
            run(shards, waiting, work, parts)
        _join(parts, len(shards), out)
    except OSError as error:
        raise MomusError(f"can't write {out}: {error.strerror or error}: name another place with -o") from None


def parts_of(out: Path) -> Path:
    """The folder of the shards that are done, while `out` is in the making."""
    return out.with_name(out.name + ".parts")


def shard_file(parts: Path, number: int) -> Path:
    """Where a whole shard's records stand."""
    return parts / f"{number:06d}.jsonl"


def write_shard(parts: Path, number: int, records: Iterable[Record]) -> None:
    """Write a shard's records whole or not at all."""
    write_jsonl(shard_file(parts, number), records)


def _join(parts: Path, count: int, out: Path) -> None:
    partial = out.with_name(out.name + ".partial")
    with partial.open("wb") as whole:
        for number in range(count):
            whole.write(shard_file(parts, number).read_bytes())
    partial.replace(out)


def identity_of(settings: dict[str, Any], items: Iterable[Record]) -> str:
    """One hash of all that decides a result: the settings, the items and the version of Momus."""
    whole = hashlib.sha256(json.dumps({**settings, "version": __version__}, sort_keys=True).encode())
    for item in items:
        whole.update(dump_line(item).encode())
    return whole.hexdigest()


def open_parts(out: Path, identity: str) -> None:
    """Begin, or take up, the work on `out`. Raises MomusError where work with another identity stands there."""
    parts = parts_of(out)
    mark = parts / "identity"
    try:
        parts.mkdir(parents=True, exist_ok=True)
        if not mark.exists():
            partial = mark.with_name("identity.partial")
            partial.write_text(identity, encoding="utf-8")
            partial.replace(mark)
        found = mark.read_text(encoding="utf-8")
    except OSError as error:
        raise MomusError(f"can't write {out}: {error.strerror or error}: name another place with -o") from None
    if found != identity:
        raise MomusError(f"{parts} holds a run with other settings or inputs: finish that one, or delete the folder")


def finished(out: Path, manifest: Path, identity: str) -> dict[str, Any] | None:
    """The manifest of `out` where it is whole and of this identity; None where there is no such file yet.

    Raises MomusError where it is there from something else.
    """
    if not out.exists() or parts_of(out).exists():  # with parts, a run was stopped before it had cleared up
        return None
    try:
        told: dict[str, Any] = from_json(manifest.read_text(encoding="utf-8"))
        if told["identity"] == identity and told["sha256"] == sha256_of(out):
            return told
    except (OSError, ValueError, KeyError, TypeError):
        pass
    raise MomusError(f"{out} is there already, from other settings or inputs: delete it, or name another with -o")


def write_manifest(path: Path, out: Path, verb: str, identity: str, told: dict[str, Any]) -> dict[str, Any]:
    """Write what `out` was made of, and by what, beside it, and clear its parts away: it is finished. Returns that."""
    body = {
        "made_by": f"momus {__version__} {verb}, Python {platform.python_version()}",
        "commit": commit(),
        "identity": identity,
        "sha256": sha256_of(out),
        **told,
    }
    partial = path.with_name(path.name + ".partial")
    partial.write_text(json.dumps(body, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    partial.replace(path)
    shutil.rmtree(parts_of(out), ignore_errors=True)
    return body


def manifest_of(out: Path) -> Path:
    """Where the manifest of an output stands: beside it, under its own name, as a folder may hold several outputs."""
    return out.with_name(f"{out.stem}.manifest.json")


def sha256_of(path: Path) -> str:
    """The sha256 of a file's contents. Raises OSError."""
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
