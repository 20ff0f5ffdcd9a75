"""Opens the database and hands out transactions: one kind that reads, one that writes."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from momus.desk.settings import database_url
from momus.errors import MomusError

BUSY_S = 30
UNREACHABLE = (OperationalError, InterfaceError, PoolTimeout)  # what is raised while the database is away
_WRITES = "momus_writes"


class Store:
    """A database. `write()` commits at its end or leaves nothing behind; objects stay readable after either."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.sqlite = engine.dialect.name == "sqlite"
        self._writer = engine.execution_options(**{_WRITES: True})
        # SQLite has one writer at a time. Threads of one process queue here, which is fair; processes poll.
        self._queue = threading.Lock()

    @contextmanager
    def read(self) -> Iterator[Session]:
        with Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        if not self.sqlite:
            with Session(self._writer, expire_on_commit=False) as session, session.begin():
                yield session
            return
        with self._queue, Session(self._writer, expire_on_commit=False) as session, session.begin():
            yield session

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """One writing transaction, without objects: for migrations."""
        with self._writer.begin() as connection:
            yield connection

    def close(self) -> None:
        self.engine.dispose()


def open_store(db: str, *, pool: int = 20) -> Store:
    """Open a database by path or URL; tables are made by `migrate.upgrade`. Raises MomusError on a URL of another kind.

    SQLite: write-ahead log, synchronous=FULL (what is committed outlives a loss of power, where the disk keeps its
    word), foreign keys on. PostgreSQL: connections are tried before use, so that a restarted server is found again.
    """
    try:
        url = make_url(database_url(db))
    except ArgumentError:
        raise MomusError("the database's URL can't be read: give --db a path, or postgresql://user@host/name") from None
    if url.get_backend_name() == "sqlite":
        engine = create_engine(url, pool_size=pool, max_overflow=pool, connect_args={"timeout": BUSY_S})
        event.listen(engine, "connect", _prepare)
        event.listen(engine, "begin", _begin)
        return Store(engine)
    return Store(
        create_engine(
            url,
            pool_size=pool,
            max_overflow=pool,
            pool_pre_ping=True,
            pool_timeout=10,
            connect_args={"connect_timeout": 5},
        )
    )


def why_unreachable(store: Store) -> str | None:
    """Why the database can't be reached, in a word for the log; None where it can."""
    try:
        with store.engine.connect() as connection:
            connection.exec_driver_sql("SELECT 1")
    except OperationalError as error:
        return type(error.orig).__name__
    return None


def _prepare(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None  # the driver begins nothing of its own: see `_begin`
    for setting in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", f"busy_timeout={BUSY_S * 1000}"):
        connection.execute(f"PRAGMA {setting}")


def _begin(connection: Connection) -> None:
    # A transaction that reads first and writes later can fail half way; a writer takes the lock at its start.
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
