"""Diffs of real repositories: what is touched, and only that, is reviewed."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from critic_doubles import Says, notebook, on_word

from momus.errors import MomusError
from momus.review.config import Config
from momus.review.finding import Report
from momus.review.plan import Asked, plan
from momus.review.run import conduct

FILE = "def one():\n    bad = 1\n    return bad\n\n\ndef two():\n    bad = 2\n    return bad\n"


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q", "-b", "main")
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg" / "a.py").write_text(FILE)
    (tmp_path / "b.py").write_text(FILE)
    commit(tmp_path)
    git(tmp_path, "checkout", "-q", "-b", "work")
    return tmp_path


def git(folder: Path, *arguments: str) -> str:
    who = ("-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "commit.gpgsign=false")
    done = subprocess.run(["git", "-C", str(folder), *who, *arguments], capture_output=True, check=True)
    return done.stdout.decode()


def commit(folder: Path) -> None:
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "x")


def changed(folder: Path, *, cut: str = "bare", **asked: object) -> Report:
    config = Config(options={"cache": False}, isolated=True)
    jobs = plan(Asked(**asked), config, folder)  # type: ignore[arg-type]
    return conduct(jobs, config.near(folder), folder, critic=Says(on_word("bad"), cut=cut))


def found(report: Report) -> list[tuple[str, int]]:
    assert report.complete, [file.error for file in report.failed]
    return [(finding.path, finding.start_line) for finding in report]


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_bytes().decode()
    assert old in text
    path.write_bytes(text.replace(old, new).encode())


@pytest.mark.parametrize("cut", ["bare", "context", "file"])
def test_only_touched_units_have_findings(repo: Path, cut: str):
    edit(repo / "pkg" / "a.py", "bad = 2", "bad = 3")
    assert found(changed(repo, diff="main", cut=cut)) == [("pkg/a.py", 7), ("pkg/a.py", 8)]


def test_a_diff_holds_commits_of_the_branch_work_in_hand_and_new_files_but_not_what_main_did(repo: Path):
    edit(repo / "b.py", "bad = 1", "bad = 9")
    commit(repo)
    git(repo, "checkout", "-q", "main")
    edit(repo / "pkg" / "a.py", "bad = 1", "bad = 5")
    commit(repo)
    git(repo, "checkout", "-q", "work")
    (repo / "new.py").write_text("bad = 0\n")
    (repo / ".gitignore").write_text("made.py\n")
    (repo / "made.py").write_text("bad = 0\n")
    edit(repo / "b.py", "bad = 2", "bad = 8")
    assert found(changed(repo, diff="main")) == [("b.py", 2), ("b.py", 3), ("b.py", 7), ("b.py", 8), ("new.py", 1)]


def test_paths_narrow_a_diff(repo: Path):
    edit(repo / "b.py", "bad = 1", "bad = 9")
    edit(repo / "pkg" / "a.py", "bad = 1", "bad = 9")
    assert {path for path, _ in found(changed(repo, diff="main", paths=(Path("pkg"),)))} == {"pkg/a.py"}


def test_what_is_staged_is_read_from_the_index(repo: Path):
    edit(repo / "b.py", "bad = 1", "bad = 9")
    git(repo, "add", "-A")
    (repo / "b.py").write_text("changed = 'again'\n")
    (repo / "unstaged.py").write_text("bad = 1\n")
    report = changed(repo, staged=True)
    assert found(report) == [("b.py", 2), ("b.py", 3)]
    assert "bad = 9" in report.files[0].text


def test_before_the_first_commit_everything_staged_is_new(tmp_path: Path):
    git(tmp_path, "init", "-q")
    (tmp_path / "a.py").write_text("bad = 1\n")
    git(tmp_path, "add", "-A")
    assert found(changed(tmp_path, staged=True)) == [("a.py", 1)]


def test_renames_and_deletions_are_no_findings_and_a_binary_is_not_passed_over(repo: Path):
    git(repo, "mv", "b.py", "c.py")
    git(repo, "rm", "-q", "pkg/a.py")
    git(repo, "add", "-A")
    assert found(changed(repo, staged=True)) == []
    (repo / "blob.py").write_bytes(b"\0\1\2bad")
    git(repo, "add", "-A")
    (failed,) = changed(repo, staged=True).failed
    assert failed.path == "blob.py" and "binary" in (failed.error or "")


def test_a_renamed_and_edited_file_is_reviewed_under_its_new_name(repo: Path):
    git(repo, "mv", "b.py", "c.py")
    edit(repo / "c.py", "bad = 2", "bad = 4")
    git(repo, "add", "-A")
    assert found(changed(repo, diff="main")) == [("c.py", 7), ("c.py", 8)]


def test_names_that_git_would_quote_are_read(repo: Path):
    (repo / "né 名.py").write_text("bad = 1\n")
    git(repo, "add", "-A")
    assert found(changed(repo, staged=True)) == [("né 名.py", 1)]


def test_line_ends_of_every_kind_count_as_lines(repo: Path):
    for name, end in (("crlf.py", "\r\n"), ("cr.py", "\r")):
        (repo / name).write_bytes(FILE.replace("\n", end).encode())
    commit(repo)
    git(repo, "checkout", "-q", "-b", "more")
    edit(repo / "crlf.py", "bad = 2", "bad = 3")
    edit(repo / "cr.py", "bad = 2", "bad = 3")
    lines = found(changed(repo, diff="work"))
    assert [line for path, line in lines if path == "crlf.py"] == [7, 8]
    assert {line for path, line in lines if path == "cr.py"} == {2, 3, 7, 8}  # one line, for git


def test_a_file_without_a_final_newline_is_reviewed(repo: Path):
    (repo / "b.py").write_text(FILE.rstrip("\n") + "  # x")
    assert found(changed(repo, diff="main")) == [("b.py", 7), ("b.py", 8)]


def test_a_diff_from_a_folder_below_names_files_from_there(repo: Path):
    edit(repo / "pkg" / "a.py", "bad = 1", "bad = 9")
    edit(repo / "b.py", "bad = 1", "bad = 9")
    assert {path for path, _ in found(changed(repo / "pkg", diff="main"))} == {"a.py"}


def test_changed_cells_of_a_notebook_are_reviewed(repo: Path):
    import json

    def write(*cells: str) -> None:
        (repo / "n.ipynb").write_text(json.dumps(json.loads(notebook(*cells)), indent=1))

    write("def f():\n    bad = 1\n    return 0\n", "def g():\n    bad = 2\n    return 0\n")
    commit(repo)
    git(repo, "checkout", "-q", "-b", "more")
    write("def f():\n    bad = 1\n    return 0\n", "def g():\n    bad = 3\n    return 0\n")
    assert found(changed(repo, diff="work")) == [("n.ipynb", 5)]


@pytest.mark.parametrize("ref", ["nowhere", "--output=x", ""])
def test_a_commit_that_does_not_exist_is_one_sentence(repo: Path, ref: str):
    with pytest.raises(MomusError) as error:
        changed(repo, diff=ref)
    assert "\n" not in str(error.value)
    assert not (repo / "x").exists()


def test_outside_a_repository_a_diff_says_so(tmp_path: Path):
    with pytest.raises(MomusError, match="no git repository"):
        changed(tmp_path, staged=True)


def test_a_patch_is_reviewed_applied_or_not(repo: Path):
    edit(repo / "b.py", "bad = 2", "bad = 3")
    (repo / "new.py").write_text("bad = 1\n")
    git(repo, "add", "-A")
    patch = git(repo, "diff", "--cached")
    expected = [("b.py", 7), ("b.py", 8), ("new.py", 1)]
    assert found(changed(repo, patch=patch)) == expected
    git(repo, "reset", "-q", "--hard")
    report = changed(repo, patch=patch)
    assert found(report) == expected
    assert "bad = 3" in report.files[0].text
    assert not (repo / "new.py").exists()


def test_a_patch_that_fits_nothing_fails_its_file_and_the_others_are_reviewed(repo: Path):
    edit(repo / "b.py", "bad = 2", "bad = 3")
    edit(repo / "pkg" / "a.py", "bad = 2", "bad = 3")
    patch = git(repo, "diff")
    edit(repo / "b.py", "bad = 3", "other = 7")
    report = changed(repo, patch=patch)
    assert [(file.path, "does not fit" in (file.error or "")) for file in report.files] == [
        ("b.py", True),
        ("pkg/a.py", False),
    ]
    assert len(report.findings) == 2


def test_a_patch_may_not_lead_out_of_the_folder(repo: Path):
    (repo.parent / "outside.py").write_text("secret\n")
    report = changed(repo, patch="--- a/../outside.py\n+++ b/../outside.py\n@@ -1 +1 @@\n-x\n+secret\n")
    assert "leads out" in (report.files[0].error or "")
    assert report.files[0].text == ""


def test_no_program_that_the_repository_names_is_run(repo: Path):
    mark = repo.parent / "ran"
    git(repo, "config", "diff.external", f"touch {mark};true")
    git(repo, "config", "core.fsmonitor", f"touch {mark};true")
    (repo / ".gitattributes").write_text("*.py diff=evil\n")
    git(repo, "config", "diff.evil.textconv", f"touch {mark};cat")
    git(repo, "config", "diff.noprefix", "true")
    edit(repo / "b.py", "bad = 2", "bad = 3")
    mark.unlink(missing_ok=True)
    assert found(changed(repo, diff="main")) == [("b.py", 7), ("b.py", 8)]
    assert not mark.exists()
