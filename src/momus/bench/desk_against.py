"""The desk against Label Studio: the same people, tasks, payload and PostgreSQL, turn about in one run.

Label Studio runs as `label-studio start` runs it. What is timed is people's claims and submissions over HTTP.
"""

from __future__ import annotations

import json
import math
import os
import socket
import subprocess
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from momus.bench import Say
from momus.bench.desk_cluster import running
from momus.bench.desk_people import DeskSite, LabelStudioSite, People, Site, question
from momus.bench.desk_server import ANSWER, PROJECT, DeskServer, prepare
from momus.errors import MomusError

PEER = Path(__file__).with_name("desk_peer.py")
TURNS = 2
_WAIT_S = 600
Json = dict[str, Any]


class Contestant:
    """A site with its people, who go on where they stopped. Times and CPU-seconds are of all turns so far."""

    def __init__(self, site: Site, keys: Sequence[str], port: int, pid: int) -> None:
        self._site, self._keys, self._port, self._pid = site, keys, port, pid
        self.submissions, self.wall_s, self.cpu_s = 0, 0.0, 0.0
        self.given: Counter[int] = Counter()

    def turn(self, submissions: int, seed: object) -> None:
        cpu, began = _cpu_s(self._pid), time.monotonic()
        people = People(self._site, self._keys, lambda: self._port, seed=seed)
        people.start()
        people.wait_for(submissions)
        people.stop()
        self.wall_s += time.monotonic() - began
        self.cpu_s += _cpu_s(self._pid) - cpu
        self.submissions += people.acknowledged
        self.given += Counter(task for record in people.records for task, _ in record.claims)

    def figures(self) -> Json:
        return {
            "submissions": self.submissions,
            "wall_s": round(self.wall_s, 2),
            "wall_ms_each": round(self.wall_s / self.submissions * 1000, 2),
            "server_cpu_ms_each": round(self.cpu_s / self.submissions * 1000, 2),
            "tasks_given_twice": sum(1 for count in self.given.values() if count > 1),
        }


def against(python: Path, where: Path, *, people: int, tasks: int, submissions: int, seed: int, say: Say) -> Json:
    """Both in turns, so many `submissions` of each. Raises MomusError.

    `times` is how much longer Label Studio takes for a claim and a submission.
    """
    with tempfile.TemporaryDirectory(prefix="momus-bench-") as folder_, running(where) as cluster:
        folder = Path(folder_)
        say(f"{tasks:,} tasks for {people} people, in the desk and in Label Studio")
        with ThreadPoolExecutor(1) as aside:  # its tables take a while
            peer = aside.submit(_prepare, python, cluster.database(), folder, people, tasks)
            keys = prepare(db := cluster.database(), folder, people, tasks, 0)
            environment, project, others = peer.result()
        server = DeskServer(db, folder / "desk.log")
        with server.running(), _serving(python, environment, folder / "label-studio.log") as (port, pid):
            assert server.process is not None
            both = {
                "momus": Contestant(DeskSite(PROJECT), keys, server.port, server.process.pid),
                "label_studio": Contestant(LabelStudioSite(project), others, port, pid),
            }
            for turn in range(-1, TURNS):
                for name, contestant in both.items():
                    say(f"{name}, {'warming up' if turn < 0 else f'turn {turn + 1} of {TURNS}'}")
                    contestant.turn(people if turn < 0 else submissions // TURNS, f"{seed}/{turn}")
                    if turn < 0:  # the first requests load what is needed
                        contestant.submissions, contestant.wall_s, contestant.cpu_s = 0, 0.0, 0.0
    ours, theirs = (contestant.figures() for contestant in both.values())
    return {
        "label_studio_version": _version(python),
        "people": people,
        "tasks": tasks,
        "momus": ours,
        "label_studio": theirs,
        "times": round(theirs["wall_ms_each"] / ours["wall_ms_each"], 2),
        "times_server_cpu": round(theirs["server_cpu_ms_each"] / (ours["server_cpu_ms_each"] or math.nan), 2),
    }


def _prepare(python: Path, db: str, folder: Path, people: int, tasks: int) -> tuple[dict[str, str], int, list[str]]:
    """The same in Label Studio: the environment that it runs in, its project, people's keys."""
    data = folder / "label-studio"
    data.mkdir()
    database, _, host = db.partition("@/")[2].partition("?host=")
    environment = {
        **os.environ,
        "DJANGO_DB": "default",  # PostgreSQL
        "POSTGRE_HOST": host,
        "POSTGRE_USER": "momus",
        "POSTGRE_PASSWORD": "",
        "POSTGRE_NAME": database,
        "BASE_DATA_DIR": str(data),
        "COLLECT_ANALYTICS": "false",  # what reaches for the network is off
        "LATEST_VERSION_CHECK": "false",
        "SENTRY_DSN": "",
    }
    spec = folder / "label-studio.json"
    made = [{"question": question(n), "answer": ANSWER} for n in range(tasks)]
    spec.write_text(json.dumps({"people": people, "tasks": made}), encoding="utf-8")
    told = json.loads(_last(_run([str(python), str(PEER), "prepare", str(spec)], environment)))
    return environment, told["project"], told["keys"]


@contextmanager
def _serving(python: Path, environment: dict[str, str], log: Path) -> Iterator[tuple[int, int]]:
    """Label Studio for as long as the context lasts: its port and its process."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with log.open("ab") as out:
        command = [str(python), str(PEER), "serve", str(port)]
        process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
    try:
        _wait(process, f"http://127.0.0.1:{port}/health", log)
        yield port, process.pid
    finally:
        process.kill()
        process.wait()


def _run(command: list[str], environment: dict[str, str]) -> str:
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=2 * _WAIT_S)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise MomusError(f"{command[0]} can't run Label Studio: give --label-studio a Python that has it") from error
    if done.returncode != 0:
        raise MomusError(f"{command[0]} can't run Label Studio: {_last(done.stderr)}")
    return done.stdout


def _wait(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    end = time.monotonic() + _WAIT_S
    while process.poll() is None and time.monotonic() < end:
        try:
            with urllib.request.urlopen(url, timeout=10):
                return
        except OSError:
            time.sleep(0.2)
    raise MomusError(f"Label Studio did not start: {_last(log.read_text(encoding='utf-8', errors='replace'))}")


def _version(python: Path) -> str:
    said = "from importlib.metadata import version; print(version('label-studio'))"
    return _run([str(python), "-c", said], dict(os.environ)).strip()


def _last(said: str) -> str:
    return (said.strip().splitlines() or ["it said nothing"])[-1]


def _cpu_s(pid: int) -> float:
    """CPU-seconds of a process so far, its threads included; 0 where the system does not tell."""
    stat = Path(f"/proc/{pid}/stat")
    if not stat.exists():
        return 0.0
    fields = stat.read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
