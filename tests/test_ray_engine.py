"""The engine ray: the same file as from one process, also after a kill; nobody else can reach it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import psutil
import pytest
from pyarrow.parquet import read_table

from momus.ray_engine import CHECKPOINT
from momus.sharding import in_shards, map_shards, parts_of
from ray_work import HELD, SHARD, Slow, tasks

WORK = Path(__file__).with_name("ray_work.py")
COUNT = 60
pytestmark = pytest.mark.timeout(900)  # where other work has the cores, starting Ray takes minutes


def started(folder: Path, *more: str) -> subprocess.Popen[str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("RAY_")} | {"HOME": str(folder)}
    command = [sys.executable, str(WORK), "ray", str(folder), str(COUNT), *more]
    return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)


def begun(folder: Path) -> list[str]:
    path = folder / "begun"
    return path.read_text().split() if path.exists() else []


def test_a_killed_run_goes_on_and_writes_what_one_process_writes(tmp_path: Path) -> None:
    (tmp_path / "begun.hold").touch()
    driver = started(tmp_path)
    committed: set[int] = set()
    while len(committed) < 3 or f"t{HELD:03d}" not in begun(tmp_path):  # some are safe, others are in the making
        assert driver.poll() is None, driver.stderr and driver.stderr.read()
        time.sleep(0.1)
        committed = checkpointed(tmp_path)
    assert len(begun(tmp_path)) < COUNT
    family = psutil.Process(driver.pid).children(recursive=True)
    listening = {c.laddr.ip for p in family for c in p.net_connections("inet") if c.status == psutil.CONN_LISTEN}
    assert listening
    assert listening <= {"127.0.0.1", "::ffff:127.0.0.1", "::1"}

    driver.send_signal(signal.SIGKILL)
    driver.wait()
    _, alive = psutil.wait_procs(family, timeout=120)
    assert not [p for p in alive if p.status() != psutil.STATUS_ZOMBIE], "Ray outlives the command"
    committed = checkpointed(tmp_path)
    assert not (tmp_path / "out.jsonl").exists()

    (tmp_path / "begun.hold").unlink()
    again = started(tmp_path)
    _, said = again.communicate()
    assert again.returncode == 0, said
    times = Counter(begun(tmp_path))
    assert set(times) == {task.id for task in tasks(COUNT)}
    whole = {task.id for number in committed for task in in_shards(tasks(COUNT), SHARD)[number]}
    assert whole and all(times[id] == 1 for id in whole), "what a checkpoint holds was done again"
    assert times[f"t{HELD:03d}"] == 2, "the kill met nothing in the making"
    assert sum(times.values()) <= COUNT + 2 * SHARD + len(tasks(HELD)) - len(whole), (
        "more than the open blocks was done again"
    )

    here = tmp_path / "here" / "out.jsonl"
    map_shards(in_shards(tasks(COUNT), SHARD), Slow(str(tmp_path / "log")), here)
    assert (tmp_path / "out.jsonl").read_bytes() == here.read_bytes()
    assert not (tmp_path / ".ray").exists(), "Ray has left something in the home folder"
    assert len(set((tmp_path / "begun.pids").read_text().split())) >= 2, "one process did it all"


def checkpointed(folder: Path) -> set[int]:
    """The shards whose checkpoint is committed: by a rename, from a pending one."""
    found = (parts_of(folder / "out.jsonl") / CHECKPOINT).glob("*.parquet")
    files = [file for file in found if not file.name.endswith(".pending.parquet")]
    return {number for file in files for number in read_table(file)["shard"].to_pylist()}


def test_a_user_s_error_in_a_worker_is_one_sentence(tmp_path: Path) -> None:
    driver = started(tmp_path, "open")
    _, said = driver.communicate()
    assert driver.returncode == 1
    assert said.splitlines()[-1] == "momus: there is no such critic"
    assert "Traceback" not in said
