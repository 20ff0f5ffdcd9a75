"""Shards: what was whole when a run was killed is kept, and the end is the same as without the kill."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from momus.errors import MomusError
from momus.records import Record, Task, dump_line
from momus.sharding import (
    finished,
    identity_of,
    in_shards,
    manifest_of,
    map_shards,
    open_parts,
    parts_of,
    sha256_of,
    write_manifest,
)

TASKS = [Task(id=str(i), question="q", answer=f"x = {i}\n") for i in range(10)]


@dataclass(frozen=True)
class Doubling:
    """Two records of each task; notes each shard in `log`. Stops at the task named `stop`."""

    log: Path
    stop: str = ""

    def open(self) -> Callable[[Sequence[Task]], Iterable[Record]]:
        def do(shard: Sequence[Task]) -> Iterable[Record]:
            with self.log.open("a") as log:
                log.write(shard[0].id + "\n")
            for task in shard:
                if task.id == self.stop:
                    raise KeyboardInterrupt
                yield from (task, task.model_copy(update={"question": "again"}))

        return do


def whole(folder: Path) -> bytes:
    out = folder / "whole.jsonl"
    map_shards(in_shards(TASKS, 3), Doubling(folder / "log"), out)
    return out.read_bytes()


def test_the_file_holds_every_shard_s_records_in_order(tmp_path: Path) -> None:
    expected = [task.model_copy(update={"question": q}) for task in TASKS for q in ("q", "again")]
    assert whole(tmp_path) == "".join(map(dump_line, expected)).encode()
    assert [len(shard) for shard in in_shards(TASKS, 3)] == [3, 3, 3, 1] and in_shards([], 3) == []


def test_a_stopped_run_goes_on_at_the_last_whole_shard(tmp_path: Path) -> None:
    out, log = tmp_path / "out.jsonl", tmp_path / "log"
    with pytest.raises(KeyboardInterrupt):
        map_shards(in_shards(TASKS, 3), Doubling(log, stop="7"), out)
    assert not out.exists() and log.read_text().split() == ["0", "3", "6"]
    map_shards(in_shards(TASKS, 3), Doubling(log), out)
    assert log.read_text().split() == ["0", "3", "6", "6", "9"]
    assert out.read_bytes() == whole(tmp_path)


def test_a_killed_run_goes_on_and_ends_the_same(tmp_path: Path) -> None:
    out, log = tmp_path / "out.jsonl", tmp_path / "log"
    code = (
        "import os, signal, sys; from pathlib import Path\n"
        f"sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "import test_sharding as t; from momus.sharding import in_shards, map_shards\n"
        "class Dying(t.Doubling):\n"
        "    def open(self):\n"
        "        do = super().open()\n"
        "        def die(shard):\n"
        "            for n, record in enumerate(do(shard)):\n"
        "                if shard[0].id == '6' and n == 3: os.kill(os.getpid(), signal.SIGKILL)\n"
        "                yield record\n"
        "        return die\n"
        f"map_shards(in_shards(t.TASKS, 3), Dying(Path({str(log)!r})), Path({str(out)!r}))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert not out.exists()
    map_shards(in_shards(TASKS, 3), Doubling(log), out)
    assert log.read_text().split() == ["0", "3", "6", "6", "9"]
    assert out.read_bytes() == whole(tmp_path)


def test_work_goes_on_only_under_the_same_identity(tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    identity = identity_of({"seed": 1}, TASKS)
    assert identity == identity_of({"seed": 1}, TASKS)
    others = {identity_of({"seed": 2}, TASKS), identity_of({"seed": 1}, TASKS[1:]), identity_of({}, TASKS)}
    assert len(others | {identity}) == 4
    open_parts(out, identity)
    open_parts(out, identity)
    with pytest.raises(MomusError, match=r"out\.jsonl\.parts holds a run with other settings"):
        open_parts(out, "another")


def test_a_finished_file_is_known_by_its_manifest_and_left_alone(tmp_path: Path) -> None:
    out, manifest = tmp_path / "out.jsonl", manifest_of(tmp_path / "out.jsonl")
    assert finished(out, manifest, "a") is None
    open_parts(out, "a")
    map_shards(in_shards(TASKS, 3), Doubling(tmp_path / "log"), out)
    assert finished(out, manifest, "a") is None, "a kill before the manifest leaves it unfinished"
    told = write_manifest(manifest, out, "test", "a", {"counts": 3})
    assert not parts_of(out).exists()
    assert finished(out, manifest, "a") == told == json.loads(manifest.read_text())
    assert told["sha256"] == sha256_of(out) and told["counts"] == 3 and told["made_by"].startswith("momus ")
    for spoil in (lambda: "b", lambda: out.write_text("changed\n") and "a", lambda: manifest.unlink() or "a"):
        with pytest.raises(MomusError, match="is there already, from other settings or inputs"):
            finished(out, manifest, spoil())


def test_a_place_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    out = tmp_path / "file" / "out.jsonl"
    with pytest.raises(MomusError, match=r"can't write .*name another place with -o"):
        open_parts(out, "a")
    with pytest.raises(MomusError, match=r"can't write .*name another place with -o"):
        map_shards(in_shards(TASKS, 3), Doubling(tmp_path / "log"), out)
