"""Exit 0 means that everything asked for was read, whatever the source; what crashes is a sentence and 2."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("ruff")

RUFF = ("--critic", "linter:ruff", "--output-format", "concise", "--no-cache")
WHO = {f"GIT_{role}_{what}": "a@example.org" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}


def environment(home: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MOMUS_", "GITHUB_", "GIT_"))}
    return {**kept, **WHO, "HOME": str(home / "home"), "XDG_CONFIG_HOME": str(home / "xdg"), "NO_COLOR": "1"}


def review(folder: Path, *arguments: str, home: Path | None = None, given: bytes = b"") -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-m", "momus", "review", *arguments],
        cwd=folder,
        env=environment(home or folder.parent),
        input=given,
        capture_output=True,
    )
    out, err = (text.decode("utf-8", "replace") for text in (done.stdout, done.stderr))
    assert "Traceback" not in err, err
    return done.returncode, out, err


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", "-C", str(folder), *arguments], env=environment(folder), check=True, capture_output=True)


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    root = tmp_path / "repo"
    (root / "src").mkdir(parents=True)
    git(root, "init", "-q", "-b", "main")
    (root / "src" / "a.py").write_text("x = 1\n")
    git(root, "add", ".")
    git(root, "commit", "-qm1")
    return root


def test_a_path_that_is_not_there_fails_a_diff_and_a_link_to_a_folder_is_that_folder(repo: Path) -> None:
    (repo / "src" / "a.py").write_text("import os\n")
    (repo / "link").symlink_to("src")
    code, out, _ = review(repo, "--diff", "main", *RUFF, "srcc")
    assert code == 2 and "srcc: not reviewed: no such file or folder" in out
    code, out, _ = review(repo, "--diff", "main", *RUFF, "link")
    assert code == 1 and "src/a.py:1:8" in out


def test_no_attribute_keeps_a_file_from_being_read(repo: Path) -> None:
    (repo / ".gitattributes").write_text("src/a.py -diff\nsrc/b.py binary\n")
    (repo / "src" / "a.py").write_text("import os\n")
    (repo / "src" / "b.py").write_text("import os\n")
    for source in (("--diff", "main"), ("--staged",)):
        git(repo, "add", ".")
        code, out, _ = review(repo, *source, *RUFF)
        assert code == 1 and "src/a.py:1:8" in out and "src/b.py:1:8" in out
    patch = subprocess.run(["git", "diff", "--cached"], cwd=repo, capture_output=True, check=True).stdout
    code, out, _ = review(repo, "--patch", "-", *RUFF, given=patch)
    assert code == 2 and "git diff --text" in out


def test_every_repository_on_a_command_line_is_diffed(repo: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    subprocess.run(["cp", "-r", str(repo), str(other)], check=True)
    (other / "src" / "a.py").write_text("import os\n")
    code, out, _ = review(tmp_path, "--diff", "main", *RUFF, "repo", "other")
    assert code == 1 and "other/src/a.py:1:8" in out


def test_an_ignored_folder_that_is_named_is_reviewed_and_git_says_what_is_ignored(repo: Path) -> None:
    (repo / "gen").mkdir()
    (repo / "gen" / "a.py").write_text("import os\n")
    (repo / ".gitignore").write_bytes(b"\xef\xbb\xbfgen/\nk.py\n")
    (repo / "k.py").write_text("import os\n")
    assert review(repo, "gen", *RUFF)[0] == 1
    assert review(repo, "--show-files")[1] == "src/a.py\n"
    git(repo, "worktree", "add", "-q", str(repo.parent / "wt"))
    (repo / ".git" / "info" / "exclude").write_text("l_*.py\n")
    (repo.parent / "wt" / "l_1.py").touch()
    assert review(repo.parent / "wt", "--show-files")[1] == "src/a.py\n"


def test_an_exclude_holds_for_files_named_for_standard_input_and_from_anywhere(repo: Path, tmp_path: Path) -> None:
    (repo / "migrations").mkdir()
    (repo / "migrations" / "m.py").write_text("import os\n")
    (repo / "momus.toml").write_text('exclude = ["migrations/"]\n')
    for arguments in (("migrations/m.py",), ("-", "--stdin-filename", "migrations/m.py"), ("migrations",)):
        code, out, _ = review(repo, *arguments, *RUFF, given=b"import os\n")
        assert code == 0 and "1 file excluded" in out
    (repo / "momus.toml").unlink()
    (tmp_path / "xdg" / "momus").mkdir(parents=True)
    (tmp_path / "xdg" / "momus" / "momus.toml").write_text('exclude = ["migrations/"]\n')
    assert review(repo, *RUFF)[0] == 0
    (tmp_path / "xdg" / "momus" / "momus.toml").unlink()
    (tmp_path / "build").mkdir()
    assert review(tmp_path / "build", "../repo", "--exclude", "migrations/", *RUFF, home=tmp_path)[0] == 0


def test_a_baseline_is_met_from_any_folder_and_by_a_file_that_moved(repo: Path) -> None:
    (repo / "pyproject.toml").write_text('[tool.momus]\nbaseline = "known.json"\n')
    (repo / "src" / "a.py").write_text("import os\n")
    assert review(repo, *RUFF, "--write-baseline")[0] == 0
    assert review(repo / "src", *RUFF, home=repo.parent)[0] == 0
    assert review(repo / "src", *RUFF, "--write-baseline", home=repo.parent)[0] == 0
    (entry,) = json.loads((repo / "known.json").read_text())["findings"]
    assert entry["path"] == "src/a.py"
    (repo / "src" / "a.py").rename(repo / "b.py")
    code, out, _ = review(repo, *RUFF)
    assert code == 0 and "1 known from the baseline" in out


def test_an_output_file_is_written_by_a_review_that_ends_alone(repo: Path) -> None:
    assert review(repo, "--diff", "nosuch", "--json", "-o", "o.json")[0] == 2
    assert not (repo / "o.json").exists()
    (repo / "o.json").write_text("old")
    assert review(repo, "--diff", "nosuch", "--json", "-o", "o.json")[0] == 2
    assert (repo / "o.json").read_text() == "old"


def test_conflicts_are_named_and_never_reviewed_as_code(repo: Path) -> None:
    git(repo, "checkout", "-qb", "side")
    (repo / "src" / "a.py").write_text("x = 2\n")
    git(repo, "commit", "-qam2")
    git(repo, "checkout", "-q", "main")
    (repo / "src" / "a.py").write_text("x = 3\n")
    git(repo, "commit", "-qam3")
    subprocess.run(["git", "-C", str(repo), "merge", "side"], env=environment(repo), capture_output=True)
    for source in (("--staged",), ("--diff", "side"), ()):
        code, out, _ = review(repo, *source, *RUFF)
        assert code == 2 and "conflict" in out, (source, out)


def test_a_notebook_cell_that_did_not_change_is_never_reported(repo: Path) -> None:
    def notebook(*cells: object) -> bytes:
        body = [{"cell_type": "code", "metadata": {}, "outputs": [], "source": source} for source in cells]
        return json.dumps({"cells": body, "metadata": {}, "nbformat": 4, "nbformat_minor": 4}).encode()

    path = repo / "n.ipynb"
    path.write_bytes(notebook("import os\n", "x = 1"))
    git(repo, "add", ".")
    git(repo, "commit", "-qm2")
    path.write_bytes(notebook(["import os\n"], "x = 1", ["import sys\n", "y = 2"]))
    git(repo, "add", ".")
    for source in (("--diff", "main"), ("--staged",)):
        code, out, _ = review(repo, *source, *RUFF)
        assert code == 1 and "cell 3:1:8" in out and "cell 1" not in out


@pytest.mark.parametrize(
    ("options", "applied"),
    [
        (("-c", "diff.mnemonicPrefix=true"), True),
        (("-R",), False),
        (("--src-prefix=x/",), True),
        (("--no-prefix",), True),
    ],
)
def test_patches_are_read_whatever_their_prefixes(repo: Path, options: tuple[str, ...], applied: bool) -> None:
    (repo / "src" / "a.py").write_text("import os\nx = 1\n")
    before, after = (options, ()) if options[0] == "-c" else ((), options)
    patch = subprocess.run(["git", *before, "diff", *after], cwd=repo, capture_output=True, check=True).stdout
    code, out, _ = review(repo, "--patch", "-", *RUFF, given=patch)
    assert ("src/a.py:1:8" in out, code) == ((True, 1) if applied else (False, 0)) and "in 1 file" in out


def test_what_crashes_is_a_sentence_and_2(tmp_path: Path) -> None:
    odd = os.fsencode(tmp_path) + b"/work"
    os.mkdir(odd)  # noqa: PTH102
    with open(odd + b"/caf\xe9.py", "w") as file:  # noqa: PTH123
        file.write("import os\n")
    work = tmp_path / "work"
    code, _, err = review(work, *RUFF, "--baseline", "k.json", "--write-baseline")
    assert code == 2 and "not UTF-8" in err and len(err.splitlines()) == 1
    assert not list(work.glob("k.json*"))
    command = f"{sys.executable} -m momus review . {' '.join(RUFF)}"
    for shell in (f"{command} > /dev/full", f"{command} >&-", f"mkdir g; cd g; rmdir ../g; {command}"):
        done = subprocess.run(["sh", "-c", shell], cwd=work, env=environment(tmp_path), capture_output=True, text=True)
        assert done.returncode == 2 and len(done.stderr.splitlines()) == 1, (shell, done.stderr)


def test_a_mistyped_verb_gets_a_suggestion(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-m", "momus", "reveiw"], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 2 and "did you mean 'momus review'?" in done.stderr
