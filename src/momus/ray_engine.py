"""Shards on Ray Data: a pool of actors, its checkpoints, the same files as in one process.

Each row is one shard, each block one row. What an actor makes of a shard is written to Parquet with Ray Data's
checkpoint beside it, committed in two phases; a run that was killed does only those shards again that were in the
making. At the end the rows become the files of the shards, as if one process had written them.

Ray runs on this machine alone unless RAY_ADDRESS names a cluster: it listens on loopback, has no dashboard, sends no
usage figures and leaves nothing in the home folder. A cluster needs Momus on its nodes, and a folder of the output that
all of them share.
"""

from __future__ import annotations

import logging
import os
import pickle
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from momus.errors import MissingExtra, MomusError
from momus.records import Record, dump_line
from momus.sharding import Work, shard_file

ITEMS = "items.ray.parquet"  # this and the next two: in the folder of the parts
ROWS = "rows.ray"
CHECKPOINT = "checkpoint.ray"
SPARE = 6  # logical cores beside the workers': with none to spare, the filter of the checkpoint waits for ever
STARTS = 4  # tries
MEMORY = 64 * 2**30  # logical bytes: nothing is reserved, and the filter of the checkpoint asks for much
OBJECT_STORE = 256 * 2**20  # bytes; a shard is some kilobytes

# Read by Ray as it is imported or started. What stands in the environment already comes first.
ON_ONE_MACHINE = {
    "RAY_AUTH_MODE": "disabled",  # no token in the home folder: nobody else can reach this Ray
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # on every system: this node is 127.0.0.1
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_worker_niceness": "0",  # of its own choice workers stand back behind all else on the machine
    "RAY_BACKEND_LOG_LEVEL": "fatal",  # what goes wrong comes back as an exception
}


@dataclass(frozen=True, slots=True)
class OnRay:
    """A runner for `map_shards`. `workers` is how many actors work at a time; each opens the work once.

    Raises MissingExtra without Ray, and MomusError where the work does, or the rows cannot be read back.
    """

    workers: int = 2

    def __call__(
        self, shards: Sequence[Sequence[Record]], waiting: Sequence[int], work: Work[Any], parts: Path
    ) -> None:
        parts = parts.resolve()
        with _ray(self.workers) as data:
            _run(data, shards, waiting, work, parts, self.workers)
        _unpack(parts)
        missing = [number for number in waiting if not shard_file(parts, number).is_file()]
        if missing:
            raise MomusError(f"Ray says that shard {missing[0]} is done, but its rows are gone: delete {parts}")


class _Worker:
    """An actor: opens the work once, then takes one shard after the other."""

    def __init__(self, work: Work[Any]) -> None:
        self._work = work
        self._do: Callable[[Sequence[Record]], Iterable[Record]] | None = None

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        with _plain_errors():
            if self._do is None:  # not in __init__: Ray tries for ever to make an actor that fails in the making
                self._do = self._work.open()
            lines = "".join(map(dump_line, self._do(pickle.loads(row["items"]))))
        return {"shard": row["shard"], "lines": lines.encode()}


@contextmanager
def _plain_errors() -> Iterator[None]:
    """Have a user's error of any kind leave the actor as one that `_mendable` knows."""
    try:
        yield
    except MomusError as error:
        raise MomusError(str(error)) from None


def _run(
    data: Any, shards: Sequence[Sequence[Record]], waiting: Sequence[int], work: Work[Any], parts: Path, workers: int
) -> None:
    """Have the waiting shards that no checkpoint knows written to Parquet."""
    context = data.DataContext.get_current().copy()
    context.enable_progress_bars = False
    context.checkpoint_config = data.checkpoint.CheckpointConfig(
        id_column="shard", checkpoint_path=str(parts / CHECKPOINT), delete_checkpoint_on_success=False
    )
    items = _items(shards, waiting, parts)
    with data.DataContext.current(context):
        # blocks of one row: Ray's own would be redone whole
        plan = data.read_parquet(str(items)).repartition(target_num_rows_per_block=1)
        done = plan.map(
            _Worker,
            fn_constructor_kwargs={"work": work},
            compute=data.ActorPoolStrategy(size=min(workers, len(waiting))),
            num_cpus=1,
        )
        try:
            done.write_parquet(str(parts / ROWS))
        except Exception as error:
            raise _mendable(error) or error from None


def _items(shards: Sequence[Sequence[Record]], waiting: Sequence[int], parts: Path) -> Path:
    """Write the shards to a file, as Ray holds only what it reads from files against a checkpoint."""
    import pyarrow
    from pyarrow.parquet import write_table

    # pickled, and not as JSON lines, which have no place for a lone surrogate
    items = pyarrow.table({"shard": list(waiting), "items": [pickle.dumps(list(shards[n])) for n in waiting]})
    path, partial = parts / ITEMS, parts / f"{ITEMS}.partial"
    write_table(items, partial)
    partial.replace(path)
    return path


def _mendable(error: Exception) -> MomusError | None:
    """The user's error, from what Ray tells of it: of an exception in an actor only the text comes through surely."""
    said = re.findall(r"^\s*momus\.errors\.MomusError: (.+)$", str(error), re.MULTILINE)
    return MomusError(said[-1]) if said else None


def _unpack(parts: Path) -> None:
    """Make the files of the shards from the rows."""
    from pyarrow.parquet import read_table

    for path in sorted((parts / ROWS).glob("*.parquet")):
        for row in read_table(path).to_pylist():
            whole = shard_file(parts, row["shard"])
            partial = whole.with_name(whole.name + ".partial")
            partial.write_bytes(row["lines"])
            partial.replace(whole)


@contextmanager
def _ray(workers: int) -> Iterator[Any]:
    """Ray Data, with Ray started, or joined where RAY_ADDRESS names a cluster; stopped or left at the end."""
    joins = "RAY_ADDRESS" in os.environ
    if not joins:
        for name, value in ON_ONE_MACHINE.items():
            os.environ.setdefault(name, value)
    try:
        import ray
        import ray.data
        import ray.data.checkpoint
    except ImportError:
        raise MissingExtra("the engine ray", "ray") from None
    logging.getLogger("ray.data").setLevel(logging.CRITICAL)  # errors come back as exceptions
    with tempfile.TemporaryDirectory(prefix="momus-ray-", ignore_cleanup_errors=True) as folder:
        alone = {
            "num_cpus": workers + SPARE,
            "include_dashboard": False,
            "object_store_memory": OBJECT_STORE,
            "_memory": MEMORY,
            "_temp_dir": folder,
        }
        try:
            _start(ray, {} if joins else alone)
            if not joins and ray.util.get_node_ip_address() != "127.0.0.1":
                raise MomusError("Ray would listen on the network: start momus in a process that has not used Ray yet")
            yield ray.data
        finally:
            ray.shutdown()


def _start(ray: Any, settings: dict[str, Any]) -> None:
    for left in reversed(range(STARTS)):
        try:
            ray.init(log_to_driver=False, logging_level=logging.CRITICAL, **settings)
            return
        except Exception as error:
            ray.shutdown()
            # it gives up after half a minute, which a busy machine may take
            if not left or "timed out" not in str(error):
                raise MomusError(f"Ray does not start ({_first_line(error)}): use --engine local") from None


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).split("\n")[0][:200]
