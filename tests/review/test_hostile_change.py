"""A change does not choose how it is reviewed: where its base is known, settings and baseline are those of the base."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from momus_here import WHO, momus

OWN = 'critic = "everything"\nfail-on = "low"\n'


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(folder), *arguments], env={**os.environ, **WHO}, check=True, capture_output=True
    )
    return done.stdout.decode().strip()


def made(root: Path, settings: str = OWN) -> Path:
    (root / "src").mkdir(parents=True)
    git(root, "init", "-q", "-b", "main")
    (root / "momus.toml").write_text(settings)
    (root / "src" / "a.py").write_text("x = 1\n")
    git(root, "add", ".")
    git(root, "commit", "-qm1")
    git(root, "update-ref", "refs/remotes/origin/main", "main")
    git(root, "checkout", "-qb", "work")
    (root / "src" / "a.py").write_text("y = 2\n")
    return root


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return made(tmp_path / "repo")


def known(root: Path) -> None:
    """A baseline that knows all that the review would find."""
    code, _, err = momus(root, "review", "--baseline", "known.json", "--write-baseline", "--no-cache")
    assert code == 0, err
    entries = json.loads((root / "known.json").read_text())["findings"]
    assert entries
    (root / "momus.toml").write_text(OWN + 'baseline = "known.json"\n')


def nearer(root: Path) -> None:
    (root / "src" / "momus.toml").write_text('exclude = ["*.py"]\n')


def in_project(root: Path) -> None:
    (root / "src" / "pyproject.toml").write_text('[tool.momus]\ncritic = "empty"\nmin-confidence = 1.0\n')


def text(line: str) -> Callable[[Path], None]:
    return lambda root: (root / "momus.toml").write_text(line + "\n") and None


SILENCERS = {
    "critic": text('critic = "empty"'),
    "exclude": text(OWN + 'exclude = ["src/"]'),
    "ignore": text(OWN + 'ignore = ["other"]'),
    "fail-on": text('critic = "everything"\nfail-on = "never"'),
    "baseline": known,
    "nearer": nearer,
    "in-project": in_project,
    "broken": text("critic = ["),
    "gone": lambda root: (root / "momus.toml").unlink(),
}


@pytest.mark.parametrize("how", ["diff", "github", "gitlab"])
@pytest.mark.parametrize("silence", SILENCERS)
def test_a_change_that_silences_its_review_is_reviewed_and_said_to(repo: Path, silence: str, how: str) -> None:
    SILENCERS[silence](repo)
    git(repo, "add", ".")
    git(repo, "commit", "-qm2")
    arguments = ("--diff", "main") if how == "diff" else ()
    variables = {
        "diff": {},
        "github": {"GITHUB_BASE_REF": "main"},
        "gitlab": {"CI_MERGE_REQUEST_DIFF_BASE_SHA": git(repo, "rev-parse", "main")},
    }[how]
    code, out, err = momus(repo, "review", "--no-cache", "--output-format", "concise", *arguments, **variables)
    assert code == 1 and "src/a.py:1:1: other" in out, (out, err)
    file = {"nearer": "src/momus.toml", "in-project": "src/pyproject.toml"}.get(silence, "momus.toml")
    assert f"{file}: note: " in out and "the change alters this" in out, out
    folder, code_there, out_there = repo / "src", *momus(repo / "src", "review", *arguments, **variables)[:2]
    assert code_there == 1 and "the change alters this" in out_there, (folder, out_there)


def test_a_baseline_that_the_change_alters_does_not_hold(tmp_path: Path) -> None:
    root = made(tmp_path / "repo", OWN + 'baseline = "known.json"\n')
    (root / "known.json").write_text('{"schema_version": 1, "findings": []}\n')
    git(root, "checkout", "-q", "main", "--", ".")
    git(root, "add", ".")
    git(root, "commit", "-qm1b")
    git(root, "branch", "-f", "main")
    (root / "src" / "a.py").write_text("y = 2\n")
    assert momus(root, "review", "--write-baseline", "--no-cache")[0] == 0
    assert momus(root, "review", "--no-cache")[0] == 0  # without a base it is who reviews that says what is known
    code, out, _ = momus(root, "review", "--diff", "main", "--no-cache", "--output-format", "concise")
    assert code == 1 and "known.json: note: the change alters this baseline" in out, out


def test_each_repository_has_settings_of_its_own_base(tmp_path: Path) -> None:
    for name in ("one", "two"):
        root = made(tmp_path / name)
        (root / "momus.toml").write_text('critic = "everything"\nexclude = ["src/"]\n')
    arguments = ("review", "--no-cache", "--critic", "everything", "--diff", "main", "--output-format", "concise")
    code, out, _ = momus(tmp_path, *arguments, "one", "two")
    assert code == 1 and "one/src/a.py:1:1" in out and "two/src/a.py:1:1" in out, out
    assert "one/momus.toml: note: " in out and "two/momus.toml: note: " in out


def test_a_submodule_has_settings_of_the_commit_that_the_base_names(repo: Path) -> None:
    git(repo, "checkout", "-q", "main", "--", ".")
    inner = made(repo / "inner", 'exclude = ["src/"]\n')
    git(repo, "add", "inner")
    git(repo, "commit", "-qm2")
    git(repo, "update-ref", "refs/remotes/origin/main", "HEAD")
    arguments = ("review", "--no-cache", "--output-format", "concise")
    code, out, _ = momus(repo, *arguments, GITHUB_BASE_REF="main")
    assert "inner/src" not in out and "1 file excluded" in out and "alters" not in out, out
    (inner / "momus.toml").write_text('exclude = ["src/", "*.pyw"]\n')
    git(inner, "commit", "-qam2")
    code, out, _ = momus(repo, *arguments, GITHUB_BASE_REF="main")
    assert "1 file excluded" in out and "inner/momus.toml: note: exclude: the change alters this" in out, out
    made(repo / "new", 'exclude = ["src/"]\n')
    git(repo, "add", "new")
    code, out, _ = momus(repo, *arguments, GITHUB_BASE_REF="main")
    assert code == 1 and "new/src/a.py:1:1" in out and "new/momus.toml: note: exclude" in out, out


def test_what_the_command_line_says_holds_over_a_base(repo: Path) -> None:
    code, out, _ = momus(repo, "review", "--diff", "main", "--critic", "empty")
    assert code == 0 and "alters" not in out


def test_settings_that_do_not_differ_are_not_spoken_of(repo: Path) -> None:
    (repo / "momus.toml").write_text("# a comment\n" + OWN)
    code, out, _ = momus(repo, "review", "--diff", "main", "--no-cache")
    assert code == 1 and "alters" not in out
