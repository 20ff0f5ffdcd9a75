"""A whole build from tiny wheels, without the network."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from momus.corpus.build import build, read_split
from momus.corpus.packages import Package
from momus.errors import MomusError

MakeWheel = Callable[..., Path]


def code(*operators: str, name: str = "f") -> str:
    lines = "".join(f"    x = x {operator} {name}\n" for operator in operators)
    return f"def {name}(x):\n{lines}    return x\n"


PACKAGES = (
    Package("one", "1.0", "MIT", "web"),
    Package("two", "1.0", "MIT", "text", "dev"),
    Package("three", "1.0", "MIT", "data", "heldout"),
)


@pytest.fixture
def out(make_wheel: MakeWheel, tmp_path: Path) -> Path:
    cache = tmp_path / "packages"
    shared = code("+", "-", name="copied")
    make_wheel(cache, "one", {"one.py": code("+", "+") + shared, "one_gen.py": code("*", "*"), "tests/t.py": code("/")})
    make_wheel(cache, "two", {"two.py": code("+", "*")})
    make_wheel(cache, "three", {"three.py": code("-", "-") + code("+", "-", name="renamed")})
    return tmp_path


def ids(out: Path, split: str) -> list[str]:
    return [function.id for function in read_split(out, split)]


def test_splits_are_written_and_disjoint(out: Path) -> None:
    manifest = build(out, PACKAGES, jobs=1, stdlib=False)
    assert ids(out, "train") == ["one/one.py:f", "one/one_gen.py:f"]
    assert ids(out, "dev") == ["two/two.py:f"]
    assert ids(out, "heldout") == ["three/three.py:f", "three/three.py:renamed"]
    assert manifest["functions_before_dedupe"] == 6
    assert manifest["splits"]["train"]["functions"] == 2
    assert [p["licence"] for p in manifest["packages"]] == ["MIT"] * 3
    assert manifest == json.loads((out / "manifest.json").read_text())
    assert not list(out.rglob("*.partial"))


def test_a_finished_build_is_not_run_again_and_a_damaged_one_is(out: Path) -> None:
    build(out, PACKAGES, jobs=1, stdlib=False)
    told: list[str] = []
    build(out, PACKAGES, jobs=1, stdlib=False, report=told.append)
    assert told == [f"{out} is built already"]
    whole = (out / "functions-train.jsonl").read_bytes()
    (out / "functions-train.jsonl").write_bytes(whole[:10])
    build(out, PACKAGES, jobs=1, stdlib=False)
    assert (out / "functions-train.jsonl").read_bytes() == whole


def test_a_stopped_build_goes_on_with_the_packages_that_are_left(out: Path) -> None:
    build(out, PACKAGES[:1], jobs=1, stdlib=False)
    (out / "packages" / "one-1.0-py3-none-any.whl").unlink()  # it is read no more
    told: list[str] = []
    build(out, PACKAGES, jobs=1, stdlib=False, report=told.append)
    assert [line.split()[1] for line in told if "/" in line] == ["two", "three"]
    assert ids(out, "train") == ["one/one.py:f", "one/one_gen.py:f"]


def test_a_package_that_changes_sides_is_split_anew(out: Path) -> None:
    build(out, PACKAGES, jobs=1, stdlib=False)
    build(out, [Package("one", "1.0", "MIT", "web", "heldout")], jobs=1, stdlib=False)
    assert ids(out, "train") == []
    assert "one/one.py:f" in ids(out, "heldout")


def test_an_excluded_package_stops_the_build_before_anything_is_fetched(tmp_path: Path) -> None:
    with pytest.raises(MomusError, match="kept for measuring"):
        build(tmp_path / "corpus", [Package("tqdm", "1", "MIT", "terminal")], stdlib=False)
    assert not (tmp_path / "corpus").exists()


def test_a_wheel_of_another_licence_stops_the_build(make_wheel: MakeWheel, out: Path) -> None:
    make_wheel(out / "packages", "four", {"four.py": code("+")}, metadata="License-Expression: MPL-2.0")
    with pytest.raises(MomusError, match=r"MPL-2\.0"):
        build(out, [*PACKAGES, Package("four", "1.0", "MIT", "web")], jobs=1, stdlib=False)


def test_the_standard_library_trains_and_its_tests_do_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    library = tmp_path / "lib"
    (library / "test").mkdir(parents=True)
    (library / "site-packages").mkdir()
    (library / "mod.py").write_text(code("+", "+"))
    (library / "test" / "mod.py").write_text(code("-", "-"))
    (library / "site-packages" / "mod.py").write_text(code("*", "*"))
    paths: dict[str, Any] = {"stdlib": str(library)}
    monkeypatch.setattr("momus.corpus.build.sysconfig.get_paths", lambda: paths)
    build(tmp_path / "out", [], jobs=1)
    assert ids(tmp_path / "out", "train") == ["python/mod.py:f"]


def test_a_corpus_that_is_not_built_says_how_to_build_it(tmp_path: Path) -> None:
    with pytest.raises(MomusError, match="momus train corpus"):
        list(read_split(tmp_path / f"none{os.sep}", "train"))
