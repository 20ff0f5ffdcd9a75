"""Which files a path stands for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from momus.review.files import excluded, find


def make(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x = 1\n")


def names(root: Path, *paths: str, gitignore: bool = True) -> list[str]:
    found = find([root / path for path in paths or ("",)], gitignore=gitignore)
    return [os.path.relpath(one.path, root).replace(os.sep, "/") for one in found]


def test_folders_are_walked_in_a_stable_order_without_what_is_not_ours(tmp_path: Path):
    make(tmp_path, "b.py", "a/z.py", "a/n.ipynb", "a.txt", ".hidden/x.py", ".x.py", "node_modules/x.py", "lib/x.pyw")
    make(tmp_path, "a/__pycache__/x.py", "myenv/lib/x.py", "myenv/pyvenv.cfg")
    assert names(tmp_path) == ["a/n.ipynb", "a/z.py", "b.py", "lib/x.pyw"]


def test_nested_gitignores_hold_below_them_and_the_innermost_wins(tmp_path: Path):
    make(tmp_path, "gen/a.py", "src/gen/b.py", "src/keep_pb.py", "src/x_pb.py", "src/deep/y_pb.py", "top.py")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".gitignore").write_text("# made\n/gen/\n*_pb.py\n")
    (tmp_path / "src" / ".gitignore").write_text("!keep_pb.py\n")
    assert names(tmp_path) == ["src/gen/b.py", "src/keep_pb.py", "top.py"]
    assert names(tmp_path, "src") == ["src/gen/b.py", "src/keep_pb.py"]  # the rules above hold too
    assert len(names(tmp_path, gitignore=False)) == 6


def test_gits_own_exclude_file_is_read(tmp_path: Path):
    make(tmp_path, "a.py", "private.py")
    (tmp_path / ".git" / "info").mkdir(parents=True)
    (tmp_path / ".git" / "info" / "exclude").write_text("private.py\n")
    assert names(tmp_path) == ["a.py"]


def test_a_file_that_is_named_is_taken_whatever_it_is_called(tmp_path: Path):
    make(tmp_path, "script", "made.py")
    (tmp_path / ".gitignore").write_text("made.py\n")
    assert names(tmp_path, "script", "made.py") == ["script", "made.py"]


def test_each_file_is_taken_once(tmp_path: Path):
    make(tmp_path, "src/a.py")
    (tmp_path / "link.py").symlink_to(tmp_path / "src" / "a.py")
    assert names(tmp_path, "src", "src/a.py", "link.py", "src") == ["src/a.py"]


def test_links_in_a_circle_end(tmp_path: Path):
    make(tmp_path, "src/a.py")
    (tmp_path / "src" / "loop").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "src" / "self.py").symlink_to(tmp_path / "src" / "self.py")
    (tmp_path / "src" / "nowhere.py").symlink_to(tmp_path / "none.py")
    assert names(tmp_path) == ["src/a.py"]
    (named,) = find([tmp_path / "src" / "self.py"])
    assert named.error is not None


def test_a_pipe_in_a_folder_is_passed_by(tmp_path: Path):
    make(tmp_path, "a.py")
    os.mkfifo(tmp_path / "pipe.py")
    assert names(tmp_path) == ["a.py"]


def test_a_missing_path_says_so_and_the_others_are_found(tmp_path: Path):
    make(tmp_path, "a.py")
    found = find([tmp_path / "none.py", tmp_path / "a.py"])
    assert [one.error is not None for one in found] == [True, False]


@pytest.mark.parametrize(
    ("path", "hit"),
    [
        ("gen/a.py", True),
        ("src/gen/a.py", False),
        ("src/a_test.py", True),
        ("src/a.py", False),
        ("../x_test.py", False),
    ],
)
def test_excluding_works_as_in_a_gitignore_beside_the_settings(tmp_path: Path, path: str, hit: bool):
    assert excluded(tmp_path / path, tmp_path, ("/gen/", "*_test.py")) is hit
