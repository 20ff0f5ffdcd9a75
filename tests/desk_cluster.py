"""A PostgreSQL server of the tests' own, on a socket in a temporary folder."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import psycopg


@dataclass
class Cluster:
    """A PostgreSQL server on a socket; it can be stopped and started. As root it runs as `nobody`."""

    programs: Path
    folder: Path
    databases: int = 0

    def call(self, program: str, *arguments: str) -> None:
        user = "nobody" if os.getuid() == 0 else None
        command = [str(self.programs / program), *arguments]
        subprocess.run(command, check=True, user=user, cwd=self.folder, stdout=subprocess.DEVNULL, timeout=60)

    def start(self) -> None:
        options = f"-c listen_addresses='' -k {self.folder} -c fsync=off -c max_connections=200"
        data, log = str(self.folder / "data"), str(self.folder / "log")
        self.call("pg_ctl", "-D", data, "-l", log, "-w", "-o", options, "start")

    def stop(self, how: str = "immediate") -> None:
        self.call("pg_ctl", "-D", str(self.folder / "data"), "-w", "-m", how, "stop")

    def database(self) -> str:
        """A new, empty database's URL."""
        self.databases += 1
        name = f"desk{self.databases}"
        with psycopg.connect(f"host={self.folder} user=momus dbname=postgres", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return f"postgresql://momus@/{name}?host={self.folder}"


def programs() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    on_path = shutil.which("initdb")
    return found[-1].parent if found else Path(on_path).parent if on_path else None
