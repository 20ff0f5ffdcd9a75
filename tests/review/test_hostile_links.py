"""Links in a repository lead nowhere out of it, whatever is read or written; no secret is ever printed."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from momus_here import ALL, WHO, momus

SECRET = "hunter2_hunter2"


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", "-C", str(folder), *arguments], env={**os.environ, **WHO}, check=True, capture_output=True)


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    root = tmp_path / "repo"
    (root / "src").mkdir(parents=True)
    git(root, "init", "-q", "-b", "main")
    (root / "src" / "a.py").touch()
    git(root, "add", ".")
    git(root, "commit", "-qm1")
    return root


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A folder beside the repository with a secret in everything that might be read."""
    folder = tmp_path / "outside"
    folder.mkdir()
    for name in ("secret.py", "secret.toml", "secret.json", "secret.ipynb", "secret.diff"):
        (folder / name).write_text(f"import {SECRET}\n")
    return folder


def all_ways(repo: Path) -> list[tuple[str, ...]]:
    (repo / "p.patch").write_bytes(
        subprocess.run(["git", "diff", "--cached"], cwd=repo, capture_output=True, check=True).stdout
    )
    return [(), (".",), ("--diff", "main"), ("--staged",), ("--patch", "p.patch")]


def planted(repo: Path, outside: Path) -> None:
    (repo / "file.py").symlink_to(outside / "secret.py")
    (repo / "relative.py").symlink_to("../outside/secret.py")
    (repo / "folder").symlink_to(outside)
    (repo / "src" / "up").symlink_to("../..")
    (repo / "loop.py").symlink_to("loop.py")
    (repo / "ring").symlink_to("ring2")
    (repo / "ring2").symlink_to("ring")
    (repo / "nb.ipynb").symlink_to(outside / "secret.ipynb")
    (repo / "host.py").symlink_to("/proc/self/environ")
    (repo / "tty.py").symlink_to("/dev/stdin")
    (repo / "chain.py").symlink_to("folder/secret.py")
    git(repo, "add", "-A")


@pytest.mark.parametrize("form", ["text", "json", "html"])
def test_no_way_to_review_reads_what_a_link_leads_to_outside(repo: Path, outside: Path, form: str) -> None:
    planted(repo, outside)
    for way in all_ways(repo):
        code, out, err = momus(repo, "review", *way, *ALL, "--output-format", form)
        assert SECRET not in out + err and code == 0, (way, out, err)
        assert "file.py" in out, way


@pytest.mark.parametrize(
    "name", ["file.py", "relative.py", "folder", "folder/secret.py", "chain.py", "src/up", "host.py"]
)
def test_a_link_out_that_is_named_is_an_error(repo: Path, outside: Path, name: str) -> None:
    planted(repo, outside)
    for way in ((), ("--diff", "main")):
        code, out, err = momus(repo, "review", *way, name, *ALL)
        assert code == 2 and SECRET not in out + err and "leads out of" in out + err, (way, out, err)


def test_links_in_a_circle_are_an_error_where_they_are_named_and_passed_by_elsewhere(repo: Path, outside: Path) -> None:
    planted(repo, outside)
    code, out, _ = momus(repo, "review", "loop.py", *ALL)
    assert code == 2 and "loop.py" in out
    code, out, _ = momus(repo, "review", "ring", *ALL)
    assert code == 2 and "ring" in out


def test_nothing_is_written_through_a_link(repo: Path, outside: Path) -> None:
    (repo / "src" / "a.py").write_text("x = 1\n")
    target = outside / "secret.json"
    before = target.read_text()
    (repo / "known.json").symlink_to(target)
    (repo / "gone.json").symlink_to(outside / "new.json")
    (repo / "deep").symlink_to(outside)
    for name in ("known.json", "gone.json", "deep/known.json"):
        code, _, err = momus(repo, "review", *ALL, "--baseline", name, "--write-baseline")
        assert code == 2 and "leads out of its repository by a link" in err, (name, err)
        code, _, err = momus(repo, "review", *ALL, "-o", name)
        assert code == 2 and "leads out of its repository by a link" in err, (name, err)
        code, out, err = momus(repo, "review", *ALL, "--baseline", name)
        assert code == 2 and SECRET not in out + err, (name, err)
    assert target.read_text() == before and sorted(p.name for p in outside.iterdir()) == sorted(
        f"secret.{end}" for end in ("py", "toml", "json", "ipynb", "diff")
    )


def test_comments_are_not_written_through_a_link(repo: Path, outside: Path) -> None:
    planted(repo, outside)
    (repo / "src" / "a.py").write_text("import os\n")
    (repo / "also.py").symlink_to("src/a.py")
    momus(repo, "review", *ALL, "--add-ignore")
    assert "momus" not in (outside / "secret.py").read_text()
    assert (repo / "also.py").is_symlink() and (repo / "src" / "a.py").read_text().count("momus: ignore") == 1


@pytest.mark.parametrize(
    "name", ["../outside/secret.json", "/etc/passwd", "src/../../outside/secret.json", "deep/secret.json"]
)
def test_a_repositorys_settings_name_no_file_above_or_outside(repo: Path, outside: Path, name: str) -> None:
    (repo / "deep").symlink_to(outside)
    (repo / "momus.toml").write_text(f'baseline = "{name}"\n')
    for more in ((), ("--write-baseline",)):
        code, out, err = momus(repo, "review", *ALL, *more)
        assert code == 2 and SECRET not in out + err and "root:" not in out + err, (out, err)
        assert len(err.splitlines()) == 1, err


@pytest.mark.parametrize("name", ["momus.toml", "pyproject.toml", ".gitignore"])
def test_settings_that_are_a_link_out_are_not_read(repo: Path, outside: Path, name: str) -> None:
    (outside / "secret.toml").write_text(
        f"[tool.momus]\ncritic = '{SECRET}'\n" if name[0] == "p" else f"critic='{SECRET}'"
    )
    (repo / name).symlink_to(outside / "secret.toml")
    (repo / "src" / "a.py").write_text("import os\n")
    code, out, err = momus(repo, "review", "--isolated" if name == ".gitignore" else "src", *ALL)
    assert SECRET not in out + err
    if name != ".gitignore":
        assert code == 2 and "leads out of its repository by a link" in err
    code, out, err = momus(repo, "review", "--show-settings")
    assert SECRET not in out + err, (out, err)


def test_tampering_reads_no_link_out(repo: Path, outside: Path) -> None:
    body = f"def {SECRET}(a, b):\n    if a < b and a > 0:\n        return a + b\n    return a - b\n" * 3
    (outside / "secret.py").write_text(body)
    (repo / "file.py").symlink_to(outside / "secret.py")
    (repo / "folder").symlink_to(outside)
    (repo / "src" / "a.py").write_text(body.replace(SECRET, "f"))
    code, _, err = momus(repo, "tamper", ".", "-o", "t.jsonl", "--no-run-tests", "--linter", "none")
    assert code == 0, err
    assert SECRET not in (repo / "t.jsonl").read_text()
