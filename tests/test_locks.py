"""What is installed by digest is what the constraints pin, all that the extras need, and has a digest each."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
# Both come with the package index's choice of torch, and are pinned by version alone; see .ci/lock.
BY_VERSION = re.compile(r"torch|triton|cuda-.*|nvidia-.*")


def pins(text: str) -> dict[str, str]:
    """Version by name."""
    found = re.findall(r"^([A-Za-z0-9._-]+)(?:\[.*?\])?==([^\s;]+)", text, re.MULTILINE)
    return {canonicalize_name(name): version for name, version in found}


def entries(name: str) -> list[str]:
    lines = [line for line in (ROOT / name).read_text().split("\n") if not line.startswith("#")]
    return re.split(r"\n(?=\S)", "\n".join(lines).strip())


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-base.lock"])
def test_every_entry_has_a_digest_and_the_version_of_the_constraints(lock: str) -> None:
    constraints = pins((ROOT / "constraints.txt").read_text())
    for entry in entries(lock):
        assert re.match(r"[\w.-]+(\[\w+\])?==", entry), entry
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", entry), entry
    locked = pins("\n".join(entries(lock)))
    assert len(locked) == len(entries(lock)) > 30
    assert not [name for name in locked if BY_VERSION.fullmatch(name)]
    assert {name: locked[name] for name in locked if name in constraints} == {
        name: constraints[name] for name in locked if name in constraints
    }


def needed(*extras: str) -> set[str]:
    """The packages that the project names for its base install and for these extras."""
    found = list(PROJECT["dependencies"])
    for extra in extras:
        found += PROJECT["optional-dependencies"][extra]
    return {canonicalize_name(Requirement(one).name) for one in found} - {"momus"}


def test_the_locks_hold_all_that_the_project_names() -> None:
    build = {"hatchling", "editables"}  # what builds momus, since it is built without fetching
    assert needed() | build <= set(pins("\n".join(entries("requirements-base.lock"))))
    everything = needed(*PROJECT["optional-dependencies"]) | build
    assert {name for name in everything if not BY_VERSION.fullmatch(name)} <= set(
        pins("\n".join(entries("requirements.lock")))
    )
    assert "torch" in pins((ROOT / "constraints.txt").read_text())
