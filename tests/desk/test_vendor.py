"""What the pages load is what the lockfile says, they load it from the desk, and their scripts are sound."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STATIC = ROOT / "src/momus/desk/static"
FRONTEND = ROOT / "frontend"
LICENCES = "vendor.LICENSES.txt"


def test_the_vendored_bundle_is_what_the_lockfile_builds(frontend: Path, tmp_path: Path) -> None:
    subprocess.run(["node", "build.mjs", str(tmp_path / "vendor.js")], cwd=frontend, check=True, timeout=120)
    for name in ("vendor.js", LICENCES):
        assert (tmp_path / name).read_bytes() == (STATIC / name).read_bytes(), "run: make frontend"


def test_each_package_of_the_bundle_is_named_with_the_text_of_its_licence() -> None:
    lock = json.loads((FRONTEND / "package-lock.json").read_text())["packages"]
    inside = {
        f"{name.removeprefix('node_modules/')} {package['version']} ({package['license']})": package["license"]
        for name, package in lock.items()
        if name and not package.get("dev")
    }
    parts = (STATIC / LICENCES).read_text().split(f"\n{'-' * 80}\n\n")[1:]
    assert {part.split("\n")[0] for part in parts} == set(inside) and len(parts) == len(inside) > 15
    for part in parts:
        title, _, text = part.partition("\n")
        must = {"MIT": "Permission is hereby granted, free of charge", "Apache-2.0": "TERMS AND CONDITIONS FOR USE"}
        assert must[inside[title]] in text
        assert re.search(r"Copyright \(c\) |Copyright \d{4}", text, re.IGNORECASE), title
    assert LICENCES in "".join((STATIC / "vendor.js").read_text().split("\n")[:2])


def test_versions_are_exact() -> None:
    pins = json.loads((FRONTEND / "package.json").read_text())
    for name, version in {**pins["dependencies"], **pins["devDependencies"]}.items():
        assert re.fullmatch(r"\d+\.\d+\.\d+", version), name


@pytest.mark.parametrize("path", sorted(STATIC.rglob("*.js")), ids=lambda path: str(path.relative_to(STATIC)))
def test_scripts_load_scripts_that_are_there_and_read_nothing_as_html(path: Path) -> None:
    text = path.read_text()
    if path.name == "vendor.js":
        assert not re.search(r"\bimport\s*\(|from\s*[\"']https?:", text)
        return
    for name in re.findall(r"^(?:import|export)[^;]*?from \"([^\"]+)\"", text, re.MULTILINE):
        assert name.startswith(".") and (path.parent / name).resolve().is_file(), name
    assert not re.search(r"nnerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(", text)
    assert not re.search(r"https?://", text)
    assert len(text.splitlines()) < 400


def test_scripts_keep_to_the_types_that_they_name(frontend: Path) -> None:
    done = subprocess.run(["node", "check.mjs", str(STATIC)], cwd=frontend, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
