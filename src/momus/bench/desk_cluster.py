"""A PostgreSQL server of one's own, on a socket in a temporary folder: for the desk's bench and its tests."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from momus.errors import MomusError

if TYPE_CHECKING:
    import psycopg

_WAIT_S = 180
# May lose what it acknowledged when the power goes: for tests, which are about something else.
NOT_DURABLE = ("fsync=off",)


@dataclass
class Cluster:
    """A PostgreSQL server on a socket; it can be stopped, killed and started. As root it runs as `nobody`."""

    programs: Path
    folder: Path
    settings: tuple[str, ...] = ()  # with PostgreSQL's own, what is committed is kept
    databases: int = 0
    server: subprocess.Popen[bytes] | None = None

    def make(self) -> None:
        """Make its folder, with a user `momus` who needs no password."""
        words = ("-D", "data", "-U", "momus", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C")
        made = self._spawn("initdb", *words)
        if made.wait(_WAIT_S) != 0:
            raise MomusError(f"PostgreSQL's initdb failed: {self._said()}")

    def start(self) -> None:
        """Start, and wait until it answers. Raises MomusError where it does not."""
        settings = [part for setting in ("max_connections=200", *self.settings) for part in ("-c", setting)]
        words = ("postgres", "-D", "data", "-c", "listen_addresses=", "-k", str(self.folder), *settings)
        end = time.monotonic() + _WAIT_S
        while time.monotonic() < end:
            if self.server is None or self.server.poll() is not None:  # after a kill, the old one's memory may linger
                self.server = self._spawn(*words)
            time.sleep(0.05)
            with contextlib.suppress(_psycopg().OperationalError):
                self.version()
                return
        raise MomusError(f"PostgreSQL did not start: {self._said()}")

    def stop(self) -> None:
        """Stop at once, whoever is connected; what is committed is kept."""
        self._end(signal.SIGQUIT)

    def kill(self) -> None:
        """SIGKILL to the server and to every process of it: the nearest to a loss of power that a kill gets."""
        with self.connected() as connection:
            family = [row[0] for row in connection.execute("SELECT pid FROM pg_stat_activity")]
        self._end(signal.SIGKILL)  # the server first, so that it does not begin to mend
        for pid in family:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def database(self) -> str:
        """A new, empty database's URL."""
        self.databases += 1
        name = f"desk{self.databases}"
        with self.connected() as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return f"postgresql://momus@/{name}?host={self.folder}"

    def version(self) -> str:
        with self.connected() as connection:
            return str(connection.execute("SHOW server_version").fetchall()[0][0]).split()[0]

    def connected(self) -> psycopg.Connection[Any]:
        made: psycopg.Connection[Any] = _psycopg().connect(
            f"host={self.folder} user=momus dbname=postgres", autocommit=True
        )
        return made

    def _spawn(self, program: str, *arguments: str) -> subprocess.Popen[bytes]:
        user = "nobody" if os.getuid() == 0 else None
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(
                [str(self.programs / program), *arguments], user=user, cwd=self.folder, stdout=log, stderr=log
            )

    def _end(self, how: signal.Signals) -> None:
        if self.server is not None:
            self.server.send_signal(how)
            self.server.wait(_WAIT_S)

    def _said(self) -> str:
        lines = (self.folder / "log").read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return lines[-1] if lines else "it said nothing"


def programs() -> Path | None:
    """The folder of PostgreSQL's programs, the newest that is installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    on_path = shutil.which("initdb")
    return found[-1].parent if found else Path(on_path).parent if on_path else None


@contextmanager
def running(where: Path, settings: tuple[str, ...] = ()) -> Iterator[Cluster]:
    """A new server for as long as the context lasts."""
    folder = Path(tempfile.mkdtemp(prefix="momus-pg-"))  # the path of a socket is short
    folder.chmod(0o755)
    if os.getuid() == 0:
        shutil.chown(folder, "nobody")
    made = Cluster(where, folder, settings)
    try:
        made.make()
        made.start()
        yield made
    finally:
        made.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _psycopg() -> Any:
    try:
        import psycopg
    except ImportError:
        from momus.errors import MissingExtra

        raise MissingExtra("PostgreSQL", "desk") from None
    return psycopg
