"""Cases in which a review once kept silent by mistake, or spoke of the wrong thing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from critic_doubles import Says, only, review_in
from momus_here import ALL, WHO, momus

from momus.critique import Critique
from momus.records import Sampled

CONCISE = (*ALL, "--output-format", "concise")


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", "-C", str(folder), *arguments], env={**os.environ, **WHO}, check=True, capture_output=True)


def test_a_file_of_a_newer_python_is_read_as_text_and_the_note_names_this_one(tmp_path: Path) -> None:
    newer = {
        "generics.py": "def area[T](w: T) -> T:\n    w\n",
        "quotes.py": "def f(w):\n    print(f'{w['a']}')\n",
        "groups.py": "try:\n    w()\nexcept ValueError, TypeError:\n    raise\n",
    }
    for name, code in newer.items():
        (tmp_path / name).write_text(code)
    code, out, _ = momus(tmp_path, "review", *CONCISE)
    python = f"Python {sys.version_info.major}.{sys.version_info.minor} does not parse this"
    assert code == 1 and out.count(python) >= 1, out
    assert all(f"{name}:1:1: other" in out for name in newer)
    before = (tmp_path / "generics.py").read_text()
    code, _, err = momus(tmp_path, "review", *ALL, "--add-ignore", "generics.py")
    assert code == 0 and "2 findings ignored" in err, err
    assert (tmp_path / "generics.py").read_text().replace("  # momus: ignore[other]", "") == before


def test_a_mark_within_a_string_silences_nothing_even_where_nothing_tokenizes(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text('def f(:\n    x = "# momus: ignore-file nope"\n    return undefined_q\n')
    code, out, _ = momus(tmp_path, "review", *CONCISE)
    assert code == 1 and "broken.py:3:5: other" in out


def test_cells_in_another_language_and_cell_magics_leave_the_rest_of_a_notebook_alone(tmp_path: Path) -> None:
    def cell(source: str, **metadata: object) -> dict[str, object]:
        return {"cell_type": "code", "metadata": metadata, "source": source}

    cells = [
        cell("SELECT 1 FROM x\n", vscode={"languageId": "sql"}),
        cell("%%!\nls -l *\n"),
        cell("x = 1\n"),
    ]
    (tmp_path / "n.ipynb").write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4}))
    code, out, _ = momus(tmp_path, "review", *CONCISE)
    assert code == 1 and "n.ipynb:cell 3:1:1" in out and "does not parse" not in out and "cell 1:" not in out, out


def test_what_the_users_own_excludes_file_ignores_is_left_out(tmp_path: Path) -> None:
    root = tmp_path / "repo"
    root.mkdir()
    git(root, "init", "-q")
    (tmp_path / "global").write_text("s_*.py\n")
    (tmp_path / "user.gitconfig").write_text(f"[core]\nexcludesFile = {tmp_path / 'global'}\n")
    for name in ("s_1.py", "k.py"):
        (root / name).touch()
    assert momus(root, "review", "--show-files", GIT_CONFIG_GLOBAL=str(tmp_path / "user.gitconfig"))[1] == "k.py\n"


def test_a_shallow_clone_is_told_how_to_get_the_rest(tmp_path: Path) -> None:
    root = tmp_path / "repo"
    root.mkdir()
    git(root, "init", "-q", "-b", "main")
    for n in range(2):
        (root / "a.py").write_text(f"x = {n}\n")
        git(root, "add", ".")
        git(root, "commit", "-qm1")
    git(tmp_path, "clone", "-q", "--depth", "1", f"file://{root}", "shallow")
    for ref in ("HEAD~1", "nosuch"):
        code, _, err = momus(tmp_path / "shallow", "review", *ALL, "--diff", ref)
        assert code == 2 and "git fetch --unshallow" in err and "fetch-depth 0" in err, err


@pytest.mark.parametrize("way", [("--diff", "main"), ("--staged",)])
def test_a_second_repository_is_asked_for_as_the_first(tmp_path: Path, way: tuple[str]) -> None:
    for name in ("one", "two"):
        root = tmp_path / name
        root.mkdir()
        git(root, "init", "-q", "-b", "main")
        git(root, "commit", "-q", "--allow-empty", "-m1")
        (root / "a.py").write_text("x = 1\n")
        git(root, "add", ".")
    code, out, _ = momus(tmp_path, "review", *CONCISE, *way, "one", "two")
    assert code == 1 and "one/a.py:1:1" in out and "two/a.py:1:1" in out
    code, _, err = momus(tmp_path, "review", *CONCISE, *way, "one", "none")
    assert code == 2 and "none" in err, err


@pytest.mark.parametrize(("value", "coloured"), [("0", False), ("false", False), ("1", True)])
def test_force_color(tmp_path: Path, value: str, coloured: bool) -> None:
    (tmp_path / "a.py").write_text("x = 1\n")
    _, out, _ = momus(tmp_path, "review", *ALL, terminal=True, FORCE_COLOR=value)
    assert ("\x1b[" in out) is coloured
    assert "1 finding in 1 file" in out


class LeavesOut:
    name, cut, version = "leaves out", "context", ""

    def critique(self, tasks, *, n=1, seed):  # type: ignore[no-untyped-def]
        for task in tasks:
            at = task.answer[: task.answer.index("too long")].count("\n") + 1 if "too long" in task.answer else None
            told = f"line {at}" if at else None
            yield Sampled(task_id=task.id, critic=self.name, critique=Critique(), left_out=told)


def test_what_was_left_out_is_told_by_the_lines_of_the_file(tmp_path: Path) -> None:
    code = "import os\n\n\ndef f():\n    return os.name\n\n\ndef g():\n    return 'too long'\n"
    (tmp_path / "a.py").write_text(code)
    report = review_in(tmp_path, LeavesOut())
    (note,) = [note for note in only(report).notes if note.kind == "left-out"]
    assert note.line == 9 and "line 9" in note.text and not report.complete, note
    assert review_in(tmp_path, Says(lambda task: ())).complete
