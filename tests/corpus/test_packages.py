"""What may be in the corpus, and how a wheel is fetched and read."""

from __future__ import annotations

from collections.abc import Callable
from email.parser import Parser
from pathlib import Path

import pytest

from momus.corpus.packages import (
    EXCLUDED,
    PACKAGES,
    Package,
    check_packages,
    fetch,
    is_permissive,
    licence_of,
    normal_name,
    parse_packages,
    read_wheel,
)
from momus.errors import MomusError

MakeWheel = Callable[..., Path]


def test_the_list_is_pinned_permissive_and_split_without_overlap() -> None:
    check_packages(PACKAGES)
    splits = {split: {p.name for p in PACKAGES if p.split == split} for split in ("train", "dev", "heldout")}
    assert len(splits["train"]) >= 40
    assert len(splits["dev"]) >= 3
    assert len({p.kind for p in PACKAGES if p.split == "heldout"}) >= 5
    assert sum(map(len, splits.values())) == len({p.name for p in PACKAGES})


@pytest.mark.parametrize("name", [*sorted(EXCLUDED), "PySnooper", "youtube_dl", "Youtube.DL"])
def test_packages_kept_for_measuring_are_refused(name: str) -> None:
    with pytest.raises(MomusError, match="kept for measuring"):
        check_packages([Package(name, "1.0", "MIT", "web")])


def test_the_same_package_in_two_splits_is_refused() -> None:
    with pytest.raises(MomusError, match="twice"):
        check_packages([Package("a-b", "1", "MIT", "web"), Package("A_b", "2", "MIT", "web", "heldout")])


def test_a_copyleft_package_is_refused() -> None:
    with pytest.raises(MomusError, match="not a permissive licence"):
        check_packages([Package("a", "1", "GPL-3.0-only", "web")])


def test_a_malformed_package_line_is_named() -> None:
    with pytest.raises(MomusError, match=r"'a \| MIT \| web'"):
        parse_packages("a | MIT | web", "train")


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("MIT", True),
        ("Apache-2.0 OR BSD-3-Clause", True),
        ("Apache-2.0 AND MIT", True),
        ("MIT AND MPL-2.0", False),
        ("GPL-3.0-only OR MIT", True),
        ("MPL-2.0", False),
        ("", False),
    ],
)
def test_an_expression_is_permissive_if_one_choice_is_so_in_all_its_parts(expression: str, expected: bool) -> None:
    assert is_permissive(expression) is expected


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        ("License-Expression: ISC\nLicense: MIT", "ISC"),
        ("Classifier: License :: OSI Approved :: BSD License", "BSD"),
        ("Classifier: License :: OSI Approved\nClassifier: License :: OSI Approved :: MIT License", "MIT"),
        ("License: BSD 3-Clause License", "BSD-3-Clause"),
        ("License: do what you like", ""),
        ("Name: x", ""),
    ],
)
def test_the_licence_is_read_from_the_metadata(metadata: str, expected: str) -> None:
    assert licence_of(Parser().parsestr(metadata + "\n\n")) == expected


def test_an_unknown_classifier_is_not_taken_for_permissive() -> None:
    copyleft = "License :: OSI Approved :: GNU General Public License v3 (GPLv3)"
    two = Parser().parsestr(f"Classifier: License :: OSI Approved :: MIT License\nClassifier: {copyleft}\n\n")
    assert not is_permissive(licence_of(two))


def test_a_wheel_in_the_cache_is_used_without_pip(
    make_wheel: MakeWheel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("momus.corpus.packages.sys.executable", "/nowhere/python")
    wheel = make_wheel(tmp_path, "Some_Thing", {"some_thing.py": "x = 1\n"})
    assert fetch(Package("some-thing", "1.0", "MIT", "web"), tmp_path) == wheel


def test_a_package_that_pip_cannot_find_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    with pytest.raises(MomusError, match=r"pip could not fetch no-such-thing==1\.0") as caught:
        fetch(Package("no-such-thing", "1.0", "MIT", "web"), tmp_path / "cache")
    assert "\n" not in str(caught.value)


def test_a_wheel_is_read_python_files_only(make_wheel: MakeWheel, tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, "a", {"a/b.py": "x = 1\n", "a/a.so": "", "a/__init__.py": ""})
    files = read_wheel(Package("a", "1.0", "MIT", "web"), wheel)
    assert files == [("a/__init__.py", b""), ("a/b.py", b"x = 1\n")]


def test_a_wheel_whose_metadata_says_otherwise_is_refused(make_wheel: MakeWheel, tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, "a", {}, metadata="License-Expression: MPL-2.0")
    with pytest.raises(MomusError, match=r"MPL-2\.0"):
        read_wheel(Package("a", "1.0", "MIT", "web"), wheel)


def test_a_damaged_wheel_is_named(tmp_path: Path) -> None:
    wheel = tmp_path / "a-1.0-py3-none-any.whl"
    wheel.write_bytes(b"no zip")
    with pytest.raises(MomusError, match="delete it"):
        read_wheel(Package("a", "1.0", "MIT", "web"), wheel)


def test_names_compare_as_indexes_compare_them() -> None:
    assert normal_name("Zope.Interface__x") == "zope-interface-x"
