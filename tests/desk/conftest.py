"""A desk in a temporary SQLite file, with people of every role; and a PostgreSQL of the tests' own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from desk_world import World
from momus.bench.desk_cluster import NOT_DURABLE, Cluster, programs, running


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World.open(f"sqlite:///{tmp_path / 'desk.db'}")
    yield made
    made.close()


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    where = programs()
    if where is None:
        if os.environ.get("CI") == "true":
            pytest.fail("PostgreSQL is not installed, and in CI nothing is skipped: see .ci/needs")
        pytest.skip("PostgreSQL is not installed: the desk's tests on it need initdb")
    with running(where, NOT_DURABLE) as made:
        yield made


@pytest.fixture(params=["sqlite", "postgresql"])
def db(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of either kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'desk.db'}"
    cluster: Cluster = request.getfixturevalue("cluster")
    return cluster.database()


@pytest.fixture(scope="session")
def frontend(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder `frontend/` with what its lockfile names installed."""
    source = Path(__file__).parents[2] / "frontend"
    installed = source / "node_modules/.package-lock.json"
    lock = json.loads((source / "package-lock.json").read_text())["packages"]
    wanted = {name: package["version"] for name, package in lock.items() if name and not package.get("optional")}
    if installed.exists() and shutil.which("node"):
        found = {n: p["version"] for n, p in json.loads(installed.read_text())["packages"].items()}
        if wanted.items() <= found.items():
            return source
    if shutil.which("npm") is None:
        if os.environ.get("CI") == "true":
            pytest.fail("npm is not installed, and in CI nothing is skipped: see .ci/needs")
        pytest.skip("npm is not installed")
    folder = tmp_path_factory.mktemp("frontend")
    for name in ("package.json", "package-lock.json", "build.mjs", "check.mjs", "tsconfig.json", "vendor.ts"):
        shutil.copy(source / name, folder / name)
    quiet = ["--ignore-scripts", "--no-audit", "--no-fund"]
    done = subprocess.run(["npm", "ci", *quiet], cwd=folder, capture_output=True, text=True, timeout=250)
    if done.returncode != 0:
        if os.environ.get("CI") == "true":
            pytest.fail(f"npm could not install what the lockfile names: {done.stderr[-500:]}")
        pytest.skip("npm could not install what the lockfile names: no network?")
    return folder
