"""The desk held under fire: many people at once, a server that is killed, a database that is killed.

Eight simulated people on SQLite and 32 on PostgreSQL claim and hand in `write` tasks over HTTP as fast as the desk lets
them. First in calm, where claims are timed; then the desk's server is killed again and again while they work, and on
PostgreSQL the database's processes too. What was acknowledged must be in the database after each restart. A kill is the
nearest to a loss of power that can be had here: what the system has written down but the disk has not is still there
after a kill, and would not be after a loss of power.
"""

from __future__ import annotations

import contextlib
import os
import random
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from momus.bench import Goal, Outcome, Say
from momus.bench.desk_against import against
from momus.bench.desk_cluster import Cluster, programs, running
from momus.bench.desk_people import DeskSite, People, Record
from momus.bench.desk_server import PROJECT, DeskServer, kept, open_seats, overlap, prepare
from momus.errors import MomusError

if TYPE_CHECKING:
    from momus.desk.store import Store

P95_GOAL = 5.0  # times the median
PEER_GOAL = 3.0
BUSY = 0.5  # of the load average: something else ran


@dataclass(frozen=True, slots=True)
class Size:
    """How much is done. `calm` and `between` are submissions: before the first kill, and from one kill to the next.

    `whole`: after the last kill, people go on until nothing is left to do. Each `twice_every`-th task is for two.
    """

    tasks: int = 10_000
    sqlite_people: int = 8
    postgresql_people: int = 32
    calm: int = 600
    kills: int = 20
    database_kills: int = 5
    between: int = 25
    twice_every: int = 10
    whole: bool = False
    compared: int = 400  # submissions, of either, in the comparison


SIZE = Size()


@dataclass(slots=True)
class Held:
    """What was found on one database; people's records are of both phases."""

    database: str
    people: int
    calm: list[Record] = field(default_factory=list)
    calm_s: float = 0.0
    records: list[Record] = field(default_factory=list)
    kills: int = 0
    database_kills: int = 0
    lost: set[tuple[int, str]] = field(default_factory=set)
    stored: Counter[tuple[int, str]] = field(default_factory=Counter)
    left: int = 0  # seats that nobody has handed in

    def given(self) -> dict[int, int]:
        """To how many people each task was given, as they saw it."""
        each = zip(self.calm, self.records, strict=True)
        people = [{task for task, _ in (*calm.claims, *rest.claims)} for calm, rest in each]
        return Counter(task for tasks in people for task in tasks)

    def acknowledged(self) -> set[tuple[int, str]]:
        return {told for record in (*self.calm, *self.records) for told in record.acknowledged}


def bench(
    *,
    seed: int = 0,
    say: Say = lambda line: None,
    size: Size = SIZE,
    databases: tuple[str, ...] = ("SQLite", "PostgreSQL"),
    label_studio: Path | None = None,
) -> Outcome:
    """Both databases, and with `label_studio` (a Python that has it) the comparison with it, on PostgreSQL.

    Raises MomusError where PostgreSQL is not installed.
    """
    load = os.getloadavg()[0]
    where = programs()
    if where is None and ("PostgreSQL" in databases or label_studio is not None):
        raise MomusError("the bench of the desk needs PostgreSQL's initdb: install PostgreSQL (apt install postgresql)")
    goals: list[Goal] = []
    figures: dict[str, Any] = {"other work on the machine": load > BUSY, "load_average_before": round(load, 2)}
    for name in databases:
        with _database(name, where) as (db, cluster, folder):
            people = size.sqlite_people if name == "SQLite" else size.postgresql_people
            held = hold(Held(name, people), db, cluster, folder, size, seed, say)
        goals += _goals(held, size)
        figures[name] = _figures(held, size)
    if label_studio is not None and where is not None:
        found = against(
            label_studio,
            where,
            people=size.postgresql_people,
            tasks=size.tasks,
            submissions=size.compared,
            seed=seed,
            say=say,
        )
        figures["against Label Studio"] = found
        goals.append(Goal("claim and hand in, times Label Studio", found["times"], "at least", PEER_GOAL, "x"))
    return Outcome("desk", goals, figures, ("fastapi", "uvicorn", "sqlalchemy", "psycopg"))


def hold(held: Held, db: str, cluster: Cluster | None, folder: Path, size: Size, seed: int, say: Say) -> Held:
    """Work in calm, then under kills, then to the end; what was found goes into `held`."""
    from momus.desk.store import open_store

    say(f"{held.database}: {size.tasks:,} tasks for {held.people} people")
    keys = prepare(db, folder, held.people, size.tasks, size.twice_every)
    server = DeskServer(db, folder / "desk.log")
    store = open_store(db)

    def people(phase: str) -> People:
        return People(DeskSite(PROJECT), keys, lambda: server.port, seed=f"{seed}/{phase}")

    try:
        with server.running():
            say(f"{held.database}: {size.calm:,} submissions in calm")
            calm = people("calm")
            began = time.monotonic()
            calm.start()
            calm.wait_for(size.calm)
            calm.stop()
            held.calm, held.calm_s = calm.records, time.monotonic() - began
            fire = people("fire")
            fire.start()
            _kill_often(held, fire, server, cluster, store, size, random.Random(seed), say)
            if not size.whole:
                fire.stop()
            fire.join()
            held.records = fire.records
    finally:
        held.stored, held.left = kept(store), open_seats(store)
        store.close()
    held.lost |= held.acknowledged() - held.stored.keys()
    return held


def _kill_often(
    held: Held,
    fire: People,
    server: DeskServer,
    cluster: Cluster | None,
    store: Store,
    size: Size,
    rng: random.Random,
    say: Say,
) -> None:
    """Kill, start again, see that what was acknowledged is there; and again."""
    of_database = size.database_kills if cluster is not None else 0
    kills = ["server"] * size.kills + ["database"] * of_database
    rng.shuffle(kills)
    for i, what in enumerate(kills):
        fire.wait_for((i + 1) * size.between)
        if not fire.working:
            raise MomusError(f"the work was done after {i} kills: give the bench more tasks")
        time.sleep(rng.uniform(0, 0.2))  # at any moment of a request
        say(f"{held.database}: kill {i + 1} of {len(kills)}, of the {what}")
        if what == "server":
            server.kill()
            held.kills += 1
            told = {told for record in fire.records for told in list(record.acknowledged)}
            server.start()
        else:
            assert cluster is not None
            cluster.kill()
            held.database_kills += 1
            told = {told for record in fire.records for told in list(record.acknowledged)}
            cluster.start()
        held.lost |= told - kept(store).keys()


@contextmanager
def _database(name: str, where: Path | None) -> Iterator[tuple[str, Cluster | None, Path]]:
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="momus-bench-")))
        if name == "SQLite":
            yield f"sqlite:///{folder / 'desk.db'}", None, folder
        else:
            assert where is not None
            cluster = stack.enter_context(running(where))
            yield cluster.database(), cluster, folder


def _goals(held: Held, size: Size) -> list[Goal]:
    who = f"{held.database}, {held.people} people"
    over = sum(1 for task, count in held.given().items() if count > overlap(task, size.twice_every))
    twice = sum(count - 1 for count in held.stored.values())
    unknown = len(held.stored.keys() - held.acknowledged())
    spread = _p95(held) / _median(held)
    kills = f"{held.kills} kills of the server" + (
        f", {held.database_kills} of the database" if held.database_kills else ""
    )
    goals = [
        Goal(f"{who}: tasks given to too many", over, "at most", 0, "tasks"),
        Goal(f"{who}: acknowledged and lost, in {kills}", len(held.lost), "at most", 0, "submissions"),
        Goal(f"{who}: stored twice, or never acknowledged", twice + unknown, "at most", 0, "submissions"),
        Goal(f"{who}: p95 of a claim, times its median", round(spread, 2), "at most", P95_GOAL, "x"),
    ]
    if size.whole:
        goals.append(Goal(f"{who}: seats left at the end", held.left, "at most", 0, "seats"))
    return goals


def _figures(held: Held, size: Size) -> dict[str, Any]:
    return {
        "people": held.people,
        "tasks": size.tasks,
        "given": sum(held.given().values()),
        "acknowledged": len(held.acknowledged()),
        "server_kills": held.kills,
        "database_kills": held.database_kills,
        "sent_again": sum(record.again for record in held.records),
        "calm": {
            "submissions": sum(len(record.acknowledged) for record in held.calm),
            "wall_s": round(held.calm_s, 2),
            "claim_median_ms": round(_median(held) * 1000, 1),
            "claim_p95_ms": round(_p95(held) * 1000, 1),
        },
    }


def _claims(held: Held) -> list[float]:
    return [seconds for record in held.calm for _, seconds in record.claims]


def _median(held: Held) -> float:
    return statistics.median(_claims(held))


def _p95(held: Held) -> float:
    return statistics.quantiles(_claims(held), n=20)[-1]
